// The acceptance suite's driver: tests/clients/README.md says what it must do.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"intercom-extractor/clients/go/extractor"
	pb "intercom-extractor/clients/go/extractorpb"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var scenario scenario
	if err := json.Unmarshal(text, &scenario); err != nil {
		return err
	}
	if scenario.Action == "decode" {
		return decode(&scenario)
	}
	var options []extractor.Option
	if scenario.Connection != nil {
		options = append(options, extractor.WithConnection(*scenario.Connection))
	}
	if scenario.Token != nil {
		options = append(options, extractor.WithToken(*scenario.Token))
	}
	if scenario.TLS != nil {
		config, err := extractor.LoadTLS(scenario.TLS.CA, orEmpty(scenario.TLS.Cert), orEmpty(scenario.TLS.Key))
		if err != nil {
			return err
		}
		options = append(options, extractor.WithTLS(config))
	}
	client, err := extractor.NewClient(scenario.Target, options...)
	if err != nil {
		return err
	}
	defer client.Close()
	request, err := scenario.Request.forClient()
	if err != nil {
		return err
	}
	if scenario.Action == "extract" {
		return extract(client, request, &scenario)
	}
	return ask(client, request, &scenario)
}

// ask is what one answer ends.
func ask(client *extractor.Client, request extractor.Request, scenario *scenario) error {
	ctx := context.Background()
	var response proto.Message
	var err error
	switch scenario.Action {
	case "tables":
		var tables []*pb.TableDescription
		tables, err = client.Tables(ctx, request.Template)
		response = &pb.ListTablesResponse{Tables: tables}
	case "check":
		response, err = client.Check(ctx)
	case "plan":
		response, err = client.Plan(ctx, request)
	default:
		return fmt.Errorf("no such action: %s", scenario.Action)
	}
	result := newResult()
	if err != nil {
		if result.Error, err = describe(err); err != nil {
			return err
		}
	} else if result.Response, err = asJSON(response); err != nil {
		return err
	}
	return result.write(scenario.Result)
}

func extract(client *extractor.Client, request extractor.Request, scenario *scenario) error {
	ctx := context.Background()
	if scenario.DeadlineSeconds != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*scenario.DeadlineSeconds*float64(time.Second)))
		defer cancel()
	}
	reader := &reader{scenario: scenario, result: newResult(), files: map[string]*csvFile{}}
	extraction := client.Extract(ctx, request, reader.options()...)
	err := reader.read(extraction)
	for _, file := range reader.files {
		err = errors.Join(err, file.close())
	}
	result := &reader.result
	if err != nil {
		if result.Error, err = describe(err); err != nil {
			return err
		}
	}
	result.ResumeToken = extraction.LastCheckpoint()
	result.Reconnects = extraction.Reconnects()
	if extraction.Summary() != nil {
		if result.Summary, err = asJSON(extraction.Summary()); err != nil {
			return err
		}
	}
	if err := result.write(scenario.Result); err != nil {
		return err
	}
	if reader.stopped {
		reader.say("stopped")
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	return err
}

func decode(scenario *scenario) error {
	for _, file := range scenario.Files {
		kind, err := protoregistry.GlobalTypes.FindMessageByName(
			protoreflect.FullName("intercom.extractor.v1." + file.Message))
		if err != nil {
			return err
		}
		content, err := os.ReadFile(file.Bytes)
		if err != nil {
			return err
		}
		message := kind.New().Interface()
		if err := proto.Unmarshal(content, message); err != nil {
			return err
		}
		text, err := asJSON(message)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file.JSON, text, 0o644); err != nil {
			return err
		}
	}
	result := newResult()
	return result.write(scenario.Result)
}

func asJSON(message proto.Message) (json.RawMessage, error) {
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
}
