package intercom.extractor;

import static intercom.extractor.Events.checkpoint;
import static intercom.extractor.Events.progress;
import static intercom.extractor.Events.summary;
import static intercom.extractor.Events.tags;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import intercom.extractor.ScriptedServer.Call;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Over sockets of this machine. */
@Timeout(30)
class ConnectionTest {
  static Server listen(int port, ScriptedServer script) throws IOException {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    return NettyServerBuilder.forAddress(address)
        .addService(script)
        .maxInboundMessageSize(Channels.LARGEST_MESSAGE)
        .build()
        .start();
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Often, as it is two threads' race whether the channel has seen the last failure. */
  @RepeatedTest(20)
  void aServerThatComesBackIsFoundAtOnce() throws IOException {
    int port = freePort();
    try (var script = new ScriptedServer();
        var client =
            ExtractorClient.builder("127.0.0.1:" + port)
                .callTimeout(Duration.ofSeconds(20))
                .build()) {
      // By itself gRPC would try again after one second, then two, then three.
      for (int failures = 0; failures < 8; failures++) {
        assertThrows(UnavailableException.class, client::check);
      }
      Server server = listen(port, script);
      try {
        client.check();
      } finally {
        server.shutdownNow();
      }
    }
  }

  @Test
  void aLostConnectionIsMadeAgain() throws Exception {
    Call first = Call.of(progress(), tags("a"), checkpoint(1, 1), tags("b")).holding();
    Call second = Call.of(tags("b"), checkpoint(2, 1), summary());
    try (var script = new ScriptedServer(first, second)) {
      Server server = listen(0, script);
      int port = server.getPort();
      Server[] again = new Server[1];
      try (var client = ExtractorClient.connect("localhost:" + port)) {
        var options =
            ExtractionOptions.builder()
                .onReconnect(
                    (lost, pause) -> {
                      try {
                        again[0] = listen(port, script);
                      } catch (IOException failed) {
                        throw new AssertionError(failed);
                      }
                    })
                .build();
        Extraction extraction = client.extract(ExtractionRequest.of("tags"), options);
        StringBuilder ids = new StringBuilder();
        extraction.stream(intercom.extractor.v1.Tag.class)
            .forEach(
                tag -> {
                  ids.append(tag.getId());
                  server.shutdownNow();
                });
        assertEquals("ab", ids.toString());
        assertEquals(1, extraction.reconnects());
      } finally {
        server.shutdownNow();
        if (again[0] != null) {
          again[0].shutdownNow();
        }
      }
    }
  }

  @Test
  void aRowMayBeLarge() throws IOException {
    String large = "x".repeat(20 << 20);
    try (var script = new ScriptedServer(Call.of(tags(large), checkpoint(1, 1), summary()));
        var stop = stopping(listen(0, script));
        var client = ExtractorClient.connect("127.0.0.1:" + stop.server().getPort())) {
      var rows =
          client.extract(ExtractionRequest.of("tags")).stream(intercom.extractor.v1.Tag.class);
      assertEquals(large, rows.findFirst().orElseThrow().getId());
    }
  }

  /** A server that ends with a block. */
  record Stopping(Server server) implements AutoCloseable {
    @Override
    public void close() {
      server.shutdownNow();
    }
  }

  static Stopping stopping(Server server) {
    return new Stopping(server);
  }
}
