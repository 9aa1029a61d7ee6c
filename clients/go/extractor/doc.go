// Package extractor reads whole Intercom workspaces, as typed rows, from an Intercom extractor
// server.
//
//	client, err := extractor.NewClient("localhost:50051")
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	request := extractor.Request{Tables: []string{"users", "conversations"}}
//	for row, err := range client.Extract(ctx, request).Rows() {
//		if err != nil {
//			return err
//		}
//		fmt.Println(row.Table, row.Message)
//	}
//
// A row's message is one of package extractorpb, such as *extractorpb.User; [RowsOf] gives the
// rows of a single table with their type.
//
// # Lost connections
//
// A connection that is lost is made again, and the extraction goes on from its last checkpoint.
// By default rows are held back until the checkpoint after them has arrived, at most some 5,000,
// so that each comes once; see [AtLeastOnce]. Who stores rows and checkpoints in one transaction
// reads [Extraction.Events], and goes on in another process with [Request.ResumeToken].
//
// # Errors
//
// Failed calls give an [*Error] with the server's reason; [errors.Is] tells its kinds apart, such
// as [ErrUnauthenticated]. A context that is cancelled, or whose deadline passes, ends the call at
// the server; the error then also is [context.Canceled] or [context.DeadlineExceeded].
package extractor
