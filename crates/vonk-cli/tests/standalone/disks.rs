//! Workers whose disk is full.

use crate::common::*;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of so many kilobytes, in memory; `None` where that is not allowed.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, kilobytes: u32) -> Option<Disk> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={kilobytes}k");
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "vonk-test"]).arg(at).output();
        mounting.is_ok_and(|o| o.status.success()).then(|| Disk(at.to_path_buf()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_worker_whose_disk_is_full_fails_tasks_and_no_query() {
    let service = "spark.shuffle.service.enabled=true";
    let mut cluster = Cluster::start(0, &[service, "spark.worker.timeout=30"]);
    let Some(disk) = Disk::mount(&cluster.work(0), 600) else {
        println!("SKIPPED: this user mounts no file systems");
        return;
    };
    cluster.add_worker();
    cluster.add_worker();
    // Five megabytes of blocks, which no codec makes smaller.
    let sql = "SELECT count(*), sum(length(s)), count(DISTINCT s) FROM \
               (SELECT /*+ REPARTITION(3) */ sha2(cast(id AS string), 512) AS s FROM range(0, 40000, 1, 8))";
    let events = format!("spark.eventLog.dir={}", cluster.dir.path().join("events").display());
    let conf = [service, &events, "spark.eventLog.enabled=true"];
    let mut first = cluster.sql("first", &conf, sql);
    let status = first.ended();
    assert!(status.success() && first.said().contains("40000\t5120000\t40000"), "{}", first.said());
    let log = files_below(&cluster.dir.path().join("events"));
    let log = log.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect::<String>();
    let executors = log.lines().filter(|l| l.contains("\"ExecutorAdded\"")).count();
    println!("{executors} executors, {} failures", log.matches("No space left").count());
    assert!(log.contains("No space left on device"), "no task met the full disk");

    // Nothing at all fits: not even an executor can be started there.
    eventually("room again", || files_below(&cluster.work(0)).is_empty());
    let rest = cluster.work(0).join("rest");
    let _ = std::fs::write(&rest, vec![7; 1 << 20]);
    let mut second = cluster.sql("second", &[service], sql);
    let status = second.ended();
    assert!(status.success() && second.said().contains("40000\t5120000\t40000"), "{}", second.said());
    std::fs::remove_file(&rest).unwrap();
    let workers = seen(cluster.master.web(), "/api/v1/workers");
    assert!(workers.as_array().unwrap().iter().all(|w| w["state"] == "Alive"), "{workers}");
    for worker in cluster.workers.drain(..) {
        worker.end();
    }
    assert_eq!(entries(&disk.0), Vec::<String>::new());
}
