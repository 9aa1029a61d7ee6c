package intercom.extractor;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import intercom.extractor.v1.BodyFormat;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.PlanExtractionRequest;
import intercom.extractor.v1.Table;
import intercom.extractor.v1.Template;
import java.time.Instant;
import java.util.List;

/** What to read. All tables where neither a template nor tables are named. Immutable. */
public final class ExtractionRequest {
  private final ExtractRequest message;

  private ExtractionRequest(ExtractRequest message) {
    this.message = message;
  }

  /**
   * Asks for single tables.
   *
   * @param names of the tables, such as {@code users}; all tables when there is none
   * @return the request
   */
  public static ExtractionRequest of(String... names) {
    return builder().tables(names).build();
  }

  /**
   * Asks for a set of tables.
   *
   * @param template which
   * @return the request
   */
  public static ExtractionRequest of(Template template) {
    return builder().template(template).build();
  }

  /**
   * Makes a request step by step.
   *
   * @return a builder of a request for all tables
   */
  public static Builder builder() {
    return new Builder(ExtractRequest.newBuilder());
  }

  /**
   * Makes a request that differs a little from this one.
   *
   * @return a builder that asks for the same
   */
  public Builder toBuilder() {
    return new Builder(message.toBuilder());
  }

  ExtractRequest forExtract(String connection) {
    return message.toBuilder().setConnection(connection).setTemplate(template()).build();
  }

  PlanExtractionRequest forPlan(String connection) {
    var plan =
        PlanExtractionRequest.newBuilder()
            .setConnection(connection)
            .setTemplate(template())
            .addAllTables(message.getTablesList())
            .setBodyFormat(message.getBodyFormat())
            .setFindDeleted(message.getFindDeleted());
    if (message.hasUpdatedSince()) {
      plan.setUpdatedSince(message.getUpdatedSince());
    }
    return plan.build();
  }

  boolean asksFor(Table table) {
    Template template = template();
    return template == Template.TEMPLATE_ALL
        || (template != Template.TEMPLATE_UNSPECIFIED && template == table.getTemplate())
        || message.getTablesList().contains(table.getName());
  }

  ByteString resumeToken() {
    return message.getResumeToken();
  }

  private Template template() {
    Template template = message.getTemplate();
    return template == Template.TEMPLATE_UNSPECIFIED && message.getTablesCount() == 0
        ? Template.TEMPLATE_ALL
        : template;
  }

  /** Makes requests. */
  public static final class Builder {
    private final ExtractRequest.Builder message;

    private Builder(ExtractRequest.Builder message) {
      this.message = message;
    }

    /**
     * Single tables, in addition to the template's.
     *
     * @param names of the tables, in place of those named before
     * @return this
     */
    public Builder tables(String... names) {
      message.clearTables().addAllTables(List.of(names));
      return this;
    }

    /**
     * A set of tables.
     *
     * @param template which
     * @return this
     */
    public Builder template(Template template) {
      message.setTemplate(template);
      return this;
    }

    /**
     * How bodies of conversations are written; plain text where it is not said.
     *
     * @param format the format
     * @return this
     */
    public Builder bodyFormat(BodyFormat format) {
      message.setBodyFormat(format);
      return this;
    }

    /**
     * Only what changed then or later.
     *
     * @param time to the second; it must not lie in the future
     * @return this
     */
    public Builder updatedSince(Instant time) {
      message.setUpdatedSince(Timestamp.newBuilder().setSeconds(time.getEpochSecond()));
      return this;
    }

    /**
     * Also what was deleted since {@link #updatedSince}; {@link Extraction#events()} tells it.
     *
     * @return this
     */
    public Builder findDeleted() {
      message.setFindDeleted(true);
      return this;
    }

    /**
     * Also how many rows each contact and conversation has in the tables below it: the parents of
     * {@link Batch#message()}. A plan takes no notice of it.
     *
     * @return this
     */
    public Builder withParents() {
      message.setWithParents(true);
      return this;
    }

    /**
     * Goes on where an earlier extraction, of the same request otherwise, had this checkpoint. A
     * plan takes no notice of it.
     *
     * @param token of {@link Extraction#lastCheckpoint()}, or of a checkpoint among its events;
     *     empty: from the beginning
     * @return this
     */
    public Builder resumeToken(ByteString token) {
      message.setResumeToken(token);
      return this;
    }

    /**
     * As {@link #resumeToken(ByteString)}, of a token that was stored as bytes.
     *
     * @param token the bytes
     * @return this
     */
    public Builder resumeToken(byte[] token) {
      return resumeToken(ByteString.copyFrom(token));
    }

    /**
     * Makes the request.
     *
     * @return the request
     */
    public ExtractionRequest build() {
      return new ExtractionRequest(message.build());
    }
  }
}
