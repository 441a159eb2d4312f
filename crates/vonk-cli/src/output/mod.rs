//! How results are printed, one format a file.

mod delimited;
mod json;
mod markdown;
mod table;
mod vertical;

use arrow::array::RecordBatch;
use clap::ValueEnum;
use std::io::{IsTerminal, Write};
use vonk::{Answer, Error, EvalContext, StructType};

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

/// Prints batches of one answer.
pub trait Printer {
    /// Rows.
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()>;
    /// The end.
    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()>;
}

/// A failure to write the output.
pub fn failed(e: std::io::Error) -> Error {
    Error::io("cannot write the output", e)
}

/// Prints an answer as it comes; how many rows there were.
pub fn print(answer: &mut Answer, format: Format, out: &mut dyn Write) -> vonk::Result<u64> {
    let schema = answer.schema().clone();
    let eval = answer.eval_context().clone();
    let shape = Shape { schema: &schema, eval: &eval };
    if schema.fields.is_empty() {
        // A command without output.
        while answer.next_batch()?.is_some() {}
        return Ok(0);
    }
    let mut printer: Box<dyn Printer> = match format {
        Format::Table => Box::new(table::TablePrinter::default()),
        Format::Csv => Box::new(delimited::Csv::default()),
        Format::Tsv => Box::new(delimited::Tsv),
        Format::Json => Box::new(json::Json::new(true)),
        Format::Jsonl => Box::new(json::Json::new(false)),
        Format::Markdown => Box::new(markdown::Markdown::default()),
        Format::Vertical => Box::new(vertical::Vertical::default()),
    };
    let mut rows = 0;
    while let Some(batch) = answer.next_batch()? {
        rows += batch.num_rows() as u64;
        printer.batch(&shape, &batch, out)?;
    }
    printer.finish(&shape, out)?;
    Ok(rows)
}
