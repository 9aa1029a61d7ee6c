package intercom.extractor;

import intercom.extractor.v1.TableRestarted;
import io.grpc.Status;

/**
 * A table begins anew after rows of it were handed out, and nobody listens for that: the rows of it
 * so far are void. Use {@link ExtractionOptions.Builder#onTableRestarted}, or read {@link
 * Extraction#events()}.
 */
public final class TableRestartedException extends ExtractorException {
  private static final long serialVersionUID = 1;

  /** The table's name. */
  private final String table;

  /** Counts from 1. */
  private final int generation;

  TableRestartedException(TableRestarted restarted) {
    super(
        Failure.of(
            Status.Code.ABORTED,
            String.format(
                "%s begins anew (%s): the rows of it so far are void; use onTableRestarted to"
                    + " drop them and go on",
                restarted.getTable(), restarted.getReason())));
    table = restarted.getTable();
    generation = restarted.getGeneration();
  }

  /**
   * Which table.
   *
   * @return its name
   */
  public String table() {
    return table;
  }

  /**
   * How often the table has begun, this time included.
   *
   * @return a number from 2
   */
  public int generation() {
    return generation;
  }
}
