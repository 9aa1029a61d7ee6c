package extractor

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	pb "intercom-extractor/clients/go/extractorpb"
)

// call is how one call of Extract goes: its events, then, where it holds, nothing until the client
// cancels, then its end.
type call struct {
	events []*pb.ExtractResponse
	holds  bool
	end    error
}

var lost = status.Error(codes.Unavailable, "the connection is lost")

// scriptedServer plays one call after the other, in memory.
type scriptedServer struct {
	pb.UnimplementedExtractorServiceServer
	script []call
	// unary is what the other calls fail with.
	unary error
	// ended has an entry for each call that held and whose client has gone.
	ended chan struct{}

	mutex    sync.Mutex
	requests []*pb.ExtractRequest
	tokens   []string
}

// start gives a client of it that takes no time to wait. `pauses` gets what it would have waited.
func (s *scriptedServer) start(t *testing.T, options ...Option) (client *Client, pauses *[]time.Duration) {
	t.Helper()
	s.ended = make(chan struct{}, len(s.script))
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxSendMsgSize(largestMessage))
	pb.RegisterExtractorServiceServer(server, s)
	go server.Serve(listener)
	t.Cleanup(server.Stop)

	pauses = &[]time.Duration{}
	timing := timing{
		now:    time.Now,
		random: func() float64 { return 0.5 },
		sleep: func(ctx context.Context, pause time.Duration) error {
			*pauses = append(*pauses, pause)
			return ctx.Err()
		},
	}
	dialer := func(context.Context, string) (net.Conn, error) { return listener.Dial() }
	all := append([]Option{
		WithDialOptions(grpc.WithContextDialer(dialer)), withTiming(timing),
	}, options...)
	client, err := NewClient("127.0.0.1:1", all...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, pauses
}

func (s *scriptedServer) Extract(request *pb.ExtractRequest, stream pb.ExtractorService_ExtractServer) error {
	s.mutex.Lock()
	number := len(s.requests)
	s.requests = append(s.requests, request)
	sent, _ := metadata.FromIncomingContext(stream.Context())
	s.tokens = append(s.tokens, sent.Get("authorization")...)
	s.mutex.Unlock()
	if number >= len(s.script) {
		return status.Error(codes.Unimplemented, "the script has no further call")
	}
	call := s.script[number]
	for _, event := range call.events {
		if err := stream.Send(event); err != nil {
			return err
		}
	}
	if call.holds {
		<-stream.Context().Done()
		s.ended <- struct{}{}
	}
	return call.end
}

func (s *scriptedServer) ListTables(
	_ context.Context, request *pb.ListTablesRequest,
) (*pb.ListTablesResponse, error) {
	response := &pb.ListTablesResponse{}
	for _, table := range []*pb.Table{
		{Name: "tags", Template: pb.Template_TEMPLATE_BASIC},
		{Name: "conversations", Template: pb.Template_TEMPLATE_CONVERSATIONS},
		{Name: "conversation_parts", Template: pb.Template_TEMPLATE_CONVERSATIONS},
	} {
		if request.GetTemplate() == 0 || request.GetTemplate() == table.GetTemplate() {
			response.Tables = append(response.Tables, &pb.TableDescription{Table: table})
		}
	}
	return response, s.unary
}

func (s *scriptedServer) CheckConnection(
	_ context.Context, request *pb.CheckConnectionRequest,
) (*pb.CheckConnectionResponse, error) {
	workspace := &pb.Workspace{IdCode: "of " + request.GetConnection()}
	return &pb.CheckConnectionResponse{Workspace: workspace}, s.unary
}

func (s *scriptedServer) PlanExtraction(
	_ context.Context, request *pb.PlanExtractionRequest,
) (*pb.PlanExtractionResponse, error) {
	response := &pb.PlanExtractionResponse{Plan: &pb.ExtractionPlan{}}
	for _, table := range request.GetTables() {
		response.Plan.Tables = append(response.Plan.Tables, &pb.TablePlan{Table: table})
	}
	return response, s.unary
}

// failure is an error as the server makes them.
func failure(code codes.Code, reason string, retry *errdetails.RetryInfo) error {
	said := status.New(code, "scripted")
	info := &errdetails.ErrorInfo{Reason: reason, Metadata: map[string]string{"connection": "default"}}
	said, _ = said.WithDetails(info)
	if retry != nil {
		said, _ = said.WithDetails(retry)
	}
	return said.Err()
}

// The events of a script.

func event(content proto.Message) *pb.ExtractResponse {
	switch content := content.(type) {
	case *pb.RowBatch:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_RowBatch{RowBatch: content}}
	case *pb.Checkpoint:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_Checkpoint{Checkpoint: content}}
	case *pb.TableRestarted:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_TableRestarted{TableRestarted: content}}
	case *pb.DeletedRecords:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_DeletedRecords{DeletedRecords: content}}
	case *pb.LivingRecords:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_LivingRecords{LivingRecords: content}}
	case *pb.Progress:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_Progress{Progress: content}}
	case *pb.Notice:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_Notice{Notice: content}}
	case *pb.Summary:
		return &pb.ExtractResponse{Event: &pb.ExtractResponse_Summary{Summary: content}}
	}
	panic("no event of an extraction")
}

func tags(ids ...string) *pb.ExtractResponse { return tagsOf(1, ids...) }

func tagsOf(generation uint32, ids ...string) *pb.ExtractResponse {
	batch := &pb.RowBatch{Table: "tags", Generation: generation}
	for _, id := range ids {
		batch.Tags = append(batch.Tags, &pb.Tag{Id: proto.String(id)})
	}
	return event(batch)
}

// checkpoint covers so many tags.
func checkpoint(number, rows int64) *pb.ExtractResponse { return checkpointOf(1, number, rows) }

func checkpointOf(generation uint32, number, rows int64) *pb.ExtractResponse {
	made := &pb.Checkpoint{Number: number, ResumeToken: []byte{'t', byte('0' + number)}}
	if rows > 0 {
		made.Rows = []*pb.TableRows{{Table: "tags", Rows: rows, Generation: generation}}
	}
	return event(made)
}

func restarted(generation uint32) *pb.ExtractResponse {
	return event(&pb.TableRestarted{Table: "tags", Generation: generation, Reason: "scripted"})
}

func progress() *pb.ExtractResponse { return event(&pb.Progress{}) }

func summary() *pb.ExtractResponse { return event(&pb.Summary{}) }
