//! The progress bar: on standard error, for statements that take longer than half a second.
//!
//! Must not know: SQL, how a query runs.

use crate::terminal;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vonk::Progress;

const FIRST: Duration = Duration::from_millis(500);
const EVERY: Duration = Duration::from_millis(100);
/// The bar takes what the numbers leave of the line: at most so much, and nothing where that is too little to see anything.
const WIDEST: usize = 24;
const NARROWEST: usize = 6;
/// Seconds without an executor after which a script says so (Spark: `spark.starvation.timeout`).
const STARVING: u32 = 15;
/// Below this share done nobody knows how long the rest takes.
const TELLING: f64 = 0.02;

/// The most that is shown of what is not done.
const ALMOST: f64 = 0.99;

/// Draws until dropped, and leaves nothing behind.
pub struct Bar {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts drawing, if there is a terminal to draw on.
pub fn bar(progress: &Arc<Progress>) -> Bar {
    if !std::io::stderr().is_terminal() {
        return Bar { stop: None, thread: None };
    }
    while_it_lives(progress, draw)
}

/// Draws nothing; says so if the query waits long for executors.
pub fn hint(progress: &Arc<Progress>) -> Bar {
    while_it_lives(progress, watch)
}

fn while_it_lives(
    progress: &Arc<Progress>,
    run: impl FnOnce(&Progress, &Receiver<()>) + Send + 'static,
) -> Bar {
    let (stop, stopped) = channel::<()>();
    let progress = progress.clone();
    let thread = std::thread::Builder::new().name("vonk-progress".to_string());
    Bar { stop: Some(stop), thread: thread.spawn(move || run(&progress, &stopped)).ok() }
}

fn draw(progress: &Progress, stopped: &Receiver<()>) {
    let begun = Instant::now();
    let (mut wait, mut drawn) = (FIRST, false);
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(wait) {
        // A line that folds could not be taken back. One column is left free: writing into the last one may fold, too.
        let room = terminal::size().map_or(usize::MAX, |(columns, _)| columns.saturating_sub(1));
        let text = match progress.is_without_executors() {
            true => format!("waiting for executors, {:.1} s", begun.elapsed().as_secs_f64()),
            false => match Numbers::of(progress) {
                Numbers { begun: 0, .. } => format!("planning, {:.1} s", begun.elapsed().as_secs_f64()),
                numbers => line(&numbers, begun.elapsed(), room),
            },
        };
        let text: String = text.chars().take(room).collect();
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(std::io::stderr(), "\r{text}\x1b[K");
        (wait, drawn) = (EVERY, true);
    }
    if drawn {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

fn watch(progress: &Progress, stopped: &Receiver<()>) {
    let mut waiting = 0;
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_secs(1)) {
        waiting = if progress.is_without_executors() { waiting + 1 } else { 0 };
        if waiting == STARVING {
            terminal::warn(&format!(
                "The query has been waiting for an executor for {STARVING} s: are there workers with enough free cores and memory?"
            ));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the bar shows.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    /// Stages that are complete, and all that are known of.
    stages: (u32, u32),
    /// Tasks done, and all of the stages that have begun.
    tasks: (u32, u32),
    /// Stages that have begun.
    begun: u32,
    /// What the running tasks have done, in tasks.
    running: f64,
    /// What tasks have read.
    rows: u64,
    bytes: u64,
}

impl Numbers {
    fn of(progress: &Progress) -> Numbers {
        let stages = progress.stages();
        let begun = u32::try_from(stages.len()).unwrap_or(u32::MAX);
        let complete = stages.iter().filter(|s| s.done == s.tasks).count();
        Numbers {
            stages: (u32::try_from(complete).unwrap_or(u32::MAX), progress.planned().max(begun)),
            tasks: progress.tasks(),
            begun,
            running: stages.iter().map(|s| s.running).sum(),
            rows: stages.iter().map(|s| s.rows).sum(),
            bytes: stages.iter().map(|s| s.bytes).sum(),
        }
    }

    /// The share done. Stages that have not begun count as so many tasks as those that have. What all tasks have read is not done before they
    /// are.
    fn share(&self) -> f64 {
        if self.begun == 0 {
            return 0.0;
        }
        let expected = f64::from(self.tasks.1) / f64::from(self.begun) * f64::from(self.stages.1);
        let most = if self.tasks.0 < self.tasks.1 { ALMOST } else { 1.0 };
        ((f64::from(self.tasks.0) + self.running) / expected.max(1.0)).min(most)
    }
}

fn line(numbers: &Numbers, elapsed: Duration, room: usize) -> String {
    let share = numbers.share();
    let seconds = elapsed.as_secs_f64();
    let left = match share {
        s if (TELLING..1.0).contains(&s) => format!(", {} left", time(seconds * (1.0 - s) / s)),
        _ => String::new(),
    };
    let text = format!(
        "{:3.0}% stage {}/{}, task {}/{}, {} rows, {}, {}{left}",
        share * 100.0,
        numbers.stages.0,
        numbers.stages.1,
        numbers.tasks.0,
        numbers.tasks.1,
        count(numbers.rows),
        size(numbers.bytes),
        time(seconds),
    );
    let width = room.saturating_sub(text.len() + 1).min(WIDEST);
    if width < NARROWEST {
        return text.trim_start().to_string();
    }
    let filled = (share * width as f64) as usize;
    format!("{}{} {text}", "━".repeat(filled), "╌".repeat(width - filled))
}

/// `12 s`, `3 min 20 s`, `2 h 5 min`
fn time(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// `950 B`, `12.3 MB`
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// `950`, `12.3k`, `4.5M`
fn count(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{:.1}k", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let numbers = Numbers {
            stages: (1, 2),
            tasks: (7, 16),
            begun: 2,
            running: 1.0,
            rows: 1_234_567,
            bytes: 20_500_000,
        };
        let text = line(&numbers, Duration::from_secs(70), 200);
        assert_eq!(
            text,
            "━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌  50% stage 1/2, task 7/16, 1.2M rows, 20.5 MB, 1 min 10 s, 1 min 10 s left"
        );
        let narrow = line(&numbers, Duration::from_secs(30), 79);
        assert_eq!(narrow.chars().count(), 79);
        assert!(narrow.starts_with("━") && narrow.ends_with("30 s left"), "{narrow}");
        assert!(line(&numbers, Duration::from_secs(30), 60).starts_with("50% stage"), "{narrow}");
        // One of two stages has begun: half of its tasks are a quarter of all.
        let numbers = Numbers { stages: (0, 2), tasks: (4, 8), begun: 1, ..Numbers::default() };
        assert!((numbers.share() - 0.25).abs() < 1e-9);
        // One task of one, which has read all there is.
        let numbers = Numbers { stages: (0, 1), tasks: (0, 1), begun: 1, running: 1.0, ..Numbers::default() };
        assert!((numbers.share() - ALMOST).abs() < 1e-9);
        assert!(!line(&Numbers::default(), Duration::from_secs(1), 80).contains("left"));
    }
}
