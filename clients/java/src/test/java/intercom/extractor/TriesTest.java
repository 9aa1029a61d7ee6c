package intercom.extractor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TriesTest {
  @Test
  void waitLongerEachTimeLessUpToHalf() {
    Tries tries = new Tries();
    assertEquals(Optional.of(Duration.ofMillis(1000)), tries.next(0));
    assertEquals(Optional.of(Duration.ofMillis(1500)), tries.next(0.5));
    tries.reset();
    assertEquals(Optional.of(Duration.ofMillis(501)), tries.next(0.999));
    for (int made = 1; made < 5; made++) {
      assertTrue(tries.next(0).isPresent());
    }
    assertEquals(Optional.empty(), tries.next(0));
  }

  @Test
  void theRealClockWaits() throws InterruptedException {
    CountDownLatch ran = new CountDownLatch(1);
    long start = Timing.REAL.nanoTime();
    Timing.REAL.schedule(Duration.ofMillis(20), ran::countDown);
    assertTrue(ran.await(10, TimeUnit.SECONDS));
    assertTrue(Timing.REAL.nanoTime() - start >= 20_000_000);
    double random = Timing.REAL.random();
    assertTrue(random >= 0 && random < 1);
  }
}
