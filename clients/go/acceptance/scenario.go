package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"

	"intercom-extractor/clients/go/extractor"
	pb "intercom-extractor/clients/go/extractorpb"
)

type scenario struct {
	Action string `json:"action"`
	Result string `json:"result"`
	Target string `json:"target"`
	TLS    *struct {
		CA   string  `json:"ca"`
		Cert *string `json:"cert"`
		Key  *string `json:"key"`
	} `json:"tls"`
	Token                *string  `json:"token"`
	Connection           *string  `json:"connection"`
	Request              request  `json:"request"`
	Delivery             string   `json:"delivery"`
	Output               string   `json:"output"`
	DeadlineSeconds      *float64 `json:"deadline_seconds"`
	StopAfterRows        *int     `json:"stop_after_rows"`
	StopAfterCheckpoints *int     `json:"stop_after_checkpoints"`
	Pause                *struct {
		AfterRows int     `json:"after_rows"`
		Seconds   float64 `json:"seconds"`
	} `json:"pause"`
	Files []struct {
		Message string `json:"message"`
		Bytes   string `json:"bytes"`
		JSON    string `json:"json"`
	} `json:"files"`
}

type request struct {
	Template     *string  `json:"template"`
	Tables       []string `json:"tables"`
	UpdatedSince *int64   `json:"updated_since"`
	FindDeleted  bool     `json:"find_deleted"`
	ResumeToken  []byte   `json:"resume_token"`
}

var templates = map[string]pb.Template{
	"":              pb.Template_TEMPLATE_UNSPECIFIED,
	"basic":         pb.Template_TEMPLATE_BASIC,
	"conversations": pb.Template_TEMPLATE_CONVERSATIONS,
	"all":           pb.Template_TEMPLATE_ALL,
}

func (r *request) forClient() (extractor.Request, error) {
	template, known := templates[orEmpty(r.Template)]
	if !known {
		return extractor.Request{}, fmt.Errorf("no such template: %s", *r.Template)
	}
	made := extractor.Request{
		Template:    template,
		Tables:      r.Tables,
		FindDeleted: r.FindDeleted,
		ResumeToken: r.ResumeToken,
	}
	if r.UpdatedSince != nil {
		made.UpdatedSince = time.Unix(*r.UpdatedSince, 0)
	}
	return made, nil
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// said is an object of several kinds of values.
type said map[string]any

type result struct {
	Response    json.RawMessage `json:"response"`
	Rows        map[string]int  `json:"rows"`
	Checkpoints int             `json:"checkpoints"`
	ResumeToken []byte          `json:"resume_token"`
	Reconnects  int             `json:"reconnects"`
	Restarts    []said          `json:"restarts"`
	Notices     []said          `json:"notices"`
	Progress    int             `json:"progress"`
	Summary     json.RawMessage `json:"summary"`
	Error       *failure        `json:"error"`
}

type failure struct {
	Type              string            `json:"type"`
	Code              string            `json:"code"`
	Reason            string            `json:"reason"`
	Metadata          map[string]string `json:"metadata"`
	RetryDelaySeconds *float64          `json:"retry_delay_seconds"`
	Message           string            `json:"message"`
}

// newResult is one of which nothing is known: the suite asks for empty lists, not for null.
func newResult() result {
	return result{Rows: map[string]int{}, Restarts: []said{}, Notices: []said{}}
}

func (r *result) write(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".unfinished", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".unfinished", path)
}

// The kinds of errors that callers tell apart, as they do it.
var kinds = map[string]error{
	"ErrInvalidRequest":    extractor.ErrInvalidRequest,
	"ErrConnectionUnknown": extractor.ErrConnectionUnknown,
	"ErrUnauthenticated":   extractor.ErrUnauthenticated,
	"ErrPermissionDenied":  extractor.ErrPermissionDenied,
	"ErrResourceExhausted": extractor.ErrResourceExhausted,
	"ErrResumeToken":       extractor.ErrResumeToken,
	"ErrUnavailable":       extractor.ErrUnavailable,
	"ErrBrokenStream":      extractor.ErrBrokenStream,
}

// describe gives the error back where it is none of the client's.
func describe(err error) (*failure, error) {
	var failed *extractor.Error
	if !errors.As(err, &failed) {
		return nil, err
	}
	said := &failure{
		Type:     "Error",
		Code:     code.Code(failed.Code).String(),
		Reason:   failed.Reason,
		Metadata: failed.Metadata,
		Message:  failed.Message,
	}
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			said.Type = name
		}
	}
	if failed.Metadata == nil {
		said.Metadata = map[string]string{}
	}
	if failed.RetryDelay > 0 {
		seconds := failed.RetryDelay.Seconds()
		said.RetryDelaySeconds = &seconds
	}
	return said, nil
}
