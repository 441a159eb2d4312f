//! Rows and schemas as Spark prints them.

use super::DataFrame;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;
use vonk_error::Result;
use vonk_types::text::{CellWriter, Form};
use vonk_types::{DataType, StructType};

/// Rows that [`DataFrame::show`] shows.
const SHOWN_ROWS: usize = 20;
/// Characters of a cell that it shows.
const SHOWN_CHARS: usize = 20;

impl DataFrame {
    /// Prints the first 20 rows, cells cut to 20 characters.
    pub fn show(&self) -> Result<()> {
        self.show_rows(SHOWN_ROWS, SHOWN_CHARS, false)
    }

    /// Prints the first rows, cells cut to so many characters (0: not cut), as a table or with a line for each cell.
    pub fn show_rows(&self, rows: usize, truncate: usize, vertical: bool) -> Result<()> {
        print!("{}", self.show_text(rows, truncate, vertical)?);
        Ok(())
    }

    /// What [`show_rows`](Self::show_rows) prints.
    pub fn show_text(&self, rows: usize, truncate: usize, vertical: bool) -> Result<String> {
        let mut answer = self.limit(rows as u64 + 1)?.execute(&Default::default())?;
        let schema = answer.schema().clone();
        let writer = CellWriter::new(Form::Show, answer.eval_context());
        let header: Vec<String> = schema.fields.iter().map(|f| escaped(&f.name)).collect();
        let mut cells: Vec<Vec<String>> = Vec::new();
        while let Some(batch) = answer.next_batch()? {
            for row in 0..batch.num_rows() {
                let mut line = Vec::with_capacity(schema.fields.len());
                for (field, column) in schema.fields.iter().zip(batch.columns()) {
                    let mut text = String::new();
                    if column.is_null(row) || field.data_type == DataType::Null {
                        text.push_str("NULL");
                    } else {
                        writer.write(column.as_ref(), row, &field.data_type, &mut text)?;
                    }
                    line.push(truncated(&escaped(&text), truncate));
                }
                cells.push(line);
            }
        }
        let more = cells.len() > rows;
        cells.truncate(rows);
        let mut out = match vertical {
            true => vertical_text(&header, &cells),
            false => table_text(&header, &cells, truncate > 0),
        };
        if more {
            let s = if rows == 1 { "" } else { "s" };
            let _ = writeln!(out, "only showing top {rows} row{s}");
        } else if vertical || !out.ends_with("\n\n") {
            out.push('\n');
        }
        Ok(out)
    }

    /// Prints the columns as a tree.
    pub fn print_schema(&self) {
        println!("{}", self.schema_text());
    }

    /// What [`print_schema`](Self::print_schema) prints.
    pub fn schema_text(&self) -> String {
        let mut out = String::from("root\n");
        fields_text(&self.schema(), " ", &mut out);
        out
    }
}

/// Spark's escapes of control characters, so that a cell is one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{7}' => out.push_str("\\a"),
            c => out.push(c),
        }
    }
    out
}

fn truncated(text: &str, width: usize) -> String {
    if width == 0 || text.chars().count() <= width {
        return text.to_string();
    }
    if width < 4 {
        return text.chars().take(width).collect();
    }
    text.chars().take(width - 3).chain("...".chars()).collect()
}

/// Columns that a text takes: wide characters take two (Spark counts those of East Asia alike).
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.width() == Some(2) { 2 } else { 1 }).sum()
}

fn table_text(header: &[String], rows: &[Vec<String>], right: bool) -> String {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(i, name)| rows.iter().map(|r| width(&r[i])).chain([width(name), 3]).max().unwrap_or(3))
        .collect();
    let line: String =
        widths.iter().map(|w| format!("+{}", "-".repeat(*w))).chain(["+\n".to_string()]).collect();
    let mut out = line.clone();
    let row = |cells: &[String], out: &mut String| {
        for (cell, w) in cells.iter().zip(&widths) {
            let space = " ".repeat(w - width(cell));
            let _ = if right { write!(out, "|{space}{cell}") } else { write!(out, "|{cell}{space}") };
        }
        out.push_str("|\n");
    };
    row(header, &mut out);
    out.push_str(&line);
    rows.iter().for_each(|r| row(r, &mut out));
    out.push_str(&line);
    out
}

fn vertical_text(header: &[String], rows: &[Vec<String>]) -> String {
    let names = header.iter().map(|n| width(n)).chain([3]).max().unwrap_or(3);
    let data = rows.iter().flatten().map(|c| width(c)).chain([3]).max().unwrap_or(3);
    if rows.is_empty() {
        return "(0 rows)\n".to_string();
    }
    let mut out = String::new();
    for (i, row) in rows.iter().enumerate() {
        let title = format!("-RECORD {i}");
        let _ = writeln!(out, "{title:-<width$}", width = names + data + 5);
        for (name, cell) in header.iter().zip(row) {
            let (a, b) = (" ".repeat(names - width(name)), " ".repeat(data - width(cell)));
            let _ = writeln!(out, " {name}{a} | {cell}{b} ");
        }
    }
    out
}

fn fields_text(fields: &StructType, prefix: &str, out: &mut String) {
    for f in fields.fields.iter() {
        part_text(&f.name, &f.data_type, ("nullable", f.nullable), prefix, out);
    }
}

/// A line for a field or a part of a type, and lines for what is in it.
fn part_text(name: &str, t: &DataType, (word, yes): (&str, bool), prefix: &str, out: &mut String) {
    let _ = writeln!(out, "{prefix}|-- {name}: {} ({word} = {yes})", type_name(t));
    let inner = format!("{prefix}|    ");
    match t {
        DataType::Array(e, contains_null) => {
            part_text("element", e, ("containsNull", *contains_null), &inner, out);
        }
        DataType::Map(k, v, contains_null) => {
            let _ = writeln!(out, "{inner}|-- key: {}", type_name(k));
            nested_text(k, &format!("{inner}|    "), out);
            part_text("value", v, ("valueContainsNull", *contains_null), &inner, out);
        }
        DataType::Struct(s) => fields_text(s, &inner, out),
        _ => {}
    }
}

fn nested_text(t: &DataType, prefix: &str, out: &mut String) {
    match t {
        DataType::Array(e, contains_null) => {
            part_text("element", e, ("containsNull", *contains_null), prefix, out);
        }
        DataType::Struct(s) => fields_text(s, prefix, out),
        _ => {}
    }
}

/// Spark's `typeName`.
fn type_name(t: &DataType) -> String {
    match t {
        DataType::Byte => "byte".to_string(),
        DataType::Short => "short".to_string(),
        DataType::Int => "integer".to_string(),
        DataType::Long => "long".to_string(),
        DataType::Array(..) => "array".to_string(),
        DataType::Map(..) => "map".to_string(),
        DataType::Struct(_) => "struct".to_string(),
        other => other.catalog_string(),
    }
}
