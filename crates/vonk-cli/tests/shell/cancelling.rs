//! Ctrl-C in the middle of every kind of long work: the prompt is back at once, and the shell as good as before.

use crate::terminal::{CTRL_C, PATIENCE, Terminal, command};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How soon the prompt must be back. Debug builds on a loaded machine are slow; whoever waits for the work itself waits for minutes.
const PROMPT: Duration = Duration::from_secs(20);

/// Starts a statement, waits until it shows that it runs, cancels it.
fn cancelled(t: &mut Terminal, statement: &str, runs: &str) {
    let written = t.raw().len();
    t.enter(statement);
    t.wait(runs, |_| t.raw()[written..].contains(runs));
    let begun = Instant::now();
    t.keys(CTRL_C);
    let screen = t.at_prompt();
    assert!(begun.elapsed() < PROMPT, "{statement} took {:?}", begun.elapsed());
    assert!(screen.contains("Cancelled."), "{screen}");
}

fn alive(t: &mut Terminal) {
    t.run("SELECT 40 + 2 AS answer;");
    t.shows("│     42 │");
}

#[test]
fn scans_joins_and_sorts() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 120), &["--memory", "64m", "--master", "local[2]"]);
    let scan = "SELECT sum(hash(id)) FROM range(1000000000000);";
    let join = "SELECT count(*) FROM range(10000000) a JOIN range(1000000) b ON a.id % 10 = b.id % 10;";
    let sort = "SELECT id FROM range(300000000) ORDER BY hash(id), id;";
    for statement in [scan, join, sort] {
        cancelled(&mut t, statement, "stage ");
        alive(&mut t);
    }
}

#[test]
fn printing() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &["--format", "csv"]);
    t.run(".pager off");
    cancelled(&mut t, "SELECT id FROM range(100000000000);", "\n5000\r");
    t.run(".mode table");
    alive(&mut t);
}

#[test]
fn files_of_statements() {
    let home = tempfile::tempdir().unwrap();
    let statements = format!(
        "{}SELECT 'the end';\n",
        "SELECT 'going on', sum(hash(id)) FROM range(3000000);\n".repeat(10_000)
    );
    std::fs::write(home.path().join("many.sql"), statements).unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    cancelled(&mut t, ".read many.sql", "going on");
    assert!(!t.screen().contains("the end"));
    alive(&mut t);
}

/// A folder of as many Parquet files, which are one.
fn many_files(t: &mut Terminal, home: &Path, files: usize) {
    t.run("INSERT OVERWRITE DIRECTORY 'many' USING parquet SELECT 1 AS stripes;");
    let many = home.join("many");
    let first = std::fs::read_dir(&many).unwrap().flatten().find(|e| e.path().is_file()).unwrap().path();
    (0..files).for_each(|i| std::fs::hard_link(&first, many.join(format!("{i}.parquet"))).unwrap());
}

#[test]
fn planning() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    let tables: Vec<String> = (0..1_500).map(|i| format!("(SELECT 1 AS a{i}) t{i}")).collect();
    let statement = format!("SELECT count(*) FROM {};", tables.join(", "));
    std::fs::write(home.path().join("joins.sql"), statement).unwrap();
    cancelled(&mut t, ".read joins.sql", "planning");
    alive(&mut t);
    many_files(&mut t, home.path(), 40_000);
    cancelled(&mut t, "SELECT count(*) FROM parquet.`many`;", "planning");
    alive(&mut t);
}

#[test]
fn commands_that_write() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 100), &[]);
    let rows = "SELECT hash(id) % 10 AS h FROM range(100000000000)";
    t.run("CREATE TABLE old AS SELECT 7 AS h;");
    for statement in [
        format!("CREATE TABLE new AS {rows};"),
        format!("INSERT OVERWRITE old {rows};"),
        format!("CACHE TABLE kept AS {rows} GROUP BY 1;"),
    ] {
        cancelled(&mut t, &statement, "stage ");
    }
    let screen = t.run("SHOW TABLES;");
    assert!(
        screen.contains("│ old ") && !screen.contains("│ new ") && !screen.contains("│ kept "),
        "{screen}"
    );
    t.run("SELECT h FROM old;");
    t.shows("│   7 │");
}

#[test]
fn completion() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    let view: Vec<String> = (0..3_000).map(|i| format!("SELECT {i} AS stripes")).collect();
    let view = format!("CREATE TEMPORARY VIEW zebras AS {};", view.join(" UNION ALL "));
    std::fs::write(home.path().join("view.sql"), view).unwrap();
    t.run(".read view.sql");
    t.keys("SELECT z.st");
    t.shows("z.st");
    t.keys(" FROM zebras z");
    t.shows("FROM zebras z");
    // Back to behind z.st, where the catalog is asked.
    t.keys(&format!("{}\t", "\x1b[D".repeat(" FROM zebras z".len())));
    let begun = Instant::now();
    t.keys(CTRL_C);
    // Whether the catalog was faster or not: the prompt is back.
    t.at_prompt();
    assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
    alive(&mut t);
}

#[test]
fn programs_of_the_system() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.enter("!echo it has begun; sleep 1000");
    t.shows("\nit has begun");
    t.keys(CTRL_C);
    t.at_prompt();
    alive(&mut t);
}

struct Master(Child, String);

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A master without workers.
fn master(home: &Path) -> Master {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vonk"));
    command.args(["master", "--port", &port.to_string(), "--webui-port", "0"]).current_dir(home);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "the master does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Master(child, format!("vonk://127.0.0.1:{port}"))
}

#[test]
fn waiting_for_executors() {
    let home = tempfile::tempdir().unwrap();
    let master = master(home.path());
    let mut t = Terminal::start(command(home.path(), &["--master", &master.1]), (24, 100));
    t.at_prompt();
    let statement = "SELECT count(*) FROM range(1000) GROUP BY id % 3;";
    cancelled(&mut t, statement, "waiting for executors");
    // It can be asked again, and cancelled again.
    cancelled(&mut t, statement, "waiting for executors");
}
