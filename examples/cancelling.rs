//! A query that is watched, and stopped from another thread.
//!
//! ```sh
//! cargo run --release -p vonk --example cancelling
//! ```

use std::thread;
use std::time::{Duration, Instant};
use vonk::{Control, Session};

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let long = session
        .sql("SELECT count(*) FROM range(1000000) a CROSS JOIN range(1000000) b WHERE a.id * b.id = -1")?;
    let control = Control::default();
    let begun = Instant::now();

    let watcher = {
        let control = control.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            let (done, tasks) = control.progress.tasks();
            println!("{done} of {tasks} tasks are done: this takes too long");
            control.cancel.cancel();
        })
    };
    let ended = long.execute(&control).and_then(|mut answer| answer.collect());
    let stopped_within = begun.elapsed();
    let _ = watcher.join();

    match ended {
        Err(e) => println!(
            "{} ({})",
            e.condition(),
            if stopped_within < Duration::from_secs(5) { "at once" } else { "late" }
        ),
        Ok(_) => println!("it ended after all"),
    }
    println!("and the session goes on: {:?}", session.sql("SELECT 1 + 1")?.collect_text()?);
    Ok(())
}
