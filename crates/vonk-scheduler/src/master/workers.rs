//! Workers come, report, and go; and with their reports their processes do.
//!
//! Must not know: where processes are placed ([`super::schedule`]).

use super::entities::{Placed, Worker};
use super::ids::{Process, SessionId, WorkerId};
use super::message::{
    ExecutorEnd, ProcessReport, Report, Reported, ToApplication, ToWorker, WorkerSpec, by_process,
};
use super::record::Record;
use super::transitions::{ProcessState, WorkerState, assert_allowed, step};
use super::{Action, Master, Out, Party};
use crate::time::Time;

impl Worker {
    /// Says something on the worker's connection, if it has one; the number of the message.
    pub(super) fn say(&mut self, message: ToWorker, out: &mut Out) -> u64 {
        if let Some(session) = self.session {
            self.said += 1;
            out.actions.push(Action::ToWorker { session, seq: self.said, message });
        }
        self.said
    }
}

impl Master {
    pub(super) fn worker_registers(
        &mut self,
        now: Time,
        session: SessionId,
        spec: WorkerSpec,
        report: Report,
        out: &mut Out,
    ) {
        match self.sessions.get(&session) {
            // The same message twice.
            Some(Party::Worker(id)) if *id == spec.id => return,
            Some(_) => return self.close(session, out),
            None => {}
        }
        if let Some(reason) = self.refusal(&spec) {
            let message = ToWorker::Refused(reason);
            out.actions.push(Action::ToWorker { session, seq: 1, message });
            return out.actions.push(Action::Close { session });
        }
        if self.workers.get(&spec.id).is_some_and(|w| report.seq <= w.seq) {
            // A connection that was opened before the present one, and came through after it.
            return out.actions.push(Action::Close { session });
        }
        let same = |w: &&Worker| w.spec.address == spec.address && w.spec.id != spec.id;
        if let Some(replaced) = self.workers.values().find(same).map(|w| w.spec.id.clone()) {
            self.worker_gone(now, &replaced, "another worker has its address", out);
        }
        let id = spec.id.clone();
        if !self.workers.contains_key(&id) {
            assert_allowed(None, Some(WorkerState::Alive));
            out.records.push(Record::Worker { spec: spec.clone(), draining: false });
            self.workers.insert(id.clone(), Worker::new(spec, now));
        }
        self.sessions.insert(session, Party::Worker(id.clone()));
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let old = worker.session.replace(session);
        worker.said = 0;
        // What was said on the old connection was heard by now, or never will be.
        for placed in worker.processes.values_mut() {
            (placed.launch, placed.asked) = (0, None);
        }
        if worker.state == WorkerState::Unknown {
            let to = if worker.draining { WorkerState::Draining } else { WorkerState::Alive };
            step(&mut worker.state, to);
        }
        worker.say(ToWorker::Registered, out);
        if let Some(old) = old.filter(|old| *old != session) {
            self.close(old, out);
        }
        self.placeable = true;
        self.take_report(now, &id, &report, true, out);
    }

    /// Why a worker cannot be taken.
    fn refusal(&self, spec: &WorkerSpec) -> Option<String> {
        if spec.cores == 0 || spec.memory == 0 {
            return Some(format!("worker {} offers {} cores and {} bytes", spec.id, spec.cores, spec.memory));
        }
        let known = &self.workers.get(&spec.id)?.spec;
        let other = (known.address != spec.address, known.cores != spec.cores || known.memory != spec.memory);
        match other {
            (true, _) => Some(format!("worker {} is known at {}", spec.id, known.address)),
            (_, true) => Some(format!("worker {} is known with other resources", spec.id)),
            _ => None,
        }
    }

    pub(super) fn worker_reports(&mut self, now: Time, session: SessionId, report: &Report, out: &mut Out) {
        let Some(id) = self.worker_of(session) else { return };
        if self.workers.get(&id).is_some_and(|w| report.seq > w.seq) {
            self.take_report(now, &id, report, false, out);
        }
    }

    /// Compares what a worker says with what is known of it. `first` of a connection: what it does not speak of, it does not have.
    fn take_report(&mut self, now: Time, id: &WorkerId, report: &Report, first: bool, out: &mut Out) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        worker.heard = now;
        worker.seq = report.seq;
        worker.applications.extend(report.applications.iter().cloned());
        let mut forget = Vec::new();
        for said in &report.processes {
            if let Reported::Exited(exit) = &said.state {
                forget.push(said.process.clone());
                self.process_ended(now, id, &said.process, ExecutorEnd::Exited(exit.clone()), out);
            } else {
                self.process_lives(now, id, said, out);
            }
        }
        self.miss(now, id, report, first, out);
        let over: Vec<_> =
            report.applications.iter().filter(|a| !self.applications.contains_key(a)).cloned().collect();
        let Some(worker) = self.workers.get_mut(id) else { return };
        if !forget.is_empty() {
            worker.say(ToWorker::Forget { processes: forget }, out);
        }
        for application in over {
            worker.applications.remove(&application);
            worker.say(ToWorker::ApplicationEnded { application }, out);
        }
    }

    /// A worker says that a process starts or runs.
    fn process_lives(&mut self, now: Time, id: &WorkerId, said: &ProcessReport, out: &mut Out) {
        let resend = self.options.resend;
        let Some(worker) = self.workers.get_mut(id) else { return };
        let state = match said.state {
            Reported::Starting => ProcessState::Launching,
            _ => ProcessState::Running,
        };
        match worker.processes.get_mut(&said.process) {
            None => {
                // Nobody remembers it: it is killed, and takes its resources until then.
                assert_allowed(None, Some(ProcessState::Killing));
                let placed =
                    Placed { recorded: false, ..Placed::new(said.resources, ProcessState::Killing, now) };
                worker.insert(said.process.clone(), placed);
                worker.say(ToWorker::Kill { process: said.process.clone() }, out);
            }
            Some(placed) if placed.state == ProcessState::Killing => {
                if placed.asked.is_none_or(|asked| now.since(asked) >= resend) {
                    placed.asked = Some(now);
                    worker.say(ToWorker::Kill { process: said.process.clone() }, out);
                }
            }
            Some(placed) => {
                if placed.state == ProcessState::Running && state == ProcessState::Launching {
                    return; // Only in a worker that contradicts itself.
                }
                step(&mut placed.state, state);
                if state == ProcessState::Running {
                    self.process_runs(&said.process);
                }
            }
        }
    }

    fn process_runs(&mut self, process: &Process) {
        match process {
            Process::Executor { application, .. } => self.refresh_application(application),
            Process::Driver { driver, .. } => self.driver_runs(driver),
        }
    }

    /// What a report does not speak of.
    fn miss(&mut self, now: Time, id: &WorkerId, report: &Report, first: bool, out: &mut Out) {
        let Some(worker) = self.workers.get(id) else { return };
        let spoken = by_process(report);
        let mut lost = Vec::new();
        let mut again = Vec::new();
        for (process, placed) in worker.processes.iter().filter(|(p, _)| !spoken.contains_key(p)) {
            let heard = first || placed.launch <= report.heard;
            let late = placed.asked.is_none_or(|asked| now.since(asked) >= self.options.resend);
            match placed.state {
                // Asked for in this connection, and the worker has lost the message.
                ProcessState::Launching if !first && (heard || late) => again.push(process.clone()),
                ProcessState::Launching if !first => {}
                ProcessState::Killing if !heard && late => again.push(process.clone()),
                ProcessState::Killing if !heard => {}
                _ => lost.push(process.clone()),
            }
        }
        for process in again {
            self.ask_again(now, id, process, out);
        }
        for process in lost {
            let end = ExecutorEnd::Lost("the worker does not know it".to_string());
            self.process_ended(now, id, &process, end, out);
        }
    }

    /// Says once more what is wanted of a process. The worker takes no message that is older than one it has taken: should the first
    /// one still come, it is void.
    fn ask_again(&mut self, now: Time, id: &WorkerId, process: Process, out: &mut Out) {
        let command = self.command_of(&process);
        let Some(worker) = self.workers.get_mut(id) else { return };
        let Some(placed) = worker.processes.get_mut(&process) else { return };
        placed.asked = Some(now);
        let (resources, killing) = (placed.resources, placed.state == ProcessState::Killing);
        let message = match command {
            Some(command) if !killing => ToWorker::Launch { process: process.clone(), resources, command },
            _ => ToWorker::Kill { process: process.clone() },
        };
        let seq = worker.say(message, out);
        if let Some(placed) = worker.processes.get_mut(&process) {
            placed.launch = seq;
        }
    }

    fn command_of(&self, process: &Process) -> Option<std::sync::Arc<[u8]>> {
        match process {
            Process::Executor { application, .. } => {
                self.applications.get(application).map(|a| a.spec.command.clone())
            }
            Process::Driver { driver, .. } => self.drivers.get(driver).map(|d| d.spec.command.clone()),
        }
    }

    /// Asks a worker to end a process that nobody wants any more. It takes its resources until it has ended.
    pub(super) fn kill(&mut self, now: Time, id: &WorkerId, process: &Process, out: &mut Out) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let Some(placed) = worker.processes.get_mut(process) else { return };
        if placed.state == ProcessState::Killing {
            return;
        }
        step(&mut placed.state, ProcessState::Killing);
        placed.asked = Some(now);
        worker.say(ToWorker::Kill { process: process.clone() }, out);
    }

    /// A process is no more: its resources are free.
    fn process_ended(
        &mut self,
        now: Time,
        id: &WorkerId,
        process: &Process,
        end: ExecutorEnd,
        out: &mut Out,
    ) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let Some(mut placed) = worker.remove(process) else { return };
        let killed = placed.state == ProcessState::Killing;
        step(&mut placed.state, ProcessState::Ended);
        self.placeable = true;
        let end = match end {
            ExecutorEnd::Exited(_) if killed => ExecutorEnd::Killed,
            end => end,
        };
        match process {
            Process::Executor { application, executor } => {
                self.executor_ended(now, application, *executor, id, &placed, end, out);
            }
            Process::Driver { driver, attempt } => {
                self.driver_ended(now, driver, *attempt, &placed, end, out);
            }
        }
    }

    pub(super) fn drain(&mut self, id: &WorkerId, out: &mut Out) {
        let Some(worker) = self.workers.get_mut(id).filter(|w| !w.draining) else { return };
        worker.draining = true;
        if worker.state == WorkerState::Alive {
            step(&mut worker.state, WorkerState::Draining);
        }
        out.records.push(Record::Worker { spec: worker.spec.clone(), draining: true });
        for process in worker.processes.keys() {
            let Process::Executor { application, executor } = process else { continue };
            let session = self.applications.get(application).and_then(|a| a.session);
            if let Some(session) = session {
                let message = ToApplication::ExecutorDraining { executor: *executor };
                out.actions.push(Action::ToApplication { session, message });
            }
        }
    }

    /// A worker is gone for good, with all that ran on it. Should it come back, it comes as a new one.
    pub(super) fn worker_gone(&mut self, now: Time, id: &WorkerId, why: &str, out: &mut Out) {
        let Some(worker) = self.workers.get(id) else { return };
        assert_allowed(Some(worker.state), None);
        let session = worker.session;
        for process in worker.processes.keys().cloned().collect::<Vec<_>>() {
            self.process_ended(now, id, &process, ExecutorEnd::Lost(why.to_string()), out);
        }
        self.workers.remove(id);
        out.records.push(Record::WorkerGone { worker: id.clone() });
        for app in self.applications.values_mut() {
            app.paused.remove(id);
            if let Some(session) = app.session {
                let message = ToApplication::WorkerLost { worker: id.clone() };
                out.actions.push(Action::ToApplication { session, message });
            }
        }
        if let Some(session) = session {
            self.close(session, out);
        }
    }
}
