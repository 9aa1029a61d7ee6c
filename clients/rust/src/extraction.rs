//! An extraction as a stream.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use futures_core::stream::{FusedStream, Stream};
use tokio::time::{sleep, sleep_until, Instant, Sleep};

use crate::backoff::{Random, Tries};
use crate::calls::{Answer, Calls, Responses};
use crate::delivery::Delivery;
use crate::errors::Error;
use crate::event::sealed::Split;
use crate::event::{Event, Item};
use crate::received::Held;
use crate::request::asks_for;
use crate::rows::{Batch, Row, TableRow};
use crate::v1;

/// Rows on their way: a [`Stream`] of [`Row`], or of what [`batches`](Self::batches),
/// [`events`](Self::events) or [`rows_of`](Self::rows_of) make of it.
///
/// It begins when it is first polled. An error ends it. Reading slowly slows the extraction, and
/// nothing is dropped; dropping it cancels: the server stops asking Intercom.
///
/// Rows come once the checkpoint behind them has arrived, a few seconds or 5,000 rows later, so
/// that a connection that is lost and made again repeats none.
///
/// # Panics
///
/// Methods that say how to read panic when it has been read from.
#[must_use = "streams do nothing unless polled"]
pub struct Extraction<T: Item = Row> {
    run: Run,
    items: T::Items,
}

impl Extraction {
    pub(crate) fn new(calls: Arc<dyn Calls>, random: Random, request: v1::ExtractRequest) -> Self {
        Extraction {
            run: Run::new(calls, random, request),
            items: <Row as Split>::none(),
        }
    }

    /// As batches of rows, as the server sent them: of one table, up to 1 MiB.
    pub fn batches(self) -> Extraction<Batch> {
        self.into()
    }

    /// As everything: rows, checkpoints, restarts, progress, notices, deletions, the summary. Every
    /// event before a checkpoint is covered by its token: for those who store it with the rows.
    pub fn events(self) -> Extraction<Event> {
        self.into()
    }

    /// As rows of one table, with their type; skips those of others.
    ///
    /// ```no_run
    /// # async fn read(client: intercom_extractor::Client) -> Result<(), intercom_extractor::Error> {
    /// use futures::TryStreamExt;
    /// use intercom_extractor::{v1::Tag, Request};
    ///
    /// let mut tags = client.extract(Request::tables(["tags"])).rows_of::<Tag>();
    /// while let Some(tag) = tags.try_next().await? {
    ///     println!("{:?} {:?}", tag.id, tag.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn rows_of<R: TableRow>(self) -> Extraction<R> {
        self.into()
    }

    fn into<T: Item>(self) -> Extraction<T> {
        self.run.check_unread();
        Extraction {
            run: self.run,
            items: T::none(),
        }
    }
}

impl<T: Item> Extraction<T> {
    /// Hands rows out as they arrive. A connection that is lost and made again repeats those since
    /// the last checkpoint.
    pub fn at_least_once(mut self) -> Self {
        self.run.check_unread();
        self.run.delivery = Delivery::new(true, self.run.request.resume_token.clone());
        self
    }

    /// Ends it with [`Error::DeadlineExceeded`] that long from now, lost connections included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.run.check_unread();
        self.run.deadline = Instant::now()
            .checked_add(timeout)
            .map(|at| Deadline { at, sleep: None });
        self
    }

    /// Is told at least every 10 seconds how far the extraction is. As all of these functions, it is
    /// called while the stream is polled.
    pub fn on_progress(mut self, tell: impl FnMut(&v1::Progress) + Send + 'static) -> Self {
        self.run.check_unread();
        self.run.listeners.progress = Some(Box::new(tell));
        self
    }

    /// Is told of odd records and the like.
    pub fn on_notice(mut self, tell: impl FnMut(&v1::Notice) + Send + 'static) -> Self {
        self.run.check_unread();
        self.run.listeners.notice = Some(Box::new(tell));
        self
    }

    /// Is told when all rows before a checkpoint have been handed out and the next one is asked for.
    pub fn on_checkpoint(mut self, tell: impl FnMut(&v1::Checkpoint) + Send + 'static) -> Self {
        self.run.check_unread();
        self.run.listeners.checkpoint = Some(Box::new(tell));
        self
    }

    /// Is told when a table begins anew, so that its rows so far are void. Without it, and unless
    /// read as [`events`](Extraction::events), that is [`Error::TableRestarted`] where there were any.
    pub fn on_table_restarted(
        mut self,
        tell: impl FnMut(&v1::TableRestarted) + Send + 'static,
    ) -> Self {
        self.run.check_unread();
        self.run.listeners.table_restarted = Some(Box::new(tell));
        self
    }

    /// Is told of each lost connection, and how long it takes until the next try.
    pub fn on_reconnect(mut self, tell: impl FnMut(&Error, Duration) + Send + 'static) -> Self {
        self.run.check_unread();
        self.run.listeners.reconnect = Some(Box::new(tell));
        self
    }

    /// The token that covers all rows up to the last checkpoint among those handed out, for
    /// [`Request::resume_from`](crate::Request::resume_from). A checkpoint is handed out when what
    /// follows it is asked for.
    pub fn last_checkpoint(&self) -> Option<&[u8]> {
        self.run.last_checkpoint.as_deref()
    }

    /// How it ended, table by table; none before the end.
    pub fn summary(&self) -> Option<&v1::Summary> {
        self.run.summary.as_ref()
    }

    /// How often the connection was lost and made again.
    pub fn reconnects(&self) -> u32 {
        self.run.reconnects
    }

    /// Asks the server to describe the tables that are read, with their columns.
    pub fn tables(&self) -> impl Future<Output = Result<Vec<v1::TableDescription>, Error>> + Send {
        let answer = self.run.calls.list_tables(v1::ListTablesRequest::default());
        let request = self.run.request.clone();
        async move {
            let mut tables = answer.await?.tables;
            tables.retain(|table| {
                table
                    .table
                    .as_ref()
                    .is_some_and(|table| asks_for(&request, table))
            });
            Ok(tables)
        }
    }
}

impl<T: Item> Stream for Extraction<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(this.run.poll_event(cx, T::SEES_RESTARTS)) {
                Some(Ok(event)) => this.items = T::split(event),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T: Item> FusedStream for Extraction<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.run.phase, Phase::Ended)
    }
}

impl<T: Item> fmt::Debug for Extraction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction")
            .field("tables", &self.run.request.tables)
            .field("template", &self.run.request.template())
            .field("reconnects", &self.run.reconnects)
            .finish_non_exhaustive()
    }
}

type Tell<T> = Option<Box<dyn FnMut(&T) + Send>>;
type TellReconnect = Option<Box<dyn FnMut(&Error, Duration) + Send>>;

#[derive(Default)]
struct Listeners {
    progress: Tell<v1::Progress>,
    notice: Tell<v1::Notice>,
    checkpoint: Tell<v1::Checkpoint>,
    table_restarted: Tell<v1::TableRestarted>,
    reconnect: TellReconnect,
}

fn tell<T>(listener: &mut Tell<T>, what: &T) {
    if let Some(listener) = listener {
        listener(what);
    }
}

struct Deadline {
    at: Instant,
    /// Not before it is polled: only there is a runtime for sure.
    sleep: Option<Pin<Box<Sleep>>>,
}

enum Phase {
    Unread,
    /// The next call is to begin.
    Idle,
    Calling(Answer<Responses>),
    Reading(Responses),
    /// Until a lost connection is made again.
    Pausing(Pin<Box<Sleep>>),
    Ended,
}

/// The calls of one extraction, one after the other.
struct Run {
    calls: Arc<dyn Calls>,
    random: Random,
    request: v1::ExtractRequest,
    listeners: Listeners,
    deadline: Option<Deadline>,
    delivery: Delivery,
    tries: Tries,
    phase: Phase,
    /// To be handed out before the server is asked for more.
    queue: VecDeque<Held>,
    /// Once the server has said something: an address that was never right is said at once.
    heard: bool,
    /// Tables of which rows were handed out.
    given: HashSet<String>,
    last_checkpoint: Option<Vec<u8>>,
    summary: Option<v1::Summary>,
    reconnects: u32,
}

impl Run {
    fn new(calls: Arc<dyn Calls>, random: Random, request: v1::ExtractRequest) -> Self {
        let token = &request.resume_token;
        Run {
            delivery: Delivery::new(false, token.clone()),
            last_checkpoint: (!token.is_empty()).then(|| token.clone()),
            calls,
            random,
            request,
            listeners: Listeners::default(),
            deadline: None,
            tries: Tries::default(),
            phase: Phase::Unread,
            queue: VecDeque::new(),
            heard: false,
            given: HashSet::new(),
            summary: None,
            reconnects: 0,
        }
    }

    fn check_unread(&self) {
        assert!(
            matches!(self.phase, Phase::Unread),
            "the extraction has been read from"
        );
    }

    fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        sees_restarts: bool,
    ) -> Poll<Option<Result<Event, Error>>> {
        let polled = self.poll_unguarded(cx, sees_restarts);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            // Cancels the call, where one is under way.
            self.phase = Phase::Ended;
            self.queue.clear();
        }
        polled
    }

    fn poll_unguarded(
        &mut self,
        cx: &mut Context<'_>,
        sees_restarts: bool,
    ) -> Poll<Option<Result<Event, Error>>> {
        loop {
            if matches!(self.phase, Phase::Ended) {
                return Poll::Ready(None);
            }
            if self.poll_deadline(cx).is_ready() {
                return Poll::Ready(Some(Err(Error::deadline(
                    "the time for the extraction is over",
                ))));
            }
            if let Some(held) = self.queue.pop_front() {
                return Poll::Ready(Some(self.hand_out(held, sees_restarts)));
            }
            let step = match &mut self.phase {
                Phase::Unread | Phase::Idle => {
                    self.begin();
                    Ok(())
                }
                Phase::Calling(answer) => match ready!(answer.as_mut().poll(cx)) {
                    Ok(responses) => {
                        self.phase = Phase::Reading(responses);
                        Ok(())
                    }
                    Err(status) => self.lose(status.into()),
                },
                Phase::Reading(responses) => match ready!(responses.as_mut().poll_next(cx)) {
                    Some(Ok(received)) => {
                        self.heard = true;
                        self.delivery.on_event(received, &mut self.queue)
                    }
                    Some(Err(status)) => self.lose(status.into()),
                    None => return Poll::Ready(self.delivery.on_end().err().map(Err)),
                },
                Phase::Pausing(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    self.phase = Phase::Idle;
                    Ok(())
                }
                Phase::Ended => return Poll::Ready(None),
            };
            if let Err(error) = step {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = &mut self.deadline else {
            return Poll::Pending;
        };
        let at = deadline.at;
        deadline
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(at)))
            .as_mut()
            .poll(cx)
    }

    /// Calls, from the last checkpoint on.
    fn begin(&mut self) {
        let request = v1::ExtractRequest {
            resume_token: self.delivery.begin().to_vec(),
            ..self.request.clone()
        };
        let left = self
            .deadline
            .as_ref()
            .map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
        self.phase = Phase::Calling(self.calls.extract(request, left));
    }

    /// Makes up for a call that failed, unless that is the caller's affair.
    fn lose(&mut self, error: Error) -> Result<(), Error> {
        if self.delivery.is_complete() || !self.heard || !error.is_lost_connection() {
            return Err(error);
        }
        let Some(pause) = self.tries.next(&self.random) else {
            return Err(error);
        };
        if self
            .deadline
            .as_ref()
            .is_some_and(|deadline| deadline.at <= Instant::now() + pause)
        {
            let what = format!("no time is left to make the lost connection again ({error})");
            return Err(Error::deadline(&what));
        }
        self.reconnects += 1;
        if let Some(listener) = &mut self.listeners.reconnect {
            listener(&error, pause);
        }
        self.phase = Phase::Pausing(Box::pin(sleep(pause)));
        Ok(())
    }

    fn hand_out(&mut self, held: Held, sees_restarts: bool) -> Result<Event, Error> {
        let event = held.decode()?;
        match &event {
            Event::Rows(batch) => {
                if !batch.rows.is_empty() && !self.given.contains(&batch.table) {
                    self.given.insert(batch.table.clone());
                }
            }
            Event::Checkpoint(checkpoint) => {
                self.tries.reset();
                self.last_checkpoint = Some(checkpoint.resume_token.clone());
                tell(&mut self.listeners.checkpoint, checkpoint);
            }
            Event::TableRestarted(restarted) => {
                self.check_restart(restarted, sees_restarts)?;
                tell(&mut self.listeners.table_restarted, restarted);
            }
            Event::Progress(progress) => tell(&mut self.listeners.progress, progress),
            Event::Notice(notice) => tell(&mut self.listeners.notice, notice),
            Event::Summary(summary) => self.summary = Some(summary.clone()),
            Event::DeletedRecords(_) | Event::LivingRecords(_) => {}
        }
        Ok(event)
    }

    /// Somebody must be told of a restart whose table has rows that are void.
    fn check_restart(
        &self,
        restarted: &v1::TableRestarted,
        sees_restarts: bool,
    ) -> Result<(), Error> {
        let is_told = sees_restarts || self.listeners.table_restarted.is_some();
        // Who continues an earlier extraction may have rows of any table.
        let has_rows =
            self.given.contains(&restarted.table) || !self.request.resume_token.is_empty();
        if is_told || !has_rows {
            return Ok(());
        }
        Err(Error::TableRestarted {
            table: restarted.table.clone(),
            generation: restarted.generation,
            reason: restarted.reason.clone(),
        })
    }
}

#[cfg(test)]
#[path = "extraction_tests.rs"]
mod tests;
