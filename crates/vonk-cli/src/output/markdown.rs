//! Markdown tables.

use super::{Printer, Shape, failed};
use arrow::array::RecordBatch;
use std::io::Write;

/// A pipe table.
#[derive(Default)]
pub struct Markdown {
    header_done: bool,
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>")
}

impl Markdown {
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

impl Printer for Markdown {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)?;
        for row in 0..batch.num_rows() {
            let cells: Vec<String> =
                shape.row(batch, row)?.iter().map(|c| escape(c.as_deref().unwrap_or("NULL"))).collect();
            writeln!(out, "| {} |", cells.join(" | ")).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)
    }
}
