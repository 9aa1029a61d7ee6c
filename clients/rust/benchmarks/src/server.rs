//! The server that is read from: it sends bytes that are messages already.

use std::convert::Infallible;
use std::io::Read as _;

use bytes::{Buf as _, BufMut as _, Bytes};
use futures::stream::{self, BoxStream, StreamExt as _};
use intercom_extractor::v1::extract_response::Event;
use intercom_extractor::v1::{Checkpoint, ExtractResponse, RowBatch, Summary, TableRows, User};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{http, BoxFuture, Context, Poll, Service};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};

use crate::Any;

// As the server's: batches of some 256 KiB, a checkpoint after 5,000 rows.
const BATCH_ROWS: i64 = 400;
const BATCHES_PER_CHECKPOINT: i64 = 12;

/// Tells its address.
pub(crate) async fn serve(rows: usize) -> Result<(), Any> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let per_checkpoint = BATCH_ROWS * BATCHES_PER_CHECKPOINT;
    let served = Served {
        batch: encoded(Event::RowBatch(batch())),
        checkpoints: (i64::try_from(rows)? + per_checkpoint - 1) / per_checkpoint,
    };
    // What starts it closes its stdin.
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tonic::transport::Server::builder()
        .add_service(served)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), async move {
            let _ = end.await;
        })
        .await?;
    Ok(())
}

#[derive(Clone)]
struct Served {
    batch: Bytes,
    checkpoints: i64,
}

impl NamedService for Served {
    const NAME: &'static str = "intercom.extractor.v1.ExtractorService";
}

impl Service<http::Request<Body>> for Served {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let served = self.clone();
        Box::pin(async move { Ok(Grpc::new(RawCodec).server_streaming(served, request).await) })
    }
}

impl ServerStreamingService<()> for Served {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let batch = self.batch.clone();
        let intervals = (1..=self.checkpoints).flat_map(move |number| {
            let batches = (0..BATCHES_PER_CHECKPOINT).map({
                let batch = batch.clone();
                move |_| batch.clone()
            });
            batches.chain([encoded(Event::Checkpoint(checkpoint(number)))])
        });
        let end = encoded(Event::Summary(Summary::default()));
        let messages = stream::iter(intervals.chain([end]).map(Ok)).boxed();
        Box::pin(async move { Ok(Response::new(messages)) })
    }
}

struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        RawCodec
    }

    fn decoder(&mut self) -> Self {
        RawCodec
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}

fn encoded(event: Event) -> Bytes {
    ExtractResponse { event: Some(event) }
        .encode_to_vec()
        .into()
}

fn batch() -> RowBatch {
    let attribute = |number| format!("\"attribute_{number}\": \"{}\"", "x".repeat(20));
    let attributes: Vec<String> = (0..10).map(attribute).collect();
    let attributes = format!("{{{}}}", attributes.join(", "));
    let user = |number: i64| User {
        r#type: Some("user".into()),
        id: Some(format!("5ba682d23d7cf92bef87{number:04}")),
        created_at: Some(1_538_097_800 + number),
        updated_at: Some(1_638_097_800 + number),
        email: Some(format!("somebody.{number}@example.com")),
        phone: Some("+1 555 0100".into()),
        user_id: Some(number.to_string()),
        unsubscribed_from_emails: Some(false),
        name: Some("Somebody With A Name".into()),
        location_data_city_name: Some("Dublin".into()),
        location_data_country_name: Some("Ireland".into()),
        location_data_latitude: Some(53.159_233),
        custom_attributes: Some(attributes.clone()),
        ..User::default()
    };
    RowBatch {
        table: "users".into(),
        generation: 1,
        users: (0..BATCH_ROWS).map(user).collect(),
        ..RowBatch::default()
    }
}

fn checkpoint(number: i64) -> Checkpoint {
    let counted = TableRows {
        table: "users".into(),
        rows: BATCH_ROWS * BATCHES_PER_CHECKPOINT,
        generation: 1,
    };
    Checkpoint {
        resume_token: vec![b't'; 200],
        rows: vec![counted],
        number,
    }
}
