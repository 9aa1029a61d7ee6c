//! The scenario, and what became of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::prelude::{Engine as _, BASE64_STANDARD};
use intercom_extractor::v1::Template;
use intercom_extractor::{Error, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Any;

#[derive(Deserialize)]
pub(crate) struct Scenario {
    pub(crate) action: String,
    pub(crate) result: PathBuf,
    pub(crate) target: String,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) token: Option<String>,
    pub(crate) connection: Option<String>,
    pub(crate) request: Asked,
    pub(crate) delivery: String,
    pub(crate) output: PathBuf,
    pub(crate) deadline_seconds: Option<f64>,
    pub(crate) stop_after_rows: Option<usize>,
    pub(crate) stop_after_checkpoints: Option<usize>,
    pub(crate) pause: Option<Pause>,
    pub(crate) files: Vec<Encoded>,
}

#[derive(Deserialize)]
pub(crate) struct TlsFiles {
    pub(crate) ca: PathBuf,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

#[derive(Deserialize)]
pub(crate) struct Pause {
    pub(crate) after_rows: usize,
    pub(crate) seconds: f64,
}

#[derive(Deserialize)]
pub(crate) struct Encoded {
    pub(crate) message: String,
    pub(crate) bytes: PathBuf,
    pub(crate) json: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    template: Option<String>,
    tables: Vec<String>,
    updated_since: Option<u64>,
    find_deleted: bool,
    resume_token: Option<String>,
}

impl Asked {
    pub(crate) fn template(&self) -> Result<Template, Any> {
        match self.template.as_deref() {
            None => Ok(Template::Unspecified),
            Some("basic") => Ok(Template::Basic),
            Some("conversations") => Ok(Template::Conversations),
            Some("all") => Ok(Template::All),
            Some(name) => Err(format!("no such template: {name}").into()),
        }
    }

    pub(crate) fn for_client(&self) -> Result<Request, Any> {
        let mut request = Request::template(self.template()?).and_tables(&self.tables);
        if let Some(seconds) = self.updated_since {
            request = request.updated_since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        }
        if self.find_deleted {
            request = request.find_deleted();
        }
        if let Some(token) = &self.resume_token {
            request = request.resume_from(BASE64_STANDARD.decode(token)?);
        }
        Ok(request)
    }
}

#[derive(Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) response: Option<Value>,
    pub(crate) rows: BTreeMap<&'static str, usize>,
    pub(crate) checkpoints: usize,
    resume_token: Option<String>,
    pub(crate) reconnects: u32,
    pub(crate) restarts: Vec<Restart>,
    pub(crate) notices: Vec<Noticed>,
    pub(crate) progress: usize,
    pub(crate) summary: Option<Value>,
    error: Option<Failed>,
}

#[derive(Serialize)]
pub(crate) struct Restart {
    pub(crate) table: String,
    pub(crate) generation: u32,
}

#[derive(Serialize)]
pub(crate) struct Noticed {
    pub(crate) code: &'static str,
    pub(crate) table: String,
}

#[derive(Serialize)]
struct Failed {
    r#type: &'static str,
    code: String,
    reason: String,
    metadata: BTreeMap<String, String>,
    retry_delay_seconds: Option<f64>,
    message: String,
}

impl Outcome {
    pub(crate) fn set_resume_token(&mut self, token: Option<&[u8]>) {
        self.resume_token = token.map(|token| BASE64_STANDARD.encode(token));
    }

    /// Gives the error back where it is no call's.
    pub(crate) fn set_error(&mut self, error: Error) -> Result<(), Error> {
        let Some(failure) = error.failure() else {
            return Err(error);
        };
        self.error = Some(Failed {
            r#type: variant(&error),
            code: upper_snake(&format!("{:?}", failure.code)),
            reason: failure.reason.clone(),
            metadata: failure.metadata.clone().into_iter().collect(),
            retry_delay_seconds: failure.retry_delay.map(|delay| delay.as_secs_f64()),
            message: failure.message.clone(),
        });
        Ok(())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Any> {
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, serde_json::to_vec(self)?)?;
        Ok(std::fs::rename(unfinished, path)?)
    }
}

/// As callers tell them apart.
fn variant(error: &Error) -> &'static str {
    match error {
        Error::InvalidRequest(_) => "InvalidRequest",
        Error::ConnectionUnknown(_) => "ConnectionUnknown",
        Error::Unauthenticated(_) => "Unauthenticated",
        Error::PermissionDenied(_) => "PermissionDenied",
        Error::ResourceExhausted(_) => "ResourceExhausted",
        Error::ResumeToken(_) => "ResumeToken",
        Error::Unavailable(_) => "Unavailable",
        Error::BrokenStream(_) => "BrokenStream",
        Error::DeadlineExceeded(_) => "DeadlineExceeded",
        _ => "Other",
    }
}

fn upper_snake(camel_case: &str) -> String {
    let mut text = String::new();
    for sign in camel_case.chars() {
        if sign.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(sign.to_ascii_uppercase());
    }
    text
}
