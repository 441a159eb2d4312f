//! Logs: whose words they are.

use crate::common::*;

#[test]
fn what_a_task_logs_says_of_which_query_job_stage_and_task_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let local = dir.path().join("local");
    let conf = format!("spark.local.dir={}", local.display());
    let arguments = ["sql", "--protocol", "jsonl", "--master", "local-cluster[1,1,1g]", "--conf", &conf];
    let mut driver = Driver::start(dir.path(), &arguments);
    // Two jobs of one query, then another query.
    assert!(
        driver.answer("SELECT (SELECT max(id) FROM range(0, 5, 1, 1)) + id FROM range(1)").contains("\"4\"")
    );
    assert!(driver.answer("SELECT 1 / id FROM range(0, 3, 1, 1)").contains("DIVIDE_BY_ZERO"));
    let log = || {
        let files = files_below(&local);
        let of_executor = files.iter().filter(|f| f.file_name().is_some_and(|n| n == "executor-0.log"));
        of_executor.map(|f| std::fs::read_to_string(f).unwrap()).collect::<String>()
    };
    let place = "task{executor=0 query=1 job=2 stage=";
    eventually("the failed task's line", || {
        log().lines().any(|l| {
            l.contains(place) && l.contains(" stage_attempt=0 task=") && l.contains("[DIVIDE_BY_ZERO]")
        })
    });
}
