package intercom.extractor;

import static intercom.extractor.Events.checkpoint;
import static intercom.extractor.Events.progress;
import static intercom.extractor.Events.summary;
import static intercom.extractor.Events.tags;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import intercom.extractor.ScriptedServer.Call;
import intercom.extractor.v1.Tag;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PublisherTest {
  private static final ExtractionRequest TAGS = ExtractionRequest.of("tags");

  /** Asks for rows when a test says so. */
  private static class Rows implements Flow.Subscriber<Row> {
    final BlockingQueue<String> ids = new LinkedBlockingQueue<>();
    final CountDownLatch ended = new CountDownLatch(1);
    Flow.Subscription subscription;
    volatile Throwable failure;

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
    }

    @Override
    public void onNext(Row row) {
      ids.add(((Tag) row.message()).getId());
    }

    @Override
    public void onError(Throwable failed) {
      failure = failed;
      ended.countDown();
    }

    @Override
    public void onComplete() {
      ended.countDown();
    }

    void awaitEnd() throws InterruptedException {
      assertTrue(ended.await(10, TimeUnit.SECONDS), "it never ended");
    }
  }

  private static Call twoBatches() {
    return Call.of(tags("a"), checkpoint(1, 1), tags("b", "c"), checkpoint(2, 2), summary());
  }

  @Test
  void givesAsManyRowsAsAreAskedFor() throws Exception {
    try (var server = new ScriptedServer(twoBatches())) {
      Extraction extraction = server.client().extract(TAGS);
      Rows rows = new Rows();
      extraction.rowPublisher().subscribe(rows);
      assertEquals(0, server.requests.size());
      rows.subscription.request(1);
      assertEquals("a", rows.ids.take());
      // Whose row is the last one asked for: whether it is dealt with, nobody knows.
      assertTrue(extraction.lastCheckpoint().isEmpty());
      rows.subscription.request(1);
      assertEquals("b", rows.ids.take());
      assertEquals("t1", extraction.lastCheckpoint().orElseThrow().toStringUtf8());
      assertNull(rows.ids.poll(50, TimeUnit.MILLISECONDS));
      rows.subscription.request(Long.MAX_VALUE);
      rows.subscription.request(Long.MAX_VALUE);
      rows.awaitEnd();
      assertEquals("c", rows.ids.poll());
      assertNull(rows.failure);
      assertTrue(extraction.summary().isPresent());
    }
  }

  @Test
  void goesOnAfterALostConnection() throws Exception {
    try (var server =
        new ScriptedServer(
            Call.of(tags("a"), checkpoint(1, 1), tags("b")).lost(),
            Call.of(tags("b"), checkpoint(2, 1), summary()))) {
      Extraction extraction = server.client().extract(TAGS);
      Rows rows = new Rows();
      extraction.rowPublisher().subscribe(rows);
      rows.subscription.request(Long.MAX_VALUE);
      rows.awaitEnd();
      assertNull(rows.failure);
      assertEquals(List.of("a", "b"), List.copyOf(rows.ids));
      assertEquals(1, extraction.reconnects());
    }
  }

  @Test
  void tellsErrors() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()))) {
      Rows rows = new Rows();
      server.client().extract(TAGS).rowPublisher().subscribe(rows);
      rows.subscription.request(1);
      rows.awaitEnd();
      assertInstanceOf(BrokenStreamException.class, rows.failure);
    }
  }

  @Test
  void cancellingCancelsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(tags("a"), checkpoint(1, 1)).holding())) {
      Rows rows = new Rows();
      server.client().extract(TAGS).rowPublisher().subscribe(rows);
      rows.subscription.request(Long.MAX_VALUE);
      assertEquals("a", rows.ids.take());
      rows.subscription.cancel();
      server.awaitCancelled();
      // Who cancels is told nothing more.
      assertEquals(1, rows.ended.getCount());
    }
  }

  @Test
  void closingTellsTheSubscriber() throws Exception {
    try (var server = new ScriptedServer(Call.of(tags("a"), checkpoint(1, 1)).holding())) {
      Extraction extraction = server.client().extract(TAGS);
      Rows rows = new Rows();
      extraction.rowPublisher().subscribe(rows);
      rows.subscription.request(Long.MAX_VALUE);
      assertEquals("a", rows.ids.take());
      extraction.close();
      rows.awaitEnd();
      assertInstanceOf(CancelledException.class, rows.failure);
    }
  }

  @Test
  void refusesARequestForNothing() throws Exception {
    try (var server = new ScriptedServer(twoBatches())) {
      Rows rows = new Rows();
      server.client().extract(TAGS).rowPublisher().subscribe(rows);
      rows.subscription.request(0);
      rows.awaitEnd();
      assertInstanceOf(IllegalArgumentException.class, rows.failure);
    }
  }

  @Test
  void hasOneSubscriber() throws Exception {
    try (var server = new ScriptedServer(twoBatches())) {
      Extraction extraction = server.client().extract(TAGS);
      extraction.batchPublisher().subscribe(new Ignoring<>());
      Rows second = new Rows();
      extraction.rowPublisher().subscribe(second);
      second.awaitEnd();
      assertInstanceOf(IllegalStateException.class, second.failure);
    }
  }

  private static final class Ignoring<T> implements Flow.Subscriber<T> {
    @Override
    public void onSubscribe(Flow.Subscription subscription) {}

    @Override
    public void onNext(T item) {}

    @Override
    public void onError(Throwable failed) {}

    @Override
    public void onComplete() {}
  }

  @Test
  void usesTheExecutorItIsGiven() throws Exception {
    try (var server = new ScriptedServer(twoBatches())) {
      BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
      var options = ExtractionOptions.builder().executor(tasks::add).build();
      Rows rows = new Rows();
      server.client().extract(TAGS, options).rowPublisher().subscribe(rows);
      rows.subscription.request(Long.MAX_VALUE);
      while (rows.ended.getCount() > 0) {
        tasks.take().run();
      }
      assertEquals(List.of("a", "b", "c"), List.copyOf(rows.ids));
    }
  }
}
