package extractor

import (
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	pb "intercom-extractor/clients/go/extractorpb"
)

// Row is one row of a table.
type Row struct {
	// Table is its name, such as "conversation_parts".
	Table string
	// Message is the table's own message, such as *extractorpb.ConversationPart. Columns that
	// are null are nil pointers.
	Message proto.Message
}

// Batch is rows of one table that left the server together, at most 1 MiB. The typed rows are in
// the field of that table, such as Users.
type Batch struct {
	*pb.RowBatch
}

// Len is how many rows it has.
func (b Batch) Len() int { return rowsOf(b.RowBatch).len() }

// Rows goes through the rows without their type.
func (b Batch) Rows() iter.Seq[proto.Message] {
	return func(yield func(proto.Message) bool) { rowsOf(b.RowBatch).each(yield) }
}

// ExtractedTime is when the oldest answer of Intercom that these rows are from arrived at the
// server.
func (b Batch) ExtractedTime() time.Time { return b.GetExtractedAt().AsTime() }

type rowList interface {
	len() int
	// each ends early, with false, when yield says so.
	each(yield func(proto.Message) bool) bool
}

type list[M proto.Message] []M

func (l list[M]) len() int { return len(l) }

func (l list[M]) each(yield func(proto.Message) bool) bool {
	for _, row := range l {
		if !yield(row) {
			return false
		}
	}
	return true
}

// rowsOf gives none for a table that is newer than this package: it was not asked for. A switch
// because reflection would cost more than the rest of the client.
func rowsOf(batch *pb.RowBatch) rowList {
	switch batch.GetTable() {
	case "users":
		return list[*pb.User](batch.GetUsers())
	case "users_tags":
		return list[*pb.UserTag](batch.GetUsersTags())
	case "users_segments":
		return list[*pb.UserSegment](batch.GetUsersSegments())
	case "users_companies":
		return list[*pb.UserCompany](batch.GetUsersCompanies())
	case "users_social_profiles":
		return list[*pb.UserSocialProfile](batch.GetUsersSocialProfiles())
	case "notes":
		return list[*pb.Note](batch.GetNotes())
	case "events_summary":
		return list[*pb.EventSummary](batch.GetEventsSummary())
	case "leads":
		return list[*pb.Lead](batch.GetLeads())
	case "leads_tags":
		return list[*pb.LeadTag](batch.GetLeadsTags())
	case "leads_segments":
		return list[*pb.LeadSegment](batch.GetLeadsSegments())
	case "leads_companies":
		return list[*pb.LeadCompany](batch.GetLeadsCompanies())
	case "leads_social_profiles":
		return list[*pb.LeadSocialProfile](batch.GetLeadsSocialProfiles())
	case "companies":
		return list[*pb.Company](batch.GetCompanies())
	case "admins":
		return list[*pb.Admin](batch.GetAdmins())
	case "tags":
		return list[*pb.Tag](batch.GetTags())
	case "segments":
		return list[*pb.Segment](batch.GetSegments())
	case "conversations":
		return list[*pb.Conversation](batch.GetConversations())
	case "conversations_attachments":
		return list[*pb.ConversationAttachment](batch.GetConversationsAttachments())
	case "conversations_customers":
		return list[*pb.ConversationCustomer](batch.GetConversationsCustomers())
	case "conversations_tags":
		return list[*pb.ConversationTag](batch.GetConversationsTags())
	case "conversation_parts":
		return list[*pb.ConversationPart](batch.GetConversationParts())
	case "conversation_parts_attachments":
		return list[*pb.ConversationPartAttachment](batch.GetConversationPartsAttachments())
	default:
		return list[proto.Message](nil)
	}
}
