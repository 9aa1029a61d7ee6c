package intercom.extractor;

import static intercom.extractor.Events.checkpoint;
import static intercom.extractor.Events.checkpointOf;
import static intercom.extractor.Events.names;
import static intercom.extractor.Events.notice;
import static intercom.extractor.Events.progress;
import static intercom.extractor.Events.restarted;
import static intercom.extractor.Events.summary;
import static intercom.extractor.Events.tags;
import static intercom.extractor.Events.tagsOf;
import static intercom.extractor.ScriptedServer.LOST;
import static intercom.extractor.ScriptedServer.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import com.google.rpc.RetryInfo;
import intercom.extractor.ScriptedServer.Call;
import intercom.extractor.v1.Checkpoint;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.Lead;
import intercom.extractor.v1.RowBatch;
import intercom.extractor.v1.TableRows;
import intercom.extractor.v1.Tag;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class ExtractionTest {
  private static final ExtractionRequest TAGS = ExtractionRequest.of("tags");
  private static final ExtractionOptions AT_LEAST_ONCE =
      ExtractionOptions.builder().atLeastOnce().build();

  private static String id(Row row) {
    return ((Tag) row.message()).getId();
  }

  /** Of all rows that there are; `ids` also has those before an exception. */
  private static List<String> read(Extraction extraction, List<String> ids) {
    for (Row row : extraction) {
      assertEquals("tags", row.table());
      ids.add(id(row));
    }
    return ids;
  }

  private static List<String> read(Extraction extraction) {
    return read(extraction, new ArrayList<>());
  }

  @Test
  void givesRowsAndTheirEnd() throws IOException {
    try (var server =
        new ScriptedServer(
            Call.of(
                progress(),
                tags("a", "b"),
                notice(),
                checkpoint(1, 2),
                tags("c"),
                checkpoint(2, 1),
                summary()))) {
      List<String> told = new ArrayList<>();
      var options =
          ExtractionOptions.builder()
              .onProgress(progress -> told.add("progress"))
              .onNotice(notice -> told.add("notice"))
              .onCheckpoint(checkpoint -> told.add("checkpoint"))
              .build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertEquals(List.of("a", "b", "c"), read(extraction));
      assertEquals(List.of("progress", "notice", "checkpoint", "checkpoint"), told);
      assertEquals(1, extraction.summary().orElseThrow().getTablesCount());
      assertEquals(ByteString.copyFromUtf8("t2"), extraction.lastCheckpoint().orElseThrow());
      assertEquals(0, extraction.reconnects());
      assertThrows(IllegalStateException.class, extraction::iterator);
      assertThrows(IllegalStateException.class, () -> extraction.events().iterator());
    }
  }

  @Test
  void anIteratorKeepsToItsContract() throws IOException {
    try (var server = new ScriptedServer(Call.of(tags("a"), checkpoint(1, 1), summary()))) {
      Iterator<Row> rows = server.client().extract(TAGS).iterator();
      assertTrue(rows.hasNext());
      assertTrue(rows.hasNext());
      assertEquals("a", id(rows.next()));
      assertThrows(NoSuchElementException.class, rows::next);
      assertFalse(rows.hasNext());
    }
  }

  @Test
  void aCheckpointCountsOnceTheNextRowIsAskedFor() throws IOException {
    try (var server =
        new ScriptedServer(
            Call.of(tags("a"), checkpoint(1, 1), tags("b"), checkpoint(2, 1), summary()))) {
      Extraction extraction = server.client().extract(TAGS);
      List<String> before = new ArrayList<>();
      for (Row row : extraction) {
        before.add(id(row) + extraction.lastCheckpoint().map(ByteString::toStringUtf8));
      }
      assertEquals(List.of("aOptional.empty", "bOptional[t1]"), before);
    }
  }

  static Stream<Arguments> lostConnections() {
    RetryInfo later =
        RetryInfo.newBuilder()
            .setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(3600))
            .build();
    return Stream.of(
        arguments("lost", LOST),
        arguments("cancelled", Status.CANCELLED.asRuntimeException()),
        arguments("stopping", failure(Status.Code.UNAVAILABLE, "SERVER_STOPPING", later)),
        arguments("aged", failure(Status.Code.UNAVAILABLE, "CONNECTION_AGE")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void lostConnections(String name, Throwable end) throws IOException {
    Call first = Call.of(tags("a"), checkpoint(1, 1), tags("b")).failing(end);
    Call second = Call.of(tags("b", "c"), checkpoint(2, 2), summary());
    try (var server = new ScriptedServer(first, second)) {
      List<Duration> told = new ArrayList<>();
      var options =
          ExtractionOptions.builder().onReconnect((lost, pause) -> told.add(pause)).build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertEquals(List.of("a", "b", "c"), read(extraction));
      assertEquals(1, extraction.reconnects());
      assertEquals("t1", server.requests.get(1).getResumeToken().toStringUtf8());
      assertEquals(List.of("tags"), server.requests.get(1).getTablesList());
      assertEquals(List.of(Duration.ofMillis(750)), server.timing.pauses);
      assertEquals(server.timing.pauses, told);
    }
  }

  @Test
  void atLeastOnceRepeatsRowsSinceTheCheckpoint() throws IOException {
    try (var server =
        new ScriptedServer(
            Call.of(tags("a"), checkpoint(1, 1), tags("b")).lost(),
            Call.of(tags("b"), checkpoint(2, 1), summary()))) {
      assertEquals(List.of("a", "b", "b"), read(server.client().extract(TAGS, AT_LEAST_ONCE)));
    }
  }

  static Stream<Arguments> otherErrors() {
    return Stream.of(
        arguments(
            ResourceExhaustedException.class,
            Call.of(progress()).failing(failure(Status.Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"))),
        arguments(
            UnavailableException.class,
            Call.of(progress()).failing(failure(Status.Code.UNAVAILABLE, "INTERCOM_UNREACHABLE"))),
        arguments(UnavailableException.class, Call.of().lost()),
        arguments(
            ResumeTokenException.class,
            Call.of(progress())
                .failing(failure(Status.Code.FAILED_PRECONDITION, "RESUME_TOKEN_EXPIRED"))),
        arguments(BrokenStreamException.class, Call.of(progress())),
        arguments(BrokenStreamException.class, Call.of(tagsOf(2, "a")).holding()),
        arguments(UnavailableException.class, Call.of(summary()).lost()));
  }

  @ParameterizedTest
  @MethodSource
  void otherErrors(Class<? extends ExtractorException> type, Call call) throws IOException {
    try (var server = new ScriptedServer(call, Call.of(summary()))) {
      Iterator<Row> rows = server.client().extract(TAGS).iterator();
      assertThrows(type, rows::hasNext);
      assertFalse(rows.hasNext());
      assertEquals(1, server.requests.size());
    }
  }

  @Test
  void rowsBeforeAnErrorAreHandedOut() throws IOException {
    Throwable end = failure(Status.Code.RESOURCE_EXHAUSTED, "RATE_LIMITED");
    try (var server =
        new ScriptedServer(
            Call.of(tags("a"), checkpoint(1, 1), tags("b")).failing(end),
            Call.of(tags("a"), checkpoint(1, 1), tagsOf(7, "b")))) {
      List<String> ids = new ArrayList<>();
      Extraction failing = server.client().extract(TAGS);
      assertThrows(ResourceExhaustedException.class, () -> read(failing, ids));
      Extraction broken = server.client().extract(TAGS);
      assertThrows(BrokenStreamException.class, () -> read(broken, ids));
      assertEquals(List.of("a", "a"), ids);
      assertEquals("t1", broken.lastCheckpoint().orElseThrow().toStringUtf8());
    }
  }

  @Test
  void fiveTriesInARowAreEnough() throws IOException {
    Call hopeless = Call.of(progress()).lost();
    List<Call> script = new ArrayList<>(Collections.nCopies(3, hopeless));
    // A checkpoint sets the pauses back.
    script.add(Call.of(checkpoint(1, 0)).lost());
    script.addAll(Collections.nCopies(9, hopeless));
    try (var server = new ScriptedServer(script.toArray(Call[]::new))) {
      assertThrows(UnavailableException.class, () -> read(server.client().extract(TAGS)));
      List<Double> seconds =
          server.timing.pauses.stream().map(pause -> pause.toMillis() / 1e3).toList();
      assertEquals(List.of(0.75, 1.5, 3.0, 0.75, 1.5, 3.0, 6.0, 12.0), seconds);
    }
  }

  @Test
  void closingCancelsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(tags("a"), checkpoint(1, 1)).holding())) {
      Extraction extraction = server.client().extract(TAGS);
      try (extraction) {
        assertEquals("a", id(extraction.iterator().next()));
      }
      server.awaitCancelled();
      // Its rows may not be dealt with.
      assertEquals(Optional.empty(), extraction.lastCheckpoint());
    }
  }

  @Test
  void closingAStreamCancelsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(tags("a", "b"), checkpoint(1, 2)).holding())) {
      try (Stream<Row> rows = server.client().extract(TAGS).stream()) {
        assertEquals(List.of("a"), rows.limit(1).map(ExtractionTest::id).toList());
      }
      server.awaitCancelled();
    }
  }

  @Test
  void closingWakesWhoWaits() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding())) {
      Extraction[] made = new Extraction[1];
      var options =
          ExtractionOptions.builder()
              .onProgress(progress -> new Thread(made[0]::close).start())
              .build();
      made[0] = server.client().extract(TAGS, options);
      var failed = assertThrows(CancelledException.class, () -> read(made[0]));
      assertEquals(Status.Code.CANCELLED, failed.code());
      assertEquals(0, made[0].reconnects());
      server.awaitCancelled();
    }
  }

  @Test
  void closingTheClientIsNoLostConnection() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding())) {
      ExtractorClient client = server.client();
      var options =
          ExtractionOptions.builder()
              .onProgress(progress -> new Thread(client::close).start())
              .build();
      Extraction extraction = client.extract(TAGS, options);
      assertThrows(CancelledException.class, () -> read(extraction));
      assertEquals(0, extraction.reconnects());
    }
  }

  @Test
  void anInterruptCancelsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding())) {
      var options =
          ExtractionOptions.builder()
              .onProgress(progress -> Thread.currentThread().interrupt())
              .build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertThrows(CancelledException.class, () -> read(extraction));
      assertTrue(Thread.interrupted());
      server.awaitCancelled();
    }
  }

  @Test
  void gRpcsContextCancelsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding(), Call.of(summary()));
        var context = Context.current().withCancellation()) {
      var options =
          ExtractionOptions.builder().onProgress(progress -> context.cancel(null)).build();
      Extraction extraction = context.call(() -> server.client().extract(TAGS, options));
      assertThrows(CancelledException.class, () -> read(extraction));
      assertEquals(0, extraction.reconnects());
      server.awaitCancelled();
    }
  }

  @Test
  void rowsHeldBackDoNotComeAfterACancel() throws IOException {
    try (var server =
        new ScriptedServer(Call.of(tags("a"), tags("b"), checkpoint(1, 2), summary()))) {
      Extraction extraction = server.client().extract(TAGS);
      Iterator<Row> rows = extraction.iterator();
      assertEquals("a", id(rows.next()));
      extraction.close();
      assertThrows(CancelledException.class, rows::hasNext);
    }
  }

  @Test
  void closingBetweenTwoTries() throws IOException {
    try (var server = new ScriptedServer(Call.of(progress()).lost(), Call.of(summary()))) {
      Extraction[] made = new Extraction[1];
      var options =
          ExtractionOptions.builder().onReconnect((lost, pause) -> made[0].close()).build();
      made[0] = server.client().extract(TAGS, options);
      assertThrows(CancelledException.class, () -> read(made[0]));
      assertEquals(1, server.requests.size());
    }
  }

  @Test
  void theTimeoutCountsOverLostConnections() throws IOException {
    try (var server = new ScriptedServer(Call.of(progress()).lost(), Call.of(summary()))) {
      // 0.6 s before it.
      var options =
          ExtractionOptions.builder()
              .timeout(Duration.ofMinutes(1))
              .onProgress(progress -> server.timing.nanoTime += Duration.ofMillis(59_400).toNanos())
              .build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertThrows(DeadlineExceededException.class, () -> read(extraction));
      assertEquals(List.of(), server.timing.pauses);
      assertEquals(1, server.requests.size());
    }
  }

  @Test
  void theTimeoutEndsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding())) {
      var options = ExtractionOptions.builder().timeout(Duration.ofMillis(300)).build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertThrows(DeadlineExceededException.class, () -> read(extraction));
      server.awaitCancelled();
    }
  }

  @Test
  void noRowsComeAfterTheTimeout() throws IOException {
    try (var server =
        new ScriptedServer(Call.of(tags("a"), tags("b"), checkpoint(1, 2), summary()))) {
      var options = ExtractionOptions.builder().timeout(Duration.ofMinutes(1)).build();
      Iterator<Row> rows = server.client().extract(TAGS, options).iterator();
      assertEquals("a", id(rows.next()));
      server.timing.nanoTime += Duration.ofSeconds(61).toNanos();
      assertThrows(DeadlineExceededException.class, rows::hasNext);
    }
  }

  @Test
  void aRestartNeedsAListenerWhereRowsWereHandedOut() throws Exception {
    ExtractResponse[] all = {
      tags("a"), checkpoint(1, 1), restarted(2), tagsOf(2, "b"), checkpointOf(2, 2, 1), summary()
    };
    ExtractResponse[] end = {restarted(2), tagsOf(2, "b"), checkpointOf(2, 2, 1), summary()};
    try (var server =
        new ScriptedServer(Call.of(all), Call.of(all), Call.of(end), Call.of(end).holding())) {
      ExtractorClient client = server.client();
      List<String> ids = new ArrayList<>();
      var failed =
          assertThrows(TableRestartedException.class, () -> read(client.extract(TAGS), ids));
      assertEquals(List.of("a"), ids);
      assertEquals("tags", failed.table());
      assertEquals(2, failed.generation());

      AtomicInteger told = new AtomicInteger();
      var options =
          ExtractionOptions.builder().onTableRestarted(restarted -> told.incrementAndGet()).build();
      assertEquals(List.of("a", "b"), read(client.extract(TAGS, options)));
      assertEquals(1, told.get());

      // Nothing was handed out that could be void.
      assertEquals(List.of("b"), read(client.extract(TAGS)));

      // The process before may have had rows.
      var request = TAGS.toBuilder().resumeToken(ByteString.copyFromUtf8("t1")).build();
      Iterator<Row> rows = client.extract(request).iterator();
      assertThrows(TableRestartedException.class, rows::hasNext);
      assertFalse(rows.hasNext());
      server.awaitCancelled();
    }
  }

  @Test
  void eventsTellEverything() throws IOException {
    ExtractResponse[] all = {
      progress(),
      tags("a"),
      checkpoint(1, 1),
      restarted(2),
      tagsOf(2, "b"),
      checkpointOf(2, 2, 1),
      summary()
    };
    try (var server = new ScriptedServer(Call.of(all))) {
      Extraction extraction = server.client().extract(TAGS);
      List<ExtractResponse> got = new ArrayList<>();
      for (ExtractResponse event : extraction.events()) {
        got.add(event);
        if (event.hasCheckpoint()) {
          // Who has the checkpoint itself has had all before it.
          assertEquals(
              Optional.of(event.getCheckpoint().getResumeToken()), extraction.lastCheckpoint());
        }
      }
      assertEquals(
          List.of("progress", "a", "checkpoint 1", "restart 2", "b", "checkpoint 2", "summary"),
          names(got));
    }
  }

  @Test
  void rowsOfOneTableHaveTheirType() throws IOException {
    ExtractResponse leads =
        ExtractResponse.newBuilder()
            .setRowBatch(
                RowBatch.newBuilder().setTable("leads").addLeads(Lead.getDefaultInstance()))
            .build();
    Checkpoint both =
        checkpoint(1, 2).getCheckpoint().toBuilder()
            .addRows(TableRows.newBuilder().setTable("leads").setRows(1))
            .build();
    ExtractResponse covered = ExtractResponse.newBuilder().setCheckpoint(both).build();
    Call call = Call.of(leads, tags("a", "b"), covered, summary());
    try (var server = new ScriptedServer(call, call)) {
      List<String> ids = new ArrayList<>();
      for (Tag tag : server.client().extract(TAGS).rowsOf(Tag.class)) {
        ids.add(tag.getId());
      }
      assertEquals(List.of("a", "b"), ids);
      assertEquals(1, server.client().extract(TAGS).stream(Lead.class).count());
    }
  }

  @Test
  void whatAListenerThrowsEndsTheCall() throws Exception {
    try (var server = new ScriptedServer(Call.of(progress()).holding())) {
      var options =
          ExtractionOptions.builder()
              .onProgress(
                  progress -> {
                    throw new IllegalArgumentException("enough");
                  })
              .build();
      Extraction extraction = server.client().extract(TAGS, options);
      assertThrows(IllegalArgumentException.class, () -> read(extraction));
      server.awaitCancelled();
    }
  }

  @Test
  void whoReadsSlowlyAsksForLittle() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    ClientInterceptor counting =
        new ClientInterceptor() {
          @Override
          public <Q, R> ClientCall<Q, R> interceptCall(
              MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
              @Override
              public void request(int count) {
                asked.addAndGet(count);
                super.request(count);
              }
            };
          }
        };
    List<ExtractResponse> events = new ArrayList<>(Collections.nCopies(100, tags("a")));
    events.add(checkpoint(1, 100));
    events.add(summary());
    try (var server = new ScriptedServer(Call.of(events.toArray(ExtractResponse[]::new)))) {
      var client = server.client(ExtractorClient.builder("not asked for").intercept(counting));
      Iterator<Row> rows = client.extract(TAGS, AT_LEAST_ONCE).iterator();
      for (int taken = 1; taken <= 100; taken++) {
        rows.next();
        assertTrue(asked.get() <= taken + 4, asked + " messages asked for, taken " + taken);
      }
      assertFalse(rows.hasNext());
    }
  }
}
