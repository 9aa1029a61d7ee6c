package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"intercom-extractor/clients/go/extractor"
	pb "intercom-extractor/clients/go/extractorpb"
)

// reader writes the rows of an extraction to files, as far as the scenario wants them.
type reader struct {
	scenario  *scenario
	result    result
	files     map[string]*csvFile
	handedOut int
	stopped   bool
	// failed in a function that the client calls.
	failed error
}

func (r *reader) options() []extractor.ExtractOption {
	options := []extractor.ExtractOption{
		extractor.OnProgress(func(*pb.Progress) { r.result.Progress++ }),
		extractor.OnNotice(func(notice *pb.Notice) {
			r.result.Notices = append(r.result.Notices,
				said{"code": notice.GetCode().String(), "table": notice.GetTable()})
		}),
		extractor.OnCheckpoint(func(*pb.Checkpoint) {
			r.result.Checkpoints++
			r.say("checkpoint")
		}),
		extractor.OnTableRestarted(func(restarted *pb.TableRestarted) {
			r.result.Restarts = append(r.result.Restarts,
				said{"table": restarted.GetTable(), "generation": restarted.GetGeneration()})
			r.failed = r.files[restarted.GetTable()].restart()
		}),
	}
	if r.scenario.Delivery == "at_least_once" {
		options = append(options, extractor.AtLeastOnce())
	}
	return options
}

func (r *reader) read(extraction *extractor.Extraction) error {
	if r.isAt(r.scenario.StopAfterRows) {
		// As soon as the server has said something.
		for _, err := range extraction.Events() {
			r.stopped = err == nil
			return err
		}
	}
	tables, err := extraction.Tables()
	if err != nil {
		return err
	}
	for _, table := range tables {
		name := table.GetTable().GetName()
		path := filepath.Join(r.scenario.Output, name+".csv")
		if r.files[name], err = newCSVFile(path, table.GetColumns()); err != nil {
			return err
		}
	}
	for row, err := range extraction.Rows() {
		if err == nil {
			err = r.failed
		}
		if err != nil {
			return err
		}
		// The checkpoint may have been consumed when this row was asked for.
		if r.hasEnoughCheckpoints() {
			break
		}
		if err := r.files[row.Table].write(row.Message); err != nil {
			return err
		}
		r.result.Rows[row.Table]++
		r.handedOut++
		if r.handedOut == 1 {
			r.say("row")
		}
		if r.isAt(r.scenario.StopAfterRows) {
			r.stopped = true
			break
		}
		if pause := r.scenario.Pause; pause != nil && r.handedOut == pause.AfterRows {
			r.say("paused")
			time.Sleep(time.Duration(pause.Seconds * float64(time.Second)))
			r.say("resumed")
		}
	}
	r.stopped = r.stopped || r.hasEnoughCheckpoints()
	return r.failed
}

func (r *reader) isAt(rows *int) bool { return rows != nil && *rows == r.handedOut }

func (r *reader) hasEnoughCheckpoints() bool {
	wanted := r.scenario.StopAfterCheckpoints
	return wanted != nil && *wanted == r.result.Checkpoints
}

func (r *reader) say(event string) {
	// A map of a text and a number has JSON.
	line, _ := json.Marshal(said{"event": event, "rows": r.handedOut})
	os.Stdout.Write(append(line, '\n'))
}
