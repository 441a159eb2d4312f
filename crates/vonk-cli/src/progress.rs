//! The progress bar: on standard error, for statements that take longer than half a second.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vonk::Progress;

const FIRST: Duration = Duration::from_millis(500);
const EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;
/// Seconds without an executor after which a script says so (Spark: `spark.starvation.timeout`).
const STARVING: u32 = 15;

/// Draws until dropped.
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
        let text = match progress.is_without_executors() {
            true => format!("waiting for executors, {:.1} s", begun.elapsed().as_secs_f64()),
            false => line(progress, begun.elapsed()),
        };
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
            eprintln!(
                "The query has been waiting for an executor for {STARVING} s: are there workers with enough free cores and memory?"
            );
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

fn line(progress: &Progress, elapsed: Duration) -> String {
    let stages = progress.stages();
    let (done, known) = progress.tasks();
    let complete = stages.iter().filter(|s| s.done == s.tasks).count();
    let rows: u64 = stages.iter().map(|s| s.rows).sum();
    let planned = progress.planned().max(stages.len() as u32);
    // Stages that have not begun count as so many tasks as those that have.
    let expected =
        if stages.is_empty() { 1.0 } else { f64::from(known) / stages.len() as f64 * f64::from(planned) };
    let share = (f64::from(done) / expected.max(1.0)).min(1.0);
    let filled = (share * WIDTH as f64) as usize;
    format!(
        "{}{} stage {complete}/{planned}, task {done}/{known}, {rows} rows, {:.1} s",
        "━".repeat(filled),
        "╌".repeat(WIDTH - filled),
        elapsed.as_secs_f64()
    )
}
