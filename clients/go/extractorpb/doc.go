// Package extractorpb has the messages of an Intercom extractor server: the rows of each table,
// and what the server says of an extraction. All but this comment is generated from the .proto
// files, which say what each field means.
package extractorpb
