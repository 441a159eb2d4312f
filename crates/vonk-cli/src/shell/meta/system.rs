//! Commands about files, other programs, settings, and the shell itself.

use super::{Argument, Call, Command, Flow, help, invalid};
use crate::interrupt;
use crate::script::read_file;
use crate::shell::console::{Console, DEEPEST, Outcome};
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use vonk::{Error, conf};

pub(super) static COMMANDS: &[Command] = &[
    Command {
        names: &[".read", "\\i"],
        usage: "FILE",
        argument: Argument::File,
        help: "runs the statements and commands of a file; as does source FILE;",
        run: read,
    },
    Command {
        names: &[".conf"],
        usage: "[KEY [VALUE]]",
        argument: Argument::Setting,
        help: "a setting, or what was set; with VALUE sets it",
        run: conf,
    },
    Command {
        names: &[".cd"],
        usage: "[FOLDER]",
        argument: Argument::File,
        help: "goes to a folder; without it says where this is",
        run: change_folder,
    },
    Command {
        names: &[".shell", ".system"],
        usage: "PROGRAM",
        argument: Argument::File,
        help: "runs a program by the system's shell; as do !PROGRAM and \\! PROGRAM",
        run: |console, call| shell(console, call.rest),
    },
    Command {
        names: &["\\e", ".edit"],
        usage: "",
        argument: Argument::None,
        help: "the last statement in $EDITOR, then at the prompt",
        run: edit,
    },
    Command {
        names: &[".help", "\\?", "\\h"],
        usage: "[COMMAND]",
        argument: Argument::Command,
        help: "this, or one command",
        run: |console, call| {
            let text = help(call.only()?)?;
            console.say(&text)?;
            Ok(Flow::Go)
        },
    },
    Command {
        names: &[".quit", ".exit", "\\q"],
        usage: "",
        argument: Argument::None,
        help: "leaves; as do exit, quit and Ctrl-D",
        run: |_, _| Ok(Flow::Leave),
    },
];

/// A path with `~` for the home folder.
pub fn expand(path: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    match path.strip_prefix('~') {
        Some("") => home().unwrap_or_else(|| path.into()),
        Some(rest) if rest.starts_with('/') => home().map_or_else(|| path.into(), |h| h.join(&rest[1..])),
        _ => path.into(),
    }
}

fn read(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let path = expand(call.one()?);
    if !console.may_read_deeper() {
        return Err(invalid(format!("{} is read within {DEEPEST} files that read others.", path.display())));
    }
    let text = read_file(&path)?;
    Ok(match console.run_text(&text) {
        Outcome::Done => Flow::Go,
        other => Flow::Stop(other),
    })
}

fn conf(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    let shown = |key: &str, value: String| match conf::is_secret(key) {
        true => "*********(redacted)".to_string(),
        false => value,
    };
    let row = |key: &str, value: String| vec![Some(key.to_string()), Some(shown(key, value))];
    let settings = console.session.conf();
    let rows: Vec<Vec<Option<String>>> = match call.words()? {
        [] => settings.iter().map(|(k, v)| row(k, v.to_string())).collect(),
        [key] => match settings.text(key) {
            Some(value) => vec![row(key, value)],
            None => {
                let meant = crate::nearest::nearest(key, conf::KEYS.iter().map(|k| k.name));
                let meant = meant.map_or(String::new(), |m| format!(" Did you mean {m}?"));
                return Err(invalid(format!("{key} is not set.{meant}")));
            }
        },
        [key, value] => {
            console.session.set(key, value)?;
            return Ok(Flow::Go);
        }
        _ => return Err(call.usage()),
    };
    console.list(&["key", "value"], &rows)?;
    Ok(Flow::Go)
}

fn change_folder(console: &mut Console, call: &Call<'_>) -> vonk::Result<Flow> {
    match call.only()? {
        None => {
            let here = std::env::current_dir().map_err(|e| Error::io("cannot tell the current folder", e))?;
            console.say(&format!("{}\n", here.display()))?;
        }
        Some(path) => {
            let path = expand(path);
            std::env::set_current_dir(&path)
                .map_err(|e| Error::io(format!("cannot go to {}", path.display()), e))?;
        }
    }
    Ok(Flow::Go)
}

/// Runs a program by the system's shell.
pub(super) fn shell(_: &mut Console, command: &str) -> vonk::Result<Flow> {
    let command = command.trim();
    if command.is_empty() {
        return Err(invalid("Usage: !PROGRAM".to_string()));
    }
    let status = Program::new("/bin/sh")
        .args(["-c", command])
        .status()
        .map_err(|e| Error::io("cannot run /bin/sh", e))?;
    // Ctrl-C was meant for the program.
    interrupt::begin();
    match status.code() {
        Some(0) | None => Ok(Flow::Go),
        Some(code) => Err(invalid(format!("{command} exited with {code}."))),
    }
}

fn edit(console: &mut Console, _: &Call<'_>) -> vonk::Result<Flow> {
    let text = edited(&console.last)?;
    console.next = text.trim_end().to_string();
    Ok(Flow::Go)
}

/// The text as the user's editor left it.
fn edited(text: &str) -> vonk::Result<String> {
    let file = std::env::temp_dir().join(format!("vonk-{}.sql", std::process::id()));
    let failed = |what: &str, e: std::io::Error| Error::io(format!("cannot {what} {}", file.display()), e);
    write_private(&file, text).map_err(|e| failed("write", e))?;
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_string());
    let status = Program::new("/bin/sh")
        .args(["-c", &format!("{editor} \"$0\"")])
        .arg(&file)
        .status()
        .map_err(|e| Error::io(format!("cannot run {editor}"), e));
    let text = read_file(&file);
    let _ = std::fs::remove_file(&file);
    interrupt::begin();
    match status?.success() {
        true => text,
        false => Err(invalid(format!("{editor} failed; nothing was taken over."))),
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = std::fs::remove_file(file);
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    new.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        assert_eq!(expand("~/x.sql"), home.join("x.sql"));
        assert_eq!(expand("~user/x.sql"), PathBuf::from("~user/x.sql"));
        assert_eq!(expand("/tmp/x"), PathBuf::from("/tmp/x"));
    }
}
