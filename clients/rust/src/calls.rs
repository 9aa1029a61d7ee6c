//! The calls of one server.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::received::{ExtractCodec, Received};
use crate::v1;
use crate::v1::extractor_service_client::ExtractorServiceClient;

/// A batch is at most 1 MiB, but a single row may be as large as this.
pub(crate) const LARGEST_MESSAGE: usize = 64 << 20;

const EXTRACT: &str = "/intercom.extractor.v1.ExtractorService/Extract";

pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Status>> + Send>>;
pub(crate) type Responses = Pin<Box<dyn Stream<Item = Result<Received, Status>> + Send>>;

/// What an extraction calls; dropping what it gives cancels.
pub(crate) trait Calls: Send + Sync {
    fn extract(&self, request: v1::ExtractRequest, timeout: Option<Duration>) -> Answer<Responses>;
    fn list_tables(&self, request: v1::ListTablesRequest) -> Answer<v1::ListTablesResponse>;
}

/// Over gRPC.
#[derive(Debug)]
pub(crate) struct Stub {
    channel: Channel,
    authorization: Option<AsciiMetadataValue>,
}

impl Stub {
    pub(crate) fn new(channel: Channel, authorization: Option<AsciiMetadataValue>) -> Self {
        Stub {
            channel,
            authorization,
        }
    }

    pub(crate) fn client(&self) -> ExtractorServiceClient<Channel> {
        ExtractorServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// With the caller token.
    pub(crate) fn outgoing<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request
                .metadata_mut()
                .insert("authorization", authorization.clone());
        }
        request
    }
}

impl Calls for Stub {
    fn extract(&self, request: v1::ExtractRequest, timeout: Option<Duration>) -> Answer<Responses> {
        let mut request = self.outgoing(request);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        // As the generated stub does it, but for the codec.
        let mut client = Grpc::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE);
        Box::pin(async move {
            let not_ready = |error| Status::from_error(Box::new(error));
            client.ready().await.map_err(not_ready)?;
            let path = PathAndQuery::from_static(EXTRACT);
            let stream = client.server_streaming(request, path, ExtractCodec).await?;
            let responses: Responses = Box::pin(stream.into_inner());
            Ok(responses)
        })
    }

    fn list_tables(&self, request: v1::ListTablesRequest) -> Answer<v1::ListTablesResponse> {
        let request = self.outgoing(request);
        let mut client = self.client();
        Box::pin(async move { Ok(client.list_tables(request).await?.into_inner()) })
    }
}
