package intercom.extractor;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import intercom.extractor.v1.CheckConnectionRequest;
import intercom.extractor.v1.CheckConnectionResponse;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.ExtractorServiceGrpc;
import intercom.extractor.v1.ListTablesRequest;
import intercom.extractor.v1.ListTablesResponse;
import intercom.extractor.v1.PlanExtractionRequest;
import intercom.extractor.v1.PlanExtractionResponse;
import intercom.extractor.v1.Table;
import intercom.extractor.v1.TableDescription;
import intercom.extractor.v1.Template;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Plays one call of Extract after the other, within this process, for a client that takes no time
 * to wait.
 */
final class ScriptedServer extends ExtractorServiceGrpc.ExtractorServiceImplBase
    implements ServerInterceptor, AutoCloseable {
  static final Throwable LOST = Status.UNAVAILABLE.asRuntimeException();
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** Its events, then, where it holds, nothing until the client cancels, then its end. */
  record Call(List<ExtractResponse> events, boolean holds, Throwable end) {
    static Call of(ExtractResponse... events) {
      return new Call(List.of(events), false, null);
    }

    Call lost() {
      return failing(LOST);
    }

    Call failing(Throwable end) {
      return new Call(events, holds, end);
    }

    Call holding() {
      return new Call(events, true, end);
    }
  }

  /** Time that passes only when a test says so; notes what would have been waited for. */
  static final class FakeTiming implements Timing {
    final List<Duration> pauses = new ArrayList<>();
    long nanoTime = 5;

    @Override
    public long nanoTime() {
      return nanoTime;
    }

    @Override
    public double random() {
      return 0.5;
    }

    @Override
    public void schedule(Duration pause, Runnable task) {
      pauses.add(pause);
      task.run();
    }
  }

  final FakeTiming timing = new FakeTiming();
  final List<ExtractRequest> requests = Collections.synchronizedList(new ArrayList<>());
  final List<String> tokens = Collections.synchronizedList(new ArrayList<>());

  /** What the calls but Extract fail with. */
  Throwable unary;

  /** Open once a call that holds was cancelled. */
  private final CountDownLatch cancelled = new CountDownLatch(1);

  private final List<Call> script;
  private final Server server;
  private final String name = InProcessServerBuilder.generateName();
  private final List<ExtractorClient> clients = new ArrayList<>();

  ScriptedServer(Call... script) throws IOException {
    this.script = List.of(script);
    server = InProcessServerBuilder.forName(name).addService(this).intercept(this).build().start();
  }

  ExtractorClient client() {
    return client(ExtractorClient.builder("not asked for"));
  }

  ExtractorClient client(ExtractorClient.Builder builder) {
    ExtractorClient client =
        builder.timing(timing).build(InProcessChannelBuilder.forName(name).build());
    clients.add(client);
    return client;
  }

  void awaitCancelled() throws InterruptedException {
    if (!cancelled.await(10, TimeUnit.SECONDS)) {
      throw new AssertionError("the call was not cancelled");
    }
  }

  /** As the server says it. */
  static Throwable failure(Status.Code code, String reason, Message... details) {
    var said =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("scripted")
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setReason(reason)
                        .setDomain("intercom-extractor")
                        .putMetadata("connection", "default")
                        .build()));
    for (Message detail : details) {
      said.addDetails(Any.pack(detail));
    }
    return StatusProto.toStatusRuntimeException(said.build());
  }

  @Override
  public void close() {
    clients.forEach(ExtractorClient::close);
    server.shutdownNow();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String token = headers.get(AUTHORIZATION);
    tokens.add(token == null ? "" : token);
    return next.startCall(call, headers);
  }

  @Override
  public void extract(ExtractRequest request, StreamObserver<ExtractResponse> responses) {
    Call call = script.get(requests.size());
    requests.add(request);
    if (call.holds()) {
      ((ServerCallStreamObserver<ExtractResponse>) responses)
          .setOnCancelHandler(cancelled::countDown);
    }
    call.events().forEach(responses::onNext);
    if (call.holds()) {
      return;
    }
    end(responses, call.end());
  }

  private static void end(StreamObserver<?> responses, Throwable failure) {
    if (failure == null) {
      responses.onCompleted();
    } else {
      responses.onError(failure);
    }
  }

  private <R> void answer(StreamObserver<R> responses, R response) {
    if (unary == null) {
      responses.onNext(response);
    }
    end(responses, unary);
  }

  @Override
  public void listTables(ListTablesRequest request, StreamObserver<ListTablesResponse> responses) {
    answer(
        responses,
        ListTablesResponse.newBuilder()
            .addTables(described("users", Template.TEMPLATE_BASIC))
            .addTables(described("tags", Template.TEMPLATE_BASIC))
            .addTables(described("conversations", Template.TEMPLATE_CONVERSATIONS))
            .build());
  }

  private static TableDescription described(String name, Template template) {
    return TableDescription.newBuilder()
        .setTable(Table.newBuilder().setName(name).setTemplate(template))
        .build();
  }

  @Override
  public void checkConnection(
      CheckConnectionRequest request, StreamObserver<CheckConnectionResponse> responses) {
    answer(
        responses,
        CheckConnectionResponse.newBuilder().setApiVersion(request.getConnection()).build());
  }

  @Override
  public void planExtraction(
      PlanExtractionRequest request, StreamObserver<PlanExtractionResponse> responses) {
    answer(responses, PlanExtractionResponse.getDefaultInstance());
  }
}
