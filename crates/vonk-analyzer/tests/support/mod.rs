//! A small session: a catalog in memory, settings, and a reader of golden files.

#![allow(dead_code, clippy::unwrap_used)]

mod catalog;

pub use catalog::Memory;

use std::path::Path;
use std::sync::Arc;
use vonk_analyzer::{Analyzer, Parameters, Variables};
use vonk_conf::Conf;
use vonk_error::{Error, Result};
use vonk_eval::EvalEnv;
use vonk_plan::logical::{ColumnIds, LogicalPlan};
use vonk_plan::unresolved::{SetCommand, Statement, TimeZoneValue, ViewSource};
use vonk_sql::ParseOptions;
use vonk_types::context::SessionZone;
use vonk_types::{EvalContext, Literal};

/// A session.
pub struct Session {
    pub catalog: Memory,
    pub conf: Conf,
    pub variables: Vec<(String, Literal)>,
    zone: SessionZone,
}

impl Variables for Session {
    fn get(&self, name: &[String]) -> Option<Literal> {
        let last = name.last()?;
        self.variables.iter().find(|(n, _)| n.eq_ignore_ascii_case(last)).map(|(_, v)| v.clone())
    }
}

impl Session {
    pub fn new() -> Session {
        let zone = SessionZone::parse("America/Los_Angeles").unwrap();
        Session { catalog: Memory::default(), conf: Conf::new(), variables: Vec::new(), zone }
    }

    fn env(&self) -> EvalEnv {
        EvalEnv::new(EvalContext {
            ansi: self.conf.get(&vonk_conf::ANSI_ENABLED),
            time_zone: self.zone.clone(),
            ..EvalContext::default()
        })
    }

    pub fn with<T>(&self, f: impl FnOnce(&Analyzer<'_>) -> T) -> T {
        let env = self.env();
        let ids = ColumnIds::new();
        let parameters = Parameters::default();
        f(&Analyzer {
            catalog: &self.catalog,
            env: &env,
            conf: &self.conf,
            ids: &ids,
            variables: self,
            parameters: &parameters,
        })
    }

    pub fn query(&self, sql: &str) -> Result<Arc<LogicalPlan>> {
        let plan = vonk_sql::parse_plan(sql, &ParseOptions::default())?;
        self.with(|a| a.analyze(&plan)).map_err(|e| e.in_text(sql))
    }

    /// Runs a statement as far as this session can: `Ok(None)` for commands that it does not know.
    pub fn statement(&mut self, sql: &str) -> Result<Option<String>> {
        match vonk_sql::parse_statement(sql, &ParseOptions::default())? {
            Statement::Query(plan) => {
                let plan = self.with(|a| a.analyze(&plan)).map_err(|e| e.in_text(sql))?;
                Ok(Some(plan.schema().catalog_string()))
            }
            Statement::CreateView(v) => {
                let ViewSource::Query { query, .. } = v.source else { return Ok(None) };
                self.with(|a| a.analyze(&query)).map_err(|e| e.in_text(sql))?;
                let names = v.columns.into_iter().map(|(n, _)| n).collect::<Vec<_>>();
                let names = (!names.is_empty()).then_some(names);
                self.catalog.add_view(v.name.last(), *query, sql, names);
                Ok(Some("struct<>".into()))
            }
            Statement::Set(SetCommand::Put(key, value)) => {
                if key == "spark.sql.session.timeZone" {
                    self.zone = SessionZone::parse(&value).unwrap_or_else(SessionZone::utc);
                }
                self.conf.set(&key, &value)?;
                Ok(None)
            }
            Statement::SetTimeZone(TimeZoneValue::Text(zone)) => {
                self.zone = SessionZone::parse(&zone).unwrap_or_else(SessionZone::utc);
                Ok(None)
            }
            Statement::DeclareVariable { name, default, .. } => {
                let value = match default {
                    Some(e) => self.with(|a| a.analyze_constant(&e))?,
                    None => Literal::null(vonk_types::DataType::Null),
                };
                self.variables.push((name.last().to_string(), value));
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// What became of a record.
pub enum Outcome {
    Passed,
    Skipped,
    Failed { expected: String, got: String },
}

/// A golden file.
pub struct Suite;

struct Record {
    sql: String,
    error: bool,
    /// Known to be answered differently.
    gap: bool,
    answer: Vec<String>,
}

impl Suite {
    pub fn run(file: &Path) -> Vec<(String, Outcome)> {
        let text = std::fs::read_to_string(file).unwrap();
        let mut session = Session::new();
        if text.contains("\n# tpch") || text.starts_with("# tpch") {
            session.catalog.add_tpch();
        }
        records(&text).into_iter().map(|r| (r.sql.clone(), judge(&mut session, &r))).collect()
    }
}

fn records(text: &str) -> Vec<Record> {
    let mut out = Vec::new();
    let mut lines = text.lines().peekable();
    let mut gap = false;
    while let Some(line) = lines.next() {
        if !line.starts_with("query ") {
            gap = line.starts_with("# gap:");
            continue;
        }
        let error = line == "query error";
        let mut sql = Vec::new();
        for l in lines.by_ref() {
            if l == "----" {
                break;
            }
            sql.push(l);
        }
        let mut answer = Vec::new();
        for l in lines.by_ref() {
            if l.is_empty() {
                break;
            }
            answer.push(unescape(l));
        }
        out.push(Record { sql: sql.join("\n"), error, gap: std::mem::take(&mut gap), answer });
    }
    out
}

fn unescape(line: &str) -> String {
    if line == "\\e" {
        return String::new();
    }
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('s') => out.push(' '),
            Some('u') => {
                let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// Conditions that Spark raises while a query runs.
const RUN_TIME: [&str; 25] = [
    "ARITHMETIC_OVERFLOW",
    "BINARY_ARITHMETIC_OVERFLOW",
    "CAST_INVALID_INPUT",
    "CAST_OVERFLOW",
    "CANNOT_PARSE_TIMESTAMP",
    "CONVERSION_INVALID_INPUT",
    "DATETIME_OVERFLOW",
    "DIVIDE_BY_ZERO",
    "DUPLICATED_MAP_KEY",
    "INTERVAL_ARITHMETIC_OVERFLOW",
    "INTERVAL_DIVIDED_BY_ZERO",
    "INVALID_ARRAY_INDEX",
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
    "INVALID_FORMAT",
    "INVALID_PARAMETER_VALUE",
    "INVALID_FRACTION_OF_SECOND",
    "INVALID_INDEX_OF_ZERO",
    "INVALID_TIMEZONE",
    "MAP_KEY_DOES_NOT_EXIST",
    "NULL_MAP_KEY",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "REMAINDER_BY_ZERO",
    "SCALAR_SUBQUERY_TOO_MANY_ROWS",
    "USER_RAISED_EXCEPTION",
    "COLLECTION_SIZE_LIMIT_EXCEEDED",
];

/// A gap must still be one: a mended one loses its comment.
fn judge(session: &mut Session, r: &Record) -> Outcome {
    match (answer(session, r), r.gap) {
        (Outcome::Failed { .. }, true) => Outcome::Skipped,
        (Outcome::Passed, true) => {
            Outcome::Failed { expected: "a gap".into(), got: "Spark's answer: remove the comment".into() }
        }
        (outcome, _) => outcome,
    }
}

fn answer(session: &mut Session, r: &Record) -> Outcome {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| session.statement(&r.sql)));
    // What Vonk says it does not have is for the whole's tests to know.
    if matches!(&caught, Ok(Err(e)) if e.condition() == "_UNSUPPORTED_IN_VONK") {
        return Outcome::Skipped;
    }
    let Ok(result) = caught else {
        return Outcome::Failed { expected: r.answer.join(" | "), got: "a panic".into() };
    };
    if r.error {
        return judge_error(r, result);
    }
    match result {
        Ok(None) => Outcome::Skipped,
        Ok(Some(schema)) if r.answer.first() == Some(&schema) => Outcome::Passed,
        Ok(Some(schema)) => {
            Outcome::Failed { expected: r.answer.first().cloned().unwrap_or_default(), got: schema }
        }
        Err(e) => {
            Outcome::Failed { expected: r.answer.first().cloned().unwrap_or_default(), got: e.to_string() }
        }
    }
}

fn judge_error(r: &Record, result: Result<Option<String>>) -> Outcome {
    let head = r.answer.first().cloned().unwrap_or_default();
    let condition = head.split(']').next().unwrap_or_default().trim_start_matches('[').to_string();
    let run_time = RUN_TIME.contains(&condition.split('.').next().unwrap_or_default());
    match result {
        Ok(None) => Outcome::Skipped,
        Ok(Some(_)) if run_time => Outcome::Passed,
        Ok(Some(schema)) => Outcome::Failed { expected: r.answer.join(" | "), got: schema },
        Err(e) => {
            let got = describe(&e);
            // How syntax errors are put is the parser's affair.
            if condition == "PARSE_SYNTAX_ERROR" && e.condition() == condition {
                return Outcome::Passed;
            }
            let mut wrong = e.condition() != condition;
            for p in &r.answer[1..] {
                wrong |= !got[1..].iter().any(|g| g.trim_end() == p.trim_end());
            }
            if wrong {
                Outcome::Failed { expected: r.answer.join(" | "), got: got.join(" | ") }
            } else {
                Outcome::Passed
            }
        }
    }
}

fn describe(e: &Error) -> Vec<String> {
    let mut out = vec![format!("[{}] SQLSTATE: {}", e.condition(), e.sql_state())];
    let mut params: Vec<String> = e.params().map(|(k, v)| format!("{k}: {v}")).collect();
    params.sort();
    out.extend(params);
    out
}

/// The statements of a golden file.
pub fn statements(text: &str) -> Vec<String> {
    records(text).into_iter().map(|r| r.sql).collect()
}
