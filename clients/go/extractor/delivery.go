package extractor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	pb "intercom-extractor/clients/go/extractorpb"
)

const largestToken = 64 << 10

// position is what a stream has told up to some point.
type position struct {
	token       []byte
	checkpoint  int64
	generations map[string]uint32
}

func (p position) clone() position {
	p.generations = maps.Clone(p.generations)
	return p
}

// delivery turns the events of one extraction, over all of its streams, into those handed out: no
// network, no clock. The rules are those of tests/clients/README.md, the same in every language.
type delivery struct {
	atLeastOnce bool
	// generationsKnown is false for an extraction that continues another: unknown which they
	// were.
	generationsKnown bool
	// covered is as of the last checkpoint, position as of the last event.
	covered, position position
	// rows since the last checkpoint, of the present generation.
	rows map[string]int64
	// holding is false while events go out at once.
	holding bool
	held    []Event
	// complete once the summary has come.
	complete bool
}

func newDelivery(atLeastOnce bool, resumeToken []byte) *delivery {
	d := &delivery{
		atLeastOnce:      atLeastOnce,
		generationsKnown: len(resumeToken) == 0,
		covered:          position{token: resumeToken, generations: map[string]uint32{}},
		rows:             map[string]int64{},
	}
	d.begin()
	return d
}

// begin is where a stream begins: where the last checkpoint was, whose token it returns.
func (d *delivery) begin() []byte {
	d.position = d.covered.clone()
	d.letGo()
	clear(d.rows)
	return d.covered.token
}

// letGo forgets what is held back.
func (d *delivery) letGo() {
	d.holding, d.held = !d.atLeastOnce, nil
}

// onEvent gives what is to be handed out now.
func (d *delivery) onEvent(response *pb.ExtractResponse) ([]Event, *Error) {
	if d.complete {
		return nil, broken("an event came after the summary")
	}
	switch event := response.GetEvent().(type) {
	case *pb.ExtractResponse_RowBatch:
		return d.onRows(event.RowBatch)
	case *pb.ExtractResponse_Checkpoint:
		return d.onCheckpoint(event.Checkpoint)
	case *pb.ExtractResponse_Progress:
		return []Event{event.Progress}, nil
	case *pb.ExtractResponse_Notice:
		return []Event{event.Notice}, nil
	case *pb.ExtractResponse_TableRestarted:
		d.onRestart(event.TableRestarted)
		return nil, nil
	case *pb.ExtractResponse_LivingRecords:
		living := event.LivingRecords
		current, err := d.accept(living.GetTable(), living.GetGeneration())
		if !current {
			return nil, err
		}
		return d.hold(living), nil
	case *pb.ExtractResponse_DeletedRecords:
		return d.hold(event.DeletedRecords), nil
	case *pb.ExtractResponse_Summary:
		return d.onSummary(event.Summary)
	default:
		// Something that a newer server says.
		return nil, nil
	}
}

// onEnd is when a call has ended well.
func (d *delivery) onEnd() *Error {
	if !d.complete {
		return broken("it ended without a summary")
	}
	return nil
}

func (d *delivery) hold(event Event) []Event {
	if !d.holding {
		return []Event{event}
	}
	d.held = append(d.held, event)
	return nil
}

// accept says whether what is of that generation is of the table's present one.
func (d *delivery) accept(table string, sent uint32) (bool, *Error) {
	// A server that does not count sends 0: its tables never begin anew.
	sent = max(sent, 1)
	generation, known := d.position.generations[table]
	if !known {
		// The first rows of an extraction that continues another say which it is.
		generation = sent
		if d.generationsKnown {
			generation = 1
		}
		d.position.generations[table] = generation
	}
	if sent > generation {
		return false, broken("rows of %s are of generation %d, which was not announced", table, sent)
	}
	return sent == generation, nil
}

func (d *delivery) onRows(batch *pb.RowBatch) ([]Event, *Error) {
	current, err := d.accept(batch.GetTable(), batch.GetGeneration())
	if !current {
		return nil, err
	}
	if count := rowsOf(batch).len(); count > 0 {
		d.rows[batch.GetTable()] += int64(count)
	}
	return d.hold(batch), nil
}

func (d *delivery) onRestart(restarted *pb.TableRestarted) {
	table := restarted.GetTable()
	present, known := d.position.generations[table]
	if !known && d.generationsKnown {
		present = 1
	}
	// Told twice, it must not void the rows that came in between.
	if restarted.GetGeneration() <= present {
		return
	}
	d.position.generations[table] = restarted.GetGeneration()
	delete(d.rows, table)
	// Held back at any rate: until a checkpoint covers it, a lost connection may lead back to
	// the generation before.
	d.holding = true
	d.held = slices.DeleteFunc(d.held, func(event Event) bool { return isVoid(event, table) })
	d.held = append(d.held, restarted)
}

func (d *delivery) onCheckpoint(checkpoint *pb.Checkpoint) ([]Event, *Error) {
	number, token := checkpoint.GetNumber(), checkpoint.GetResumeToken()
	if number <= d.position.checkpoint {
		return nil, broken("checkpoint %d came after checkpoint %d", number, d.position.checkpoint)
	}
	if len(token) == 0 || len(token) > largestToken {
		return nil, broken("checkpoint %d has a token of %d bytes", number, len(token))
	}
	counted := map[string]int64{}
	for _, rows := range checkpoint.GetRows() {
		table := rows.GetTable()
		current, err := d.accept(table, rows.GetGeneration())
		if err != nil {
			return nil, err
		}
		if !current {
			return nil, broken("checkpoint %d covers generation %d of %s, which has come to %d",
				number, rows.GetGeneration(), table, d.position.generations[table])
		}
		if rows.GetRows() != 0 {
			counted[table] += rows.GetRows()
		}
	}
	if !maps.Equal(counted, d.rows) {
		return nil, broken("checkpoint %d covers %s rows, but %s came",
			number, counts(counted), counts(d.rows))
	}
	clear(d.rows)
	d.position.checkpoint, d.position.token = number, token
	d.covered = d.position.clone()
	events := append(d.held, checkpoint)
	d.letGo()
	return events, nil
}

func (d *delivery) onSummary(summary *pb.Summary) ([]Event, *Error) {
	if len(d.rows) > 0 {
		return nil, broken("no checkpoint covers the last %s rows", counts(d.rows))
	}
	d.complete = true
	return append(d.held, summary), nil
}

// isVoid says whether a restart of the table makes an event void.
func isVoid(event Event, table string) bool {
	switch event.(type) {
	case *pb.RowBatch, *pb.LivingRecords, *pb.TableRestarted:
		return event.(interface{ GetTable() string }).GetTable() == table
	default:
		return false
	}
}

// counts writes rows of tables for people.
func counts(rows map[string]int64) string {
	if len(rows) == 0 {
		return "no"
	}
	var parts []string
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		parts = append(parts, fmt.Sprintf("%d %s", rows[table], table))
	}
	return strings.Join(parts, ", ")
}
