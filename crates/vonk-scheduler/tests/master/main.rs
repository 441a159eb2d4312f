//! Random fault schedules against the real machines of master, workers and applications, in simulated time.
//!
//! A seed makes a cluster, applications and drivers; then a random interleaving of late, lost, doubled and reordered messages, broken and
//! half-open connections, a master killed between any two of its actions (its state is what it wrote down by then), workers killed, paused
//! and asked to leave, applications that vanish, executors that crash or do not start. Then the faults end, and the cluster must come to
//! rest as it should; then the applications end, and nothing may be left.
//!
//! `VONK_SIMULATIONS` sets how many seeds run (5,000 by default), `VONK_SEED` runs a single one again, `VONK_TRACE` prints what happens.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod clients;
mod connections;
mod faults;
mod scenarios;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};
use std::sync::Arc;
use vonk_scheduler::master::*;
use vonk_scheduler::{ExecutorId, Time};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const HEARTBEAT: u64 = 15_000;
/// Faults happen for so long.
const CHAOS: u64 = 60_000;
/// After so long without faults everything must be in order: timeouts, heartbeats, the longest pause of a worker.
const QUIET: u64 = 200_000;

#[derive(Clone, Debug)]
enum Up {
    Worker(FromWorker),
    Application(FromApplication),
}

#[derive(Clone, Debug)]
enum Down {
    Worker(u64, ToWorker),
    Application(ToApplication),
}

#[derive(Clone, Debug)]
enum What {
    Up(usize, Up),
    Down(usize, Down),
    MasterNotices(usize),
    ClientNotices(usize),
    Connect { client: usize, life: u32 },
    MasterTimer,
    MasterStarts,
    WorkerTimer(usize),
    WorkerStarts(usize),
    WorkerResumes(usize),
    ProcessStarts { worker: usize, process: Process },
    ProcessExits { worker: usize, process: Process, code: Option<i32> },
    Submit(usize),
    Fault,
}

/// A connection, which is a session of the master too.
struct Connection {
    client: usize,
    /// Open as the client, and as the master sees it.
    client_open: bool,
    master_open: bool,
    /// Messages of a direction come in order: when the last one does.
    up: Time,
    down: Time,
}

enum Client {
    Worker(Box<WorkerMachine>),
    Application(Box<ApplicationMachine>),
}

struct Party {
    client: Client,
    /// Counts its processes: what was for an earlier one comes to nothing.
    life: u32,
    alive: bool,
    paused: bool,
    /// What came in while it was paused.
    held_back: Vec<What>,
    connection: Option<usize>,
    /// For workers: the processes of the machine, and whether they were started.
    running: BTreeMap<Process, bool>,
    timer: Option<Time>,
}

struct SimulatedDriver {
    nonce: Nonce,
    spec: Arc<DriverSpec>,
    id: Option<DriverId>,
    /// Starts that fail before one succeeds.
    failures: u32,
}

/// Which faults a seed has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    None,
    /// Only the master is killed, and soon started again: nobody else may notice.
    MasterOnly,
    /// All.
    All,
    /// All, and messages between master and workers are lost, doubled and reordered within a connection.
    Harsh,
}

struct World {
    random: Random,
    trace: bool,
    kind: Kind,
    now: Time,
    order: u64,
    queue: BinaryHeap<Reverse<(Time, u64, usize)>>,
    events: Vec<Option<What>>,
    master: Option<Master>,
    master_timer: Option<Time>,
    options: MasterOptions,
    log: Vec<Record>,
    /// The master dies within its next event.
    doomed: bool,
    parties: Vec<Party>,
    workers: usize,
    connections: Vec<Connection>,
    drivers: Vec<SimulatedDriver>,
    fresh: u64,
    started: HashSet<Process>,
    quiet: bool,
    /// Executors do not start on this worker.
    broken: Option<usize>,
    bad_starts: u64,
    removed: u32,
    ended: u32,
    kills: u32,
}

fn spec_of_worker(random: &mut Random, name: String, index: usize) -> WorkerSpec {
    WorkerSpec {
        id: WorkerId::from(name.as_str()),
        host: format!("host{}", index % 2),
        address: format!("host:{index}"),
        cores: 1 + random.below(4) as u32,
        memory: 1 + random.below(8),
        shuffle_service: None,
    }
}

fn application(random: &mut Random, index: usize) -> ApplicationMachine {
    let fine = random.chance(50);
    let spec = ApplicationSpec {
        name: String::new(),
        user: String::new(),
        submitted: 0,
        cores_max: random.chance(50).then(|| 1 + random.below(6) as u32),
        executor_cores: random.chance(60).then(|| 1 + random.below(2) as u32),
        executor_memory: 1 + random.below(3),
        allocation: if fine { Allocation::FineGrained } else { Allocation::CoarseGrained },
        first_executor: 0,
        driver: None,
        command: Arc::from(&b"e"[..]),
    };
    let total = fine.then(|| random.below(4) as u32);
    ApplicationMachine::new(Nonce::from(format!("nonce{index}").as_str()), spec, total)
}

impl World {
    fn new(seed: u64, trace: bool) -> World {
        let mut random = Random(seed);
        let kind = match random.below(10) {
            0 => Kind::None,
            1 | 2 => Kind::MasterOnly,
            3..=6 => Kind::All,
            _ => Kind::Harsh,
        };
        let options = MasterOptions { spread_out: random.chance(50), ..MasterOptions::default() };
        let mut world = World {
            trace,
            kind,
            now: Time(0),
            order: 0,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            master: Some(Master::new(options.clone())),
            master_timer: None,
            options,
            log: Vec::new(),
            doomed: false,
            parties: Vec::new(),
            workers: 1 + random.below(3) as usize,
            connections: Vec::new(),
            drivers: Vec::new(),
            fresh: 0,
            started: HashSet::new(),
            quiet: false,
            broken: None,
            bad_starts: 0,
            removed: 0,
            ended: 0,
            kills: 0,
            random,
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        for index in 0..self.workers {
            let spec = spec_of_worker(&mut self.random, format!("w{index}.0"), index);
            self.add(Client::Worker(Box::new(WorkerMachine::new(spec, HEARTBEAT))));
        }
        for index in 0..1 + self.random.below(3) as usize {
            let machine = application(&mut self.random, index);
            self.add(Client::Application(Box::new(machine)));
        }
        for index in 0..self.random.below(3) as usize {
            let resources = Resources { cores: 1, memory: 1 };
            let spec = DriverSpec {
                name: String::new(),
                user: String::new(),
                submitted: 0,
                resources,
                supervise: self.random.chance(50),
                command: Arc::from(&b"d"[..]),
            };
            let nonce = Nonce::from(format!("driver nonce{index}").as_str());
            let failures = self.random.below(3) as u32;
            self.drivers.push(SimulatedDriver { nonce, spec: Arc::new(spec), id: None, failures });
            let at = self.random.below(CHAOS);
            self.at(at, What::Submit(index));
        }
        if self.kind == Kind::All && self.random.chance(20) {
            self.broken = Some(self.random.below(self.workers as u64) as usize);
        }
        self.bad_starts = if self.is_faulty() && self.random.chance(30) { 30 } else { 0 };
        if self.kind != Kind::None {
            self.at(1_000, What::Fault);
        }
    }

    fn is_faulty(&self) -> bool {
        matches!(self.kind, Kind::All | Kind::Harsh)
    }

    fn add(&mut self, client: Client) {
        let index = self.parties.len();
        let (running, held_back) = (BTreeMap::new(), Vec::new());
        self.parties.push(Party {
            client,
            life: 0,
            alive: true,
            paused: false,
            held_back,
            connection: None,
            running,
            timer: None,
        });
        let after = self.random.below(if index < self.workers { 2_000 } else { CHAOS / 2 });
        self.at(after, What::Connect { client: index, life: 0 });
    }

    fn at(&mut self, after: u64, what: What) {
        self.at_time(self.now.after(after), what);
    }

    fn at_time(&mut self, time: Time, what: What) {
        self.order += 1;
        self.queue.push(Reverse((time, self.order, self.events.len())));
        self.events.push(Some(what));
    }

    fn delay(&mut self) -> u64 {
        let slow = self.is_faulty() && self.random.chance(5);
        1 + self.random.below(if slow { 3_000 } else { 20 })
    }

    fn run_until(&mut self, end: Time) {
        while let Some(Reverse((time, _, _))) = self.queue.peek().copied() {
            if time > end {
                break;
            }
            let Some(Reverse((time, _, index))) = self.queue.pop() else { break };
            assert!(self.events.len() < 100_000, "no end in sight");
            self.now = time;
            let what = self.events[index].take().expect("an event happens once");
            if self.trace {
                println!("{time} {what:?}");
            }
            self.happen(what);
        }
        self.now = end;
    }

    fn happen(&mut self, what: What) {
        // A paused process hears nothing until it goes on.
        let to = match &what {
            What::Down(connection, _) | What::ClientNotices(connection) => {
                Some(self.connections[*connection].client)
            }
            What::WorkerTimer(worker)
            | What::ProcessStarts { worker, .. }
            | What::ProcessExits { worker, .. } => Some(*worker),
            What::Connect { client, .. } => Some(*client),
            _ => None,
        };
        if let Some(to) = to.filter(|to| self.parties[*to].paused) {
            return self.parties[to].held_back.push(what);
        }
        match what {
            What::Up(connection, message) => self.up(connection, message),
            What::Down(connection, message) => self.down(connection, message),
            What::MasterNotices(connection) => {
                if std::mem::replace(&mut self.connections[connection].master_open, false) {
                    self.feed(Event::Disconnected { session: SessionId(connection as u64) });
                }
            }
            What::ClientNotices(connection) => self.client_notices(connection),
            What::Connect { client, life } => self.connect(client, life),
            What::MasterTimer => {
                if self.master_timer.is_some_and(|t| t <= self.now) {
                    self.master_timer = None;
                    self.feed(Event::Tick);
                }
            }
            What::MasterStarts => self.start_master(),
            What::WorkerTimer(worker) => {
                if self.parties[worker].timer.is_some_and(|t| t <= self.now) {
                    self.parties[worker].timer = None;
                    self.feed_worker(worker, WorkerEvent::Tick);
                }
            }
            What::WorkerStarts(worker) => self.start_worker(worker),
            What::WorkerResumes(worker) => self.resume(worker),
            What::ProcessStarts { worker, process } => {
                if self.parties[worker].running.get(&process) == Some(&false) {
                    self.parties[worker].running.insert(process.clone(), true);
                    self.feed_worker(worker, WorkerEvent::Started { process });
                }
            }
            What::ProcessExits { worker, process, code } => {
                if self.parties[worker].running.remove(&process).is_some() {
                    let exit = Exit { code, message: "simulated".to_string() };
                    self.feed_worker(worker, WorkerEvent::Exited { process, exit });
                }
            }
            What::Submit(driver) => self.submit(driver),
            What::Fault => self.fault(),
        }
    }

    // The master.

    fn feed(&mut self, event: Event) {
        let Some(master) = &mut self.master else { return };
        let actions = master.handle(self.now, event);
        let cut = match std::mem::take(&mut self.doomed) {
            true => self.random.below(actions.len() as u64 + 1) as usize,
            false => usize::MAX,
        };
        for (index, action) in actions.into_iter().enumerate() {
            if index >= cut {
                break;
            }
            self.carry_out(action);
        }
        if cut != usize::MAX {
            return self.master_dies();
        }
        self.check_master();
        let timer = self.master.as_ref().and_then(Master::next_timer);
        if let Some(timer) = timer.filter(|t| self.master_timer.is_none_or(|set| *t < set)) {
            self.master_timer = Some(timer);
            self.at_time(timer.max(self.now), What::MasterTimer);
        }
    }

    fn check_master(&mut self) {
        let Some(master) = &self.master else { return };
        assert!(!master.is_idle_in_vain(self.now), "something waits that could run");
        if self.random.chance(5) {
            for worker in master.workers(self.now) {
                let Resources { cores, memory } = worker.used;
                // What nobody wants and a worker has all the same may stand beside what it has not heard of yet: never in order.
                assert!(
                    cores <= worker.total.cores && memory <= worker.total.memory,
                    "worker {} is given too much",
                    worker.id
                );
            }
        }
        if self.random.chance(2) {
            // The records of the present state are worth as much as those of its history.
            let recover = |records: &[Record]| {
                let master = Master::recover(self.options.clone(), self.now, records.to_vec());
                (master.snapshot(), master.applications(), master.drivers(), master.workers(self.now))
            };
            let compact = master.snapshot();
            let (old, new) = (recover(&self.log), recover(&compact));
            assert_eq!(old, new, "a snapshot is not what was written");
            self.log = compact;
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Persist(record) => self.log.push(record),
            Action::ToWorker { session, seq, message } => {
                self.kills += u32::from(matches!(message, ToWorker::Kill { .. }));
                self.send_down(session.0 as usize, Down::Worker(seq, message));
            }
            Action::ToApplication { session, message } => {
                self.send_down(session.0 as usize, Down::Application(message));
            }
            Action::Close { session } => {
                let connection = session.0 as usize;
                self.connections[connection].master_open = false;
                // The client learns of it after what was said before.
                let at = self.connections[connection].down.max(self.now).after(1);
                self.at_time(at, What::ClientNotices(connection));
            }
        }
    }

    fn master_dies(&mut self) {
        if self.trace {
            println!("{} the master dies", self.now);
        }
        self.master = None;
        self.master_timer = None;
        for connection in 0..self.connections.len() {
            if std::mem::replace(&mut self.connections[connection].master_open, false)
                || self.connections[connection].client_open
            {
                let after = self.delay();
                self.at(after, What::ClientNotices(connection));
            }
        }
        let after = match self.kind {
            Kind::MasterOnly => self.random.below(10_000),
            _ => self.random.below(40_000),
        };
        self.at(after, What::MasterStarts);
    }

    fn start_master(&mut self) {
        let master = Master::recover(self.options.clone(), self.now, self.log.clone());
        self.master = Some(master);
        self.feed(Event::Tick);
    }
}

fn run(seed: u64, trace: bool) -> Result<(), String> {
    let mut world = World::new(seed, trace);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
    result
        .map_err(|_| format!("seed {seed} ({:?}): run again with VONK_SEED={seed} VONK_TRACE=1", world.kind))
}

#[test]
fn random_fault_schedules_hold_the_invariants() {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let trace = read("VONK_TRACE").is_some();
    let seeds = match read("VONK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..read("VONK_SIMULATIONS").unwrap_or(5_000),
    };
    for seed in seeds {
        if let Err(failure) = run(seed, trace) {
            panic!("{failure}");
        }
    }
}
