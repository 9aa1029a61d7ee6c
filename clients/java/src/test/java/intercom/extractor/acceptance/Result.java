package intercom.extractor.acceptance;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import intercom.extractor.ExtractorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What tests/clients/README.md says of a result. */
final class Result {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .serializeNulls()
          .create();
  private static final JsonFormat.Printer JSON =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

  JsonElement response;
  final Map<String, Long> rows = new TreeMap<>();
  long checkpoints;
  String resumeToken;
  int reconnects;
  final List<Map<String, Object>> restarts = new ArrayList<>();
  final List<Map<String, Object>> notices = new ArrayList<>();
  long progress;
  JsonElement summary;
  Error error;

  record Error(
      String type,
      String code,
      String reason,
      Map<String, String> metadata,
      Double retryDelaySeconds,
      String message) {
    static Error of(ExtractorException failed) {
      return new Error(
          failed.getClass().getSimpleName(),
          failed.code().name(),
          failed.reason(),
          failed.metadata(),
          failed.retryDelay().map(delay -> delay.toMillis() / 1e3).orElse(null),
          failed.getMessage());
    }
  }

  static String json(MessageOrBuilder message) throws InvalidProtocolBufferException {
    return JSON.print(message);
  }

  static JsonElement tree(MessageOrBuilder message) throws InvalidProtocolBufferException {
    return JsonParser.parseString(json(message));
  }

  void write(Path path) throws IOException {
    Path unfinished = path.resolveSibling(path.getFileName() + ".unfinished");
    Files.writeString(unfinished, GSON.toJson(this));
    Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
  }
}
