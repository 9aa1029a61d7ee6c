//! Messages of the stream as they came.
//!
//! Rows are decoded when they are handed out, not when they arrive: those held back for their
//! checkpoint take a third of the memory so, and are still in the processor's caches when the
//! caller has them.

use prost::bytes::{Buf as _, Bytes};
use prost::encoding::{self, DecodeContext, WireType};
use prost::{DecodeError, Message as _};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::Status;

use crate::errors::Error;
use crate::event::Event;
use crate::rows::{field_of, Batch};
use crate::v1::extract_response::Event as Said;
use crate::v1::{ExtractRequest, ExtractResponse, RowBatch};

const ROW_BATCH: u32 = 1;
const TABLE: u32 = 1;
const GENERATION: u32 = 3;
/// Fields of `RowBatch` are below.
const FIELDS: usize = 64;

/// A message of the stream.
// Beside the rows their size is nothing.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Received {
    Rows(EncodedRows),
    /// Anything else; none where a newer server says something new.
    Other(Option<Said>),
}

/// A `RowBatch`, of which is known what delivering it takes.
#[derive(Debug)]
pub(crate) struct EncodedRows {
    pub(crate) table: String,
    pub(crate) generation: u32,
    pub(crate) count: i64,
    batch: Bytes,
}

/// What is to be handed out.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Held {
    Rows(EncodedRows),
    Event(Event),
}

impl Received {
    pub(crate) fn decode(message: Bytes) -> Result<Self, DecodeError> {
        if let Some(batch) = only_rows(&message) {
            return Ok(Received::Rows(EncodedRows::new(batch)?));
        }
        Ok(match ExtractResponse::decode(message)?.event {
            Some(Said::RowBatch(batch)) => {
                Received::Rows(EncodedRows::new(batch.encode_to_vec().into())?)
            }
            event => Received::Other(event),
        })
    }
}

/// The batch of a message that holds nothing else.
fn only_rows(message: &Bytes) -> Option<Bytes> {
    let mut rest = &message[..];
    let (tag, wire) = encoding::decode_key(&mut rest).ok()?;
    if (tag, wire) != (ROW_BATCH, WireType::LengthDelimited) {
        return None;
    }
    let length = encoding::decode_varint(&mut rest).ok()?;
    (length == rest.len() as u64).then(|| message.slice(message.len() - rest.len()..))
}

impl EncodedRows {
    fn new(batch: Bytes) -> Result<Self, DecodeError> {
        let (mut table, mut generation) = (String::new(), 0);
        let mut counts = [0; FIELDS];
        let mut rest = &batch[..];
        while rest.has_remaining() {
            let context = DecodeContext::default();
            match encoding::decode_key(&mut rest)? {
                (TABLE, wire) => encoding::string::merge(wire, &mut table, &mut rest, context)?,
                (GENERATION, wire) => {
                    encoding::uint32::merge(wire, &mut generation, &mut rest, context)?;
                }
                (tag, wire) => {
                    if let Some(count) = counts.get_mut(tag as usize) {
                        *count += 1;
                    }
                    encoding::skip_field(wire, tag, &mut rest, context)?;
                }
            }
        }
        let count = field_of(&table)
            .and_then(|field| counts.get(field))
            .copied()
            .unwrap_or(0);
        Ok(EncodedRows {
            table,
            generation,
            count,
            batch,
        })
    }

    fn decode(self) -> Result<Batch, Error> {
        let batch =
            RowBatch::decode(self.batch).map_err(|error| Error::broken(&error.to_string()))?;
        Ok(batch.into())
    }
}

impl Held {
    pub(crate) fn decode(self) -> Result<Event, Error> {
        match self {
            Held::Rows(rows) => Ok(Event::Rows(rows.decode()?)),
            Held::Event(event) => Ok(event),
        }
    }
}

/// Of the call `Extract`.
#[derive(Default)]
pub(crate) struct ExtractCodec;

impl Codec for ExtractCodec {
    type Encode = ExtractRequest;
    type Decode = Received;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        ExtractCodec
    }

    fn decoder(&mut self) -> Self {
        ExtractCodec
    }
}

impl Encoder for ExtractCodec {
    type Item = ExtractRequest;
    type Error = Status;

    fn encode(
        &mut self,
        request: ExtractRequest,
        buffer: &mut EncodeBuf<'_>,
    ) -> Result<(), Status> {
        request
            .encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for ExtractCodec {
    type Item = Received;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Received>, Status> {
        let message = buffer.copy_to_bytes(buffer.remaining());
        let received =
            Received::decode(message).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some(received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{progress, tags};

    fn rows(message: Vec<u8>) -> EncodedRows {
        match Received::decode(message.into()).unwrap() {
            Received::Rows(rows) => rows,
            Received::Other(other) => panic!("got {other:?}"),
        }
    }

    #[test]
    fn rows_are_counted_without_being_decoded() {
        let encoded = rows(tags(&["a", "b"]).encode_to_vec());
        assert_eq!(
            (encoded.table.as_str(), encoded.generation, encoded.count),
            ("tags", 1, 2)
        );
        let batch = encoded.decode().unwrap();
        assert_eq!(batch.rows.len(), 2);
    }

    #[test]
    fn lengths_may_be_padded() {
        // A batch of two empty tags.
        let batch =
            b"\x0a\x84\x80\x80\x80\x00tags\x18\x01\xca\x01\x80\x00\xca\x01\x80\x80\x80\x80\x00";
        let mut message = b"\x0a\x9a\x80\x80\x80\x00".to_vec();
        message[1] = 0x80 | u8::try_from(batch.len()).unwrap();
        message.extend(batch);
        let encoded = rows(message);
        assert_eq!((encoded.table.as_str(), encoded.count), ("tags", 2));
        assert_eq!(encoded.decode().unwrap().rows.len(), 2);
    }

    #[test]
    fn what_comes_beside_rows_changes_nothing() {
        let mut message = tags(&["a"]).encode_to_vec();
        // Field 100, that nobody knows.
        message.extend(b"\xa2\x06\x01x");
        assert_eq!(rows(message).count, 1);
        // The last event counts.
        let mut message = tags(&["a"]).encode_to_vec();
        message.extend(progress().encode_to_vec());
        let received = Received::decode(message.into()).unwrap();
        assert!(matches!(received, Received::Other(Some(Said::Progress(_)))));
    }

    #[test]
    fn a_newer_table_has_no_rows() {
        let batch = RowBatch {
            table: "newer".into(),
            ..RowBatch::default()
        };
        let message = ExtractResponse {
            event: Some(Said::RowBatch(batch)),
        };
        assert_eq!(rows(message.encode_to_vec()).count, 0);
    }

    #[test]
    fn rows_that_cannot_be_decoded_break_the_stream() {
        // A tag whose id is no UTF-8.
        let batch = b"\x0a\x04tags\xca\x01\x03\x0a\x01\xff";
        let mut message = vec![0x0a, u8::try_from(batch.len()).unwrap()];
        message.extend(batch);
        let broken = rows(message).decode();
        assert!(matches!(broken, Err(Error::BrokenStream(_))), "{broken:?}");
        assert!(Received::decode(Bytes::from_static(b"\x0a\x05\x0a")).is_err());
    }
}
