package intercom.extractor;

import com.google.protobuf.ByteString;
import intercom.extractor.v1.Checkpoint;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.LivingRecords;
import intercom.extractor.v1.RowBatch;
import intercom.extractor.v1.TableRestarted;
import intercom.extractor.v1.TableRows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;

/**
 * Turns the events of one extraction, over all of its streams, into those handed out: no network,
 * no clock. The rules are those of tests/clients/README.md, the same in every language.
 */
final class Delivery {
  private static final int LARGEST_TOKEN = 64 << 10;

  /** What a stream has told up to some point. */
  private record Position(ByteString token, long checkpoint, Map<String, Integer> generations) {
    Position copy() {
      return new Position(token, checkpoint, new HashMap<>(generations));
    }
  }

  private final boolean atLeastOnce;

  /** False for an extraction that continues another: unknown which they were. */
  private final boolean generationsKnown;

  /** As of the last checkpoint. */
  private Position covered;

  /** As of the last event. */
  private Position position;

  /** Since the last checkpoint, of the present generation. */
  private final Map<String, Long> rows = new TreeMap<>();

  /** False while events go out at once. */
  private boolean holding;

  private final List<ExtractResponse> held = new ArrayList<>();
  private boolean complete;

  Delivery(boolean atLeastOnce, ByteString resumeToken) {
    this.atLeastOnce = atLeastOnce;
    generationsKnown = resumeToken.isEmpty();
    covered = new Position(resumeToken, 0, Map.of());
    begin();
  }

  /** A stream begins: where the last checkpoint was, whose token it returns. */
  ByteString begin() {
    position = covered.copy();
    letGo();
    rows.clear();
    return covered.token();
  }

  /** Once the summary has come. */
  boolean isComplete() {
    return complete;
  }

  /** Forgets what is held back. */
  private void letGo() {
    holding = !atLeastOnce;
    held.clear();
  }

  /** Adds what is to be handed out now to `out`. */
  void onEvent(ExtractResponse event, Queue<ExtractResponse> out) {
    if (complete) {
      throw new BrokenStreamException("an event came after the summary");
    }
    switch (event.getEventCase()) {
      case ROW_BATCH -> onRows(event, out);
      case CHECKPOINT -> onCheckpoint(event, out);
      case PROGRESS, NOTICE -> out.add(event);
      case TABLE_RESTARTED -> onRestart(event);
      case LIVING_RECORDS -> {
        LivingRecords living = event.getLivingRecords();
        if (isCurrent(living.getTable(), living.getGeneration())) {
          hold(event, out);
        }
      }
      case DELETED_RECORDS -> hold(event, out);
      case SUMMARY -> onSummary(event, out);
      case EVENT_NOT_SET -> {
        // Something that a newer server says.
      }
    }
  }

  /** A call has ended well. */
  void onEnd() {
    if (!complete) {
      throw new BrokenStreamException("it ended without a summary");
    }
  }

  private void hold(ExtractResponse event, Queue<ExtractResponse> out) {
    if (holding) {
      held.add(event);
    } else {
      out.add(event);
    }
  }

  /** Whether what is of that generation is of the table's present one. */
  private boolean isCurrent(String table, int sent) {
    // A server that does not count sends 0: its tables never begin anew.
    int counted = sent == 0 ? 1 : sent;
    // The first rows of an extraction that continues another say which it is.
    int generation =
        position.generations().computeIfAbsent(table, name -> generationsKnown ? 1 : counted);
    int order = Integer.compareUnsigned(counted, generation);
    if (order > 0) {
      throw new BrokenStreamException(
          "rows of %s are of generation %s, which was not announced",
          table, Integer.toUnsignedString(sent));
    }
    return order == 0;
  }

  private void onRows(ExtractResponse event, Queue<ExtractResponse> out) {
    RowBatch batch = event.getRowBatch();
    if (!isCurrent(batch.getTable(), batch.getGeneration())) {
      return;
    }
    int count = RowLists.of(batch).size();
    if (count > 0) {
      rows.merge(batch.getTable(), (long) count, Long::sum);
    }
    hold(event, out);
  }

  private void onRestart(ExtractResponse event) {
    TableRestarted restarted = event.getTableRestarted();
    String table = restarted.getTable();
    int present = position.generations().getOrDefault(table, generationsKnown ? 1 : 0);
    // Told twice, it must not void the rows that came in between.
    if (Integer.compareUnsigned(restarted.getGeneration(), present) <= 0) {
      return;
    }
    position.generations().put(table, restarted.getGeneration());
    rows.remove(table);
    // Held back at any rate: until a checkpoint covers it, a lost connection may lead back to
    // the generation before.
    holding = true;
    held.removeIf(earlier -> isVoid(earlier, table));
    held.add(event);
  }

  private void onCheckpoint(ExtractResponse event, Queue<ExtractResponse> out) {
    Checkpoint checkpoint = event.getCheckpoint();
    long number = checkpoint.getNumber();
    ByteString token = checkpoint.getResumeToken();
    if (number <= position.checkpoint()) {
      throw new BrokenStreamException(
          "checkpoint %d came after checkpoint %d", number, position.checkpoint());
    }
    if (token.isEmpty() || token.size() > LARGEST_TOKEN) {
      throw new BrokenStreamException(
          "checkpoint %d has a token of %d bytes", number, token.size());
    }
    Map<String, Long> counted = new TreeMap<>();
    for (TableRows of : checkpoint.getRowsList()) {
      if (!isCurrent(of.getTable(), of.getGeneration())) {
        throw new BrokenStreamException(
            "checkpoint %d covers an earlier generation of %s", number, of.getTable());
      }
      if (of.getRows() != 0) {
        counted.merge(of.getTable(), of.getRows(), Long::sum);
      }
    }
    if (!counted.equals(rows)) {
      throw new BrokenStreamException(
          "checkpoint %d covers the rows %s, but %s came", number, counted, rows);
    }
    rows.clear();
    position = new Position(token, number, position.generations());
    covered = position.copy();
    out.addAll(held);
    out.add(event);
    letGo();
  }

  private void onSummary(ExtractResponse event, Queue<ExtractResponse> out) {
    if (!rows.isEmpty()) {
      throw new BrokenStreamException("no checkpoint covers the last rows %s", rows);
    }
    complete = true;
    out.addAll(held);
    held.clear();
    out.add(event);
  }

  /** Whether a restart of the table makes an event void. */
  private static boolean isVoid(ExtractResponse event, String table) {
    return switch (event.getEventCase()) {
      case ROW_BATCH -> event.getRowBatch().getTable().equals(table);
      case LIVING_RECORDS -> event.getLivingRecords().getTable().equals(table);
      case TABLE_RESTARTED -> event.getTableRestarted().getTable().equals(table);
      default -> false;
    };
  }
}
