package intercom.extractor;

import com.google.protobuf.Message;
import intercom.extractor.v1.RowBatch;
import java.time.Instant;
import java.util.List;

/**
 * Rows of one table that left the server together, at most 1 MiB.
 *
 * @param message as the server sent it; the typed rows are in the list of that table, such as
 *     {@link RowBatch#getUsersList()}
 */
public record Batch(RowBatch message) {

  /**
   * Which table.
   *
   * @return its name
   */
  public String table() {
    return message.getTable();
  }

  /**
   * The rows, each the table's own message.
   *
   * @return the rows, unmodifiable
   */
  public List<? extends Message> rows() {
    return RowLists.of(message);
  }

  /**
   * When the oldest answer of Intercom that these rows are from arrived at the server.
   *
   * @return the time
   */
  public Instant extractedAt() {
    var time = message.getExtractedAt();
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
