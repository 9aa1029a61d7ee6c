//! Reads whole Intercom workspaces, as typed rows, from an Intercom extractor server.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use intercom_extractor::{Client, Request};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), intercom_extractor::Error> {
//!     let client = Client::new("localhost:50051")?;
//!     let mut rows = client.extract(Request::tables(["users", "conversations"]));
//!     while let Some(row) = rows.try_next().await? {
//!         println!("{} {:?}", row.table(), row.value("id"));
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A [`Row`] is one of the messages of [`v1`], such as [`v1::User`]; [`Extraction::rows_of`] gives
//! the rows of a single table with their type.
//!
//! # Lost connections
//!
//! A connection that is lost is made again, and the extraction goes on from its last checkpoint.
//! By default rows are held back until the checkpoint after them has arrived, at most some 5,000,
//! so that each comes once; see [`Extraction::at_least_once`]. Who stores rows and checkpoints in
//! one transaction reads [`Extraction::events`], and goes on in another process with
//! [`Request::resume_from`].
//!
//! # Errors
//!
//! [`Error`] has a variant for each kind that callers treat differently, with the server's reason.

mod backoff;
mod calls;
mod client;
mod delivery;
mod errors;
mod event;
mod extraction;
#[cfg(test)]
mod readme_tests;
mod received;
mod request;
mod rows;
#[cfg(test)]
mod testing;
pub mod v1;

pub use client::{Builder, Client, Tls};
pub use errors::{Error, Failure};
pub use event::{Event, Item};
pub use extraction::Extraction;
pub use request::Request;
pub use rows::{Batch, Row, Rows, RowsIter, TableRow, Value};
pub use tonic::Code;
