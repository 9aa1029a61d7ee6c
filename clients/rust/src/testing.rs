//! What the tests share: events of a script, and calls that play one.

pub(crate) mod server;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::calls::{Answer, Calls, Responses};
use crate::event::Event;
use crate::received::Received;
use crate::rows::Rows;
use crate::v1::extract_response::Event as Said;
use crate::v1::{self, ExtractResponse};

pub(crate) fn said(event: Said) -> ExtractResponse {
    ExtractResponse { event: Some(event) }
}

pub(crate) fn tags(ids: &[&str]) -> ExtractResponse {
    tags_of(1, ids)
}

pub(crate) fn tags_of(generation: u32, ids: &[&str]) -> ExtractResponse {
    let tag = |id: &&str| v1::Tag {
        id: Some((*id).into()),
        ..v1::Tag::default()
    };
    said(Said::RowBatch(v1::RowBatch {
        table: "tags".into(),
        generation,
        tags: ids.iter().map(tag).collect(),
        ..v1::RowBatch::default()
    }))
}

/// Covers so many tags.
pub(crate) fn checkpoint(number: i64, rows: i64) -> ExtractResponse {
    checkpoint_of(1, number, rows)
}

pub(crate) fn checkpoint_of(generation: u32, number: i64, rows: i64) -> ExtractResponse {
    let counted = v1::TableRows {
        table: "tags".into(),
        rows,
        generation,
    };
    said(Said::Checkpoint(v1::Checkpoint {
        resume_token: format!("t{number}").into(),
        rows: if rows == 0 { vec![] } else { vec![counted] },
        number,
    }))
}

pub(crate) fn restarted(generation: u32) -> ExtractResponse {
    said(Said::TableRestarted(v1::TableRestarted {
        table: "tags".into(),
        generation,
        reason: "scripted".into(),
    }))
}

pub(crate) fn living(generation: u32) -> ExtractResponse {
    said(Said::LivingRecords(v1::LivingRecords {
        table: "tags".into(),
        generation,
        ..v1::LivingRecords::default()
    }))
}

pub(crate) fn deleted() -> ExtractResponse {
    said(Said::DeletedRecords(v1::DeletedRecords::default()))
}

pub(crate) fn progress() -> ExtractResponse {
    said(Said::Progress(v1::Progress::default()))
}

pub(crate) fn notice() -> ExtractResponse {
    said(Said::Notice(v1::Notice::default()))
}

pub(crate) fn summary() -> ExtractResponse {
    said(Said::Summary(v1::Summary::default()))
}

/// As it came over the wire.
pub(crate) fn received(response: &ExtractResponse) -> Received {
    Received::decode(response.encode_to_vec().into()).unwrap()
}

/// What was handed out, in short: of rows their ids.
pub(crate) fn names<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<String> {
    let mut names = Vec::new();
    for event in events {
        match event {
            Event::Rows(batch) => match &batch.rows {
                Rows::Tags(tags) => names.extend(tags.iter().filter_map(|tag| tag.id.clone())),
                rows => panic!("got {rows:?}"),
            },
            Event::Checkpoint(checkpoint) => {
                names.push(format!("checkpoint {}", checkpoint.number));
            }
            Event::TableRestarted(restarted) => {
                names.push(format!("restart {}", restarted.generation));
            }
            Event::LivingRecords(_) => names.push("living".into()),
            Event::DeletedRecords(_) => names.push("deleted".into()),
            Event::Progress(_) => names.push("progress".into()),
            Event::Notice(_) => names.push("notice".into()),
            Event::Summary(_) => names.push("summary".into()),
        }
    }
    names
}

/// An error as the server makes them.
pub(crate) fn failure(code: Code, reason: &str, retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::new();
    let metadata = [("connection".to_owned(), "default".to_owned())];
    details.set_error_info(reason, "intercom-extractor", metadata);
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(code, "scripted", details)
}

pub(crate) fn lost() -> Status {
    Status::unavailable("the connection is lost")
}

/// How one call goes: its events, then its end; none where it says no more.
pub(crate) struct Call {
    pub(crate) events: Vec<ExtractResponse>,
    pub(crate) end: Option<Result<(), Status>>,
}

impl Call {
    pub(crate) fn ends(events: Vec<ExtractResponse>) -> Self {
        let end = Some(Ok(()));
        Call { events, end }
    }

    pub(crate) fn fails(events: Vec<ExtractResponse>, status: Status) -> Self {
        let end = Some(Err(status));
        Call { events, end }
    }

    pub(crate) fn holds(events: Vec<ExtractResponse>) -> Self {
        Call { events, end: None }
    }
}

/// Plays one call after the other, in memory.
#[derive(Default)]
pub(crate) struct Script {
    calls: Mutex<VecDeque<Call>>,
    /// Of each call, with its time-out.
    asked: Mutex<Vec<(v1::ExtractRequest, Option<Duration>)>>,
    /// Each stream has one while it is read.
    open: Arc<()>,
}

impl Script {
    pub(crate) fn new(calls: impl IntoIterator<Item = Call>) -> Arc<Self> {
        Arc::new(Script {
            calls: Mutex::new(calls.into_iter().collect()),
            ..Script::default()
        })
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let token = |request: &v1::ExtractRequest| String::from_utf8(request.resume_token.clone());
        asked
            .iter()
            .map(|(request, _)| token(request).unwrap())
            .collect()
    }

    pub(crate) fn timeouts(&self) -> Vec<Option<Duration>> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|(_, timeout)| *timeout)
            .collect()
    }

    pub(crate) fn open_streams(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}

impl Calls for Script {
    fn extract(&self, request: v1::ExtractRequest, timeout: Option<Duration>) -> Answer<Responses> {
        self.asked.lock().unwrap().push((request, timeout));
        let Some(call) = self.calls.lock().unwrap().pop_front() else {
            return Box::pin(async {
                Err(Status::unimplemented("the script has no further call"))
            });
        };
        let open = self.open.clone();
        let mut events = VecDeque::from(call.events);
        let mut end = call.end;
        let responses: Responses = Box::pin(futures::stream::poll_fn(move |_| {
            let _ = &open;
            match (events.pop_front(), &mut end) {
                (Some(event), _) => std::task::Poll::Ready(Some(Ok(received(&event)))),
                (None, Some(end)) => {
                    let end = std::mem::replace(end, Ok(()));
                    std::task::Poll::Ready(end.err().map(Err))
                }
                (None, None) => std::task::Poll::Pending,
            }
        }));
        Box::pin(async move { Ok(responses) })
    }

    fn list_tables(&self, _: v1::ListTablesRequest) -> Answer<v1::ListTablesResponse> {
        let described = |(name, template): (&str, v1::Template)| v1::TableDescription {
            table: Some(v1::Table {
                name: name.into(),
                template: template.into(),
                ..v1::Table::default()
            }),
            ..v1::TableDescription::default()
        };
        let tables = [
            ("tags", v1::Template::Basic),
            ("conversations", v1::Template::Conversations),
            ("conversation_parts", v1::Template::Conversations),
        ];
        let tables = tables.map(described).into();
        Box::pin(async move { Ok(v1::ListTablesResponse { tables }) })
    }
}
