//! Commands that look at the catalog: without SQL, so that they answer at once.

use super::{Argument, Call, Command, Flow};
use crate::shell::console::Console;
use vonk::{Error, Session, TableEntry, TableKind};

pub(super) static COMMANDS: &[Command] = &[
    Command {
        names: &[".tables", "\\dt+"],
        usage: "[PATTERN]",
        argument: Argument::Relation,
        help: "tables and views of the database in use; * in PATTERN is anything",
        run: |console, call| relations(console, call, &|_| true),
    },
    Command {
        names: &["\\dt"],
        usage: "[PATTERN]",
        argument: Argument::Relation,
        help: "tables alone",
        run: |console, call| relations(console, call, &|kind| kind == TableKind::Table),
    },
    Command {
        names: &["\\dv"],
        usage: "[PATTERN]",
        argument: Argument::Relation,
        help: "views alone",
        run: |console, call| relations(console, call, &|kind| kind != TableKind::Table),
    },
    Command {
        names: &["\\d"],
        usage: "[TABLE]",
        argument: Argument::Relation,
        help: "columns of TABLE; without it all tables and views",
        run: describe,
    },
    Command {
        names: &[".schema"],
        usage: "[TABLE]",
        argument: Argument::Relation,
        help: "the statement that makes TABLE; without it, all of the database",
        run: schema,
    },
    Command {
        names: &[".databases", "\\dn"],
        usage: "[CATALOG]",
        argument: Argument::None,
        help: "databases of the catalog in use",
        run: databases,
    },
    Command {
        names: &["\\l", ".catalogs"],
        usage: "",
        argument: Argument::None,
        help: "catalogs and their databases",
        run: catalogs,
    },
    Command {
        names: &["\\df", ".functions"],
        usage: "[PATTERN]",
        argument: Argument::None,
        help: "functions; of one its description",
        run: functions,
    },
    Command {
        names: &["\\c", ".use"],
        usage: "[DATABASE]",
        argument: Argument::Database,
        help: "uses DATABASE; without it, says which is used",
        run: connect,
    },
];

type Row = Vec<Option<String>>;

fn row<const N: usize>(cells: [&str; N]) -> Row {
    cells.iter().map(|c| Some((*c).to_string())).collect()
}

/// Whether a name is meant by a pattern of psql's or Spark's: `*` and `%` are anything, case aside.
fn matches(name: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase().replace('%', "*");
    let name = name.to_lowercase();
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The parts of a name, backticks taken off.
fn parts(name: &str) -> Vec<String> {
    let (mut out, mut part, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '`' if quoted && chars.peek() == Some(&'`') => {
                part.push('`');
                chars.next();
            }
            '`' => quoted = !quoted,
            '.' if !quoted => out.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    out.push(part);
    out
}

fn kind(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Table => "table",
        TableKind::View => "view",
        TableKind::TemporaryView => "temporary view",
    }
}

/// Tables and views that a pattern means: `items`, `shop.*`, `samples.tpch.n*`. Temporary views are in no database.
fn found(session: &Session, pattern: &str) -> vonk::Result<Vec<TableEntry>> {
    let parts = parts(pattern);
    let (mut entries, name) = match parts.as_slice() {
        [catalog, database, name] => (session.tables(catalog, database)?, name.clone()),
        [database, name] => (session.tables(&session.current_catalog(), database)?, name.clone()),
        _ => {
            let tables = session.tables(&session.current_catalog(), &session.current_database())?;
            let views = session.temporary_views();
            (tables.into_iter().chain(views).collect(), pattern.to_string())
        }
    };
    entries.retain(|e| matches(&e.name, &name));
    Ok(entries)
}

fn relations(
    console: &mut Console,
    call: &Call<'_>,
    wanted: &dyn Fn(TableKind) -> bool,
) -> vonk::Result<Flow> {
    let entries = found(&console.session, call.only()?.unwrap_or("*"))?;
    let rows: Vec<Row> = entries
        .iter()
        .filter(|e| wanted(e.kind))
        .map(|e| row([&e.database, &e.name, kind(e.kind)]))
        .collect();
    if rows.is_empty() {
        console.note("None found.");
        return Ok(Flow::Go);
    }
    console.list(&["database", "name", "kind"], &rows)?;
    Ok(Flow::Go)
}

fn describe(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    match call.only()? {
        None => relations(console, call, &|_| true),
        Some(pattern) if pattern.contains(['*', '%']) => relations(console, call, &|_| true),
        Some(name) => {
            let schema = console.session.table_schema(&parts(name))?;
            let rows: Vec<Row> = schema
                .fields
                .iter()
                .map(|f| {
                    let null = if f.nullable { "" } else { "NOT NULL" };
                    row([&f.name, &f.data_type.catalog_string(), null])
                })
                .collect();
            console.list(&["column", "type", "nullable"], &rows)?;
            Ok(Flow::Go)
        }
    }
}

fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The statement that makes a relation, or one that would make a like one where the catalog has none.
fn definition(session: &Session, name: &[String]) -> vonk::Result<String> {
    let quoted: Vec<String> = name.iter().map(|p| quote(p)).collect();
    let quoted = quoted.join(".");
    let shown = session.run(&format!("SHOW CREATE TABLE {quoted}")).and_then(|mut a| a.rows_as_text());
    if let Ok(rows) = shown {
        return Ok(format!("{};\n", rows.join("\n").trim_end()));
    }
    let schema = session.table_schema(name)?;
    let columns: Vec<String> =
        schema.fields.iter().map(|f| format!("  {} {}", f.name, f.data_type.sql())).collect();
    Ok(format!("-- {}\n(\n{}\n);\n", name.join("."), columns.join(",\n")))
}

fn schema(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let session = &console.session;
    let names: Vec<Vec<String>> = match call.only()? {
        Some(name) if !name.contains(['*', '%']) => vec![parts(name)],
        pattern => {
            let entries = found(session, pattern.unwrap_or("*"))?;
            let full = |e: &TableEntry| {
                let parts = [&e.catalog, &e.database, &e.name];
                parts.into_iter().filter(|p| !p.is_empty()).cloned().collect()
            };
            entries.iter().map(full).collect()
        }
    };
    let texts: vonk::Result<Vec<String>> = names.iter().map(|n| definition(session, n)).collect();
    let text = texts?.join("\n");
    console.say(&text)?;
    Ok(Flow::Go)
}

fn databases(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let session = &console.session;
    let catalog = call.only()?.map_or_else(|| session.current_catalog(), str::to_string);
    let current = (session.current_catalog(), session.current_database());
    let names = session.databases(&catalog)?;
    let rows: Vec<Row> = names.iter().map(|n| row([n, in_use(&current, &catalog, n)])).collect();
    console.list(&["database", ""], &rows)?;
    Ok(Flow::Go)
}

fn in_use(current: &(String, String), catalog: &str, database: &str) -> &'static str {
    if current.0.eq_ignore_ascii_case(catalog) && current.1 == database { "in use" } else { "" }
}

fn catalogs(console: &mut Console, _: &Call<'_>) -> vonk::Result<Flow> {
    let session = &console.session;
    let current = (session.current_catalog(), session.current_database());
    let mut rows = Vec::new();
    for catalog in session.catalogs() {
        for database in session.databases(&catalog)? {
            rows.push(row([&catalog, &database, in_use(&current, &catalog, &database)]));
        }
    }
    console.list(&["catalog", "database", ""], &rows)?;
    Ok(Flow::Go)
}

fn functions(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let names = console.session.function_names();
    let pattern = call.only()?.unwrap_or("*").to_string();
    if names.iter().any(|n| n.eq_ignore_ascii_case(&pattern)) {
        let parts: Vec<String> = parts(&pattern).iter().map(|p| quote(p)).collect();
        let mut answer = console.session.run(&format!("DESCRIBE FUNCTION EXTENDED {}", parts.join(".")))?;
        let text = answer.rows_as_text()?.join("\n");
        console.say(&format!("{}\n", text.trim_end()))?;
        return Ok(Flow::Go);
    }
    let rows: Vec<Row> = names.iter().filter(|n| matches(n, &pattern)).map(|n| row([n])).collect();
    if rows.is_empty() {
        let meant = crate::nearest::nearest(&pattern, names.iter().map(String::as_str));
        let meant = meant.map_or(String::new(), |m| format!(" Did you mean {m}?"));
        console.note(&format!("None found.{meant}"));
        return Ok(Flow::Go);
    }
    console.list(&["function"], &rows)?;
    Ok(Flow::Go)
}

fn connect(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    if let Some(name) = call.only()? {
        use_database(&console.session, name)?;
    }
    let (catalog, database) = (console.session.current_catalog(), console.session.current_database());
    console.note(&format!("Using {catalog}.{database}."));
    Ok(Flow::Go)
}

/// Uses a database, named with or without its catalog.
pub fn use_database(session: &Session, name: &str) -> Result<(), Error> {
    let parts: Vec<String> = parts(name).iter().map(|p| quote(p)).collect();
    session.run(&format!("USE {}", parts.join("."))).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (name, pattern) in
            [("items", "ITEMS"), ("items", "it*"), ("items", "*e*s"), ("items", "%"), ("a", "*a*"), ("", "*")]
        {
            assert!(matches(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("items", "item"), ("items", "*x*"), ("items", "it*x"), ("ab", "ab*b")] {
            assert!(!matches(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn parts_of_names() {
        assert_eq!(parts("a.b"), ["a", "b"]);
        assert_eq!(parts("`a.b`.`c``d`"), ["a.b", "c`d"]);
    }
}
