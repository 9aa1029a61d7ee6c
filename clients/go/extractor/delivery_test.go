package extractor

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	pb "intercom-extractor/clients/go/extractorpb"
)

// names says what was handed out, in short.
func names(events []Event) []string {
	var said []string
	for _, event := range events {
		switch event := event.(type) {
		case *pb.RowBatch:
			for _, tag := range event.GetTags() {
				said = append(said, tag.GetId())
			}
		case *pb.Checkpoint:
			said = append(said, fmt.Sprintf("checkpoint %d", event.GetNumber()))
		case *pb.TableRestarted:
			said = append(said, fmt.Sprintf("restart %d", event.GetGeneration()))
		case *pb.LivingRecords:
			said = append(said, "living")
		case *pb.DeletedRecords:
			said = append(said, "deleted")
		case *pb.Progress:
			said = append(said, "progress")
		case *pb.Notice:
			said = append(said, "notice")
		case *pb.Summary:
			said = append(said, "summary")
		}
	}
	return said
}

// play gives what a delivery hands out until something is broken.
func play(d *delivery, events ...*pb.ExtractResponse) ([]string, error) {
	var out []Event
	for _, event := range events {
		now, err := d.onEvent(event)
		if err != nil {
			return names(out), err
		}
		out = append(out, now...)
	}
	return names(out), nil
}

func living(generation uint32) *pb.ExtractResponse {
	return event(&pb.LivingRecords{Table: "tags", Generation: generation})
}

func TestDeliveryHandsOut(t *testing.T) {
	unknown := &pb.ExtractResponse{}
	tests := map[string]struct {
		atLeastOnce bool
		resumeToken string
		events      []*pb.ExtractResponse
		want        []string
	}{
		"rows after their checkpoint": {
			events: []*pb.ExtractResponse{tags("a"), progress(), tags("b"), event(&pb.Notice{}), checkpoint(1, 2), tags("c")},
			want:   []string{"progress", "notice", "a", "b", "checkpoint 1"},
		},
		"rows at once": {
			atLeastOnce: true,
			events:      []*pb.ExtractResponse{tags("a"), progress(), checkpoint(1, 1), tags("b")},
			want:        []string{"a", "progress", "checkpoint 1", "b"},
		},
		"what is deleted or lives, in its order": {
			events: []*pb.ExtractResponse{tags("a"), event(&pb.DeletedRecords{}), living(1), progress(), checkpoint(1, 1)},
			want:   []string{"progress", "a", "deleted", "living", "checkpoint 1"},
		},
		"what is not known, to nobody": {
			events: []*pb.ExtractResponse{unknown, tags("a"), unknown, checkpoint(1, 1)},
			want:   []string{"a", "checkpoint 1"},
		},
		"deletions that no checkpoint follows, before the summary": {
			events: []*pb.ExtractResponse{event(&pb.DeletedRecords{}), summary()},
			want:   []string{"deleted", "summary"},
		},
		"no rows that a restart made void": {
			events: []*pb.ExtractResponse{tags("a"), living(1), restarted(2), tags("late"), living(1), tagsOf(2, "b"), checkpointOf(2, 1, 1)},
			want:   []string{"restart 2", "b", "checkpoint 1"},
		},
		"only the last of two restarts": {
			events: []*pb.ExtractResponse{restarted(2), tagsOf(2, "a"), restarted(3), tagsOf(3, "b"), checkpointOf(3, 1, 1)},
			want:   []string{"restart 3", "b", "checkpoint 1"},
		},
		"a restart that is told twice once": {
			events: []*pb.ExtractResponse{restarted(2), tagsOf(2, "a"), restarted(2), tagsOf(2, "b"), checkpointOf(2, 1, 2)},
			want:   []string{"restart 2", "a", "b", "checkpoint 1"},
		},
		"at least once nothing after a restart before its checkpoint": {
			atLeastOnce: true,
			events:      []*pb.ExtractResponse{tags("a"), restarted(2), tagsOf(2, "b"), progress(), checkpointOf(2, 1, 1), tagsOf(2, "c")},
			want:        []string{"a", "progress", "restart 2", "b", "checkpoint 1", "c"},
		},
		"rows of the generation that an earlier extraction left": {
			resumeToken: "t0",
			events:      []*pb.ExtractResponse{tagsOf(3, "a"), checkpointOf(3, 7, 1)},
			want:        []string{"a", "checkpoint 7"},
		},
		"any restart, where the generations before are not known": {
			resumeToken: "t0",
			events:      []*pb.ExtractResponse{restarted(1), tagsOf(1, "a"), checkpoint(7, 1)},
			want:        []string{"restart 1", "a", "checkpoint 7"},
		},
		"rows of a server that does not count generations": {
			events: []*pb.ExtractResponse{tagsOf(0, "a"), checkpointOf(0, 1, 1)},
			want:   []string{"a", "checkpoint 1"},
		},
		"parents alone, which are no rows": {
			events: []*pb.ExtractResponse{tags(), checkpoint(1, 0), summary()},
			want:   []string{"checkpoint 1", "summary"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDelivery(test.atLeastOnce, []byte(test.resumeToken))
			got, err := play(d, test.events...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDeliveryGoesBackToTheLastCheckpoint(t *testing.T) {
	d := newDelivery(false, nil)
	if _, err := play(d, tags("a"), checkpoint(1, 1), restarted(2), tagsOf(2, "lost")); err != nil {
		t.Fatal(err)
	}
	if token := d.begin(); string(token) != "t1" {
		t.Errorf("goes on from %q", token)
	}
	// In the generation that the checkpoint was in, and without the rows since.
	got, err := play(d, tags("b"), checkpoint(2, 1), summary())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"b", "checkpoint 2", "summary"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := d.onEnd(); err != nil {
		t.Error(err)
	}
}

func TestDeliveryWithoutACheckpointBeginsAnew(t *testing.T) {
	d := newDelivery(false, []byte("given"))
	if _, err := play(d, tags("a")); err != nil {
		t.Fatal(err)
	}
	if token := d.begin(); string(token) != "given" {
		t.Errorf("goes on from %q", token)
	}
}

func TestDeliveryFindsBrokenPromises(t *testing.T) {
	withToken := func(size int) *pb.ExtractResponse {
		return event(&pb.Checkpoint{Number: 1, ResumeToken: bytes.Repeat([]byte{'t'}, size)})
	}
	tests := map[string][]*pb.ExtractResponse{
		"a generation out of nowhere":              {tagsOf(2, "a")},
		"living records out of nowhere":            {living(2)},
		"a checkpoint's generation out of nowhere": {checkpointOf(2, 1, 1)},
		"a row too many":                           {tags("a", "b"), checkpoint(1, 1)},
		"a row too few":                            {tags("a"), checkpoint(1, 2)},
		"a table left out":                         {tags("a"), checkpoint(1, 0)},
		"a checkpoint of an earlier generation":    {restarted(2), tagsOf(2, "a"), checkpoint(1, 1)},
		"a checkpoint twice":                       {checkpoint(1, 0), checkpoint(1, 0)},
		"a checkpoint without a token":             {withToken(0)},
		"a token that is too large":                {withToken(largestToken + 1)},
		"rows that no checkpoint covers":           {tags("a"), summary()},
		"an event after the summary":               {summary(), progress()},
	}
	for name, events := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := play(newDelivery(false, nil), events...)
			if !errors.Is(err, ErrBrokenStream) {
				t.Errorf("got %v", err)
			}
			// All but the last are fine.
			if _, err := play(newDelivery(false, nil), events[:len(events)-1]...); err != nil {
				t.Errorf("too early: %v", err)
			}
		})
	}
	if _, err := play(newDelivery(false, nil), withToken(largestToken)); err != nil {
		t.Errorf("the largest token: %v", err)
	}
	if err := newDelivery(false, nil).onEnd(); err == nil {
		t.Error("an end without a summary is no error")
	}
}
