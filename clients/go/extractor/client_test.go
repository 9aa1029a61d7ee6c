package extractor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "intercom-extractor/clients/go/extractorpb"
)

func TestUnaryCalls(t *testing.T) {
	server := &scriptedServer{}
	client, _ := server.start(t, WithConnection("other"))
	tables, err := client.Tables(t.Context(), pb.Template_TEMPLATE_CONVERSATIONS)
	if err != nil || len(tables) != 2 {
		t.Errorf("tables: %v, %v", tables, err)
	}
	checked, err := client.Check(t.Context())
	if err != nil || checked.GetWorkspace().GetIdCode() != "of other" {
		t.Errorf("check: %v, %v", checked, err)
	}
	planned, err := client.Plan(t.Context(), Request{Tables: []string{"tags"}})
	if err != nil || len(planned.GetPlan().GetTables()) != 1 {
		t.Errorf("plan: %v, %v", planned, err)
	}

	server.unary = failure(codes.NotFound, "CONNECTION_UNKNOWN", nil)
	_, tablesFailed := client.Tables(t.Context(), 0)
	_, checkFailed := client.Check(t.Context())
	_, planFailed := client.Plan(t.Context(), Request{})
	_, describeFailed := client.Extract(t.Context(), Request{}).Tables()
	for _, err := range []error{tablesFailed, checkFailed, planFailed, describeFailed} {
		if !errors.Is(err, ErrConnectionUnknown) {
			t.Errorf("got %v", err)
		}
	}
}

func TestExtractionDescribesItsTables(t *testing.T) {
	client, _ := new(scriptedServer).start(t)
	tests := []struct {
		request Request
		want    []string
	}{
		{Request{}, []string{"tags", "conversations", "conversation_parts"}},
		{Request{Tables: []string{"tags"}}, []string{"tags"}},
		{Request{Template: pb.Template_TEMPLATE_BASIC, Tables: []string{"conversation_parts"}}, []string{"tags", "conversation_parts"}},
	}
	for _, test := range tests {
		tables, err := client.Extract(t.Context(), test.request).Tables()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, table := range tables {
			got = append(got, table.GetTable().GetName())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v: got %q, want %q", test.request, got, test.want)
		}
	}
}

func TestTheCallerTokenIsShown(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{summary()}}}}
	client, _ := server.start(t, WithToken("opensesame"))
	if _, err := ids(client.Extract(t.Context(), Request{})); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(server.tokens, []string{"Bearer opensesame"}) {
		t.Errorf("got %q", server.tokens)
	}
	_, err := NewClient("localhost:1", WithToken("open sesame"))
	if err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsSayWhatTheServerSaid(t *testing.T) {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)}
	server := &scriptedServer{unary: failure(codes.ResourceExhausted, "RATE_LIMITED", retry)}
	client, _ := server.start(t)
	_, err := client.Check(t.Context())
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if failed.Code != codes.ResourceExhausted || failed.Reason != "RATE_LIMITED" ||
		failed.Metadata["connection"] != "default" || failed.RetryDelay != 1500*time.Millisecond {
		t.Errorf("got %+v", failed)
	}
	if err.Error() != "RATE_LIMITED: scripted" || status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v, code %v", err, status.Code(err))
	}
	if said, ok := status.FromError(err); !ok || len(said.Details()) != 2 {
		t.Errorf("its details are %v", said.Details())
	}
	if errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrResourceExhausted) {
		t.Error("its kind is wrong")
	}
}

func TestResumeTokenErrorsAreAKindOfTheirOwn(t *testing.T) {
	for reason, is := range map[string]bool{"RESUME_TOKEN_EXPIRED": true, "INTERCOM_UNREACHABLE": false} {
		err := &Error{Code: codes.FailedPrecondition, Reason: reason}
		if errors.Is(err, ErrResumeToken) != is {
			t.Errorf("%s: want %v", reason, is)
		}
	}
}

func TestOnlyAddressesOfThisMachineGoWithoutTLS(t *testing.T) {
	local := []string{"localhost:50051", "localhost", "127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "::1", "unix:/run/socket"}
	for _, target := range local {
		if !isLocal(target) {
			t.Errorf("%s is on this machine", target)
		}
	}
	far := []string{"example.com:50051", "10.0.0.1:50051", "localhost.example.com:1", "127.0.0.1.example.com:1", "[fe80::1]:1", "0.0.0.0:1"}
	for _, target := range far {
		if isLocal(target) {
			t.Errorf("%s is not on this machine", target)
		}
	}
}

func TestRequestsSayWhatIsAskedFor(t *testing.T) {
	since := time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC)
	request := Request{
		Tables:       []string{"tags"},
		BodyFormat:   pb.BodyFormat_BODY_FORMAT_HTML,
		UpdatedSince: since,
		FindDeleted:  true,
		WithParents:  true,
		ResumeToken:  []byte("t"),
	}
	made := request.extract("other")
	want := &pb.ExtractRequest{
		Connection:   "other",
		Tables:       []string{"tags"},
		BodyFormat:   pb.BodyFormat_BODY_FORMAT_HTML,
		UpdatedSince: made.GetUpdatedSince(),
		FindDeleted:  true,
		WithParents:  true,
		ResumeToken:  []byte("t"),
	}
	if !proto.Equal(made, want) || !made.GetUpdatedSince().AsTime().Equal(since.Truncate(time.Second)) {
		t.Errorf("got %v", made)
	}
	// A plan takes the same fields, but for the last two.
	plan := request.plan("other")
	plan.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		same := made.ProtoReflect().Descriptor().Fields().ByName(field.Name())
		if !made.ProtoReflect().Get(same).Equal(value) {
			t.Errorf("the plan's %s is %v", field.Name(), value)
		}
		return true
	})
	if !plan.GetFindDeleted() || plan.GetUpdatedSince() == nil || len(plan.GetTables()) != 1 {
		t.Errorf("got %v", plan)
	}

	all := Request{}
	if made := all.extract(""); made.GetTemplate() != pb.Template_TEMPLATE_ALL || made.GetUpdatedSince() != nil {
		t.Errorf("got %v", made)
	}
}

func TestBatchesHaveTheRowsOfTheirTable(t *testing.T) {
	tables := 0
	fields := new(pb.RowBatch).ProtoReflect().Descriptor().Fields()
	for index := range fields.Len() {
		field := fields.Get(index)
		if field.Message() == nil || !proto.HasExtension(field.Message().Options(), pb.E_Table) {
			continue
		}
		tables++
		message := &pb.RowBatch{Table: string(field.Name())}
		rows := message.ProtoReflect().Mutable(field).List()
		row := rows.AppendMutable().Message().Interface()
		rows.AppendMutable()
		batch := Batch{message}
		if batch.Len() != 2 {
			t.Errorf("%s has %d rows", message.GetTable(), batch.Len())
		}
		for got := range batch.Rows() {
			if got != row {
				t.Errorf("%s has another first row", message.GetTable())
			}
			break
		}
	}
	if tables != 22 {
		t.Errorf("there are %d tables", tables)
	}
	if newer := (Batch{&pb.RowBatch{Table: "newer"}}); newer.Len() != 0 {
		t.Error("a table that nobody knows has rows")
	}
}
