//! Queries that are cancelled from outside, by the numbers that the status shows.

use crate::common::{eventually, rows, seen, spawn, watched};

const ENDLESS: &str =
    "SELECT id % 7, count(*) FROM range(0, 10000000000000, 1, 2) WHERE id % 3 = 5 GROUP BY 1";

#[test]
fn a_job_and_a_stage_are_cancelled_by_number_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local-cluster[2,2,1g]", dir.path()).build().unwrap();
    for by_stage in [false, true] {
        let (one, other) = (spawn(&session, ENDLESS), spawn(&session, ENDLESS));
        let running = |what: &str, key: &str, status: &str| -> Vec<u64> {
            let all = seen(&session, what);
            all.iter().filter(|x| x["status"] == status).map(|x| x[key].as_u64().unwrap()).collect()
        };
        eventually("two jobs run", || running("jobs", "jobId", "RUNNING").len() == 2);
        eventually("two stages run", || running("stages", "stageId", "ACTIVE").len() == 2);
        let (jobs, stages) = (running("jobs", "jobId", "RUNNING"), running("stages", "stageId", "ACTIVE"));
        // What is not there is left alone.
        session.cancel_job(1_000_000);
        session.cancel_stage(1_000_000);
        if by_stage {
            session.cancel_stage(stages[0]);
        } else {
            session.cancel_job(jobs[0]);
        }
        eventually("one of them ends", || one.is_finished() || other.is_finished());
        eventually("the other's tasks run on all slots", || {
            let tasks: u64 =
                seen(&session, "executors").iter().map(|e| e["activeTasks"].as_u64().unwrap()).sum();
            tasks == 2 && running("jobs", "jobId", "RUNNING").len() == 1
        });
        assert!(!(one.is_finished() && other.is_finished()));
        session.cancel_job(running("jobs", "jobId", "RUNNING")[0]);
        for query in [one, other] {
            assert_eq!(query.join().unwrap().unwrap_err().condition(), "OPERATION_CANCELED");
        }
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 4)").unwrap(), ["1000"]);
}
