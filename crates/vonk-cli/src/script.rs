//! Statements from the command line, a file or standard input: run one after the other, until the first error.

use crate::interrupt;
use crate::options::SqlOptions;
use crate::output::{Format, print};
use crate::progress;
use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;
use vonk::{Control, Error, Session, split_statements};

/// Runs what `-e` and `-f` give.
pub fn run(session: &Session, options: &SqlOptions, format: Format) -> vonk::Result<ExitCode> {
    let mut texts = options.execute.clone();
    if let Some(path) = &options.file {
        let bytes =
            std::fs::read(path).map_err(|e| Error::io(format!("cannot read {}", path.display()), e))?;
        texts.push(text_of(bytes, &path.display().to_string())?);
    }
    run_texts(session, &texts, format)
}

/// Runs what comes on standard input.
pub fn run_stdin(session: &Session, format: Format) -> vonk::Result<ExitCode> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| Error::io("cannot read standard input", e))?;
    run_texts(session, &[text_of(bytes, "standard input")?], format)
}

fn text_of(bytes: Vec<u8>, source: &str) -> vonk::Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::io(format!("cannot read {source}"), format!("invalid UTF-8 at byte {at}"))
    })
}

fn run_texts(session: &Session, texts: &[String], format: Format) -> vonk::Result<ExitCode> {
    interrupt::listen(true);
    for text in texts {
        for statement in split_statements(text) {
            let mut out = BufWriter::new(std::io::stdout().lock());
            if let Err(e) = run_one(session, &text[statement], format, &mut out) {
                // What came before the error is printed before it.
                let _ = out.flush();
                eprintln!("{e}");
                return Ok(ExitCode::FAILURE);
            }
            if out.flush().is_err() {
                // Nobody reads any more, as after `| head`.
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run_one(session: &Session, sql: &str, format: Format, out: &mut dyn Write) -> vonk::Result<()> {
    let control = Control::default();
    let _guard = interrupt::guard(&control.cancel);
    let _hint = progress::hint(&control.progress);
    let mut answer = session.execute(sql, &control)?;
    print(&mut answer, format, out).map(|_| ())
}
