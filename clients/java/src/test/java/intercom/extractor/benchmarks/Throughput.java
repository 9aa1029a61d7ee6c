package intercom.extractor.benchmarks;

import com.google.gson.GsonBuilder;
import com.sun.management.OperatingSystemMXBean;
import intercom.extractor.Batch;
import intercom.extractor.ExtractionOptions;
import intercom.extractor.ExtractionRequest;
import intercom.extractor.ExtractorClient;
import intercom.extractor.Row;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.ExtractorServiceGrpc;
import intercom.extractor.v1.User;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * How fast the client hands out rows, beside a bare loop over the stub that touches the same.
 *
 * <p>Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows, and
 * {@code ratio}, the median of its rows/s beside those of the bare loop of the same round. A server
 * in a process of its own sends the same batches again and again, so that the client is what is
 * measured.
 */
final class Throughput {
  /** Reads a whole stream and says how many rows it saw. */
  private interface Way {
    long read(String address) throws Exception;
  }

  private static final String BARE = "bare stub";
  private static final Map<String, Way> WAYS = new LinkedHashMap<>();

  static {
    WAYS.put(BARE, Throughput::bare);
    WAYS.put("rows", address -> rows(address, ExtractionOptions.builder().build()));
    WAYS.put(
        "rows, at least once",
        address -> rows(address, ExtractionOptions.builder().atLeastOnce().build()));
    WAYS.put("batches", Throughput::batches);
    WAYS.put("batches, published", Throughput::published);
  }

  /** The compiler is busy with these, which do not count. */
  private static final int FIRST_ROUNDS = 3;

  private Throughput() {}

  /** Arguments: {@code [--rows N] [--rounds N]}. */
  public static void main(String[] arguments) throws Exception {
    List<String> options = List.of(arguments);
    if (options.contains("--serve")) {
      Server.serve(Long.parseLong(valueOf("--serve", options, "")));
    } else if (options.contains("--way")) {
      answer(WAYS.get(valueOf("--way", options, "")));
    } else {
      String rows = valueOf("--rows", options, "600000");
      int rounds = Integer.parseInt(valueOf("--rounds", options, "9"));
      var json = new GsonBuilder().setPrettyPrinting().create();
      System.out.println(json.toJson(measure(rows, rounds)));
    }
  }

  private static String valueOf(String option, List<String> options, String otherwise) {
    int index = options.indexOf(option);
    return index < 0 ? otherwise : options.get(index + 1);
  }

  private static long bare(String address) {
    ManagedChannel channel =
        ManagedChannelBuilder.forTarget(address)
            .usePlaintext()
            .maxInboundMessageSize(64 << 20)
            .build();
    Iterator<ExtractResponse> responses =
        ExtractorServiceGrpc.newBlockingStub(channel).extract(ExtractRequest.getDefaultInstance());
    long rows = 0;
    while (responses.hasNext()) {
      for (User user : responses.next().getRowBatch().getUsersList()) {
        rows += user.getId().isEmpty() ? 0 : 1;
      }
    }
    channel.shutdownNow();
    return rows;
  }

  private static long rows(String address, ExtractionOptions options) {
    long rows = 0;
    try (var client = ExtractorClient.connect(address);
        var extraction = client.extract(ExtractionRequest.of(), options)) {
      for (Row row : extraction) {
        rows += ((User) row.message()).getId().isEmpty() ? 0 : 1;
      }
    }
    return rows;
  }

  private static long rowsOf(Batch batch) {
    long rows = 0;
    for (User user : batch.message().getUsersList()) {
      rows += user.getId().isEmpty() ? 0 : 1;
    }
    return rows;
  }

  private static long batches(String address) {
    long rows = 0;
    try (var client = ExtractorClient.connect(address);
        var extraction = client.extract(ExtractionRequest.of())) {
      for (Batch batch : extraction.batches()) {
        rows += rowsOf(batch);
      }
    }
    return rows;
  }

  private static long published(String address) throws Exception {
    try (var client = ExtractorClient.connect(address);
        var extraction = client.extract(ExtractionRequest.of())) {
      Counter counter = new Counter();
      extraction.batchPublisher().subscribe(counter);
      return counter.counted.get();
    }
  }

  private static final class Counter implements Flow.Subscriber<Batch> {
    final CompletableFuture<Long> counted = new CompletableFuture<>();
    private long rows;

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(Batch batch) {
      rows += rowsOf(batch);
    }

    @Override
    public void onError(Throwable failed) {
      counted.completeExceptionally(failed);
    }

    @Override
    public void onComplete() {
      counted.complete(rows);
    }
  }

  private record Sample(double rowsPerSecond, double cpuSecondsPerMillionRows) {}

  /** Reads once for each address on stdin, and says what that took. */
  private static void answer(Way way) throws Exception {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String address;
    while ((address = input.readLine()) != null) {
      long start = System.nanoTime();
      long cpu = system.getProcessCpuTime();
      long rows = way.read(address);
      double cpuMicros = (system.getProcessCpuTime() - cpu) / 1e3;
      double seconds = (System.nanoTime() - start) / 1e9;
      System.out.println(rows / seconds + " " + cpuMicros / rows);
    }
  }

  /** This program again, with other arguments; ends with its stdin. */
  private static final class Child implements AutoCloseable {
    private final Process process;
    private final PrintWriter input;
    private final BufferedReader output;

    Child(String... arguments) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(ProcessHandle.current().info().command().orElse("java"));
      command.add("-cp");
      command.add(System.getProperty("java.class.path"));
      command.add(Throughput.class.getName());
      command.addAll(List.of(arguments));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      input = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
      output = process.inputReader(StandardCharsets.UTF_8);
    }

    String readLine() throws IOException {
      String line = output.readLine();
      if (line == null) {
        throw new IOException("a process of the benchmark has failed");
      }
      return line;
    }

    Sample sample(String address) throws IOException {
      input.println(address);
      String[] figures = readLine().split(" ");
      return new Sample(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
    }

    @Override
    public void close() {
      input.close();
      process.onExit().join();
    }
  }

  private record Figures(long rows_per_second, double cpu_seconds_per_million_rows, double ratio) {}

  private static Map<String, Figures> measure(String rows, int rounds) throws IOException {
    Map<String, Child> readers = new LinkedHashMap<>();
    Map<String, List<Sample>> samples = new LinkedHashMap<>();
    try (Child server = new Child("--serve", rows)) {
      String address = server.readLine();
      // In processes of their own: what the compiler has learnt of one way would slow the others.
      for (String way : WAYS.keySet()) {
        readers.put(way, new Child("--way", way));
        samples.put(way, new ArrayList<>());
      }
      // In turn, so that a busy moment of the machine is everybody's.
      for (int round = -FIRST_ROUNDS; round < rounds; round++) {
        for (String way : WAYS.keySet()) {
          Sample sample = readers.get(way).sample(address);
          if (round >= 0) {
            samples.get(way).add(sample);
          }
        }
      }
      readers.values().forEach(Child::close);
    }
    Map<String, Figures> figures = new LinkedHashMap<>();
    samples.forEach((way, taken) -> figures.put(way, figures(taken, samples.get(BARE))));
    return figures;
  }

  private static Figures figures(List<Sample> samples, List<Sample> bare) {
    List<Double> ratios = new ArrayList<>();
    for (int round = 0; round < samples.size(); round++) {
      ratios.add(samples.get(round).rowsPerSecond() / bare.get(round).rowsPerSecond());
    }
    return new Figures(
        Math.round(median(samples.stream().map(Sample::rowsPerSecond).toList())),
        rounded(median(samples.stream().map(Sample::cpuSecondsPerMillionRows).toList()), 100),
        rounded(median(ratios), 1000));
  }

  private static double rounded(double number, double parts) {
    return Math.rint(number * parts) / parts;
  }

  private static double median(List<Double> numbers) {
    List<Double> sorted = numbers.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
