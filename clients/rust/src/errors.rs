//! What can go wrong, and what the server said of it.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Why a call failed: one variant for each kind that callers treat differently.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Correct the request; it names no table, or one that does not exist.
    #[error(transparent)]
    InvalidRequest(Box<Failure>),
    /// The server has no connection of that name.
    #[error(transparent)]
    ConnectionUnknown(Box<Failure>),
    /// Intercom refuses the connection's access token, or the server this caller.
    #[error(transparent)]
    Unauthenticated(Box<Failure>),
    /// The access token lacks a scope, or the workspace's plan does not include it.
    #[error(transparent)]
    PermissionDenied(Box<Failure>),
    /// No quota, or no room; with a `retry_delay` where waiting helps.
    #[error(transparent)]
    ResourceExhausted(Box<Failure>),
    /// The resume token cannot be used, and never will be; extract anew.
    #[error(transparent)]
    ResumeToken(Box<Failure>),
    /// The server, or Intercom behind it, could not be reached.
    #[error(transparent)]
    Unavailable(Box<Failure>),
    /// Rows may be missing, as the server broke the promises of its stream or Intercom's answers
    /// are no good. Report it.
    #[error(transparent)]
    BrokenStream(Box<Failure>),
    /// The time that [`Extraction::timeout`](crate::Extraction::timeout) gave is over.
    #[error(transparent)]
    DeadlineExceeded(Box<Failure>),
    /// Anything else that a server says.
    #[error(transparent)]
    Other(Box<Failure>),
    /// A table begins anew after rows of it were handed out, and nobody listens for that: its
    /// rows so far are void. Use [`Extraction::on_table_restarted`](crate::Extraction::on_table_restarted),
    /// or read [`Extraction::events`](crate::Extraction::events).
    #[error("{table} begins anew ({reason}): its rows so far are void; use on_table_restarted to drop them and go on")]
    TableRestarted {
        /// The table's name.
        table: String,
        /// Counts how often the table has begun, from 1.
        generation: u32,
        /// Why, for people.
        reason: String,
    },
    /// The client cannot be made with these settings.
    #[error("{0}")]
    Settings(String),
}

/// What is known of a call that failed. Names operations and ids, never a token or customer content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// gRPC's code.
    pub code: Code,
    /// One of docs/errors.md, by `google.rpc.ErrorInfo`; empty when gRPC itself, or this crate, says it.
    pub reason: String,
    /// For people.
    pub message: String,
    /// What it is about, such as which connection; by `ErrorInfo`.
    pub metadata: HashMap<String, String>,
    /// After how long a further try may help, by `google.rpc.RetryInfo`.
    pub retry_delay: Option<Duration>,
    /// As gRPC gave it; none where this crate says it.
    pub status: Option<Status>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            write!(f, "{:?}: {}", self.code, self.message)
        } else {
            write!(f, "{}: {}", self.reason, self.message)
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.status.as_ref().and_then(StdError::source)
    }
}

impl Error {
    /// What is known of it; none for those that are no call's.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Error::InvalidRequest(failure)
            | Error::ConnectionUnknown(failure)
            | Error::Unauthenticated(failure)
            | Error::PermissionDenied(failure)
            | Error::ResourceExhausted(failure)
            | Error::ResumeToken(failure)
            | Error::Unavailable(failure)
            | Error::BrokenStream(failure)
            | Error::DeadlineExceeded(failure)
            | Error::Other(failure) => Some(failure),
            Error::TableRestarted { .. } | Error::Settings(_) => None,
        }
    }

    /// gRPC's code.
    pub fn code(&self) -> Code {
        match self {
            Error::TableRestarted { .. } => Code::Aborted,
            Error::Settings(_) => Code::InvalidArgument,
            _ => self.failure().map_or(Code::Unknown, |failure| failure.code),
        }
    }

    /// The server's reason, one of docs/errors.md; empty where there is none.
    pub fn reason(&self) -> &str {
        self.failure().map_or("", |failure| &failure.reason)
    }

    /// After how long a further try may help, where the server says so.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.failure().and_then(|failure| failure.retry_delay)
    }

    /// Of a broken promise.
    pub(crate) fn broken(what: &str) -> Self {
        Error::own(
            Code::DataLoss,
            format!("the server's stream is broken: {what}"),
        )
    }

    pub(crate) fn deadline(what: &str) -> Self {
        Error::own(Code::DeadlineExceeded, what.into())
    }

    fn own(code: Code, message: String) -> Self {
        Error::of(Failure {
            code,
            reason: String::new(),
            message,
            metadata: HashMap::new(),
            retry_delay: None,
            status: None,
        })
    }

    fn of(failure: Failure) -> Self {
        let kind = match failure.code {
            Code::InvalidArgument => Error::InvalidRequest,
            Code::NotFound => Error::ConnectionUnknown,
            Code::Unauthenticated => Error::Unauthenticated,
            Code::PermissionDenied => Error::PermissionDenied,
            Code::ResourceExhausted => Error::ResourceExhausted,
            Code::FailedPrecondition if failure.reason.starts_with("RESUME_TOKEN_") => {
                Error::ResumeToken
            }
            Code::Unavailable => Error::Unavailable,
            Code::DataLoss => Error::BrokenStream,
            Code::DeadlineExceeded => Error::DeadlineExceeded,
            _ => Error::Other,
        };
        kind(Box::new(failure))
    }

    /// Whether another call can make up for it. What a server says of Intercom has a reason; what
    /// gRPC says of the connection has none. CANCELLED is a server's last answer as it stops: who
    /// cancels here drops the call and hears nothing more.
    pub(crate) fn is_lost_connection(&self) -> bool {
        matches!(self.code(), Code::Unavailable | Code::Cancelled)
            && self.failure().is_some()
            && matches!(self.reason(), "" | "SERVER_STOPPING" | "CONNECTION_AGE")
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = details
            .error_info()
            .map(|info| (info.reason.clone(), info.metadata.clone()))
            .unwrap_or_default();
        Error::of(Failure {
            code: code_of(&status),
            reason,
            message: message_of(&status),
            metadata,
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
            status: Some(status),
        })
    }
}

/// What gRPC's other implementations say. For tonic a connection that breaks is UNKNOWN, one that
/// ends before the call leaves is CANCELLED, and a stream that is reset depends on its features.
fn code_of(status: &Status) -> Code {
    let Some(cause) = status.source() else {
        // As the server said it.
        return status.code();
    };
    let mut next = Some(cause);
    while let Some(error) = next {
        if error.is::<tonic::TimeoutExpired>() {
            return Code::DeadlineExceeded;
        }
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return code_of_h2(error);
        }
        next = error.source();
    }
    Code::Unavailable
}

/// By gRPC's table in PROTOCOL-HTTP2.md.
fn code_of_h2(error: &h2::Error) -> Code {
    if error.is_io() || error.is_go_away() && error.is_remote() {
        return Code::Unavailable;
    }
    match error.reason() {
        Some(h2::Reason::REFUSED_STREAM) => Code::Unavailable,
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        _ => Code::Internal,
    }
}

/// With its causes: tonic says "transport error" and leaves the rest to them.
fn message_of(status: &Status) -> String {
    let mut message = status.message().to_owned();
    let mut next = status.source();
    while let Some(error) = next {
        let said = error.to_string();
        if !message.contains(&said) {
            message = if message.is_empty() {
                said
            } else {
                format!("{message}: {said}")
            };
        }
        next = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn said(code: Code, reason: &str, retry: Option<Duration>) -> Error {
        let mut details = ErrorDetails::new();
        let metadata = HashMap::from([("connection".to_owned(), "default".to_owned())]);
        details.set_error_info(reason, "intercom-extractor", metadata);
        if retry.is_some() {
            details.set_retry_info(retry);
        }
        Status::with_error_details(code, "scripted", details).into()
    }

    /// As tonic makes it of an error of the connection.
    fn caused(code: Code, cause: impl StdError + Send + Sync + 'static) -> Error {
        let mut status = Status::new(code, "scripted");
        status.set_source(std::sync::Arc::new(cause));
        status.into()
    }

    #[test]
    fn errors_say_what_the_server_said() {
        let error = said(
            Code::ResourceExhausted,
            "RATE_LIMITED",
            Some(Duration::from_millis(1500)),
        );
        let Error::ResourceExhausted(failure) = &error else {
            panic!("got {error:?}")
        };
        assert_eq!(failure.metadata["connection"], "default");
        assert_eq!(
            failure.status.as_ref().map(Status::code),
            Some(Code::ResourceExhausted)
        );
        assert_eq!(error.reason(), "RATE_LIMITED");
        assert_eq!(error.retry_delay(), Some(Duration::from_millis(1500)));
        assert_eq!(error.to_string(), "RATE_LIMITED: scripted");
        assert_eq!(
            Error::from(Status::not_found("x")).to_string(),
            "NotFound: x"
        );
    }

    #[test]
    fn kinds_have_variants_of_their_own() {
        let kind = |code, reason| std::mem::discriminant(&said(code, reason, None));
        let mut kinds = vec![
            kind(Code::InvalidArgument, ""),
            kind(Code::NotFound, ""),
            kind(Code::Unauthenticated, ""),
            kind(Code::PermissionDenied, ""),
            kind(Code::ResourceExhausted, ""),
            kind(Code::FailedPrecondition, "RESUME_TOKEN_EXPIRED"),
            kind(Code::FailedPrecondition, "INTERCOM_UNREACHABLE"),
            kind(Code::Unavailable, ""),
            kind(Code::DataLoss, ""),
            kind(Code::DeadlineExceeded, ""),
        ];
        assert_eq!(kinds[6], kind(Code::Internal, ""), "it is no kind");
        while let Some(last) = kinds.pop() {
            assert!(!kinds.contains(&last), "{last:?} is there twice");
        }
    }

    #[test]
    fn only_lost_connections_are_worth_another_call() {
        for code in [Code::Unavailable, Code::Cancelled] {
            assert!(Error::from(Status::new(code, "")).is_lost_connection());
            assert!(said(code, "SERVER_STOPPING", None).is_lost_connection());
            assert!(
                said(code, "CONNECTION_AGE", Some(Duration::from_secs(30))).is_lost_connection()
            );
            assert!(!said(code, "INTERCOM_UNREACHABLE", None).is_lost_connection());
        }
        assert!(!Error::from(Status::unknown("")).is_lost_connection());
        assert!(!Error::Settings(String::new()).is_lost_connection());
        assert!(!Error::broken("").is_lost_connection());
    }

    #[test]
    fn what_breaks_below_grpc_is_unavailable() {
        let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(caused(Code::Unknown, broken()).code(), Code::Unavailable);
        assert_eq!(caused(Code::Cancelled, broken()).code(), Code::Unavailable);
        assert!(
            caused(Code::Unknown, broken())
                .to_string()
                .ends_with("reset"),
            "it says why"
        );
    }

    #[test]
    fn streams_that_are_reset_have_the_codes_of_grpc() {
        for (reason, code) in [
            (h2::Reason::REFUSED_STREAM, Code::Unavailable),
            (h2::Reason::CANCEL, Code::Cancelled),
            (h2::Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
            (h2::Reason::INADEQUATE_SECURITY, Code::PermissionDenied),
            (h2::Reason::PROTOCOL_ERROR, Code::Internal),
        ] {
            assert_eq!(caused(Code::Unknown, h2::Error::from(reason)).code(), code);
        }
    }
}
