//! Boxed tables: names and types in the header, numbers to the right, long results cut in the middle.

use super::{Printer, Shape, failed};
use arrow::array::RecordBatch;
use std::collections::VecDeque;
use std::io::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows shown from the beginning and from the end of a long result.
const HEAD: usize = 40;
const TAIL: usize = 20;
/// A cell is cut to this many columns.
const MAX_CELL: usize = 60;

type Row = Vec<Option<String>>;

/// Collects what it will show, no more: the first and the last rows.
#[derive(Default)]
pub struct TablePrinter {
    head: Vec<Row>,
    tail: VecDeque<Row>,
    rows: u64,
}

impl Printer for TablePrinter {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, _: &mut dyn Write) -> vonk::Result<()> {
        let rows = batch.num_rows();
        self.rows += rows as u64;
        let to_head = (HEAD - self.head.len()).min(rows);
        for row in 0..to_head {
            self.head.push(cells(shape, batch, row)?);
        }
        for row in to_head.max(rows.saturating_sub(TAIL))..rows {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(cells(shape, batch, row)?);
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        let fields = &shape.schema.fields;
        let names: Vec<String> = fields.iter().map(|f| cut(&one_line(&f.name))).collect();
        let types: Vec<String> = fields.iter().map(|f| cut(&f.data_type.catalog_string())).collect();
        let right: Vec<bool> = fields.iter().map(|f| f.data_type.is_numeric()).collect();
        let hidden = self.rows - (self.head.len() + self.tail.len()) as u64;
        let mut widths: Vec<usize> =
            names.iter().zip(&types).map(|(n, t)| n.width().max(t.width())).collect();
        for row in self.head.iter().chain(&self.tail) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_deref().map_or(4, UnicodeWidthStr::width));
            }
        }
        let rule = |left: &str, middle: &str, end: &str| {
            let parts: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
            format!("{left}{}{end}\n", parts.join(middle))
        };
        let line = |row: &[String]| {
            let parts = row.iter().zip(&widths).zip(&right).map(|((text, width), right)| {
                let padding = " ".repeat(width - text.width());
                if *right { format!(" {padding}{text} ") } else { format!(" {text}{padding} ") }
            });
            format!("│{}│\n", parts.collect::<Vec<_>>().join("│"))
        };
        let texts = |row: &Row| -> Vec<String> {
            row.iter().map(|c| c.clone().unwrap_or_else(|| "NULL".to_string())).collect()
        };
        let mut text = rule("┌", "┬", "┐") + &line(&names) + &line(&types) + &rule("├", "┼", "┤");
        self.head.iter().for_each(|r| text += &line(&texts(r)));
        if hidden > 0 {
            text += &line(&vec!["·".to_string(); widths.len()]);
        }
        self.tail.iter().for_each(|r| text += &line(&texts(r)));
        text += &rule("└", "┴", "┘");
        if hidden > 0 {
            text += &format!("{} rows, {} shown\n", self.rows, self.head.len() + self.tail.len());
        }
        out.write_all(text.as_bytes()).map_err(failed)
    }
}

fn cells(shape: &Shape<'_>, batch: &RecordBatch, row: usize) -> vonk::Result<Row> {
    Ok(shape.row(batch, row)?.into_iter().map(|c| c.map(|t| cut(&one_line(&t)))).collect())
}

/// Control characters as escapes, so that a cell stays on its line and cannot steer the terminal.
fn one_line(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_string();
    }
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

fn cut(text: &str) -> String {
    if text.width() <= MAX_CELL {
        return text.to_string();
    }
    let (mut out, mut width) = (String::new(), 0);
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width >= MAX_CELL {
            break;
        }
        out.push(c);
    }
    out + "…"
}
