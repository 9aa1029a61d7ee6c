package intercom.extractor;

import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.TableRestarted;
import java.util.HashSet;
import java.util.Set;

/** Of all events those that are rows. */
final class BatchSource implements Source<Batch> {
  private final EventSource events;
  private final ExtractionOptions options;
  private final boolean continues;
  private final Set<String> handedOut = new HashSet<>();

  /** `continues`: another extraction, which may have handed out rows of any table. */
  BatchSource(EventSource events, ExtractionOptions options, boolean continues) {
    this.events = events;
    this.options = options;
    this.continues = continues;
  }

  @Override
  public Batch poll() {
    ExtractResponse event;
    while ((event = events.poll()) != null) {
      switch (event.getEventCase()) {
        case ROW_BATCH -> {
          handedOut.add(event.getRowBatch().getTable());
          return new Batch(event.getRowBatch());
        }
        case TABLE_RESTARTED -> restart(event.getTableRestarted());
        default -> {
          // Those who want it were told.
        }
      }
    }
    return null;
  }

  @Override
  public boolean ended() {
    return events.ended();
  }

  private void restart(TableRestarted restarted) {
    boolean isTold = false;
    try {
      var tell = options.onTableRestarted();
      if (tell.isPresent()) {
        tell.get().accept(restarted);
      } else if (continues || handedOut.contains(restarted.getTable())) {
        throw new TableRestartedException(restarted);
      }
      isTold = true;
    } finally {
      if (!isTold) {
        events.end("nobody drops the rows that are void");
      }
    }
  }
}
