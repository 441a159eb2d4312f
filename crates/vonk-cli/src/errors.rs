//! Errors as a person reads them: the condition and the place marked, and what was perhaps meant.
//!
//! Must not know: what the statement was to do.

use crate::nearest::{distance, nearest};
use crate::shell::highlight::colour;
use crate::shell::meta;
use crate::style::{Role, Style};
use std::ops::Range;
use unicode_width::UnicodeWidthStr;
use vonk::{Error, Session, TokenClass, classify, keywords};

/// Candidates of a mistyped keyword that are tried.
const TRIED: usize = 40;

/// The error of a statement, on one or several lines. On a terminal of `width` columns no word is broken.
pub fn render(error: &Error, sql: &str, session: &Session, style: Style, width: Option<usize>) -> String {
    if error.condition() == "_INVALID_COMMAND" {
        // The shell's own words, which nobody looks up.
        return style.paint(Role::Error, &error.message());
    }
    let (condition, state) = (format!("[{}]", error.condition()), format!("SQLSTATE: {}", error.sql_state()));
    let message = format!("{condition} {} {state}", error.message());
    let message = width.map_or_else(|| message.clone(), |width| wrap(&message, width));
    // Wrapping puts ends of lines in the place of blanks: what was where still is there.
    let (rest, state) = message.split_at(message.len() - state.len());
    let (condition, rest) = rest.split_at(condition.len());
    let mut out = format!("{}{rest}{}", style.paint(Role::Error, condition), style.paint(Role::Dim, state));
    let context = error.context().map(ToString::to_string).unwrap_or_default();
    // What it is of, the line, and carets under the place.
    if let [head, text, carets] = context.lines().collect::<Vec<_>>()[..] {
        let (text, carets) = pointed(text, carets, width);
        for part in [style.paint(Role::Dim, head), colour(&text, style), style.paint(Role::Error, &carets)] {
            out.push('\n');
            out += &part;
        }
    }
    if let Some(hint) = hint(error, sql, session) {
        out.push('\n');
        out += &style.paint(Role::Hint, &hint);
    }
    out
}

/// The text with ends of lines in the place of blanks where a line would be longer than `width`.
pub fn wrap(text: &str, width: usize) -> String {
    let (mut out, mut used) = (String::with_capacity(text.len()), 0);
    for word in text.split_inclusive([' ', '\n']) {
        let letters = word.trim_end().width();
        if used > 0 && used + letters > width && out.ends_with(' ') {
            out.pop();
            out.push('\n');
            used = 0;
        }
        out.push_str(word);
        used = if word.ends_with('\n') { 0 } else { used + word.width() };
    }
    out
}

/// A tab as it is shown: wherever it stands in its line, what comes after it stands above its carets.
const TAB: &str = "    ";

/// A line of a statement and the carets below it, which count characters, as they stand below each other on a terminal: wide characters take
/// two columns, and of a line that would fold there is what has room around the place.
fn pointed(text: &str, carets: &str, width: Option<usize>) -> (String, String) {
    let shown: Vec<String> = text
        .chars()
        .map(|c| match c {
            '\t' => TAB.to_string(),
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        })
        .collect();
    let columns =
        |range: Range<usize>| shown.get(range).map_or(0, |part| part.iter().map(|s| s.width()).sum());
    let all = shown.len();
    let before = (carets.len() - carets.trim_start().len()).min(all);
    let under = carets.trim_start().len();
    let marked = before..(before + under).min(all);
    let (mut from, mut to) = (0, all);
    if let Some(width) = width.filter(|width| columns(0..all) > *width) {
        // An ellipsis on either side.
        let room = width.saturating_sub(2).max(1);
        while from < before && columns(from..marked.end) > room.max(columns(from..before) * 2) {
            from += 1;
        }
        while from < before && columns(from..before) > room / 2 {
            from += 1;
        }
        while to > before + 1 && columns(from..to) > room {
            to -= 1;
        }
    }
    let (left, right) = (if from > 0 { "…" } else { "" }, if to < all { "…" } else { "" });
    let line = format!("{left}{}{right}", shown[from..to].concat());
    let indent = left.width() + columns(from..before);
    // At the end of a line there is nothing to be below of.
    let marks = columns(marked.start..marked.end.min(to)).max(1);
    (line, format!("{}{}", " ".repeat(indent), "^".repeat(marks)))
}

/// What was perhaps meant, where Spark's message does not say so itself.
fn hint(error: &Error, sql: &str, session: &Session) -> Option<String> {
    let meant = |written: &str, meant: &str| format!("Did you mean {meant} instead of {written}?");
    let condition = error.condition();
    if condition.starts_with("PARSE_SYNTAX_ERROR") {
        if let Some(command) = command_within(error, sql) {
            return Some(format!(
                "{command} is a command: it begins where a statement could. Is a semicolon missing before it?"
            ));
        }
        let (written, keyword) = keyword_meant(error, sql, session)?;
        return Some(meant(written, keyword));
    }
    let param = |name: &str| error.params().find(|(k, _)| *k == name).map(|(_, v)| v.replace('`', ""));
    let (written, names) = match condition {
        "TABLE_OR_VIEW_NOT_FOUND" => {
            let name = param("relationName")?;
            let names = tables_like(&name, session);
            (name, names)
        }
        "UNRESOLVED_ROUTINE" => (param("routineName")?, session.function_names()),
        "SCHEMA_NOT_FOUND" => {
            let name = param("schemaName")?;
            let (catalog, database) = match name.rsplit_once('.') {
                Some((catalog, database)) => (catalog.to_string(), database.to_string()),
                None => (session.current_catalog(), name),
            };
            (database, session.databases(&catalog).ok()?)
        }
        "CATALOG_NOT_FOUND" => (param("catalogName")?, session.catalogs()),
        _ => return None,
    };
    let found = nearest(&written, names.iter().map(String::as_str))?;
    Some(meant(&written, found))
}

/// The command of the shell that the line begins with which the parser stumbles over.
fn command_within<'a>(error: &Error, sql: &'a str) -> Option<&'a str> {
    let at = error.span().start as usize;
    let line = sql.get(..at)?.rfind('\n')? + 1;
    let word = sql[line..].split_whitespace().next()?;
    meta::names().any(|name| name == word).then_some(word)
}

/// Tables and views named with as many parts as `name` has, where they could be meant by it.
fn tables_like(name: &str, session: &Session) -> Vec<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let (catalog, database, prefix) = match parts.as_slice() {
        [_] => (session.current_catalog(), session.current_database(), String::new()),
        [database, _] => (session.current_catalog(), (*database).to_string(), format!("{database}.")),
        [catalog, database, _] => {
            ((*catalog).to_string(), (*database).to_string(), format!("{catalog}.{database}."))
        }
        _ => return vec![],
    };
    let tables = session.tables(&catalog, &database).unwrap_or_default();
    let mut names: Vec<String> = tables.into_iter().map(|t| format!("{prefix}{}", t.name)).collect();
    if parts.len() == 1 {
        names.extend(session.temporary_views().into_iter().map(|t| t.name));
    }
    names
}

/// A word of the statement and the keyword that it was perhaps meant to be: the one with which the statement is right, or goes wrong
/// latest. The parser stumbles over a mistyped keyword itself, or over what comes after it.
fn keyword_meant<'a>(error: &Error, sql: &'a str, session: &Session) -> Option<(&'a str, &'static str)> {
    let at = error.span().start as usize;
    let words = classify(sql).into_iter().filter(|t| t.class == TokenClass::Name && t.range.start <= at);
    let words: Vec<_> = words.collect();
    let mut candidates = Vec::new();
    for word in words.iter().rev().take(3) {
        let written = &sql[word.range.clone()];
        let lower = written.to_lowercase();
        candidates.extend(keywords().filter_map(|k| Some((distance(&lower, k)?, word.range.clone(), k))));
    }
    candidates.sort_by_key(|(distance, range, k)| (*distance, k.len().abs_diff(range.len())));
    let tried = candidates.into_iter().take(TRIED).map(|(distance, range, keyword)| {
        let text = format!("{}{keyword}{}", &sql[..range.start], &sql[range.end..]);
        let reached = match session.check_syntax(&text) {
            Ok(()) => usize::MAX,
            Err(e) => (e.span().start as usize + range.len()).saturating_sub(keyword.len()),
        };
        (reached, distance, range, keyword)
    });
    let further = tried.filter(|(reached, ..)| *reached > at);
    // The first of equals: those before it differ less.
    let best = further.min_by_key(|(reached, distance, ..)| (std::cmp::Reverse(*reached), *distance))?;
    Some((&sql[best.2], best.3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;
    use crate::testing::session;

    fn hint_of(session: &Session, sql: &str) -> Option<String> {
        let error = session.run(sql).err().unwrap();
        hint(&error, sql, session)
    }

    #[test]
    fn mistyped_keywords_are_found_by_what_makes_the_statement_right() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        for (sql, written, meant) in [
            ("SELEC 1", "SELEC", "SELECT"),
            ("SELECT * FORM t", "FORM", "FROM"),
            ("SELECT a FORM t", "FORM", "FROM"),
            ("SELECT * FROM t WEHRE a = 1", "WEHRE", "WHERE"),
            ("SELECT 1 GRUOP BY 1", "GRUOP", "GROUP"),
            ("SELECT 1 ODER BY 1", "ODER", "ORDER"),
            ("CREATE TABEL t (a INT)", "TABEL", "TABLE"),
        ] {
            let expected = format!("Did you mean {meant} instead of {written}?");
            assert_eq!(hint_of(&session, sql), Some(expected), "{sql}");
        }
        assert_eq!(hint_of(&session, "SELECT 1 +"), None);
    }

    #[test]
    fn mistyped_names_are_found_in_the_catalog() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        session.run("CREATE TEMPORARY VIEW orders AS SELECT 1 AS a").unwrap();
        for (sql, hint) in [
            ("SELECT * FROM ordres", "Did you mean orders instead of ordres?"),
            (
                "SELECT * FROM samples.tpch.lineitm",
                "Did you mean samples.tpch.lineitem instead of samples.tpch.lineitm?",
            ),
            ("SELECT cuont(1)", "Did you mean count instead of cuont?"),
            ("USE samples.tcph", "Did you mean tpch instead of tcph?"),
        ] {
            assert_eq!(hint_of(&session, sql).as_deref(), Some(hint), "{sql}");
        }
        assert_eq!(hint_of(&session, "SELECT * FROM nothing_like_it"), None);
    }

    #[test]
    fn carets_stand_below_what_they_mean() {
        for (text, carets, shown, below) in [
            ("a + b", "    ^", "a + b", "    ^"),
            ("\tnope", " ^^^^", "    nope", "    ^^^^"),
            ("'数据' + 数", "       ^", "'数据' + 数", "         ^^"),
            ("x\u{1b}[1m", " ^", r"x\u{1b}[1m", " ^^^^^^"),
            ("", "^", "", "^"),
            ("ab", "  ^", "ab", "  ^"),
        ] {
            assert_eq!(pointed(text, carets, None), (shown.to_string(), below.to_string()), "{text}");
            assert_eq!(pointed(text, carets, Some(40)), (shown.to_string(), below.to_string()), "{text}");
        }
        let long = format!("{}nope{}", "x ".repeat(5_000), " y".repeat(5_000));
        let carets = format!("{}^^^^", " ".repeat(10_000));
        let (shown, below) = pointed(&long, &carets, Some(40));
        assert!(shown.width() <= 40 && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        let place = below.find('^').unwrap();
        assert_eq!(shown.chars().skip(place).take(4).collect::<String>(), "nope", "{shown}\n{below}");
        assert_eq!(below.trim(), "^^^^");
        // A place that is longer than a line: its beginning.
        let (shown, below) = pointed(&long, &"^".repeat(10_000), Some(40));
        assert!(shown.starts_with("x x") && shown.width() <= 40 && below.width() <= 40, "{shown}\n{below}");
    }

    #[test]
    fn commands_within_statements() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        let hint = hint_of(&session, "SELECT 1\n\\d t").unwrap();
        assert!(hint.starts_with("\\d is a command"), "{hint}");
        assert!(hint_of(&session, "SELECT 1 +\n.mode csv").unwrap().starts_with(".mode is a command"));
    }

    #[test]
    fn colours_take_nothing_away() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        let sql = "SELECT 1,\n  1/0 + nope";
        let error = session.run(sql).err().unwrap();
        let coloured = render(&error, sql, &session, Style::new(true), Some(40));
        let mut plain = String::new();
        let mut escape = false;
        for c in coloured.chars() {
            match c {
                '\x1b' => escape = true,
                _ if escape => escape = c != 'm',
                _ => plain.push(c),
            }
        }
        assert_eq!(plain, render(&error, sql, &session, Style::PLAIN, Some(40)));
        assert!(plain.lines().all(|l| l.width() <= 40), "{plain}");
        assert_eq!(render(&error, sql, &session, Style::PLAIN, None), error.to_string());
        assert_eq!(plain.replace('\n', " "), error.to_string().replace('\n', " "));
        assert!(coloured.contains("\x1b[1;31m        ^^^^\x1b[0m"), "{coloured:?}");
    }
}
