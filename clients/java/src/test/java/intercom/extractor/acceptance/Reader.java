package intercom.extractor.acceptance;

import intercom.extractor.Extraction;
import intercom.extractor.ExtractionOptions;
import intercom.extractor.ExtractorClient;
import intercom.extractor.ExtractorException;
import intercom.extractor.Row;
import intercom.extractor.v1.Notice;
import intercom.extractor.v1.TableRestarted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/** Writes the rows of an extraction to files, as far as the scenario wants them. */
final class Reader implements AutoCloseable {
  private final Scenario scenario;
  private final Result result;
  private final Map<String, CsvFile> files = new HashMap<>();
  private long handedOut;
  private boolean stopped;

  Reader(Scenario scenario, Result result) {
    this.scenario = scenario;
    this.result = result;
  }

  /** Whether the scenario wanted no more. */
  boolean isStopped() {
    return stopped;
  }

  void read(ExtractorClient client) throws IOException, InterruptedException {
    try (Extraction extraction = client.extract(scenario.request.forClient(), options())) {
      try {
        if (isAt(scenario.stopAfterRows, 0)) {
          // As soon as the server has said something.
          stopped = extraction.events().iterator().hasNext();
        } else {
          readRows(extraction);
        }
      } catch (ExtractorException failed) {
        result.error = Result.Error.of(failed);
      }
      result.resumeToken =
          extraction
              .lastCheckpoint()
              .map(token -> Base64.getEncoder().encodeToString(token.toByteArray()))
              .orElse(null);
      result.reconnects = extraction.reconnects();
      if (extraction.summary().isPresent()) {
        result.summary = Result.tree(extraction.summary().get());
      }
    }
  }

  private ExtractionOptions options() {
    var options =
        ExtractionOptions.builder()
            .onProgress(progress -> result.progress++)
            .onNotice(this::onNotice)
            .onCheckpoint(
                checkpoint -> {
                  result.checkpoints++;
                  say("checkpoint");
                })
            .onTableRestarted(this::onTableRestarted);
    if (scenario.delivery.equals("at_least_once")) {
      options.atLeastOnce();
    }
    if (scenario.deadlineSeconds != null) {
      options.timeout(Duration.ofMillis((long) (scenario.deadlineSeconds * 1e3)));
    }
    return options.build();
  }

  private void onNotice(Notice notice) {
    result.notices.add(Map.of("code", notice.getCode().name(), "table", notice.getTable()));
  }

  private void onTableRestarted(TableRestarted restarted) {
    result.restarts.add(
        Map.of("table", restarted.getTable(), "generation", restarted.getGeneration()));
    try {
      files.get(restarted.getTable()).restart();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private void readRows(Extraction extraction) throws IOException, InterruptedException {
    for (var table : extraction.tables()) {
      String name = table.getTable().getName();
      Path path = Path.of(scenario.output, name + ".csv");
      files.put(name, new CsvFile(path, table.getColumnsList()));
    }
    for (Row row : extraction) {
      // The checkpoint may have been consumed when this row was asked for.
      if (isAt(scenario.stopAfterCheckpoints, result.checkpoints)) {
        break;
      }
      files.get(row.table()).write(row.message());
      result.rows.merge(row.table(), 1L, Long::sum);
      handedOut++;
      if (handedOut == 1) {
        say("row");
      }
      if (isAt(scenario.stopAfterRows, handedOut)) {
        stopped = true;
        break;
      }
      if (scenario.pause != null && scenario.pause.afterRows == handedOut) {
        say("paused");
        Thread.sleep((long) (scenario.pause.seconds * 1e3));
        say("resumed");
      }
    }
    stopped = stopped || isAt(scenario.stopAfterCheckpoints, result.checkpoints);
  }

  private static boolean isAt(Long wanted, long count) {
    return wanted != null && wanted == count;
  }

  void say(String event) {
    System.out.printf("{\"event\": \"%s\", \"rows\": %d}%n", event, handedOut);
    System.out.flush();
  }

  @Override
  public void close() throws IOException {
    for (CsvFile file : files.values()) {
      file.close();
    }
  }
}
