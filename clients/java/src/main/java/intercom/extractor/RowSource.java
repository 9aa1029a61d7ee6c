package intercom.extractor;

import com.google.protobuf.Message;
import java.util.List;

/** The rows of all batches, one by one. */
final class RowSource implements Source<Row> {
  private final Source<Batch> batches;
  private String table = "";
  private List<? extends Message> rows = List.of();
  private int next;

  RowSource(Source<Batch> batches) {
    this.batches = batches;
  }

  @Override
  public Row poll() {
    while (next == rows.size()) {
      // They are garbage while others are decoded.
      rows = List.of();
      next = 0;
      Batch batch = batches.poll();
      if (batch == null) {
        return null;
      }
      table = batch.table();
      rows = batch.rows();
    }
    return new Row(table, rows.get(next++));
  }

  @Override
  public boolean ended() {
    return batches.ended();
  }
}
