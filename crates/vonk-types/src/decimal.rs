//! Decimals as unscaled integers: text, rounding, and Spark's rules for the types of results.

use crate::data_type::DataType;

/// 10^n, `n <= 38`.
pub const POW10: [i128; 39] = {
    let mut table = [1i128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Digits after the point that an adjusted result keeps if it has them.
pub const MINIMUM_ADJUSTED_SCALE: i32 = 6;

/// 10^n where it fits.
pub fn pow10(n: u32) -> Option<i128> {
    POW10.get(n as usize).copied()
}

/// Whether the unscaled value has at most `precision` digits.
pub fn fits(unscaled: i128, precision: u8) -> bool {
    match POW10.get(precision as usize) {
        Some(bound) => unscaled > -bound && unscaled < *bound,
        None => true,
    }
}

/// Appends a decimal in plain notation.
pub fn write(unscaled: i128, scale: i8, out: &mut String) {
    use std::fmt::Write;
    let digits = unscaled.unsigned_abs();
    if unscaled < 0 {
        out.push('-');
    }
    // Writing to a String does not fail.
    if scale <= 0 {
        let _ = write!(out, "{digits}");
        if digits != 0 {
            (scale..0).for_each(|_| out.push('0'));
        }
        return;
    }
    let scale = scale as usize;
    match POW10.get(scale) {
        Some(pow) => {
            let pow = *pow as u128;
            let _ = match u64::try_from(digits) {
                Ok(d) if pow <= u64::MAX as u128 => {
                    write!(out, "{}.{:0scale$}", d / pow as u64, d % pow as u64)
                }
                _ => write!(out, "{}.{:0scale$}", digits / pow, digits % pow),
            };
        }
        None => {
            let _ = write!(out, "0.{digits:0scale$}");
        }
    }
}

/// A decimal in plain notation: `format(-1250, 2)` is `-12.50`.
pub fn format(unscaled: i128, scale: i8) -> String {
    let mut out = String::new();
    write(unscaled, scale, &mut out);
    out
}

/// As Java's `BigDecimal.toString`: scientific where plain notation would begin with more than six zeros (`0E-8`).
/// Spark's non-ANSI cast to string uses it.
pub fn format_scientific(unscaled: i128, scale: i8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let exponent = digits.len() as i32 - 1 - scale as i32;
    if scale >= 0 && exponent >= -6 {
        return format(unscaled, scale);
    }
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
    let plus = if exponent > 0 { "+" } else { "" };
    match exponent {
        0 => format!("{sign}{}{point}", &digits[..1]),
        e => format!("{sign}{}{point}E{plus}{e}", &digits[..1]),
    }
}

/// Divides by 10^n, rounding half away from zero.
pub fn div_half_up(value: i128, n: u32) -> i128 {
    match n {
        0 => value,
        1..=38 => {
            let pow = POW10[n as usize];
            let (q, r) = (value / pow, value % pow);
            // |r| >= pow - |r| is 2|r| >= pow without overflow.
            if r.unsigned_abs() >= (pow as u128) - r.unsigned_abs() { q + value.signum() } else { q }
        }
        // 10^39 is more than twice the greatest value.
        _ => 0,
    }
}

/// Divides by a positive number, rounding to the nearest and ties to even.
pub fn div_half_even(value: i128, by: i128) -> i128 {
    let (q, r) = (value / by, value % by);
    let up = match r.unsigned_abs().cmp(&(by as u128 - r.unsigned_abs())) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => q % 2 != 0,
        std::cmp::Ordering::Less => false,
    };
    if up { q + value.signum() } else { q }
}

/// Brings a value to another scale (rounding half up) and checks its precision.
pub fn rescale(unscaled: i128, from_scale: i8, to_scale: i8, precision: u8) -> Option<i128> {
    let shift = to_scale as i32 - from_scale as i32;
    let value = if shift < 0 {
        div_half_up(unscaled, shift.unsigned_abs())
    } else if unscaled == 0 {
        0
    } else {
        unscaled.checked_mul(pow10(shift as u32)?)?
    };
    fits(value, precision).then_some(value)
}

/// A number as read from text: `unscaled × 10^-scale`, with digits beyond what fits folded into a sticky rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// Leading digits (at most 38 of them) with the sign.
    pub unscaled: i128,
    /// How far the point is to the left; negative to the right.
    pub scale: i64,
    /// Value of the first digit dropped.
    next: u8,
}

/// Reads a decimal number: sign, digits, point, exponent; no surrounding space.
pub fn parse_number(s: &str) -> Option<Parsed> {
    let bytes = s.as_bytes();
    let (negative, mut rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut out = Parsed { unscaled: 0, scale: 0, next: 0 };
    let (mut digits, mut point, mut dropping) = (false, false, false);
    while let [c, tail @ ..] = rest {
        match c {
            b'0'..=b'9' => {
                digits = true;
                let digit = c - b'0';
                if !dropping && out.unscaled < POW10[37] {
                    out.unscaled = out.unscaled * 10 + digit as i128;
                    out.scale += i64::from(point);
                } else {
                    if !dropping {
                        out.next = digit;
                    }
                    dropping = true;
                    out.scale -= i64::from(!point);
                }
            }
            b'.' if !point => point = true,
            _ => break,
        }
        rest = tail;
    }
    if !digits {
        return None;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let (down, ds) = match exponent {
            [b'-', ds @ ..] => (true, ds),
            [b'+', ds @ ..] => (false, ds),
            ds => (false, ds),
        };
        if ds.is_empty() || ds.len() > 10 || !ds.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let e = ds.iter().fold(0i64, |n, d| n * 10 + (d - b'0') as i64);
        if e > i32::MAX as i64 {
            return None;
        }
        out.scale += if down { e } else { -e };
    } else if !rest.is_empty() {
        return None;
    }
    if negative {
        out.unscaled = -out.unscaled;
    }
    Some(out)
}

impl Parsed {
    /// Digits before the point.
    pub fn whole_digits(self) -> i64 {
        if self.unscaled == 0 {
            return 0;
        }
        self.unscaled.unsigned_abs().ilog10() as i64 + 1 - self.scale
    }

    /// In plain notation, as far as its digits were kept.
    pub fn plain_text(self) -> String {
        let digits = self.unscaled.unsigned_abs().to_string();
        let sign = if self.unscaled < 0 { "-" } else { "" };
        if self.scale <= 0 {
            let zeros = usize::try_from(-self.scale).unwrap_or(0).min(400);
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        }
        let after = usize::try_from(self.scale).unwrap_or(0).min(400);
        let digits = format!("{}{digits}", "0".repeat((after + 1).saturating_sub(digits.len())));
        let (whole, fraction) = digits.split_at(digits.len() - after);
        format!("{sign}{whole}.{fraction}")
    }

    /// The unscaled value at this scale, rounded half up; `None` beyond the precision.
    pub fn to_scale(self, precision: u8, scale: i8) -> Option<i128> {
        if self.unscaled == 0 {
            return Some(0);
        }
        let shift = scale as i64 - self.scale;
        let value = match shift {
            0 => self.unscaled + if self.next >= 5 { self.unscaled.signum() } else { 0 },
            1.. => {
                let n = u32::try_from(shift).ok()?;
                self.unscaled.checked_mul(pow10(n)?)?
            }
            _ => div_half_up(self.unscaled, u32::try_from(-shift).unwrap_or(u32::MAX)),
        };
        fits(value, precision).then_some(value)
    }
}

/// Reads text as a decimal of this type, rounding half up; `None` if it is no number or does not fit.
pub fn parse(s: &str, precision: u8, scale: i8) -> Option<i128> {
    parse_number(crate::number::trim(s))?.to_scale(precision, scale)
}

/// The double nearest to a decimal.
pub fn to_f64(unscaled: i128, scale: i8) -> f64 {
    const EXACT: i128 = 1 << 53;
    if (0..=22).contains(&scale) && (-EXACT..=EXACT).contains(&unscaled) {
        return unscaled as i64 as f64 / POW10[scale as usize] as f64;
    }
    if scale == 0 {
        return unscaled as f64;
    }
    format(unscaled, scale).parse().unwrap_or(f64::NAN) // a decimal's text is always a number
}

/// The float nearest to a decimal.
pub fn to_f32(unscaled: i128, scale: i8) -> f32 {
    const EXACT: i128 = 1 << 24;
    if (0..=10).contains(&scale) && (-EXACT..=EXACT).contains(&unscaled) {
        return unscaled as i32 as f32 / POW10[scale as usize] as f32;
    }
    if scale == 0 {
        return unscaled as f32;
    }
    format(unscaled, scale).parse().unwrap_or(f32::NAN) // a decimal's text is always a number
}

/// The decimal that a double prints as, at this type (half up); `None` for NaN, infinities and what does not fit.
pub fn from_f64(v: f64, precision: u8, scale: i8) -> Option<i128> {
    if (0..=15).contains(&scale) {
        // Far enough from a tie, the printed digits and the exact value round alike.
        let scaled = v * POW10[scale as usize] as f64;
        let magnitude = scaled.abs();
        if magnitude < 1.0e15 {
            let fraction = magnitude - magnitude.floor();
            if (fraction - 0.5).abs() > magnitude * 1e-15 + 1e-15 {
                let value = scaled.round() as i64 as i128;
                return fits(value, precision).then_some(value);
            }
        }
    }
    let (unscaled, exponent) = crate::number::decimal_of_f64(v)?;
    Parsed { unscaled, scale: -(exponent as i64), next: 0 }.to_scale(precision, scale)
}

/// The digits that a double prints as, in plain notation.
pub fn plain_f64(v: f64) -> String {
    let text = crate::number::format_f64(v);
    match parse_number(&text) {
        Some(n) => n.plain_text(),
        None => text,
    }
}

/// A decimal type within bounds: both parts cut to 38.
pub fn bounded(precision: i32, scale: i32) -> DataType {
    DataType::Decimal(precision.clamp(1, 38) as u8, scale.clamp(0, 38) as i8)
}

/// Spark's `DecimalType.adjustPrecisionScale`: where a result needs more than 38 digits, digits of the fraction give way
/// first, down to six of them.
pub fn adjust_precision_scale(precision: i32, scale: i32) -> DataType {
    if precision <= 38 {
        return bounded(precision, scale);
    }
    if scale < 0 {
        return bounded(38, scale);
    }
    let whole = precision - scale;
    bounded(38, (38 - whole).max(scale.min(MINIMUM_ADJUSTED_SCALE)))
}

/// The decimal type that holds the values of both; beyond 38 digits, digits of the fraction give way
/// (Spark's `boundedPreferIntegralDigits`).
pub fn widest(a: (u8, i8), b: (u8, i8)) -> DataType {
    let scale = a.1.max(b.1) as i32;
    let precision = (a.0 as i32 - a.1 as i32).max(b.0 as i32 - b.1 as i32) + scale;
    bounded(precision, scale - (precision - 38).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        assert_eq!(format(-1250, 2), "-12.50");
        assert_eq!(format(5, 3), "0.005");
        assert_eq!(format(i128::MAX, 0), "170141183460469231731687303715884105727");
        assert_eq!(format(0, 8), "0.00000000");
        assert_eq!(format_scientific(0, 8), "0E-8");
        assert_eq!(format_scientific(10, 8), "1.0E-7");
        assert_eq!(format_scientific(123, 2), "1.23");
        assert_eq!(parse(" 1e3 ", 10, 2), Some(100_000));
        assert_eq!(parse("2.55", 3, 1), Some(26));
        assert_eq!(parse("-0.05", 3, 1), Some(-1));
        assert_eq!(parse("12345678.9", 5, 2), None);
        assert_eq!(parse("1e-99", 5, 2), Some(0));
        assert_eq!(parse("abc", 5, 2), None);
        assert_eq!(parse("0.99999999999999999999999999999999999999999999", 2, 1), Some(10));
    }

    #[test]
    fn doubles() {
        assert_eq!(from_f64(2.55, 3, 1), Some(26));
        assert_eq!(from_f64(2.45, 2, 1), Some(25));
        assert_eq!(from_f64(1.0e-10, 38, 18), Some(100_000_000));
        assert_eq!(from_f64(1e10, 5, 2), None);
        assert_eq!(from_f64(f64::NAN, 5, 2), None);
        assert_eq!(to_f64(15, 1), 1.5);
    }

    #[test]
    fn result_types() {
        assert_eq!(adjust_precision_scale(40, 10), DataType::Decimal(38, 8));
        assert_eq!(adjust_precision_scale(60, 20), DataType::Decimal(38, 6));
        assert_eq!(widest((10, 2), (5, 4)), DataType::Decimal(12, 4));
        assert_eq!(widest((38, 20), (30, 0)), DataType::Decimal(38, 8));
    }
}
