package extractor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What an [*Error] can be, for [errors.Is].
var (
	// ErrInvalidRequest: correct the request; it names no table, or one that does not exist.
	ErrInvalidRequest = errors.New("the request is wrong")
	// ErrConnectionUnknown: the server has no connection of that name.
	ErrConnectionUnknown = errors.New("the connection is not known")
	// ErrUnauthenticated: Intercom refuses the connection's access token, or the server this
	// caller.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrPermissionDenied: the access token lacks a scope, or the workspace's plan does not
	// include it.
	ErrPermissionDenied = errors.New("permission denied")
	// ErrResourceExhausted: no quota, or no room; with a RetryDelay where waiting helps.
	ErrResourceExhausted = errors.New("resources are exhausted")
	// ErrResumeToken: the resume token cannot be used, and never will be; extract anew.
	ErrResumeToken = errors.New("the resume token cannot be used")
	// ErrUnavailable: the server, or Intercom behind it, could not be reached.
	ErrUnavailable = errors.New("unavailable")
	// ErrBrokenStream: rows may be missing, as the server broke the promises of its stream or
	// Intercom's answers are no good. Report it.
	ErrBrokenStream = errors.New("the stream is broken")
)

var kinds = map[codes.Code]error{
	codes.InvalidArgument:   ErrInvalidRequest,
	codes.NotFound:          ErrConnectionUnknown,
	codes.Unauthenticated:   ErrUnauthenticated,
	codes.PermissionDenied:  ErrPermissionDenied,
	codes.ResourceExhausted: ErrResourceExhausted,
	codes.Unavailable:       ErrUnavailable,
	codes.DataLoss:          ErrBrokenStream,
}

// Error is a call that failed. It names operations and ids, never a token or customer content.
type Error struct {
	// Code is gRPC's.
	Code codes.Code
	// Reason is one of docs/errors.md; empty when gRPC itself, or this package, says it.
	Reason string
	// Message is for people.
	Message string
	// Metadata says what it is about, such as which connection.
	Metadata map[string]string
	// RetryDelay is after how long a further try may help; zero where the server does not say.
	RetryDelay time.Duration

	cause error
	// said is what the server said it with; nil where this package says it.
	said *status.Status
}

// Error says the reason, or the code, and the message.
func (e *Error) Error() string {
	name := e.Reason
	if name == "" {
		name = e.Code.String()
	}
	return name + ": " + e.Message
}

// Is tells the kinds of errors apart, such as [ErrUnauthenticated].
func (e *Error) Is(target error) bool {
	if e.Code == codes.FailedPrecondition && strings.HasPrefix(e.Reason, "RESUME_TOKEN_") {
		return target == ErrResumeToken
	}
	return kinds[e.Code] == target
}

// Unwrap gives the context's error where that ended the call.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus lets status.Code and status.FromError of gRPC see through it.
func (e *Error) GRPCStatus() *status.Status {
	if e.said != nil {
		return e.said
	}
	return status.New(e.Code, e.Message)
}

// TableRestartedError says that a table begins anew after rows of it were handed out, and nobody
// listens for that: the rows of it so far are void. Use [OnTableRestarted], or read
// [Extraction.Events].
type TableRestartedError struct {
	// Table is its name.
	Table string
	// Generation counts how often the table has begun, from 1.
	Generation uint32
	// Reason is for people.
	Reason string
}

// Error says what to do.
func (e *TableRestartedError) Error() string {
	return fmt.Sprintf("%s begins anew (%s): the rows of it so far are void; "+
		"use OnTableRestarted to drop them and go on", e.Table, e.Reason)
}

func broken(format string, arguments ...any) *Error {
	message := "the server's stream is broken: " + fmt.Sprintf(format, arguments...)
	return &Error{Code: codes.DataLoss, Message: message}
}

// fromRPC makes an Error of what a call with that context ended with.
func fromRPC(ctx context.Context, err error) *Error {
	said := status.Convert(err)
	made := &Error{Code: said.Code(), Message: said.Message(), said: said}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			made.Reason, made.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.RetryInfo:
			made.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	if made.Code == codes.DeadlineExceeded {
		made.cause = context.DeadlineExceeded
	} else if ended := ctx.Err(); ended != nil && made.Code == codes.Canceled {
		return fromContext(ended)
	}
	return made
}

// fromContext makes an Error of a context's.
func fromContext(ended error) *Error {
	return &Error{
		Code:    status.FromContextError(ended).Code(),
		Message: ended.Error(),
		cause:   ended,
	}
}

// isLostConnection says whether another call can make up for it. What a server says of Intercom
// has a reason; what gRPC says of the connection has none. CANCELLED, which nobody here asked
// for, is a server's last answer as it stops.
func isLostConnection(err *Error) bool {
	if err.cause != nil || err.Code != codes.Unavailable && err.Code != codes.Canceled {
		return false
	}
	return err.Reason == "" || err.Reason == "SERVER_STOPPING" || err.Reason == "CONNECTION_AGE"
}
