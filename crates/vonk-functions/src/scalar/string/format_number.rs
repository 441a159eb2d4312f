//! `format_number`: Java's `DecimalFormat`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction::new(
        "format_number",
        docs!(
            String,
            "format_number(expr1, expr2)",
            "The number with commas, at so many decimal places or by a pattern, half to even.",
            "1.5.0",
            [
                "SELECT format_number(12332.123456, 4)" => "12,332.1235",
                "SELECT format_number(12332.123456, '##################.###')" => "12332.123",
            ]
        ),
        Arity::exactly(2),
        resolve,
        format_number,
    )]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let number = match site.arg_type(0) {
        t if t.is_numeric() => t.clone(),
        DataType::Null => DataType::Double,
        _ => return Err(site.unexpected_type(0, "\"NUMERIC\"")),
    };
    let places = match site.arg_type(1) {
        DataType::String => DataType::String,
        _ => site.implicit_or(1, &DataType::Int, "(\"INT\" or \"STRING\")")?,
    };
    site.returns_null(vec![number, places], DataType::String)
}

fn invalid(pattern: &str) -> Error {
    Error::new("_INVALID_FORMAT_STRING").with("format", pattern).with("cause", "the pattern is malformed")
}

fn format_number(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match &call.arg_types[0] {
        DataType::Byte => each::<Int8Type>(call, |v| Number::Exact(v.into(), 0)),
        DataType::Short => each::<Int16Type>(call, |v| Number::Exact(v.into(), 0)),
        DataType::Int => each::<Int32Type>(call, |v| Number::Exact(v.into(), 0)),
        DataType::Long => each::<Int64Type>(call, |v| Number::Exact(v.into(), 0)),
        DataType::Float => each::<Float32Type>(call, |v| Number::Binary(v.into())),
        DataType::Double => each::<Float64Type>(call, Number::Binary),
        DataType::Decimal(p, s) => {
            let scale = s.unsigned_abs().into();
            match *p <= MAX_DECIMAL64_PRECISION {
                true => each::<Decimal64Type>(call, |v| Number::Exact(v.into(), scale)),
                false => each::<Decimal128Type>(call, |v| Number::Exact(v, scale)),
            }
        }
        other => vonk_error::internal_err!("format_number of {other}"),
    }
}

fn each<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    number: impl Fn(T::Native) -> Number,
) -> Result<ArrayRef> {
    let values = call.values::<T>(0);
    if call.arg_types[1] == DataType::Int {
        let places = call.values::<Int32Type>(1);
        return call.each_str(|row, out| {
            let Ok(places) = usize::try_from(places.get(row)) else { return Ok(false) };
            Pattern::fixed(places.min(340)).write(number(values.get(row)), out);
            Ok(true)
        });
    }
    let patterns = call.strings(1);
    let mut last: Option<(&str, Pattern)> = None;
    call.each_str(|row, out| {
        let text = patterns.get(row);
        if last.as_ref().is_none_or(|(same, _)| *same != text) {
            last = Some((text, Pattern::parse(text).ok_or_else(|| invalid(text))?));
        }
        if let Some((_, pattern)) = &last {
            pattern.write(number(values.get(row)), out);
        }
        Ok(true)
    })
}

/// A number before it is rounded.
#[derive(Clone, Copy)]
enum Number {
    /// Unscaled, and its scale.
    Exact(i128, usize),
    Binary(f64),
}

impl Number {
    fn negative(self) -> bool {
        match self {
            Number::Exact(v, _) => v < 0,
            Number::Binary(v) => v.is_sign_negative() && !v.is_nan(),
        }
    }

    /// Absolute value × 10^shift at so many decimal places, half to even.
    fn text(self, shift: i32, places: usize) -> String {
        match self {
            Number::Exact(v, scale) => {
                round_text(&exact_text(v.unsigned_abs(), scale as i32 - shift), places)
            }
            Number::Binary(v) if shift == 0 => format!("{:.places$}", v.abs()),
            // The exact value in all its digits, then shifted.
            Number::Binary(v) => {
                let all = format!("{:.1074}", v.abs());
                let digits = all.replace('.', "");
                let point = all.find('.').unwrap_or(all.len()) as i32 + shift;
                round_text(&with_point(&digits, point), places)
            }
        }
    }

    fn is_zero(self) -> bool {
        match self {
            Number::Exact(v, _) => v == 0,
            Number::Binary(v) => v == 0.0,
        }
    }

    /// The power of ten of the first digit.
    fn power(self) -> i32 {
        match self {
            Number::Exact(v, scale) => {
                v.unsigned_abs().checked_ilog10().map_or(0, |n| n as i32) - scale as i32
            }
            Number::Binary(v) => {
                let text = format!("{:e}", v.abs());
                text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
            }
        }
    }
}

fn exact_text(digits: u128, scale: i32) -> String {
    let digits = digits.to_string();
    let point = digits.len() as i32 - scale;
    with_point(&digits, point)
}

/// Digits with a point before the n-th.
fn with_point(digits: &str, point: i32) -> String {
    match point {
        ..=0 => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        n if n as usize >= digits.len() => format!("{digits}{}", "0".repeat(n as usize - digits.len())),
        n => format!("{}.{}", &digits[..n as usize], &digits[n as usize..]),
    }
}

/// A number in plain notation at so many decimal places, half to even.
fn round_text(text: &str, places: usize) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() <= places {
        let zeros = "0".repeat(places - fraction.len());
        return if places == 0 { whole.to_string() } else { format!("{whole}.{fraction}{zeros}") };
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction[..places].bytes()).collect();
    let rest = &fraction.as_bytes()[places..];
    let odd = digits.last().is_some_and(|d| (d - b'0') % 2 == 1);
    let up = match rest[0].cmp(&b'5') {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => odd || rest[1..].iter().any(|d| *d != b'0'),
    };
    if up {
        let mut carried = true;
        for d in digits.iter_mut().rev() {
            if *d < b'9' {
                *d += 1;
                carried = false;
                break;
            }
            *d = b'0';
        }
        if carried {
            digits.insert(0, b'1');
        }
    }
    let text: String = digits.iter().map(|d| *d as char).collect();
    if places == 0 {
        text
    } else {
        format!("{}.{}", &text[..text.len() - places], &text[text.len() - places..])
    }
}

/// A pattern of `DecimalFormat`.
#[derive(Debug, Clone, PartialEq)]
struct Pattern {
    prefix: String,
    suffix: String,
    negative_prefix: String,
    negative_suffix: String,
    /// Digits of a group; 0 for none.
    grouping: usize,
    least_whole: usize,
    /// Digits before the point that the pattern shows, for exponents.
    most_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    /// Power of ten of `%` and `‰`.
    multiplier: i32,
    /// Least digits of an exponent, if there is one.
    exponent: Option<usize>,
}

impl Pattern {
    /// With commas, at so many places.
    fn fixed(places: usize) -> Pattern {
        Pattern {
            prefix: String::new(),
            suffix: String::new(),
            negative_prefix: "-".to_string(),
            negative_suffix: String::new(),
            grouping: 3,
            least_whole: 1,
            most_whole: 1,
            least_fraction: places,
            most_fraction: places,
            multiplier: 0,
            exponent: None,
        }
    }

    /// `None` for what Java refuses.
    fn parse(text: &str) -> Option<Pattern> {
        if text.is_empty() {
            return Some(Pattern { least_whole: 1, ..Pattern::fixed(0) });
        }
        let mut chars: Vec<char> = text.chars().collect();
        let (mut pattern, used) = Self::parse_positive(&chars)?;
        chars.drain(..used);
        pattern.negative_prefix = format!("-{}", pattern.prefix);
        pattern.negative_suffix = pattern.suffix.clone();
        if chars.first() == Some(&';') {
            let mut at = 1;
            let (prefix, _) = affix(&chars, &mut at)?;
            while chars.get(at).is_some_and(|c| "#0,.".contains(*c)) {
                at += 1;
            }
            let (suffix, _) = affix(&chars, &mut at)?;
            // One that is the same as the positive one counts for nothing.
            if prefix != pattern.prefix || suffix != pattern.suffix {
                pattern.negative_prefix = prefix;
                pattern.negative_suffix = suffix;
            }
        } else if !chars.is_empty() {
            return None;
        }
        Some(pattern)
    }

    /// Also answers how many characters it took.
    fn parse_positive(chars: &[char]) -> Option<(Pattern, usize)> {
        let mut p = Pattern::fixed(0);
        let mut at = 0;
        let (prefix, before) = affix(chars, &mut at)?;
        let (mut left, mut zeros, mut right) = (0usize, 0usize, 0usize);
        let (mut point, mut group) = (None, None);
        while let Some(c) = chars.get(at) {
            match c {
                '#' if zeros > 0 => right += 1,
                '#' => left += 1,
                '0' if right > 0 => return None,
                '0' => zeros += 1,
                ',' if point.is_none() => {
                    group = Some(left + zeros + right);
                    at += 1;
                    continue;
                }
                '.' if point.is_none() => {
                    point = Some(left + zeros + right);
                    at += 1;
                    continue;
                }
                '.' | ',' => return None,
                _ => break,
            }
            // A `#` between zeros and the point is malformed.
            if right > 0 && point.is_none() {
                return None;
            }
            at += 1;
        }
        if chars.get(at) == Some(&'E') {
            let digits = chars[at + 1..].iter().take_while(|c| **c == '0').count();
            if digits == 0 {
                return None;
            }
            p.exponent = Some(digits);
            at += 1 + digits;
        }
        let (suffix, behind) = affix(chars, &mut at)?;
        if zeros == 0 && left > 0 && point.is_some() {
            // `#.##` means `0.##`.
            let n = point.unwrap_or(0).max(1);
            right = left - n.min(left);
            left = n - 1;
            zeros = 1;
        }
        let total = left + zeros + right;
        let whole = point.unwrap_or(total);
        p.least_whole = (whole.min(left + zeros)).saturating_sub(left);
        p.most_whole = whole;
        p.most_fraction = total - whole;
        p.least_fraction = (left + zeros).saturating_sub(whole);
        p.grouping = group.map_or(0, |g| whole.saturating_sub(g));
        (p.prefix, p.suffix, p.multiplier) = (prefix, suffix, before + behind);
        if total == 0 && point.is_none() {
            // Nothing but text: any number of whole digits.
            p.least_whole = 0;
        }
        Some((p, at))
    }

    fn write(&self, number: Number, out: &mut String) {
        let (prefix, suffix) = match number.negative() {
            true => (&self.negative_prefix, &self.negative_suffix),
            false => (&self.prefix, &self.suffix),
        };
        match number {
            Number::Binary(v) if v.is_nan() => {
                out.push_str("NaN");
                return;
            }
            Number::Binary(v) if v.is_infinite() => {
                out.push_str(prefix);
                out.push('∞');
                out.push_str(suffix);
                return;
            }
            _ => {}
        }
        out.push_str(prefix);
        match self.exponent {
            None => self.write_digits(&number.text(self.multiplier, self.most_fraction), out),
            Some(least) => self.write_scientific(number, least, out),
        }
        out.push_str(suffix);
    }

    fn write_digits(&self, text: &str, out: &mut String) {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let kept = fraction.trim_end_matches('0').len().max(self.least_fraction);
        let zeros = self.least_whole.saturating_sub(whole.len());
        let length = whole.len() + zeros;
        if length == 0 && kept == 0 {
            out.push('0');
            return;
        }
        for (i, c) in std::iter::repeat_n('0', zeros).chain(whole.chars()).enumerate() {
            if i > 0 && self.grouping > 0 && (length - i).is_multiple_of(self.grouping) {
                out.push(',');
            }
            out.push(c);
        }
        if kept > 0 {
            out.push('.');
            out.push_str(&fraction[..kept]);
        }
    }

    fn write_scientific(&self, number: Number, least: usize, out: &mut String) {
        let mut power = if number.is_zero() { 0 } else { number.power() + self.multiplier };
        let plain = Pattern { grouping: 0, ..self.clone() };
        let (shift, fraction) = if self.most_whole > self.least_whole && self.most_whole > 1 {
            // The exponent is a multiple of the digits before the point.
            let step = self.most_whole as i32;
            let aligned = power.div_euclid(step) * step;
            let whole = (power - aligned + 1) as usize;
            power = aligned;
            (aligned, (self.most_whole + self.most_fraction).saturating_sub(whole))
        } else {
            power -= self.least_whole as i32 - 1;
            (power, self.most_fraction)
        };
        let mut text = number.text(self.multiplier - shift, fraction);
        // Rounding may have made one digit more.
        let digits = |t: &str| t.split('.').next().map_or(0, |w| w.trim_start_matches('0').len());
        if self.most_whole <= self.least_whole.max(1) && digits(&text) > self.least_whole.max(1) {
            power += 1;
            text = number.text(self.multiplier - shift - 1, fraction);
        }
        plain.write_digits(&text, out);
        out.push('E');
        if power < 0 {
            out.push('-');
        }
        let exponent = power.unsigned_abs().to_string();
        out.extend(std::iter::repeat_n('0', least.saturating_sub(exponent.len())));
        out.push_str(&exponent);
    }
}

/// Text before or behind the digits: quotes undone, with the power of ten of its percent signs.
fn affix(chars: &[char], at: &mut usize) -> Option<(String, i32)> {
    let (mut text, mut multiplier) = (String::new(), 0);
    while let Some(c) = chars.get(*at) {
        match c {
            '\'' if chars.get(*at + 1) == Some(&'\'') => {
                text.push('\'');
                *at += 1;
            }
            '\'' => {
                *at += 1;
                while *chars.get(*at)? != '\'' {
                    text.push(chars[*at]);
                    *at += 1;
                }
            }
            '#' | '0' | ',' | '.' | ';' => break,
            '%' => {
                multiplier = 2;
                text.push('%');
            }
            '‰' => {
                multiplier = 3;
                text.push('‰');
            }
            c => text.push(*c),
        }
        *at += 1;
    }
    Some((text, multiplier))
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn patterns() {
        let f = |x: Arg, p: Arg| run("format_number", &[x, p]).remove(0);
        for (x, places, want) in [
            (dec("12332.123456"), 4, "12,332.1235"),
            (dec("-1234567.891"), 2, "-1,234,567.89"),
            (dec("0.5"), 0, "0"),
            (dec("1.5"), 0, "2"),
            (dec("2.5"), 0, "2"),
            (dec("-0.4"), 0, "-0"),
            (dec("0.0045"), 3, "0.004"),
            (int(1), -1, "NULL"),
            (double(f64::NAN), 2, "NaN"),
            (double(f64::NEG_INFINITY), 2, "-∞"),
            (double(-0.0), 2, "-0.00"),
            (double(1e20), 1, "100,000,000,000,000,000,000.0"),
            (double(1.005), 2, "1.00"),
            (double(0.45), 1, "0.5"),
            (long(1234567890123456789), 2, "1,234,567,890,123,456,789.00"),
        ] {
            assert_eq!(f(x, int(places)), want, "{places}");
        }
        for (x, pattern, want) in [
            ("12332.123456", "##################.###", "12332.123"),
            ("1234.5", "", "1,234"),
            ("12345.678", "#,##0.00", "12,345.68"),
            ("0.5", "0.00%", "50.00%"),
            ("12345", "#,###", "12,345"),
            ("12345", "0.00E0", "1.23E4"),
            ("5", "a", "a5"),
            ("12345.678", "$#,##0.00", "$12,345.68"),
            ("-5", "#;(#)", "(5)"),
            ("0", "#", "0"),
            ("0.5", "#.#", "0.5"),
            ("1", "000", "001"),
            ("1234567.891", "#,##,##0.0#", "1,234,567.89"),
            ("-5", "00.00", "-05.00"),
            ("0.5", ".00", ".50"),
            ("12", "'x'0", "x12"),
            ("12", "0 units", "12 units"),
            ("0.123", "0.0‰", "123.0‰"),
            ("1234567", "##0.##E0", "1.2346E6"),
            ("0.00012345", "0.###E0", "1.234E-4"),
            ("-12", "0;neg 0", "neg 12"),
            ("100", "#%", "10000%"),
            ("5", "5", "55"),
        ] {
            assert_eq!(f(dec(x), text(pattern)), want, "{x} {pattern}");
        }
        assert_eq!(f(double(1e10), text("0.00E00")), "1.00E10");
        for bad in ["0.0.0", "#0#", "0'"] {
            assert_eq!(fails("format_number", &[int(1), text(bad)]), "_INVALID_FORMAT_STRING", "{bad}");
        }
    }
}
