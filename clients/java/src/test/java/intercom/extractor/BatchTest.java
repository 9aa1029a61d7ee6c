package intercom.extractor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import intercom.extractor.v1.Annotations;
import intercom.extractor.v1.RowBatch;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BatchTest {
  static List<FieldDescriptor> tables() {
    return RowBatch.getDescriptor().getFields().stream()
        .filter(
            field ->
                field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                    && field.getMessageType().getOptions().hasExtension(Annotations.table))
        .toList();
  }

  @Test
  void thereAreAllTables() {
    assertEquals(22, tables().size());
  }

  @ParameterizedTest
  @MethodSource("tables")
  void hasTheRowsOfItsTable(FieldDescriptor table) {
    RowBatch.Builder message = RowBatch.newBuilder().setTable(table.getName());
    Message row = message.newBuilderForField(table).build();
    message.addRepeatedField(table, row).addRepeatedField(table, row);
    Batch batch = new Batch(message.build());
    assertEquals(table.getName(), batch.table());
    assertEquals(2, batch.rows().size());
    assertSame(row.getClass(), batch.rows().get(0).getClass());
  }

  @Test
  void aTableThatNobodyKnowsHasNoRows() {
    assertEquals(List.of(), new Batch(RowBatch.newBuilder().setTable("newer").build()).rows());
  }

  @Test
  void saysWhenItIsFrom() {
    Timestamp time = Timestamp.newBuilder().setSeconds(1).setNanos(2).build();
    Batch batch = new Batch(RowBatch.newBuilder().setExtractedAt(time).build());
    assertEquals(Instant.ofEpochSecond(1, 2), batch.extractedAt());
  }
}
