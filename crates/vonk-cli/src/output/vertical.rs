//! One line a value, for wide rows.

use super::{Printer, Shape, failed};
use arrow::array::RecordBatch;
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Rows under headings.
#[derive(Default)]
pub struct Vertical {
    rows: u64,
}

impl Printer for Vertical {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        let width = shape.schema.fields.iter().map(|f| f.name.width()).max().unwrap_or(0);
        for row in 0..batch.num_rows() {
            self.rows += 1;
            writeln!(out, "-[ row {} ]{}", self.rows, "-".repeat(width)).map_err(failed)?;
            for (f, cell) in shape.schema.fields.iter().zip(shape.row(batch, row)?) {
                let padding = " ".repeat(width - f.name.width());
                writeln!(out, "{}{padding} | {}", f.name, cell.as_deref().unwrap_or("NULL"))
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &Shape<'_>, _: &mut dyn Write) -> vonk::Result<()> {
        Ok(())
    }
}
