//! `mask`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::Takes;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use regex::Regex;
use std::sync::LazyLock;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue};

const NAMES: [&str; 4] = ["upperChar", "lowerChar", "digitChar", "otherChar"];
const DEFAULTS: [&str; 4] = ["X", "x", "n", "NULL"];

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        null_propagating: false,
        display: Display::Custom(|name, args| {
            let mut all = args.to_vec();
            all.extend(DEFAULTS.iter().skip(args.len().saturating_sub(1)).map(|s| s.to_string()));
            format!("{name}({})", all.join(", "))
        }),
        ..ScalarFunction::new(
            "mask",
            docs!(
                String,
                "mask(input[, upperChar, lowerChar, digitChar, otherChar])",
                "The string with letters, digits and other characters replaced; null keeps what it stands for.",
                "3.5.0",
                [
                    "SELECT mask('AbCD123-@$#')" => "XxXXnnn-@$#",
                    "SELECT mask('AbCD123-@$#', 'Q', 'q', 'd', 'o')" => "QqQQdddoooo",
                ]
            ),
            Arity::between(0, 5),
            resolve,
            mask,
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.is_empty() {
        return Err(Error::new("REQUIRED_PARAMETER_NOT_FOUND")
            .with("routineName", "`mask`")
            .with("parameterName", "`str`")
            .with("index", "0")
            .at(site.span));
    }
    let types = site.take_all(&Takes::Only(DataType::String))?;
    for (i, arg) in site.args.iter().enumerate().skip(1) {
        let Some(literal) = &arg.literal else {
            return Err(site.not_foldable(i, NAMES[i - 1], &DataType::String));
        };
        if matches!(&literal.value, ScalarValue::Utf8View(Some(s)) if s.chars().count() != 1) {
            return Err(Error::new("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE")
                .with("exprName", NAMES[i - 1])
                .at(site.span));
        }
    }
    let nullable = site.args[0].nullable || site.args[0].data_type == DataType::Null;
    Ok(Resolution { arg_types: types, return_type: DataType::String, nullable })
}

/// Unicode's decimal digits.
static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\d$").ok());

fn is_digit(c: char) -> bool {
    let mut utf8 = [0; 4];
    c.is_ascii_digit()
        || !c.is_ascii() && DIGIT.as_ref().is_some_and(|d| d.is_match(c.encode_utf8(&mut utf8)))
}

fn mask(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let mut with = [Some('X'), Some('x'), Some('n'), None];
    for (i, with) in with.iter_mut().enumerate().take(call.args.len().saturating_sub(1)) {
        let given = &call.args[i + 1];
        *with = if given.is_null_scalar() { None } else { call.strings(i + 1).get(0).chars().next() };
    }
    let s = call.strings(0);
    let strict = KernelCall { args: &call.args[..1], ..*call };
    strict.each_str(|row, out| {
        out.extend(s.get(row).chars().map(|c| {
            let kind = match c {
                c if c.is_uppercase() => 0,
                c if c.is_lowercase() => 1,
                c if is_digit(c) => 2,
                _ => 3,
            };
            with[kind].unwrap_or(c)
        }));
        Ok(true)
    })
}
