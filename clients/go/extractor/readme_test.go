package extractor

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	pb "intercom-extractor/clients/go/extractorpb"
)

// blocks of the README that are in that language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	fence := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$")
	// Closing fences open nothing: each block is taken whole.
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]*\n.*?^```$").FindAllString(string(readme), -1) {
		if match := fence.FindStringSubmatch(block); match != nil {
			found = append(found, match[1])
		}
	}
	return found
}

// TestReadme goes the way of a newcomer, with the commands and programs of the README.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	rows := call{events: responses{tags("a", "b"), checkpoint(1, 2), event(&pb.Summary{
		Tables: []*pb.TableSummary{{Table: "tags", Status: pb.TableStatus_TABLE_STATUS_COMPLETE, Rows: 2}},
	})}}
	scripted := &scriptedServer{script: slices.Repeat([]call{rows}, 3)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterExtractorServiceServer(server, scripted)
	go server.Serve(listener)
	t.Cleanup(server.Stop)

	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	checkout := t.TempDir()
	if err := os.CopyFS(filepath.Join(checkout, "clients", "go"), os.DirFS(module)); err != nil {
		t.Fatal(err)
	}
	programs, commands := blocks(t, "go"), blocks(t, "")
	if len(programs) != 2 || len(commands) != 3 {
		t.Fatalf("%d programs, %d commands", len(programs), len(commands))
	}
	folder := filepath.Join(checkout, ".build", "rows")
	run := func(folder, commands string) string {
		command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
		command.Dir = folder
		said, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", commands, err, said)
		}
		return string(said)
	}
	run(checkout, commands[0])
	wanted := [][]string{
		{`tags id:"a"`, `tags id:"b"`},
		{"0 requests", "1 tables, 0 reconnects", "tags TABLE_STATUS_COMPLETE 2", "tag a", "tag b"},
	}
	for number, program := range programs {
		program = strings.ReplaceAll(program, "localhost:50051", listener.Addr().String())
		if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o644); err != nil {
			t.Fatal(err)
		}
		said := run(folder, commands[1])
		for _, line := range wanted[number] {
			if !strings.Contains(said, fmt.Sprintln(line)) && !strings.Contains(said, line+" ") {
				t.Errorf("program %d does not say %q:\n%s", number+1, line, said)
			}
		}
	}
	// As the first program asks for it.
	if asked := scripted.requests[0].GetTables(); !slices.Equal(asked, []string{"users", "conversations"}) {
		t.Errorf("it asked for %q", asked)
	}
}
