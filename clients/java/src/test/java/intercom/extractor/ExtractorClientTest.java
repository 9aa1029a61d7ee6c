package intercom.extractor;

import static intercom.extractor.Events.summary;
import static intercom.extractor.ScriptedServer.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.RetryInfo;
import intercom.extractor.ScriptedServer.Call;
import intercom.extractor.v1.Template;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class ExtractorClientTest {
  @Test
  void asksForItsConnection() throws IOException {
    try (var server = new ScriptedServer(Call.of(summary()))) {
      ExtractorClient client =
          server.client(ExtractorClient.builder("not asked for").connection("other"));
      assertEquals("other", client.check().getApiVersion());
      assertFalse(client.plan(ExtractionRequest.of()).hasPlan());
      assertFalse(client.extract(ExtractionRequest.of()).iterator().hasNext());
      assertEquals("other", server.requests.get(0).getConnection());
      assertEquals(Template.TEMPLATE_ALL, server.requests.get(0).getTemplate());
    }
  }

  @Test
  void anExtractionDescribesItsTables() throws IOException {
    try (var server = new ScriptedServer()) {
      Map<ExtractionRequest, List<String>> wanted =
          Map.of(
              ExtractionRequest.of(), List.of("users", "tags", "conversations"),
              ExtractionRequest.of("tags"), List.of("tags"),
              ExtractionRequest.of(Template.TEMPLATE_CONVERSATIONS), List.of("conversations"),
              ExtractionRequest.builder()
                      .template(Template.TEMPLATE_BASIC)
                      .tables("conversations")
                      .build(),
                  List.of("users", "tags", "conversations"));
      wanted.forEach(
          (request, names) ->
              assertEquals(
                  names,
                  server.client().extract(request).tables().stream()
                      .map(table -> table.getTable().getName())
                      .toList()));
    }
  }

  @Test
  void showsTheCallerToken() throws IOException {
    try (var server = new ScriptedServer(Call.of(summary()))) {
      ExtractorClient client =
          server.client(ExtractorClient.builder("not asked for").token("opensesame"));
      client.extract(ExtractionRequest.of()).forEach(row -> {});
      client.check();
      server.client().check();
      assertEquals(List.of("Bearer opensesame", "Bearer opensesame", ""), server.tokens);
    }
  }

  @Test
  void refusesATokenThatIsNoneWithoutSayingIt() {
    var refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> ExtractorClient.builder("localhost:1").token("open sesame"));
    assertFalse(refused.getMessage().contains("sesame"));
  }

  @Test
  void errorsSayWhatTheServerSaid() throws IOException {
    try (var server = new ScriptedServer()) {
      var delay = com.google.protobuf.Duration.newBuilder().setSeconds(1).setNanos(500_000_000);
      server.unary =
          failure(
              Status.Code.RESOURCE_EXHAUSTED,
              "RATE_LIMITED",
              RetryInfo.newBuilder().setRetryDelay(delay).build());
      var failed = assertThrows(ResourceExhaustedException.class, () -> server.client().check());
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, failed.code());
      assertEquals("RATE_LIMITED", failed.reason());
      assertEquals(Map.of("connection", "default"), failed.metadata());
      assertEquals(Optional.of(Duration.ofMillis(1500)), failed.retryDelay());
      assertEquals("RATE_LIMITED: scripted", failed.getMessage());
      assertInstanceOf(StatusRuntimeException.class, failed.getCause());
    }
  }

  @Test
  void errorsOfGrpcItselfHaveNoReason() throws IOException {
    try (var server = new ScriptedServer()) {
      server.unary = Status.UNAUTHENTICATED.withDescription("who are you").asRuntimeException();
      var failed = assertThrows(UnauthenticatedException.class, () -> server.client().check());
      assertEquals("", failed.reason());
      assertEquals(Map.of(), failed.metadata());
      assertEquals(Optional.empty(), failed.retryDelay());
      assertEquals("UNAUTHENTICATED: who are you", failed.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "INVALID_ARGUMENT, BAD_REQUEST, InvalidRequestException",
    "NOT_FOUND, CONNECTION_UNKNOWN, ConnectionUnknownException",
    "UNAUTHENTICATED, TOKEN_INVALID, UnauthenticatedException",
    "PERMISSION_DENIED, SCOPE_MISSING, PermissionDeniedException",
    "RESOURCE_EXHAUSTED, RATE_LIMITED, ResourceExhaustedException",
    "UNAVAILABLE, INTERCOM_UNREACHABLE, UnavailableException",
    "DATA_LOSS, ANSWER_MALFORMED, BrokenStreamException",
    "DEADLINE_EXCEEDED, '', DeadlineExceededException",
    "CANCELLED, '', CancelledException",
    "FAILED_PRECONDITION, RESUME_TOKEN_EXPIRED, ResumeTokenException",
    "FAILED_PRECONDITION, INTERCOM_UNREACHABLE, ExtractorException",
    "INTERNAL, '', ExtractorException",
  })
  void eachKindOfErrorHasItsType(Status.Code code, String reason, String type) throws IOException {
    try (var server = new ScriptedServer()) {
      server.unary = failure(code, reason);
      var failed = assertThrows(ExtractorException.class, () -> server.client().check());
      assertEquals(type, failed.getClass().getSimpleName());
    }
  }

  @Test
  void errorsCanBeStored() throws Exception {
    var failed =
        new Failure(
                Status.Code.UNAVAILABLE,
                "INTERCOM_FAILING",
                "gone",
                Map.of("connection", "default"),
                Duration.ofSeconds(30),
                null)
            .toException();
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(failed);
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      var read = (UnavailableException) in.readObject();
      assertEquals(failed.metadata(), read.metadata());
      assertEquals(failed.retryDelay(), read.retryDelay());
    }
  }

  @Test
  void callsEndWithTheirTimeoutOrContext() throws IOException {
    try (var server = new ScriptedServer()) {
      ExtractorClient hasty =
          server.client(ExtractorClient.builder("not asked for").callTimeout(Duration.ofNanos(1)));
      assertThrows(DeadlineExceededException.class, hasty::check);
      try (var context = Context.current().withCancellation()) {
        context.cancel(null);
        context.run(() -> assertThrows(CancelledException.class, () -> server.client().check()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:50051",
        "localhost",
        "127.0.0.1:1",
        "127.8.9.1:1",
        "[::1]:1",
        "::1",
        "[0:0:0:0:0:0:0:1]:1"
      })
  void addressesOfThisMachineGoWithoutTls(String target) {
    assertTrue(Channels.isLocal(target));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.com:50051",
        "10.0.0.1:50051",
        "localhost.example.com:1",
        "0.0.0.0:1",
        "127.0.0.1.example.com:1",
        "127.example.com:1",
        "[fe80::1]:1",
        "[::2]:1",
        "::11",
        "dns:///localhost:1",
        ""
      })
  void othersDoNot(String target) {
    assertFalse(Channels.isLocal(target));
  }

  @Test
  void certificatesThatAreNotThereAreSaidAtOnce() {
    var builder = ExtractorClient.builder("localhost:1");
    Path nothing = Path.of("not there");
    assertThrows(IOException.class, () -> builder.trust(nothing));
    assertThrows(IOException.class, () -> builder.clientCertificate(nothing, nothing));
  }
}
