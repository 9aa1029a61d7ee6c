package intercom.extractor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import intercom.extractor.v1.BodyFormat;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.Template;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ExtractionRequestTest {
  private static final Instant SINCE = Instant.parse("2025-01-02T03:04:05.006Z");

  private static ExtractionRequest full() {
    return ExtractionRequest.builder()
        .tables("tags")
        .template(Template.TEMPLATE_BASIC)
        .bodyFormat(BodyFormat.BODY_FORMAT_HTML)
        .updatedSince(SINCE)
        .findDeleted()
        .withParents()
        .resumeToken(new byte[] {'t'})
        .build();
  }

  @Test
  void saysWhatIsAskedFor() {
    assertEquals(
        ExtractRequest.newBuilder()
            .setConnection("other")
            .addTables("tags")
            .setTemplate(Template.TEMPLATE_BASIC)
            .setBodyFormat(BodyFormat.BODY_FORMAT_HTML)
            .setUpdatedSince(Timestamp.newBuilder().setSeconds(SINCE.getEpochSecond()))
            .setFindDeleted(true)
            .setWithParents(true)
            .setResumeToken(ByteString.copyFromUtf8("t"))
            .build(),
        full().forExtract("other"));
  }

  @Test
  void aPlanTakesTheSameFields() {
    var extract = full().forExtract("other");
    var plan = full().forPlan("other");
    // All that it has.
    assertEquals(plan.getDescriptorForType().getFields().size(), plan.getAllFields().size());
    plan.getAllFields()
        .forEach(
            (field, value) ->
                assertEquals(
                    extract.getField(
                        extract.getDescriptorForType().findFieldByName(field.getName())),
                    value,
                    field.getName()));
  }

  @Test
  void asksForAllWhereNothingIsNamed() {
    var all = ExtractionRequest.of().forExtract("");
    assertEquals(Template.TEMPLATE_ALL, all.getTemplate());
    assertFalse(all.hasUpdatedSince());
    var some = ExtractionRequest.of("tags").forExtract("");
    assertEquals(Template.TEMPLATE_UNSPECIFIED, some.getTemplate());
  }
}
