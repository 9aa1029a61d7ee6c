package intercom.extractor.benchmarks;

import com.google.protobuf.ByteString;
import intercom.extractor.v1.Checkpoint;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.ExtractorServiceGrpc;
import intercom.extractor.v1.RowBatch;
import intercom.extractor.v1.Summary;
import intercom.extractor.v1.TableRows;
import intercom.extractor.v1.User;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Sends bytes that are messages already: batches of some 256 KiB, a checkpoint after 4,800 rows.
 */
final class Server {
  private static final int BATCH_ROWS = 400;
  private static final int BATCHES_PER_CHECKPOINT = 12;

  private Server() {}

  /** Tells its address on stdout, and ends with its stdin. */
  static void serve(long rows) throws IOException {
    MethodDescriptor<byte[], byte[]> method =
        ExtractorServiceGrpc.getExtractMethod().toBuilder(new Bytes(), new Bytes()).build();
    var service =
        ServerServiceDefinition.builder(
                ServiceDescriptor.newBuilder(ExtractorServiceGrpc.SERVICE_NAME)
                    .addMethod(method)
                    .build())
            .addMethod(method, (call, headers) -> answer(call, rows))
            .build();
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var server = NettyServerBuilder.forAddress(address).addService(service).build().start();
    System.out.println("127.0.0.1:" + server.getPort());
    System.in.readAllBytes();
    server.shutdownNow();
  }

  private static ServerCall.Listener<byte[]> answer(ServerCall<byte[], byte[]> call, long rows) {
    long perCheckpoint = BATCH_ROWS * BATCHES_PER_CHECKPOINT;
    Stream stream = new Stream(call, (rows + perCheckpoint - 1) / perCheckpoint);
    call.sendHeaders(new Metadata());
    call.request(1);
    return new ServerCall.Listener<>() {
      @Override
      public void onHalfClose() {
        stream.send();
      }

      @Override
      public void onReady() {
        stream.send();
      }
    };
  }

  /** As far as one call is. */
  private static final class Stream {
    private static final byte[] BATCH = batch();
    private static final byte[] SUMMARY =
        ExtractResponse.newBuilder().setSummary(Summary.getDefaultInstance()).build().toByteArray();

    private final ServerCall<byte[], byte[]> call;
    private final long intervals;
    private long sent;

    Stream(ServerCall<byte[], byte[]> call, long intervals) {
      this.call = call;
      this.intervals = intervals;
    }

    void send() {
      long each = BATCHES_PER_CHECKPOINT + 1;
      while (call.isReady() && sent <= intervals * each) {
        if (sent == intervals * each) {
          call.sendMessage(SUMMARY);
          call.close(Status.OK, new Metadata());
        } else if (sent % each == BATCHES_PER_CHECKPOINT) {
          call.sendMessage(checkpoint(sent / each + 1));
        } else {
          call.sendMessage(BATCH);
        }
        sent++;
      }
    }
  }

  private static byte[] batch() {
    String attributes =
        IntStream.range(0, 10)
            .mapToObj(number -> "\"attribute_" + number + "\": \"" + "x".repeat(20) + "\"")
            .collect(Collectors.joining(", ", "{", "}"));
    RowBatch.Builder batch = RowBatch.newBuilder().setTable("users").setGeneration(1);
    for (int number = 0; number < BATCH_ROWS; number++) {
      batch.addUsers(
          User.newBuilder()
              .setType("user")
              .setId(String.format("5ba682d23d7cf92bef87%04d", number))
              .setCreatedAt(1_538_097_800L + number)
              .setUpdatedAt(1_638_097_800L + number)
              .setEmail("somebody." + number + "@example.com")
              .setPhone("+1 555 0100")
              .setUserId(Integer.toString(number))
              .setUnsubscribedFromEmails(false)
              .setName("Somebody With A Name")
              .setLocationDataCityName("Dublin")
              .setLocationDataCountryName("Ireland")
              .setLocationDataLatitude(53.159233)
              .setCustomAttributes(attributes));
    }
    return ExtractResponse.newBuilder().setRowBatch(batch).build().toByteArray();
  }

  private static byte[] checkpoint(long number) {
    return ExtractResponse.newBuilder()
        .setCheckpoint(
            Checkpoint.newBuilder()
                .setNumber(number)
                .setResumeToken(ByteString.copyFrom(new byte[200]))
                .addRows(
                    TableRows.newBuilder()
                        .setTable("users")
                        .setRows((long) BATCH_ROWS * BATCHES_PER_CHECKPOINT)
                        .setGeneration(1)))
        .build()
        .toByteArray();
  }

  /** Messages are bytes already. */
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new Known(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException failed) {
        throw Status.INTERNAL.withCause(failed).asRuntimeException();
      }
    }
  }

  private static final class Known extends ByteArrayInputStream implements KnownLength {
    Known(byte[] bytes) {
      super(bytes);
    }
  }
}
