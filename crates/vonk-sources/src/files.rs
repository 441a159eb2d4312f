//! Files of a table: listing and reading.
//!
//! Paths may name a file, a folder (read with all folders below it), or carry `file://` and glob patterns. Files whose name
//! begins with `_` or `.` are not data, as Spark and Hive hold.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use vonk_error::{Error, Result, check_cancelled};

/// A data file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct DataFile {
    /// Local path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds of its last change: tells versions of a file apart in caches.
    pub modified: u64,
}

/// A path as the user wrote it, without its scheme.
pub fn local_path(path: &str) -> Result<PathBuf> {
    if let Some(rest) = path.strip_prefix("file:") {
        return Ok(PathBuf::from(format!("/{}", rest.trim_start_matches('/'))));
    }
    match path.split_once("://") {
        Some((scheme, _)) => Err(Error::unsupported(format!("paths of scheme {scheme}"))),
        None => Ok(PathBuf::from(path)),
    }
}

/// The data files under a path, sorted by path. Spark's `PATH_NOT_FOUND` if there is nothing of that name.
pub fn list(path: &str) -> Result<Vec<DataFile>> {
    let root = local_path(path)?;
    let roots = if has_pattern(path) && !root.exists() { expand(&root)? } else { vec![root] };
    let mut out = Vec::new();
    for root in roots {
        let meta = std::fs::metadata(&root).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                let full = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
                Error::new("PATH_NOT_FOUND").with("path", format!("file:{}", full.display()))
            }
            _ => Error::io(format!("cannot read {}", root.display()), e),
        })?;
        if meta.is_dir() { walk(&root, &mut out, 0)? } else { out.push(data_file(&root, &meta)) }
    }
    out.sort();
    Ok(out)
}

fn data_file(path: &Path, meta: &std::fs::Metadata) -> DataFile {
    let modified = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    DataFile {
        path: path.to_string_lossy().into_owned(),
        size: meta.len(),
        modified: modified.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)),
    }
}

/// Deeper folders than this are a loop of links.
const MAX_DEPTH: usize = 64;

fn walk(folder: &Path, out: &mut Vec<DataFile>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::io(format!("cannot list {}", folder.display()), "folders are nested too deeply"));
    }
    let failed = |e: std::io::Error| Error::io(format!("cannot list {}", folder.display()), e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        check_cancelled()?;
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || (name.starts_with('_') && !name.contains('=')) {
            continue;
        }
        let meta = std::fs::metadata(entry.path()).map_err(failed)?;
        if meta.is_dir() {
            walk(&entry.path(), out, depth + 1)?;
        } else {
            out.push(data_file(&entry.path(), &meta));
        }
    }
    Ok(())
}

fn has_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// Paths that match a pattern with `*` and `?` in its components.
fn expand(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !has_pattern(&text) {
            found.iter_mut().for_each(|p| p.push(part));
            found.retain(|p| p.exists());
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            let base = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
            let Ok(entries) = std::fs::read_dir(base) else { continue };
            for entry in entries.flatten() {
                check_cancelled()?;
                if wildcard(text.as_bytes(), entry.file_name().to_string_lossy().as_bytes()) {
                    next.push(folder.join(entry.file_name()));
                }
            }
        }
        next.sort();
        found = next;
    }
    if found.is_empty() {
        return Err(Error::new("PATH_NOT_FOUND").with("path", format!("file:{}", pattern.display())));
    }
    Ok(found)
}

/// Whether a name matches a pattern of `*` (any run) and `?` (any byte). Linear with back-tracking to the last star.
fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((sp, sn)) => {
                    p = sp + 1;
                    n = sn + 1;
                    star = Some((sp, sn + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// Opens a file for reading.
pub fn open(path: &str) -> Result<File> {
    File::open(path).map_err(|e| Error::io(format!("cannot open {path}"), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(wildcard(b"*.parquet", b"a.parquet"));
        assert!(wildcard(b"part-??-*", b"part-01-x"));
        assert!(!wildcard(b"*.parquet", b"a.csv"));
        assert!(wildcard(b"a*b*c", b"aXbYbZc"));
    }

    #[test]
    fn missing_path_is_sparks_error() {
        assert_eq!(list("/no/such/place").unwrap_err().condition(), "PATH_NOT_FOUND");
        assert_eq!(list("/no/such/*.parquet").unwrap_err().condition(), "PATH_NOT_FOUND");
    }
}
