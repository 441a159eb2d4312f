//! The diagrams in `docs/schedulers.md` are the tables in the code. `VONK_UPDATE=1` draws them anew.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::Path;
use vonk_scheduler::{Diagram, ExecutorState, JobState, LaunchState, StageState, TaskState};

fn diagrams() -> [Diagram; 5] {
    [
        StageState::diagram(),
        TaskState::diagram(),
        LaunchState::diagram(),
        ExecutorState::diagram(),
        JobState::diagram(),
    ]
}

#[test]
fn the_diagrams_are_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schedulers.md");
    let old = std::fs::read_to_string(&path).unwrap();
    let mut text = old.clone();
    for d in diagrams() {
        let begin = format!("<!-- {}: drawn from the table -->\n", d.name);
        let from = text.find(&begin).unwrap_or_else(|| panic!("no place for {}", d.name)) + begin.len();
        let to = from + text[from..].find("<!-- end -->").expect("a place has an end");
        text.replace_range(from..to, &format!("```mermaid\n{}```\n", d.mermaid()));
    }
    if std::env::var_os("VONK_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(text == old, "docs/schedulers.md is not what the tables say: run with VONK_UPDATE=1");
}

/// Every state can be reached, and from every state that is no end something leads on.
#[test]
fn the_tables_hang_together() {
    for d in diagrams() {
        let mut reached = vec![d.initial];
        while let Some(next) =
            d.transitions.iter().find(|t| reached.contains(&t.0) && !reached.contains(&t.2))
        {
            reached.push(next.2);
        }
        for (from, cause, to) in &d.transitions {
            assert!(reached.contains(from) && reached.contains(to), "{} cannot come to {from}", d.name);
            let same = d.transitions.iter().filter(|t| (t.0, t.1) == (*from, *cause)).count();
            assert_eq!(same, 1, "{cause} leads from {from} to more than one state");
        }
    }
}
