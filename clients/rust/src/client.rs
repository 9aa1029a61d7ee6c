//! The client of one server.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::backoff::Random;
use crate::calls::Stub;
use crate::errors::Error;
use crate::extraction::Extraction;
use crate::request::Request;
use crate::v1;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The server says something at least every 10 s. More than one ping in 30 s it takes for an attack.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(30);
/// Rows of the next checkpoint arrive while those of the last one are handed out: with the usual
/// 2 MiB the connection would stand still meanwhile.
const WINDOW: u32 = 8 << 20;

/// Calls one server, for one of the server's connections to Intercom. Connects when it is first
/// used. Clones share the connection, which ends with the last of them and of their extractions.
#[derive(Clone)]
pub struct Client {
    stub: Arc<Stub>,
    connection: String,
    random: Random,
}

impl Client {
    /// Of the server at `target`, `"HOST:PORT"` or `"unix:PATH"`; see [`Client::builder`].
    pub fn new(target: impl Into<String>) -> Result<Self, Error> {
        Client::builder(target).build()
    }

    /// Of the server at `target`, `"HOST:PORT"` or `"unix:PATH"`. Uses TLS with the system's
    /// authorities, but for targets on this machine.
    pub fn builder(target: impl Into<String>) -> Builder {
        Builder {
            target: target.into(),
            connection: String::new(),
            token: None,
            tls: None,
            configure: None,
        }
    }

    /// Describes the tables of a template with their columns; all tables for `Template::Unspecified`.
    pub async fn tables(&self, template: v1::Template) -> Result<Vec<v1::TableDescription>, Error> {
        let request = v1::ListTablesRequest {
            template: template.into(),
            ..v1::ListTablesRequest::default()
        };
        let answer = self
            .stub
            .client()
            .list_tables(self.stub.outgoing(request))
            .await?;
        Ok(answer.into_inner().tables)
    }

    /// Says whether the connection's access token works, and which tables it may read.
    pub async fn check(&self) -> Result<v1::CheckConnectionResponse, Error> {
        let request = v1::CheckConnectionRequest {
            connection: self.connection.clone(),
        };
        let answer = self
            .stub
            .client()
            .check_connection(self.stub.outgoing(request))
            .await?;
        Ok(answer.into_inner())
    }

    /// Says with how many requests [`extract`](Self::extract) would read these tables, and how long
    /// that takes.
    pub async fn plan(&self, request: Request) -> Result<v1::PlanExtractionResponse, Error> {
        let request = self.stub.outgoing(request.plan(&self.connection));
        Ok(self
            .stub
            .client()
            .plan_extraction(request)
            .await?
            .into_inner())
    }

    /// Reads tables.
    pub fn extract(&self, request: Request) -> Extraction {
        let request = request.extract(&self.connection);
        Extraction::new(self.stub.clone(), self.random.clone(), request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

type Configure = Box<dyn FnOnce(Endpoint) -> Endpoint + Send>;

/// Makes a [`Client`].
#[must_use]
pub struct Builder {
    target: String,
    connection: String,
    token: Option<String>,
    tls: Option<Tls>,
    configure: Option<Configure>,
}

impl Builder {
    /// One of the server's connections to Intercom, instead of `"default"`.
    pub fn connection(mut self, name: impl Into<String>) -> Self {
        self.connection = name.into();
        self
    }

    /// The token that the server asks its callers for.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// TLS of one's own, also to targets on this machine.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets something else of tonic's endpoint, after all that is set here.
    pub fn endpoint(
        mut self,
        configure: impl FnOnce(Endpoint) -> Endpoint + Send + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// The client. Must be called within a Tokio runtime, whose task the connection becomes.
    pub fn build(self) -> Result<Client, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::Settings(
                "a client needs a Tokio runtime around it".into(),
            ));
        }
        let authorization = self.token.as_deref().map(authorization).transpose()?;
        let tls = match self.tls {
            None if is_local(&self.target) => None,
            tls => Some(tls.unwrap_or_default()),
        };
        let mut endpoint = endpoint(&self.target, tls)?;
        if let Some(configure) = self.configure {
            endpoint = configure(endpoint);
        }
        Ok(Client {
            stub: Arc::new(Stub::new(endpoint.connect_lazy(), authorization)),
            connection: self.connection,
            random: Arc::new(fastrand::f64),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token.
        f.debug_struct("Builder")
            .field("target", &self.target)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Whom to trust, and what to show. By default the system's authorities, and no certificate.
#[derive(Clone, Debug)]
pub struct Tls(ClientTlsConfig);

impl Default for Tls {
    fn default() -> Self {
        Tls(ClientTlsConfig::new().with_native_roots())
    }
}

impl Tls {
    /// Trusts the authorities of a PEM file, and no others.
    pub fn from_ca_file(file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let pem = read(file)?;
        if !pem.windows(17).any(|window| window == b"BEGIN CERTIFICATE") {
            return Err(Error::Settings(format!(
                "{} holds no certificate",
                file.display()
            )));
        }
        Ok(Tls(
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
        ))
    }

    /// Shows the client's certificate, of PEM files.
    pub fn with_identity_files(
        self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let identity = Identity::from_pem(read(certificate.as_ref())?, read(key.as_ref())?);
        Ok(Tls(self.0.identity(identity)))
    }
}

impl From<ClientTlsConfig> for Tls {
    fn from(config: ClientTlsConfig) -> Self {
        Tls(config)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(file).map_err(|error| Error::Settings(format!("{}: {error}", file.display())))
}

fn endpoint(target: &str, tls: Option<Tls>) -> Result<Endpoint, Error> {
    let wrong = |error: &dyn fmt::Display| Error::Settings(format!("{target}: {error}"));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = if target.starts_with("unix:") {
        target.into()
    } else {
        format!("{scheme}://{target}")
    };
    let mut endpoint = Endpoint::from_shared(address).map_err(|error| wrong(&error))?;
    if !target.starts_with("unix:")
        && (endpoint.uri().port().is_none() || endpoint.uri().path() != "/")
    {
        return Err(wrong(&"the server must be given as HOST:PORT or unix:PATH"));
    }
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls.0).map_err(|error| wrong(&error))?;
    }
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT))
}

/// Whether an address stays within this machine: only there may text travel in the clear.
fn is_local(target: &str) -> bool {
    if target.starts_with("unix:") {
        return true;
    }
    if let Ok(address) = target.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    host == "localhost"
        || target
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn authorization(token: &str) -> Result<AsciiMetadataValue, Error> {
    // Without the token: it would end in logs.
    let wrong = || {
        Error::Settings("the caller token must be one word of printable ASCII characters".into())
    };
    if token.is_empty() || !token.bytes().all(|sign| sign.is_ascii_graphic()) {
        return Err(wrong());
    }
    let mut value = AsciiMetadataValue::try_from(format!("Bearer {token}")).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
