package intercom.extractor;

import io.grpc.Status;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.Semaphore;

/** Waits for what a source does not have yet. For one thread. */
final class BlockingIterator<T> implements Iterator<T> {
  private final Source<T> source;
  private final Semaphore tasks = new Semaphore(0);
  private final Runnable close;
  private T next;

  BlockingIterator(Source<T> source, Mailbox mailbox, Runnable close) {
    this.source = source;
    this.close = close;
    mailbox.onTask(tasks::release);
  }

  @Override
  public boolean hasNext() {
    while (next == null) {
      next = source.poll();
      if (next != null) {
        break;
      }
      if (source.ended()) {
        return false;
      }
      await();
    }
    return true;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException("all of it was read");
    }
    T taken = next;
    next = null;
    return taken;
  }

  private void await() {
    try {
      tasks.acquire();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      close.run();
      throw Failure.of(Status.Code.CANCELLED, "the thread that waits was interrupted")
          .toException();
    }
    tasks.drainPermits();
  }
}
