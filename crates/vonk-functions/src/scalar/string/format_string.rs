//! `format_string` (`printf`): Java's `Formatter`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::hash::murmur3;
use crate::scalar::params::STR;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal64Type, Decimal128Type, Float32Type, Float64Type};
use std::fmt::Write;
use vonk_error::{Error, Result};
use vonk_types::number::{decimal_of_f64, format_f32, format_f64};
use vonk_types::text::hive_text;
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        aliases: &["printf"],
        null_propagating: false,
        ..ScalarFunction::new(
            "format_string",
            docs!(String, "format_string(strfmt, obj, ...)", "Text by a format of `printf`.", "1.5.0", [
                "SELECT format_string('Hello World %d %s', 100, 'days')" => "Hello World 100 days",
            ]),
            Arity::at_least(1),
            resolve,
            format_string,
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = vec![site.take_one(0, &STR)?];
    types.extend(site.args[1..].iter().map(|a| a.data_type.clone()));
    if let Some(ScalarValue::Utf8View(Some(format))) = site.args[0].literal.as_ref().map(|l| &l.value)
        && format.contains("%0$")
    {
        return Err(Error::new("INVALID_PARAMETER_VALUE.ZERO_INDEX")
            .with("parameter", "`strfmt`")
            .with("functionName", "`format_string`")
            .at(site.span));
    }
    let nullable = site.args[0].nullable || site.args[0].data_type == DataType::Null;
    Ok(Resolution { arg_types: types, return_type: DataType::String, nullable })
}

fn format_string(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let format = call.strings(0);
    let strict = KernelCall { args: &call.args[..1], ..*call };
    strict.each_str(|row, out| {
        let format = format.get(row);
        run(format, call, row, out)?;
        Ok(true)
    })
}

fn invalid(format: &str, cause: impl Into<String>) -> Error {
    Error::new("_INVALID_FORMAT_STRING").with("format", format).with("cause", cause)
}

/// `%[index$][flags][width][.precision]conversion`.
#[derive(Default)]
struct Spec {
    index: Index,
    left: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    zero: bool,
    comma: bool,
    parentheses: bool,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

#[derive(Default)]
enum Index {
    #[default]
    Next,
    Last,
    Number(usize),
}

impl Spec {
    /// Reads what follows a percent sign; `None` if it is no specifier.
    fn parse(text: &str) -> Option<(Spec, &str)> {
        let mut spec = Spec::default();
        let mut rest = text;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && rest[digits..].starts_with('$') {
            spec.index = Index::Number(rest[..digits].parse().ok()?);
            rest = &rest[digits + 1..];
        } else if let Some(after) = rest.strip_prefix('<') {
            spec.index = Index::Last;
            rest = after;
        }
        while let Some(c) = rest.chars().next() {
            let flag = match c {
                '-' => &mut spec.left,
                '#' => &mut spec.alternate,
                '+' => &mut spec.plus,
                ' ' => &mut spec.space,
                '0' => &mut spec.zero,
                ',' => &mut spec.comma,
                '(' => &mut spec.parentheses,
                _ => break,
            };
            if std::mem::replace(flag, true) {
                return None;
            }
            rest = &rest[1..];
        }
        let number = |rest: &mut &str| {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            *rest = after;
            number.parse::<usize>().ok()
        };
        spec.width = number(&mut rest);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(number(&mut rest)?);
        }
        let conversion = rest.chars().next()?;
        spec.conversion = conversion;
        Some((spec, &rest[conversion.len_utf8()..]))
    }

    /// Pads to the width.
    fn pad(&self, text: &str, out: &mut String) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if !self.left {
            out.extend(std::iter::repeat_n(' ', missing));
        }
        out.push_str(text);
        if self.left {
            out.extend(std::iter::repeat_n(' ', missing));
        }
    }

    /// Cuts to the precision, makes capitals and pads.
    fn finish(&self, text: &str, out: &mut String) {
        let cut = match self.precision {
            Some(n) => &text[..super::char_offset(text, n)],
            None => text,
        };
        if self.conversion.is_uppercase() { self.pad(&cut.to_uppercase(), out) } else { self.pad(cut, out) }
    }

    /// Puts the sign and zeros before digits, and pads.
    fn number(&self, negative: bool, digits: &str, finite: bool, out: &mut String) {
        let (before, after) = match negative {
            true if self.parentheses => ("(", ")"),
            true => ("-", ""),
            false if self.plus => ("+", ""),
            false if self.space => (" ", ""),
            false => ("", ""),
        };
        let mut text = String::from(before);
        if self.zero && finite {
            let missing =
                self.width.unwrap_or(0).saturating_sub(before.len() + digits.chars().count() + after.len());
            text.extend(std::iter::repeat_n('0', missing));
        }
        text.push_str(digits);
        text.push_str(after);
        let text = if self.conversion.is_uppercase() { text.to_uppercase() } else { text };
        self.pad(&text, out);
    }
}

/// A value as the formatter sees it.
enum Value {
    Null,
    Bool(bool),
    /// With the number of bits.
    Int(i64, u32),
    Float(f64),
    Text(String),
    /// With its text; nothing but `%s` and `%b` take it.
    Other(String),
}

fn run(format: &str, call: &KernelCall<'_>, row: usize, out: &mut String) -> Result<()> {
    let mut rest = format;
    let (mut next, mut last) = (0, None);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let Some((spec, after)) = Spec::parse(&rest[at + 1..]) else {
            return Err(invalid(format, "a conversion is malformed"));
        };
        rest = after;
        match spec.conversion {
            'n' if spec.width.is_none() && spec.precision.is_none() => {
                out.push('\n');
                continue;
            }
            '%' if spec.precision.is_none() && (!spec.left || spec.width.is_some()) => {
                spec.pad("%", out);
                continue;
            }
            _ => {}
        }
        let index = match spec.index {
            Index::Number(n) => n.checked_sub(1),
            Index::Last => last,
            Index::Next => {
                next += 1;
                Some(next - 1)
            }
        };
        let Some(index) = index.filter(|i| i + 1 < call.args.len()) else {
            return Err(invalid(format, "there are fewer arguments than conversions"));
        };
        last = Some(index);
        if (spec.left || spec.zero) && spec.width.is_none()
            || spec.left && spec.zero
            || spec.plus && spec.space
        {
            return Err(invalid(format, "flags do not fit together"));
        }
        let value = value(call, index + 1, row)?;
        one(&spec, &value, out).ok_or_else(|| {
            invalid(format, format!("%{} does not take argument {}", spec.conversion, index + 1))
        })?;
    }
    out.push_str(rest);
    Ok(())
}

fn value(call: &KernelCall<'_>, arg: usize, row: usize) -> Result<Value> {
    value_of(call.args[arg].values(), call.args[arg].index(row), &call.arg_types[arg], call)
}

fn value_of(array: &ArrayRef, at: usize, t: &DataType, call: &KernelCall<'_>) -> Result<Value> {
    if array.is_null(at) || *t == DataType::Null {
        return Ok(Value::Null);
    }
    Ok(match t {
        DataType::Boolean => Value::Bool(array.as_boolean().value(at)),
        DataType::Float => Value::Float(f64::from(array.as_primitive::<Float32Type>().value(at))),
        DataType::Double => Value::Float(array.as_primitive::<Float64Type>().value(at)),
        DataType::String => Value::Text(array.as_string_view().value(at).to_string()),
        DataType::Decimal(p, s) => {
            let unscaled = match *p <= vonk_types::arrow_types::MAX_DECIMAL64_PRECISION {
                true => i128::from(array.as_primitive::<Decimal64Type>().value(at)),
                false => array.as_primitive::<Decimal128Type>().value(at),
            };
            Value::Other(vonk_types::decimal::format(unscaled, *s))
        }
        t if t.is_nested() => Value::Other(nested(array, at, t, call)?),
        DataType::Binary | DataType::CalendarInterval => Value::Other(hive_text(array, at, t, call.ctx)?),
        // What is an integer underneath.
        _ => {
            let data = array.to_data();
            let (buffer, offset) = (&data.buffers()[0], data.offset() + at);
            match array.data_type().primitive_width() {
                Some(1) => Value::Int(i64::from(buffer.typed_data::<i8>()[offset]), 8),
                Some(2) => Value::Int(i64::from(buffer.typed_data::<i16>()[offset]), 16),
                Some(4) => Value::Int(i64::from(buffer.typed_data::<i32>()[offset]), 32),
                _ => Value::Int(buffer.typed_data::<i64>()[offset], 64),
            }
        }
    })
}

/// Nested values as Java prints Spark's: `[1,a]` for arrays and structs, keys and values of maps.
fn nested(array: &ArrayRef, at: usize, t: &DataType, call: &KernelCall<'_>) -> Result<String> {
    if array.is_null(at) {
        return Ok("null".to_string());
    }
    let list = |elements: &ArrayRef, t: &DataType| -> Result<String> {
        let parts: Result<Vec<_>> = (0..elements.len()).map(|i| nested(elements, i, t, call)).collect();
        Ok(format!("[{}]", parts?.join(",")))
    };
    match t {
        DataType::Array(element, _) => list(&array.as_list::<i32>().value(at), element),
        DataType::Map(key, value, _) => {
            let entries = array.as_map().value(at);
            Ok(format!(
                "keys: {}, values: {}",
                list(entries.column(0), key)?,
                list(entries.column(1), value)?
            ))
        }
        DataType::Struct(s) => {
            let columns = array.as_struct().columns();
            let parts: Result<Vec<_>> =
                s.fields.iter().zip(columns).map(|(f, c)| nested(c, at, &f.data_type, call)).collect();
            Ok(format!("[{}]", parts?.join(",")))
        }
        t => Ok(plain(&value_of(array, at, t, call)?)),
    }
}

/// `None` if the conversion does not take the value or the flags.
fn one(spec: &Spec, value: &Value, out: &mut String) -> Option<()> {
    let numeric_flags = spec.plus || spec.space || spec.zero || spec.comma || spec.parentheses;
    match (spec.conversion.to_ascii_lowercase(), value) {
        ('s' | 'b' | 'h' | 'c', _) if numeric_flags || spec.alternate => return None,
        ('s', value) => spec.finish(&plain(value), out),
        ('b', Value::Null) => spec.finish("false", out),
        ('b', Value::Bool(b)) => spec.finish(if *b { "true" } else { "false" }, out),
        ('b', _) => spec.finish("true", out),
        ('h' | 'c' | 'd' | 'x' | 'o' | 'e' | 'f' | 'g' | 'a', Value::Null) => spec.finish("null", out),
        ('h', value) => spec.finish(&format!("{:x}", hash(value)), out),
        ('c', Value::Int(c, bits)) if *bits <= 32 && spec.precision.is_none() => {
            spec.finish(&char::from_u32(u32::try_from(*c).ok()?)?.to_string(), out);
        }
        ('d' | 'x' | 'o', Value::Int(..)) if spec.precision.is_some() => return None,
        ('d', Value::Int(v, _)) if !spec.alternate && spec.conversion == 'd' => {
            let mut digits = v.unsigned_abs().to_string();
            if spec.comma {
                digits = grouped(&digits);
            }
            spec.number(*v < 0, &digits, true, out);
        }
        ('x' | 'o', Value::Int(v, bits)) => {
            if spec.plus || spec.space || spec.comma || spec.parentheses || spec.conversion == 'O' {
                return None;
            }
            let bits = *v as u64 & (u64::MAX >> (64 - bits));
            let digits = match (spec.conversion, spec.alternate) {
                ('o', false) => format!("{bits:o}"),
                ('o', true) => format!("0{bits:o}"),
                (_, false) => format!("{bits:x}"),
                (_, true) => format!("0x{bits:x}"),
            };
            spec.number(false, &digits, true, out);
        }
        ('e' | 'f' | 'g' | 'a', Value::Float(v)) if spec.conversion != 'F' => float(spec, *v, out)?,
        _ => return None,
    }
    Some(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(v, _) => v.to_string(),
        // Floats were widened; one that fits into a float prints as one.
        Value::Float(v) if f64::from(*v as f32) == *v => {
            let (long, short) = (format_f64(*v), format_f32(*v as f32));
            if short.len() < long.len() { short } else { long }
        }
        Value::Float(v) => format_f64(*v),
        Value::Text(s) | Value::Other(s) => s.clone(),
    }
}

/// Java's hash code.
fn hash(value: &Value) -> u32 {
    match value {
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Int(v, 64) => (*v ^ (*v as u64 >> 32) as i64) as u32,
        Value::Int(v, _) => *v as u32,
        Value::Float(v) => {
            let bits = v.to_bits();
            (bits ^ bits >> 32) as u32
        }
        Value::Text(s) | Value::Other(s) => murmur3::bytes(s.as_bytes(), 42),
        Value::Null => 0,
    }
}

/// With a comma between each three digits before the point.
fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::with_capacity(digits.len() + whole.len() / 3);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(rest);
    out
}

fn float(spec: &Spec, v: f64, out: &mut String) -> Option<()> {
    if !v.is_finite() {
        let text = if v.is_nan() { "NaN" } else { "Infinity" };
        let negative = v < 0.0;
        let signed = Spec {
            zero: false,
            plus: spec.plus && !v.is_nan(),
            space: spec.space && !v.is_nan(),
            ..copy(spec)
        };
        signed.number(negative, text, false, out);
        return Some(());
    }
    let negative = v.is_sign_negative();
    // The digits that the double prints as.
    let (unscaled, exponent) = decimal_of_f64(v.abs())?;
    let digits = Decimal { digits: unscaled.unsigned_abs(), exponent };
    let precision = spec.precision.unwrap_or(6);
    let text = match spec.conversion {
        'f' => {
            let fixed = digits.fixed(precision);
            if spec.comma { grouped(&fixed) } else { fixed }
        }
        'e' | 'E' if spec.comma => return None,
        'e' | 'E' => digits.scientific(precision),
        'g' | 'G' if spec.alternate => return None,
        'g' | 'G' => {
            let precision = precision.max(1);
            let general = digits.general(precision);
            if spec.comma { grouped(&general) } else { general }
        }
        _ => {
            if spec.comma || spec.parentheses {
                return None;
            }
            hexadecimal(v.abs())
        }
    };
    let text = if spec.alternate && !text.contains('.') { format!("{text}.") } else { text };
    spec.number(negative, &text, true, out);
    Some(())
}

fn copy(spec: &Spec) -> Spec {
    Spec {
        index: Index::Next,
        left: spec.left,
        alternate: spec.alternate,
        plus: spec.plus,
        space: spec.space,
        zero: spec.zero,
        comma: spec.comma,
        parentheses: spec.parentheses,
        width: spec.width,
        precision: spec.precision,
        conversion: spec.conversion,
    }
}

/// digits × 10^exponent.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    exponent: i32,
}

impl Decimal {
    /// At so many decimal places, half up.
    fn fixed(self, places: usize) -> String {
        let shift = i64::from(self.exponent) + places as i64;
        let mut scaled = if shift >= 0 {
            let mut s = self.digits.to_string();
            if self.digits != 0 {
                s.extend(std::iter::repeat_n('0', shift as usize));
            }
            s
        } else {
            half_up(self.digits, shift.unsigned_abs()).to_string()
        };
        if places == 0 {
            return scaled;
        }
        while scaled.len() <= places {
            scaled.insert(0, '0');
        }
        scaled.insert(scaled.len() - places, '.');
        scaled
    }

    /// Number of digits.
    fn length(self) -> i32 {
        self.digits.checked_ilog10().map_or(1, |n| n as i32 + 1)
    }

    /// `d.ddde+xx`.
    fn scientific(self, places: usize) -> String {
        let mut power = self.length() - 1 + self.exponent;
        let dropped = i64::from(self.length()) - 1 - places as i64;
        let mut digits = if dropped > 0 {
            let rounded = half_up(self.digits, dropped as u64).to_string();
            if rounded.len() > places + 1 {
                power += 1;
            }
            rounded[..places + 1].to_string()
        } else {
            let mut s = self.digits.to_string();
            s.extend(std::iter::repeat_n('0', dropped.unsigned_abs() as usize));
            s
        };
        if self.digits == 0 {
            power = 0;
        }
        if places > 0 {
            digits.insert(1, '.');
        }
        // Writing to a String does not fail.
        let _ = write!(digits, "e{}{:02}", if power < 0 { '-' } else { '+' }, power.unsigned_abs());
        digits
    }

    /// Fixed from 10^-4 to 10^precision, else scientific.
    fn general(self, precision: usize) -> String {
        if self.digits == 0 {
            return self.fixed(precision - 1);
        }
        let dropped = i64::from(self.length()) - precision as i64;
        let rounded = if dropped > 0 {
            let digits = half_up(self.digits, dropped as u64);
            Decimal { digits, exponent: self.exponent + dropped as i32 }
        } else {
            self
        };
        let power = rounded.length() - 1 + rounded.exponent;
        if power < -4 || power >= precision as i32 {
            rounded.scientific(precision - 1)
        } else {
            rounded.fixed((precision as i32 - 1 - power) as usize)
        }
    }
}

fn half_up(digits: u128, dropped: u64) -> u128 {
    match u32::try_from(dropped).ok().and_then(|n| 10u128.checked_pow(n)) {
        Some(by) => digits / by + u128::from(digits % by >= by.div_ceil(2)),
        None => 0,
    }
}

/// Java's `Double.toHexString`.
fn hexadecimal(v: f64) -> String {
    let bits = v.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let digits = format!("{fraction:013x}");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        d => d,
    };
    match (bits >> 52 & 0x7FF) as i64 {
        0 if fraction == 0 => "0x0.0p0".to_string(),
        0 => format!("0x0.{digits}p-1022"),
        e => format!("0x1.{digits}p{}", e - 1023),
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn conversions() {
        let f = |format: &str, x: Arg| run("format_string", &[text(format), x]).remove(0);
        for (format, x, want) in [
            ("%5d|", int(1), "    1|"),
            ("%-5d|", int(2), "2    |"),
            ("%05d", int(3), "00003"),
            ("%.2f", double(1.005), "1.01"),
            ("%e", double(12345.678), "1.234568e+04"),
            ("%,d", int(-1234567), "-1,234,567"),
            ("%(d", int(-5), "(5)"),
            ("% d", int(5), " 5"),
            ("%g", double(0.0001), "0.000100000"),
            ("%g", double(12345.678), "12345.7"),
            ("%g", double(1e-5), "1.00000e-05"),
            ("%.3g", double(1234.5), "1.23e+03"),
            ("%g", double(0.0), "0.00000"),
            ("%.0e", double(12345.0), "1e+04"),
            ("%e", double(0.0), "0.000000e+00"),
            ("%x", int(-1), "ffffffff"),
            ("%#x", int(255), "0xff"),
            ("%a", double(1.0), "0x1.0p0"),
            ("%08.2f", double(-1.5), "-0001.50"),
            ("%5.1f", double(1.25), "  1.3"),
            ("%f", double(f64::NAN), "NaN"),
            ("%.20f", double(0.1), "0.10000000000000000000"),
            ("%f", double(1e20), "100000000000000000000.000000"),
            ("%.0f", double(2.5), "3"),
            ("%#.0f", double(1.0), "1."),
            ("%,.2f", double(1234567.891), "1,234,567.89"),
            ("%s", double(1e10), "1.0E10"),
            ("%s", date("2020-01-01"), "18262"),
            ("%10.3s|", text("abcdef"), "       abc|"),
            ("%S", text("abc"), "ABC"),
            ("%h", text("a"), "58877852"),
            ("%c", int(65), "A"),
            ("%d", null(vonk_types::DataType::Int), "null"),
            ("%b", null(vonk_types::DataType::Int), "false"),
            ("%5%|%-5%|", int(1), "    %|%    |"),
            ("%s %<s", text("a"), "a a"),
        ] {
            assert_eq!(f(format, x), want, "{format}");
        }
        for (format, x) in
            [("%d", text("a")), ("%q", int(1)), ("%-d", int(1)), ("%+s", text("a")), ("%s %s", int(1))]
        {
            assert_eq!(fails("format_string", &[text(format), x]), "_INVALID_FORMAT_STRING", "{format}");
        }
    }
}
