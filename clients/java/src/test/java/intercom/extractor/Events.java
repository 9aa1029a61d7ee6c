package intercom.extractor;

import com.google.protobuf.ByteString;
import intercom.extractor.v1.Checkpoint;
import intercom.extractor.v1.DeletedRecords;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.LivingRecords;
import intercom.extractor.v1.Notice;
import intercom.extractor.v1.Progress;
import intercom.extractor.v1.RowBatch;
import intercom.extractor.v1.Summary;
import intercom.extractor.v1.TableRestarted;
import intercom.extractor.v1.TableRows;
import intercom.extractor.v1.TableStatus;
import intercom.extractor.v1.TableSummary;
import intercom.extractor.v1.Tag;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** What a scripted server says, all of the table tags; and what was handed out, in short. */
final class Events {
  private Events() {}

  static ExtractResponse tags(String... ids) {
    return tagsOf(1, ids);
  }

  static ExtractResponse tagsOf(int generation, String... ids) {
    RowBatch.Builder batch = RowBatch.newBuilder().setTable("tags").setGeneration(generation);
    for (String id : ids) {
      batch.addTags(Tag.newBuilder().setId(id));
    }
    return ExtractResponse.newBuilder().setRowBatch(batch).build();
  }

  static ExtractResponse checkpoint(long number, long rows) {
    return checkpointOf(1, number, rows);
  }

  /** Its token is "t" and its number. */
  static ExtractResponse checkpointOf(int generation, long number, long rows) {
    Checkpoint.Builder checkpoint = withToken(number, ByteString.copyFromUtf8("t" + number));
    if (rows > 0) {
      checkpoint.addRows(
          TableRows.newBuilder().setTable("tags").setRows(rows).setGeneration(generation));
    }
    return ExtractResponse.newBuilder().setCheckpoint(checkpoint).build();
  }

  static Checkpoint.Builder withToken(long number, ByteString token) {
    return Checkpoint.newBuilder().setNumber(number).setResumeToken(token);
  }

  static ExtractResponse restarted(int generation) {
    return ExtractResponse.newBuilder()
        .setTableRestarted(
            TableRestarted.newBuilder()
                .setTable("tags")
                .setGeneration(generation)
                .setReason("scripted"))
        .build();
  }

  static ExtractResponse living(int generation) {
    return ExtractResponse.newBuilder()
        .setLivingRecords(LivingRecords.newBuilder().setTable("tags").setGeneration(generation))
        .build();
  }

  static ExtractResponse deleted() {
    return ExtractResponse.newBuilder()
        .setDeletedRecords(DeletedRecords.getDefaultInstance())
        .build();
  }

  static ExtractResponse progress() {
    return ExtractResponse.newBuilder().setProgress(Progress.getDefaultInstance()).build();
  }

  static ExtractResponse notice() {
    return ExtractResponse.newBuilder().setNotice(Notice.getDefaultInstance()).build();
  }

  static ExtractResponse summary() {
    return ExtractResponse.newBuilder()
        .setSummary(
            Summary.newBuilder()
                .addTables(
                    TableSummary.newBuilder()
                        .setTable("tags")
                        .setStatus(TableStatus.TABLE_STATUS_COMPLETE)))
        .build();
  }

  static List<String> names(Collection<ExtractResponse> events) {
    return events.stream().flatMap(Events::name).toList();
  }

  private static Stream<String> name(ExtractResponse event) {
    return switch (event.getEventCase()) {
      case ROW_BATCH -> event.getRowBatch().getTagsList().stream().map(Tag::getId);
      case CHECKPOINT -> Stream.of("checkpoint " + event.getCheckpoint().getNumber());
      case TABLE_RESTARTED -> Stream.of("restart " + event.getTableRestarted().getGeneration());
      case LIVING_RECORDS -> Stream.of("living");
      case DELETED_RECORDS -> Stream.of("deleted");
      case PROGRESS -> Stream.of("progress");
      case NOTICE -> Stream.of("notice");
      case SUMMARY -> Stream.of("summary");
      case EVENT_NOT_SET -> Stream.of("nothing");
    };
  }
}
