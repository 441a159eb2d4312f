//! Removing the files of tables.
//!
//! A folder of many files takes long to remove, and half of one is of no use to anybody. So it first gets another name in the same folder, one
//! that readers do not look at: from then on it is gone. Its files are removed after that, and whoever asked waits for it unless he is asked to
//! stop; then the rest goes on a thread of its own. What a process that ended had no time for, the next removal in the folder takes along.
//!
//! Must not know: tables.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_error::{Error, Result, check_cancelled};

/// What the names of folders begin with that are being removed.
const AWAY: &str = ".vonk-removed-";

fn failed(path: &Path, e: impl std::fmt::Display) -> Error {
    Error::io(format!("cannot remove {}", path.display()), e)
}

/// A new name for what is removed, in a folder.
fn name_in(folder: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{AWAY}{}-{number}", std::process::id()))
}

/// Removes a folder with all that is in it, if it is there.
pub fn remove_folder(folder: &Path) -> Result<()> {
    let Some(parent) = folder.parent() else { return Err(failed(folder, "it is a root")) };
    let away = name_in(parent);
    match std::fs::rename(folder, &away) {
        Ok(()) => sweep(parent, &away),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        // A mount point, for one.
        Err(_) => match std::fs::remove_dir_all(folder) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(folder, e)),
            _ => Ok(()),
        },
    }
}

/// Removes what is in a folder, except for entries of names that `keeps` wants to keep, and those that begin with a dot.
pub fn empty_folder(folder: &Path, keeps: impl Fn(&str) -> bool) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let away = name_in(folder);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if shown.starts_with('.') || keeps(&shown) {
            continue;
        }
        let moved = match std::fs::rename(entry.path(), away.join(&name)) {
            // Made for the first.
            Err(e) if e.kind() == ErrorKind::NotFound => {
                std::fs::create_dir_all(&away).and_then(|()| std::fs::rename(entry.path(), away.join(&name)))
            }
            other => other,
        };
        // A mount point, for one.
        if moved.is_err() {
            remove(&entry.path())?;
        }
    }
    sweep(folder, &away)
}

/// Removes what has been put away in a folder, `own` by this call. That others' cannot be removed is no failure of this one.
fn sweep(folder: &Path, own: &Path) -> Result<()> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let away: Vec<PathBuf> =
        entries.filter(|e| e.file_name().to_string_lossy().starts_with(AWAY)).map(|e| e.path()).collect();
    for (done, path) in away.iter().enumerate() {
        match remove(path) {
            Ok(true) => continue,
            Err(e) if path == own => return Err(e),
            Err(_) => continue,
            Ok(false) => {}
        }
        let rest = away[done..].to_vec();
        let thread = std::thread::Builder::new().name("vonk-remove".to_string());
        let remove_rest = move || rest.iter().for_each(|path| drop(std::fs::remove_dir_all(path)));
        // Without a thread it is left to who comes next.
        let _ = thread.spawn(remove_rest);
        break;
    }
    Ok(())
}

/// Removes a file or folder; `false` if asked to stop before all of it was removed. Others may be at it, too.
fn remove(path: &Path) -> Result<bool> {
    if check_cancelled().is_err() {
        return Ok(false);
    }
    let gone = |result: std::io::Result<()>| match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(path, e)),
        _ => Ok(true),
    };
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return gone(std::fs::remove_file(path)),
        Err(_) => return Ok(true),
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if !remove(&entry.path())? {
            return Ok(false);
        }
    }
    gone(std::fs::remove_dir(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;
    use std::time::{Duration, Instant};
    use vonk_error::{CancelFlag, working_for};

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn filled(folder: &Path) -> PathBuf {
        let table = folder.join("table");
        std::fs::create_dir_all(table.join("a=1/b=2")).unwrap();
        for file in ["a=1/b=2/x", "a=1/y", "_metadata", ".z"] {
            std::fs::write(table.join(file), "x").unwrap();
        }
        table
    }

    #[test]
    fn folders_go_with_what_was_left_before() {
        let dir = tempfile::tempdir().unwrap();
        let table = filled(dir.path());
        std::fs::create_dir_all(dir.path().join(".vonk-removed-1-1/x")).unwrap();
        remove_folder(&table).unwrap();
        assert!(names(dir.path()).is_empty());
        remove_folder(&table).unwrap();
    }

    #[test]
    fn emptied_folders_keep_what_they_shall() {
        let dir = tempfile::tempdir().unwrap();
        let table = filled(dir.path());
        empty_folder(&table, |name| name.starts_with("_meta")).unwrap();
        assert_eq!(names(&table), [".z", "_metadata"]);
        empty_folder(&dir.path().join("none"), |_| false).unwrap();
    }

    #[test]
    fn links_are_removed_and_not_what_they_lead_to() {
        let dir = tempfile::tempdir().unwrap();
        let (table, others) = (filled(dir.path()), dir.path().join("others"));
        std::fs::create_dir(&others).unwrap();
        std::fs::write(others.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&others, table.join("link")).unwrap();
        remove_folder(&table).unwrap();
        assert_eq!(
            (names(dir.path()), names(&others)),
            (vec!["others".to_string()], vec!["file".to_string()])
        );
    }

    #[test]
    fn who_is_asked_to_stop_does_not_wait_and_all_goes_nevertheless() {
        let dir = tempfile::tempdir().unwrap();
        let table = filled(dir.path());
        let flag = CancelFlag::new();
        flag.cancel();
        working_for(&flag, || remove_folder(&table)).unwrap();
        assert!(!table.exists());
        let begun = Instant::now();
        while !names(dir.path()).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
