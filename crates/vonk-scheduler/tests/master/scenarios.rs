//! Single stories, told step by step.

use super::*;

fn resources(cores: u32, memory: u64) -> Resources {
    Resources { cores, memory }
}

fn worker(name: &str, cores: u32) -> WorkerSpec {
    WorkerSpec {
        id: WorkerId::from(name),
        host: "h".to_string(),
        address: format!("h/{name}"),
        cores,
        memory: 100,
        shuffle_service: None,
    }
}

fn register_worker(master: &mut Master, now: u64, session: u64, name: &str, cores: u32) -> Vec<Action> {
    let report = Report { seq: 1, ..Report::default() };
    let spec = worker(name, cores);
    master.handle(Time(now), Event::WorkerRegisters { session: SessionId(session), spec, report })
}

fn app_spec(cores_max: Option<u32>) -> Arc<ApplicationSpec> {
    Arc::new(ApplicationSpec {
        name: "a".to_string(),
        user: "u".to_string(),
        submitted: 0,
        cores_max,
        executor_cores: Some(1),
        executor_memory: 1,
        allocation: Allocation::CoarseGrained,
        first_executor: 0,
        driver: None,
        command: Arc::from(&b""[..]),
    })
}

fn register(master: &mut Master, now: u64, session: u64, name: &str, cores_max: Option<u32>) -> Vec<Action> {
    let event = Event::ApplicationRegisters {
        session: SessionId(session),
        fresh: ApplicationId::from(name),
        nonce: Nonce::from(format!("nonce of {name}").as_str()),
        spec: app_spec(cores_max),
        wish: Wish { seq: 1, ..Wish::default() },
    };
    master.handle(Time(now), event)
}

/// Executors that workers are asked to start: application and number.
fn launched(actions: &[Action]) -> Vec<(String, u64)> {
    let pick = |a: &Action| match a {
        Action::ToWorker {
            message: ToWorker::Launch { process: Process::Executor { application, executor }, .. },
            ..
        } => Some((application.to_string(), executor.0)),
        _ => None,
    };
    actions.iter().filter_map(pick).collect()
}

fn exited(executor: u64, name: &str, code: i32, seq: u64) -> Report {
    let process =
        Process::Executor { application: ApplicationId::from(name), executor: ExecutorId(executor) };
    let exit = Exit { code: Some(code), message: "so it ended".to_string() };
    let state = Reported::Exited(exit);
    Report {
        seq,
        heard: u64::MAX,
        processes: vec![ProcessReport { process, resources: resources(1, 1), state }],
        applications: vec![],
    }
}

fn running(name: &str, executor: u64) -> ProcessReport {
    let (application, executor) = (ApplicationId::from(name), ExecutorId(executor));
    let process = Process::Executor { application, executor };
    ProcessReport { process, resources: resources(1, 1), state: Reported::Running }
}

#[test]
fn first_come_first_served_and_what_is_given_back_goes_to_the_next() {
    let mut master = Master::new(MasterOptions::default());
    register_worker(&mut master, 0, 0, "w", 3);
    assert_eq!(launched(&register(&mut master, 1, 1, "a", Some(2))).len(), 2);
    assert_eq!(launched(&register(&mut master, 2, 2, "b", Some(2))), [("b".to_string(), 0)]);
    assert!(launched(&register(&mut master, 3, 3, "c", None)).is_empty());
    // The same registration again, on the same connection and on another one, is no other application.
    assert!(register(&mut master, 4, 3, "c", None).is_empty());
    assert_eq!(master.applications().len(), 3);
    // An executor of the first ends well: it is its own turn again.
    let mut report = exited(0, "a", 0, 2);
    report.processes.extend([running("a", 1), running("b", 0)]);
    let actions = master.handle(Time(5), Event::WorkerReports { session: SessionId(0), report });
    assert_eq!(launched(&actions), [("a".to_string(), 2)]);
    // The first is over: when its executors have ended, the second gets what it lacked, and the third the rest.
    let actions = master.handle(Time(6), Event::ApplicationEnds { session: SessionId(1), succeeded: true });
    assert!(launched(&actions).is_empty(), "nothing is free before the executors have ended");
    let mut report = exited(1, "a", 0, 3);
    report.processes.extend(exited(2, "a", 0, 3).processes);
    report.processes.push(running("b", 0));
    let actions = master.handle(Time(7), Event::WorkerReports { session: SessionId(0), report });
    assert_eq!(launched(&actions), [("b".to_string(), 1), ("c".to_string(), 0)]);
}

#[test]
fn a_submission_is_one_driver_however_often_and_after_it_has_ended() {
    let mut master = Master::new(MasterOptions::default());
    let mut log = Vec::new();
    let spec = Arc::new(DriverSpec {
        name: "d".to_string(),
        user: "u".to_string(),
        submitted: 0,
        resources: resources(1, 1),
        supervise: false,
        command: Arc::from(&b""[..]),
    });
    let nonce = Nonce::from("n");
    let submit = |fresh: &str| Event::SubmitDriver {
        fresh: DriverId::from(fresh),
        nonce: nonce.clone(),
        spec: spec.clone(),
    };
    let mut keep = |actions: Vec<Action>| {
        log.extend(actions.into_iter().filter_map(|a| match a {
            Action::Persist(record) => Some(record),
            _ => None,
        }));
        log.clone()
    };
    keep(master.handle(Time(0), submit("driver-1")));
    keep(master.handle(Time(1), submit("driver-2")));
    let records = keep(master.handle(Time(2), Event::KillDriver { driver: DriverId::from("driver-1") }));
    let mut master = Master::recover(MasterOptions::default(), Time(0), records);
    assert!(master.handle(Time(1), submit("driver-3")).is_empty());
    let drivers = master.drivers();
    assert_eq!(drivers.len(), 1);
    assert_eq!((&*drivers[0].id.0, drivers[0].state), ("driver-1", DriverState::Killed));
}

#[test]
fn a_worker_that_does_not_start_executors_is_left_alone_for_a_while() {
    let mut master = Master::new(MasterOptions { max_executor_retries: Some(3), ..MasterOptions::default() });
    register_worker(&mut master, 0, 0, "w", 1);
    register(&mut master, 0, 1, "a", Some(1));
    let mut now = 10;
    for n in 0..2 {
        let event = Event::WorkerReports { session: SessionId(0), report: exited(n, "a", 1, n + 2) };
        assert!(launched(&master.handle(Time(now), event)).is_empty(), "not at once");
        let timer = master.next_timer().unwrap();
        assert_eq!(timer, Time(now + (100 << n)));
        now = timer.0;
        assert_eq!(launched(&master.handle(timer, Event::Tick)), [("a".to_string(), n + 1)]);
    }
    let event = Event::WorkerReports { session: SessionId(0), report: exited(2, "a", 1, 4) };
    let actions = master.handle(Time(now), event);
    let removed = |a: &Action| match a {
        Action::ToApplication { message: ToApplication::Removed { reason, .. }, .. } => Some(reason.clone()),
        _ => None,
    };
    let reason = actions.iter().find_map(removed).unwrap();
    assert_eq!(reason, "3 executors failed to start, the last one: so it ended");
}

#[test]
fn a_lost_worker_that_comes_back_is_told_to_end_what_nobody_wants() {
    let mut master = Master::new(MasterOptions::default());
    register_worker(&mut master, 0, 0, "w", 2);
    register(&mut master, 0, 1, "a", Some(2));
    let actions = master.handle(Time(60_000), Event::Tick);
    let lost = |a: &Action| {
        matches!(a, Action::ToApplication { message: ToApplication::ExecutorEnded { end, .. }, .. }
            if matches!(end, ExecutorEnd::Lost(_)))
    };
    assert_eq!(actions.iter().filter(|a| lost(a)).count(), 2);
    assert!(actions.contains(&Action::Close { session: SessionId(0) }));
    let report = Report { seq: 5, processes: vec![running("a", 0), running("a", 1)], ..Report::default() };
    let spec = worker("w", 2);
    let event = Event::WorkerRegisters { session: SessionId(2), spec, report };
    let actions = master.handle(Time(60_001), event);
    let kills = |a: &Action| matches!(a, Action::ToWorker { message: ToWorker::Kill { .. }, .. });
    assert_eq!(actions.iter().filter(|a| kills(a)).count(), 2);
    assert!(launched(&actions).is_empty(), "its cores are taken until they have ended");
    let report = Report { seq: 6, ..Report::default() };
    let actions = master.handle(Time(60_002), Event::WorkerReports { session: SessionId(2), report });
    assert_eq!(launched(&actions), [("a".to_string(), 2), ("a".to_string(), 3)]);
}

#[test]
fn what_is_not_known_changes_nothing() {
    let mut master = Master::new(MasterOptions::default());
    let session = SessionId(7);
    let events = [
        Event::WorkerReports { session, report: Report::default() },
        Event::WorkerDrains { session },
        Event::WorkerLeaves { session },
        Event::DrainWorker { worker: WorkerId::from("w") },
        Event::ApplicationWishes { session, wish: Wish::default() },
        Event::ApplicationEnds { session, succeeded: true },
        Event::KillApplication { application: ApplicationId::from("a") },
        Event::KillDriver { driver: DriverId::from("d") },
        Event::Disconnected { session },
        Event::Tick,
    ];
    for event in events {
        assert!(master.handle(Time(0), event.clone()).is_empty(), "{event:?}");
    }
    assert_eq!(master.next_timer(), None);
    // Nor is a worker without anything to lend taken.
    let actions = register_worker(&mut master, 0, 1, "w", 0);
    assert!(matches!(
        &actions[..],
        [Action::ToWorker { message: ToWorker::Refused(_), .. }, Action::Close { .. }]
    ));
}

/// What an application that registers anew learns, beside what it has.
fn learns(machine: &mut ApplicationMachine, actions: &[Action]) -> Vec<ApplicationAction> {
    let said = |a: &Action| match a {
        Action::ToApplication { message, .. } => Some(message.clone()),
        _ => None,
    };
    let heard = |m| machine.handle(ApplicationEvent::Heard(m));
    actions.iter().filter_map(said).flat_map(heard).collect()
}

#[test]
fn what_becomes_of_workers_while_an_application_is_away_is_told_when_it_is_back() {
    let mut master = Master::new(MasterOptions::default());
    let mut machine = ApplicationMachine::new(Nonce::from("nonce of a"), (*app_spec(Some(3))).clone(), None);
    register_worker(&mut master, 0, 0, "v", 1);
    register_worker(&mut master, 0, 1, "w", 1);
    register_worker(&mut master, 0, 2, "x", 1);
    let back = |master: &mut Master, session: u64, seq: u64| {
        let event = Event::ApplicationRegisters {
            session: SessionId(session),
            fresh: ApplicationId::from("a"),
            nonce: Nonce::from("nonce of a"),
            spec: app_spec(Some(3)),
            wish: Wish { seq, ..Wish::default() },
        };
        master.handle(Time(seq), event)
    };
    machine.handle(ApplicationEvent::Connected);
    learns(&mut machine, &back(&mut master, 10, 1));
    assert_eq!((machine.executors().len(), machine.workers().len()), (3, 3));

    machine.handle(ApplicationEvent::Disconnected);
    master.handle(Time(2), Event::Disconnected { session: SessionId(10) });
    master.handle(Time(3), Event::WorkerDrains { session: SessionId(0) });
    master.handle(Time(4), Event::WorkerLeaves { session: SessionId(1) });
    machine.handle(ApplicationEvent::Connected);
    let learnt = learns(&mut machine, &back(&mut master, 11, 5));
    let on = |name: &str| {
        let known = machine.executors().values().find(|g| g.worker == WorkerId::from(name));
        known.map(|g| g.executor)
    };
    assert!(on("w").is_none());
    assert!(learnt.contains(&ApplicationAction::WorkerLost(WorkerId::from("w"))), "{learnt:?}");
    assert!(learnt.contains(&ApplicationAction::Draining(on("v").unwrap())), "{learnt:?}");
    let told = |a: &&ApplicationAction| {
        matches!(a, ApplicationAction::WorkerLost(_) | ApplicationAction::Draining(_))
    };
    assert_eq!(learnt.iter().filter(told).count(), 2, "the third is as it was: {learnt:?}");
}
