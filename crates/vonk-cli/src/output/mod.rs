//! How results are printed, one format a file.
//!
//! Must not know: where the output goes, what ran.

mod delimited;
mod json;
mod markdown;
mod table;
mod vertical;

pub mod plan;

use crate::style::Style;
use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use clap::ValueEnum;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use vonk::{Answer, CancelFlag, DataType, Error, EvalContext, StructField, StructType};

/// Formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Boxes, with names and types.
    Table,
    /// Comma-separated values with a header, quoted where needed.
    Csv,
    /// Tab-separated values without a header, as spark-sql prints them.
    Tsv,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A Markdown table.
    Markdown,
    /// One line a value.
    Vertical,
}

impl Format {
    /// A table on a terminal, tab-separated values otherwise.
    pub fn default_for_stdout() -> Format {
        if std::io::stdout().is_terminal() { Format::Table } else { Format::Tsv }
    }
}

/// What a format is given.
pub struct Shape<'a> {
    /// Columns.
    pub schema: &'a StructType,
    /// Settings that show in texts.
    pub eval: &'a EvalContext,
}

impl Shape<'_> {
    /// The text of a cell, as spark-sql prints it; `None` for null.
    pub fn cell(&self, batch: &RecordBatch, column: usize, row: usize) -> vonk::Result<Option<String>> {
        let array = batch.column(column);
        if array.is_null(row) || array.data_type() == &arrow::datatypes::DataType::Null {
            return Ok(None);
        }
        let data_type = &self.schema.fields[column].data_type;
        vonk::text::hive_text(array.as_ref(), row, data_type, self.eval).map(Some)
    }

    /// A row of cells.
    pub fn row(&self, batch: &RecordBatch, row: usize) -> vonk::Result<Vec<Option<String>>> {
        (0..self.schema.fields.len()).map(|c| self.cell(batch, c, row)).collect()
    }
}

/// How a result is to look, whatever is in it.
#[derive(Debug, Clone)]
pub struct Look {
    /// The format.
    pub format: Format,
    /// Columns of the terminal that a table may take; `None` is any number.
    pub width: Option<usize>,
    /// Rows that a table shows; 0 is all.
    pub max_rows: usize,
    /// What stands for null; `None` is the format's own.
    pub null: Option<String>,
    /// Whether names stand above values; `None` is the format's own.
    pub headers: Option<bool>,
    /// Whether a table has types in its header.
    pub types: bool,
    /// Colours.
    pub style: Style,
}

impl Look {
    /// A format as it is without anybody's wishes.
    pub fn plain(format: Format) -> Look {
        Look {
            format,
            width: None,
            max_rows: 40,
            null: None,
            headers: None,
            types: true,
            style: Style::PLAIN,
        }
    }

    /// What stands for null, `own` being the format's.
    fn null_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.null.as_deref().unwrap_or(own)
    }
}

/// What was printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Printed {
    /// Rows of the result.
    pub rows: u64,
    /// Rows of it that were shown.
    pub shown: u64,
    /// Columns of the result.
    pub columns: usize,
    /// Columns of it that were left out.
    pub columns_hidden: usize,
}

/// Prints batches of one answer.
pub trait Printer {
    /// Rows.
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()>;
    /// The end.
    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed>;
}

/// What a printer says that prints all there is.
fn all(rows: u64, shape: &Shape<'_>) -> Printed {
    Printed { rows, shown: rows, columns: shape.schema.fields.len(), columns_hidden: 0 }
}

/// A failure to write the output.
pub fn failed(e: std::io::Error) -> Error {
    Error::io("cannot write the output", e)
}

fn printer(look: &Look) -> Box<dyn Printer + '_> {
    match look.format {
        Format::Table => Box::new(table::TablePrinter::new(look)),
        Format::Csv => Box::new(delimited::Csv::new(look)),
        Format::Tsv => Box::new(delimited::Tsv::new(look)),
        Format::Json => Box::new(json::Json::new(true)),
        Format::Jsonl => Box::new(json::Json::new(false)),
        Format::Markdown => Box::new(markdown::Markdown::new(look)),
        Format::Vertical => Box::new(vertical::Vertical::new(look)),
    }
}

/// Prints an answer as it comes, until `cancel` is set.
pub fn print(
    answer: &mut Answer,
    look: &Look,
    cancel: &CancelFlag,
    out: &mut dyn Write,
) -> vonk::Result<Printed> {
    let schema = answer.schema().clone();
    if schema.fields.is_empty() {
        // A command without output.
        while answer.next_batch()?.is_some() {}
        return Ok(Printed::default());
    }
    if look.format == Format::Tsv && look.null.is_none() && !answer.is_query() {
        // What spark-sql prints of a command is not always the text of its values.
        let rows = answer.rows_as_text()?;
        for row in &rows {
            writeln!(out, "{row}").map_err(failed)?;
        }
        let rows = rows.len() as u64;
        return Ok(Printed { rows, shown: rows, columns: schema.fields.len(), columns_hidden: 0 });
    }
    let eval = answer.eval_context().clone();
    let shape = Shape { schema: &schema, eval: &eval };
    let mut printer = printer(look);
    let mut out = UntilCancelled { cancel, out };
    while let Some(batch) = answer.next_batch()? {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        printer.batch(&shape, &batch, &mut out)?;
    }
    printer.finish(&shape, &mut out)
}

/// Prints rows of texts: what the shell itself has to list.
pub fn print_texts(
    names: &[&str],
    rows: &[Vec<Option<String>>],
    look: &Look,
    eval: &EvalContext,
    out: &mut dyn Write,
) -> vonk::Result<Printed> {
    let fields: Vec<_> = names.iter().map(|n| StructField::new(*n, DataType::String, true)).collect();
    let schema = StructType::new(fields);
    let shape = Shape { schema: &schema, eval };
    let mut printer = printer(look);
    if !rows.is_empty() {
        let column = |i: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|r| r.get(i).cloned().flatten()).collect::<StringViewArray>())
        };
        let arrays = (0..names.len()).map(column).collect();
        let batch = RecordBatch::try_new(schema.to_arrow_schema(), arrays).map_err(Error::from)?;
        printer.batch(&shape, &batch, out)?;
    }
    printer.finish(&shape, out)
}

/// Refuses to write once its flag is set: a batch of wide rows takes a slow terminal seconds.
struct UntilCancelled<'a> {
    cancel: &'a CancelFlag,
    out: &'a mut dyn Write,
}

impl Write for UntilCancelled<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(std::io::Error::other("cancelled"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
