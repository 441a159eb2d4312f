//! Numeric literals.

use crate::lex::Kind;
use vonk_error::{Error, Result};
use vonk_types::{DataType, Literal, ScalarValue};

/// The value of a numeric token, with the minus in front of it, if any.
pub(crate) fn literal(kind: Kind, token: &str, negative: bool) -> Result<Literal> {
    let suffix = match kind {
        Kind::Long | Kind::Short | Kind::Byte | Kind::Float | Kind::Double => 1,
        Kind::BigDecimal => 2,
        _ => 0,
    };
    let digits = &token[..token.len() - suffix];
    let text = if negative { format!("-{digits}") } else { digits.to_string() };
    let range = |min: &str, max: &str, type_name: &str| {
        Error::new("INVALID_NUMERIC_LITERAL_RANGE")
            .with("rawStrippedQualifier", text.clone())
            .with("minValue", min)
            .with("maxValue", max)
            .with("typeName", type_name)
    };
    match kind {
        Kind::Long => {
            let v =
                text.parse().map_err(|_| range("-9223372036854775808", "9223372036854775807", "bigint"))?;
            Ok(Literal::long(v))
        }
        Kind::Short => {
            let v = text.parse().map_err(|_| range("-32768", "32767", "smallint"))?;
            Ok(Literal::new(ScalarValue::Int16(Some(v)), DataType::Short))
        }
        Kind::Byte => {
            let v = text.parse().map_err(|_| range("-128", "127", "tinyint"))?;
            Ok(Literal::new(ScalarValue::Int8(Some(v)), DataType::Byte))
        }
        // Spark compares the number as written with the largest float as a double: one that would be rounded to it is too large.
        Kind::Float => match text.parse::<f32>() {
            Ok(v) if v.is_finite() && text.parse::<f64>().is_ok_and(|d| d.abs() <= f64::from(f32::MAX)) => {
                Ok(Literal::new(ScalarValue::Float32(Some(v)), DataType::Float))
            }
            _ => Err(range("-3.4028234663852886E+38", "3.4028234663852886E+38", "float")),
        },
        Kind::Double | Kind::Exponent => match text.parse::<f64>() {
            Ok(v) if v.is_finite() => Ok(Literal::double(v)),
            _ => Err(range("-1.7976931348623157E+308", "1.7976931348623157E+308", "double")),
        },
        Kind::Decimal | Kind::BigDecimal => decimal(&text),
        _ => integer(&text),
    }
}

/// Digits without suffix: the narrowest of int, bigint and decimal that holds them.
fn integer(text: &str) -> Result<Literal> {
    if let Ok(v) = text.parse::<i32>() {
        return Ok(Literal::int(v));
    }
    if let Ok(v) = text.parse::<i64>() {
        return Ok(Literal::long(v));
    }
    decimal(text)
}

/// A decimal of as many digits as were written (zeros in front do not count).
fn decimal(text: &str) -> Result<Literal> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        // An exponent that does not fit is refused by the precision below.
        Some(i) => (&unsigned[..i], unsigned[i + 1..].parse::<i64>().unwrap_or(i64::from(i32::MAX))),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let mut digits = if significant.is_empty() { "0".to_string() } else { significant.to_string() };
    let mut scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    let mut precision = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if scale < 0 {
        // Spark has no negative scales: 1e3BD is 1000.
        precision = precision.saturating_sub(scale);
        if precision <= 38 {
            digits.push_str(&"0".repeat(scale.unsigned_abs() as usize));
        }
        scale = 0;
    }
    precision = precision.max(scale);
    if precision > 38 {
        return Err(Error::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION")
            .with("precision", precision.to_string())
            .with("maxPrecision", "38"));
    }
    // At most 38 digits: fits.
    let unscaled: i128 = digits.parse().map_err(|_| Error::internal("digits of a decimal literal"))?;
    let unscaled = if negative { -unscaled } else { unscaled };
    let (p, s) = (precision as u8, scale as i8);
    let value = match i64::try_from(unscaled) {
        Ok(v) if p <= vonk_types::arrow_types::MAX_DECIMAL64_PRECISION => {
            ScalarValue::Decimal64(Some(v), p, s)
        }
        _ => ScalarValue::Decimal128(Some(unscaled), p, s),
    };
    Ok(Literal::new(value, DataType::Decimal(p, s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(kind: Kind, text: &str) -> String {
        literal(kind, text, false).unwrap().data_type.to_string()
    }

    #[test]
    fn decimals() {
        assert_eq!(type_of(Kind::Decimal, "0.010"), "decimal(3,3)");
        assert_eq!(type_of(Kind::Decimal, "1."), "decimal(1,0)");
        assert_eq!(type_of(Kind::Decimal, "00.5"), "decimal(1,1)");
        assert_eq!(type_of(Kind::BigDecimal, "1.5e3BD"), "decimal(4,0)");
        assert_eq!(type_of(Kind::BigDecimal, "1e-5bd"), "decimal(5,5)");
        assert_eq!(type_of(Kind::Integer, "12345678901234567890"), "decimal(20,0)");
        assert!(literal(Kind::BigDecimal, "1e38bd", false).is_err());
        assert!(literal(Kind::BigDecimal, "1e99999999999999999999bd", false).is_err());
        assert!(literal(Kind::BigDecimal, "1e-99999999999999999999bd", false).is_err());
    }

    #[test]
    fn integers() {
        assert_eq!(literal(Kind::Integer, "2147483648", true).unwrap(), Literal::int(i32::MIN));
        assert_eq!(literal(Kind::Integer, "2147483648", false).unwrap(), Literal::long(2147483648));
        assert_eq!(
            literal(Kind::Byte, "300Y", false).unwrap_err().condition(),
            "INVALID_NUMERIC_LITERAL_RANGE"
        );
    }
}
