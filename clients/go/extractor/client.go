package extractor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pb "intercom-extractor/clients/go/extractorpb"
)

// Client calls one server, for one of the server's connections to Intercom. It connects when it
// is first used, and is safe for use by several goroutines at once.
type Client struct {
	conn       *grpc.ClientConn
	stub       pb.ExtractorServiceClient
	connection string
	token      string
	timing     timing
}

// NewClient makes a client of the server at target, "HOST:PORT" or "unix:PATH". It uses TLS with
// the system's authorities, but for targets on this machine; see [WithTLS].
func NewClient(target string, options ...Option) (*Client, error) {
	settings := settings{timing: realTiming}
	for _, option := range options {
		option(&settings)
	}
	if err := checkToken(settings.token); err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(target, settings.dialOptions(target)...)
	if err != nil {
		return nil, err
	}
	return &Client{
		conn:       conn,
		stub:       pb.NewExtractorServiceClient(conn),
		connection: settings.connection,
		token:      settings.token,
		timing:     settings.timing,
	}, nil
}

// Close ends the connection, and with it what is still being read.
func (c *Client) Close() error { return c.conn.Close() }

// Tables describes the tables of a template with their columns; all tables for
// TEMPLATE_UNSPECIFIED.
func (c *Client) Tables(
	ctx context.Context, template pb.Template,
) ([]*pb.TableDescription, error) {
	response, err := c.stub.ListTables(c.outgoing(ctx), &pb.ListTablesRequest{Template: template})
	if err != nil {
		return nil, fromRPC(ctx, err)
	}
	return response.GetTables(), nil
}

// Check says whether the connection's access token works, and which tables it may read.
func (c *Client) Check(ctx context.Context) (*pb.CheckConnectionResponse, error) {
	request := &pb.CheckConnectionRequest{Connection: c.connection}
	response, err := c.stub.CheckConnection(c.outgoing(ctx), request)
	if err != nil {
		return nil, fromRPC(ctx, err)
	}
	return response, nil
}

// Plan says with how many requests Extract would read these tables, and how long that takes.
func (c *Client) Plan(ctx context.Context, request Request) (*pb.PlanExtractionResponse, error) {
	response, err := c.stub.PlanExtraction(c.outgoing(ctx), request.plan(c.connection))
	if err != nil {
		return nil, fromRPC(ctx, err)
	}
	return response, nil
}

// Extract reads tables. It begins when the extraction is first ranged over, and lasts no longer
// than ctx, lost connections included.
func (c *Client) Extract(ctx context.Context, request Request, options ...ExtractOption) *Extraction {
	extraction := &Extraction{
		ctx:            ctx,
		client:         c,
		request:        request.extract(c.connection),
		lastCheckpoint: request.ResumeToken,
		rows:           map[string]int{},
	}
	for _, option := range options {
		option(extraction)
	}
	extraction.delivery = newDelivery(extraction.atLeastOnce, request.ResumeToken)
	return extraction
}

// outgoing adds the caller token. Not as gRPC's credentials: these refuse to go in the clear,
// also where that stays within the machine.
func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.token)
}
