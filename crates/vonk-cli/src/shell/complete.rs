//! What could stand at the cursor: keywords, functions, and the names of the catalog as it is at this moment.
//!
//! The statement is seldom one yet, so it is read as tokens: the name that the cursor is in, the word before it, and the relations that the
//! statement mentions anywhere.
//!
//! Must not know: terminals, commands of the shell.

use vonk::{ClassifiedToken, DataType, Session, StructType, TokenClass, classify, conf, keywords};

/// A candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As it is listed.
    pub display: String,
    /// What takes the place of what was typed.
    pub replacement: String,
}

impl Candidate {
    fn same(text: impl Into<String>) -> Candidate {
        let text = text.into();
        Candidate { display: text.clone(), replacement: text }
    }

    /// A name that more must follow.
    fn open(name: &str, sign: &str) -> Candidate {
        Candidate { display: format!("{name}{sign}"), replacement: format!("{}{sign}", quoted(name)) }
    }

    fn name(name: &str) -> Candidate {
        Candidate { display: name.to_string(), replacement: quoted(name) }
    }
}

/// Words that a statement may begin with.
const BEGINNINGS: [&str; 22] = [
    "ALTER", "ANALYZE", "CACHE", "CLEAR", "CREATE", "DECLARE", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN",
    "FROM", "INSERT", "REFRESH", "RESET", "SELECT", "SET", "SHOW", "TABLE", "TRUNCATE", "USE", "VALUES",
    "WITH",
];
/// Words before the name of a relation.
const BEFORE_RELATIONS: [&str; 11] = [
    "FROM",
    "JOIN",
    "INTO",
    "TABLE",
    "VIEW",
    "UPDATE",
    "DESCRIBE",
    "DESC",
    "OVERWRITE",
    "COLUMNS",
    "TRUNCATE",
];
/// Words that begin a clause, of which FROM is the one where a comma comes before another relation.
const CLAUSES: [&str; 13] = [
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "ON", "USING", "SET", "VALUES", "BY", "LIMIT",
    "WINDOW",
];

/// Where the candidates' replacement begins, and the candidates; none in strings and comments.
pub fn complete(text: &str, cursor: usize, session: &Session) -> (usize, Vec<Candidate>) {
    let Some(place) = Place::at(text, cursor) else { return (cursor, vec![]) };
    let candidates = place.candidates(session);
    (place.start, matching(candidates, &place.prefix))
}

/// Those that begin with what was typed, case aside; each once.
pub fn matching(candidates: Vec<Candidate>, prefix: &str) -> Vec<Candidate> {
    let prefix = prefix.to_lowercase();
    let mut out: Vec<Candidate> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for candidate in candidates {
        if candidate.display.to_lowercase().starts_with(&prefix)
            && seen.insert(candidate.display.to_lowercase())
        {
            out.push(candidate);
        }
    }
    out
}

/// Relations at the cursor: for commands that take one.
pub fn relations(typed: &str, session: &Session) -> (usize, Vec<Candidate>) {
    let (before, prefix) = typed.rsplit_once('.').map_or(("", typed), |(b, p)| (b, p));
    let qualifiers: Vec<String> =
        if before.is_empty() { vec![] } else { before.split('.').map(unquoted).collect() };
    (typed.len() - prefix.len(), matching(relations_in(&qualifiers, session), prefix))
}

/// Databases and catalogs.
pub fn databases(session: &Session) -> Vec<Candidate> {
    let databases = session.databases(&session.current_catalog()).unwrap_or_default();
    let catalogs = session.catalogs();
    databases.iter().chain(&catalogs).map(|n| Candidate::name(n)).collect()
}

/// Keys of settings.
pub fn settings() -> Vec<Candidate> {
    conf::KEYS.iter().map(|k| Candidate::same(k.name)).collect()
}

/// What the text around the cursor says.
struct Place {
    /// The text without what was typed of the name, which may be a quote that nothing closes yet.
    text: String,
    tokens: Vec<ClassifiedToken>,
    /// Where the name at the cursor begins, its qualifiers aside.
    start: usize,
    /// What of it stands before the cursor, unquoted.
    prefix: String,
    /// A backtick was typed: no keyword is meant.
    quoted: bool,
    /// Its qualifiers.
    qualifiers: Vec<String>,
    /// The tokens before it.
    before: usize,
}

impl Place {
    fn at(text: &str, cursor: usize) -> Option<Place> {
        let head = text.get(..cursor)?;
        let tokens = classify(head);
        let mut before = tokens.len();
        let (mut start, mut prefix, mut quoted) = (cursor, String::new(), false);
        if let Some(last) = tokens.last().filter(|t| t.range.end == cursor) {
            let written = &head[last.range.clone()];
            match last.class {
                TokenClass::Keyword | TokenClass::Name => {
                    (start, prefix, before) = (last.range.start, written.to_string(), before - 1);
                }
                TokenClass::Unclosed
                    if written.starts_with('`') && !written.contains(char::is_whitespace) =>
                {
                    (start, prefix, before) = (last.range.start, written[1..].to_string(), before - 1);
                    quoted = true;
                }
                TokenClass::Comment if written.ends_with('\n') || written.ends_with("*/") => {}
                TokenClass::Text | TokenClass::Comment | TokenClass::Unclosed | TokenClass::Number => {
                    return None;
                }
                _ => {}
            }
        }
        let mut qualifiers = Vec::new();
        let mut next = start;
        while let Some([name, dot]) = before.checked_sub(2).and_then(|i| tokens.get(i..before)) {
            let adjacent = dot.range.end == next && name.range.end == dot.range.start;
            let is_name =
                matches!(name.class, TokenClass::Name | TokenClass::Keyword | TokenClass::QuotedName);
            if dot.class != TokenClass::Dot || !adjacent || !is_name {
                break;
            }
            qualifiers.insert(0, unquoted(&head[name.range.clone()]));
            next = name.range.start;
            before -= 2;
        }
        // Relations may be mentioned behind the cursor: SELECT | FROM t.
        let text = format!("{} {}", &head[..start], &text[cursor..]);
        Some(Place { tokens: classify(&text), text, start, prefix, quoted, qualifiers, before })
    }

    fn word(&self, at: usize) -> String {
        self.tokens.get(at).map_or(String::new(), |t| self.text[t.range.clone()].to_uppercase())
    }

    /// The word before the name.
    fn previous(&self) -> String {
        self.before.checked_sub(1).map_or(String::new(), |i| self.word(i))
    }

    fn candidates(&self, session: &Session) -> Vec<Candidate> {
        let previous = self.previous();
        let first = self.first();
        if matches!(first.as_str(), "SET" | "RESET") && self.before == 1 {
            return self.with_qualifiers(settings());
        }
        if matches!(previous.as_str(), "USE" | "DATABASE" | "SCHEMA" | "NAMESPACE") {
            return match self.qualifiers.as_slice() {
                [] => databases(session),
                [catalog] => names(&session.databases(catalog).unwrap_or_default()),
                _ => vec![],
            };
        }
        if previous == "CATALOG" {
            return names(&session.catalogs());
        }
        if previous == "FUNCTION" {
            return functions(session).iter().map(|f| Candidate::same(f.as_str())).collect();
        }
        let comma_in_from = previous == "," && self.clause() == "FROM";
        if BEFORE_RELATIONS.contains(&previous.as_str()) || comma_in_from {
            let mut out = relations_in(&self.qualifiers, session);
            if self.qualifiers.is_empty() {
                out.extend(names(&self.common_tables()));
                if previous != "JOIN" && previous != "FROM" && !comma_in_from {
                    out.extend(self.keywords());
                }
            }
            return out;
        }
        if !self.qualifiers.is_empty() {
            let columns = self.columns_of(session);
            return if columns.is_empty() { relations_in(&self.qualifiers, session) } else { columns };
        }
        if self.before == 0 || previous == ";" {
            return BEGINNINGS.iter().map(|k| self.keyword(k)).collect();
        }
        self.anything(session)
    }

    /// Columns and aliases; and, once a letter was typed, functions and keywords.
    fn anything(&self, session: &Session) -> Vec<Candidate> {
        let mut out = Vec::new();
        let relations = self.relations();
        for (parts, _) in &relations {
            out.extend(fields(session.table_schema(parts).ok().as_ref()));
        }
        out.extend(relations.iter().map(|(parts, alias)| match alias {
            Some(alias) => Candidate::name(alias),
            None => Candidate::name(parts.last().map_or("", String::as_str)),
        }));
        if !self.prefix.is_empty() && !self.quoted {
            out.extend(functions(session).iter().map(|f| Candidate::open(f, "(")));
            out.extend(self.keywords());
        }
        out
    }

    /// Candidates that have dots in them begin with the qualifiers, which stay as they were typed.
    fn with_qualifiers(&self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let typed: String = self.qualifiers.iter().map(|q| format!("{q}.")).collect();
        let rest = |c: Candidate| c.display.strip_prefix(&typed).map(Candidate::same);
        candidates.into_iter().filter_map(rest).collect()
    }

    /// The first word of the statement.
    fn first(&self) -> String {
        let semicolon = (0..self.before).rev().find(|i| self.tokens[*i].class == TokenClass::Semicolon);
        match semicolon.map_or(0, |i| i + 1) {
            at if at < self.before => self.word(at),
            _ => String::new(),
        }
    }

    /// The clause that the cursor is in, brackets that were closed before it left out.
    fn clause(&self) -> String {
        let mut depth = 0;
        for at in (0..self.before).rev() {
            let word = self.word(at);
            match word.as_str() {
                ")" => depth += 1,
                "(" if depth == 0 => return String::new(),
                "(" => depth -= 1,
                w if depth == 0 && CLAUSES.contains(&w) => return word,
                _ => {}
            }
        }
        String::new()
    }

    fn keyword(&self, keyword: &str) -> Candidate {
        let lower = self.prefix.chars().any(char::is_lowercase);
        Candidate::same(if lower { keyword.to_lowercase() } else { keyword.to_string() })
    }

    fn keywords(&self) -> Vec<Candidate> {
        keywords().map(|k| self.keyword(k)).collect()
    }

    /// Names of `WITH x AS (…)`.
    fn common_tables(&self) -> Vec<String> {
        let named = |at: &usize| {
            self.tokens[*at].class != TokenClass::Keyword
                && self.word(at + 1) == "AS"
                && self.word(at + 2) == "("
        };
        let mentioned = (0..self.tokens.len()).filter(named);
        mentioned.map(|at| unquoted(&self.text[self.tokens[at].range.clone()])).collect()
    }

    /// The relations that the statement mentions, each with its alias.
    fn relations(&self) -> Vec<(Vec<String>, Option<String>)> {
        let mut out = Vec::new();
        let mut in_from = false;
        for at in 0..self.tokens.len() {
            let word = self.word(at);
            if CLAUSES.contains(&word.as_str()) {
                in_from = word == "FROM";
            }
            if matches!(word.as_str(), "FROM" | "JOIN" | "INTO" | "UPDATE") || word == "," && in_from {
                out.extend(self.relation(at + 1));
            }
        }
        out
    }

    fn relation(&self, mut at: usize) -> Option<(Vec<String>, Option<String>)> {
        let name = |at: usize, any: bool| -> Option<String> {
            let token = self.tokens.get(at)?;
            let fits = matches!(token.class, TokenClass::Name | TokenClass::QuotedName)
                || any && token.class == TokenClass::Keyword;
            fits.then(|| unquoted(&self.text[token.range.clone()]))
        };
        let mut parts = vec![name(at, true)?];
        while self.word(at + 1) == "." {
            parts.push(name(at + 2, true)?);
            at += 2;
        }
        let alias = if self.word(at + 1) == "AS" { name(at + 2, true) } else { name(at + 1, false) };
        Some((parts, alias))
    }

    /// What can follow the qualifiers where they are an alias, a relation or a column: columns, or fields of a struct.
    fn columns_of(&self, session: &Session) -> Vec<Candidate> {
        let Some((first, rest)) = self.qualifiers.split_first() else { return vec![] };
        let same = |a: &str| a.eq_ignore_ascii_case(first);
        let relations = self.relations();
        let named = relations.iter().find(|(parts, alias)| match alias {
            Some(alias) => same(alias),
            None => parts.last().is_some_and(|p| same(p)),
        });
        if let Some((parts, _)) = named {
            let schema = session.table_schema(parts).ok();
            return fields(schema.as_ref().and_then(|s| nested(s, rest)).as_ref());
        }
        let mut schemas = relations.iter().filter_map(|(parts, _)| session.table_schema(parts).ok());
        let found = schemas.find_map(|s| nested(&s, &self.qualifiers));
        fields(found.as_ref())
    }
}

/// The struct that a path of columns and fields leads to.
fn nested(schema: &StructType, path: &[String]) -> Option<StructType> {
    let Some((first, rest)) = path.split_first() else { return Some(schema.clone()) };
    let field = schema.fields.iter().find(|f| f.name.eq_ignore_ascii_case(first))?;
    match &field.data_type {
        DataType::Struct(inner) => nested(inner, rest),
        _ => None,
    }
}

fn fields(schema: Option<&StructType>) -> Vec<Candidate> {
    let fields = schema.map(|s| s.fields.iter());
    fields.into_iter().flatten().map(|f| Candidate::name(&f.name)).collect()
}

fn names(names: &[String]) -> Vec<Candidate> {
    names.iter().map(|n| Candidate::name(n)).collect()
}

/// What may follow these qualifiers on the way to a relation.
fn relations_in(qualifiers: &[String], session: &Session) -> Vec<Candidate> {
    let tables = |catalog: &str, database: &str| -> Vec<Candidate> {
        let tables = session.tables(catalog, database).unwrap_or_default();
        tables.iter().map(|t| Candidate::name(&t.name)).collect()
    };
    let databases = |catalog: &str| session.databases(catalog).unwrap_or_default();
    let catalog = session.current_catalog();
    match qualifiers {
        [] => {
            let mut out = tables(&catalog, &session.current_database());
            let views = session.temporary_views();
            out.extend(views.iter().filter(|v| v.database.is_empty()).map(|v| Candidate::name(&v.name)));
            out.extend(databases(&catalog).iter().map(|d| Candidate::open(d, ".")));
            out.extend(session.catalogs().iter().map(|c| Candidate::open(c, ".")));
            out
        }
        [one] if session.catalogs().iter().any(|c| c.eq_ignore_ascii_case(one)) => {
            databases(one).iter().map(|d| Candidate::open(d, ".")).collect()
        }
        [one] => {
            let views = session.temporary_views();
            let global = views.iter().filter(|v| v.database.eq_ignore_ascii_case(one));
            tables(&catalog, one).into_iter().chain(global.map(|v| Candidate::name(&v.name))).collect()
        }
        [catalog, database] => tables(catalog, database),
        _ => vec![],
    }
}

/// Names by which functions can be called; operators are functions, too, but not called by name.
fn functions(session: &Session) -> Vec<String> {
    let names = session.function_names();
    let last = |n: &String| n.rsplit('.').next().unwrap_or_default().to_string();
    names.iter().map(last).filter(|n| n.starts_with(|c: char| c.is_alphabetic())).collect()
}

/// In backticks where it must be.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_string() } else { format!("`{}`", name.replace('`', "``")) }
}

fn unquoted(written: &str) -> String {
    match written.strip_prefix('`').and_then(|w| w.strip_suffix('`')) {
        Some(inner) => inner.replace("``", "`"),
        None => written.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;
    use std::path::Path;

    fn shop(warehouse: &Path) -> Session {
        let session = crate::testing::session(warehouse);
        for sql in [
            "CREATE DATABASE shop",
            "CREATE TABLE shop.items (item_id INT, `the price` INT, `at` STRUCT<lat: INT, long: INT>) USING parquet",
            "CREATE TEMPORARY VIEW people AS SELECT 1 AS person_id, 'x' AS nickname",
        ] {
            session.run(sql).unwrap();
        }
        session
    }

    /// What `|` may be replaced by.
    fn at(session: &Session, text: &str) -> Vec<String> {
        let cursor = text.find('|').unwrap();
        let (_, found) = complete(&text.replace('|', ""), cursor, session);
        found.into_iter().map(|c| c.replacement).collect()
    }

    #[test]
    fn each_place_has_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let s = shop(folder.path());
        assert_eq!(at(&s, "SELECT * FROM peo|"), ["people"]);
        assert_eq!(at(&s, "SELECT * FROM sh|"), ["shop."]);
        assert_eq!(at(&s, "SELECT * FROM shop.|"), ["items"]);
        assert_eq!(at(&s, "SELECT * FROM samples.tpch.na|"), ["nation"]);
        assert_eq!(at(&s, "SELECT * FROM people, shop.it|"), ["items"]);
        assert_eq!(at(&s, "SELECT p.| FROM people p"), ["person_id", "nickname"]);
        assert_eq!(at(&s, "SELECT people.n| FROM people"), ["nickname"]);
        assert_eq!(at(&s, "SELECT i.at.l| FROM shop.items AS i"), ["lat", "long"]);
        assert_eq!(at(&s, "SELECT item| FROM shop.items"), ["item_id", "items"]);
        assert_eq!(at(&s, "SELECT `the| FROM shop.items"), ["`the price`"]);
        assert_eq!(at(&s, "USE sh|"), ["shop"]);
        assert_eq!(at(&s, "SET spark.sql.ansi.e|"), ["enabled"]);
        assert_eq!(at(&s, "WITH recent AS (SELECT 1) SELECT * FROM rec|"), ["recent"]);
        assert_eq!(at(&s, "sel|"), ["select"]);
        assert_eq!(at(&s, "SEL|"), ["SELECT"]);
        assert_eq!(at(&s, "SELECT 1; SEL|"), ["SELECT"]);
        assert_eq!(at(&s, "SELECT regexp_rep|"), ["regexp_replace("]);
        assert_eq!(at(&s, "SELECT 1 FROM people GROU|"), ["grouping(", "grouping_id(", "GROUP", "GROUPING"]);
    }

    #[test]
    fn strings_comments_and_numbers_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let s = shop(folder.path());
        for text in ["SELECT 'peo|'", "SELECT 'peo|", "SELECT 1 -- sel|", "SELECT /* sel|", "SELECT 12|"] {
            assert_eq!(at(&s, text), Vec::<String>::new(), "{text}");
        }
    }
}
