//! Drivers that the cluster runs (deploy mode `cluster`): submitted, placed, started again, killed.
//!
//! Must not know: where they are placed ([`super::schedule`]).

use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::entities::{Driver, PastDriver, Placed};
use super::ids::{DriverId, Nonce, Process};
use super::message::{DriverSpec, ExecutorEnd};
use super::record::Record;
use super::transitions::{ApplicationState, DriverState, assert_allowed, step};
use super::{Master, Out};
use crate::time::Time;

/// A supervised driver that fails is started again after so many milliseconds, twice as many each time, at most a minute later.
const FIRST_PAUSE: u64 = 1_000;
/// A driver that lived so long begins with the first pause again.
const LIVED_LONG: u64 = 60_000;

impl Master {
    pub(super) fn submit_driver(
        &mut self,
        fresh: DriverId,
        nonce: Nonce,
        spec: Arc<DriverSpec>,
        out: &mut Out,
    ) {
        let taken =
            self.drivers.contains_key(&fresh) || self.past_drivers.iter().any(|p| p.driver.id == fresh);
        if taken || self.driver_nonces.contains_key(&nonce) {
            return;
        }
        assert_allowed(None, Some(DriverState::Submitted));
        let driver = Driver::new(fresh, nonce, spec, 0);
        out.records.push(driver.record());
        self.insert_driver(driver);
        self.placeable = true;
    }

    pub(super) fn insert_driver(&mut self, driver: Driver) {
        if let Entry::Vacant(entry) = self.drivers.entry(driver.id.clone()) {
            self.driver_nonces.insert(driver.nonce.clone(), driver.id.clone());
            entry.insert(driver);
        }
    }

    pub(super) fn kill_driver(&mut self, now: Time, id: &DriverId, out: &mut Out) {
        let Some(driver) = self.drivers.get_mut(id) else { return };
        match (driver.state, driver.placed.clone()) {
            (DriverState::Submitted, _) => {
                let reason = "the driver was killed".to_string();
                self.end_driver(now, id, DriverState::Killed, reason, out);
            }
            (DriverState::Launching | DriverState::Running, Some((worker, attempt))) => {
                step(&mut driver.state, DriverState::Killing);
                out.records.push(Record::DriverUnwanted { driver: id.clone() });
                self.kill(now, &worker, &Process::Driver { driver: id.clone(), attempt }, out);
            }
            _ => {}
        }
    }

    pub(super) fn driver_runs(&mut self, id: &DriverId) {
        if let Some(driver) = self.drivers.get_mut(id).filter(|d| d.state == DriverState::Launching) {
            step(&mut driver.state, DriverState::Running);
        }
    }

    pub(super) fn driver_ended(
        &mut self,
        now: Time,
        id: &DriverId,
        attempt: u32,
        placed: &Placed,
        end: ExecutorEnd,
        out: &mut Out,
    ) {
        let Some(driver) = self.drivers.get_mut(id) else { return };
        if driver.placed.as_ref().is_none_or(|(_, a)| *a != attempt) {
            return;
        }
        driver.placed = None;
        let reason = match &end {
            ExecutorEnd::Exited(exit) => exit.message.clone(),
            ExecutorEnd::Killed => "the driver was killed".to_string(),
            ExecutorEnd::Lost(why) => why.clone(),
        };
        let succeeded = matches!(&end, ExecutorEnd::Exited(exit) if exit.code == Some(0));
        match driver.state {
            DriverState::Killing => self.end_driver(now, id, DriverState::Killed, reason, out),
            _ if succeeded => self.end_driver(now, id, DriverState::Finished, reason, out),
            _ if driver.spec.supervise => {
                step(&mut driver.state, DriverState::Submitted);
                if now.since(placed.since) >= LIVED_LONG {
                    driver.failures = 0;
                }
                // A driver whose worker is gone is not to blame.
                let pause = match end {
                    ExecutorEnd::Lost(_) => 0,
                    _ => (FIRST_PAUSE << driver.failures.min(10)).min(LIVED_LONG),
                };
                driver.failures += u32::from(pause > 0);
                driver.not_before = (pause > 0).then(|| now.after(pause));
                out.records.push(Record::DriverWaits { driver: id.clone(), attempt });
                self.end_applications_of(now, id, "its driver is started again", out);
                self.placeable = true;
            }
            _ => self.end_driver(now, id, DriverState::Failed, reason, out),
        }
    }

    fn end_driver(&mut self, now: Time, id: &DriverId, state: DriverState, reason: String, out: &mut Out) {
        let Some(driver) = self.drivers.get_mut(id) else { return };
        step(&mut driver.state, state);
        out.records.push(Record::DriverEnded { driver: id.clone(), state, reason: reason.clone() });
        self.retire_driver(id, state, reason);
        self.end_applications_of(now, id, "its driver has ended", out);
    }

    /// An application does not outlive the driver that it ran in.
    fn end_applications_of(&mut self, now: Time, driver: &DriverId, reason: &str, out: &mut Out) {
        let of = |a: &&super::entities::Application| a.spec.driver.as_ref() == Some(driver);
        for id in self.applications.values().filter(of).map(|a| a.id.clone()).collect::<Vec<_>>() {
            self.remove_application(now, &id, ApplicationState::Failed, reason.to_string(), out);
        }
    }

    /// Puts a driver among the past ones, of which so many are remembered.
    pub(super) fn retire_driver(&mut self, id: &DriverId, state: DriverState, reason: String) {
        let Some(mut driver) = self.drivers.remove(id) else { return };
        driver.state = state;
        driver.placed = None;
        self.past_drivers.push_back(PastDriver { driver, reason });
        while self.past_drivers.len() > self.options.retained_drivers {
            let Some(past) = self.past_drivers.pop_front() else { return };
            assert_allowed(Some(past.driver.state), None);
            self.driver_nonces.remove(&past.driver.nonce);
        }
    }
}
