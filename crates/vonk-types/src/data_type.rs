//! Spark's data types and their text forms.
//!
//! Must not know: Arrow (see [`crate::arrow_types`]).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Fields of the year-month interval family, coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum YearMonthField {
    /// Years.
    Year,
    /// Months.
    Month,
}

/// Fields of the day-time interval family, coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DayTimeField {
    /// Days.
    Day,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
    /// Seconds with six fractional digits.
    Second,
}

/// Spark's data types.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataType {
    /// The type of an untyped `NULL` (`void`).
    Null,
    /// `boolean`.
    Boolean,
    /// `tinyint`, 8 bits.
    Byte,
    /// `smallint`, 16 bits.
    Short,
    /// `int`, 32 bits.
    Int,
    /// `bigint`, 64 bits.
    Long,
    /// `float`, IEEE 754 single.
    Float,
    /// `double`, IEEE 754 double.
    Double,
    /// `decimal(precision, scale)`, `1 <= precision <= 38`, `0 <= scale <= precision`.
    Decimal(u8, i8),
    /// `string`, UTF-8.
    String,
    /// `binary`.
    Binary,
    /// `date`, days since 1970-01-01 in the proleptic Gregorian calendar.
    Date,
    /// `timestamp` with local time zone: microseconds since the epoch, UTC.
    Timestamp,
    /// `timestamp_ntz`: microseconds on a clock without a zone.
    TimestampNtz,
    /// `interval year to month`: months.
    YearMonthInterval(YearMonthField, YearMonthField),
    /// `interval day to second`: microseconds.
    DayTimeInterval(DayTimeField, DayTimeField),
    /// The legacy `interval`: months, days and microseconds.
    CalendarInterval,
    /// `array<element>`.
    Array(Arc<DataType>, /* contains null */ bool),
    /// `map<key,value>`; keys are never null.
    Map(Arc<DataType>, Arc<DataType>, /* value contains null */ bool),
    /// `struct<name:type,…>`.
    Struct(StructType),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StructField {
    /// Name as written; resolution ignores case unless `spark.sql.caseSensitive`.
    pub name: Arc<str>,
    /// Type.
    pub data_type: DataType,
    /// Whether values may be null.
    pub nullable: bool,
}

impl StructField {
    /// A field.
    pub fn new(name: impl Into<Arc<str>>, data_type: DataType, nullable: bool) -> Self {
        StructField { name: name.into(), data_type, nullable }
    }
}

/// The fields of a struct, also the schema of a relation. Cheap to clone. Names may repeat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StructType {
    /// In order.
    pub fields: Arc<[StructField]>,
}

impl StructType {
    /// From fields in order.
    pub fn new(fields: impl Into<Arc<[StructField]>>) -> Self {
        StructType { fields: fields.into() }
    }
}

impl DataType {
    /// Spark's default for a decimal of unknown digits (`decimal`).
    pub const DECIMAL_DEFAULT: DataType = DataType::Decimal(10, 0);
    /// The widest precision.
    pub const MAX_PRECISION: u8 = 38;
    /// `interval year to month`.
    pub const YEAR_MONTH: DataType = DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
    /// `interval day to second`.
    pub const DAY_TIME: DataType = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);

    /// `array<element>` that may contain nulls.
    pub fn array(element: DataType, contains_null: bool) -> DataType {
        DataType::Array(Arc::new(element), contains_null)
    }

    /// `map<key,value>`.
    pub fn map(key: DataType, value: DataType, value_contains_null: bool) -> DataType {
        DataType::Map(Arc::new(key), Arc::new(value), value_contains_null)
    }

    /// tinyint, smallint, int, bigint.
    pub fn is_integral(&self) -> bool {
        matches!(self, DataType::Byte | DataType::Short | DataType::Int | DataType::Long)
    }

    /// float, double.
    pub fn is_fractional_binary(&self) -> bool {
        matches!(self, DataType::Float | DataType::Double)
    }

    /// Integral, float, double or decimal.
    pub fn is_numeric(&self) -> bool {
        self.is_integral() || self.is_fractional_binary() || self.is_decimal()
    }

    /// decimal of any precision.
    pub fn is_decimal(&self) -> bool {
        matches!(self, DataType::Decimal(..))
    }

    /// An interval of the ANSI families.
    pub fn is_ansi_interval(&self) -> bool {
        matches!(self, DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..))
    }

    /// date, timestamp or timestamp_ntz.
    pub fn is_datetime(&self) -> bool {
        matches!(self, DataType::Date | DataType::Timestamp | DataType::TimestampNtz)
    }

    /// array, map or struct.
    pub fn is_nested(&self) -> bool {
        matches!(self, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_))
    }

    /// Anything that is not nested.
    pub fn is_atomic(&self) -> bool {
        !self.is_nested() && !matches!(self, DataType::Null)
    }

    /// Whether values have an order (ORDER BY, min, comparison): everything but maps and legacy intervals, nested types by their parts.
    pub fn is_orderable(&self) -> bool {
        match self {
            DataType::Map(..) | DataType::CalendarInterval => false,
            DataType::Array(e, _) => e.is_orderable(),
            DataType::Struct(s) => s.fields.iter().all(|f| f.data_type.is_orderable()),
            _ => true,
        }
    }

    /// The decimal type that holds every value of an integral type.
    pub fn decimal_for_integral(&self) -> Option<DataType> {
        match self {
            DataType::Byte => Some(DataType::Decimal(3, 0)),
            DataType::Short => Some(DataType::Decimal(5, 0)),
            DataType::Int => Some(DataType::Decimal(10, 0)),
            DataType::Long => Some(DataType::Decimal(20, 0)),
            _ => None,
        }
    }

    /// Equal but for nullability of parts at any depth, and for struct field names where `names` is false.
    pub fn same_type(&self, other: &DataType, names: bool) -> bool {
        match (self, other) {
            (DataType::Array(a, _), DataType::Array(b, _)) => a.same_type(b, names),
            (DataType::Map(k, v, _), DataType::Map(l, w, _)) => {
                k.same_type(l, names) && v.same_type(w, names)
            }
            (DataType::Struct(a), DataType::Struct(b)) => {
                a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(b.fields.iter()).all(|(x, y)| {
                        (!names || x.name.eq_ignore_ascii_case(&y.name))
                            && x.data_type.same_type(&y.data_type, names)
                    })
            }
            (a, b) => a == b,
        }
    }

    /// Spark's catalog string, as in `schema` of the JSON-lines protocol: `array<decimal(10,2)>`, `struct<a:int>`.
    pub fn catalog_string(&self) -> String {
        self.text(false)
    }

    /// Spark's SQL form, as in error messages: `ARRAY<DECIMAL(10,2)>`, `STRUCT<a: INT NOT NULL>`.
    pub fn sql(&self) -> String {
        self.text(true)
    }

    fn text(&self, sql: bool) -> String {
        let plain = |s: &str| if sql { s.to_uppercase() } else { s.to_string() };
        match self {
            DataType::Null => plain("void"),
            DataType::Boolean => plain("boolean"),
            DataType::Byte => plain("tinyint"),
            DataType::Short => plain("smallint"),
            DataType::Int => plain("int"),
            DataType::Long => plain("bigint"),
            DataType::Float => plain("float"),
            DataType::Double => plain("double"),
            DataType::Decimal(p, s) => plain(&format!("decimal({p},{s})")),
            DataType::String => plain("string"),
            DataType::Binary => plain("binary"),
            DataType::Date => plain("date"),
            DataType::Timestamp => plain("timestamp"),
            DataType::TimestampNtz => plain("timestamp_ntz"),
            DataType::CalendarInterval => plain("interval"),
            DataType::YearMonthInterval(a, b) => plain(&interval_text(a.name(), b.name())),
            DataType::DayTimeInterval(a, b) => plain(&interval_text(a.name(), b.name())),
            DataType::Array(e, _) => format!("{}<{}>", plain("array"), e.text(sql)),
            DataType::Map(k, v, _) if sql => format!("MAP<{}, {}>", k.text(sql), v.text(sql)),
            DataType::Map(k, v, _) => format!("map<{},{}>", k.text(sql), v.text(sql)),
            DataType::Struct(s) => s.text(sql),
        }
    }
}

fn interval_text(from: &str, to: &str) -> String {
    if from == to { format!("interval {from}") } else { format!("interval {from} to {to}") }
}

impl YearMonthField {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            YearMonthField::Year => "year",
            YearMonthField::Month => "month",
        }
    }
}

impl DayTimeField {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            DayTimeField::Day => "day",
            DayTimeField::Hour => "hour",
            DayTimeField::Minute => "minute",
            DayTimeField::Second => "second",
        }
    }
}

impl StructType {
    /// Spark's catalog string: `struct<a:int,b:string>`.
    pub fn catalog_string(&self) -> String {
        self.text(false)
    }

    fn text(&self, sql: bool) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|f| {
                if sql {
                    let null = if f.nullable { "" } else { " NOT NULL" };
                    format!("{}: {}{null}", quote_if_needed(&f.name), f.data_type.text(sql))
                } else {
                    format!("{}:{}", f.name, f.data_type.text(sql))
                }
            })
            .collect();
        if sql { format!("STRUCT<{}>", fields.join(", ")) } else { format!("struct<{}>", fields.join(",")) }
    }
}

/// A name in backticks unless it is a plain identifier (letters, digits, underscores, not all digits).
pub fn quote_if_needed(name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.chars().all(|c| c.is_ascii_digit());
    if plain { name.to_string() } else { quote_identifier(name) }
}

/// A name in backticks.
pub fn quote_identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

impl fmt::Display for DataType {
    /// The catalog string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.catalog_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let t = DataType::Struct(StructType::new(vec![
            StructField::new("a", DataType::array(DataType::Decimal(10, 2), true), true),
            StructField::new("b c", DataType::map(DataType::String, DataType::DAY_TIME, true), false),
        ]));
        assert_eq!(
            t.catalog_string(),
            "struct<a:array<decimal(10,2)>,b c:map<string,interval day to second>>"
        );
        assert_eq!(
            t.sql(),
            "STRUCT<a: ARRAY<DECIMAL(10,2)>, `b c`: MAP<STRING, INTERVAL DAY TO SECOND> NOT NULL>"
        );
    }
}
