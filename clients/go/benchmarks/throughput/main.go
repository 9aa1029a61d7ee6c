// How fast the client hands out rows, beside a bare loop over the stub that touches the same.
//
// Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows, and
// `ratio`, the median of its rows/s beside those of the bare loop of the same round. A server in a
// process of its own sends the same batches again and again, so that the client is what is
// measured.
//
//	go run ./benchmarks/throughput [-rows N] [-rounds N]
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"intercom-extractor/clients/go/extractor"
	pb "intercom-extractor/clients/go/extractorpb"
)

func main() {
	rows := flag.Int("rows", 200_000, "rows of a stream")
	rounds := flag.Int("rounds", 9, "how often each way is measured")
	asServer := flag.Bool("serve", false, "be the server, until stdin is closed")
	flag.Parse()
	if *asServer {
		if err := serve(*rows); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*rows, *rounds); err != nil {
		log.Fatal(err)
	}
}

func run(rows, rounds int) error {
	server := exec.Command(os.Args[0], "-serve", fmt.Sprintf("-rows=%d", rows))
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return err
	}
	measured, err := measure(strings.TrimSpace(said), rounds)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(measured); err != nil {
		return err
	}
	stdin.Close()
	return server.Wait()
}

// way reads a whole stream and says how many rows it saw.
type way struct {
	name string
	read func(ctx context.Context, address string) (int, error)
}

var ways = []way{
	{"bare stub", bare},
	{"rows", func(ctx context.Context, address string) (int, error) {
		return clientRows(ctx, address)
	}},
	{"rows, at least once", func(ctx context.Context, address string) (int, error) {
		return clientRows(ctx, address, extractor.AtLeastOnce())
	}},
	{"batches", clientBatches},
}

func bare(ctx context.Context, address string) (int, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	stream, err := pb.NewExtractorServiceClient(conn).Extract(ctx, &pb.ExtractRequest{})
	if err != nil {
		return 0, err
	}
	rows := 0
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
		for _, row := range response.GetRowBatch().GetUsers() {
			if row.GetId() != "" {
				rows++
			}
		}
	}
}

func clientRows(ctx context.Context, address string, options ...extractor.ExtractOption) (int, error) {
	client, err := extractor.NewClient(address)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	rows := 0
	for row, err := range client.Extract(ctx, extractor.Request{}, options...).Rows() {
		if err != nil {
			return 0, err
		}
		if row.Message.(*pb.User).GetId() != "" {
			rows++
		}
	}
	return rows, nil
}

func clientBatches(ctx context.Context, address string) (int, error) {
	client, err := extractor.NewClient(address)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	rows := 0
	for batch, err := range client.Extract(ctx, extractor.Request{}).Batches() {
		if err != nil {
			return 0, err
		}
		for _, row := range batch.GetUsers() {
			if row.GetId() != "" {
				rows++
			}
		}
	}
	return rows, nil
}

type figures struct {
	RowsPerSecond            float64 `json:"rows_per_second"`
	CPUSecondsPerMillionRows float64 `json:"cpu_seconds_per_million_rows"`
	Ratio                    float64 `json:"ratio"`
}

func measure(address string, rounds int) (map[string]figures, error) {
	ctx := context.Background()
	// Everybody's first connection.
	if _, err := bare(ctx, address); err != nil {
		return nil, err
	}
	rates := make([][]float64, len(ways))
	costs := make([][]float64, len(ways))
	ratios := make([][]float64, len(ways))
	// In turn, so that a busy moment of the machine is everybody's.
	for range rounds {
		for index, way := range ways {
			start, cpu := time.Now(), cpuSeconds()
			rows, err := way.read(ctx, address)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", way.name, err)
			}
			rate := float64(rows) / time.Since(start).Seconds()
			rates[index] = append(rates[index], rate)
			costs[index] = append(costs[index], (cpuSeconds()-cpu)/float64(rows)*1e6)
			ratios[index] = append(ratios[index], rate/rates[0][len(rates[0])-1])
		}
	}
	measured := map[string]figures{}
	for index, way := range ways {
		measured[way.name] = figures{
			RowsPerSecond:            math.Round(median(rates[index])),
			CPUSecondsPerMillionRows: math.Round(median(costs[index])*100) / 100,
			Ratio:                    math.Round(median(ratios[index])*1000) / 1000,
		}
	}
	return measured, nil
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
