package extractor

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "intercom-extractor/clients/go/extractorpb"
)

// Request says what to read. All tables where neither Tables nor Template names any.
type Request struct {
	// Tables are single tables by name, in addition to the template's.
	Tables []string
	// Template is a set of tables, such as extractorpb.Template_TEMPLATE_BASIC.
	Template pb.Template
	// BodyFormat is how bodies of conversations are written; plain text where it is not set.
	BodyFormat pb.BodyFormat
	// UpdatedSince, unless zero, asks for only what changed then or later, to the second. It
	// must not lie in the future.
	UpdatedSince time.Time
	// FindDeleted also asks for what was deleted since then; see [Extraction.Events].
	FindDeleted bool
	// WithParents also asks how many rows each contact and conversation has in the tables below
	// it: the field Parents of batches. Plan takes no notice of it.
	WithParents bool
	// ResumeToken goes on where an earlier extraction, of the same request otherwise, had this
	// checkpoint. Plan takes no notice of it.
	ResumeToken []byte
}

func (r *Request) template() pb.Template {
	if r.Template == pb.Template_TEMPLATE_UNSPECIFIED && len(r.Tables) == 0 {
		return pb.Template_TEMPLATE_ALL
	}
	return r.Template
}

func (r *Request) updatedSince() *timestamppb.Timestamp {
	if r.UpdatedSince.IsZero() {
		return nil
	}
	return timestamppb.New(r.UpdatedSince.Truncate(time.Second))
}

func (r *Request) extract(connection string) *pb.ExtractRequest {
	return &pb.ExtractRequest{
		Connection:   connection,
		Template:     r.template(),
		Tables:       r.Tables,
		BodyFormat:   r.BodyFormat,
		ResumeToken:  r.ResumeToken,
		UpdatedSince: r.updatedSince(),
		FindDeleted:  r.FindDeleted,
		WithParents:  r.WithParents,
	}
}

func (r *Request) plan(connection string) *pb.PlanExtractionRequest {
	return &pb.PlanExtractionRequest{
		Connection:   connection,
		Template:     r.template(),
		Tables:       r.Tables,
		BodyFormat:   r.BodyFormat,
		UpdatedSince: r.updatedSince(),
		FindDeleted:  r.FindDeleted,
	}
}

// asksFor says whether a request reads a table.
func asksFor(request *pb.ExtractRequest, table *pb.Table) bool {
	for _, name := range request.GetTables() {
		if name == table.GetName() {
			return true
		}
	}
	template := request.GetTemplate()
	return template == pb.Template_TEMPLATE_ALL ||
		template != pb.Template_TEMPLATE_UNSPECIFIED && template == table.GetTemplate()
}
