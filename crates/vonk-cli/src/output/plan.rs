//! EXPLAIN's text as a person reads it: trees with their lines drawn, headings and numbers told from the rest.
//!
//! Must not know: operators. What is a tree is what is indented by two blanks a level.

use crate::style::{Role, Style};

/// The text of a plan, drawn.
pub fn draw(text: &str, style: Style) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    let mut from = 0;
    // What is parsed is shown as it is held, which is no tree of this kind.
    let mut tree_of_ours = true;
    while from < lines.len() {
        let line = lines[from];
        if let Some(title) = line.strip_prefix("== ").and_then(|l| l.strip_suffix(" ==")) {
            tree_of_ours = !title.starts_with("Parsed");
        }
        if line.starts_with("== ") || is_heading(line) {
            out += &style.paint(Role::Heading, line);
            out.push('\n');
            from += 1;
            continue;
        }
        let len = lines[from..].iter().take_while(|l| !l.is_empty() && !l.starts_with("== ")).count();
        if len == 0 || !tree_of_ours {
            out += line;
            out.push('\n');
            from += 1;
            continue;
        }
        tree(&lines[from..from + len], style, &mut out);
        from += len;
    }
    out
}

/// `Stage 0: 1 tasks, result, RDD 0`, `Subquery 0:`
fn is_heading(line: &str) -> bool {
    !line.starts_with(' ')
        && (line.starts_with("Stage ") || line.starts_with("Subquery ") || line.starts_with("Loop "))
        && line.contains(':')
}

fn depth(line: &str) -> usize {
    (line.len() - line.trim_start_matches(' ').len()) / 2
}

/// Whether another child of the same parent as that of `at` comes after it.
fn has_sibling(lines: &[&str], at: usize) -> bool {
    let own = depth(lines[at]);
    let next = lines[at + 1..].iter().map(|l| depth(l)).find(|d| *d <= own);
    next == Some(own)
}

/// Lines of one or several trees, one below the other.
fn tree(lines: &[&str], style: Style, out: &mut String) {
    // For each level, whether its line goes on below.
    let mut open: Vec<bool> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let depth = depth(line);
        open.truncate(depth);
        let mut lead: String = open.iter().skip(1).map(|o| if *o { "│  " } else { "   " }).collect();
        let sibling = has_sibling(lines, at);
        if depth > 0 {
            lead += if sibling { "├─ " } else { "└─ " };
        }
        while open.len() < depth {
            open.push(false);
        }
        open.push(sibling);
        *out += &style.paint(Role::Dim, &lead);
        *out += &node(line.trim_start(), style);
        out.push('\n');
    }
}

/// `HashAggregate (3) complete, 1 key rows=1 bytes=8 time=1.5ms`
fn node(line: &str, style: Style) -> String {
    let end = line.find(' ').unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    let mut out = style.paint(Role::Keyword, name);
    if let Some(close) = rest.starts_with(" (").then(|| rest.find(')')).flatten() {
        out += &style.paint(Role::Dim, &rest[..=close]);
        rest = &rest[close + 1..];
    }
    let metrics = rest.rfind(" rows=").filter(|at| rest[*at..].contains(" time=")).unwrap_or(rest.len());
    out += &rest[..metrics];
    out += &style.paint(Role::Number, &rest[metrics..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_drawn() {
        let text = "== Physical Plan ==\nLimit (1) 3\n  Join (2) Inner\n    Scan (3) a, b\n      X (9)\n    Scan (4) c rows=1 bytes=2 time=3ms\n\nStage 0: 1 tasks, result\nScan (4) c\n";
        let drawn = "== Physical Plan ==\nLimit (1) 3\n└─ Join (2) Inner\n   ├─ Scan (3) a, b\n   │  └─ X (9)\n   └─ Scan (4) c rows=1 bytes=2 time=3ms\n\nStage 0: 1 tasks, result\nScan (4) c\n";
        assert_eq!(draw(text, Style::PLAIN), drawn);
        let coloured = draw(text, Style::new(true));
        assert!(coloured.contains("\x1b[1;34mJoin\x1b[0m"), "{coloured:?}");
        assert!(coloured.contains("\x1b[35m rows=1 bytes=2 time=3ms\x1b[0m"), "{coloured:?}");
    }

    #[test]
    fn what_is_no_tree_is_left_alone() {
        let text = "== Parsed Logical Plan ==\nSelect(\n    Select {\n        distinct: false,\n    },\n)\n\n== Analyzed Logical Plan ==\nstruct<a:int>\nProject\n  Values\n";
        let drawn = draw(text, Style::PLAIN);
        assert!(drawn.contains("\n    Select {\n        distinct"), "{drawn}");
        assert!(drawn.contains("Project\n└─ Values"), "{drawn}");
    }
}
