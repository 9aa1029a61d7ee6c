package extractor

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "intercom-extractor/clients/go/extractorpb"
)

// Event is something that a server says of an extraction: *extractorpb.RowBatch, Checkpoint,
// TableRestarted, DeletedRecords, LivingRecords, Progress, Notice or Summary.
type Event interface{ proto.Message }

// ExtractOption sets something of an [Extraction]. Functions given are called where it is ranged
// over, between two rows.
type ExtractOption func(*Extraction)

// AtLeastOnce hands rows out as they arrive. A connection that is lost and made again repeats
// those since the last checkpoint, by default none.
func AtLeastOnce() ExtractOption {
	return func(e *Extraction) { e.atLeastOnce = true }
}

// OnProgress is told at least every 10 seconds how far the extraction is.
func OnProgress(tell func(*pb.Progress)) ExtractOption {
	return func(e *Extraction) { e.onProgress = tell }
}

// OnNotice is told of odd records and the like.
func OnNotice(tell func(*pb.Notice)) ExtractOption {
	return func(e *Extraction) { e.onNotice = tell }
}

// OnCheckpoint is told when all rows before a checkpoint have been handed out and the next one is
// asked for.
func OnCheckpoint(tell func(*pb.Checkpoint)) ExtractOption {
	return func(e *Extraction) { e.onCheckpoint = tell }
}

// OnTableRestarted is told when a table begins anew, so that the rows of it so far are void.
// Without it, Rows and Batches end with a [*TableRestartedError] where there were any.
func OnTableRestarted(tell func(*pb.TableRestarted)) ExtractOption {
	return func(e *Extraction) { e.onTableRestarted = tell }
}

// OnReconnect is told of each lost connection, and how long it takes until the next try.
func OnReconnect(tell func(err *Error, pause time.Duration)) ExtractOption {
	return func(e *Extraction) { e.onReconnect = tell }
}

// Extraction is rows on their way. Range over it once: over Rows, Batches or Events. Reading
// slowly slows the extraction, and nothing is dropped; leaving the loop early cancels it at the
// server. Not safe for use by several goroutines at once.
type Extraction struct {
	ctx      context.Context
	client   *Client
	request  *pb.ExtractRequest
	delivery *delivery
	tries    tries

	atLeastOnce      bool
	onProgress       func(*pb.Progress)
	onNotice         func(*pb.Notice)
	onCheckpoint     func(*pb.Checkpoint)
	onTableRestarted func(*pb.TableRestarted)
	onReconnect      func(*Error, time.Duration)

	started bool
	// heard once the server has said something: an address that was never right is said at once.
	heard bool
	// rows handed out by Rows and Batches, of each table.
	rows           map[string]int
	lastCheckpoint []byte
	summary        *pb.Summary
	reconnects     int
}

// LastCheckpoint is the token that covers all rows up to the last checkpoint among those handed
// out: the ResumeToken of a request that goes on from there. Nil before the first one.
func (e *Extraction) LastCheckpoint() []byte { return e.lastCheckpoint }

// Summary says how it ended, table by table; nil before the end.
func (e *Extraction) Summary() *pb.Summary { return e.summary }

// Reconnects is how often the connection was lost and made again.
func (e *Extraction) Reconnects() int { return e.reconnects }

// Tables asks the server to describe the tables that are read, with their columns.
func (e *Extraction) Tables() ([]*pb.TableDescription, error) {
	all, err := e.client.Tables(e.ctx, pb.Template_TEMPLATE_UNSPECIFIED)
	var wanted []*pb.TableDescription
	for _, table := range all {
		if asksFor(e.request, table.GetTable()) {
			wanted = append(wanted, table)
		}
	}
	return wanted, err
}

// Rows goes through the rows of all tables, which interleave. An error ends it.
func (e *Extraction) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for batch, err := range e.Batches() {
			if err != nil {
				yield(Row{}, err)
				return
			}
			table := batch.GetTable()
			if !rowsOf(batch.RowBatch).each(func(message proto.Message) bool {
				return yield(Row{table, message}, nil)
			}) {
				return
			}
		}
	}
}

// RowsOf goes through the rows of one table, as in
//
//	for user, err := range extractor.RowsOf[*extractorpb.User](extraction)
//
// and skips those of others. An error ends it.
func RowsOf[M proto.Message](e *Extraction) iter.Seq2[M, error] {
	return func(yield func(M, error) bool) {
		var none M
		for row, err := range e.Rows() {
			if err != nil {
				yield(none, err)
				return
			}
			if message, ok := row.Message.(M); ok && !yield(message, nil) {
				return
			}
		}
	}
}

// Batches goes through the rows as the server sent them. An error ends it.
func (e *Extraction) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for event, err := range e.Events() {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			switch event := event.(type) {
			case *pb.RowBatch:
				batch := Batch{event}
				e.rows[event.GetTable()] += batch.Len()
				if !yield(batch, nil) {
					return
				}
			case *pb.TableRestarted:
				if err := e.restart(event); err != nil {
					yield(Batch{}, err)
					return
				}
			}
		}
	}
}

// restart tells those who see nothing but rows.
func (e *Extraction) restart(restarted *pb.TableRestarted) error {
	table := restarted.GetTable()
	if e.onTableRestarted != nil {
		e.onTableRestarted(restarted)
	} else if e.rows[table] > 0 || len(e.request.GetResumeToken()) > 0 {
		// Who continues an earlier extraction may have rows of any table.
		return &TableRestartedError{table, restarted.GetGeneration(), restarted.GetReason()}
	}
	return nil
}

// Events goes through everything: rows, checkpoints, restarts, progress, notices, deletions, the
// summary. Every event before a checkpoint is covered by its token. An error ends it.
func (e *Extraction) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if e.started {
			yield(nil, errors.New("an extraction can be ranged over only once"))
			return
		}
		e.started = true
		for {
			lost, goesOn := e.readStream(yield)
			if !goesOn {
				return
			}
			pause, err := e.pauseAfter(lost)
			if err == nil {
				err = e.pause(pause)
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// readStream makes one call, and hands out what it gives. False: the extraction has ended, and
// the caller was told if not well.
func (e *Extraction) readStream(yield func(Event, error) bool) (lost *Error, goesOn bool) {
	// Also where the caller takes no more, or the stream is broken.
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	request := proto.CloneOf(e.request)
	request.ResumeToken = e.delivery.begin()
	stream, err := e.client.stub.Extract(e.client.outgoing(ctx), request)
	if err != nil {
		return e.lost(err, yield)
	}
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			if err := e.delivery.onEnd(); err != nil {
				yield(nil, err)
			}
			return nil, false
		}
		if err != nil {
			return e.lost(err, yield)
		}
		e.heard = true
		events, bad := e.delivery.onEvent(response)
		if bad != nil {
			yield(nil, bad)
			return nil, false
		}
		for _, event := range events {
			if ended := e.ctx.Err(); ended != nil {
				yield(nil, fromContext(ended))
				return nil, false
			}
			e.note(event)
			if !yield(event, nil) {
				return nil, false
			}
		}
	}
}

// lost tells the caller of an error that no other call can make up for.
func (e *Extraction) lost(err error, yield func(Event, error) bool) (*Error, bool) {
	failed := fromRPC(e.ctx, err)
	if e.delivery.complete || !e.heard || !isLostConnection(failed) {
		yield(nil, failed)
		return nil, false
	}
	return failed, true
}

// pauseAfter says how long to wait before a lost connection is made again.
func (e *Extraction) pauseAfter(lost *Error) (time.Duration, error) {
	timing := e.client.timing
	pause, more := e.tries.next(timing.random)
	if !more {
		return 0, lost
	}
	if deadline, ok := e.ctx.Deadline(); ok && deadline.Sub(timing.now()) <= pause {
		return 0, &Error{
			Code:    codes.DeadlineExceeded,
			Message: "no time left to make the lost connection again (" + lost.Error() + ")",
			cause:   context.DeadlineExceeded,
		}
	}
	e.reconnects++
	if e.onReconnect != nil {
		e.onReconnect(lost, pause)
	}
	return pause, nil
}

func (e *Extraction) pause(pause time.Duration) error {
	if ended := e.client.timing.sleep(e.ctx, pause); ended != nil {
		return fromContext(ended)
	}
	return nil
}

// note is called with each event right before it is handed out.
func (e *Extraction) note(event Event) {
	switch event := event.(type) {
	case *pb.Checkpoint:
		e.tries = 0
		e.lastCheckpoint = event.GetResumeToken()
		if e.onCheckpoint != nil {
			e.onCheckpoint(event)
		}
	case *pb.Progress:
		if e.onProgress != nil {
			e.onProgress(event)
		}
	case *pb.Notice:
		if e.onNotice != nil {
			e.onNotice(event)
		}
	case *pb.Summary:
		e.summary = event
	}
}
