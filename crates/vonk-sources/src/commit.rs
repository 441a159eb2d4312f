//! Names of the files and folders of a table while it is written.
//!
//! Tasks write under hidden names (with a leading dot), which listings leave out. The driver commits the files of the attempts
//! that won by giving them their names without the dot.

use arrow::array::{Array, StringViewArray};

/// The folder that rows without a partition value go to, as Hive and Spark name it.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The name of a file until it is committed.
pub fn hidden_name(name: &str) -> String {
    format!(".{name}")
}

/// The folder of a row below the table's: `year=2024/city=a%2Fb`, from the names of the partition columns and their values as
/// text.
pub fn partition_folder(keys: &[(&str, &StringViewArray)], row: usize) -> String {
    let mut out = String::new();
    for (name, values) in keys {
        push_part(name, values.is_valid(row).then(|| values.value(row)), &mut out);
    }
    out
}

/// The folder of a partition below the table's, from names and values.
pub fn folder_of(keys: &[(&str, Option<&str>)]) -> String {
    let mut out = String::new();
    for (name, value) in keys {
        push_part(name, *value, &mut out);
    }
    out
}

fn push_part(name: &str, value: Option<&str>, out: &mut String) {
    if !out.is_empty() {
        out.push('/');
    }
    escape(name, out);
    out.push('=');
    match value.filter(|v| !v.is_empty()) {
        Some(v) => escape(v, out),
        None => out.push_str(DEFAULT_PARTITION),
    }
}

/// Name and value that one part of a path stands for; `None` if it is no partition's.
pub fn folder_part(part: &str) -> Option<(String, Option<String>)> {
    let (name, value) = part.split_once('=')?;
    let value = if value == DEFAULT_PARTITION { None } else { Some(unescape(value)) };
    Some((unescape(name), value))
}

/// Appends text to a path as Hive escapes it.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        let special = matches!(c, '\u{1}'..='\u{1f}' | '\u{7f}')
            || matches!(
                c,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
            );
        if special {
            out.push_str(&format!("%{:02X}", c as u32));
        } else {
            out.push(c);
        }
    }
}

/// Text of a path component, unescaped.
pub fn unescape(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let code = text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
        match code {
            Some(b) if bytes[i] == b'%' => {
                out.push(b);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_as_hive_escapes_them() {
        let years = StringViewArray::from(vec![Some("2024"), None, Some("")]);
        let names = StringViewArray::from(vec!["a/b=c", "50%", "x"]);
        let keys = [("year", &years), ("na:me", &names)];
        assert_eq!(partition_folder(&keys, 0), "year=2024/na%3Ame=a%2Fb%3Dc");
        assert_eq!(partition_folder(&keys, 1), "year=__HIVE_DEFAULT_PARTITION__/na%3Ame=50%25");
        assert_eq!(partition_folder(&keys, 2), "year=__HIVE_DEFAULT_PARTITION__/na%3Ame=x");
        assert_eq!(unescape("a%2Fb%3Dc%zz%"), "a/b=c%zz%");
    }
}
