package extractor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "intercom-extractor/clients/go/extractorpb"
)

type responses = []*pb.ExtractResponse

// ids reads all rows, and gives those of tags.
func ids(e *Extraction) ([]string, error) {
	var got []string
	for row, err := range e.Rows() {
		if err != nil {
			return got, err
		}
		got = append(got, row.Message.(*pb.Tag).GetId())
	}
	return got, nil
}

func wantIDs(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got rows %q, want %q", got, want)
	}
}

func TestExtractionGivesRowsAndTheirEnd(t *testing.T) {
	server := &scriptedServer{script: []call{
		{events: responses{progress(), tags("a", "b"), event(&pb.Notice{}), checkpoint(1, 2), tags("c"), checkpoint(2, 1), summary()}},
	}}
	client, _ := server.start(t)
	var told []string
	extraction := client.Extract(t.Context(), Request{Tables: []string{"tags"}},
		OnProgress(func(*pb.Progress) { told = append(told, "progress") }),
		OnNotice(func(*pb.Notice) { told = append(told, "notice") }),
		OnCheckpoint(func(*pb.Checkpoint) { told = append(told, "checkpoint") }),
	)
	got, err := ids(extraction)
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got, "a", "b", "c")
	if want := []string{"progress", "notice", "checkpoint", "checkpoint"}; !slices.Equal(told, want) {
		t.Errorf("was told %q, want %q", told, want)
	}
	if extraction.Summary() == nil || string(extraction.LastCheckpoint()) != "t2" || extraction.Reconnects() != 0 {
		t.Errorf("ended with %v, %q, %d", extraction.Summary(), extraction.LastCheckpoint(), extraction.Reconnects())
	}
	for _, err := range extraction.Events() {
		if err == nil {
			t.Error("it can be read twice")
		}
	}
}

func TestACheckpointCountsOnceTheNextRowIsAskedFor(t *testing.T) {
	server := &scriptedServer{script: []call{
		{events: responses{tags("a"), checkpoint(1, 1), tags("b"), checkpoint(2, 1), summary()}},
	}}
	client, _ := server.start(t)
	extraction := client.Extract(t.Context(), Request{})
	var before []string
	for _, err := range extraction.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, string(extraction.LastCheckpoint()))
	}
	wantIDs(t, before, "", "t1")
}

func TestALostConnectionGoesOn(t *testing.T) {
	first := responses{tags("a"), checkpoint(1, 1), tags("b")}
	second := responses{tags("b", "c"), checkpoint(2, 2), summary()}
	ends := map[string]error{
		"lost":      lost,
		"cancelled": status.Error(codes.Canceled, "scripted"),
		"stopping":  failure(codes.Unavailable, "SERVER_STOPPING", &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Hour)}),
		"aged":      failure(codes.Unavailable, "CONNECTION_AGE", nil),
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			server := &scriptedServer{script: []call{{events: first, end: end}, {events: second}}}
			client, pauses := server.start(t)
			reconnects := 0
			extraction := client.Extract(t.Context(), Request{Tables: []string{"tags"}},
				OnReconnect(func(err *Error, pause time.Duration) { reconnects++ }))
			got, err := ids(extraction)
			if err != nil {
				t.Fatal(err)
			}
			wantIDs(t, got, "a", "b", "c")
			if extraction.Reconnects() != 1 || reconnects != 1 {
				t.Errorf("%d reconnects, %d told", extraction.Reconnects(), reconnects)
			}
			if token := server.requests[1].GetResumeToken(); string(token) != "t1" {
				t.Errorf("went on from %q", token)
			}
			if want := []time.Duration{750 * time.Millisecond}; !slices.Equal(*pauses, want) {
				t.Errorf("waited %v, want %v", *pauses, want)
			}
		})
	}
}

func TestAtLeastOnceRepeatsRowsSinceTheCheckpoint(t *testing.T) {
	server := &scriptedServer{script: []call{
		{events: responses{tags("a"), checkpoint(1, 1), tags("b")}, end: lost},
		{events: responses{tags("b"), checkpoint(2, 1), summary()}},
	}}
	client, _ := server.start(t)
	got, err := ids(client.Extract(t.Context(), Request{}, AtLeastOnce()))
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, got, "a", "b", "b")
}

func TestOtherErrorsAreTheCallers(t *testing.T) {
	ends := map[string]struct {
		end    error
		is     error
		events responses
	}{
		"quota":        {end: failure(codes.ResourceExhausted, "RATE_LIMITED", nil), is: ErrResourceExhausted, events: responses{progress()}},
		"Intercom":     {end: failure(codes.Unavailable, "INTERCOM_UNREACHABLE", nil), is: ErrUnavailable, events: responses{progress()}},
		"never heard":  {end: lost, is: ErrUnavailable},
		"resume token": {end: failure(codes.FailedPrecondition, "RESUME_TOKEN_EXPIRED", nil), is: ErrResumeToken, events: responses{progress()}},
		"no summary":   {is: ErrBrokenStream, events: responses{progress()}},
		"at the end":   {end: lost, is: ErrUnavailable, events: responses{summary()}},
	}
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			server := &scriptedServer{script: []call{{events: test.events, end: test.end}, {events: responses{summary()}}}}
			client, _ := server.start(t)
			_, err := ids(client.Extract(t.Context(), Request{}))
			if !errors.Is(err, test.is) {
				t.Errorf("got %v, want %v", err, test.is)
			}
			if len(server.requests) != 1 {
				t.Errorf("called %d times", len(server.requests))
			}
		})
	}
}

func TestFiveTriesInARowAreEnough(t *testing.T) {
	hopeless := call{events: responses{progress()}, end: lost}
	script := slices.Repeat([]call{hopeless}, 3)
	// A checkpoint sets the pauses back.
	script = append(script, call{events: responses{checkpoint(1, 0)}, end: lost})
	script = append(script, slices.Repeat([]call{hopeless}, 9)...)
	server := &scriptedServer{script: script}
	client, pauses := server.start(t)
	_, err := ids(client.Extract(t.Context(), Request{}))
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	var seconds []float64
	for _, pause := range *pauses {
		seconds = append(seconds, pause.Seconds())
	}
	if want := []float64{0.75, 1.5, 3, 0.75, 1.5, 3, 6, 12}; !slices.Equal(seconds, want) {
		t.Errorf("waited %v, want %v", seconds, want)
	}
}

func TestLeavingTheLoopCancelsTheCall(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{tags("a"), checkpoint(1, 1)}, holds: true}}}
	client, _ := server.start(t)
	extraction := client.Extract(t.Context(), Request{})
	for _, err := range extraction.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	<-server.ended
	if extraction.LastCheckpoint() != nil {
		t.Error("a checkpoint counts whose rows may not be dealt with")
	}
}

func TestCancellingTheContextCancelsTheCall(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{progress()}, holds: true}}}
	client, _ := server.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	extraction := client.Extract(ctx, Request{}, OnProgress(func(*pb.Progress) { cancel() }))
	_, err := ids(extraction)
	if !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	if extraction.Reconnects() != 0 {
		t.Error("that is no lost connection")
	}
	<-server.ended
}

func TestRowsHeldBackDoNotComeAfterACancel(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{tags("a"), tags("b"), checkpoint(1, 2), summary()}}}}
	client, _ := server.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	extraction := client.Extract(ctx, Request{})
	var got []string
	for row, err := range extraction.Rows() {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			break
		}
		got = append(got, row.Message.(*pb.Tag).GetId())
		cancel()
	}
	wantIDs(t, got, "a")
}

func TestCancellingBetweenTwoTries(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{progress()}, end: lost}, {events: responses{summary()}}}}
	client, _ := server.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := ids(client.Extract(ctx, Request{}, OnReconnect(func(*Error, time.Duration) { cancel() })))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(server.requests) != 1 {
		t.Error("it was called again")
	}
}

func TestTheDeadlineCountsOverLostConnections(t *testing.T) {
	server := &scriptedServer{script: []call{{events: responses{progress()}, end: lost}, {events: responses{summary()}}}}
	client, pauses := server.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// 0.6 s before it.
	start := time.Now()
	client.timing.now = func() time.Time { return start.Add(time.Minute - 600*time.Millisecond) }
	_, err := ids(client.Extract(ctx, Request{}))
	if !errors.Is(err, context.DeadlineExceeded) || status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	if len(*pauses) != 0 || len(server.requests) != 1 {
		t.Errorf("waited %v for a try that has no time", *pauses)
	}
}

func TestSleepEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := sleep(t.Context(), 16*time.Second); err != nil {
			t.Error(err)
		}
		if slept := time.Since(start); slept != 16*time.Second {
			t.Errorf("slept %v", slept)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := sleep(ctx, 16*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if slept := time.Since(start); slept != 19*time.Second {
			t.Errorf("slept %v", slept)
		}
	})
}

func TestARestartNeedsAListenerWhereRowsWereHandedOut(t *testing.T) {
	events := responses{tags("a"), checkpoint(1, 1), restarted(2), tagsOf(2, "b"), checkpointOf(2, 2, 1), summary()}
	server := &scriptedServer{script: []call{{events: events}, {events: events}, {events: events[2:]}, {events: events[2:]}}}
	client, _ := server.start(t)

	got, err := ids(client.Extract(t.Context(), Request{}))
	var restart *TableRestartedError
	if !errors.As(err, &restart) || restart.Table != "tags" || restart.Generation != 2 {
		t.Errorf("got %v", err)
	}
	wantIDs(t, got, "a")

	told := 0
	got, err = ids(client.Extract(t.Context(), Request{}, OnTableRestarted(func(*pb.TableRestarted) { told++ })))
	if err != nil || told != 1 {
		t.Errorf("got %v, told %d times", err, told)
	}
	wantIDs(t, got, "a", "b")

	// Nothing was handed out that could be void.
	if got, err = ids(client.Extract(t.Context(), Request{})); err != nil {
		t.Error(err)
	}
	wantIDs(t, got, "b")

	// The process before may have had rows.
	if _, err = ids(client.Extract(t.Context(), Request{ResumeToken: []byte("t1")})); !errors.As(err, &restart) {
		t.Errorf("got %v", err)
	}
}

func TestEventsTellEverything(t *testing.T) {
	events := responses{progress(), tags("a"), checkpoint(1, 1), restarted(2), tagsOf(2, "b"), checkpointOf(2, 2, 1), summary()}
	server := &scriptedServer{script: []call{{events: events}}}
	client, _ := server.start(t)
	var all []Event
	extraction := client.Extract(t.Context(), Request{})
	for event, err := range extraction.Events() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event)
		// Who has the checkpoint itself has had all before it.
		if checkpoint, ok := event.(*pb.Checkpoint); ok && string(extraction.LastCheckpoint()) != string(checkpoint.GetResumeToken()) {
			t.Errorf("at %v the last checkpoint is %q", checkpoint, extraction.LastCheckpoint())
		}
	}
	wantIDs(t, names(all), "progress", "a", "checkpoint 1", "restart 2", "b", "checkpoint 2", "summary")
}

func TestARowMayBeLarge(t *testing.T) {
	large := strings.Repeat("x", 20<<20)
	server := &scriptedServer{script: []call{{events: responses{tags(large), checkpoint(1, 1), summary()}}}}
	client, _ := server.start(t)
	got, err := ids(client.Extract(t.Context(), Request{}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != large {
		t.Error("it is another one")
	}
}

func TestRowsOfHaveTheirType(t *testing.T) {
	leads := event(&pb.RowBatch{Table: "leads", Leads: []*pb.Lead{{}}})
	both := event(&pb.Checkpoint{Number: 1, ResumeToken: []byte("t"), Rows: []*pb.TableRows{{Table: "leads", Rows: 1}, {Table: "tags", Rows: 2}}})
	server := &scriptedServer{script: []call{{events: responses{leads, tags("a", "b"), both, summary()}}, {end: lost}}}
	client, _ := server.start(t)
	var got []string
	for tag, err := range RowsOf[*pb.Tag](client.Extract(t.Context(), Request{})) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, tag.GetId())
	}
	wantIDs(t, got, "a", "b")
	for _, err := range RowsOf[*pb.Tag](client.Extract(t.Context(), Request{})) {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
}
