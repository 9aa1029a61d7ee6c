package intercom.extractor;

import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Publishes what a source has, as fast as the subscriber asks for it. */
final class Publishers {
  /** Threads of this package's own, which a subscriber may block; idle ones end by themselves. */
  static final Executor THREADS = Executors.newCachedThreadPool(daemons());

  private Publishers() {}

  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "intercom-extractor-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** `open` gives the source to the first subscriber, and throws for others. */
  static <T> Flow.Publisher<T> publisher(
      Supplier<Source<T>> open, Mailbox mailbox, Executor executor, Runnable close) {
    return subscriber -> {
      Objects.requireNonNull(subscriber, "subscriber");
      Source<T> source;
      try {
        source = open.get();
      } catch (IllegalStateException already) {
        subscriber.onSubscribe(new Nothing());
        subscriber.onError(already);
        return;
      }
      var subscription = new Subscription<>(source, subscriber, executor, close);
      mailbox.onTask(subscription::schedule);
      subscriber.onSubscribe(subscription);
    };
  }

  private static final class Nothing implements Flow.Subscription {
    @Override
    public void request(long count) {}

    @Override
    public void cancel() {}
  }

  private static final class Subscription<T> implements Flow.Subscription {
    private final Source<T> source;
    private final Flow.Subscriber<? super T> subscriber;
    private final Executor executor;
    private final Runnable close;
    private final AtomicLong demand = new AtomicLong();

    /** How often somebody wanted it to go on; who makes it 1 goes on. */
    private final AtomicInteger wanted = new AtomicInteger();

    private volatile boolean isWrong;
    private volatile boolean done;

    Subscription(
        Source<T> source,
        Flow.Subscriber<? super T> subscriber,
        Executor executor,
        Runnable close) {
      this.source = source;
      this.subscriber = subscriber;
      this.executor = executor;
      this.close = close;
    }

    @Override
    public void request(long count) {
      if (count <= 0) {
        isWrong = true;
      } else {
        demand.getAndAccumulate(count, Subscription::added);
      }
      schedule();
    }

    @Override
    public void cancel() {
      done = true;
      close.run();
    }

    private static long added(long one, long other) {
      long sum = one + other;
      return sum < 0 ? Long.MAX_VALUE : sum;
    }

    void schedule() {
      if (wanted.getAndIncrement() == 0) {
        executor.execute(this::run);
      }
    }

    private void run() {
      int seen = 1;
      do {
        publish();
        seen = wanted.addAndGet(-seen);
      } while (seen != 0);
    }

    private void publish() {
      if (isWrong && !done) {
        cancel();
        subscriber.onError(new IllegalArgumentException("a request must be for at least one"));
      }
      while (!done && demand.get() > 0) {
        T item;
        try {
          item = source.poll();
        } catch (RuntimeException failed) {
          if (!done) {
            done = true;
            subscriber.onError(failed);
          }
          return;
        }
        if (item != null) {
          give(item);
        } else if (source.ended()) {
          done = true;
          subscriber.onComplete();
        } else {
          return;
        }
      }
    }

    private void give(T item) {
      if (demand.get() != Long.MAX_VALUE) {
        demand.decrementAndGet();
      }
      boolean taken = false;
      try {
        subscriber.onNext(item);
        taken = true;
      } finally {
        if (!taken) {
          cancel();
        }
      }
    }
  }
}
