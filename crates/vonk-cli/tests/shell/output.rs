//! What results look like: fitted to the terminal, cut, paged, in all formats; plans and errors.

use crate::terminal::{ENTER, Terminal, table};
use unicode_width::UnicodeWidthStr;

const WIDE: &str = "SELECT repeat('x', 300) AS text, 12345678901 AS number, array(1, 2) AS list;";

#[test]
fn tables_fit_80_and_200_columns() {
    let home = tempfile::tempdir().unwrap();
    for columns in [80, 200] {
        let mut t = Terminal::shell(home.path(), (40, columns), &[]);
        let screen = t.run(WIDE);
        let lines = table(&screen);
        assert!(lines.iter().all(|l| l.width() == usize::from(columns)), "{screen}");
        assert!(lines.iter().any(|l| l.contains("x… │ 12345678901 │ [1,2]")), "{screen}");
        assert!(screen.contains("│ bigint") || screen.contains("bigint │"), "{screen}");
        // Thirty columns: those in the middle are left out, and it is said.
        let many: Vec<String> = (0..30).map(|i| format!("{i}000000 AS column_{i}")).collect();
        let screen = t.run(&format!("SELECT {};", many.join(",")));
        let last: Vec<&str> = screen.lines().filter(|l| l.starts_with('│') && l.contains("000000")).collect();
        assert!(last.iter().any(|l| l.contains("│ … │") && l.width() <= usize::from(columns)), "{screen}");
        assert!(screen.contains("30 columns ("), "{screen}");
    }
}

#[test]
fn a_window_that_changes_its_size_changes_tables() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    let screen = t.run(WIDE);
    assert_eq!(table(&screen)[0].width(), 80);
    t.resize(30, 120);
    t.run("SELECT 1;");
    t.keys(&format!("{WIDE}{ENTER}"));
    t.wait("a wider table", |s| {
        table(s).last().is_some_and(|l| l.width() == 120)
            || s.lines().any(|l| l.width() == 120 && l.starts_with('└'))
    });
}

#[test]
fn long_results_are_cut_in_the_middle_and_counted() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (60, 80), &[]);
    let screen = t.run("SELECT id FROM range(0, 1000000, 1, 4);");
    assert!(screen.contains("1000000 rows (40 shown), "), "{screen}");
    for line in ["│      0 │", "│     19 │", "│      · │", "│ 999980 │", "│ 999999 │"] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
    assert!(!screen.contains("│     20 │"), "{screen}");
    t.run(".maxrows 5");
    t.run(".timer off");
    let screen = t.run("SELECT id FROM range(0, 10, 1, 1);");
    assert!(screen.contains("10 rows (5 shown)\n"), "{screen}");
}

#[test]
fn nulls_control_characters_and_wide_letters() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    let screen = t.run("SELECT NULL AS a, 'NULL' AS b, 'x\\ty\\u001b[31m' AS c, '数据库' AS d;");
    assert!(screen.contains(r"│ NULL │ NULL   │ x\ty\u{1b}[31m │ 数据库 │"), "{screen}");
    assert!(table(&screen).iter().all(|l| l.width() == table(&screen)[0].width()), "{screen}");
    // A null is told from a text, and the text steers nothing.
    assert!(t.raw().contains("\x1b[2mNULL\x1b[0m"));
    t.run(".nullvalue ∅");
    t.run("SELECT CAST(NULL AS INT) AS a;");
    t.shows("│   ∅ │");
}

#[test]
fn output_higher_than_the_screen_is_paged() {
    let home = tempfile::tempdir().unwrap();
    let pager = "sed 's/^/paged: /'; echo the pager was left";
    let mut command = crate::terminal::command(home.path(), &[]);
    command.env("PAGER", pager);
    let mut t = Terminal::start(command, (24, 80));
    t.at_prompt();
    t.run("SELECT id FROM range(5);");
    assert!(!t.raw().contains("paged: "));
    let screen = t.run("SELECT id FROM range(0, 30, 1, 1);");
    assert!(
        screen.contains("paged: │     29 │") && screen.contains("the pager was left\n30 rows, "),
        "{screen}"
    );
    // One that reads nothing ends the statement, not the shell.
    t.run(".pager off");
    let screen = t.run("SELECT id FROM range(0, 30, 1, 1);");
    assert!(screen.contains("\n│     29 │") || screen.contains("\n│ 29"), "{screen}");
}

#[test]
fn a_pager_that_is_left_early_ends_the_statement() {
    let home = tempfile::tempdir().unwrap();
    let mut command = crate::terminal::command(home.path(), &["--format", "csv"]);
    command.env("PAGER", "head -n 3");
    let mut t = Terminal::start(command, (24, 80));
    t.at_prompt();
    let screen = t.run("SELECT id FROM range(100000000000);");
    assert!(screen.contains("\nid\n0\n1\n"), "{screen}");
    t.run("SELECT 'still here' AS x;");
    t.shows("still here");
}

#[test]
fn formats_files_and_commands() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (40, 100), &[]);
    t.run("\\x");
    let screen = t.run("SELECT 1 AS a, 'x' AS b;");
    assert!(screen.contains("-[ row 1 ]-\na | 1\nb | x\n"), "{screen}");
    t.run("\\x off");
    t.run(".output out.csv");
    t.run(".mode csv");
    t.run("SELECT 1 AS a, 'x,y' AS b;");
    t.run(".output");
    t.run(".once once.json");
    t.run(".mode json");
    t.run("SELECT 1 AS a;");
    t.run(".mode table");
    assert_eq!(std::fs::read_to_string(home.path().join("out.csv")).unwrap(), "a,b\n1,\"x,y\"\n");
    let json = "[\n  {\"a\":1}\n]\n";
    assert_eq!(std::fs::read_to_string(home.path().join("once.json")).unwrap(), json);
    std::fs::write(home.path().join("script.sql"), "CREATE DATABASE shop;\n\\c shop\nSELECT 7 AS seven;\n")
        .unwrap();
    let screen = t.run("\\i script.sql");
    assert!(screen.contains("Using spark_catalog.shop.") && screen.contains("│     7 │"), "{screen}");
    assert!(screen.ends_with("vonk (shop)>"), "{screen}");
    t.run("CREATE TABLE items (id INT NOT NULL, price DECIMAL(10,2)) USING parquet;");
    let screen = t.run("\\d items");
    assert!(screen.contains("│ price  │ decimal(10,2) │"), "{screen}");
    let screen = t.run(".tables");
    assert!(screen.contains("│ shop     │ items │ table │"), "{screen}");
    let screen = t.run(".schema items");
    assert!(screen.contains("CREATE TABLE spark_catalog.shop.items ("), "{screen}");
    let screen = t.run("\\l");
    assert!(screen.contains("│ samples       │ tpch     │"), "{screen}");
    let screen = t.run("!echo from the shell of the system");
    assert!(screen.contains("\nfrom the shell of the system\n"), "{screen}");
    let screen = t.run(".conf spark.sql.ansi.enabled");
    assert!(screen.contains("│ spark.sql.ansi.enabled │ true"), "{screen}");
    let screen = t.run(".help .maxrows");
    assert!(screen.contains(".maxrows [N]"), "{screen}");
}

#[test]
fn slips_are_pointed_at() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (40, 80), &[]);
    let screen = t.run("SELECT n_name FORM samples.tpch.nation;");
    assert!(screen.contains("Did you mean FROM instead of FORM?"), "{screen}");
    let screen = t.run("SELECT n_nam FROM samples.tpch.nation;");
    assert!(screen.contains("       ^^^^^\n") && screen.contains("`n_name`"), "{screen}");
    t.keys("\x1b[200~SELECT '数据',\n\t1 + nope;\x1b[201~");
    t.shows("+ nope;");
    t.keys(ENTER);
    let screen = t.wait("the place", |s| s.contains("    1 + nope\n        ^^^^"));
    assert!(screen.contains("line 2"), "{screen}");
    t.at_prompt();
    let screen = t.run("SELECT * FROM samples.tpch.natoin;");
    assert!(screen.contains("Did you mean samples.tpch.nation instead of samples.tpch.natoin?"), "{screen}");
    let screen = t.run(".mod csv");
    assert!(screen.contains("Did you mean .mode?"), "{screen}");
    let screen = t.run(".mode cvs");
    assert!(screen.contains("Did you mean csv?"), "{screen}");
    let screen = t.run("\\dx");
    assert!(screen.contains("There is no command \\dx."), "{screen}");
    assert!(t.raw().contains("\x1b[1;31m       ^^^^^\x1b[0m"));
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    for columns in [80, 120] {
        let home = tempfile::tempdir().unwrap();
        let mut t = Terminal::shell(home.path(), (80, columns), &[]);
        let screen = t.run(".help");
        assert!(screen.lines().all(|l| l.width() <= usize::from(columns)), "{screen}");
        assert!(screen.contains("  .mode [FORMAT]  ") && screen.contains("samples.tpch.nation"), "{screen}");
    }
}

#[test]
fn plans_are_drawn() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (40, 120), &[]);
    let screen = t.run("EXPLAIN SELECT count(*) FROM samples.tpch.nation JOIN samples.tpch.region ON n_regionkey = r_regionkey;");
    assert!(screen.contains("├─ Scan (") && screen.contains("└─ Scan ("), "{screen}");
}
