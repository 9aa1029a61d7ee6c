//! What an extraction can be read as.

use crate::rows::{Batch, Row, Rows, RowsIter, TableRow};
use crate::v1;

/// Something that a server says of an extraction. Every event before a checkpoint is covered by
/// its token.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Rows of one table.
    Rows(Batch),
    /// What came before is covered by a token. Store it in the transaction of the rows.
    Checkpoint(v1::Checkpoint),
    /// A table begins anew: its rows so far are void.
    TableRestarted(v1::TableRestarted),
    /// Records that were deleted.
    DeletedRecords(v1::DeletedRecords),
    /// Records that exist, read or not.
    LivingRecords(v1::LivingRecords),
    /// How far the extraction is; at least every 10 seconds.
    Progress(v1::Progress),
    /// Something that a person should know.
    Notice(v1::Notice),
    /// The end, table by table.
    Summary(v1::Summary),
}

/// What an [`Extraction`](crate::Extraction) gives: [`Row`], [`Batch`], [`Event`], or the row of a
/// single table.
pub trait Item: sealed::Split {}

impl<T: sealed::Split> Item for T {}

pub(crate) mod sealed {
    use super::Event;

    pub trait Split: Sized + Send + Unpin + 'static {
        /// Those of one event.
        type Items: Iterator<Item = Self> + Send + Unpin;
        /// Whether the reader is told of tables that begin anew.
        const SEES_RESTARTS: bool;

        fn none() -> Self::Items;
        fn split(event: Event) -> Self::Items;
    }
}

impl sealed::Split for Event {
    type Items = std::option::IntoIter<Event>;
    const SEES_RESTARTS: bool = true;

    fn none() -> Self::Items {
        None.into_iter()
    }

    fn split(event: Event) -> Self::Items {
        Some(event).into_iter()
    }
}

impl sealed::Split for Batch {
    type Items = std::option::IntoIter<Batch>;
    const SEES_RESTARTS: bool = false;

    fn none() -> Self::Items {
        None.into_iter()
    }

    fn split(event: Event) -> Self::Items {
        match event {
            Event::Rows(batch) => Some(batch).into_iter(),
            _ => None.into_iter(),
        }
    }
}

impl sealed::Split for Row {
    type Items = RowsIter;
    const SEES_RESTARTS: bool = false;

    fn none() -> Self::Items {
        RowsIter::NONE
    }

    fn split(event: Event) -> Self::Items {
        match event {
            Event::Rows(batch) => batch.rows,
            _ => Rows::Unknown,
        }
        .into_iter()
    }
}

impl<T: TableRow> sealed::Split for T {
    type Items = std::vec::IntoIter<T>;
    const SEES_RESTARTS: bool = false;

    fn none() -> Self::Items {
        Vec::new().into_iter()
    }

    fn split(event: Event) -> Self::Items {
        match event {
            Event::Rows(batch) => T::from_rows(batch.rows).unwrap_or_default(),
            _ => Vec::new(),
        }
        .into_iter()
    }
}
