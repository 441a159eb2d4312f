//! Task events a second through both schedulers: jobs of so many tasks on three hundred executors, each task ended once.
//!
//! `cargo bench -p vonk-scheduler`; to be flat from a thousand tasks to a million, and from one job to thousands at once.

#![allow(missing_docs)] // Criterion's macros make public items.

use std::collections::VecDeque;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vonk_scheduler::*;

const EXECUTORS: u64 = 300;
const SLOTS: u32 = 4;

/// A map stage of so many tasks into a shuffle of so many partitions, and a result stage of as many.
fn graph(shuffle: u64, maps: u32, reduces: u32) -> (RddGraph, RddId) {
    let mut graph = RddGraph::default();
    let rdd = |num_partitions, dependencies| Rdd {
        id: RddId(0),
        num_partitions,
        dependencies,
        partitioner: None,
        preferred_locations: Vec::new(),
        fragment: Fragment(0),
        determinate: true,
    };
    let map = graph.add(rdd(maps, Vec::new())).unwrap_or(RddId(0));
    let partitioner = Partitioner::Hash { num_partitions: reduces };
    let read = ShuffleDependency { shuffle: ShuffleId(shuffle), rdd: map, num_reduce: reduces, partitioner };
    let last = graph.add(rdd(reduces, vec![Dependency::Shuffle(read)])).unwrap_or(RddId(0));
    (graph, last)
}

fn cluster(options: SchedulerOptions) -> Scheduler {
    let mut scheduler = Scheduler::new(options);
    for e in 0..EXECUTORS {
        let host = format!("host{}", e / 4);
        scheduler.handle(Time(0), Event::ExecutorAdded { executor: ExecutorId(e), host, slots: SLOTS });
    }
    scheduler
}

/// Submits jobs and ends their tasks in the order of launch; how many there were.
fn run(scheduler: &mut Scheduler, jobs: u64, maps: u32, reduces: u32, pool: impl Fn(u64) -> String) -> u64 {
    let mut running = VecDeque::new();
    let mut ended = 0;
    let launched = |actions: Vec<Action>, running: &mut VecDeque<(TaskId, Fragment, bool, ExecutorId)>| {
        for action in actions {
            if let Action::Launch { task, attempt, executor, fragment, .. } = action {
                running.push_back((task, fragment, attempt.stage.0 % 2 == 0, executor));
            }
        }
    };
    for job in 0..jobs {
        let (graph, last) = graph(job, maps, reduces);
        let event = Event::SubmitJob { job: JobId(job), graph, last, keep: Vec::new(), pool: pool(job) };
        launched(scheduler.handle(Time(0), event), &mut running);
    }
    while let Some((task, _, is_map, executor)) = running.pop_front() {
        ended += 1;
        let map_status = is_map.then(|| MapStatus { executor, sizes: vec![1000; reduces as usize] });
        let event = Event::TaskEnded { task, end: TaskEnd::Success { map_status } };
        launched(scheduler.handle(Time(ended / 1000), event), &mut running);
    }
    assert_eq!((scheduler.jobs(), scheduler.running()), (0, 0));
    ended
}

fn fair() -> SchedulerOptions {
    let mode = SchedulingMode::Fair;
    let pool = |name: &str, mode| PoolOptions { mode, ..PoolOptions::named(name) };
    let pools = vec![pool("a", SchedulingMode::Fair), pool("b", SchedulingMode::Fifo)];
    let speculation = SpeculationOptions { enabled: true, ..SpeculationOptions::default() };
    SchedulerOptions { mode, pools, speculation, ..SchedulerOptions::default() }
}

fn task_events(c: &mut Criterion) {
    let mut group = c.benchmark_group("one stage");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    for tasks in [1_000u32, 10_000, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(u64::from(tasks)));
        for (name, options) in [("fifo", SchedulerOptions::default()), ("fair", fair())] {
            group.bench_function(BenchmarkId::new(name, tasks), |b| {
                b.iter(|| run(&mut cluster(options.clone()), 1, tasks, 1, |_| "a".to_string()));
            });
        }
    }
    group.finish();
    let mut group = c.benchmark_group("many jobs");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    for jobs in [10u64, 100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(100_000));
        for (name, options) in [("fifo", SchedulerOptions::default()), ("fair", fair())] {
            group.bench_function(BenchmarkId::new(name, jobs), |b| {
                let maps = (100_000 / jobs).saturating_sub(5) as u32;
                let pool = |job: u64| ["a", "b"][(job % 2) as usize].to_string();
                b.iter(|| run(&mut cluster(options.clone()), jobs, maps, 5, pool));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, task_events);
criterion_main!(benches);
