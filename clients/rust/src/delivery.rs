//! What is handed out of a stream, and when.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::errors::Error;
use crate::event::Event;
use crate::received::{EncodedRows, Held, Received};
use crate::v1::extract_response::Event as Said;
use crate::v1::{Checkpoint, Summary, TableRestarted};

const LARGEST_TOKEN: usize = 64 << 10;

/// What a stream has told up to some point.
#[derive(Clone, Debug, Default)]
struct Position {
    token: Vec<u8>,
    checkpoint: i64,
    generations: HashMap<String, u32>,
}

/// Turns the events of one extraction, over all of its streams, into those handed out: no network,
/// no clock. The rules are those of tests/clients/README.md, the same in every language.
#[derive(Debug)]
// They have nothing to do with one another.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Delivery {
    at_least_once: bool,
    /// False for an extraction that continues another: unknown which they were.
    generations_known: bool,
    /// As of the last checkpoint.
    covered: Position,
    /// As of the last event.
    position: Position,
    /// Since the last checkpoint, of the present generation.
    rows: BTreeMap<String, i64>,
    /// False while events go out at once.
    holding: bool,
    held: Vec<Held>,
    complete: bool,
}

impl Delivery {
    pub(crate) fn new(at_least_once: bool, resume_token: Vec<u8>) -> Self {
        Delivery {
            at_least_once,
            generations_known: resume_token.is_empty(),
            covered: Position {
                token: resume_token,
                ..Position::default()
            },
            position: Position::default(),
            rows: BTreeMap::new(),
            holding: true,
            held: Vec::new(),
            complete: false,
        }
    }

    /// Where a stream begins: where the last checkpoint was, whose token it returns.
    pub(crate) fn begin(&mut self) -> &[u8] {
        self.position = self.covered.clone();
        self.rows.clear();
        self.held.clear();
        self.holding = !self.at_least_once;
        &self.covered.token
    }

    /// Whether the summary has come.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Adds to `out` what is to be handed out now.
    pub(crate) fn on_event(
        &mut self,
        received: Received,
        out: &mut VecDeque<Held>,
    ) -> Result<(), Error> {
        if self.complete {
            return Err(Error::broken("an event came after the summary"));
        }
        let event = match received {
            Received::Rows(rows) => return self.on_rows(rows, out),
            Received::Other(event) => event,
        };
        match event {
            Some(Said::Checkpoint(checkpoint)) => self.on_checkpoint(checkpoint, out)?,
            Some(Said::Progress(progress)) => out.push_back(Held::Event(Event::Progress(progress))),
            Some(Said::Notice(notice)) => out.push_back(Held::Event(Event::Notice(notice))),
            Some(Said::TableRestarted(restarted)) => self.on_restart(restarted),
            Some(Said::LivingRecords(living)) => {
                let is_present = self.accept(&living.table, living.generation)?;
                if is_present {
                    self.hold(Held::Event(Event::LivingRecords(living)), out);
                }
            }
            Some(Said::DeletedRecords(deleted)) => {
                self.hold(Held::Event(Event::DeletedRecords(deleted)), out);
            }
            Some(Said::Summary(summary)) => self.on_summary(summary, out)?,
            // Something that a newer server says: batches are told apart before.
            Some(Said::RowBatch(_)) | None => {}
        }
        Ok(())
    }

    /// When a call has ended well.
    pub(crate) fn on_end(&self) -> Result<(), Error> {
        if self.complete {
            Ok(())
        } else {
            Err(Error::broken("it ended without a summary"))
        }
    }

    fn hold(&mut self, event: Held, out: &mut VecDeque<Held>) {
        if self.holding {
            self.held.push(event);
        } else {
            out.push_back(event);
        }
    }

    /// Whether what is of that generation is of the table's present one.
    fn accept(&mut self, table: &str, sent: u32) -> Result<bool, Error> {
        // A server that does not count sends 0: its tables never begin anew.
        let sent = sent.max(1);
        let known = self.position.generations.get(table).copied();
        let present = known.unwrap_or_else(|| {
            // The first rows of an extraction that continues another say which it is.
            let first = if self.generations_known { 1 } else { sent };
            self.position.generations.insert(table.to_owned(), first);
            first
        });
        if sent > present {
            return Err(Error::broken(&format!(
                "rows of {table} are of generation {sent}, which was not announced"
            )));
        }
        Ok(sent == present)
    }

    fn on_rows(&mut self, batch: EncodedRows, out: &mut VecDeque<Held>) -> Result<(), Error> {
        if !self.accept(&batch.table, batch.generation)? {
            return Ok(());
        }
        if batch.count > 0 {
            match self.rows.get_mut(&batch.table) {
                Some(rows) => *rows += batch.count,
                None => drop(self.rows.insert(batch.table.clone(), batch.count)),
            }
        }
        self.hold(Held::Rows(batch), out);
        Ok(())
    }

    fn on_restart(&mut self, restarted: TableRestarted) {
        let table = &restarted.table;
        let present = self.position.generations.get(table).copied();
        // Told twice, it must not void the rows that came in between.
        if restarted.generation <= present.unwrap_or(self.generations_known.into()) {
            return;
        }
        self.position
            .generations
            .insert(table.clone(), restarted.generation);
        self.rows.remove(table);
        // Held back at any rate: until a checkpoint covers it, a lost connection may lead back to
        // the generation before.
        self.holding = true;
        self.held.retain(|event| !is_void(event, table));
        self.held
            .push(Held::Event(Event::TableRestarted(restarted)));
    }

    fn on_checkpoint(
        &mut self,
        checkpoint: Checkpoint,
        out: &mut VecDeque<Held>,
    ) -> Result<(), Error> {
        let (number, before) = (checkpoint.number, self.position.checkpoint);
        if number <= before {
            return Err(Error::broken(&format!(
                "checkpoint {number} came after checkpoint {before}"
            )));
        }
        let size = checkpoint.resume_token.len();
        if size == 0 || size > LARGEST_TOKEN {
            return Err(Error::broken(&format!(
                "checkpoint {number} has a token of {size} bytes"
            )));
        }
        let mut counted = BTreeMap::new();
        for rows in &checkpoint.rows {
            if !self.accept(&rows.table, rows.generation)? {
                return Err(Error::broken(&format!(
                    "checkpoint {number} covers generation {} of {}, which has come to {}",
                    rows.generation, rows.table, self.position.generations[&rows.table]
                )));
            }
            if rows.rows != 0 {
                *counted.entry(rows.table.clone()).or_default() += rows.rows;
            }
        }
        if counted != self.rows {
            return Err(Error::broken(&format!(
                "checkpoint {number} covers {} rows, but {} came",
                counts(&counted),
                counts(&self.rows)
            )));
        }
        self.rows.clear();
        self.position.checkpoint = number;
        self.position.token.clone_from(&checkpoint.resume_token);
        self.covered = self.position.clone();
        out.extend(self.held.drain(..));
        out.push_back(Held::Event(Event::Checkpoint(checkpoint)));
        self.holding = !self.at_least_once;
        Ok(())
    }

    fn on_summary(&mut self, summary: Summary, out: &mut VecDeque<Held>) -> Result<(), Error> {
        if !self.rows.is_empty() {
            return Err(Error::broken(&format!(
                "no checkpoint covers the last {} rows",
                counts(&self.rows)
            )));
        }
        self.complete = true;
        out.extend(self.held.drain(..));
        out.push_back(Held::Event(Event::Summary(summary)));
        Ok(())
    }
}

/// Whether a restart of the table makes an event void.
fn is_void(event: &Held, table: &str) -> bool {
    match event {
        Held::Rows(batch) => batch.table == table,
        Held::Event(Event::LivingRecords(living)) => living.table == table,
        Held::Event(Event::TableRestarted(restarted)) => restarted.table == table,
        Held::Event(_) => false,
    }
}

/// Rows of tables, for people.
fn counts(rows: &BTreeMap<String, i64>) -> String {
    if rows.is_empty() {
        return "no".into();
    }
    let each: Vec<String> = rows
        .iter()
        .map(|(table, count)| format!("{count} {table}"))
        .collect();
    each.join(", ")
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
