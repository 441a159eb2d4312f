//! One line a value, for wide rows.

use super::table::one_line;
use super::{Look, Printed, Printer, Shape, all, failed};
use crate::style::Role;
use arrow::array::RecordBatch;
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Rows under headings.
pub struct Vertical<'a> {
    look: &'a Look,
    rows: u64,
}

impl<'a> Vertical<'a> {
    /// In this look.
    pub fn new(look: &'a Look) -> Self {
        Vertical { look, rows: 0 }
    }
}

impl Printer for Vertical<'_> {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        let style = self.look.style;
        let names: Vec<String> = shape.schema.fields.iter().map(|f| one_line(f.name.to_string())).collect();
        let width = names.iter().map(|n| n.width()).max().unwrap_or(0);
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let heading = format!("-[ row {} ]{}", self.rows, "-".repeat(width));
            writeln!(out, "{}", style.paint(Role::Dim, &heading)).map_err(failed)?;
            for (name, cell) in names.iter().zip(shape.row(batch, row)?) {
                let padding = " ".repeat(width.saturating_sub(name.width()));
                let cell = match cell {
                    Some(text) => one_line(text),
                    None => style.paint(Role::Dim, self.look.null_or("NULL")),
                };
                writeln!(out, "{}{padding} | {cell}", style.paint(Role::Heading, name)).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, _: &mut dyn Write) -> vonk::Result<Printed> {
        Ok(all(self.rows, shape))
    }
}
