//! What goes wrong while a query runs: failing rows, disks and files. The caller gets the condition, nothing is left behind (no
//! rows, files, memory), and the session answers the next statement.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vonk::{Error, Session};

/// A session with folders of its own.
struct Fixture {
    dir: TempDir,
    session: Session,
}

impl Fixture {
    fn new(settings: &[(&str, &str)]) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = Session::builder()
            .config("spark.master", "local[2]")
            .config("spark.local.dir", &dir.path().join("spill").to_string_lossy())
            .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy());
        for (key, value) in settings {
            builder = builder.config(key, value);
        }
        Fixture { session: builder.build().unwrap(), dir }
    }

    fn rows(&self, sql: &str) -> Result<Vec<String>, Error> {
        self.session.run(sql)?.rows_as_text()
    }

    fn answers(&self, sql: &str, expected: &[&str]) {
        assert_eq!(self.rows(sql).unwrap_or_else(|e| panic!("{sql}: {e}")), expected, "{sql}");
    }

    /// The statement fails so, and all is as before it.
    fn fails(&self, sql: &str, condition: &str, sql_state: &str) -> Error {
        let files = self.files("warehouse");
        let Err(error) = self.rows(sql) else { panic!("did not fail: {sql}") };
        assert_eq!((error.condition(), error.sql_state()), (condition, sql_state), "{sql}: {error}");
        // In this order: of a memory of one megabyte, without a disk to spill to, tasks that have yet to notice the failure may hold all.
        self.gives_all_back(sql);
        self.answers("SELECT count(*), sum(id) FROM range(0, 1000, 1, 4)", &["1000\t499500"]);
        assert_eq!(self.files("warehouse"), files, "files after {sql}");
        error
    }

    /// Tasks that were running when another one failed may take a moment to notice.
    fn gives_all_back(&self, what: &str) {
        let begun = Instant::now();
        while self.session.used_memory() > 0 || !self.files("spill").is_empty() {
            let (used, files) = (self.session.used_memory(), self.files("spill"));
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{used} bytes and {files:?} are kept after {what}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All files below a folder of the fixture, and staging folders.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    // A staging folder must go, even if it is empty.
                    out.extend(entry.file_name().to_string_lossy().starts_with('_').then(|| path.clone()));
                    walk(&path, out);
                } else {
                    out.push(path);
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.dir.path().join(folder), &mut out);
        out.sort();
        out
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// One row of the third of four partitions fails, of 400,000.
const FAILING: [(&str, &str, &str); 3] = [
    ("100 / (id - 277777)", "DIVIDE_BY_ZERO", "22012"),
    ("CAST(CASE WHEN id = 277777 THEN 'x' ELSE '1' END AS INT)", "CAST_INVALID_INPUT", "22018"),
    ("CASE WHEN id = 277777 THEN raise_error('no') ELSE 1 END", "USER_RAISED_EXCEPTION", "P0001"),
];

fn failing_rows(settings: &[(&str, &str)]) {
    let f = Fixture::new(settings);
    f.answers("CREATE TABLE kept (a BIGINT, b DOUBLE) USING parquet", &[]);
    f.answers("INSERT INTO kept VALUES (1, 1.5), (2, 2.5)", &[]);
    for (value, condition, state) in FAILING {
        let source = format!("(SELECT id, id % 100000 AS k, {value} AS v FROM range(0, 400000, 1, 4))");
        for sql in [
            format!("SELECT sum(v) FROM {source}"),
            format!("SELECT k, sum(v), count(DISTINCT id) FROM {source} GROUP BY k"),
            format!(
                "SELECT count(*) FROM {source} a JOIN range(0, 400000, 1, 3) b ON a.k = b.id AND a.v > 0"
            ),
            format!(
                "SELECT count(*) FROM range(0, 400000, 1, 3) b LEFT JOIN {source} a ON a.k = b.id WHERE a.v > 0"
            ),
            format!("SELECT id, v FROM {source} ORDER BY v, id"),
            format!("SELECT max(r) FROM (SELECT rank() OVER (PARTITION BY k ORDER BY v) AS r FROM {source})"),
            format!("SELECT (SELECT max(v) FROM {source}) AS m"),
            format!("INSERT INTO kept SELECT id, v FROM {source}"),
            format!("INSERT OVERWRITE kept SELECT id, v FROM {source}"),
            format!("CREATE TABLE made USING parquet AS SELECT id, v FROM {source}"),
        ] {
            f.fails(&sql, condition, state);
        }
        f.answers("SELECT a, b FROM kept ORDER BY a", &["1\t1.5", "2\t2.5"]);
        f.fails("SELECT * FROM made", "TABLE_OR_VIEW_NOT_FOUND", "42P01");
    }
}

#[test]
fn a_failing_row_leaves_nothing_behind() {
    failing_rows(&[]);
}

#[test]
fn a_failing_row_leaves_nothing_behind_while_spilling() {
    failing_rows(&[("spark.vonk.memory.limit", "2m")]);
}

#[test]
fn a_failing_row_leaves_nothing_behind_on_the_wire() {
    failing_rows(&[("spark.vonk.wire", "true"), ("spark.sql.autoBroadcastJoinThreshold", "-1")]);
}

/// A query whose reader goes away.
#[test]
fn an_answer_that_is_dropped_leaves_nothing_behind() {
    let f = Fixture::new(&[("spark.vonk.memory.limit", "2m")]);
    for sql in [
        "SELECT id, count(*) FROM range(0, 400000, 1, 4) GROUP BY id",
        "SELECT id FROM range(0, 400000, 1, 4) ORDER BY id DESC",
    ] {
        let mut answer = f.session.run(sql).unwrap();
        assert!(answer.next_batch().unwrap().is_some());
        drop(answer);
        f.gives_all_back(sql);
    }
}

/// Queries that need more than the memory limit, one for each way to spill.
const SPILLING: [&str; 4] = [
    "SELECT count(*) FROM (SELECT id, concat('x', id) AS s, count(*) FROM range(0, 200000, 1, 4) GROUP BY id, s)",
    "SELECT max(s) FROM (SELECT s, row_number() OVER (ORDER BY s) AS n FROM (SELECT concat('x', id) AS s FROM range(0, 200000, 1, 4)))",
    "SELECT count(*) FROM (SELECT id, concat('x', id) AS s FROM range(0, 200000, 1, 4)) a FULL JOIN range(0, 200000, 1, 4) b ON a.id = b.id",
    "SELECT count(*) FROM (SELECT id, concat('x', id) AS s FROM range(0, 200000, 1, 4) ORDER BY s DESC LIMIT 150000)",
];
const TIGHT: (&str, &str) = ("spark.vonk.memory.limit", "1m");

#[test]
fn spilling_works() {
    let f = Fixture::new(&[TIGHT]);
    for sql in SPILLING {
        let rows = f.rows(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(rows.len(), 1);
        f.gives_all_back(sql);
    }
}

fn spilling_fails(f: &Fixture) {
    for sql in SPILLING {
        let error = f.fails(sql, "_IO_ERROR", "58030");
        assert!(error.to_string().contains("spill"), "{error}");
    }
}

#[test]
fn a_spill_folder_that_cannot_be_made() {
    let file = tempfile::NamedTempFile::new().unwrap();
    spilling_fails(&Fixture::new(&[TIGHT, ("spark.local.dir", &file.path().to_string_lossy())]));
}

#[test]
fn a_spill_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(dir.path().join("probe"), "x").is_ok() {
        println!("skipped: this user (root?) writes where nobody may");
        return;
    }
    spilling_fails(&Fixture::new(&[TIGHT, ("spark.local.dir", &dir.path().to_string_lossy())]));
}

/// A disk without space, as a limit on the size of files in a process of its own: a write beyond it fails, as on a full disk.
#[test]
fn a_full_spill_disk() {
    const CHILD: &str = "VONK_TEST_FULL_DISK";
    if std::env::var_os(CHILD).is_some() {
        spilling_fails(&Fixture::new(&[TIGHT]));
        return;
    }
    let this = std::env::current_exe().unwrap();
    let script = "trap '' XFSZ && ulimit -f 8 && exec \"$0\" --exact a_full_spill_disk --nocapture";
    let output = Command::new("sh").arg("-c").arg(script).arg(this).env(CHILD, "1").output();
    let Ok(output) = output else {
        println!("skipped: no sh to limit the size of files with");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let f = Fixture::new(&[]);
    f.answers(
        "CREATE TABLE t USING parquet AS SELECT id AS a, concat('x', id) AS b FROM range(0, 5000, 1, 1)",
        &[],
    );
    let written =
        f.files("warehouse").into_iter().find(|p| p.extension().is_some_and(|e| e == "parquet")).unwrap();
    let whole = std::fs::read(&written).unwrap();
    let select = |path: &Path, columns: &str| format!("SELECT {columns} FROM parquet.`{}`", path.display());
    for (name, bytes) in [
        ("empty.parquet", &[][..]),
        ("foreign.parquet", b"id,name\n1,a\n2,b\n3,c\n"),
        ("truncated.parquet", &whole[..whole.len() / 2]),
        ("tail.parquet", &whole[whole.len() / 2..]),
    ] {
        let path = f.path(name);
        std::fs::write(&path, bytes).unwrap();
        let error = f.fails(&select(&path, "*"), "_CORRUPT_FILE", "58030");
        assert!(error.to_string().contains(name), "{error}");
    }
    // The footer is whole, the data is not: found while reading.
    let path = f.path("damaged.parquet");
    let mut bytes = whole.clone();
    bytes[4..whole.len() / 2].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    f.fails(&select(&path, "sum(a), max(b)"), "_CORRUPT_FILE", "58030");
    f.fails(&select(&f.path("none.parquet"), "*"), "PATH_NOT_FOUND", "42K03");
    std::fs::create_dir(f.path("bare")).unwrap();
    f.fails(&select(&f.path("bare"), "*"), "UNABLE_TO_INFER_SCHEMA", "42KD9");
    f.answers("SELECT count(*), max(b) FROM t", &["5000\tx999"]);
}

#[test]
fn a_folder_of_files_with_differing_schemas() {
    let f = Fixture::new(&[]);
    let folder = f.path("mixed");
    for (name, query) in [
        ("a", "SELECT 1 AS a, 'x' AS b"),
        ("b", "SELECT 2 AS a"),
        ("c", "SELECT 3 AS a, 'z' AS b, 2.5D AS c"),
    ] {
        f.answers(
            &format!("INSERT OVERWRITE DIRECTORY '{}' USING parquet {query}", f.path(name).display()),
            &[],
        );
    }
    std::fs::create_dir(&folder).unwrap();
    let add = |name: &str| {
        let from = std::fs::read_dir(f.path(name)).unwrap().flatten().map(|e| e.path());
        let from = from.filter(|p| p.extension().is_some_and(|e| e == "parquet"));
        for p in from {
            std::fs::copy(p, folder.join(format!("{name}.parquet"))).unwrap();
        }
    };
    ["a", "b", "c"].into_iter().for_each(add);
    let table = format!("parquet.`{}`", folder.display());
    // The first file's columns; those that a file lacks are null.
    f.answers(&format!("SELECT a, b FROM {table} ORDER BY a"), &["1\tx", "2\tNULL", "3\tz"]);
    f.answers(
        &format!("INSERT OVERWRITE DIRECTORY '{}' USING parquet SELECT 'text' AS a", f.path("d").display()),
        &[],
    );
    add("d");
    let error = f.fails(&format!("SELECT sum(a) FROM {table}"), "_INCOMPATIBLE_FILE_SCHEMA", "42K0A");
    assert!(error.to_string().contains("d.parquet"), "{error}");
}

#[test]
fn settings_that_make_no_sense() {
    let f = Fixture::new(&[]);
    f.fails("SET spark.sql.session.timeZone = Mars/Olympus", "INVALID_CONF_VALUE.TIME_ZONE", "22022");
    f.fails("SET TIME ZONE 'Mars/Olympus'", "INVALID_CONF_VALUE.TIME_ZONE", "22022");
    f.fails("SET spark.sql.ansi.enabled = perhaps", "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022");
    f.fails("SET spark.sql.shuffle.partitions = many", "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022");
    for (key, value) in
        [("spark.master", "moon[2]"), ("spark.master", "local[0]"), ("spark.master", "local[x]")]
    {
        let Err(error) = Session::builder().config(key, value).build() else {
            panic!("{value} is no master")
        };
        assert_eq!((error.condition(), error.sql_state()), ("_INVALID_MASTER", "22023"), "{error}");
    }
    let Err(error) = Session::builder().config("spark.sql.session.timeZone", "nowhere").build() else {
        panic!("nowhere is no time zone")
    };
    assert_eq!(error.condition(), "INVALID_CONF_VALUE.TIME_ZONE", "{error}");
}
