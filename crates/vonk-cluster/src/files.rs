//! Folders and files: who may see them, who uses them, and how large ones are removed.
//!
//! What is kept is for its user only: logs, scripts and blocks hold what queries read. Removing is done by a thread of its own
//! ([`Trash`]), since the files of an application may be hundreds of gigabytes and a daemon's machine must go on.
//!
//! Must not know: what is in them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use vonk_error::{Error, Result};

/// Names of folders that are being removed.
const TRASH: &str = "trash-";

pub(crate) fn failed(what: &str, path: &Path, e: impl std::fmt::Display) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), e)
}

/// Makes a folder and those above it that are not there. Those that are there stay as they are.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| failed("make the folder", folder, e))
}

/// How a file is opened that, should it be made, is for this user only.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Locks a folder for this process, as long as the file is open, by a file in it: where the folder is on a network, only files that are
/// open for writing can be locked. The file stays, since another process may be about to lock it.
pub(crate) fn lock_by_file(folder: &Path) -> Result<File> {
    let path = folder.join(".lock");
    let file = private().write(true).create(true).truncate(false).open(&path);
    lock(file.map_err(|e| failed("open", &path, e))?, folder)
}

/// Locks a folder of this machine for this process, as long as the file is open, and leaves nothing in it.
pub(crate) fn lock_folder(folder: &Path) -> Result<File> {
    lock(File::open(folder).map_err(|e| failed("open", folder, e))?, folder)
}

fn lock(file: File, folder: &Path) -> Result<File> {
    // A process that this one is just starting has all its files for a moment, those that are locked among them.
    for _ in 0..10 {
        // SAFETY: the descriptor is open as long as `file` is.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(file);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(failed("use the folder", folder, "another process uses it"))
}

/// A process's own folder in one that others use, too. It is locked as long as the process lives: those of processes that were killed are
/// not, and who comes next removes them.
pub(crate) struct OwnFolder {
    path: PathBuf,
    _lock: Option<File>,
}

impl OwnFolder {
    /// What the names of locked ones begin with.
    const PREFIX: &str = "vonk-session-";

    /// A folder of this name, which no other may ever have, in a parent. One that cannot be locked has another name, under which nobody
    /// takes it for one that was left. Where it cannot be made now, who needs it later will say so.
    pub fn new(parent: &Path, name: &str) -> OwnFolder {
        let unlocked = parent.join(format!("vonk-{name}"));
        let made = make_folder(&unlocked).and_then(|()| lock_folder(&unlocked));
        let path = parent.join(format!("{}{name}", Self::PREFIX));
        let named = made.and_then(|lock| {
            std::fs::rename(&unlocked, &path).map_err(|e| failed("make the folder", &path, e)).map(|()| lock)
        });
        match named {
            Ok(lock) => OwnFolder { path, _lock: Some(lock) },
            Err(error) => {
                tracing::debug!(%error, "no locked folder");
                OwnFolder { path: unlocked, _lock: None }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with all that is in it: nobody uses it any more.
    pub fn clear(&self) {
        // What cannot be removed is removed by who comes next.
        let _ = std::fs::remove_dir_all(&self.path);
    }

    /// Removes the folders in a parent whose processes were killed, on a thread of its own. Only those on a disk of this machine can be told
    /// from others.
    pub fn sweep(parent: PathBuf) {
        let thread = std::thread::Builder::new().name("vonk-sweep".to_string());
        let swept = thread.spawn(move || Self::sweep_now(&parent));
        if let Err(error) = swept {
            tracing::debug!(%error, "no thread that removes what was left");
        }
    }

    fn sweep_now(parent: &Path) {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let is_one = entry.file_name().to_string_lossy().starts_with(Self::PREFIX)
                && entry.file_type().is_ok_and(|t| t.is_dir());
            // A stranger's cannot be opened.
            if let Some(_lock) = is_one.then(|| lock_folder(&entry.path()).ok()).flatten() {
                tracing::info!(path = %entry.path().display(), "removing what a process that was killed has left");
                if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(path = %entry.path().display(), %error, "files cannot be removed");
                }
            }
        }
    }
}

/// How long tasks that were cancelled may take to end and to remove their files, once their driver is gone.
const ENDING: Duration = Duration::from_secs(10);

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // Those who have used it remove their files; tasks that are being cancelled do so in a moment. Should there be any after that,
        // somebody still needs them.
        let begun = std::time::Instant::now();
        loop {
            for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
                let _ = std::fs::remove_dir(entry.path());
            }
            let removed = std::fs::remove_dir(&self.path);
            let in_use = removed.is_err_and(|e| e.kind() == std::io::ErrorKind::DirectoryNotEmpty);
            if !in_use || begun.elapsed() > ENDING {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes folders in a folder, one after the other, on a thread of its own. They are out of the way at once, under other names.
pub(crate) struct Trash {
    folder: PathBuf,
    sender: Sender<PathBuf>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

impl Trash {
    /// Of a folder, which is locked: what an earlier one had no time for is removed now.
    pub fn of(folder: &Path) -> Result<Trash> {
        let (sender, receiver) = channel::<PathBuf>();
        let (alive, ended) = channel::<()>();
        let thread = std::thread::Builder::new().name("vonk-trash".to_string());
        let spawned = thread.spawn(move || {
            let _alive = alive;
            for path in receiver {
                match std::fs::remove_dir_all(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        tracing::warn!(path = %path.display(), %error, "files cannot be removed");
                    }
                    _ => {}
                }
            }
        });
        spawned.map_err(|e| Error::io("cannot start a thread that removes files", e))?;
        let trash = Trash { folder: folder.to_path_buf(), sender, ended };
        let entries = std::fs::read_dir(folder).map_err(|e| failed("read the folder", folder, e))?;
        let left = entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(TRASH));
        left.for_each(|entry| trash.delete(entry.path()));
        Ok(trash)
    }

    /// Removes a folder, if it is there. Its name is free when this returns.
    pub fn take(&self, path: &Path) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let away = self.folder.join(format!("{TRASH}{}-{number}", std::process::id()));
        match std::fs::rename(path, &away) {
            Ok(()) => self.delete(away),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            // A mount point, for one: it stays where it is until it is empty.
            Err(_) => self.delete(path.to_path_buf()),
        }
    }

    fn delete(&self, path: PathBuf) {
        // The thread lives as long as the sender does.
        let _ = self.sender.send(path);
    }

    /// Waits until all is removed, but no longer than this: the rest is for who uses the folder next.
    pub fn finish(self, patience: Duration) {
        drop(self.sender);
        // Nothing is ever sent: this returns when the thread has ended, or the time is over.
        if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = self.ended.recv_timeout(patience) {
            tracing::warn!(folder = %self.folder.display(), "there was no time to remove all files");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn folders_are_out_of_the_way_at_once_and_then_gone_and_so_is_what_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("a/work");
        make_folder(&work).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&work), mode(&dir.path().join("a"))), (0o700, 0o700));
        make_folder(&work.join("trash-1-2/deep")).unwrap();
        let trash = Trash::of(&work).unwrap();
        for _ in 0..3 {
            let app = work.join("app-1");
            make_folder(&app.join("executor-0")).unwrap();
            private().write(true).create(true).open(app.join("executor-0.log")).unwrap();
            assert_eq!(mode(&app.join("executor-0.log")), 0o600);
            trash.take(&app);
            assert!(!app.exists(), "its name is free");
        }
        trash.take(&work.join("app-none"));
        trash.finish(Duration::from_secs(30));
        assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn folders_of_processes_that_were_killed_are_removed_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let live = OwnFolder::new(dir.path(), "live");
        std::fs::write(live.path().join("block"), "x").unwrap();
        make_folder(&dir.path().join("vonk-session-left/deep")).unwrap();
        make_folder(&dir.path().join("another")).unwrap();
        OwnFolder::sweep_now(dir.path());
        let names = || {
            let entries = std::fs::read_dir(dir.path()).unwrap().flatten();
            let mut names: Vec<_> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["another", "vonk-session-live"]);
        std::fs::remove_file(live.path().join("block")).unwrap();
        make_folder(&live.path().join("results")).unwrap();
        drop(live);
        assert_eq!(names(), ["another"]);
        let nowhere = OwnFolder::new(Path::new("/proc/none"), "x");
        assert!(nowhere.path().ends_with("none/vonk-x"), "it is not locked");
    }

    #[test]
    fn a_folder_has_one_user_and_may_leave_nothing_in_it() {
        let dir = tempfile::tempdir().unwrap();
        for lock in [lock_folder as fn(&Path) -> Result<File>, lock_by_file] {
            let held = lock(dir.path()).unwrap();
            assert!(lock(dir.path()).unwrap_err().to_string().contains("another process uses it"));
            drop(held);
            lock(dir.path()).unwrap();
        }
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(names, [".lock"]);
    }
}
