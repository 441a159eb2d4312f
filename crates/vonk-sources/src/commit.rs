//! Makes files that tasks have written part of a table.
//!
//! Tasks write under hidden names (with a leading dot), which listings leave out. The driver commits the files of the attempts
//! that won by giving them their names; files of other attempts stay hidden and are deleted with the next overwrite.

use crate::files;
use crate::writer::WrittenFile;
use arrow::array::{Array, StringViewArray};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vonk_error::{Error, Result};
use vonk_plan::logical::WriteMode;

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
        if !out.is_empty() {
            out.push('/');
        }
        escape(name, &mut out);
        out.push('=');
        match values.is_valid(row).then(|| values.value(row)).filter(|v| !v.is_empty()) {
            Some(v) => escape(v, &mut out),
            None => out.push_str(DEFAULT_PARTITION),
        }
    }
    out
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

/// Commits a write: with [`WriteMode::Overwrite`], what the table held is deleted first. Returns the files under their names.
pub fn commit(table: &str, mode: WriteMode, written: &[WrittenFile]) -> Result<Vec<WrittenFile>> {
    let root = files::local_path(table)?;
    std::fs::create_dir_all(&root).map_err(|e| failed("make the folder", &root, e))?;
    if mode == WriteMode::Overwrite {
        let keep: BTreeSet<PathBuf> = written.iter().map(|f| PathBuf::from(&f.path)).collect();
        clear(&root, &keep)?;
    }
    let mut out = Vec::with_capacity(written.len());
    for file in written {
        let from = Path::new(&file.path);
        let name = from.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let to = match name.strip_prefix('.') {
            Some(visible) => from.with_file_name(visible),
            None => from.to_path_buf(),
        };
        if to != from {
            std::fs::rename(from, &to).map_err(|e| failed("commit", from, e))?;
        }
        out.push(WrittenFile { path: to.to_string_lossy().into_owned(), ..file.clone() });
    }
    // Other programs look for this mark.
    let mark = root.join("_SUCCESS");
    std::fs::write(&mark, b"").map_err(|e| failed("write", &mark, e))?;
    Ok(out)
}

/// Deletes the files below a folder but those to be kept, and folders that are empty then.
fn clear(folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| failed("list", folder, e))? {
        let path = entry.map_err(|e| failed("list", folder, e))?.path();
        // A link is deleted, never followed.
        let kind = std::fs::symlink_metadata(&path).map_err(|e| failed("read", &path, e))?;
        if kind.is_dir() {
            clear(&path, keep)?;
            // Fails if something was kept.
            let _ = std::fs::remove_dir(&path);
        } else if !keep.contains(&path) {
            std::fs::remove_file(&path).map_err(|e| failed("delete", &path, e))?;
        }
    }
    Ok(())
}

/// Deletes the hidden files of a write that is not to be committed.
pub fn abort(written: &[WrittenFile]) {
    for file in written {
        // Hidden, so one that cannot be deleted does no harm.
        let _ = std::fs::remove_file(&file.path);
    }
}

fn failed(what: &str, path: &Path, cause: std::io::Error) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), cause)
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

    #[test]
    fn a_commit_shows_the_files_and_an_overwrite_hides_the_old() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().to_string_lossy().into_owned();
        let write = |name: &str| {
            let path = dir.path().join("k=1").join(hidden_name(name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, name).unwrap();
            WrittenFile { path: path.to_string_lossy().into_owned(), rows: 1, bytes: 1 }
        };
        let listed = || -> Vec<String> {
            let all = files::list(&table).unwrap();
            all.into_iter().map(|f| f.path.rsplit('/').next().unwrap().to_string()).collect()
        };
        let a = write("a.parquet");
        assert!(listed().is_empty());
        commit(&table, WriteMode::Append, &[a]).unwrap();
        let b = write("b.parquet");
        commit(&table, WriteMode::Append, &[b]).unwrap();
        assert_eq!(listed(), ["a.parquet", "b.parquet"]);
        let (c, lost) = (write("c.parquet"), write("lost.parquet"));
        commit(&table, WriteMode::Overwrite, &[c]).unwrap();
        assert_eq!(listed(), ["c.parquet"]);
        assert!(!Path::new(&lost.path).exists());
        commit(&table, WriteMode::Overwrite, &[]).unwrap();
        assert!(listed().is_empty());
    }
}
