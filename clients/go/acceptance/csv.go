package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "intercom-extractor/clients/go/extractorpb"
)

// csvFile is one table's; it begins anew as the table does.
type csvFile struct {
	file    *os.File
	writer  *bufio.Writer
	columns []*pb.ColumnDescription
}

func newCSVFile(path string, columns []*pb.ColumnDescription) (*csvFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	made := &csvFile{file, bufio.NewWriter(file), columns}
	return made, made.restart()
}

func (c *csvFile) restart() error {
	if err := c.file.Truncate(0); err != nil {
		return err
	}
	if _, err := c.file.Seek(0, 0); err != nil {
		return err
	}
	c.writer.Reset(c.file)
	return c.record(func(column *pb.ColumnDescription) string { return column.GetName() })
}

func (c *csvFile) write(row proto.Message) error {
	message := row.ProtoReflect()
	fields := message.Descriptor().Fields()
	return c.record(func(column *pb.ColumnDescription) string {
		field := fields.ByNumber(protoreflect.FieldNumber(column.GetNumber()))
		if !message.Has(field) {
			return ""
		}
		return csvField(message.Get(field))
	})
}

func (c *csvFile) record(field func(*pb.ColumnDescription) string) error {
	for index, column := range c.columns {
		if index > 0 {
			c.writer.WriteByte(',')
		}
		c.writer.WriteString(field(column))
	}
	// Says what went wrong since the file began.
	return c.writer.WriteByte('\n')
}

func (c *csvFile) close() error {
	if err := c.writer.Flush(); err != nil {
		return err
	}
	return c.file.Close()
}

func csvField(value protoreflect.Value) string {
	switch value := value.Interface().(type) {
	case string:
		if value == "" || strings.ContainsAny(value, ",\"\n\r") {
			return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
		}
		return value
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	default:
		return protoreflect.ValueOf(value).String()
	}
}
