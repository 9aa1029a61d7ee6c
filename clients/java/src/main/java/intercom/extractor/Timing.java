package intercom.extractor;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Where time and chance come from; tests bring their own. */
interface Timing {
  long nanoTime();

  /** At least 0, below 1. */
  double random();

  /** Runs a task that does not block, once the pause is over. */
  void schedule(Duration pause, Runnable task);

  Timing REAL =
      new Timing() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public double random() {
          return ThreadLocalRandom.current().nextDouble();
        }

        @Override
        public void schedule(Duration pause, Runnable task) {
          CompletableFuture.delayedExecutor(pause.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
              .execute(task);
        }
      };
}
