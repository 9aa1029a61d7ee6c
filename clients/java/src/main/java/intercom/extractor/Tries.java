package intercom.extractor;

import java.time.Duration;
import java.util.Optional;

/** Counts those in a row to make a lost connection again. */
final class Tries {
  private static final int MOST = 5;
  private static final long FIRST_PAUSE_MILLIS = 1000;

  private int made;

  /**
   * The pause before the next one: 1, 2, 4, 8 and 16 s, less up to half of it, so that many clients
   * of a server that comes back do not come at once. Empty once all have failed.
   */
  Optional<Duration> next(double random) {
    if (made == MOST) {
      return Optional.empty();
    }
    long full = FIRST_PAUSE_MILLIS << made;
    made++;
    return Optional.of(Duration.ofMillis(full - (long) (random * full / 2)));
  }

  void reset() {
    made = 0;
  }
}
