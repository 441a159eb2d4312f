//! Typing: statements over several lines, history, completion, brackets, Ctrl-C and Ctrl-D at the prompt.

use crate::terminal::{
    ALT_ENTER, CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_R, DOWN, ENTER, RIGHT, TAB, Terminal, UP,
};

#[test]
fn a_statement_ends_with_its_semicolon_and_its_earlier_lines_can_be_edited() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.enter("SELECT 1 AS one,");
    t.enter("  2 AS two");
    t.wait("three lines", |s| s.contains("2 AS two"));
    // Up to the first line, and there behind the 1; then down to the end.
    t.keys(&format!("{UP}{UP}{CTRL_A}{}23", RIGHT.repeat(8)));
    t.shows("SELECT 123 AS one,");
    t.keys(&format!("{DOWN}{DOWN}{CTRL_E};{ENTER}"));
    let screen = t.wait("the answer", |s| s.contains("│ 123 │   2 │"));
    assert!(screen.contains("1 row, "), "{screen}");
    // The whole statement comes back, and can be changed again.
    t.at_prompt();
    t.keys(UP);
    t.wait("the statement again", |s| s.matches("SELECT 123 AS one,").count() == 2 && s.ends_with(';'));
    t.keys(&format!("\x7f + 5;{ENTER}"));
    t.shows("SELECT 123 AS one,\n  2 AS two\n + 5;");
}

#[test]
fn alt_enter_is_a_new_line_in_a_whole_statement() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.keys(&format!("SELECT 1;{ALT_ENTER}SELECT 2;"));
    t.shows("SELECT 1;\nSELECT 2;");
    t.keys(ENTER);
    t.shows("│   2 │");
    assert!(t.raw().contains("│   1 │"));
}

#[test]
fn history_lasts_is_searched_and_two_shells_keep_each_their_own() {
    let home = tempfile::tempdir().unwrap();
    {
        let mut one = Terminal::shell(home.path(), (24, 80), &[]);
        let mut two = Terminal::shell(home.path(), (24, 80), &[]);
        one.run("SELECT 'first of one';");
        two.run("SELECT 'first of two';");
        one.run("SELECT 'second of one';");
        two.keys(CTRL_D);
        assert!(two.ended().success());
        // One is killed, not left.
    }
    let history = std::fs::read_to_string(home.path().join(".local/state/vonk/history")).unwrap();
    let lines: Vec<&str> = history.lines().skip(1).collect();
    assert_eq!(lines, ["SELECT 'first of one';", "SELECT 'first of two';", "SELECT 'second of one';"]);
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.keys(CTRL_R);
    t.shows("reverse-i-search");
    t.keys("of two");
    t.shows("SELECT 'first of two';");
    t.keys(ENTER);
    t.shows("│ first of two │");
}

#[test]
fn tab_completes_from_the_live_catalog() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.keys(&format!("SELECT * FROM samples.tpch.nat{TAB}"));
    t.shows("SELECT * FROM samples.tpch.nation");
    t.keys(&format!(" n WHERE n.n_reg{TAB}"));
    t.shows("WHERE n.n_regionkey");
    t.keys(CTRL_C);
    t.at_prompt();
    // What was made a moment ago.
    t.run("CREATE TEMPORARY VIEW zebras AS SELECT 1 AS stripes, 2 AS strength;");
    t.keys(&format!("SELECT * FROM zeb{TAB}"));
    t.shows("SELECT * FROM zebras");
    // Several: what they have in common, and the list.
    t.keys(&format!(" WHERE st{TAB}"));
    let screen = t.wait("the list", |s| s.contains("struct(") && s.ends_with("WHERE st"));
    assert!(screen.matches("stripes").count() == 2 && screen.matches("strength").count() == 2, "{screen}");
    t.keys(CTRL_C);
    t.at_prompt();
    t.keys(&format!(".mo{TAB}"));
    t.shows("> .mode");
    t.keys(&format!("mark{TAB}"));
    t.shows("> .mode markdown");
    t.keys(ENTER);
    t.run("SELECT 1 AS a;");
    t.shows("| a |");
}

#[test]
fn ctrl_c_clears_the_line_and_ctrl_d_leaves() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.enter("SELECT nonsense,");
    t.keys("more");
    t.shows("more");
    t.keys(CTRL_C);
    t.at_prompt();
    t.run("SELECT 41 + 1 AS answer;");
    let screen = t.shows("│     42 │");
    assert!(!screen.contains("UNRESOLVED"), "{screen}");
    t.keys(CTRL_D);
    assert_eq!(t.ended().code(), Some(0));
}

#[test]
fn words_that_leave() {
    for word in ["exit", "QUIT;", ".quit", "\\q"] {
        let home = tempfile::tempdir().unwrap();
        let mut t = Terminal::shell(home.path(), (24, 80), &[]);
        t.enter(word);
        assert_eq!(t.ended().code(), Some(0), "{word}");
    }
}

#[test]
fn colours_while_typing_and_none_where_none_are_wanted() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.keys("SELECT sum(1), 'x';");
    t.wrote("\x1b[1;34mSELECT\x1b[0m");
    t.wrote("\x1b[32m'x'\x1b[0m");
    t.keys(ENTER);
    t.shows("1 row, ");
    let mut plain = crate::terminal::command(home.path(), &[]);
    plain.env("NO_COLOR", "1");
    for mut t in [Terminal::start(plain, (24, 80)), Terminal::shell(home.path(), (24, 80), &["--no-color"])] {
        t.at_prompt();
        t.run("SELECT sum(1), NULL, 'x';");
        t.run("SELECT nope;");
        t.run("EXPLAIN SELECT 1;");
        let raw = t.raw();
        assert!(!raw.contains("\x1b[1;3") && !raw.contains("\x1b[3") && !raw.contains("\x1b[2m"), "{raw:?}");
    }
}

#[test]
fn an_editor_changes_the_last_statement() {
    let home = tempfile::tempdir().unwrap();
    let editor = home.path().join("editor.sh");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/17/18/' \"$1\"\n").unwrap();
    let mut command = crate::terminal::command(home.path(), &[]);
    command.env("EDITOR", format!("sh {}", editor.display()));
    let mut t = Terminal::start(command, (24, 80));
    t.at_prompt();
    t.run("SELECT 17 AS n;");
    t.enter("\\e");
    t.wait("the changed statement", |s| s.ends_with("> SELECT 18 AS n"));
    t.keys(&format!(";{ENTER}"));
    t.shows("│  18 │");
}

#[test]
fn pasted_text_is_one_entry() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    // As terminals send it (bracketed paste): lines, tabs and all.
    t.keys("\x1b[200~SELECT 10 + 1 AS\n\tpasted;\nSELECT 'second' AS x;\x1b[201~");
    t.wait("the pasted text", |s| s.ends_with("SELECT 'second' AS x;"));
    t.keys(ENTER);
    t.shows("│     11 │");
    t.shows("│ second │");
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (40, 80), &[]);
    t.keys("SELECT sum(hash(id)) FROM range(2000000);\rSELECT\r22 AS b;\rSELECT 33 AS c;\r");
    t.shows("│  22 │");
    t.shows("│  33 │");
}

#[test]
fn bytes_that_are_no_text_do_not_end_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.bytes(b"SELECT '\xff");
    t.shows("no UTF-8");
    t.at_prompt();
    t.run("SELECT 41 + 1 AS answer;");
    t.shows("│     42 │");
}

#[test]
fn a_terminal_that_can_do_nothing_and_the_file_that_is_run_first() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".vonkrc"), ".nullvalue nothing\nSELECT nonsense;\n").unwrap();
    let mut command = crate::terminal::command(home.path(), &[]);
    command.env("TERM", "dumb");
    let mut t = Terminal::start(command, (24, 80));
    t.shows("UNRESOLVED_COLUMN");
    t.at_prompt();
    t.keys("SELECT NULL\nAS a;\n");
    t.shows("│ nothing │");
    assert!(!t.raw().contains('\x1b'), "{:?}", t.raw());
    let mut t = Terminal::shell(home.path(), (24, 80), &["--no-rc"]);
    t.run("SELECT NULL AS a;");
    assert!(t.shows("│ NULL │").contains("Vonk "));
}
