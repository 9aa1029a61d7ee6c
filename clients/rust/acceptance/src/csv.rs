//! The file of one table.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use intercom_extractor::{Row, Value};

/// Begins anew as the table does.
pub(crate) struct CsvFile {
    writer: BufWriter<File>,
    columns: Vec<String>,
}

impl CsvFile {
    pub(crate) fn create(path: &Path, columns: Vec<String>) -> io::Result<Self> {
        let mut file = CsvFile {
            writer: BufWriter::new(File::create(path)?),
            columns,
        };
        file.restart()?;
        Ok(file)
    }

    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.writer.rewind()?;
        self.writer.get_ref().set_len(0)?;
        writeln!(self.writer, "{}", self.columns.join(","))
    }

    pub(crate) fn write(&mut self, row: &Row) -> io::Result<()> {
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.writer.write_all(b",")?;
            }
            match row.value(column) {
                None => {}
                Some(Value::Text(text)) => write_text(&mut self.writer, text)?,
                Some(value) => write!(self.writer, "{value}")?,
            }
        }
        self.writer.write_all(b"\n")
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn write_text(writer: &mut impl io::Write, text: &str) -> io::Result<()> {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        write!(writer, "\"{}\"", text.replace('"', "\"\""))
    } else {
        writer.write_all(text.as_bytes())
    }
}
