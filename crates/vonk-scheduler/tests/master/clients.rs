//! Workers, applications and drivers, and the processes that they run.

use super::*;

impl World {
    pub fn feed_worker(&mut self, worker: usize, event: WorkerEvent) {
        let now = self.now;
        let Client::Worker(machine) = &mut self.parties[worker].client else { unreachable!("a worker") };
        let actions = machine.handle(now, event);
        let timer = machine.next_timer();
        for action in actions {
            self.worker_does(worker, action);
        }
        let set = self.parties[worker].timer;
        if let Some(timer) = timer.filter(|t| set.is_none_or(|set| *t < set)) {
            self.parties[worker].timer = Some(timer);
            self.at_time(timer.max(now), What::WorkerTimer(worker));
        }
    }

    pub fn worker_does(&mut self, worker: usize, action: WorkerAction) {
        match action {
            WorkerAction::Send(message) => {
                if let FromWorker::Report(report) | FromWorker::Register(_, report) = &message {
                    let refused = |p: &ProcessReport| match &p.state {
                        Reported::Exited(exit) => exit.message.contains("no room"),
                        _ => false,
                    };
                    assert!(!report.processes.iter().any(refused), "a worker was given more than it has");
                }
                if let Some(connection) = self.parties[worker].connection {
                    self.send_up(connection, Up::Worker(message));
                }
            }
            WorkerAction::Start { process, .. } => {
                assert!(self.started.insert(process.clone()), "{process} was started twice");
                self.parties[worker].running.insert(process.clone(), false);
                self.fate(worker, process);
            }
            WorkerAction::Kill { process } => {
                let after = self.random.below(1_000);
                self.at(after, What::ProcessExits { worker, process, code: None });
            }
            WorkerAction::Clean { application } => {
                let of =
                    |p: &Process| matches!(p, Process::Executor { application: a, .. } if *a == application);
                assert!(!self.parties[worker].running.keys().any(of), "files of a running executor are gone");
            }
            WorkerAction::Refused { reason } => panic!("a worker was refused: {reason}"),
            WorkerAction::Left => {
                self.parties[worker].alive = false;
                assert!(self.parties[worker].running.is_empty());
                let after = self.random.below(20_000);
                self.at(after, What::WorkerStarts(worker));
            }
        }
    }

    /// What becomes of a process that is being started.
    pub fn fate(&mut self, worker: usize, process: Process) {
        let after = 1 + self.random.below(500);
        match &process {
            Process::Executor { .. } => {
                let bad = self.broken == Some(worker) || self.random.chance(self.bad_starts);
                self.at(after, What::ProcessStarts { worker, process: process.clone() });
                if bad && !self.quiet {
                    self.at(after * 2, What::ProcessExits { worker, process, code: Some(1) });
                }
            }
            Process::Driver { driver, .. } => {
                let known = self.drivers.iter_mut().find(|d| d.id.as_ref() == Some(driver));
                let code = match known {
                    Some(d) if d.failures > 0 => {
                        d.failures -= 1;
                        1
                    }
                    _ => 0,
                };
                let lives = self.random.below(10_000);
                self.at(after, What::ProcessStarts { worker, process: process.clone() });
                self.at(after + lives, What::ProcessExits { worker, process, code: Some(code) });
            }
        }
    }

    pub fn start_worker(&mut self, worker: usize) {
        if self.parties[worker].alive {
            return;
        }
        let life = self.parties[worker].life + 1;
        let spec = spec_of_worker(&mut self.random, format!("w{worker}.{life}"), worker);
        let party = &mut self.parties[worker];
        party.client = Client::Worker(Box::new(WorkerMachine::new(spec, HEARTBEAT)));
        (party.life, party.alive, party.timer, party.connection) = (life, true, None, None);
        self.at(0, What::Connect { client: worker, life });
    }

    pub fn kill_party(&mut self, client: usize) {
        let party = &mut self.parties[client];
        if !party.alive {
            return;
        }
        (party.alive, party.paused) = (false, false);
        party.held_back.clear();
        party.running.clear();
        if let Some(connection) = party.connection.take() {
            self.connections[connection].client_open = false;
            let after = self.delay();
            self.at(after, What::MasterNotices(connection));
        }
        if client < self.workers {
            let after = self.random.below(90_000);
            self.at(after, What::WorkerStarts(client));
        } else {
            self.end_executors_of(client);
        }
    }

    /// Without its driver an executor ends.
    pub fn end_executors_of(&mut self, client: usize) {
        let Client::Application(machine) = &self.parties[client].client else { return };
        let Some(name) = machine.name().cloned() else { return };
        for worker in 0..self.workers {
            for process in self.parties[worker].running.keys().cloned().collect::<Vec<_>>() {
                if matches!(&process, Process::Executor { application, .. } if *application == name) {
                    let after = self.random.below(2_000);
                    self.at(after, What::ProcessExits { worker, process, code: Some(1) });
                }
            }
        }
    }

    pub fn resume(&mut self, worker: usize) {
        if !std::mem::replace(&mut self.parties[worker].paused, false) {
            return;
        }
        for what in std::mem::take(&mut self.parties[worker].held_back) {
            self.at(0, what);
        }
    }

    pub fn feed_application(&mut self, client: usize, event: ApplicationEvent) {
        let Client::Application(machine) = &mut self.parties[client].client else { unreachable!() };
        let mut ready = Vec::new();
        let actions = machine.handle(event);
        let name = machine.name().cloned();
        for action in actions {
            match action {
                ApplicationAction::Send(message) => {
                    if let Some(connection) = self.parties[client].connection {
                        self.send_up(connection, Up::Application(message));
                    }
                }
                ApplicationAction::Added(granted) => ready.push(granted.executor),
                ApplicationAction::Ended(executor, _) => {
                    // One that was never started, since the master died before it was asked for, may be lost.
                    let application = name.clone().expect("executors are an application's");
                    let process = Process::Executor { application, executor };
                    self.ended += u32::from(self.started.contains(&process));
                }
                ApplicationAction::Removed { .. } => {
                    self.removed += 1;
                    self.parties[client].alive = false;
                    self.end_executors_of(client);
                }
                ApplicationAction::Named(_)
                | ApplicationAction::Draining(_)
                | ApplicationAction::WorkerLost(_) => {}
            }
        }
        for executor in ready {
            if self.bad_starts == 0 && self.broken.is_none() {
                self.feed_application(client, ApplicationEvent::Ready(executor));
            }
        }
    }

    pub fn submit(&mut self, index: usize) {
        self.fresh += 1;
        let fresh = DriverId::from(format!("driver-{}", self.fresh).as_str());
        let (nonce, spec) = (self.drivers[index].nonce.clone(), self.drivers[index].spec.clone());
        self.feed(Event::SubmitDriver { fresh, nonce: nonce.clone(), spec });
        let id = self.master.as_ref().and_then(|m| m.driver_by_nonce(&nonce)).map(|d| d.id);
        match (&self.drivers[index].id, id) {
            (Some(known), Some(id)) => assert_eq!(*known, id, "one submission became two drivers"),
            (None, Some(id)) => self.drivers[index].id = Some(id),
            _ => {}
        }
        // The client does not get the answer, and asks again; sometimes it asks again all the same.
        if self.drivers[index].id.is_none() || self.random.chance(20) {
            let after = 500 + self.random.below(2_000);
            self.at(after, What::Submit(index));
        }
    }
}
