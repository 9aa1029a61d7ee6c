//! Rows and batches of rows.

use std::fmt;
use std::mem;
use std::time::SystemTime;

use crate::v1;

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Double(f64),
    /// True or false.
    Bool(bool),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => text.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Double(number) => number.fmt(f),
            Value::Bool(value) => value.fmt(f),
        }
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<&i64> for Value<'_> {
    fn from(number: &i64) -> Self {
        Value::Int(*number)
    }
}

impl From<&f64> for Value<'_> {
    fn from(number: &f64) -> Self {
        Value::Double(*number)
    }
}

impl From<&bool> for Value<'_> {
    fn from(value: &bool) -> Self {
        Value::Bool(*value)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The row of one table, such as [`v1::User`].
pub trait TableRow: sealed::Sealed + Sized + Send + Unpin + 'static {
    /// The table's name, such as `"users"`.
    const TABLE: &'static str;
    /// The names of its columns, documented ones first, in their order.
    const COLUMNS: &'static [&'static str];

    /// What stands in a column: `None` where that is null, or where there is no such column.
    fn value(&self, column: &str) -> Option<Value<'_>>;

    /// The rows of a batch, where they are of this table.
    fn from_rows(rows: Rows) -> Option<Vec<Self>>;
}

macro_rules! tables {
    ($($rows:ident $row:ident $field:ident $number:literal $table:literal [$($column:ident $name:literal)*])*) => {
        /// Rows of one table, with their type.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Rows {
            $(#[doc = concat!("Rows of ", $table, ".")] $rows(Vec<v1::$row>),)*
            /// Of a table that is newer than this crate.
            Unknown,
        }

        /// The number of a table's field in `RowBatch`.
        pub(crate) fn field_of(table: &str) -> Option<usize> {
            match table {
                $($table => Some($number),)*
                _ => None,
            }
        }

        impl Rows {
            fn take(batch: &mut v1::RowBatch) -> Self {
                match batch.table.as_str() {
                    $($table => Rows::$rows(mem::take(&mut batch.$field)),)*
                    _ => Rows::Unknown,
                }
            }

            /// How many there are.
            pub fn len(&self) -> usize {
                match self {
                    $(Rows::$rows(rows) => rows.len(),)*
                    Rows::Unknown => 0,
                }
            }
        }

        impl IntoIterator for Rows {
            type Item = Row;
            type IntoIter = RowsIter;

            fn into_iter(self) -> RowsIter {
                RowsIter(match self {
                    $(Rows::$rows(rows) => Iter::$rows(rows.into_iter()),)*
                    Rows::Unknown => Iter::Unknown,
                })
            }
        }

        enum Iter {
            $($rows(std::vec::IntoIter<v1::$row>),)*
            Unknown,
        }

        impl Iterator for RowsIter {
            type Item = Row;

            #[inline]
            fn next(&mut self) -> Option<Row> {
                match &mut self.0 {
                    $(Iter::$rows(rows) => rows.next().map(|row| Row::$row(Box::new(row))),)*
                    Iter::Unknown => None,
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                match &self.0 {
                    $(Iter::$rows(rows) => rows.size_hint(),)*
                    Iter::Unknown => (0, Some(0)),
                }
            }
        }

        /// One row of any table.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        // A row of many columns is a kilobyte: boxed it is moved once on its way to the caller.
        pub enum Row {
            $(#[doc = concat!("Of ", $table, ".")] $row(Box<v1::$row>),)*
        }

        impl Row {
            /// The name of its table, such as `"users"`.
            pub fn table(&self) -> &'static str {
                match self { $(Row::$row(_) => $table,)* }
            }

            /// The names of its columns, documented ones first, in their order.
            pub fn columns(&self) -> &'static [&'static str] {
                match self { $(Row::$row(_) => v1::$row::COLUMNS,)* }
            }

            /// What stands in a column: `None` where that is null, or where there is no such
            /// column.
            pub fn value(&self, column: &str) -> Option<Value<'_>> {
                match self { $(Row::$row(row) => row.value(column),)* }
            }
        }

        $(
            impl sealed::Sealed for v1::$row {}

            impl TableRow for v1::$row {
                const TABLE: &'static str = $table;
                const COLUMNS: &'static [&'static str] = &[$($name),*];

                fn value(&self, column: &str) -> Option<Value<'_>> {
                    match column {
                        $($name => self.$column.as_ref().map(Value::from),)*
                        _ => None,
                    }
                }

                fn from_rows(rows: Rows) -> Option<Vec<Self>> {
                    match rows {
                        Rows::$rows(rows) => Some(rows),
                        _ => None,
                    }
                }
            }
        )*

        #[cfg(test)]
        const TABLES: &[(&str, fn() -> v1::RowBatch)] = &[$(($table, || v1::RowBatch {
            table: $table.into(),
            $field: vec![v1::$row::default(), v1::$row::default()],
            ..v1::RowBatch::default()
        }),)*];
    };
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

impl Rows {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Goes through [`Rows`].
pub struct RowsIter(Iter);

impl RowsIter {
    pub(crate) const NONE: RowsIter = RowsIter(Iter::Unknown);
}

impl fmt::Debug for RowsIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowsIter({} left)", self.size_hint().0)
    }
}

/// Rows of one table that left the server together, at most 1 MiB.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// The table's name, such as `"users"`.
    pub table: String,
    /// The rows. None in a batch that holds parents alone.
    pub rows: Rows,
    /// When the oldest of the answers that these rows are from arrived at the server.
    pub extracted_at: Option<SystemTime>,
    /// Counts from 1 how often the table has begun; rows of an earlier one are void.
    pub generation: u32,
    /// Where [`Request::with_parents`](crate::Request::with_parents) asks for it: the contacts or
    /// conversations whose rows of this table have now all been given.
    pub parents: Vec<v1::ParentRows>,
}

impl From<v1::RowBatch> for Batch {
    fn from(mut batch: v1::RowBatch) -> Self {
        Batch {
            rows: Rows::take(&mut batch),
            extracted_at: batch.extracted_at.and_then(|at| at.try_into().ok()),
            generation: batch.generation,
            parents: batch.parents,
            table: batch.table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_the_rows_of_their_table() {
        assert_eq!(TABLES.len(), 22);
        for (table, made) in TABLES {
            let batch = Batch::from(made());
            assert_eq!((batch.table.as_str(), batch.rows.len()), (*table, 2));
            let rows: Vec<Row> = batch.rows.into_iter().collect();
            assert_eq!(rows.len(), 2, "{table}");
            assert_eq!(rows[0].table(), *table);
            assert!(rows[0]
                .columns()
                .iter()
                .all(|column| rows[0].value(column).is_none()));
        }
    }

    #[test]
    fn a_table_that_nobody_knows_has_no_rows() {
        let batch = Batch::from(v1::RowBatch {
            table: "newer".into(),
            ..Default::default()
        });
        assert!(batch.rows.is_empty());
        assert_eq!(batch.rows.into_iter().count(), 0);
    }

    #[test]
    fn rows_have_values_by_the_names_of_columns() {
        let row = Row::User(Box::new(v1::User {
            r#type: Some("user".into()),
            name: Some(String::new()),
            created_at: Some(-1),
            location_data_latitude: Some(0.5),
            anonymous: Some(false),
            ..v1::User::default()
        }));
        assert_eq!(row.columns()[..3], ["type", "id", "created_at"]);
        assert_eq!(row.value("type"), Some(Value::Text("user")));
        assert_eq!(
            row.value("name"),
            Some(Value::Text("")),
            "empty is not null"
        );
        assert_eq!(row.value("created_at"), Some(Value::Int(-1)));
        assert_eq!(
            row.value("location_data_latitude"),
            Some(Value::Double(0.5))
        );
        assert_eq!(row.value("anonymous"), Some(Value::Bool(false)));
        assert_eq!(row.value("id"), None);
        assert_eq!(row.value("no such column"), None);
        let said: Vec<String> = ["type", "created_at", "location_data_latitude", "anonymous"]
            .iter()
            .filter_map(|column| row.value(column).map(|value| value.to_string()))
            .collect();
        assert_eq!(said, ["user", "-1", "0.5", "false"]);
    }

    #[test]
    fn rows_of_another_table_are_not_taken_for_ones_own() {
        let rows = || Rows::Tags(vec![v1::Tag::default()]);
        assert_eq!(v1::Tag::from_rows(rows()).map(|tags| tags.len()), Some(1));
        assert_eq!(v1::Lead::from_rows(rows()), None);
    }
}
