package intercom.extractor;

import com.google.protobuf.ByteString;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.ExtractorServiceGrpc;
import intercom.extractor.v1.Summary;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * The events of an extraction over all of its calls. Read by one thread at a time, closed by any.
 */
final class EventSource implements Source<ExtractResponse> {
  /**
   * Messages that may be on their way. Few, so that a slow reader slows the server; not one, so
   * that the network works while a reader does.
   */
  private static final int IN_FLIGHT = 4;

  /** How a call ended. */
  private record End(Status status, Metadata trailers) {}

  private final ExtractorClient client;
  private final ExtractRequest request;
  private final ExtractionOptions options;
  private final Mailbox mailbox;
  private final Timing timing;
  private final Context context = Context.current();
  private final Delivery delivery;
  private final Tries tries = new Tries();
  private final Queue<ExtractResponse> ready = new ArrayDeque<>();

  private boolean started;

  /** Of nanoTime; without meaning where there is no timeout. */
  private long startNanos;

  /** Once the server has said something: an address that was never right is said at once. */
  private boolean heard;

  /** Messages taken that gRPC was not asked to replace yet. */
  private int owed;

  /** Null while a call goes on. */
  private End end;

  /** What the stream is broken with. */
  private ExtractorException broken;

  private volatile ClientCall<ExtractRequest, ExtractResponse> call;
  private volatile boolean closed;
  private volatile boolean ended;
  private volatile ByteString lastCheckpoint;
  private volatile Summary summary;
  private volatile int reconnects;

  EventSource(
      ExtractorClient client,
      ExtractRequest request,
      ExtractionOptions options,
      Mailbox mailbox,
      Timing timing) {
    this.client = client;
    this.request = request;
    this.options = options;
    this.mailbox = mailbox;
    this.timing = timing;
    lastCheckpoint = request.getResumeToken();
    delivery = new Delivery(options.isAtLeastOnce(), request.getResumeToken());
  }

  ByteString lastCheckpoint() {
    return lastCheckpoint;
  }

  Summary summary() {
    return summary;
  }

  int reconnects() {
    return reconnects;
  }

  @Override
  public boolean ended() {
    return ended;
  }

  /** Cancels what has not ended. */
  void close() {
    if (ended || closed) {
      return;
    }
    closed = true;
    endCall("the caller has enough");
  }

  @Override
  public ExtractResponse poll() {
    if (ended) {
      return null;
    }
    boolean goesOn = false;
    try {
      ExtractResponse event = next();
      goesOn = true;
      return event;
    } finally {
      if (!goesOn) {
        end("the reader has an error");
      }
    }
  }

  private ExtractResponse next() {
    if (!started) {
      started = true;
      startNanos = timing.nanoTime();
      startCall();
    }
    while (true) {
      stopIfOver();
      ExtractResponse event = ready.poll();
      if (event != null) {
        askForMore();
        note(event);
        return event;
      }
      if (broken != null) {
        throw broken;
      }
      if (end != null) {
        onEnd(end);
        if (ended) {
          return null;
        }
      } else if (!mailbox.runOne()) {
        return null;
      }
    }
  }

  private void stopIfOver() {
    if (closed) {
      throw cancelled("the extraction is closed");
    }
    if (client.isClosed()) {
      throw cancelled("the client is closed");
    }
    if (remaining().isNegative()) {
      throw outOfTime("it took longer than it may");
    }
  }

  private static ExtractorException cancelled(String why) {
    return Failure.of(Status.Code.CANCELLED, why).toException();
  }

  private static ExtractorException outOfTime(String why) {
    return Failure.of(Status.Code.DEADLINE_EXCEEDED, why).toException();
  }

  /** Time that is left; negative once it is over. */
  private Duration remaining() {
    Duration left =
        options
            .timeout()
            .map(timeout -> timeout.minusNanos(timing.nanoTime() - startNanos))
            .orElse(Duration.ofDays(100_000));
    Deadline others = context.getDeadline();
    if (others != null) {
      Duration theirs = Duration.ofNanos(others.timeRemaining(TimeUnit.NANOSECONDS));
      return theirs.compareTo(left) < 0 ? theirs : left;
    }
    return left;
  }

  private void startCall() {
    if (closed || ended) {
      return;
    }
    end = null;
    owed = 0;
    ExtractRequest next = request.toBuilder().setResumeToken(delivery.begin()).build();
    CallOptions callOptions = CallOptions.DEFAULT.withExecutor(mailbox);
    if (options.timeout().isPresent()) {
      callOptions =
          callOptions.withDeadlineAfter(Math.max(0, remaining().toNanos()), TimeUnit.NANOSECONDS);
    }
    Context previous = context.attach();
    try {
      var made = client.channel().newCall(ExtractorServiceGrpc.getExtractMethod(), callOptions);
      made.start(new Listener(), new Metadata());
      made.request(IN_FLIGHT);
      made.sendMessage(next);
      made.halfClose();
      call = made;
    } finally {
      context.detach(previous);
    }
    if (closed) {
      endCall("the caller has enough");
    }
  }

  private void askForMore() {
    if (owed > 0) {
      owed--;
      call.request(1);
    }
  }

  /** A call has ended, and all that it gave was handed out. */
  private void onEnd(End end) {
    if (end.status().isOk()) {
      delivery.onEnd();
      end("");
      return;
    }
    Failure failure = Failure.of(end.status(), end.trailers());
    ExtractorException lost = failure.toException();
    boolean isOurs = context.isCancelled() && failure.code() == Status.Code.CANCELLED;
    if (delivery.isComplete() || !heard || isOurs || !failure.isLostConnection()) {
      throw lost;
    }
    Duration pause = tries.next(timing.random()).orElseThrow(() -> lost);
    if (remaining().compareTo(pause) <= 0) {
      throw outOfTime("no time left to make the lost connection again (" + lost.getMessage() + ")");
    }
    this.end = null;
    reconnects++;
    options.onReconnect().accept(lost, pause);
    timing.schedule(pause, () -> mailbox.execute(this::startCall));
  }

  /** Ends it for the thread that reads. */
  void end(String why) {
    ended = true;
    endCall(why);
  }

  private void endCall(String why) {
    var going = call;
    if (going != null) {
      going.cancel(why, null);
    }
    mailbox.shut();
  }

  /** Called with each event right before it is handed out. */
  private void note(ExtractResponse event) {
    switch (event.getEventCase()) {
      case CHECKPOINT -> {
        tries.reset();
        lastCheckpoint = event.getCheckpoint().getResumeToken();
        options.onCheckpoint().accept(event.getCheckpoint());
      }
      case PROGRESS -> options.onProgress().accept(event.getProgress());
      case NOTICE -> options.onNotice().accept(event.getNotice());
      case SUMMARY -> summary = event.getSummary();
      default -> {
        // What is for those who read events.
      }
    }
  }

  /** Of one call. Runs in the mailbox; must not throw, as gRPC would only log it. */
  private final class Listener extends ClientCall.Listener<ExtractResponse> {
    @Override
    public void onMessage(ExtractResponse message) {
      if (closed || ended || broken != null) {
        return;
      }
      heard = true;
      owed++;
      try {
        delivery.onEvent(message, ready);
      } catch (BrokenStreamException failed) {
        broken = failed;
        return;
      }
      if (ready.isEmpty()) {
        askForMore();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end = new End(status, trailers);
    }
  }
}
