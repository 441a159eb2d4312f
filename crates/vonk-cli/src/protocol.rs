//! `--protocol jsonl`: one JSON object a line in, one out.
//!
//! Request: `{"sql": "…", "profile": true}`. Answer: `{"schema", "rows"}` or `{"error"}`. Nothing else is written to standard
//! output.

use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};
use std::process::ExitCode;
use vonk::{Error, Session};

/// Answers requests until the end of the input.
pub fn run(session: &Session) -> vonk::Result<ExitCode> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read =
            input.read_until(b'\n', &mut line).map_err(|e| Error::io("cannot read the requests", e))?;
        if read == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = answer(session, &line).unwrap_or_else(|e| error(&e));
        let written = serde_json::to_writer(&mut output, &answer)
            .map_err(std::io::Error::from)
            .and_then(|()| output.write_all(b"\n"))
            .and_then(|()| output.flush());
        if written.is_err() {
            // Nobody reads any more.
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn answer(session: &Session, line: &[u8]) -> vonk::Result<Value> {
    let invalid = |what: String| Error::new("_INVALID_REQUEST").with("cause", what);
    let request: Value = serde_json::from_slice(line).map_err(|e| invalid(e.to_string()))?;
    let sql = request.get("sql").and_then(Value::as_str);
    let sql = sql.ok_or_else(|| invalid("\"sql\" is not a string".to_string()))?;
    let mut answer = session.run(sql)?;
    let rows = answer.rows_as_text()?;
    let mut out = Map::new();
    out.insert("schema".to_string(), json!(answer.schema().catalog_string()));
    out.insert("rows".to_string(), json!(rows));
    if request.get("profile").and_then(Value::as_bool) == Some(true) {
        let profile = answer.profile();
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
        let times = json!({"planning": ms(profile.planning), "execution": ms(profile.execution)});
        out.insert("ms".to_string(), times);
        out.insert("stages".to_string(), json!(profile.report.stages));
        out.insert("tasks".to_string(), json!(profile.report.tasks));
    }
    Ok(Value::Object(out))
}

fn error(e: &Error) -> Value {
    let params: Map<String, Value> = e.params().map(|(k, v)| (k.to_string(), json!(v))).collect();
    json!({"error": {
        "condition": e.condition(),
        "sqlState": e.sql_state(),
        "message": e.to_string(),
        "params": params,
    }})
}
