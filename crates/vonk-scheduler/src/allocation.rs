//! Fine-grained allocation: how many executors an application wants, by its backlog, and which it gives back, by their idleness.
//!
//! As Spark's `ExecutorAllocationManager`: when tasks have waited for a while, executors are asked for, one, then two, then four more, as
//! long as tasks go on waiting; never more than all waiting and running tasks could use. An executor that has been idle for a while is
//! given back, unless it holds shuffle blocks that are still wanted and nobody else serves them, or the target needs it. Unlike Spark's,
//! it does not look around every 100 ms: it says when it wants to be woken.
//!
//! Must not know: who gives executors, what tasks are.

use std::collections::BTreeMap;

use crate::ids::ExecutorId;
use crate::time::Time;

/// Settings, named after Spark's `spark.dynamicAllocation.*`. Times in milliseconds.
#[derive(Clone, Debug)]
pub struct AllocationOptions {
    /// Fewest executors.
    pub min_executors: u32,
    /// Most executors.
    pub max_executors: u32,
    /// Executors to begin with.
    pub initial_executors: u32,
    /// How long tasks wait before the first executors are asked for.
    pub scheduler_backlog_timeout: u64,
    /// How long they wait before more are.
    pub sustained_scheduler_backlog_timeout: u64,
    /// How long an executor may be idle.
    pub executor_idle_timeout: u64,
    /// How long an executor may be idle that holds wanted shuffle blocks (`shuffleTracking.timeout`); `None` for ever.
    pub shuffle_tracking_timeout: Option<u64>,
    /// Executors keep blocks that are lost with them: off where a shuffle service or an object store has them.
    pub shuffle_tracking: bool,
    /// The part of the executors that would run all tasks at once.
    pub executor_allocation_ratio: f64,
    /// Tasks that an executor runs at once.
    pub slots: u32,
}

impl Default for AllocationOptions {
    fn default() -> Self {
        AllocationOptions {
            min_executors: 0,
            max_executors: u32::MAX,
            initial_executors: 0,
            scheduler_backlog_timeout: 1_000,
            sustained_scheduler_backlog_timeout: 1_000,
            executor_idle_timeout: 60_000,
            shuffle_tracking_timeout: None,
            shuffle_tracking: true,
            executor_allocation_ratio: 1.0,
            slots: 1,
        }
    }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names say it
pub enum AllocationEvent {
    /// So many tasks wait for a slot, and so many run.
    Load { waiting: u64, running: u64 },
    /// An executor has come.
    ExecutorAdded { executor: ExecutorId },
    /// An executor is gone.
    ExecutorLost { executor: ExecutorId },
    /// It runs tasks.
    ExecutorBusy { executor: ExecutorId },
    /// It runs none.
    ExecutorIdle { executor: ExecutorId },
    /// It holds shuffle blocks that a job may still read, or none any more.
    ExecutorHolds { executor: ExecutorId, wanted_blocks: bool },
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationAction {
    /// So many executors are wanted in all.
    RequestTotal(u32),
    /// This one may go.
    Release(ExecutorId),
}

#[derive(Clone, Copy, Debug)]
struct Held {
    /// Since when it is idle.
    idle: Option<Time>,
    holds: bool,
    released: bool,
}

/// The state machine.
pub struct Allocation {
    options: AllocationOptions,
    target: u32,
    /// What was last asked for.
    asked: Option<u32>,
    /// Executors to add next time.
    step: u32,
    /// When to add executors, if tasks still wait then.
    add_at: Option<Time>,
    waiting: u64,
    running: u64,
    /// Nothing has run yet: the initial executors stay.
    initial: bool,
    executors: BTreeMap<ExecutorId, Held>,
}

impl Allocation {
    /// With no executor. The first event makes it ask for the initial ones.
    pub fn new(mut options: AllocationOptions) -> Allocation {
        options.max_executors = options.max_executors.max(1);
        options.min_executors = options.min_executors.min(options.max_executors);
        let target = options.initial_executors.clamp(options.min_executors, options.max_executors);
        Allocation {
            options,
            target,
            asked: None,
            step: 1,
            add_at: None,
            waiting: 0,
            running: 0,
            initial: true,
            executors: BTreeMap::new(),
        }
    }

    /// Executors wanted in all.
    pub fn target(&self) -> u32 {
        self.target
    }

    /// Takes one event. What speaks of an executor that is not known changes nothing.
    pub fn handle(&mut self, now: Time, event: AllocationEvent) -> Vec<AllocationAction> {
        let mut out = Vec::new();
        match event {
            AllocationEvent::Load { waiting, running } => self.load(now, waiting, running),
            AllocationEvent::ExecutorAdded { executor } => {
                let idle = Held { idle: Some(now), holds: false, released: false };
                self.executors.entry(executor).or_insert(idle);
            }
            AllocationEvent::ExecutorLost { executor } => {
                self.executors.remove(&executor);
            }
            AllocationEvent::ExecutorBusy { executor } => {
                if let Some(held) = self.executors.get_mut(&executor) {
                    held.idle = None;
                }
            }
            AllocationEvent::ExecutorIdle { executor } => {
                if let Some(held) = self.executors.get_mut(&executor) {
                    held.idle.get_or_insert(now);
                }
            }
            AllocationEvent::ExecutorHolds { executor, wanted_blocks } => {
                if let Some(held) = self.executors.get_mut(&executor) {
                    held.holds = wanted_blocks;
                }
            }
            AllocationEvent::Tick => {}
        }
        self.adjust(now);
        self.release(now, &mut out);
        if self.asked != Some(self.target) {
            self.asked = Some(self.target);
            out.insert(0, AllocationAction::RequestTotal(self.target));
        }
        out
    }

    /// When [`AllocationEvent::Tick`] must be fed at the latest.
    pub fn next_timer(&self) -> Option<Time> {
        // An executor that is kept for the target waits for the target, not for time.
        let spare = self.live() > self.target.max(self.options.min_executors);
        let idle = self.executors.values().filter(|h| spare && !h.released).filter_map(|h| self.expires(h));
        idle.chain(self.add_at).min()
    }

    fn load(&mut self, now: Time, waiting: u64, running: u64) {
        (self.waiting, self.running) = (waiting, running);
        self.initial &= waiting == 0 && running == 0;
        if waiting == 0 {
            self.add_at = None;
            self.step = 1;
        } else if self.add_at.is_none() {
            self.add_at = Some(now.after(self.options.scheduler_backlog_timeout));
        }
    }

    /// Executors that all tasks could use.
    fn needed(&self) -> u32 {
        let tasks = self.waiting.saturating_add(self.running) as f64;
        let ratio = self.options.executor_allocation_ratio.clamp(0.0, 1.0);
        // Saturates where it does not fit.
        (tasks * ratio / f64::from(self.options.slots.max(1))).ceil() as u32
    }

    fn live(&self) -> u32 {
        let live = self.executors.values().filter(|h| !h.released).count();
        u32::try_from(live).unwrap_or(u32::MAX)
    }

    /// Moves the target.
    fn adjust(&mut self, now: Time) {
        if self.initial {
            return;
        }
        let (min, max) = (self.options.min_executors, self.options.max_executors);
        let needed = self.needed();
        let due = self.add_at.is_some_and(|at| at <= now);
        if due {
            self.add_at = Some(now.after(self.options.sustained_scheduler_backlog_timeout.max(1)));
        }
        if needed < self.target {
            self.target = needed.clamp(min, max);
            self.step = 1;
        } else if due {
            let before = self.target;
            // Executors that there are already do not count as new ones.
            let base = before.max(self.live());
            self.target = base.saturating_add(self.step).min(needed).clamp(min, max).max(before);
            let full = self.target == base.saturating_add(self.step);
            self.step = if full { self.step.saturating_mul(2) } else { 1 };
        }
    }

    /// When an idle executor may go.
    fn expires(&self, held: &Held) -> Option<Time> {
        let idle = held.idle?;
        let timeout = self.options.executor_idle_timeout;
        if held.holds && self.options.shuffle_tracking {
            return self.options.shuffle_tracking_timeout.map(|t| idle.after(t.max(timeout)));
        }
        Some(idle.after(timeout))
    }

    fn release(&mut self, now: Time, out: &mut Vec<AllocationAction>) {
        let due = |held: &Held| !held.released && self.expires(held).is_some_and(|t| t <= now);
        let due: Vec<ExecutorId> = self.executors.iter().filter(|(_, h)| due(h)).map(|(e, _)| *e).collect();
        if !due.is_empty() && self.initial {
            // Nothing came in all that time: the initial executors are not wanted.
            self.initial = false;
            self.adjust(now);
        }
        let keep = self.target.max(self.options.min_executors);
        let mut live = self.live();
        for executor in due {
            if live <= keep {
                break;
            }
            if let Some(held) = self.executors.get_mut(&executor) {
                held.released = true;
                live -= 1;
                out.push(AllocationAction::Release(executor));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> AllocationOptions {
        AllocationOptions { max_executors: 10, slots: 2, ..AllocationOptions::default() }
    }

    fn load(a: &mut Allocation, now: u64, waiting: u64, running: u64) -> Vec<AllocationAction> {
        a.handle(Time(now), AllocationEvent::Load { waiting, running })
    }

    fn tick(a: &mut Allocation, now: u64) -> Vec<AllocationAction> {
        a.handle(Time(now), AllocationEvent::Tick)
    }

    #[test]
    fn a_lasting_backlog_doubles_what_is_added_up_to_what_tasks_can_use() {
        let mut a = Allocation::new(options());
        assert_eq!(load(&mut a, 0, 100, 0), [AllocationAction::RequestTotal(0)]);
        assert_eq!(a.next_timer(), Some(Time(1_000)));
        let targets: Vec<u32> = (1..=5)
            .map(|second| {
                tick(&mut a, second * 1_000);
                a.target()
            })
            .collect();
        assert_eq!(targets, [1, 3, 7, 10, 10], "the maximum is ten");
        let mut a = Allocation::new(options());
        load(&mut a, 0, 5, 0);
        for second in 1..=5 {
            tick(&mut a, second * 1_000);
        }
        assert_eq!(a.target(), 3, "five tasks use three executors of two slots");
    }

    #[test]
    fn a_backlog_that_passes_asks_for_nothing_and_less_work_for_less() {
        let mut a = Allocation::new(options());
        load(&mut a, 0, 4, 0);
        assert!(load(&mut a, 500, 0, 4).is_empty());
        assert!(tick(&mut a, 1_000).is_empty());
        load(&mut a, 1_000, 40, 0);
        (2..=6).for_each(|second| drop(tick(&mut a, second * 1_000)));
        assert_eq!(a.target(), 10);
        assert_eq!(load(&mut a, 7_000, 0, 3), [AllocationAction::RequestTotal(2)]);
    }

    #[test]
    fn idle_executors_go_unless_blocks_or_the_minimum_keep_them() {
        let mut a = Allocation::new(AllocationOptions { min_executors: 1, ..options() });
        load(&mut a, 0, 1, 0);
        let ids = [ExecutorId(0), ExecutorId(1), ExecutorId(2)];
        for executor in ids {
            a.handle(Time(0), AllocationEvent::ExecutorAdded { executor });
        }
        let holds = |wanted_blocks| AllocationEvent::ExecutorHolds { executor: ids[0], wanted_blocks };
        a.handle(Time(0), holds(true));
        load(&mut a, 10, 0, 0);
        assert_eq!(a.next_timer(), Some(Time(60_000)));
        let released = tick(&mut a, 60_000);
        assert_eq!(released, [AllocationAction::Release(ids[1]), AllocationAction::Release(ids[2])]);
        // The last one is the minimum, whether or not it holds anything.
        assert!(a.handle(Time(70_000), holds(false)).is_empty());
        assert_eq!(a.next_timer(), None);
    }

    #[test]
    fn initial_executors_stay_until_work_has_come_or_time_is_up() {
        let mut a = Allocation::new(AllocationOptions { initial_executors: 3, ..options() });
        assert_eq!(tick(&mut a, 0), [AllocationAction::RequestTotal(3)]);
        a.handle(Time(5), AllocationEvent::ExecutorAdded { executor: ExecutorId(0) });
        assert_eq!(load(&mut a, 10, 0, 0), []);
        // Nothing ran for as long as an executor may be idle. (The two others never came.)
        a.handle(Time(20), AllocationEvent::ExecutorAdded { executor: ExecutorId(1) });
        let actions = tick(&mut a, 60_020);
        assert_eq!(actions[0], AllocationAction::RequestTotal(0));
        assert_eq!(actions.len(), 3);
    }

    #[test]
    fn at_random_it_stays_in_its_bounds_and_releases_only_idle_executors() {
        let mut seed = 7u64;
        let mut below = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        let bounds = AllocationOptions { min_executors: 2, max_executors: 6, ..options() };
        let mut a = Allocation::new(bounds);
        let (mut now, mut busy) = (0, BTreeMap::new());
        for _ in 0..100_000 {
            now += below(3_000);
            let executor = ExecutorId(below(12));
            let event = match below(6) {
                0 => AllocationEvent::Load { waiting: below(20), running: below(5) },
                1 => AllocationEvent::ExecutorAdded { executor },
                2 => AllocationEvent::ExecutorLost { executor },
                3 => AllocationEvent::ExecutorBusy { executor },
                4 => AllocationEvent::ExecutorIdle { executor },
                _ => AllocationEvent::Tick,
            };
            match event {
                AllocationEvent::ExecutorAdded { executor } => {
                    busy.entry(executor).or_insert(false);
                }
                AllocationEvent::ExecutorLost { executor } => {
                    busy.remove(&executor);
                }
                AllocationEvent::ExecutorBusy { executor } => {
                    busy.entry(executor).and_modify(|b| *b = true);
                }
                AllocationEvent::ExecutorIdle { executor } => {
                    busy.entry(executor).and_modify(|b| *b = false);
                }
                _ => {}
            }
            for action in a.handle(Time(now), event) {
                if let AllocationAction::Release(executor) = action {
                    assert_eq!(busy.get(&executor), Some(&false));
                }
            }
            assert!((2..=6).contains(&a.target()));
            assert!(a.next_timer().is_none_or(|t| t > Time(now)), "a timer that is due is over");
        }
    }
}
