//! Text of binary floating point numbers and integers, in Java's forms.
//!
//! Spark prints `double` and `float` as Java 17's `Double.toString` and `Float.toString` do. Those are almost always the
//! shortest digits that read back as the same number, but not quite: digits on the border of the rounding interval are not
//! taken, a number in E notation has at least two digits, and integers beyond 2^53 keep more digits than they need. The
//! common case goes through `ryu`; the rest through [`exact_digits`], a free-format digit generation with those rules.

use num_bigint::BigUint;
use std::cmp::Ordering;
use std::fmt::Write;

/// Decimal digits of a positive number: `0.d1d2d3… × 10^exponent`.
struct Digits {
    digits: [u8; 32],
    len: usize,
    exponent: i32,
}

/// A positive binary number: `1.fraction × 2^exponent`, the leading one at bit 52 of `fraction`.
#[derive(Clone, Copy)]
struct Binary {
    fraction: u64,
    exponent: i32,
    /// Significant bits that the number really has (fewer for subnormal ones).
    bits: i32,
}

impl Binary {
    fn of_f64(v: f64) -> Self {
        let raw = v.abs().to_bits();
        Self::new(raw >> 52, raw & ((1 << 52) - 1), 52, 1023)
    }

    fn of_f32(v: f32) -> Self {
        let raw = v.abs().to_bits() as u64;
        Self::new(raw >> 23, (raw & ((1 << 23) - 1)) << 29, 23, 127)
    }

    /// `fraction` is already shifted to 52 bits.
    fn new(exponent: u64, fraction: u64, width: i32, bias: i32) -> Self {
        if exponent != 0 {
            return Binary {
                fraction: fraction | 1 << 52,
                exponent: exponent as i32 - bias,
                bits: width + 1,
            };
        }
        let shift = fraction.leading_zeros() as i32 - 11;
        Binary { fraction: fraction << shift, exponent: 1 - bias - shift, bits: width + 1 - shift }
    }
}

/// Number of decimal digits that `p` insignificant bits are worth.
fn insignificant_digits(p: i32) -> u32 {
    if (2..64).contains(&p) { (p as f64 * std::f64::consts::LOG10_2) as u32 } else { 0 }
}

/// Digits as Java's free-format conversion makes them.
fn exact_digits(b: Binary) -> Digits {
    let tail = b.fraction.trailing_zeros() as i32;
    let fraction_bits = 53 - tail;
    let tiny_bits = (fraction_bits - b.exponent - 1).max(0);
    if tiny_bits == 0 && b.exponent <= 62 {
        let value =
            if b.exponent >= 52 { b.fraction << (b.exponent - 52) } else { b.fraction >> (52 - b.exponent) };
        let drop = if b.exponent > b.bits { insignificant_digits(b.exponent - b.bits - 1) } else { 0 };
        return integer_digits(value, drop);
    }
    let exponent = estimate_exponent(b);
    let b5 = (-exponent).max(0) as u32;
    let mut b2 = b5 as i32 + tiny_bits + b.exponent;
    let s5 = exponent.max(0) as u32;
    let mut s2 = s5 as i32 + tiny_bits;
    let mut m2 = b2 - b.bits;
    b2 -= fraction_bits - 1;
    let shared = b2.min(s2);
    (b2, s2, m2) = (b2 - shared, s2 - shared, m2 - shared);
    if fraction_bits == 1 {
        m2 -= 1; // the neighbour below a power of two is half as far away
    }
    if m2 < 0 {
        (b2, s2, m2) = (b2 - m2, s2 - m2, 0);
    }
    let scaled = Scaled { fraction: b.fraction >> tail, b2, b5, s2, s5, m2, exponent };
    match (bits_of(fraction_bits, b2, b5), bits_of(1, s2, s5 + 1)) {
        (..32, ..32) => scaled.small_digits(|v| v as i32 as i64),
        (..64, ..64) => scaled.small_digits(|v| v),
        _ => scaled.big_digits(),
    }
}

/// `value = fraction × 2^b2 × 5^b5 / (2^s2 × 5^s5)`, half a unit of the last binary place being `2^m2 × 5^b5` over the same.
struct Scaled {
    fraction: u64,
    b2: i32,
    b5: u32,
    s2: i32,
    s5: u32,
    m2: i32,
    exponent: i32,
}

/// Why digit generation stopped: at or above the lower border, at or below the upper one; and which neighbour is nearer.
struct Stop {
    low: bool,
    high: bool,
    nearer: Ordering,
}

impl Scaled {
    /// Where Java computes in `int` or `long`: `wrap` cuts to the width, as some products overflow and Java's digits show it.
    fn small_digits(self, wrap: impl Fn(i64) -> i64) -> Digits {
        let five = |n: u32| 5i64.wrapping_pow(n);
        let mut rest = wrap((self.fraction as i64).wrapping_mul(five(self.b5)).wrapping_shl(self.b2 as u32));
        let scale = wrap(five(self.s5).wrapping_shl(self.s2 as u32)).max(1);
        let tens = wrap(scale.wrapping_mul(10));
        let mut margin = wrap(five(self.b5).wrapping_shl(self.m2 as u32));
        self.generate(|first| {
            let q = rest / scale;
            rest = wrap((rest % scale).wrapping_mul(10));
            margin = wrap(margin.wrapping_mul(10));
            let (low, high) = match first || margin > 0 {
                true => (rest < margin, wrap(rest.wrapping_add(margin)) > tens),
                false => (true, true),
            };
            let nearer = wrap(wrap(rest << 1).wrapping_sub(tens)).cmp(&0);
            (q as u8, Stop { low, high, nearer })
        })
    }

    fn big_digits(self) -> Digits {
        let five = |n: u32| BigUint::from(5u32).pow(n);
        let mut rest = (five(self.b5) * self.fraction) << self.b2 as usize;
        let scale = five(self.s5) << self.s2 as usize;
        let tens = &scale * 10u32;
        let mut margin = five(self.b5) << self.m2 as usize;
        self.generate(|_| {
            let q = &rest / &scale;
            rest = (&rest - &q * &scale) * 10u32;
            margin *= 10u32;
            let stop = Stop {
                low: rest < margin,
                high: &rest + &margin >= tens,
                nearer: (&rest << 1usize).cmp(&tens),
            };
            (q.iter_u32_digits().next().unwrap_or(0) as u8, stop)
        })
    }

    /// Takes digits until they are enough.
    fn generate(&self, mut step: impl FnMut(bool) -> (u8, Stop)) -> Digits {
        let mut exponent = self.exponent;
        let mut out = Digits { digits: [0; 32], len: 0, exponent: 0 };
        let (q, mut stop) = step(true);
        if q == 0 && !stop.high {
            exponent -= 1;
        } else {
            out.push(q);
        }
        if !(-3..8).contains(&exponent) {
            (stop.low, stop.high) = (false, false); // E notation has a digit after the point
        }
        while !stop.low && !stop.high && out.len < 30 {
            let q;
            (q, stop) = step(false);
            out.push(q);
        }
        out.exponent = exponent + 1;
        let odd = out.len > 0 && out.digits[out.len - 1] & 1 == 1;
        if stop.high && (!stop.low || stop.nearer.is_gt() || (stop.nearer.is_eq() && odd)) {
            out.round_up();
        }
        out
    }
}

/// At most so many bits has `2^p2 × 5^p5` times a number of `bits` bits, by Java's estimate.
fn bits_of(bits: i32, p2: i32, p5: u32) -> i32 {
    let five_bits = match p5 {
        0 => 0,
        1..27 => 5u64.pow(p5).ilog2() as i32 + 1,
        _ => p5 as i32 * 3,
    };
    bits + p2 + five_bits
}

/// The decimal exponent of the first digit, perhaps one too high.
fn estimate_exponent(b: Binary) -> i32 {
    let mantissa = f64::from_bits(1023 << 52 | (b.fraction & ((1 << 52) - 1)));
    ((mantissa - 1.5) * 0.289529654 + 0.176091259 + b.exponent as f64 * std::f64::consts::LOG10_2).floor()
        as i32
}

fn integer_digits(mut value: u64, drop: u32) -> Digits {
    let mut exponent = drop as i32;
    if drop > 0 {
        let pow = 10u64.pow(drop);
        let residue = value % pow;
        value = value / pow + u64::from(residue >= pow / 2);
    }
    while value != 0 && value.is_multiple_of(10) {
        value /= 10;
        exponent += 1;
    }
    let mut out = Digits { digits: [0; 32], len: 0, exponent: 0 };
    let mut reversed = [0u8; 20];
    let mut n = 0;
    while value != 0 {
        reversed[n] = (value % 10) as u8;
        value /= 10;
        n += 1;
    }
    for i in (0..n).rev() {
        out.push(reversed[i]);
    }
    out.exponent = exponent + n as i32;
    out
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if self.len < self.digits.len() {
            self.digits[self.len] = digit;
            self.len += 1;
        }
    }

    fn round_up(&mut self) {
        let mut i = self.len;
        while i > 0 {
            i -= 1;
            if self.digits[i] < 9 {
                self.digits[i] += 1;
                return;
            }
            self.digits[i] = 0;
        }
        self.digits[0] = 1;
        self.exponent += 1;
    }

    /// Digits out of ryu's text.
    fn of_text(text: &str) -> Self {
        let mut out = Digits { digits: [0; 32], len: 0, exponent: 0 };
        let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
        let mut point = None;
        let mut seen = 0;
        for c in mantissa.bytes() {
            match c {
                b'.' => point = Some(seen),
                b'0' if out.len == 0 => {
                    // Leading zeros move the point instead.
                    if point.is_some() {
                        out.exponent -= 1;
                    }
                }
                _ => {
                    out.push(c - b'0');
                    seen += 1;
                }
            }
        }
        out.exponent += point.unwrap_or(seen) + power.parse::<i32>().unwrap_or(0);
        while out.len > 1 && out.digits[out.len - 1] == 0 {
            out.len -= 1;
        }
        out
    }

    /// In Java's layout: plain between 10^-3 and 10^7, E notation elsewhere.
    fn write(&self, out: &mut String) {
        let digits = &self.digits[..self.len];
        let push = |out: &mut String, part: &[u8]| part.iter().for_each(|d| out.push((b'0' + d) as char));
        let e = self.exponent;
        if (1..8).contains(&e) {
            let whole = digits.len().min(e as usize);
            push(out, &digits[..whole]);
            (whole..e as usize).for_each(|_| out.push('0'));
            out.push('.');
            if digits.len() > whole { push(out, &digits[whole..]) } else { out.push('0') }
        } else if (-2..=0).contains(&e) {
            out.push_str("0.");
            (e..0).for_each(|_| out.push('0'));
            push(out, digits);
        } else {
            push(out, &digits[..1]);
            out.push('.');
            if digits.len() > 1 {
                push(out, &digits[1..])
            } else {
                out.push('0')
            }
            let _ = write!(out, "E{}", e - 1); // writing to a String does not fail
        }
    }
}

fn write_special(v: f64, out: &mut String) -> bool {
    if v.is_nan() {
        out.push_str("NaN");
        return true;
    }
    if v.is_sign_negative() {
        out.push('-');
    }
    if v.is_infinite() {
        out.push_str("Infinity");
    } else if v == 0.0 {
        out.push_str("0.0");
    } else {
        return false;
    }
    true
}

/// Digits of a finite double that is not zero.
fn digits_f64(v: f64) -> Digits {
    let a = v.abs();
    let b = Binary::of_f64(a);
    // Beyond 2^51 a border of the rounding interval can be a short decimal; powers of two have uneven intervals.
    if (f64::MIN_POSITIVE..2251799813685248.0).contains(&a) && b.fraction != 1 << 52 {
        let mut buffer = ryu::Buffer::new();
        let digits = Digits::of_text(buffer.format_finite(a));
        if digits.len > 1 || (-2..=8).contains(&digits.exponent) {
            return digits;
        }
    }
    exact_digits(b)
}

fn digits_f32(v: f32) -> Digits {
    let a = v.abs();
    let b = Binary::of_f32(a);
    if (f32::MIN_POSITIVE..4194304.0).contains(&a) && b.fraction != 1 << 52 {
        let mut buffer = ryu::Buffer::new();
        let digits = Digits::of_text(buffer.format_finite(a));
        if digits.len > 1 || (-2..=8).contains(&digits.exponent) {
            return digits;
        }
    }
    exact_digits(b)
}

/// Appends a double as Java prints it.
pub fn write_f64(v: f64, out: &mut String) {
    if !write_special(v, out) {
        digits_f64(v).write(out);
    }
}

/// Appends a float as Java prints it.
pub fn write_f32(v: f32, out: &mut String) {
    if !write_special(v as f64, out) {
        digits_f32(v).write(out);
    }
}

/// A double as Java prints it: `1.0`, `1.0E10`, `NaN`, `-Infinity`.
pub fn format_f64(v: f64) -> String {
    let mut out = String::new();
    write_f64(v, &mut out);
    out
}

/// A float as Java prints it.
pub fn format_f32(v: f32) -> String {
    let mut out = String::new();
    write_f32(v, &mut out);
    out
}

/// A finite double's printed digits as `(unscaled, exponent)`: the value is `unscaled × 10^exponent`. Spark makes decimals of
/// doubles from what they print as.
pub fn decimal_of_f64(v: f64) -> Option<(i128, i32)> {
    if !v.is_finite() {
        return None;
    }
    if v == 0.0 {
        return Some((0, 0));
    }
    let d = digits_f64(v);
    let unscaled = d.digits[..d.len].iter().fold(0i128, |n, digit| n * 10 + *digit as i128);
    Some((if v < 0.0 { -unscaled } else { unscaled }, d.exponent - d.len as i32))
}

/// Strips what Spark's casts strip from both ends: whitespace and ISO control characters.
pub fn trim(s: &str) -> &str {
    s.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

/// Whether the byte is one that [`trim`] strips.
pub(crate) fn is_space(b: u8) -> bool {
    b <= b' ' || b == 0x7f
}

/// Reads a double as Spark's cast does: surrounding space, Java's literals with their suffixes (`1d`, `1F`, `0x1p3`),
/// `NaN`, `inf` and `infinity` in any case and with a sign.
pub fn parse_f64(s: &str) -> Option<f64> {
    let s = trim(s);
    match java_float_text(s) {
        Some(FloatText::Decimal(t)) => t.parse().ok(),
        Some(FloatText::Hex(v)) => Some(v),
        None => special_f64(s),
    }
}

/// Reads a float; see [`parse_f64`].
pub fn parse_f32(s: &str) -> Option<f32> {
    let s = trim(s);
    match java_float_text(s) {
        Some(FloatText::Decimal(t)) => t.parse().ok(),
        Some(FloatText::Hex(v)) => Some(v as f32),
        None => special_f64(s).map(|v| v as f32),
    }
}

fn special_f64(s: &str) -> Option<f64> {
    let t = s.to_ascii_lowercase();
    Some(match t.as_str() {
        "inf" | "+inf" | "infinity" | "+infinity" => f64::INFINITY,
        "-inf" | "-infinity" => f64::NEG_INFINITY,
        "nan" | "+nan" | "-nan" if t == "nan" || s.ends_with("NaN") => f64::NAN,
        _ => return None,
    })
}

enum FloatText<'a> {
    Decimal(&'a str),
    Hex(f64),
}

/// The part of a Java floating point literal that Rust reads, if it is one.
fn java_float_text(s: &str) -> Option<FloatText<'_>> {
    let bytes = s.as_bytes();
    let unsigned = s.strip_prefix(['+', '-']).unwrap_or(s);
    if unsigned.len() > 2 && (unsigned.starts_with("0x") || unsigned.starts_with("0X")) {
        let v = parse_hex(&unsigned[2..])?;
        return Some(FloatText::Hex(if bytes[0] == b'-' { -v } else { v }));
    }
    let body = s.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(s);
    let mut digits = 0;
    let mut rest = body.strip_prefix(['+', '-']).unwrap_or(body).as_bytes();
    let mut point = false;
    while let [c, tail @ ..] = rest {
        match c {
            b'0'..=b'9' => digits += 1,
            b'.' if !point => point = true,
            _ => break,
        }
        rest = tail;
    }
    if digits == 0 {
        return None;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        if exponent.is_empty() || !exponent.iter().all(u8::is_ascii_digit) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    Some(FloatText::Decimal(body))
}

/// `h.hhp±d` with an optional suffix, after `0x`.
fn parse_hex(s: &str) -> Option<f64> {
    let s = s.strip_suffix(['d', 'D', 'f', 'F']).filter(|t| t.contains(['p', 'P'])).unwrap_or(s);
    let (mantissa, exponent) = s.split_once(['p', 'P'])?;
    let exponent: i64 = exponent.parse::<i64>().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: u128 = 0;
    let mut shift: i64 = 0;
    let mut sticky = false;
    for (c, after) in whole.bytes().map(|c| (c, false)).chain(fraction.bytes().map(|c| (c, true))) {
        let digit = (c as char).to_digit(16)? as u128;
        if value >> 120 == 0 {
            value = value << 4 | digit;
            shift -= if after { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            shift += if after { 0 } else { 4 };
        }
    }
    let value = value << 1 | u128::from(sticky);
    let power = (exponent.clamp(-5000, 5000) + shift - 1) as i32;
    // Split so that intermediate powers stay finite.
    let half = power / 2;
    Some(value as f64 * 2f64.powi(half) * 2f64.powi(power - half))
}

/// Integers that casts read from text.
pub trait Integral: Sized + Copy {
    /// From a wide value, if it fits.
    fn narrow(v: i64) -> Option<Self>;
}

macro_rules! integral {
    ($($t:ty),*) => { $(impl Integral for $t {
        fn narrow(v: i64) -> Option<Self> { <$t>::try_from(v).ok() }
    })* };
}
integral!(i8, i16, i32, i64);

/// Reads an integer as Spark's ANSI cast does: surrounding space, a sign, digits and nothing else.
pub fn parse_integral<T: Integral>(s: &str) -> Option<T> {
    T::narrow(parse_i64(trim_bytes(s.as_bytes()), false)?)
}

/// Reads an integer as Spark's non-ANSI cast does: a fraction is allowed and dropped (`1.5` is 1, `.` is 0).
pub fn parse_integral_lenient<T: Integral>(s: &str) -> Option<T> {
    T::narrow(parse_i64(trim_bytes(s.as_bytes()), true)?)
}

fn trim_bytes(mut s: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = s {
        if !is_space(*first) {
            break;
        }
        s = rest;
    }
    while let [rest @ .., last] = s {
        if !is_space(*last) {
            break;
        }
        s = rest;
    }
    s
}

fn parse_i64(s: &[u8], fraction: bool) -> Option<i64> {
    let (negative, digits) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for (i, c) in digits.iter().enumerate() {
        if *c == b'.' && fraction {
            return digits[i + 1..].iter().all(u8::is_ascii_digit).then_some(value);
        }
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit as i64)? } else { value.checked_add(digit as i64)? };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spark 4.3 on Java 17 prints.
    #[test]
    fn doubles_as_java_prints_them() {
        let cases: &[(f64, &str)] = &[
            (1.0, "1.0"),
            (1e7, "1.0E7"),
            (1.0E-3, "0.001"),
            (9999999.0, "9999999.0"),
            (12345678.9, "1.23456789E7"),
            (0.00012, "1.2E-4"),
            (1e23, "9.999999999999999E22"),
            (2e23, "1.9999999999999998E23"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (v, text) in cases {
            assert_eq!(&format_f64(*v), text);
        }
        let floats: &[(f32, &str)] = &[
            (8589934592.0, "8.5899346E9"),
            (1.1, "1.1"),
            (1e10, "1.0E10"),
            (f32::MAX, "3.4028235E38"),
            (1.4e-45, "1.4E-45"),
            (16777216.0, "1.6777216E7"),
            (33554432.0, "3.3554432E7"),
        ];
        for (v, text) in floats {
            assert_eq!(&format_f32(*v), text);
        }
    }

    #[test]
    fn reads_javas_forms() {
        let same = |s: &str, v: f64| assert_eq!(parse_f64(s), Some(v), "{s}");
        same(" 1d", 1.0);
        same("1F", 1.0);
        same("inf", f64::INFINITY);
        same("-Infinity", f64::NEG_INFINITY);
        same("0x1p3", 8.0);
        same(".5", 0.5);
        same("5.", 5.0);
        same("1e400", f64::INFINITY);
        same("1e-400", 0.0);
        assert!(parse_f64("NaN").is_some_and(f64::is_nan));
        for bad in ["", "abc", "1e", "d", ".", "1 2", "1dd", "0x1"] {
            assert_eq!(parse_f64(bad), None, "{bad}");
        }
        assert_eq!(parse_integral::<i32>(" +5 "), Some(5));
        assert_eq!(parse_integral::<i8>("300"), None);
        assert_eq!(parse_integral::<i64>("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_integral::<i32>("1.5"), None);
        assert_eq!(parse_integral_lenient::<i32>("1.5"), Some(1));
        assert_eq!(parse_integral::<i32>(""), None);
    }
}
