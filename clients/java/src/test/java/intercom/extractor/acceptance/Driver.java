package intercom.extractor.acceptance;

import intercom.extractor.ExtractorClient;
import intercom.extractor.ExtractorException;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.ListTablesResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The acceptance suite's driver: tests/clients/README.md says what it must do. */
final class Driver {
  private final Scenario scenario;
  private final Result result = new Result();

  private Driver(Scenario scenario) {
    this.scenario = scenario;
  }

  /** Carries out the scenario in a JSON file. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    new Driver(Scenario.read(Path.of(arguments[0]))).run();
  }

  private void run() throws IOException, InterruptedException {
    if (scenario.action.equals("decode")) {
      decode();
      writeResult();
      return;
    }
    try (ExtractorClient client = connect()) {
      if (scenario.action.equals("extract")) {
        extract(client);
      } else {
        ask(client);
        writeResult();
      }
    }
  }

  private ExtractorClient connect() throws IOException {
    var client = ExtractorClient.builder(scenario.target);
    if (scenario.connection != null) {
      client.connection(scenario.connection);
    }
    if (scenario.token != null) {
      client.token(scenario.token);
    }
    if (scenario.tls != null) {
      client.trust(Path.of(scenario.tls.ca));
      if (scenario.tls.cert != null) {
        client.clientCertificate(Path.of(scenario.tls.cert), Path.of(scenario.tls.key));
      }
    }
    return client.build();
  }

  /** What one answer ends. */
  private void ask(ExtractorClient client) throws IOException {
    try {
      result.response =
          Result.tree(
              switch (scenario.action) {
                case "tables" ->
                    ListTablesResponse.newBuilder()
                        .addAllTables(client.tables(scenario.request.template()));
                case "check" -> client.check();
                case "plan" -> client.plan(scenario.request.forClient());
                default -> throw new IllegalArgumentException("no action " + scenario.action);
              });
    } catch (ExtractorException failed) {
      result.error = Result.Error.of(failed);
    }
  }

  private void extract(ExtractorClient client) throws IOException, InterruptedException {
    Reader reader = new Reader(scenario, result);
    try (reader) {
      reader.read(client);
    }
    writeResult();
    if (reader.isStopped()) {
      reader.say("stopped");
      System.in.readAllBytes();
    }
  }

  private void decode() throws IOException {
    for (var file : scenario.files) {
      byte[] bytes = Files.readAllBytes(Path.of(file.bytes));
      if (!file.message.equals(ExtractResponse.getDescriptor().getName())) {
        throw new IllegalArgumentException("no message " + file.message);
      }
      Files.writeString(Path.of(file.json), Result.json(ExtractResponse.parseFrom(bytes)));
    }
  }

  private void writeResult() throws IOException {
    result.write(Path.of(scenario.result));
  }
}
