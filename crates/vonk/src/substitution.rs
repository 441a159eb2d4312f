//! Variables in the text of statements: `${x}`, `${hivevar:x}`, `${env:HOME}`, as Spark's `VariableSubstitution` and
//! `ConfigReader` replace them before they parse.
//!
//! What Spark 4.3 was seen to do, which is what happens here: a setting that is not there is an empty text; an environment variable
//! or a system property that is not there, a kind that nobody knows, and a name with spaces are left as they stand; a value may refer to others, not to
//! itself; quotes, comments and backslashes play no part.
//!
//! Must not know: SQL.

use std::borrow::Cow;
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};

/// The text with its variables replaced, unless `spark.sql.variable.substitute` is off.
pub(crate) fn substitute<'a>(text: &'a str, settings: &Conf) -> Result<Cow<'a, str>> {
    if !text.contains("${") || !settings.get(&conf::VARIABLE_SUBSTITUTE) {
        return Ok(Cow::Borrowed(text));
    }
    replace(text, settings, &mut Vec::new()).map(Cow::Owned)
}

/// A reference as it stands behind `${`.
struct Reference<'a> {
    kind: Option<&'a str>,
    name: &'a str,
    /// From the dollar sign to the brace.
    len: usize,
}

/// The reference at the beginning of `text`, which begins with `${`: at least one character that is no space, and no space up to
/// the first brace after it.
fn reference(text: &str) -> Option<Reference<'_>> {
    let inner = &text[2..];
    let first = inner.chars().next()?;
    let close = first.len_utf8() + inner[first.len_utf8()..].find('}')?;
    let inner = &inner[..close];
    if inner.contains(char::is_whitespace) {
        return None;
    }
    let kind = inner.split_once(':').filter(|(kind, name)| {
        !name.is_empty() && !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let (kind, name) = kind.map_or((None, inner), |(kind, name)| (Some(kind), name));
    Some(Reference { kind, name, len: close + 3 })
}

/// `within` are the references whose values are being replaced, outermost first.
fn replace(text: &str, settings: &Conf, within: &mut Vec<String>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(reference) = reference(rest) else {
            out.push_str("${");
            rest = &rest[2..];
            continue;
        };
        let written = &rest[..reference.len];
        rest = &rest[reference.len..];
        match value(&reference, settings) {
            None => out.push_str(written),
            Some(value) if value.contains("${") => {
                let name = written[2..written.len() - 1].to_string();
                if within.contains(&name) {
                    return Err(Error::new("_CIRCULAR_VARIABLE").with("name", name).with("text", text));
                }
                within.push(name);
                out.push_str(&replace(&value, settings, within)?);
                within.pop();
            }
            Some(value) => out.push_str(&value),
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn value(reference: &Reference<'_>, settings: &Conf) -> Option<String> {
    let name = reference.name;
    match reference.kind {
        None | Some("spark" | "sparkconf" | "hivevar" | "hiveconf") => {
            Some(settings.text(name).unwrap_or_default())
        }
        Some("env") => std::env::var(name).ok(),
        Some("system") => system_property(name),
        Some(_) => None,
    }
}

/// The properties of Java's that mean something without Java.
fn system_property(name: &str) -> Option<String> {
    let path = |p: std::path::PathBuf| p.to_string_lossy().into_owned();
    match name {
        "user.name" => Some(vonk_cluster::user_name()),
        "user.home" => std::env::var("HOME").ok(),
        "user.dir" => std::env::current_dir().ok().map(path),
        "java.io.tmpdir" => Some(path(std::env::temp_dir())),
        "os.name" => Some(if cfg!(target_os = "macos") { "Mac OS X" } else { "Linux" }.to_string()),
        "os.arch" => {
            Some(if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH }.to_string())
        }
        "file.separator" => Some("/".to_string()),
        "path.separator" => Some(":".to_string()),
        "line.separator" => Some("\n".to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    fn conf(pairs: &[(&str, &str)]) -> Conf {
        let mut conf = Conf::new();
        for (key, value) in pairs {
            conf.set(key, value).unwrap();
        }
        conf
    }

    /// What Spark 4.3.0 answers to the same settings and texts.
    #[test]
    fn variables_are_replaced_as_spark_does() {
        let conf = conf(&[("x", "1"), ("n", "x"), ("r1", "${r2}"), ("r2", "v${r3}"), ("r3", "z")]);
        let cases = [
            ("${x} ${hivevar:x} ${hiveconf:x} ${spark:x} ${sparkconf:x}", "1 1 1 1 1"),
            ("[${nope}] [${hiveconf:}] [${:x}]", "[] [] []"),
            ("${env:_NO_SUCH} ${system:no} ${metaconf:x}", "${env:_NO_SUCH} ${system:no} ${metaconf:x}"),
            ("$x ${} ${ x} ${a b} ${a:b:c} ${x", "$x ${} ${ x} ${a b} ${a:b:c} ${x"),
            (r"\${x} $${x} ${${n}}", r"\1 $1 }"),
            ("'${x}' -- ${x}", "'1' -- 1"),
            ("${r1} ${system:file.separator}", "vz /"),
        ];
        for (text, replaced) in cases {
            assert_eq!(substitute(text, &conf).unwrap(), replaced, "{text}");
        }
    }

    #[test]
    fn settings_that_refer_to_themselves_are_refused_and_it_can_be_off() {
        let circular = conf(&[("a", "${b}"), ("b", "-${a}-")]);
        assert_eq!(substitute("${a}", &circular).unwrap_err().condition(), "_CIRCULAR_VARIABLE");
        let off = conf(&[("x", "1"), ("spark.sql.variable.substitute", "false")]);
        assert_eq!(substitute("${x}", &off).unwrap(), "${x}");
    }
}
