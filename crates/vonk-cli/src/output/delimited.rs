//! CSV and TSV.

use super::{Printer, Shape, failed};
use arrow::array::RecordBatch;
use std::io::Write;
use vonk::text::TextFormatter;

/// Comma-separated values with a header.
#[derive(Default)]
pub struct Csv {
    header_done: bool,
}

/// A field, quoted where it must be (RFC 4180). Null is empty; an empty string is quoted.
fn field(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some("") => "\"\"".to_string(),
        Some(v) if v.contains([',', '"', '\n', '\r']) => format!("\"{}\"", v.replace('"', "\"\"")),
        Some(v) => v.to_string(),
    }
}

impl Csv {
    fn header(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        if self.header_done {
            return Ok(());
        }
        self.header_done = true;
        let names: Vec<String> = shape.schema.fields.iter().map(|f| field(Some(&f.name))).collect();
        writeln!(out, "{}", names.join(",")).map_err(failed)
    }
}

impl Printer for Csv {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)?;
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = shape.row(batch, row)?.iter().map(|c| field(c.as_deref())).collect();
            writeln!(out, "{}", cells.join(",")).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<()> {
        self.header(shape, out)
    }
}

/// Tab-separated values, as spark-sql prints them: without a header, nothing quoted.
pub struct Tsv;

impl Printer for Tsv {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        let formatter = TextFormatter::new(shape.schema, shape.eval);
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            formatter.row(batch, row, &mut line)?;
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Shape<'_>, _: &mut dyn Write) -> vonk::Result<()> {
        Ok(())
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
            assert_eq!(field(value), text);
        }
    }
}
