//! Writes the rows of an extraction to files, as far as the scenario wants them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use intercom_extractor::v1::TableDescription;
use intercom_extractor::{Error, Extraction, Row};
use serde_json::json;

use crate::csv::CsvFile;
use crate::scenario::{Noticed, Outcome, Restart, Scenario};
use crate::{as_json, Any};

pub(crate) struct Reader {
    scenario: Scenario,
    heard: Arc<Mutex<Heard>>,
    /// The tables of restarts that their files have followed.
    followed: usize,
    files: HashMap<String, CsvFile>,
}

/// What the functions that the client calls have been told.
#[derive(Default)]
struct Heard {
    outcome: Outcome,
    rows: usize,
}

pub(crate) fn say(event: &str, rows: usize) {
    println!("{}", json!({"event": event, "rows": rows}));
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Reader {
            scenario,
            heard: Arc::default(),
            followed: 0,
            files: HashMap::new(),
        }
    }

    /// What is to be written, and after how many rows it was stopped.
    pub(crate) async fn read(
        mut self,
        extraction: Extraction,
    ) -> Result<(Outcome, Option<usize>), Any> {
        let mut extraction = self.listen(extraction);
        if self.scenario.stop_after_rows == Some(0) {
            // As soon as the server has said something.
            let said = extraction.events().next().await.transpose();
            return self.end(said.map(|event| event.is_some()));
        }
        let stopped = match extraction.tables().await {
            Ok(tables) => {
                self.create_files(tables)?;
                self.read_rows(&mut extraction).await?
            }
            Err(error) => Err(error),
        };
        {
            let outcome = &mut lock(&self.heard).outcome;
            outcome.set_resume_token(extraction.last_checkpoint());
            outcome.reconnects = extraction.reconnects();
            let summary = extraction.summary();
            outcome.summary = summary
                .map(|summary| as_json("Summary", summary))
                .transpose()?;
        }
        self.end(stopped)
    }

    fn create_files(&mut self, tables: Vec<TableDescription>) -> Result<(), Any> {
        for described in tables {
            let name = described.table.unwrap_or_default().name;
            let path = self.scenario.output.join(format!("{name}.csv"));
            let columns = described
                .columns
                .into_iter()
                .map(|column| column.name)
                .collect();
            self.files.insert(name, CsvFile::create(&path, columns)?);
        }
        Ok(())
    }

    fn listen(&self, extraction: Extraction) -> Extraction {
        let heard = || self.heard.clone();
        let (progress, notices, checkpoints, restarts) = (heard(), heard(), heard(), heard());
        extraction
            .on_progress(move |_| lock(&progress).outcome.progress += 1)
            .on_notice(move |notice| {
                let (code, table) = (notice.code().as_str_name(), notice.table.clone());
                lock(&notices).outcome.notices.push(Noticed { code, table });
            })
            .on_checkpoint(move |_| {
                let mut heard = lock(&checkpoints);
                heard.outcome.checkpoints += 1;
                say("checkpoint", heard.rows);
            })
            .on_table_restarted(move |restarted| {
                let (table, generation) = (restarted.table.clone(), restarted.generation);
                lock(&restarts)
                    .outcome
                    .restarts
                    .push(Restart { table, generation });
            })
    }

    /// Whether it was stopped.
    async fn read_rows(&mut self, extraction: &mut Extraction) -> Result<Result<bool, Error>, Any> {
        while let Some(row) = extraction.next().await {
            self.follow_restarts()?;
            let row = match row {
                Ok(row) => row,
                Err(error) => return Ok(Err(error)),
            };
            // The checkpoint may have been consumed when this row was asked for.
            if self.has_enough_checkpoints() {
                return Ok(Ok(true));
            }
            let rows = self.take(&row)?;
            if self.scenario.stop_after_rows == Some(rows) {
                return Ok(Ok(true));
            }
            match &self.scenario.pause {
                Some(pause) if pause.after_rows == rows => {
                    say("paused", rows);
                    tokio::time::sleep(Duration::from_secs_f64(pause.seconds)).await;
                    say("resumed", rows);
                }
                _ => {}
            }
        }
        self.follow_restarts()?;
        Ok(Ok(self.has_enough_checkpoints()))
    }

    /// How many rows there are with this one.
    fn take(&mut self, row: &Row) -> Result<usize, Any> {
        self.files
            .get_mut(row.table())
            .ok_or("a table that was not asked for")?
            .write(row)?;
        let mut heard = lock(&self.heard);
        *heard.outcome.rows.entry(row.table()).or_default() += 1;
        heard.rows += 1;
        if heard.rows == 1 {
            say("row", 1);
        }
        Ok(heard.rows)
    }

    fn follow_restarts(&mut self) -> Result<(), Any> {
        for restart in &lock(&self.heard).outcome.restarts[self.followed..] {
            self.files
                .get_mut(&restart.table)
                .ok_or("a table that was not asked for")?
                .restart()?;
            self.followed += 1;
        }
        Ok(())
    }

    fn has_enough_checkpoints(&self) -> bool {
        self.scenario.stop_after_checkpoints == Some(lock(&self.heard).outcome.checkpoints)
    }

    fn end(mut self, stopped: Result<bool, Error>) -> Result<(Outcome, Option<usize>), Any> {
        for (_, file) in self.files.drain() {
            file.finish()?;
        }
        let heard = std::mem::take(&mut *lock(&self.heard));
        let mut outcome = heard.outcome;
        match stopped {
            Ok(stopped) => Ok((outcome, stopped.then_some(heard.rows))),
            Err(error) => {
                outcome.set_error(error)?;
                Ok((outcome, None))
            }
        }
    }
}
