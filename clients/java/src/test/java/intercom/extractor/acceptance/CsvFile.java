package intercom.extractor.acceptance;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import intercom.extractor.v1.ColumnDescription;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** One table's; it begins anew as the table does. */
final class CsvFile implements AutoCloseable {
  private final Path path;
  private final List<ColumnDescription> columns;
  private BufferedWriter writer;

  CsvFile(Path path, List<ColumnDescription> columns) throws IOException {
    this.path = path;
    this.columns = columns;
    begin();
  }

  void restart() throws IOException {
    writer.close();
    begin();
  }

  private void begin() throws IOException {
    writer = Files.newBufferedWriter(path, StandardCharsets.UTF_8);
    writeRecord(ColumnDescription::getName);
  }

  void write(Message row) throws IOException {
    var type = row.getDescriptorForType();
    writeRecord(
        column -> {
          FieldDescriptor field = type.findFieldByNumber(column.getNumber());
          return row.hasField(field) ? written(row.getField(field)) : "";
        });
  }

  private void writeRecord(Function<ColumnDescription, String> field) throws IOException {
    String separator = "";
    for (ColumnDescription column : columns) {
      writer.append(separator).append(field.apply(column));
      separator = ",";
    }
    writer.append('\n');
  }

  private static String written(Object value) {
    if (!(value instanceof String text)) {
      return value.toString();
    }
    boolean isPlain =
        !text.isEmpty() && text.chars().noneMatch(sign -> ",\"\n\r".indexOf(sign) >= 0);
    return isPlain ? text : '"' + text.replace("\"", "\"\"") + '"';
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
