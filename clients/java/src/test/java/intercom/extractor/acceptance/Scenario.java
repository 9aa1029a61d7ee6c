package intercom.extractor.acceptance;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import intercom.extractor.ExtractionRequest;
import intercom.extractor.v1.Template;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** What tests/clients/README.md says of a scenario; null where a key does not apply. */
final class Scenario {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .create();

  String action;
  String result;
  String target;
  Tls tls;
  String token;
  String connection;
  Request request;
  String delivery;
  String output;
  Double deadlineSeconds;
  Long stopAfterRows;
  Long stopAfterCheckpoints;
  Pause pause;
  List<GoldenFile> files;

  static final class Tls {
    String ca;
    String cert;
    String key;
  }

  static final class Pause {
    long afterRows;
    double seconds;
  }

  static final class GoldenFile {
    String message;
    String bytes;
    String json;
  }

  static final class Request {
    private static final Map<String, Template> TEMPLATES =
        Map.of(
            "basic", Template.TEMPLATE_BASIC,
            "conversations", Template.TEMPLATE_CONVERSATIONS,
            "all", Template.TEMPLATE_ALL);

    String template;
    List<String> tables;
    Long updatedSince;
    boolean findDeleted;
    String resumeToken;

    Template template() {
      return template == null ? Template.TEMPLATE_UNSPECIFIED : TEMPLATES.get(template);
    }

    ExtractionRequest forClient() {
      var made =
          ExtractionRequest.builder().template(template()).tables(tables.toArray(String[]::new));
      if (updatedSince != null) {
        made.updatedSince(Instant.ofEpochSecond(updatedSince));
      }
      if (findDeleted) {
        made.findDeleted();
      }
      if (resumeToken != null) {
        made.resumeToken(Base64.getDecoder().decode(resumeToken));
      }
      return made.build();
    }
  }

  static Scenario read(Path path) throws IOException {
    return GSON.fromJson(Files.readString(path), Scenario.class);
  }
}
