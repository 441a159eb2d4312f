//! Boxed tables: names and types in the header, numbers to the right, fitted to a width; long results cut in the middle.

mod fit;

use super::{Look, Printed, Printer, Shape, failed};
use crate::style::Role;
use arrow::array::RecordBatch;
use fit::{Fit, Wish, fit};
use std::collections::VecDeque;
use std::io::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use vonk::DataType;

/// A cell as it is kept: on one line, no longer than can be of use; `None` for null.
type Row = Vec<Option<String>>;

/// Collects what it will show, no more: the first and the last rows. Of those between it only knows how many there are.
pub struct TablePrinter<'a> {
    look: &'a Look,
    /// Rows kept from the beginning, and from the end.
    keep: (usize, usize),
    head: Vec<Row>,
    tail: VecDeque<Row>,
    rows: u64,
}

impl<'a> TablePrinter<'a> {
    /// A table that looks so.
    pub fn new(look: &'a Look) -> Self {
        let keep = match look.max_rows {
            0 => (usize::MAX, 0),
            rows => (rows.div_ceil(2), rows / 2),
        };
        TablePrinter { look, keep, head: Vec::new(), tail: VecDeque::new(), rows: 0 }
    }

    fn cells(&self, shape: &Shape<'_>, batch: &RecordBatch, row: usize) -> vonk::Result<Row> {
        let longest = self.look.width.unwrap_or(usize::MAX);
        Ok(shape.row(batch, row)?.into_iter().map(|c| c.map(|t| cut(one_line(t), longest))).collect())
    }

    fn wishes(&self, shape: &Shape<'_>, names: &[String], types: &[String]) -> Vec<Wish> {
        let null = self.look.null_or("NULL").width();
        let fields = &shape.schema.fields;
        let mut cells = vec![0; fields.len()];
        for row in self.head.iter().chain(&self.tail) {
            for (width, cell) in cells.iter_mut().zip(row) {
                *width = (*width).max(cell.as_deref().map_or(null, UnicodeWidthStr::width));
            }
        }
        let wish = |i: usize| {
            let header = names[i].width().max(types.get(i).map_or(0, |t| t.width()));
            Wish::new(header, cells[i], is_stiff(&fields[i].data_type))
        };
        (0..fields.len()).map(wish).collect()
    }

    fn draw(&self, shape: &Shape<'_>, hidden: u64) -> (String, usize) {
        let fields = &shape.schema.fields;
        let headers = self.look.headers.unwrap_or(true);
        let longest = self.look.width.unwrap_or(usize::MAX);
        let short = |text: String| cut(one_line(text), longest);
        let names: Vec<String> =
            fields.iter().map(|f| if headers { short(f.name.to_string()) } else { String::new() }).collect();
        let types: Vec<String> = match headers && self.look.types {
            true => fields.iter().map(|f| short(f.data_type.catalog_string())).collect(),
            false => vec![],
        };
        let fit = fit(&self.wishes(shape, &names, &types), self.look.width);
        let right: Vec<bool> = fields.iter().map(|f| f.data_type.is_numeric()).collect();
        let lines = Lines { fit: &fit, right: &right, look: self.look };
        let mut text = lines.rule(["┌", "┬", "┐"]);
        if headers {
            text += &lines.header(&names, Role::Heading);
            if !types.is_empty() {
                text += &lines.header(&types, Role::Dim);
            }
            text += &lines.rule(["├", "┼", "┤"]);
        }
        self.head.iter().for_each(|r| text += &lines.row(r));
        if hidden > 0 {
            text += &lines.header(&vec!["·".to_string(); fields.len()], Role::Dim);
        }
        self.tail.iter().for_each(|r| text += &lines.row(r));
        text += &lines.rule(["└", "┴", "┘"]);
        (text, fields.len() - fit.columns.len())
    }
}

impl Printer for TablePrinter<'_> {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, _: &mut dyn Write) -> vonk::Result<()> {
        let rows = batch.num_rows();
        self.rows += rows as u64;
        let to_head = self.keep.0.saturating_sub(self.head.len()).min(rows);
        for row in 0..to_head {
            let cells = self.cells(shape, batch, row)?;
            self.head.push(cells);
        }
        for row in to_head.max(rows.saturating_sub(self.keep.1))..rows {
            if self.tail.len() == self.keep.1 {
                self.tail.pop_front();
            }
            let cells = self.cells(shape, batch, row)?;
            self.tail.push_back(cells);
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed> {
        let shown = (self.head.len() + self.tail.len()) as u64;
        let (text, columns_hidden) = self.draw(shape, self.rows - shown);
        out.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Printed { rows: self.rows, shown, columns: shape.schema.fields.len(), columns_hidden })
    }
}

/// The lines of one table.
struct Lines<'a> {
    fit: &'a Fit,
    right: &'a [bool],
    look: &'a Look,
}

impl Lines<'_> {
    /// The columns shown, `None` for the gap.
    fn slots(&self) -> impl Iterator<Item = Option<(usize, usize)>> {
        let gap = self.fit.gap;
        let columns = self.fit.columns.iter().enumerate();
        columns
            .flat_map(move |(at, column)| {
                let before = (gap == Some(at)).then_some(None);
                before.into_iter().chain([Some(*column)])
            })
            .chain((gap == Some(self.fit.columns.len())).then_some(None))
    }

    fn rule(&self, [left, middle, end]: [&str; 3]) -> String {
        let parts: Vec<String> = self.slots().map(|s| "─".repeat(s.map_or(1, |s| s.1) + 2)).collect();
        format!("{left}{}{end}\n", parts.join(middle))
    }

    fn line(&self, cell: impl Fn(usize) -> (String, Role)) -> String {
        let style = self.look.style;
        let mut out = String::from("│");
        for slot in self.slots() {
            match slot {
                None => out += &format!(" {} │", style.paint(Role::Dim, "…")),
                Some((column, width)) => {
                    let (text, role) = cell(column);
                    let text = cut(text, width);
                    let padding = " ".repeat(width.saturating_sub(text.width()));
                    let text = if role == Role::Text { text } else { style.paint(role, &text) };
                    out += &match self.right.get(column) {
                        Some(true) => format!(" {padding}{text} │"),
                        _ => format!(" {text}{padding} │"),
                    };
                }
            }
        }
        out.push('\n');
        out
    }

    fn header(&self, texts: &[String], role: Role) -> String {
        self.line(|i| (texts.get(i).cloned().unwrap_or_default(), role))
    }

    /// Values are in the terminal's own colour; nulls are not, so that they are not taken for text.
    fn row(&self, row: &Row) -> String {
        self.line(|i| match row.get(i) {
            Some(Some(text)) => (text.clone(), Role::Text),
            _ => (self.look.null_or("NULL").to_string(), Role::Dim),
        })
    }
}

/// Values of which a part says something else.
fn is_stiff(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Date | DataType::Boolean)
}

/// Control characters as escapes, so that a cell stays on its line and cannot steer the terminal. Characters that turn the direction of
/// what follows do so, too (<https://trojansource.codes>).
pub fn one_line(text: String) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return text;
    }
    text.chars().map(|c| if steers(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The text, or as much of it as has room beside an ellipsis.
pub fn cut(text: String, room: usize) -> String {
    if text.len() <= room || text.width() <= room {
        return text;
    }
    let (mut out, mut width) = (String::new(), 0);
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width >= room {
            break;
        }
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\tb\n\x1b[31m\u{202e}é".to_string()), r"a\tb\n\u{1b}[31m\u{202e}é");
    }

    #[test]
    fn cut_by_columns_not_by_characters() {
        assert_eq!(cut("数据库引擎".to_string(), 10), "数据库引擎");
        assert_eq!(cut("数据库引擎".to_string(), 7), "数据库…");
        assert_eq!(cut("abc".to_string(), 2), "a…");
        assert_eq!(cut("abc".to_string(), 1), "…");
    }
}
