//! Markdown tables.

use super::{Look, Printed, Printer, Shape, all, failed};
use arrow::array::RecordBatch;
use std::io::Write;

/// A pipe table.
pub struct Markdown<'a> {
    look: &'a Look,
    header_done: bool,
    rows: u64,
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>")
}

impl<'a> Markdown<'a> {
    /// In this look.
    pub fn new(look: &'a Look) -> Self {
        Markdown { look, header_done: false, rows: 0 }
    }

    fn header(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        if self.header_done {
            return Ok(());
        }
        self.header_done = true;
        let names: Vec<String> = shape.schema.fields.iter().map(|f| escape(&f.name)).collect();
        let rule: Vec<&str> = shape
            .schema
            .fields
            .iter()
            .map(|f| if f.data_type.is_numeric() { "---:" } else { "---" })
            .collect();
        writeln!(out, "| {} |\n| {} |", names.join(" | "), rule.join(" | ")).map_err(failed)
    }
}

impl Printer for Markdown<'_> {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)?;
        self.rows += batch.num_rows() as u64;
        let null = self.look.null_or("NULL");
        for row in 0..batch.num_rows() {
            let cells: Vec<String> =
                shape.row(batch, row)?.iter().map(|c| escape(c.as_deref().unwrap_or(null))).collect();
            writeln!(out, "| {} |", cells.join(" | ")).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed> {
        self.header(shape, out)?;
        Ok(all(self.rows, shape))
    }
}
