/**
 * Reads whole Intercom workspaces, as typed rows, from an Intercom extractor server.
 *
 * <pre>{@code
 * try (var client = ExtractorClient.connect("localhost:50051");
 *     var rows = client.extract(ExtractionRequest.of("users", "conversations"))) {
 *   for (Row row : rows) {
 *     System.out.println(row.table() + " " + row.message());
 *   }
 * }
 * }</pre>
 *
 * <p>A row's message is one of {@link intercom.extractor.v1}, such as {@link
 * intercom.extractor.v1.User}; {@link intercom.extractor.Extraction#rowsOf} gives the rows of a
 * single table with their type.
 *
 * <h2>Lost connections</h2>
 *
 * <p>A connection that is lost is made again, and the extraction goes on from its last checkpoint.
 * By default rows are held back until the checkpoint after them has arrived, at most some 5,000, so
 * that each comes once; see {@link intercom.extractor.ExtractionOptions.Builder#atLeastOnce}. Who
 * stores rows and checkpoints in one transaction reads {@link
 * intercom.extractor.Extraction#events()}, and goes on in another process with {@link
 * intercom.extractor.ExtractionRequest.Builder#resumeToken}.
 *
 * <h2>Errors</h2>
 *
 * <p>What fails throws an {@link intercom.extractor.ExtractorException} with the server's reason,
 * of a class for each kind, such as {@link intercom.extractor.UnauthenticatedException}.
 */
package intercom.extractor;
