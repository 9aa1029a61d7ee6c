package intercom.extractor;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;

/**
 * Where gRPC puts what is to be done for a call, so that the thread that reads an extraction does
 * it, decoding included: nothing is handed from thread to thread, and what nobody asks for stays
 * undecoded. Safe for use by several threads.
 */
final class Mailbox implements Executor {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private volatile Runnable onTask = () -> {};
  private volatile boolean isShut;

  /** Who is told, in any thread, that a task has come. */
  void onTask(Runnable tell) {
    onTask = tell;
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (isShut) {
      drain();
    } else {
      onTask.run();
    }
  }

  /** Does one task, if there is any. */
  boolean runOne() {
    Runnable task = tasks.poll();
    if (task == null) {
      return false;
    }
    task.run();
    return true;
  }

  /**
   * Nobody takes tasks any more: they free what gRPC holds, and are done where they come from. Who
   * waits for one is told.
   */
  void shut() {
    isShut = true;
    drain();
    onTask.run();
  }

  private void drain() {
    while (runOne()) {
      // Until all are done.
    }
  }
}
