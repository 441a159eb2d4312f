//! Ends, pauses and robs executors, at random.

use crate::standalone::Standalone;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is done to an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL.
    Kill,
    /// SIGSTOP, for good: whoever notices must end it.
    Pause,
    /// Its block files are deleted.
    Rob,
    /// A byte of one of its block files is changed.
    Spoil,
    /// A worker daemon is killed with its executors, and started again.
    Worker,
    /// The master daemon is killed, and started again.
    Master,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}

#[derive(Default)]
struct Log {
    lines: Vec<String>,
    children: BTreeSet<u32>,
}

pub struct Killer {
    stop: Arc<AtomicBool>,
    log: Arc<Mutex<Log>>,
    thread: JoinHandle<()>,
}

/// The children of a process that live and are not paused.
fn children(parent: u32) -> Vec<u32> {
    let child = |pid: u32| {
        // "pid (name) state parent …"; the name may have spaces and parentheses.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (state, of) = (fields.next()?, fields.next()?);
        (of == parent.to_string() && !matches!(state, "Z" | "T" | "X")).then_some(pid)
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|e| child(e.file_name().to_string_lossy().parse().ok()?)).collect()
}

/// Sends a signal, by the shell's own `kill`: the program may not be installed. The process may have ended in the meantime.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output();
}

/// Files with blocks of map outputs below a folder.
fn block_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            block_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "data") {
            found.push(path);
        }
    }
}

/// Who starts executors: a driver by itself, or the workers of a standalone cluster.
#[derive(Clone)]
pub enum Keepers {
    Driver(u32),
    Daemons(Arc<Standalone>),
}

impl Keepers {
    fn executors(&self) -> Vec<u32> {
        match self {
            Keepers::Driver(pid) => children(*pid),
            Keepers::Daemons(cluster) => cluster.workers().into_iter().flat_map(children).collect(),
        }
    }
}

impl Killer {
    /// Begins; `dir` is where the files of executors are.
    pub fn start(keepers: Keepers, dir: &Path, deeds: &[Deed], every: Range<u64>, seed: u64) -> Killer {
        let (stop, log) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Log>>::default());
        let (stopped, notes, dir, deeds) = (stop.clone(), log.clone(), dir.to_path_buf(), deeds.to_vec());
        let begun = Instant::now();
        let mut random = Random(seed);
        let thread = std::thread::spawn(move || {
            let mut next = Duration::from_millis(every.start + random.below(every.end - every.start));
            while !stopped.load(Ordering::Relaxed) {
                let now = keepers.executors();
                notes.lock().unwrap().children.extend(now.iter().copied());
                if begun.elapsed() < next {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
                next = begun.elapsed()
                    + Duration::from_millis(every.start + random.below(every.end - every.start));
                let deed = deeds[random.below(deeds.len() as u64) as usize];
                let chosen = random.below(now.len() as u64);
                let done = match (deed, &keepers) {
                    (Deed::Master, Keepers::Daemons(cluster)) => Some(cluster.restart_master()),
                    (Deed::Worker, Keepers::Daemons(cluster)) => Some(cluster.restart_worker(chosen)),
                    _ => now.get(chosen as usize).and_then(|victim| do_to(*victim, deed, &dir, &mut random)),
                };
                let Some(done) = done else { continue };
                notes.lock().unwrap().lines.push(format!("{:>8} ms: {done}", begun.elapsed().as_millis()));
            }
        });
        Killer { stop, log, thread }
    }

    pub fn deeds(&self) -> usize {
        self.log.lock().unwrap().lines.len()
    }

    /// What was done, newest last.
    pub fn history(&self) -> String {
        let log = self.log.lock().unwrap();
        let mut text = "the last deeds:\n".to_string();
        let from = log.lines.len().saturating_sub(20);
        log.lines[from..].iter().for_each(|l| writeln!(text, "{l}").unwrap());
        text
    }

    /// Ends; how much was done, and all executors there ever were.
    pub fn stop(self) -> (usize, BTreeSet<u32>) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let log = self.log.lock().unwrap();
        (log.lines.len(), log.children.clone())
    }
}

/// Does something to an executor; what was done, if it could be.
fn do_to(victim: u32, deed: Deed, dir: &Path, random: &mut Random) -> Option<String> {
    match deed {
        Deed::Kill => {
            signal(victim, "KILL");
            Some(format!("killed {victim}"))
        }
        Deed::Pause => {
            signal(victim, "STOP");
            Some(format!("paused {victim}"))
        }
        Deed::Rob | Deed::Spoil => {
            let mut files = Vec::new();
            block_files(dir, &mut files);
            let file = files.get(random.below(files.len() as u64) as usize)?;
            if deed == Deed::Rob {
                let _ = std::fs::remove_file(file);
                return Some(format!("deleted {}", file.display()));
            }
            spoil(file, random);
            Some(format!("spoiled {}", file.display()))
        }
        Deed::Worker | Deed::Master => None,
    }
}

/// Changes a byte somewhere in a file, if it is still there.
fn spoil(file: &Path, random: &mut Random) {
    let Ok(open) = std::fs::File::options().read(true).write(true).open(file) else { return };
    let length = open.metadata().map_or(0, |m| m.len());
    let at = random.below(length);
    let mut byte = [0];
    if open.read_exact_at(&mut byte, at).is_ok() {
        let _ = open.write_all_at(&[byte[0] ^ 0x5a], at);
    }
}
