//! `to_char`, `to_number` and their kin: numbers as text by a format of `0`, `9`, `.`, `,`, `$`, `S`, `MI` and `PR`.

mod format;
mod parse;
mod write;

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::math::hex;
use crate::scalar::params::STR;
use crate::scalar::{Display, ScalarFunction, ScalarKernel};
use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal64Type, Decimal128Type};
use format::NumberFormat;
use vonk_error::{Error, Result};
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;
use vonk_types::sql_literal::quote_string;
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            aliases: &["to_varchar"],
            display: Display::Typed(display_to_char),
            ..ScalarFunction::new(
                "to_char",
                docs!(
                    String,
                    "to_char(expr, format)",
                    "A number as text by a format of digits; a date or timestamp by a date format; a binary by its name.",
                    "3.4.0",
                    [
                        "SELECT to_char(454, '999')" => "454",
                        "SELECT to_char(78.12, '$99.99')" => "$78.12",
                        "SELECT to_char(-12454.8, '99G999D9S')" => "12,454.8-",
                        "SELECT to_char(date'2016-04-08', 'y')" => "2016",
                        "SELECT to_char(x'537061726b2053514c', 'hex')" => "537061726B2053514C",
                    ]
                ),
                Arity::exactly(2),
                resolve_to_char,
                to_char,
            )
        },
        ScalarFunction::new(
            "to_number",
            docs!(Conversion, "to_number(expr, fmt)", "The number that text stands for in a format of digits.", "3.3.0", [
                "SELECT to_number('454', '999')" => "454",
                "SELECT to_number('12,454.8-', '99,999.9S')" => "-12454.8",
            ]),
            Arity::exactly(2),
            resolve_to_number,
            |call| to_number(call, true),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "try_to_number",
                docs!(Conversion, "try_to_number(expr, fmt)", "As `to_number`, but null for text that does not match.", "3.3.0", [
                    "SELECT try_to_number('454', '999')" => "454",
                    "SELECT try_to_number('x', '999')" => "NULL",
                ]),
                Arity::exactly(2),
                resolve_to_number,
                |call| to_number(call, false),
            )
        },
    ]
}

/// The constant format, `None` for a null.
fn constant_format<'a>(site: &'a CallSite<'_>) -> Result<Option<&'a str>> {
    let Some(literal) = &site.args[1].literal else {
        return Err(site.not_foldable(1, "attributereference", &DataType::String));
    };
    Ok(match &literal.value {
        ScalarValue::Utf8View(Some(s)) => Some(s),
        _ => None,
    })
}

/// What else a call of `to_char` stands for.
fn other_function(t: &DataType, format: &str) -> Option<&'static str> {
    match t {
        t if t.is_datetime() => Some("date_format"),
        DataType::Binary => match format.to_lowercase().as_str() {
            "base64" => Some("base64"),
            "hex" => Some("hex"),
            "utf-8" => Some("decode"),
            _ => None,
        },
        _ => None,
    }
}

fn display_to_char(_: &str, args: &[String], types: &[DataType]) -> String {
    let ([value, format], Some(t)) = (args, types.first()) else { return "to_char()".to_string() };
    match other_function(t, format) {
        Some(name @ ("base64" | "hex")) => format!("{name}({value})"),
        Some(name) => format!("{name}({value}, {format})"),
        None => format!("to_char({value}, {format})"),
    }
}

fn resolve_to_char(site: &CallSite<'_>) -> Result<Resolution> {
    let t = site.arg_type(0);
    if t.is_datetime() {
        return (crate::Registry::builtin().scalar("date_format")?.resolve)(site);
    }
    let format_type = site.take_one(1, &STR)?;
    let format = constant_format(site)?;
    if *t == DataType::Binary {
        if let Some(name) = format
            && other_function(t, name).is_none()
        {
            return Err(Error::new("INVALID_PARAMETER_VALUE.BINARY_FORMAT")
                .with("parameter", "`format`")
                .with("functionName", format!("`{}`", site.called_as))
                .with("invalidFormat", quote_string(name))
                .at(site.span));
        }
        return site.returns(vec![DataType::Binary, format_type], DataType::String);
    }
    let number = match t {
        DataType::Decimal(..) => t.clone(),
        DataType::Double => DataType::Decimal(30, 15),
        DataType::Float => DataType::Decimal(14, 7),
        DataType::String => DataType::Decimal(38, 18),
        DataType::Null => DataType::DECIMAL_DEFAULT,
        t => t.decimal_for_integral().ok_or_else(|| site.unexpected_type(0, "\"DECIMAL\""))?,
    };
    if let Some(format) = format {
        NumberFormat::parse(format).map_err(|e| e.at(site.span))?;
    }
    site.returns_null(vec![number, format_type], DataType::String)
}

fn to_char(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let t = &call.arg_types[0];
    if t.is_datetime() {
        let function = crate::Registry::builtin().scalar("date_format")?;
        return match &function.kernel {
            ScalarKernel::Plain(kernel) => kernel(call),
            ScalarKernel::Closure(kernel) => kernel(call),
            ScalarKernel::Instance(prepare) => prepare(call)?.call(call),
        };
    }
    if call.args[1].is_null_scalar() {
        return Ok(call.all_null());
    }
    let format = call.strings(1).get(0);
    match other_function(t, format) {
        Some("decode") => return super::charset::decoded(call),
        Some(name) => {
            let bytes = call.bytes(0);
            return call.each_str(|row, out| {
                match name {
                    "hex" => hex::hex_into(bytes.get(row), out),
                    _ => super::charset::to_base64(bytes.get(row), out),
                }
                Ok(true)
            });
        }
        None => {}
    }
    let DataType::Decimal(p, s) = t else { return vonk_error::internal_err!("to_char of {t}") };
    let format = NumberFormat::parse(format)?;
    let scale = *s;
    if *p <= MAX_DECIMAL64_PRECISION {
        let v = call.values::<Decimal64Type>(0);
        return call.each_str(|row, out| {
            format.write(v.get(row).into(), scale, out);
            Ok(true)
        });
    }
    let v = call.values::<Decimal128Type>(0);
    call.each_str(|row, out| {
        format.write(v.get(row), scale, out);
        Ok(true)
    })
}

fn resolve_to_number(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[STR, STR])?;
    let return_type = match constant_format(site)? {
        Some(format) => NumberFormat::parse(format).map_err(|e| e.at(site.span))?.decimal_type(),
        None => DataType::DECIMAL_DEFAULT,
    };
    site.returns_null(types, return_type)
}

fn to_number(call: &KernelCall<'_>, strict: bool) -> Result<ArrayRef> {
    if call.args[1].is_null_scalar() {
        return Ok(call.all_null());
    }
    let (s, format_text) = (call.strings(0), call.strings(1).get(0));
    let format = NumberFormat::parse(format_text)?;
    let value = |row| {
        let s = s.get(row);
        match format.read(s) {
            None if strict => Err(Error::new("INVALID_FORMAT.MISMATCH_INPUT")
                .with("inputType", "\"STRING\"")
                .with("input", s)
                .with("format", format_text)),
            value => Ok(value),
        }
    };
    match call.return_type {
        DataType::Decimal(p, _) if *p <= MAX_DECIMAL64_PRECISION => {
            call.each::<Decimal64Type>(|row| Ok(value(row)?.map(|v| v as i64)))
        }
        _ => call.each::<Decimal128Type>(value),
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn written() {
        for (n, f, want) in [
            ("-12454.8", "99G999D9S", "12,454.8-"),
            ("-12.3", "MI99.9", "-12.3"),
            ("12.3", "MI99.9", " 12.3"),
            ("12.3", "99.9MI", "12.3 "),
            ("-12.3", "99.9PR", "<12.3>"),
            ("12.3", "99.9PR", "12.3  "),
            ("1234567", "999", "###"),
            ("0.5", "9.9", "0.5"),
            ("5", "09", "05"),
            ("5", "S99", " +5"),
            ("12", "99.99", "12.00"),
            ("0", "9.99", "0.00"),
            ("1.5", "9", "#"),
            ("5", "9,999", "    5"),
            ("5", "S$99.9", "+$ 5.0"),
            ("0.55", ".99", ".55"),
            ("12", "99.", "12 "),
            ("0", "9", " "),
            ("-0.1", "99.99S", " 0.10-"),
            ("12", "9,9,9", "  1,2"),
            ("-1", "$99PR", "<$ 1>"),
            ("1234567", "9,999", "# ###"),
            ("-1234567", "S9,999.9", "-# ###.#"),
            ("-1", "MI999", "  -1"),
            ("0", "9S", "+ "),
            ("0", "S99.9", "  +.0"),
            ("-0.5", "99.9PR", "  <.5>"),
            ("12", "99.S", "12+ "),
            ("12", "99.PR", "12   "),
            ("5", "0,999", "0,  5"),
            ("5", "9,000", "  005"),
            ("5", "9909", "   5"),
            ("7", "0990", "0007"),
        ] {
            assert_eq!(run("to_char", &[dec(n), text(f)]), [want], "{n} {f}");
        }
        for (f, want) in [
            ("", "EMPTY"),
            ("abc", "WRONG_NUM_DIGIT"),
            ("9.9.9", "WRONG_NUM_TOKEN"),
            ("9,,9", "CONT_THOUSANDS_SEPS"),
            ("9.9,9", "THOUSANDS_SEPS_MUST_BEFORE_DEC"),
            ("99S9", "UNEXPECTED_TOKEN"),
            ("9$", "CUR_MUST_BEFORE_DIGIT"),
            (".$9", "CUR_MUST_BEFORE_DEC"),
        ] {
            assert_eq!(fails("to_char", &[int(1), text(f)]), format!("INVALID_FORMAT.{want}"), "{f}");
        }
        assert_eq!(run("to_char", &[binary(b"Spark"), text("base64")]), ["U3Bhcms="]);
    }

    #[test]
    fn read() {
        for (s, f, want) in [
            ("12,454.8-", "99,999.9S", Some("-12454.8")),
            ("<12.3>", "99.9PR", Some("-12.3")),
            (" 5", "99", Some("5")),
            ("1 2", "99", Some("12")),
            (".5", "9.9", Some("0.5")),
            ("5.", "9.9", Some("5.0")),
            ("0.55", "9.9", None),
            ("1.5", "9.00", Some("1.50")),
            ("+5", "MI9", None),
            ("1234", "9,999", None),
            (",234", "9,999", Some("234")),
            ("1,34", "99,99", Some("134")),
            ("", "9", None),
            ("-$5", "S$9", Some("-5")),
            ("<5", "9PR", None),
            ("12", "099", None),
            (",", "9,9", None),
            ("1,,2", "9,9,9", Some("12")),
            ("- 5", "S9", Some("-5")),
        ] {
            assert_eq!(run("try_to_number", &[text(s), text(f)]), [want.unwrap_or("NULL")], "{s} {f}");
        }
        assert_eq!(fails("to_number", &[text("a"), text("9")]), "INVALID_FORMAT.MISMATCH_INPUT");
        assert_eq!(typed("to_number", &[text("$5"), text("$99,999.00")]).1, "decimal(7,2)");
    }
}
