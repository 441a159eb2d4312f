//! What runs statements and commands, for a person or for a script: where output goes, what it looks like, what errors say.
//!
//! Must not know: how lines are edited; how queries run.

use super::meta::{self, Flow};
use super::pager::Paged;
use crate::interrupt;
use crate::options::SqlOptions;
use crate::output::{Format, Look, Printed, failed, plan, print};
use crate::progress::{self, Bar};
use crate::script::{Item, items};
use crate::style::Style;
use crate::{errors, terminal};
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Stdout, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use vonk::{Answer, Control, Error, ErrorKind, Session};

/// Files that read files that read files: a limit, so that one that reads itself ends.
pub const DEEPEST: usize = 32;
/// spark-sql's setting that puts a header above rows.
const PRINT_HEADER: &str = "spark.sql.cli.print.header";

/// How a text went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// To its end.
    Done,
    /// Up to an error, which was printed.
    Failed,
    /// Up to a Ctrl-C, or a deadly signal.
    Interrupted,
    /// Up to `exit`, or until nobody read any more.
    Left,
}

/// What the commands of the shell change.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Format of results.
    pub format: Format,
    /// The line with rows and time.
    pub timer: bool,
    /// Rows that a table shows; 0 is all.
    pub max_rows: usize,
    /// Width of tables, if it is not the terminal's.
    pub width: Option<usize>,
    /// What stands for null, if it is not the format's own.
    pub null: Option<String>,
    /// Whether there are headers, if it is not the format's own.
    pub headers: Option<bool>,
    /// Use the pager.
    pub pager: bool,
    /// Print each statement before it runs.
    pub echo: bool,
    /// Draw a progress bar.
    pub progress: bool,
}

/// A file that output goes to.
struct ToFile {
    path: PathBuf,
    file: BufWriter<File>,
}

/// A session with a person or a script before it.
pub struct Console {
    /// The session.
    pub session: Session,
    /// What commands change.
    pub settings: Settings,
    /// Colours on standard output.
    pub style: Style,
    /// Colours on standard error.
    error_style: Style,
    /// Whether a person sits before it.
    interactive: bool,
    file: Option<ToFile>,
    /// For the next statement only.
    once: Option<ToFile>,
    depth: usize,
    /// The last statement, for `\e`.
    pub last: String,
    /// What the next prompt begins with.
    pub next: String,
}

impl Console {
    /// As the options have it.
    pub fn new(session: Session, options: &SqlOptions, interactive: bool) -> Console {
        let coloured = !options.no_color && terminal::colours_wanted();
        let loud = interactive && !options.silent;
        Console {
            session,
            settings: Settings {
                format: options.format.unwrap_or_else(Format::default_for_stdout),
                timer: loud,
                max_rows: 40,
                width: None,
                null: None,
                headers: None,
                pager: interactive,
                echo: options.verbose,
                progress: loud,
            },
            style: Style::new(coloured && std::io::stdout().is_terminal()),
            error_style: Style::new(coloured && std::io::stderr().is_terminal()),
            interactive,
            file: None,
            once: None,
            depth: 0,
            last: String::new(),
            next: String::new(),
        }
    }

    /// Runs statements and commands, one after the other, until the first error.
    pub fn run_text(&mut self, text: &str) -> Outcome {
        self.depth += 1;
        let mut outcome = Outcome::Done;
        for item in items(text) {
            // The signal may have come between two statements, when there was none to cancel.
            outcome = match interrupt::is_asked_to_stop() {
                true => interrupted(),
                false => self.run_item(item),
            };
            if outcome != Outcome::Done {
                break;
            }
        }
        self.depth -= 1;
        outcome
    }

    fn run_item(&mut self, item: Item<'_>) -> Outcome {
        let (result, sql) = match item {
            Item::Command(line) => (meta::run(self, line), line),
            Item::Statement(sql) => match meta::statement_command(sql) {
                Some(line) => (meta::run(self, &line), sql),
                None => (self.statement(sql), sql),
            },
        };
        match result {
            Ok(Flow::Go) => Outcome::Done,
            Ok(Flow::Leave) => Outcome::Left,
            Ok(Flow::Stop(outcome)) => outcome,
            Err(e) => self.report(&e, sql),
        }
    }

    /// Prints an error.
    fn report(&self, e: &Error, sql: &str) -> Outcome {
        if interrupt::is_dying() || (*e.kind() == ErrorKind::Cancelled && interrupt::is_asked_to_stop()) {
            return interrupted();
        }
        let width = terminal::size().filter(|_| std::io::stderr().is_terminal()).map(|(columns, _)| columns);
        terminal::warn(&errors::render(e, sql, &self.session, self.error_style, width));
        Outcome::Failed
    }

    /// Prints an error that no statement made.
    pub fn complain(&self, e: &Error) {
        self.report(e, "");
    }

    /// Whether another file may be read within those that are.
    pub fn may_read_deeper(&self) -> bool {
        self.depth < DEEPEST
    }

    /// Runs a statement and prints its answer.
    pub fn statement(&mut self, sql: &str) -> vonk::Result<Flow> {
        if self.settings.echo {
            terminal::tell(sql);
        }
        self.last = sql.to_string();
        let begun = Instant::now();
        let control = Control::default();
        // Until a pager was left, too: it puts the terminal back as it found it.
        let _quiet = self.interactive.then(terminal::Quiet::new);
        let guard = interrupt::guard(&control.cancel);
        let bar = match self.settings.progress {
            true => progress::bar(&control.progress),
            false => progress::hint(&control.progress),
        };
        let (style, terminal) = (self.style, self.to_terminal());
        let result = self.session.execute(sql, &control).and_then(|mut answer| {
            let drawn = is_plan(&answer) && self.draws_plans();
            let mut look = self.look();
            look.max_rows = if drawn { 0 } else { look.max_rows };
            let mut out = self.output(Some(bar));
            let printed = match drawn {
                true => draw_plan(&mut answer, style, &mut out),
                false => print(&mut answer, &look, &control.cancel, &mut out),
            };
            let elapsed = begun.elapsed();
            if let (Ok(printed), false) = (&printed, terminal) {
                note_cut(printed, &mut out)?;
            }
            // What goes on in the pager is no statement any more.
            drop(guard);
            drop(answer);
            let finished = out.finish();
            let ends = out_is_closed(&printed) || finished.as_ref().is_err_and(is_closed);
            if ends && !control.cancel.is_cancelled() {
                return Ok(Closed::Yes);
            }
            let printed =
                printed.map_err(|e| if control.cancel.is_cancelled() { Error::cancelled() } else { e })?;
            finished.map_err(failed)?;
            Ok(Closed::No(printed, elapsed))
        });
        self.once = None;
        match result? {
            Closed::No(printed, elapsed) => self.below(&printed, elapsed),
            // A pager was left; a script whose reader is gone has nothing more to do.
            Closed::Yes if self.interactive => {}
            Closed::Yes => return Ok(Flow::Leave),
        }
        Ok(Flow::Go)
    }

    /// Prints rows that the shell itself has to tell.
    pub fn list(&mut self, names: &[&str], rows: &[Vec<Option<String>>]) -> vonk::Result<()> {
        let mut look = self.look();
        (look.types, look.max_rows) = (false, 0);
        let eval = self.session.eval_context()?;
        let mut out = self.output(None);
        let printed = crate::output::print_texts(names, rows, &look, &eval, &mut out);
        let finished = out.finish();
        self.once = None;
        if out_is_closed(&printed) || finished.as_ref().is_err_and(is_closed) {
            return Ok(());
        }
        printed?;
        finished.map_err(failed)
    }

    /// Prints text that the shell itself has to tell.
    pub fn say(&mut self, text: &str) -> vonk::Result<()> {
        let mut out = self.output(None);
        let written = out.write_all(text.as_bytes());
        let written = written.and(out.finish());
        self.once = None;
        match written {
            Err(e) if !is_closed(&e) => Err(failed(e)),
            _ => Ok(()),
        }
    }

    /// Tells a person what a command did; scripts do not want to know.
    pub fn note(&self, text: &str) {
        if self.interactive {
            terminal::tell(text);
        }
    }

    /// Sends output to a file from here on, or for the next statement only; without a path back to standard output.
    pub fn redirect(&mut self, path: Option<PathBuf>, once: bool) -> vonk::Result<()> {
        let open = |path: PathBuf| -> vonk::Result<ToFile> {
            let file = File::create(&path)
                .map_err(|e| Error::io(format!("cannot write to {}", path.display()), e))?;
            Ok(ToFile { path, file: BufWriter::new(file) })
        };
        let target = path.map(open).transpose()?;
        *(if once { &mut self.once } else { &mut self.file }) = target;
        Ok(())
    }

    /// The file that output goes to.
    pub fn redirected(&self) -> Option<&PathBuf> {
        self.once.as_ref().or(self.file.as_ref()).map(|f| &f.path)
    }

    fn to_terminal(&self) -> bool {
        self.redirected().is_none() && std::io::stdout().is_terminal()
    }

    fn draws_plans(&self) -> bool {
        self.settings.format == Format::Table && self.to_terminal()
    }

    /// How the next result is to look.
    fn look(&self) -> Look {
        let settings = &self.settings;
        let mut look = Look::plain(settings.format);
        if self.to_terminal() {
            look.style = self.style;
            look.width = terminal::size().map(|(columns, _)| columns);
        }
        look.width = settings.width.or(look.width);
        look.max_rows = settings.max_rows;
        look.null.clone_from(&settings.null);
        let header = || self.session.conf().text(PRINT_HEADER).filter(|v| v == "true").map(|_| true);
        look.headers = settings.headers.or_else(header);
        look
    }

    /// Where the next output goes. The bar is taken away before anything is written to the terminal.
    fn output(&mut self, bar: Option<Bar>) -> Output<'_> {
        let terminal = self.to_terminal();
        let paged = terminal && self.settings.pager && self.interactive;
        let screen = terminal::size().filter(|_| paged);
        let to = match (self.once.as_mut().or(self.file.as_mut()), screen) {
            (Some(file), _) => To::File(&mut file.file),
            (None, Some(screen)) => To::Pager(Box::new(Paged::new(screen))),
            (None, None) => To::Stdout(BufWriter::new(std::io::stdout())),
        };
        Output { bar, keeps_bar: !terminal, to: Some(to) }
    }

    /// The line below a result.
    fn below(&self, printed: &Printed, elapsed: Duration) {
        if !self.to_terminal() {
            return;
        }
        let cut = printed.shown < printed.rows || printed.columns_hidden > 0;
        if !(self.settings.timer || cut && self.interactive) {
            return;
        }
        let mut line = match printed.columns {
            0 => "Done".to_string(),
            _ => format!("{} row{}", printed.rows, if printed.rows == 1 { "" } else { "s" }),
        };
        if printed.shown < printed.rows {
            line += &format!(" ({} shown)", printed.shown);
        }
        if printed.columns_hidden > 0 {
            let shown = printed.columns - printed.columns_hidden;
            line += &format!(", {} columns ({shown} shown)", printed.columns);
        }
        if self.settings.timer {
            line += &format!(", {:.3} s", elapsed.as_secs_f64());
        }
        terminal::tell(&line);
    }
}

/// Whether whoever was written to wants no more.
enum Closed {
    Yes,
    No(Printed, Duration),
}

/// Says that Ctrl-C was heard; whoever sent a deadly signal expects no words.
fn interrupted() -> Outcome {
    if !interrupt::is_dying() {
        terminal::warn("Cancelled.");
    }
    Outcome::Interrupted
}

fn is_closed(e: &std::io::Error) -> bool {
    e.kind() == std::io::ErrorKind::BrokenPipe
}

/// Whether what was printed ended since whoever was written to is gone.
fn out_is_closed(printed: &vonk::Result<Printed>) -> bool {
    let Err(e) = printed else { return false };
    let gone = [
        failed(std::io::Error::from_raw_os_error(libc::EPIPE)),
        failed(std::io::Error::from(std::io::ErrorKind::BrokenPipe)),
    ];
    gone.contains(e)
}

/// Says in a file, where there is no line below, that not all is there.
fn note_cut(printed: &Printed, out: &mut dyn Write) -> vonk::Result<()> {
    if printed.shown < printed.rows {
        writeln!(out, "{} rows ({} shown)", printed.rows, printed.shown).map_err(failed)?;
    }
    Ok(())
}

/// Whether an answer is EXPLAIN's.
fn is_plan(answer: &Answer) -> bool {
    !answer.is_query() && matches!(&*answer.schema().fields, [only] if &*only.name == "plan")
}

fn draw_plan(answer: &mut Answer, style: Style, out: &mut dyn Write) -> vonk::Result<Printed> {
    let text = answer.rows_as_text()?.join("\n");
    out.write_all(plan::draw(&text, style).as_bytes()).map_err(failed)?;
    Ok(Printed::default())
}

enum To<'a> {
    Stdout(BufWriter<Stdout>),
    File(&'a mut BufWriter<File>),
    Pager(Box<Paged>),
}

/// Where output goes.
struct Output<'a> {
    bar: Option<Bar>,
    keeps_bar: bool,
    /// Taken by [`finish`](Self::finish).
    to: Option<To<'a>>,
}

impl Output<'_> {
    fn finish(&mut self) -> std::io::Result<()> {
        self.bar = None;
        match self.to.take() {
            Some(To::Stdout(mut out)) => out.flush(),
            Some(To::File(file)) => file.flush(),
            Some(To::Pager(pager)) => pager.finish(),
            None => Ok(()),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.keeps_bar {
            self.bar = None;
        }
        match &mut self.to {
            Some(To::Stdout(out)) => out.write(bytes),
            Some(To::File(file)) => file.write(bytes),
            Some(To::Pager(pager)) => pager.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
