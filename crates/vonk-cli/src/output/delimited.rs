//! CSV and TSV.

use super::{Look, Printed, Printer, Shape, all, failed};
use arrow::array::RecordBatch;
use std::io::Write;
use vonk::text::TextFormatter;

/// Comma-separated values with a header.
pub struct Csv<'a> {
    look: &'a Look,
    header_done: bool,
    rows: u64,
}

/// A field, quoted where it must be (RFC 4180). Null is `null`; a text that would be taken for it is quoted.
fn field(value: Option<&str>, null: &str) -> String {
    match value {
        None => null.to_string(),
        Some(v) if v == null || v.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", v.replace('"', "\"\""))
        }
        Some(v) => v.to_string(),
    }
}

impl<'a> Csv<'a> {
    /// In this look.
    pub fn new(look: &'a Look) -> Self {
        Csv { look, header_done: false, rows: 0 }
    }

    fn header(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        if self.header_done || self.look.headers == Some(false) {
            return Ok(());
        }
        self.header_done = true;
        let names: Vec<String> = shape.schema.fields.iter().map(|f| field(Some(&f.name), "")).collect();
        writeln!(out, "{}", names.join(",")).map_err(failed)
    }
}

impl Printer for Csv<'_> {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)?;
        self.rows += batch.num_rows() as u64;
        let null = self.look.null_or("");
        for row in 0..batch.num_rows() {
            let cells: Vec<String> =
                shape.row(batch, row)?.iter().map(|c| field(c.as_deref(), null)).collect();
            writeln!(out, "{}", cells.join(",")).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed> {
        self.header(shape, out)?;
        Ok(all(self.rows, shape))
    }
}

/// Tab-separated values, as spark-sql prints them: nothing quoted, and without a header unless one is asked for.
pub struct Tsv<'a> {
    look: &'a Look,
    header_done: bool,
    rows: u64,
}

impl<'a> Tsv<'a> {
    /// In this look.
    pub fn new(look: &'a Look) -> Self {
        Tsv { look, header_done: false, rows: 0 }
    }

    fn header(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        if self.header_done || self.look.headers != Some(true) {
            return Ok(());
        }
        self.header_done = true;
        let names: Vec<&str> = shape.schema.fields.iter().map(|f| &*f.name).collect();
        writeln!(out, "{}", names.join("\t")).map_err(failed)
    }
}

impl Printer for Tsv<'_> {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)?;
        self.rows += batch.num_rows() as u64;
        let formatter = TextFormatter::new(shape.schema, shape.eval);
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            match &self.look.null {
                None => formatter.row(batch, row, &mut line)?,
                Some(null) => {
                    let cells = shape.row(batch, row)?;
                    let cells: Vec<&str> = cells.iter().map(|c| c.as_deref().unwrap_or(null)).collect();
                    line.push_str(&cells.join("\t"));
                }
            }
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed> {
        self.header(shape, out)?;
        Ok(all(self.rows, shape))
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let cases = [
            (Some("a"), "a"),
            (Some("a,b"), "\"a,b\""),
            (Some("\"q\""), "\"\"\"q\"\"\""),
            (None, ""),
            (Some(""), "\"\""),
        ];
        for (value, text) in cases {
            assert_eq!(field(value, ""), text);
        }
        for (value, text) in [(None, "NULL"), (Some("NULL"), "\"NULL\""), (Some(""), "")] {
            assert_eq!(field(value, "NULL"), text);
        }
    }
}
