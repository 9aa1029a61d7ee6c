package intercom.extractor;

import intercom.extractor.v1.CheckConnectionRequest;
import intercom.extractor.v1.CheckConnectionResponse;
import intercom.extractor.v1.ExtractorServiceGrpc;
import intercom.extractor.v1.ListTablesRequest;
import intercom.extractor.v1.PlanExtractionResponse;
import intercom.extractor.v1.TableDescription;
import intercom.extractor.v1.Template;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Calls one server, for one of the server's connections to Intercom. It connects when it is first
 * used, and is safe for use by several threads at once. Calls end with gRPC's current {@link
 * io.grpc.Context}, too. A call that fails throws an {@link ExtractorException}.
 */
public final class ExtractorClient implements AutoCloseable {
  private final ManagedChannel connections;
  private final Channel channel;
  private final String connection;
  private final Duration callTimeout;
  private final Timing timing;

  private ExtractorClient(Builder builder, ManagedChannel connections) {
    this.connections = connections;
    channel = ClientInterceptors.intercept(connections, builder.interceptors);
    connection = builder.connection;
    callTimeout = builder.callTimeout;
    timing = builder.timing;
  }

  /**
   * Makes a client with all defaults.
   *
   * @param target the server, {@code HOST:PORT}
   * @return the client
   */
  public static ExtractorClient connect(String target) {
    return builder(target).build();
  }

  /**
   * Makes a client step by step.
   *
   * @param target the server, {@code HOST:PORT}
   * @return a builder
   */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /**
   * Describes the tables of a template with their columns.
   *
   * @param template which; all tables for {@link Template#TEMPLATE_UNSPECIFIED}
   * @return the tables, in the order of their documentation
   */
  public List<TableDescription> tables(Template template) {
    var request = ListTablesRequest.newBuilder().setTemplate(template).build();
    return call(stub -> stub.listTables(request)).getTablesList();
  }

  /**
   * Says whether the connection's access token works, and which tables it may read.
   *
   * @return what Intercom allows
   */
  public CheckConnectionResponse check() {
    var request = CheckConnectionRequest.newBuilder().setConnection(connection).build();
    return call(stub -> stub.checkConnection(request));
  }

  /**
   * Says with how many requests these tables would be read, and how long that takes.
   *
   * @param request what to read
   * @return the plan
   */
  public PlanExtractionResponse plan(ExtractionRequest request) {
    return call(stub -> stub.planExtraction(request.forPlan(connection)));
  }

  /**
   * Reads tables.
   *
   * @param request what to read
   * @return an extraction, which begins when it is read
   */
  public Extraction extract(ExtractionRequest request) {
    return extract(request, ExtractionOptions.builder().build());
  }

  /**
   * Reads tables.
   *
   * @param request what to read
   * @param options how to read it, and whom to tell of what
   * @return an extraction, which begins when it is read
   */
  public Extraction extract(ExtractionRequest request, ExtractionOptions options) {
    return new Extraction(this, request, request.forExtract(connection), options, timing);
  }

  /** Ends the connection, and with it what is still being read. */
  @Override
  public void close() {
    connections.shutdownNow();
  }

  boolean isClosed() {
    return connections.isShutdown();
  }

  /**
   * For a call that begins now. After a failure gRPC would not connect again for up to two minutes,
   * and let calls fail meanwhile.
   */
  Channel channel() {
    if (connections.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      connections.enterIdle();
      settle();
    }
    return channel;
  }

  /**
   * Waits until the connections' state shows what has happened. Their work is queued, another
   * thread may be at it, and calls learn of a failure before the state does: the next call would
   * fail with the last one's reason, without a try.
   */
  private void settle() {
    var settled = new CountDownLatch(1);
    // Both queue up as well. The state differs from one of the two, which then calls back at once.
    connections.notifyWhenStateChanged(ConnectivityState.IDLE, settled::countDown);
    connections.notifyWhenStateChanged(ConnectivityState.CONNECTING, settled::countDown);
    try {
      // Not for ever: a caller's executor may have put this on the very thread that is to do it.
      settled.await(1, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private <R> R call(Function<ExtractorServiceGrpc.ExtractorServiceBlockingStub, R> method) {
    var stub = ExtractorServiceGrpc.newBlockingStub(channel());
    if (callTimeout != null) {
      stub = stub.withDeadlineAfter(callTimeout.toNanos(), TimeUnit.NANOSECONDS);
    }
    try {
      return method.apply(stub);
    } catch (StatusRuntimeException failed) {
      if (failed.getStatus().getCode() == Status.Code.UNAVAILABLE && !connections.isShutdown()) {
        settle();
      }
      throw Failure.of(failed.getStatus(), failed.getTrailers()).toException();
    }
  }

  /** Makes clients. */
  public static final class Builder {
    private final String target;
    private final List<ClientInterceptor> interceptors = new ArrayList<>();
    private String connection = "";
    private Duration callTimeout;
    private TlsChannelCredentials.Builder tls;
    private Timing timing = Timing.REAL;

    private Builder(String target) {
      this.target = target;
    }

    /**
     * One of the server's connections to Intercom, in place of {@code default}.
     *
     * @param name the connection's name
     * @return this
     */
    public Builder connection(String name) {
      connection = name;
      return this;
    }

    /**
     * Shows the server the token that it asks its callers for.
     *
     * @param token one word of printable ASCII characters
     * @return this
     */
    public Builder token(String token) {
      if (!token.matches("[!-~]+")) {
        // Without the token: it would end in logs.
        throw new IllegalArgumentException(
            "the caller token must be one word of printable ASCII characters");
      }
      Metadata headers = new Metadata();
      headers.put(
          Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
      interceptors.add(MetadataUtils.newAttachHeadersInterceptor(headers));
      return this;
    }

    /**
     * Uses TLS also to a server on this machine. To others there is no connection without it.
     *
     * @return this
     */
    public Builder tls() {
      if (tls == null) {
        tls = TlsChannelCredentials.newBuilder();
      }
      return this;
    }

    /**
     * Uses TLS, and trusts these authorities instead of the system's.
     *
     * @param authorities a PEM file of certificates
     * @return this
     * @throws IOException when it cannot be read
     */
    public Builder trust(Path authorities) throws IOException {
      tls();
      tls.trustManager(authorities.toFile());
      return this;
    }

    /**
     * Uses TLS, and shows the server a client certificate.
     *
     * @param certificate a PEM file with the certificate, and those it depends on
     * @param key a PEM file with its private key, of PKCS #8 and not encrypted
     * @return this
     * @throws IOException when they cannot be read
     */
    public Builder clientCertificate(Path certificate, Path key) throws IOException {
      tls();
      tls.keyManager(certificate.toFile(), key.toFile());
      return this;
    }

    /**
     * How long {@code tables}, {@code check} and {@code plan} may take; as long as they need where
     * it is not said. For extractions see {@link ExtractionOptions.Builder#timeout}.
     *
     * @param most how long
     * @return this
     */
    public Builder callTimeout(Duration most) {
      callTimeout = most;
      return this;
    }

    /**
     * Sees all calls.
     *
     * @param interceptor such as one that counts them
     * @return this
     */
    public Builder intercept(ClientInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    Builder timing(Timing timing) {
      this.timing = timing;
      return this;
    }

    /**
     * Makes the client. It does not connect yet.
     *
     * @return the client
     */
    public ExtractorClient build() {
      ChannelCredentials credentials = tls == null ? null : tls.build();
      return build(Channels.open(target, credentials));
    }

    /** With connections of a test. */
    ExtractorClient build(ManagedChannel connections) {
      return new ExtractorClient(this, connections);
    }
  }
}
