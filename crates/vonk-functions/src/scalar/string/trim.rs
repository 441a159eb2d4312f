//! `trim`, `ltrim`, `rtrim`, `btrim`.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::params::STR;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = |name, docs, display, kernel| ScalarFunction {
        can_fail: false,
        display: Display::Custom(display),
        ..ScalarFunction::new(
            name,
            docs,
            Arity::between(1, 2),
            |site| site.returns(site.take(&[STR, STR])?, DataType::String),
            kernel,
        )
    };
    vec![
        one(
            "trim",
            docs!(String, "trim([BOTH] [chars FROM] str)", "The string without spaces, or these characters, at its ends.", "1.5.0", [
                "SELECT trim('    SparkSQL   ')" => "SparkSQL",
                "SELECT trim(BOTH 'SL' FROM 'SSparkSQLS')" => "parkSQ",
            ]),
            |_, args| display("trim", "BOTH", args),
            |call| trimmed(call, true, true, (1, 0)),
        ),
        one(
            "ltrim",
            docs!(String, "ltrim(str)", "The string without spaces at its beginning.", "1.5.0", [
                "SELECT ltrim('    SparkSQL')" => "SparkSQL",
                "SELECT trim(LEADING 'SL' FROM 'SSparkSQLS')" => "parkSQLS",
            ]),
            |_, args| display("ltrim", "LEADING", args),
            |call| trimmed(call, true, false, (1, 0)),
        ),
        one(
            "rtrim",
            docs!(String, "rtrim(str)", "The string without spaces at its end.", "1.5.0", [
                "SELECT rtrim('SparkSQL    ')" => "SparkSQL",
                "SELECT trim(TRAILING 'SL' FROM 'SSparkSQLS')" => "SSparkSQ",
            ]),
            |_, args| display("rtrim", "TRAILING", args),
            |call| trimmed(call, false, true, (1, 0)),
        ),
        one(
            "btrim",
            docs!(String, "btrim(str[, chars])", "The string without spaces, or these characters, at its ends.", "3.2.0", [
                "SELECT btrim('    SparkSQL   ')" => "SparkSQL",
                "SELECT btrim('SSparkSQLS', 'SL')" => "parkSQ",
            ]),
            |name, args| format!("{name}({})", args.join(", ")),
            |call| trimmed(call, true, true, (0, 1)),
        ),
    ]
}

fn display(name: &str, side: &str, args: &[String]) -> String {
    match args {
        [chars, s] => format!("TRIM({side} {chars} FROM {s})"),
        _ => format!("{name}({})", args.join(", ")),
    }
}

/// `two` says which of two arguments is the string, and which the characters.
fn trimmed(call: &KernelCall<'_>, front: bool, back: bool, two: (usize, usize)) -> Result<ArrayRef> {
    if call.args.len() == 1 {
        return call.each_part(0, |_, s| {
            let s = if front { s.trim_start_matches(' ') } else { s };
            Ok(Some(if back { s.trim_end_matches(' ') } else { s }))
        });
    }
    let chars = call.strings(two.1);
    call.each_part(two.0, |row, s| {
        let chars = chars.get(row);
        let any = |c: char| chars.contains(c);
        let s = if front { s.trim_start_matches(any) } else { s };
        Ok(Some(if back { s.trim_end_matches(any) } else { s }))
    })
}
