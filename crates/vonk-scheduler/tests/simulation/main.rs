//! Random fault schedules against the real state machines.
//!
//! A seed is a scenario: jobs (random graphs, some sharing shuffles), executors, settings, and a list of faults. The driver is the
//! real [`vonk_scheduler::Scheduler`]; executors and the network between are played, in simulated time. Blocks have values, so that
//! an answer shows what it was made from; a book is kept of all that happened, against which every decision is held:
//! answers are right or the job fails for a reason that was given; no result counts twice; nothing is computed that is there
//! or already being computed; outputs vanish only when they are lost; something always happens until all jobs have ended; every
//! slot, block and shuffle is given back.
//!
//! `VONK_SIMULATIONS` sets how many seeds run, `VONK_SEED` runs one again with its log. A failing one is made smaller first: faults
//! and jobs are left out as long as it still fails.
//!
//! A message that is lost is a broken connection here, as it is on one TCP stream: the executor is lost. Between executors,
//! messages overtake each other; reports come twice; an executor that was given up goes on reporting.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod checks;
mod executor;
mod model;
mod random;
mod scenario;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use scenario::Scenario;
use vonk_scheduler::JobFailure;
use world::World;

/// How the jobs of a scenario ended, and how often a task was parked.
type Ends = (Vec<Option<JobFailure>>, u64);

/// How parked tasks are counted among the ends of jobs.
const PARKS: &str = "parks";

/// Runs a scenario with some of its faults; what is wrong, if anything.
fn run(plan: &Scenario, active: &[bool], log: Option<&mut Vec<String>>) -> Result<Ends, String> {
    let mut world = World::new(plan, active, log.is_some());
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    if let Some(log) = log {
        *log = world.log.take().unwrap_or_default();
    }
    match result {
        Ok(()) => Ok((world.book.ended.into_values().collect(), world.book.parks)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default())
        }
    }
}

/// Leaves out what a failing scenario does not need to fail.
fn shrink(plan: &mut Scenario, active: &mut [bool]) {
    loop {
        let mut smaller = false;
        for n in 0..active.len() {
            if active[n] {
                active[n] = false;
                let still = run(plan, active, None).is_err();
                smaller |= still;
                active[n] = !still;
            }
        }
        for n in 0..plan.jobs.len() {
            if !plan.jobs[n].skip {
                plan.jobs[n].skip = true;
                let still = run(plan, active, None).is_err();
                smaller |= still;
                plan.jobs[n].skip = still;
            }
        }
        if !smaller {
            return;
        }
    }
}

/// A failing seed as somebody wants to read it.
fn describe(seed: u64) -> String {
    let mut plan = Scenario::new(seed);
    let mut active = vec![true; plan.faults.len()];
    shrink(&mut plan, &mut active);
    let mut log = Vec::new();
    let wrong = run(&plan, &active, Some(&mut log)).err().unwrap_or_default();
    let faults: Vec<_> =
        plan.faults.iter().zip(&active).filter(|(_, a)| **a).map(|(f, _)| format!("{f:?}")).collect();
    let jobs: Vec<_> =
        plan.jobs.iter().enumerate().filter(|(_, j)| !j.skip).map(|(n, j)| (n, j.family, j.last)).collect();
    let graphs: Vec<_> = plan.families.iter().map(|f| format!("{:#?}", f.graph)).collect();
    let graphs = if std::env::var("VONK_SEED").is_ok() { graphs.join("\n") } else { String::new() };
    format!(
        "seed {seed}: {wrong}\nrun it again with VONK_SEED={seed}\n{graphs}\njobs (number, family, last): {jobs:?}\nservice: {}\n{:?}\nfaults:\n  {}\nlog:\n{}",
        plan.service,
        plan.options,
        faults.join("\n  "),
        log.join("\n"),
    )
}

#[test]
fn random_fault_schedules_hold_the_invariants() {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let one = read("VONK_SEED");
    let count = read("VONK_SIMULATIONS").unwrap_or(10_000);
    let first = read("VONK_FIRST_SEED").unwrap_or(0);
    let seeds = one.map_or(first..first + count, |seed| seed..seed + 1);
    // The failures that are looked for would all be printed, those of shrinking too.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let failed = Mutex::new(None);
    let counts = Mutex::new(BTreeMap::<String, u64>::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = BTreeMap::<String, u64>::new();
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let plan = Scenario::new(seed);
                    match run(&plan, &vec![true; plan.faults.len()], None) {
                        Ok((ends, parks)) => {
                            *own.entry(PARKS.to_string()).or_default() += parks;
                            for end in ends {
                                let text =
                                    end.map_or("Succeeded".to_string(), |reason| format!("{reason:?}"));
                                let name = text.split([' ', '{']).next().unwrap_or_default().to_string();
                                *own.entry(name).or_default() += 1;
                            }
                        }
                        Err(_) => {
                            stop.store(true, Ordering::Relaxed);
                            failed.lock().unwrap().get_or_insert(seed);
                        }
                    }
                }
                let mut all = counts.lock().unwrap();
                own.into_iter().for_each(|(name, n)| *all.entry(name).or_default() += n);
            });
        }
    });
    let failure = failed.into_inner().unwrap().map(describe);
    let _ = std::panic::take_hook();
    if let Some(text) = failure {
        panic!("{text}");
    }
    let counts = counts.into_inner().unwrap();
    println!("{counts:?}");
    if one.is_none() && count >= 5_000 {
        // Every way to end is gone, and most jobs get through.
        let parks = counts.get(PARKS).copied().unwrap_or(0);
        let all: u64 = counts.values().sum::<u64>() - parks;
        assert!(parks > all / 4, "too few tasks wait for their readers: {counts:?}");
        assert!(counts["Succeeded"] > all / 2, "too few jobs get through: {counts:?}");
        for reason in
            ["Task", "StageAttempts", "ExecutorLosses", "Unschedulable", "Indeterminate", "Cancelled"]
        {
            assert!(counts.contains_key(reason), "no job failed with {reason}: {counts:?}");
        }
    }
}
