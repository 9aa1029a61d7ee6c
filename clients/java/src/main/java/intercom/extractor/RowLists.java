package intercom.extractor;

import com.google.protobuf.Message;
import intercom.extractor.v1.RowBatch;
import java.util.List;

/** Finds the rows of a batch. */
final class RowLists {
  private RowLists() {}

  /**
   * None for a table that is newer than this package: it was not asked for. A switch because
   * reflection would cost more than the rest of the client.
   */
  static List<? extends Message> of(RowBatch batch) {
    return switch (batch.getTable()) {
      case "users" -> batch.getUsersList();
      case "users_tags" -> batch.getUsersTagsList();
      case "users_segments" -> batch.getUsersSegmentsList();
      case "users_companies" -> batch.getUsersCompaniesList();
      case "users_social_profiles" -> batch.getUsersSocialProfilesList();
      case "notes" -> batch.getNotesList();
      case "events_summary" -> batch.getEventsSummaryList();
      case "leads" -> batch.getLeadsList();
      case "leads_tags" -> batch.getLeadsTagsList();
      case "leads_segments" -> batch.getLeadsSegmentsList();
      case "leads_companies" -> batch.getLeadsCompaniesList();
      case "leads_social_profiles" -> batch.getLeadsSocialProfilesList();
      case "companies" -> batch.getCompaniesList();
      case "admins" -> batch.getAdminsList();
      case "tags" -> batch.getTagsList();
      case "segments" -> batch.getSegmentsList();
      case "conversations" -> batch.getConversationsList();
      case "conversations_attachments" -> batch.getConversationsAttachmentsList();
      case "conversations_customers" -> batch.getConversationsCustomersList();
      case "conversations_tags" -> batch.getConversationsTagsList();
      case "conversation_parts" -> batch.getConversationPartsList();
      case "conversation_parts_attachments" -> batch.getConversationPartsAttachmentsList();
      default -> List.of();
    };
  }
}
