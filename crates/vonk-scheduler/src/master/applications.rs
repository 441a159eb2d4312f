//! Applications come, wish, and go; their executors end.
//!
//! Must not know: where executors are placed ([`super::schedule`]).

use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::entities::{Application, PastApplication, Pause, Placed, pause_after};
use super::ids::{ApplicationId, Nonce, Process, SessionId, WorkerId};
use super::message::{ApplicationSpec, ExecutorEnd, Exit, ToApplication, ToWorker, Wish};
use super::record::Record;
use super::transitions::{ApplicationState, ProcessState, assert_allowed, step};
use super::{Action, Master, Out, Party};
use crate::ids::ExecutorId;
use crate::time::Time;

/// Milliseconds after which an executor has started, whether or not its application said so.
const STARTED_AFTER: u64 = 10_000;

impl Application {
    fn say(&self, message: ToApplication, out: &mut Out) {
        if let Some(session) = self.session {
            out.actions.push(Action::ToApplication { session, message });
        }
    }

    /// An executor is in working order.
    /// Whether its worker may get others that it could not before.
    fn started(&mut self, worker: &WorkerId) -> bool {
        self.failed_starts = 0;
        self.paused.remove(worker).is_some()
    }
}

impl Master {
    #[allow(clippy::too_many_arguments)] // the fields of one event
    pub(super) fn application_registers(
        &mut self,
        now: Time,
        session: SessionId,
        fresh: ApplicationId,
        nonce: Nonce,
        spec: Arc<ApplicationSpec>,
        wish: &Wish,
        out: &mut Out,
    ) {
        let known = self.application_nonces.get(&nonce).cloned();
        match (self.sessions.get(&session), &known) {
            // The same message twice.
            (Some(Party::Application(id)), Some(known)) if id == known => return,
            (Some(_), _) => return self.close(session, out),
            (None, _) => {}
        }
        let refuse = |state, reason: String, out: &mut Out| {
            let message = ToApplication::Removed { state, reason };
            out.actions.push(Action::ToApplication { session, message });
            out.actions.push(Action::Close { session });
        };
        let id = match known {
            Some(id) => {
                if let Some(past) = self.past_applications.iter().find(|p| p.app.id == id) {
                    return refuse(past.app.state, past.reason.clone(), out);
                }
                id
            }
            None => {
                let taken = self.applications.contains_key(&fresh)
                    || self.past_applications.iter().any(|p| p.app.id == fresh);
                if taken || spec.executor_memory == 0 || spec.executor_cores == Some(0) {
                    let reason = match taken {
                        true => format!("the name {fresh} is taken"),
                        false => "an executor without cores or memory is none".to_string(),
                    };
                    return refuse(ApplicationState::Failed, reason, out);
                }
                assert_allowed(None, Some(ApplicationState::Waiting));
                let app = Application::new(fresh.clone(), nonce, spec);
                out.records.push(app.record());
                self.insert_application(app);
                fresh
            }
        };
        self.connect_application(now, session, &id, wish, out);
    }

    fn connect_application(
        &mut self,
        now: Time,
        session: SessionId,
        id: &ApplicationId,
        wish: &Wish,
        out: &mut Out,
    ) {
        let Some(app) = self.applications.get_mut(id) else { return };
        if app.wish > 0 && wish.seq <= app.wish {
            // A connection that was opened before the present one, and came through after it.
            return out.actions.push(Action::Close { session });
        }
        self.sessions.insert(session, Party::Application(id.clone()));
        app.deadline = None;
        let old = app.session.replace(session);
        let granted = |(executor, worker): (&ExecutorId, &WorkerId)| {
            let worker = self.workers.get(worker)?;
            let process = Process::Executor { application: id.clone(), executor: *executor };
            let placed = worker.processes.get(&process).filter(|p| p.state != ProcessState::Killing)?;
            Some(worker.granted(*executor, placed.resources))
        };
        let executors = app.executors.iter().filter_map(granted).collect();
        let workers = self.workers.keys().cloned().collect();
        app.say(ToApplication::Registered { application: id.clone(), executors, workers }, out);
        // Said on an earlier connection, or while there was none: to hear it twice changes nothing.
        let leaves = |worker: &WorkerId| self.workers.get(worker).is_some_and(|w| w.draining);
        for (executor, _) in app.executors.iter().filter(|(_, worker)| leaves(worker)) {
            app.say(ToApplication::ExecutorDraining { executor: *executor }, out);
        }
        if let Some(old) = old.filter(|old| *old != session) {
            self.close(old, out);
        }
        self.refresh_application(id);
        self.placeable = true;
        self.take_wish(now, id, wish, out);
    }

    pub(super) fn insert_application(&mut self, app: Application) {
        if let Entry::Vacant(entry) = self.applications.entry(app.id.clone()) {
            self.application_nonces.insert(app.nonce.clone(), app.id.clone());
            self.queue.push(app.id.clone());
            entry.insert(app);
        }
    }

    pub(super) fn take_wish(&mut self, now: Time, id: &ApplicationId, wish: &Wish, out: &mut Out) {
        let Some(app) = self.applications.get_mut(id) else { return };
        if wish.seq <= app.wish {
            return;
        }
        app.wish = wish.seq;
        if app.limit != wish.total {
            app.limit = wish.total;
            self.placeable = true;
        }
        for executor in &wish.ready {
            if let Some(worker) = app.executors.get(executor).cloned() {
                self.placeable |= app.started(&worker);
                let process = Process::Executor { application: id.clone(), executor: *executor };
                let worker = self.workers.get_mut(&worker);
                if let Some(placed) = worker.and_then(|w| w.processes.get_mut(&process)) {
                    placed.ready = true;
                }
            }
        }
        for executor in &wish.kill {
            if let Some(worker) = self.applications.get(id).and_then(|a| a.executors.get(executor)).cloned() {
                let process = Process::Executor { application: id.clone(), executor: *executor };
                self.kill(now, &worker, &process, out);
            }
        }
        self.refresh_application(id);
    }

    /// Whether an application waits or runs follows from its executors.
    pub(super) fn refresh_application(&mut self, id: &ApplicationId) {
        let Some(app) = self.applications.get(id).filter(|a| a.session.is_some()) else { return };
        let runs = |(executor, worker): (&ExecutorId, &WorkerId)| {
            let process = Process::Executor { application: id.clone(), executor: *executor };
            let placed = self.workers.get(worker).and_then(|w| w.processes.get(&process));
            placed.is_some_and(|p| p.state == ProcessState::Running)
        };
        let to = match app.executors.iter().any(runs) {
            true => ApplicationState::Running,
            false => ApplicationState::Waiting,
        };
        if let Some(app) = self.applications.get_mut(id) {
            step(&mut app.state, to);
        }
    }

    #[allow(clippy::too_many_arguments)] // what there is to say of an end
    pub(super) fn executor_ended(
        &mut self,
        now: Time,
        id: &ApplicationId,
        executor: ExecutorId,
        worker: &WorkerId,
        placed: &Placed,
        end: ExecutorEnd,
        out: &mut Out,
    ) {
        let application = id.clone();
        out.records.push(Record::ExecutorGone { application, executor, worker: worker.clone() });
        let Some(app) = self.applications.get_mut(id) else { return };
        if app.executors.remove(&executor).is_none() {
            return;
        }
        app.cores = app.cores.saturating_sub(placed.resources.cores);
        app.say(ToApplication::ExecutorEnded { executor, end: end.clone() }, out);
        self.refresh_application(id);
        match end {
            // Without its driver an executor ends, which says nothing of the next one.
            ExecutorEnd::Exited(exit) if self.applications.get(id).is_some_and(|a| a.session.is_some()) => {
                self.judge_exit(now, id, worker, placed, &exit, out);
            }
            _ => {}
        }
    }

    /// An executor that ends before it has done anything is a failed start: its worker gets no other for a while, and after too many
    /// of them, with none in working order, the application is removed.
    fn judge_exit(
        &mut self,
        now: Time,
        id: &ApplicationId,
        worker: &WorkerId,
        placed: &Placed,
        exit: &Exit,
        out: &mut Out,
    ) {
        let retries = self.options.max_executor_retries;
        let Some(app) = self.applications.get_mut(id) else { return };
        if placed.ready || now.since(placed.since) >= STARTED_AFTER {
            self.placeable |= app.started(worker);
            return;
        }
        if exit.code == Some(0) {
            return;
        }
        app.failed_starts += 1;
        let pause = app.paused.entry(worker.clone()).or_insert(Pause { failures: 0, until: None });
        pause.until = Some(now.after(pause_after(pause.failures)));
        pause.failures += 1;
        let failed = app.failed_starts;
        if retries.is_none_or(|max| failed < max.max(1)) || self.works(now, id) {
            return;
        }
        let reason = format!("{failed} executors failed to start, the last one: {}", exit.message);
        self.remove_application(now, id, ApplicationState::Failed, reason, out);
    }

    /// Whether an application has an executor in working order.
    fn works(&self, now: Time, id: &ApplicationId) -> bool {
        let Some(app) = self.applications.get(id) else { return false };
        app.executors.iter().any(|(executor, worker)| {
            let process = Process::Executor { application: id.clone(), executor: *executor };
            let placed = self.workers.get(worker).and_then(|w| w.processes.get(&process));
            placed.is_some_and(|p| {
                p.ready || (p.state == ProcessState::Running && now.since(p.since) >= STARTED_AFTER)
            })
        })
    }

    /// An application is over. Its executors are killed; what they take is free once they have ended.
    pub(super) fn remove_application(
        &mut self,
        now: Time,
        id: &ApplicationId,
        state: ApplicationState,
        reason: String,
        out: &mut Out,
    ) {
        let Some(app) = self.applications.get_mut(id) else { return };
        step(&mut app.state, state);
        app.say(ToApplication::Removed { state, reason: reason.clone() }, out);
        let (session, executors) = (app.session.take(), std::mem::take(&mut app.executors));
        app.cores = 0;
        out.records.push(Record::ApplicationEnded { application: id.clone(), state, reason: reason.clone() });
        self.retire_application(id, state, reason);
        for (executor, worker) in executors {
            let process = Process::Executor { application: id.clone(), executor };
            self.kill(now, &worker, &process, out);
        }
        for worker in self.workers.values_mut().filter(|w| w.session.is_some()) {
            if worker.applications.remove(id) {
                worker.say(ToWorker::ApplicationEnded { application: id.clone() }, out);
            }
        }
        if let Some(session) = session {
            self.close(session, out);
        }
    }

    /// Puts an application among the past ones, of which so many are remembered.
    pub(super) fn retire_application(&mut self, id: &ApplicationId, state: ApplicationState, reason: String) {
        let Some(mut app) = self.applications.remove(id) else { return };
        self.queue.retain(|q| q != id);
        (app.state, app.cores) = (state, 0);
        app.executors.clear();
        self.past_applications.push_back(PastApplication { app, reason });
        while self.past_applications.len() > self.options.retained_applications {
            let Some(past) = self.past_applications.pop_front() else { return };
            assert_allowed(Some(past.app.state), None);
            self.application_nonces.remove(&past.app.nonce);
        }
    }
}
