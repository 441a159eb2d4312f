//! What goes wrong, and what must be right in the end.

use super::*;

impl World {
    pub fn fault(&mut self) {
        if self.quiet {
            return;
        }
        let after = 200 + self.random.below(6_000);
        self.at(after, What::Fault);
        if self.kind == Kind::MasterOnly {
            self.doomed |= self.random.chance(50);
            return;
        }
        let worker = self.random.below(self.workers as u64) as usize;
        let application =
            self.workers + self.random.below((self.parties.len() - self.workers) as u64) as usize;
        match self.random.below(16) {
            0 | 1 => self.doomed = true,
            2 => self.kill_party(worker),
            3 if self.parties[worker].alive => {
                self.parties[worker].paused = true;
                let after = self.random.below(90_000);
                self.at(after, What::WorkerResumes(worker));
            }
            4 if self.random.chance(30) => self.kill_party(application),
            5..=8 => self.break_connection(),
            9 => self.crash(worker),
            10 if self.random.chance(30) => self.drain(worker),
            11 if self.random.chance(20) => {
                if let Some(application) = self.name_of(application) {
                    self.feed(Event::KillApplication { application });
                }
            }
            12 => {
                let wanted = (!self.random.chance(20)).then(|| self.random.below(5) as u32);
                self.application_event(application, ApplicationEvent::Want(wanted));
            }
            13 => {
                let executor = ExecutorId(self.random.below(6));
                self.application_event(application, ApplicationEvent::Kill(vec![executor]));
            }
            14 if self.random.chance(30) => {
                let id = self.drivers.first().and_then(|d| d.id.clone());
                if let Some(driver) = id {
                    self.feed(Event::KillDriver { driver });
                }
            }
            15 if self.random.chance(30) => self.end_application(application),
            _ => {}
        }
    }

    pub fn name_of(&self, client: usize) -> Option<ApplicationId> {
        match &self.parties[client].client {
            Client::Application(machine) => machine.name().cloned(),
            Client::Worker(_) => None,
        }
    }

    pub fn application_event(&mut self, client: usize, event: ApplicationEvent) {
        if self.parties[client].alive {
            self.feed_application(client, event);
        }
    }

    pub fn end_application(&mut self, client: usize) {
        if !self.parties[client].alive {
            return;
        }
        self.feed_application(client, ApplicationEvent::End { succeeded: true });
        self.parties[client].alive = false;
        self.end_executors_of(client);
        if let Some(connection) = self.parties[client].connection.take() {
            self.connections[connection].client_open = false;
            let at = self.connections[connection].up.after(5);
            self.at_time(at, What::MasterNotices(connection));
        }
    }

    /// A connection breaks: its ends notice sooner or later, and perhaps only one of them before there is another.
    pub fn break_connection(&mut self) {
        let client = self.random.below(self.parties.len() as u64) as usize;
        let Some(connection) = self.parties[client].connection else { return };
        let half_open = self.random.chance(30);
        let (a, b) = (self.random.below(3_000), self.random.below(3_000));
        self.at(a, What::ClientNotices(connection));
        if !half_open {
            self.at(b, What::MasterNotices(connection));
        }
    }

    pub fn crash(&mut self, worker: usize) {
        let running = &self.parties[worker].running;
        let at = self.random.below(running.len() as u64) as usize;
        let process = running.keys().nth(at).cloned();
        if let Some(process @ Process::Executor { .. }) = process {
            self.at(0, What::ProcessExits { worker, process, code: None });
        }
    }

    pub fn drain(&mut self, worker: usize) {
        if !self.parties[worker].alive || self.parties[worker].paused {
            return;
        }
        let event = if self.random.chance(50) { WorkerEvent::Stop } else { WorkerEvent::Drain };
        self.feed_worker(worker, event);
        // The executors drain, as their applications want.
        for process in self.parties[worker].running.keys().cloned().collect::<Vec<_>>() {
            let after = self.random.below(20_000);
            self.at(after, What::ProcessExits { worker, process, code: Some(0) });
        }
    }

    pub fn run(&mut self) {
        self.run_until(Time(CHAOS));
        self.quiet = true;
        self.doomed = false;
        for worker in 0..self.workers {
            self.resume(worker);
        }
        self.run_until(Time(CHAOS + QUIET));
        self.check_rest();
        for client in self.workers..self.parties.len() {
            self.end_application(client);
        }
        self.run_until(Time(CHAOS + 2 * QUIET));
        self.check_end();
    }

    /// Faults are over for a long while: everybody is there, and what runs is what the master wants.
    pub fn check_rest(&self) {
        let master = self.master.as_ref().expect("the master was started again");
        assert_eq!(master.status(), MasterStatus::Alive);
        let mut wanted = BTreeSet::new();
        for application in master.applications() {
            for executor in &application.executors {
                assert_eq!(executor.state, ProcessState::Running, "an executor of {}", application.id);
                wanted.insert((application.id.clone(), executor.id));
            }
        }
        let mut runs = BTreeSet::new();
        for party in &self.parties[..self.workers] {
            let Client::Worker(machine) = &party.client else { unreachable!() };
            let live: BTreeSet<_> = machine.live().map(|(p, _)| p).collect();
            assert_eq!(live, party.running.keys().collect(), "a worker is wrong about its processes");
            for process in party.running.keys() {
                match process {
                    Process::Executor { application, executor } => {
                        runs.insert((application.clone(), *executor));
                    }
                    Process::Driver { .. } => {}
                }
            }
        }
        assert_eq!(wanted, runs, "what should run, and what runs");
        for party in &self.parties[self.workers..] {
            let Client::Application(machine) = &party.client else { unreachable!() };
            let Some(name) = machine.name().filter(|_| party.alive) else { continue };
            let view = master.application(name).expect("a live application is known");
            let known: Vec<_> = view.executors.iter().map(|e| e.id).collect();
            assert_eq!(known, machine.executors().keys().copied().collect::<Vec<_>>(), "executors of {name}");
            let workers: BTreeSet<_> = master.workers(self.now).into_iter().map(|w| w.id).collect();
            assert!(machine.workers().is_subset(&workers), "{name} counts on blocks of lost workers");
        }
        if matches!(self.kind, Kind::None | Kind::MasterOnly) {
            assert_eq!(
                (self.removed, self.ended, self.kills),
                (0, 0, 0),
                "somebody noticed the master's restart"
            );
        }
    }

    pub fn check_end(&self) {
        let master = self.master.as_ref().expect("the master runs");
        for worker in master.workers(self.now) {
            assert_eq!(worker.used, Resources::default(), "worker {} did not get all back", worker.id);
        }
        for party in &self.parties[..self.workers] {
            let Client::Worker(machine) = &party.client else { unreachable!() };
            assert!(party.running.is_empty(), "a process is left");
            assert!(machine.applications().is_empty(), "files are left");
        }
        assert!(master.applications().iter().all(|a| a.state.is_over()));
        for driver in &self.drivers {
            let view = master.driver_by_nonce(&driver.nonce).expect("a submitted driver is known");
            assert!(view.state.is_over(), "{} is {:?}", view.id, view.state);
            if self.kind == Kind::None && driver.spec.supervise {
                assert_eq!(view.state, DriverState::Finished);
            }
        }
    }
}
