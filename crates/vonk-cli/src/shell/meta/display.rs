//! Commands that change how results look and where they go.

use super::{Argument, Call, Command, Flow, ON_OFF, invalid};
use crate::output::Format;
use crate::shell::console::{Console, Settings};
use clap::ValueEnum;

const FORMATS: Argument = Argument::OneOf(&["table", "csv", "tsv", "json", "jsonl", "markdown", "vertical"]);

pub(super) static COMMANDS: &[Command] = &[
    Command {
        names: &[".mode"],
        usage: "[FORMAT]",
        argument: FORMATS,
        help: "table, csv, tsv, json, jsonl, markdown or vertical",
        run: mode,
    },
    Command {
        names: &["\\x"],
        usage: "[on|off]",
        argument: ON_OFF,
        help: "one line a value instead of a table",
        run: expanded,
    },
    Command {
        names: &[".headers", ".header"],
        usage: "on|off|auto",
        argument: Argument::OneOf(&["on", "off", "auto"]),
        help: "names above values; auto is the format's habit",
        run: headers,
    },
    Command {
        names: &[".nullvalue"],
        usage: "[TEXT]",
        argument: Argument::None,
        help: "what stands for null; without TEXT the format's own",
        run: null_value,
    },
    Command {
        names: &[".maxrows"],
        usage: "[N]",
        argument: Argument::None,
        help: "rows that a table shows, half of them from the end; 0 is all",
        run: max_rows,
    },
    Command {
        names: &[".width"],
        usage: "[N|auto]",
        argument: Argument::OneOf(&["auto"]),
        help: "width of tables; auto is the terminal's",
        run: width,
    },
    Command {
        names: &[".pager"],
        usage: "[on|off]",
        argument: ON_OFF,
        help: "output higher than the screen goes to $PAGER",
        run: |console, call| switched(console, call, "Pager", |s| &mut s.pager),
    },
    Command {
        names: &[".timer", "\\timing"],
        usage: "[on|off]",
        argument: ON_OFF,
        help: "the line with rows and time",
        run: |console, call| switched(console, call, "Timer", |s| &mut s.timer),
    },
    Command {
        names: &[".progress"],
        usage: "[on|off]",
        argument: ON_OFF,
        help: "the bar that shows how far a statement is",
        run: |console, call| switched(console, call, "Progress", |s| &mut s.progress),
    },
    Command {
        names: &[".echo"],
        usage: "[on|off]",
        argument: ON_OFF,
        help: "statements are printed before they run",
        run: |console, call| switched(console, call, "Echo", |s| &mut s.echo),
    },
    Command {
        names: &[".output", "\\o"],
        usage: "[FILE|stdout]",
        argument: Argument::File,
        help: "results go to a file; without FILE to the terminal again",
        run: |console, call| redirect(console, call, false),
    },
    Command {
        names: &[".once"],
        usage: "FILE",
        argument: Argument::File,
        help: "the result of the next statement goes to a file",
        run: |console, call| redirect(console, call, true),
    },
    Command {
        names: &[".print", "\\echo"],
        usage: "[TEXT]",
        argument: Argument::None,
        help: "prints TEXT where results go",
        run: |console, call| {
            console.say(&format!("{}\n", call.rest))?;
            Ok(Flow::Go)
        },
    },
];

/// Turns a setting on, off, or about, and says how it is now.
fn switched(
    console: &mut Console,
    call: &Call<'_>,
    what: &str,
    setting: fn(&mut Settings) -> &mut bool,
) -> vonk::Result<Flow> {
    let setting = setting(&mut console.settings);
    *setting = call.switch(*setting)?;
    let on = *setting;
    said(console, what, on)
}

/// Says how something is now, as a command without `on` or `off` turns it about.
fn said(console: &mut Console, what: &str, on: bool) -> vonk::Result<Flow> {
    console.note(&format!("{what} is {}.", if on { "on" } else { "off" }));
    Ok(Flow::Go)
}

fn mode(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    match call.only()? {
        None => {
            let format = console.settings.format.to_possible_value();
            console.say(&format!("{}\n", format.as_ref().map_or("", |f| f.get_name())))?;
        }
        Some(name) => {
            let format = Format::from_str(name, true).map_err(|_| {
                let names: Vec<_> =
                    Format::value_variants().iter().filter_map(|f| f.to_possible_value()).collect();
                let names: Vec<&str> = names.iter().map(|n| n.get_name()).collect();
                let meant = crate::nearest::nearest(name, names.iter().copied())
                    .map_or(String::new(), |n| format!(" Did you mean {n}?"));
                invalid(format!("There is no mode {name}: {}.{meant}", names.join(", ")))
            })?;
            console.settings.format = format;
        }
    }
    Ok(Flow::Go)
}

fn expanded(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let on = call.switch(console.settings.format == Format::Vertical)?;
    console.settings.format = if on { Format::Vertical } else { Format::Table };
    said(console, "Expanded display", on)
}

fn headers(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    console.settings.headers = match call.one()? {
        "auto" => None,
        _ => Some(call.switch(true)?),
    };
    Ok(Flow::Go)
}

fn null_value(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    console.settings.null = call.only()?.map(str::to_string);
    Ok(Flow::Go)
}

fn max_rows(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    match call.only()? {
        None => console.say(&format!("{}\n", console.settings.max_rows))?,
        Some(n) => console.settings.max_rows = n.parse().map_err(|_| call.usage())?,
    }
    Ok(Flow::Go)
}

fn width(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    match call.only()? {
        None => {
            let width = console.settings.width.map_or("auto".to_string(), |w| w.to_string());
            console.say(&format!("{width}\n"))?;
        }
        Some("auto" | "0") => console.settings.width = None,
        Some(n) => {
            let width: usize = n.parse().map_err(|_| call.usage())?;
            console.settings.width = Some(width.max(LEAST_WIDTH));
        }
    }
    Ok(Flow::Go)
}

/// A table of one column takes at least this much with anything in it.
const LEAST_WIDTH: usize = 16;

fn redirect(console: &mut Console, call: &Call<'_>, once: bool) -> vonk::Result<Flow> {
    let path = match call.only()? {
        None if once => return Err(call.usage()),
        None | Some("stdout") => None,
        Some(path) => Some(super::system::expand(path)),
    };
    console.redirect(path, once)?;
    Ok(Flow::Go)
}
