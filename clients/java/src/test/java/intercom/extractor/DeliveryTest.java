package intercom.extractor;

import static intercom.extractor.Events.checkpoint;
import static intercom.extractor.Events.checkpointOf;
import static intercom.extractor.Events.deleted;
import static intercom.extractor.Events.living;
import static intercom.extractor.Events.names;
import static intercom.extractor.Events.notice;
import static intercom.extractor.Events.progress;
import static intercom.extractor.Events.restarted;
import static intercom.extractor.Events.summary;
import static intercom.extractor.Events.tags;
import static intercom.extractor.Events.tagsOf;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import intercom.extractor.v1.ExtractResponse;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DeliveryTest {
  private static final ByteString NONE = ByteString.EMPTY;
  private static final ByteString GIVEN = ByteString.copyFromUtf8("given");

  private static List<String> play(Delivery delivery, List<ExtractResponse> events) {
    Queue<ExtractResponse> out = new ArrayDeque<>();
    events.forEach(event -> delivery.onEvent(event, out));
    return names(out);
  }

  private static Arguments handsOut(
      String what, Delivery delivery, List<ExtractResponse> events, String... wanted) {
    return arguments(named(what, delivery), events, List.of(wanted));
  }

  private static Delivery once() {
    return new Delivery(false, NONE);
  }

  private static Delivery atLeastOnce() {
    return new Delivery(true, NONE);
  }

  private static Delivery continuing() {
    return new Delivery(false, GIVEN);
  }

  static Stream<Arguments> handedOut() {
    ExtractResponse unknown = ExtractResponse.getDefaultInstance();
    return Stream.of(
        handsOut(
            "rows after their checkpoint",
            once(),
            List.of(tags("a"), progress(), tags("b"), notice(), checkpoint(1, 2), tags("c")),
            "progress",
            "notice",
            "a",
            "b",
            "checkpoint 1"),
        handsOut(
            "rows at once",
            atLeastOnce(),
            List.of(tags("a"), progress(), checkpoint(1, 1), tags("b")),
            "a",
            "progress",
            "checkpoint 1",
            "b"),
        handsOut(
            "what is deleted or lives, in its order",
            once(),
            List.of(tags("a"), deleted(), living(1), progress(), checkpoint(1, 1)),
            "progress",
            "a",
            "deleted",
            "living",
            "checkpoint 1"),
        handsOut(
            "what is not known, to nobody",
            once(),
            List.of(unknown, tags("a"), unknown, checkpoint(1, 1)),
            "a",
            "checkpoint 1"),
        handsOut(
            "deletions that no checkpoint follows, before the summary",
            once(),
            List.of(deleted(), summary()),
            "deleted",
            "summary"),
        handsOut(
            "no rows that a restart made void",
            once(),
            List.of(
                tags("a"),
                living(1),
                restarted(2),
                tags("late"),
                living(1),
                tagsOf(2, "b"),
                checkpointOf(2, 1, 1)),
            "restart 2",
            "b",
            "checkpoint 1"),
        handsOut(
            "only the last of two restarts",
            once(),
            List.of(
                restarted(2), tagsOf(2, "a"), restarted(3), tagsOf(3, "b"), checkpointOf(3, 1, 1)),
            "restart 3",
            "b",
            "checkpoint 1"),
        handsOut(
            "a restart that is told twice once",
            once(),
            List.of(
                restarted(2), tagsOf(2, "a"), restarted(2), tagsOf(2, "b"), checkpointOf(2, 1, 2)),
            "restart 2",
            "a",
            "b",
            "checkpoint 1"),
        handsOut(
            "at least once nothing after a restart before its checkpoint",
            atLeastOnce(),
            List.of(
                tags("a"),
                restarted(2),
                tagsOf(2, "b"),
                progress(),
                checkpointOf(2, 1, 1),
                tagsOf(2, "c")),
            "a",
            "progress",
            "restart 2",
            "b",
            "checkpoint 1",
            "c"),
        handsOut(
            "rows of the generation that an earlier extraction left",
            continuing(),
            List.of(tagsOf(3, "a"), checkpointOf(3, 7, 1)),
            "a",
            "checkpoint 7"),
        handsOut(
            "any restart, where the generations before are not known",
            continuing(),
            List.of(restarted(1), tagsOf(1, "a"), checkpoint(7, 1)),
            "restart 1",
            "a",
            "checkpoint 7"),
        handsOut(
            "rows of a server that does not count generations",
            once(),
            List.of(tagsOf(0, "a"), checkpointOf(0, 1, 1)),
            "a",
            "checkpoint 1"),
        handsOut(
            "parents alone, which are no rows",
            once(),
            List.of(tags(), checkpoint(1, 0), summary()),
            "checkpoint 1",
            "summary"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void handedOut(Delivery delivery, List<ExtractResponse> events, List<String> wanted) {
    assertEquals(wanted, play(delivery, events));
  }

  @Test
  void goesBackToTheLastCheckpoint() {
    Delivery delivery = once();
    play(delivery, List.of(tags("a"), checkpoint(1, 1), restarted(2), tagsOf(2, "lost")));
    assertEquals("t1", delivery.begin().toStringUtf8());
    // In the generation that the checkpoint was in, and without the rows since.
    assertEquals(
        List.of("b", "checkpoint 2", "summary"),
        play(delivery, List.of(tags("b"), checkpoint(2, 1), summary())));
    delivery.onEnd();
  }

  @Test
  void beginsAnewWithoutACheckpoint() {
    Delivery delivery = continuing();
    play(delivery, List.of(tags("a")));
    assertEquals(GIVEN, delivery.begin());
  }

  @Test
  void mustEndWithASummary() {
    Delivery delivery = once();
    play(delivery, List.of(tags("a"), checkpoint(1, 1)));
    assertThrows(BrokenStreamException.class, delivery::onEnd);
  }

  private static ExtractResponse tokenOf(int bytes) {
    return ExtractResponse.newBuilder()
        .setCheckpoint(Events.withToken(1, ByteString.copyFrom(new byte[bytes])))
        .build();
  }

  static Stream<Arguments> brokenPromises() {
    return Stream.of(
        arguments("a generation out of nowhere", List.of(tagsOf(2, "a"))),
        arguments("a generation above all others", List.of(tagsOf(-1, "a"))),
        arguments("living records out of nowhere", List.of(living(2))),
        arguments("a checkpoint's generation out of nowhere", List.of(checkpointOf(2, 1, 1))),
        arguments("a row too many", List.of(tags("a", "b"), checkpoint(1, 1))),
        arguments("a row too few", List.of(tags("a"), checkpoint(1, 2))),
        arguments("a table left out", List.of(tags("a"), checkpoint(1, 0))),
        arguments(
            "a checkpoint of an earlier generation",
            List.of(restarted(2), tagsOf(2, "a"), checkpoint(1, 1))),
        arguments("a checkpoint twice", List.of(checkpoint(1, 0), checkpoint(1, 0))),
        arguments("a checkpoint without a token", List.of(tokenOf(0))),
        arguments("a token that is too large", List.of(tokenOf((64 << 10) + 1))),
        arguments("rows that no checkpoint covers", List.of(tags("a"), summary())),
        arguments("an event after the summary", List.of(summary(), progress())));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void brokenPromises(String what, List<ExtractResponse> events) {
    Delivery delivery = once();
    int last = events.size() - 1;
    // All but the last are fine.
    play(delivery, events.subList(0, last));
    List<ExtractResponse> end = events.subList(last, last + 1);
    var broken = assertThrows(BrokenStreamException.class, () -> play(delivery, end), what);
    assertEquals(Status.Code.DATA_LOSS, broken.code());
    assertEquals("", broken.reason());
  }

  @Test
  void takesTheLargestToken() {
    assertEquals(List.of("checkpoint 1"), play(once(), List.of(tokenOf(64 << 10))));
  }
}
