//! The messages of the service, as `proto/` describes them: requests, answers, events and the rows
//! of each table. A column that is null is `None`.

// Comments of the .proto files are written for readers of all languages.
#![allow(
    clippy::doc_lazy_continuation,
    clippy::pedantic,
    clippy::large_enum_variant,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags
)]

/// The .proto files as protoc writes them, annotations included: for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

tonic::include_proto!("intercom.extractor.v1");
