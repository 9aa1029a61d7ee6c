//! A server of the tests, for what goes over the wire.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures::Stream;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Response, Status};

use crate::v1::extractor_service_server::{ExtractorService, ExtractorServiceServer};
use crate::v1::{self, ExtractResponse};

/// A server on the loopback. Its unary calls fail where it says so, otherwise say what they were
/// asked for.
#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) events: Vec<ExtractResponse>,
    pub(crate) end: Option<Status>,
    pub(crate) unary: Option<Status>,
    pub(crate) tokens: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn answer<T>(&self, answer: T) -> Result<Response<T>, Status> {
        self.unary.clone().map_or(Ok(Response::new(answer)), Err)
    }

    /// Its address. It ends with the runtime of the test.
    pub(crate) async fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = ExtractorServiceServer::new(self).max_encoding_message_size(usize::MAX);
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }
}

#[tonic::async_trait]
impl ExtractorService for Server {
    type ExtractStream = Pin<Box<dyn Stream<Item = Result<ExtractResponse, Status>> + Send>>;

    async fn list_tables(
        &self,
        request: tonic::Request<v1::ListTablesRequest>,
    ) -> Result<Response<v1::ListTablesResponse>, Status> {
        let row_message = request.get_ref().template().as_str_name().to_owned();
        let described = v1::TableDescription {
            row_message,
            ..Default::default()
        };
        self.answer(v1::ListTablesResponse {
            tables: vec![described],
        })
    }

    async fn check_connection(
        &self,
        request: tonic::Request<v1::CheckConnectionRequest>,
    ) -> Result<Response<v1::CheckConnectionResponse>, Status> {
        let api_version = request.into_inner().connection;
        self.answer(v1::CheckConnectionResponse {
            api_version,
            ..Default::default()
        })
    }

    async fn plan_extraction(
        &self,
        request: tonic::Request<v1::PlanExtractionRequest>,
    ) -> Result<Response<v1::PlanExtractionResponse>, Status> {
        let id_code = request.into_inner().tables.join(" ");
        let workspace = Some(v1::Workspace {
            id_code,
            ..Default::default()
        });
        self.answer(v1::PlanExtractionResponse {
            workspace,
            ..Default::default()
        })
    }

    // Not what this client is for.
    async fn list_extractions(
        &self,
        _: tonic::Request<v1::ListExtractionsRequest>,
    ) -> Result<Response<v1::ListExtractionsResponse>, Status> {
        self.answer(v1::ListExtractionsResponse::default())
    }

    async fn extract(
        &self,
        request: tonic::Request<v1::ExtractRequest>,
    ) -> Result<Response<Self::ExtractStream>, Status> {
        if let Some(token) = request.metadata().get("authorization") {
            self.tokens
                .lock()
                .unwrap()
                .push(token.to_str().unwrap().into());
        }
        let events = self.events.clone().into_iter().map(Ok);
        let end = self.end.clone().map(Err);
        Ok(Response::new(Box::pin(futures::stream::iter(
            events.chain(end),
        ))))
    }
}
