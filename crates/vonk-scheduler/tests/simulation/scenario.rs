//! What a seed stands for: settings, executors, jobs and a list of faults.
//!
//! Everything random about the faults is in the list, so that a failing scenario can be made smaller by leaving some out.

use vonk_scheduler::*;

use crate::model::Family;
use crate::random::{Random, hash};

/// One thing that goes wrong. Executors and stages are picked among those there are, by a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A process is killed; with a shuffle service its blocks live on, unless the machine dies.
    Lose {
        at: u64,
        pick: u64,
        machine: bool,
    },
    /// A process stands still; for long, it is taken for dead and comes back as a zombie.
    Pause {
        at: u64,
        pick: u64,
        millis: u64,
    },
    /// It reaches none of the others, though they reach it and the driver.
    Cut {
        at: u64,
        pick: u64,
        millis: u64,
    },
    /// Everything takes several times as long on it.
    Slow {
        at: u64,
        pick: u64,
        factor: u64,
    },
    /// It is to leave: its blocks are moved.
    Drain {
        at: u64,
        pick: u64,
    },
    /// An executor comes.
    Add {
        at: u64,
    },
    /// A block cannot be read any more.
    Damage {
        at: u64,
        pick: u64,
    },
    CancelJob {
        at: u64,
        job: usize,
    },
    CancelStage {
        at: u64,
        pick: u64,
    },
    /// The n-th launch fails.
    Fail {
        launch: u64,
        retry: bool,
    },
    /// The n-th launch takes long.
    Straggle {
        launch: u64,
        factor: u64,
    },
    /// The n-th report comes twice, the second time late.
    Duplicate {
        report: u64,
        late: u64,
    },
    /// A task fails so many times wherever it runs.
    BadTask {
        family: usize,
        rdd: u32,
        partition: u32,
        times: u32,
    },
    /// A task takes so many executors with it.
    Killer {
        family: usize,
        rdd: u32,
        partition: u32,
        times: u32,
    },
    /// Tasks fail on the n-th executor.
    BadExecutor {
        executor: u64,
        percent: u64,
    },
}

#[derive(Clone)]
pub struct JobPlan {
    pub family: usize,
    pub last: RddId,
    pub at: u64,
    pub keep: Vec<ShuffleId>,
    pub pool: String,
    /// Left out, when a failing scenario is made smaller.
    pub skip: bool,
}

pub struct Scenario {
    pub seed: u64,
    pub options: SchedulerOptions,
    pub families: Vec<Family>,
    pub jobs: Vec<JobPlan>,
    /// Hosts and slots of the first executors.
    pub executors: Vec<(String, u32)>,
    pub hosts: u64,
    /// Blocks outlive their executor's process.
    pub service: bool,
    /// Percent of the tasks that give rows away which stop to wait for their readers.
    pub parking: u64,
    /// Milliseconds that a task takes, at most.
    pub task_millis: u64,
    /// Milliseconds that a message takes, at most.
    pub delay: u64,
    pub faults: Vec<Fault>,
}

impl Scenario {
    pub fn new(seed: u64) -> Scenario {
        let mut r = Random(seed);
        let families: Vec<_> = (0..r.range(1, 2)).map(|n| Family::new(&mut r, n)).collect();
        let mut jobs = Vec::new();
        for _ in 0..[1, 1, 2, 3][r.below(4) as usize] {
            let family = r.below(families.len() as u64) as usize;
            let f = &families[family];
            let last = RddId(f.rdds - 1 - if r.chance(30) { r.below(u64::from(f.rdds)) as u32 } else { 0 });
            let keep = if r.chance(30) {
                f.shuffles().into_iter().filter(|_| r.chance(60)).collect()
            } else {
                vec![]
            };
            let pool = ["", "a", "b"][r.below(3) as usize].to_string();
            let at = if r.chance(50) { 0 } else { r.below(3000) };
            jobs.push(JobPlan { family, last, at, keep, pool, skip: false });
        }
        let hosts = r.range(1, 4);
        let executors =
            (0..r.range(1, 4)).map(|_| (format!("host{}", r.below(hosts)), r.range(1, 3) as u32)).collect();
        let mut scenario = Scenario {
            seed,
            options: options(&mut r),
            families,
            jobs,
            executors,
            hosts,
            service: r.chance(25),
            parking: [0, 30, 100][(hash(&[seed, 15]) % 3) as usize],
            task_millis: [10, 200, 2000][r.below(3) as usize],
            delay: [1, 20, 300][r.below(3) as usize],
            faults: Vec::new(),
        };
        let faults = if r.chance(15) { 0 } else { r.range(1, 12) };
        let span = scenario.task_millis * 8 + 500;
        for _ in 0..faults {
            let fault = scenario.fault(&mut r, span);
            scenario.faults.push(fault);
        }
        scenario
    }

    fn fault(&self, r: &mut Random, span: u64) -> Fault {
        let at = r.below(span);
        let pick = r.next() % 1000;
        let family = r.below(self.families.len() as u64) as usize;
        let rdd = r.below(u64::from(self.families[family].rdds)) as u32;
        let partition = r.below(3) as u32;
        match r.below(100) {
            0..20 => Fault::Lose { at, pick, machine: r.chance(40) },
            20..28 => Fault::Pause { at, pick, millis: [500, 5_000, 30_000][r.below(3) as usize] },
            28..30 => Fault::Cut { at, pick, millis: [500, 5_000, 30_000][r.below(3) as usize] },
            30..36 => Fault::Slow { at, pick, factor: r.range(2, 30) },
            36..44 => Fault::Drain { at, pick },
            44..50 => Fault::Add { at },
            50..62 => Fault::Damage { at, pick },
            62..65 => Fault::CancelJob { at, job: r.below(self.jobs.len() as u64) as usize },
            65..67 => Fault::CancelStage { at, pick },
            67..77 => Fault::Fail { launch: r.below(30), retry: r.chance(95) },
            77..83 => Fault::Straggle { launch: r.below(30), factor: r.range(5, 50) },
            83..91 => Fault::Duplicate { report: r.below(30), late: r.below(3000) },
            91..95 => Fault::BadTask { family, rdd, partition, times: r.range(1, 5) as u32 },
            95..97 => Fault::Killer { family, rdd, partition, times: r.range(1, 8) as u32 },
            _ => Fault::BadExecutor { executor: r.below(4), percent: r.range(20, 100) },
        }
    }
}

fn options(r: &mut Random) -> SchedulerOptions {
    let fair = r.chance(40);
    let mode = |fair| if fair { SchedulingMode::Fair } else { SchedulingMode::Fifo };
    let wait = [0, 100, 3000][r.below(3) as usize];
    SchedulerOptions {
        dag: DagOptions {
            max_consecutive_stage_attempts: [1, 2, 4, 4][r.below(4) as usize],
            ..DagOptions::default()
        },
        max_executor_losses: r.range(3, 16) as u32,
        mode: mode(fair),
        pools: vec![PoolOptions {
            name: "a".to_string(),
            mode: mode(r.chance(50)),
            weight: r.range(1, 3) as u32,
            min_share: r.below(3) as u32,
        }],
        other_pools: mode(r.chance(50)),
        locality: LocalityOptions { wait_process: wait, wait_node: wait },
        speculation: SpeculationOptions { enabled: r.chance(40), quantile: 0.5, ..Default::default() },
        exclude_on_failure: ExclusionOptions { enabled: r.chance(40), ..Default::default() },
        ..SchedulerOptions::default()
    }
}
