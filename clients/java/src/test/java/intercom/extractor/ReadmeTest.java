package intercom.extractor;

import static intercom.extractor.Events.checkpoint;
import static intercom.extractor.Events.summary;
import static intercom.extractor.Events.tags;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import intercom.extractor.ScriptedServer.Call;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goes the way of a newcomer, with the commands and programs of the README. */
class ReadmeTest {
  /** Maven runs tests in the folder of the pom. */
  private static final Path CLIENT = Path.of("").toAbsolutePath();

  private static String readme;

  @BeforeAll
  static void read() throws IOException {
    readme = Files.readString(CLIENT.resolve("README.md"));
  }

  /** Those of that language. */
  private static List<String> blocks(String language) {
    List<String> found = new ArrayList<>();
    // Closing fences open nothing: each block is taken whole.
    Matcher block = Pattern.compile("(?ms)^```([a-z]*)\n(.*?)^```$").matcher(readme);
    while (block.find()) {
      if (block.group(1).equals(language)) {
        found.add(block.group(2));
      }
    }
    return found;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path copied = to.resolve(from.relativize(file));
        if (Files.isDirectory(file)) {
          Files.createDirectories(copied);
        } else {
          Files.copy(file, copied);
        }
      }
    }
  }

  private static String run(Path folder, String command) throws Exception {
    Path said = folder.resolve("said");
    Process process =
        new ProcessBuilder("bash", "-euo", "pipefail", "-c", command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    int status = process.waitFor();
    String text = Files.readString(said);
    assertEquals(0, status, command + "\n" + text);
    return text;
  }

  @Test
  void itsProgramsRunAsItSays(@TempDir Path checkout) throws Exception {
    Files.createDirectories(checkout.resolve("clients"));
    copy(CLIENT, checkout.resolve("clients/java"));
    copy(CLIENT.resolve("../../proto"), checkout.resolve("proto"));
    List<String> programs = blocks("java");
    assertEquals(2, programs.size());
    String[] commands = blocks("").get(0).split("\n");
    assertEquals(2, commands.length);

    run(checkout, commands[0]);
    Call rows = Call.of(tags("a", "b"), checkpoint(1, 2), summary());
    try (var script = new ScriptedServer(rows, rows, rows);
        var stop = ConnectionTest.stopping(ConnectionTest.listen(0, script))) {
      String address = "localhost:" + stop.server().getPort();
      for (String program : programs) {
        Files.writeString(
            checkout.resolve("Rows.java"), program.replace("localhost:50051", address));
        String said = run(checkout, commands[1]);
        List<String> wanted =
            program.equals(programs.get(0))
                ? List.of("tags id: \"a\"", "tags id: \"b\"")
                : List.of(
                    "0 requests", "1 tables, 0 reconnects", "tags TABLE_STATUS_COMPLETE 0", "tag ");
        List<String> lines = said.lines().toList();
        assertTrue(lines.containsAll(wanted), said);
      }
      // As the first program asks for it.
      assertEquals(List.of("users", "conversations"), script.requests.get(0).getTablesList());
      assertEquals("t1", script.requests.get(2).getResumeToken().toStringUtf8());
    }
  }

  @Test
  void namesTheArtifactThatIsBuilt() throws IOException {
    String pom = Files.readString(CLIENT.resolve("pom.xml"));
    String dependency = blocks("xml").get(0);
    List<String> names =
        dependency.lines().map(String::strip).filter(line -> line.contains("</")).toList();
    assertEquals(4, names.size());
    for (String name : names.subList(0, 3)) {
      assertTrue(pom.contains("\n  " + name + "\n"), name);
    }
  }
}
