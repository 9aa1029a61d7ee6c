package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	pb "intercom-extractor/clients/go/extractorpb"
)

// As the server's: batches of some 256 KiB, a checkpoint after 5,000 rows.
const (
	batchRows            = 400
	batchesPerCheckpoint = 12
)

// serve tells its address.
func serve(rows int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	batch, err := proto.Marshal(batch())
	if err != nil {
		return err
	}
	intervals := (rows + batchRows*batchesPerCheckpoint - 1) / (batchRows * batchesPerCheckpoint)
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			if err := stream.RecvMsg(&[]byte{}); err != nil {
				return err
			}
			for number := range intervals {
				for range batchesPerCheckpoint {
					if err := stream.SendMsg(batch); err != nil {
						return err
					}
				}
				if err := send(stream, checkpoint(int64(number+1))); err != nil {
					return err
				}
			}
			return send(stream, &pb.ExtractResponse{
				Event: &pb.ExtractResponse_Summary{Summary: &pb.Summary{}},
			})
		}),
	)
	go func() {
		// What starts it closes its stdin.
		io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Println(listener.Addr())
	return server.Serve(listener)
}

func send(stream grpc.ServerStream, event *pb.ExtractResponse) error {
	content, err := proto.Marshal(event)
	if err != nil {
		return err
	}
	return stream.SendMsg(content)
}

// rawCodec sends bytes that are messages already.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

func (rawCodec) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(message.([]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, message any) error {
	*message.(*[]byte) = data.Materialize()
	return nil
}

func (rawCodec) Name() string { return "proto" }

func batch() *pb.ExtractResponse {
	batch := &pb.RowBatch{Table: "users", Generation: 1}
	var attributes []string
	for number := range 10 {
		attributes = append(attributes, fmt.Sprintf(`"attribute_%d": %q`, number, strings.Repeat("x", 20)))
	}
	for number := range batchRows {
		batch.Users = append(batch.Users, &pb.User{
			Type:                    proto.String("user"),
			Id:                      proto.String(fmt.Sprintf("5ba682d23d7cf92bef87%04d", number)),
			CreatedAt:               proto.Int64(1_538_097_800 + int64(number)),
			UpdatedAt:               proto.Int64(1_638_097_800 + int64(number)),
			Email:                   proto.String(fmt.Sprintf("somebody.%d@example.com", number)),
			Phone:                   proto.String("+1 555 0100"),
			UserId:                  proto.String(fmt.Sprint(number)),
			UnsubscribedFromEmails:  proto.Bool(false),
			Name:                    proto.String("Somebody With A Name"),
			LocationDataCityName:    proto.String("Dublin"),
			LocationDataCountryName: proto.String("Ireland"),
			LocationDataLatitude:    proto.Float64(53.159233),
			CustomAttributes:        proto.String("{" + strings.Join(attributes, ", ") + "}"),
		})
	}
	return &pb.ExtractResponse{Event: &pb.ExtractResponse_RowBatch{RowBatch: batch}}
}

func checkpoint(number int64) *pb.ExtractResponse {
	return &pb.ExtractResponse{Event: &pb.ExtractResponse_Checkpoint{Checkpoint: &pb.Checkpoint{
		Number:      number,
		ResumeToken: []byte(strings.Repeat("t", 200)),
		Rows: []*pb.TableRows{
			{Table: "users", Rows: batchRows * batchesPerCheckpoint, Generation: 1},
		},
	}}}
}
