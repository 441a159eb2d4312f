//! Types in SQL: `int`, `decimal(10, 2)`, `array<struct<a: int NOT NULL>>`.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{CharLength, TypeRef};
use vonk_types::{DataType, DayTimeField, StructField, StructType, YearMonthField};

/// What parsing a type learns besides the type.
struct Parsed {
    data_type: DataType,
    length: Option<CharLength>,
    default_timestamp: bool,
}

impl Parsed {
    fn of(data_type: DataType) -> Parsed {
        Parsed { data_type, length: None, default_timestamp: false }
    }
}

impl Parser<'_> {
    /// A type.
    pub(crate) fn data_type(&mut self) -> Result<TypeRef> {
        let start = self.start();
        let parsed = self.nested(Self::parsed_type)?;
        Ok(TypeRef {
            data_type: parsed.data_type,
            length: parsed.length,
            default_timestamp: parsed.default_timestamp,
            span: self.span_from(start),
        })
    }

    fn parsed_type(&mut self) -> Result<Parsed> {
        let parsed = self.written_type();
        self.or_defer(parsed, Parsed::of(DataType::Null))
    }

    fn written_type(&mut self) -> Result<Parsed> {
        let t = self.token();
        if !self.is_identifier(t) {
            return Err(self.unexpected());
        }
        self.pos += 1;
        let simple = match t.kw {
            Kw::Boolean => DataType::Boolean,
            Kw::Tinyint | Kw::Byte => DataType::Byte,
            Kw::Smallint | Kw::Short => DataType::Short,
            Kw::Int | Kw::Integer => DataType::Int,
            Kw::Bigint | Kw::Long => DataType::Long,
            Kw::Float | Kw::Real => DataType::Float,
            Kw::Double => DataType::Double,
            Kw::Date => DataType::Date,
            Kw::TimestampLtz => DataType::Timestamp,
            Kw::TimestampNtz => DataType::TimestampNtz,
            Kw::Binary => DataType::Binary,
            Kw::Void => DataType::Null,
            Kw::Timestamp => return Ok(self.timestamp()),
            Kw::String => return self.string_type(t.start),
            Kw::Char | Kw::Character => return self.char_type("CHAR", CharLength::Char, t.start),
            Kw::Varchar => return self.char_type("VARCHAR", CharLength::Varchar, t.start),
            Kw::Decimal | Kw::Dec | Kw::Numeric => return self.decimal_type(t.start).map(Parsed::of),
            Kw::Interval => return Ok(Parsed::of(self.interval_type())),
            Kw::Array => return self.array_type(t.start),
            Kw::Map => return self.map_type(t.start),
            Kw::Struct => return self.struct_type(t.start),
            Kw::Time => {
                return Err(Error::new("UNSUPPORTED_TIME_TYPE").at(self.span_of(t)));
            }
            Kw::Variant | Kw::Geometry | Kw::Geography => {
                let name = self.text_of(t).to_ascii_lowercase();
                return Err(Error::unsupported(format!("the type {name}")).at(self.span_of(t)));
            }
            _ => return Err(self.unknown_type(t.start)),
        };
        if self.at(Kind::LParen) && self.ahead(1).kind == Kind::Integer {
            return Err(self.unknown_type(t.start));
        }
        Ok(Parsed::of(simple))
    }

    /// A name that is no type, with its numbers in parentheses.
    fn unknown_type(&mut self, start: u32) -> Error {
        if self.at(Kind::LParen) {
            let mut n = 1;
            while matches!(self.ahead(n).kind, Kind::Integer | Kind::Comma) {
                n += 1;
            }
            if self.ahead(n).kind == Kind::RParen {
                self.pos += n + 1;
            }
        }
        let span = self.span_from(start);
        let written: String = self.slice(span).split_ascii_whitespace().collect();
        Error::new("UNSUPPORTED_DATATYPE")
            .with("typeName", format!("\"{}\"", written.to_uppercase()))
            .at(span)
    }

    fn timestamp(&mut self) -> Parsed {
        if self.eat_kws(&[Kw::Without, Kw::Time, Kw::Zone]) {
            return Parsed::of(DataType::TimestampNtz);
        }
        Parsed { data_type: DataType::Timestamp, length: None, default_timestamp: true }
    }

    fn string_type(&mut self, start: u32) -> Result<Parsed> {
        if self.at_kw(Kw::Collate) && self.is_identifier(self.ahead(1)) {
            self.pos += 1;
            let collation = self.name()?;
            if !collation.last().eq_ignore_ascii_case("utf8_binary") {
                return Err(
                    Error::unsupported(format!("the collation {collation}")).at(self.span_from(start))
                );
            }
        }
        if self.at(Kind::LParen) && self.ahead(1).kind == Kind::Integer {
            return Err(self.unknown_type(start));
        }
        Ok(Parsed::of(DataType::String))
    }

    fn char_type(&mut self, name: &str, length: fn(u32) -> CharLength, start: u32) -> Result<Parsed> {
        if !self.at(Kind::LParen) {
            return Err(Error::new("DATATYPE_MISSING_SIZE")
                .with("type", format!("\"{name}\""))
                .at(self.span_from(start)));
        }
        self.pos += 1;
        let n = self.number()?;
        self.expect(Kind::RParen)?;
        Ok(Parsed { data_type: DataType::String, length: Some(length(n)), default_timestamp: false })
    }

    fn decimal_type(&mut self, start: u32) -> Result<DataType> {
        if !self.at(Kind::LParen) {
            return Ok(DataType::DECIMAL_DEFAULT);
        }
        let open = self.pos;
        self.pos += 1;
        let precision: u32 = self.number()?;
        let scale: u32 = if self.eat(Kind::Comma) { self.number()? } else { 0 };
        if self.at(Kind::Comma) {
            self.pos = open;
            return Err(self.unknown_type(start));
        }
        self.expect(Kind::RParen)?;
        let span = self.span_from(start);
        if scale > precision {
            return Err(Error::new("DECIMAL_SCALE_EXCEEDS_PRECISION")
                .with("scale", scale.to_string())
                .with("precision", precision.to_string())
                .at(span));
        }
        if precision > u32::from(DataType::MAX_PRECISION) {
            return Err(Error::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION")
                .with("precision", precision.to_string())
                .with("maxPrecision", DataType::MAX_PRECISION.to_string())
                .at(span));
        }
        // Both are at most 38.
        Ok(DataType::Decimal(precision as u8, scale as i8))
    }

    /// INTERVAL is taken: `YEAR [TO MONTH]`, `DAY [TO SECOND]`, or nothing.
    fn interval_type(&mut self) -> DataType {
        let month = |kw| match kw {
            Kw::Year => Some(YearMonthField::Year),
            Kw::Month => Some(YearMonthField::Month),
            _ => None,
        };
        let day = |kw| match kw {
            Kw::Day => Some(DayTimeField::Day),
            Kw::Hour => Some(DayTimeField::Hour),
            Kw::Minute => Some(DayTimeField::Minute),
            Kw::Second => Some(DayTimeField::Second),
            _ => None,
        };
        let to = if self.ahead(1).kw == Kw::To { self.ahead(2).kw } else { Kw::Other };
        if let Some(from) = month(self.kw()) {
            let to = month(to).filter(|t| *t == YearMonthField::Month && from < *t);
            self.pos += if to.is_some() { 3 } else { 1 };
            return DataType::YearMonthInterval(from, to.unwrap_or(from));
        }
        if let Some(from) = day(self.kw()) {
            let to = day(to).filter(|t| from < *t);
            self.pos += if to.is_some() { 3 } else { 1 };
            return DataType::DayTimeInterval(from, to.unwrap_or(from));
        }
        DataType::CalendarInterval
    }

    fn incomplete(&self, condition: &'static str, start: u32) -> Error {
        let e = Error::new(condition).at(self.span_from(start));
        if condition.ends_with("ARRAY") { e.with("elementType", "<INT>") } else { e }
    }

    /// Type arguments that make no sense are reported at their bracket: Spark then takes the type for one without arguments.
    fn type_arguments<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let open = self.pos;
        self.pos += 1;
        let inside_parens = self.depth > 1;
        read(self).map_err(|e| {
            if e.condition() != "PARSE_SYNTAX_ERROR" || !inside_parens {
                return e;
            }
            self.pos = open;
            self.missing("')'")
        })
    }

    fn array_type(&mut self, start: u32) -> Result<Parsed> {
        if !self.at(Kind::Lt) {
            return Err(self.incomplete("INCOMPLETE_TYPE_DEFINITION.ARRAY", start));
        }
        let element = self.type_arguments(|p| {
            let element = p.nested(Self::parsed_type)?;
            p.close_type()?;
            Ok(element)
        })?;
        Ok(Parsed {
            data_type: DataType::array(element.data_type, true),
            length: None,
            default_timestamp: element.default_timestamp,
        })
    }

    fn map_type(&mut self, start: u32) -> Result<Parsed> {
        if !self.at(Kind::Lt) {
            return Err(self.incomplete("INCOMPLETE_TYPE_DEFINITION.MAP", start));
        }
        let (key, value) = self.type_arguments(|p| {
            let key = p.nested(Self::parsed_type)?;
            p.expect(Kind::Comma)?;
            let value = p.nested(Self::parsed_type)?;
            p.close_type()?;
            Ok((key, value))
        })?;
        Ok(Parsed {
            data_type: DataType::map(key.data_type, value.data_type, true),
            length: None,
            default_timestamp: key.default_timestamp || value.default_timestamp,
        })
    }

    fn close_type(&mut self) -> Result<()> {
        self.require(Kind::Gt, "'>'")
    }

    fn struct_type(&mut self, start: u32) -> Result<Parsed> {
        let empty = DataType::Struct(StructType::new(Vec::new()));
        if self.at(Kind::NotEq) && self.text_of(self.token()) == "<>" {
            self.pos += 1;
            return Ok(Parsed::of(empty));
        }
        if !self.at(Kind::Lt) {
            return Err(self.incomplete("INCOMPLETE_TYPE_DEFINITION.STRUCT", start));
        }
        if self.ahead(1).kind == Kind::Gt {
            self.pos += 2;
            return Ok(Parsed::of(empty));
        }
        let (fields, default_timestamp) = self.type_arguments(Self::struct_fields)?;
        let data_type = DataType::Struct(StructType::new(fields));
        Ok(Parsed { data_type, length: None, default_timestamp })
    }

    /// `name: type NOT NULL COMMENT '…', …>`; true where a plain `timestamp` is among them.
    fn struct_fields(&mut self) -> Result<(Vec<StructField>, bool)> {
        let mut default_timestamp = false;
        let fields = self.comma_list(|p| {
            let name = p.plain_identifier()?;
            p.eat(Kind::Colon);
            let t = p.nested(Self::parsed_type)?;
            default_timestamp |= t.default_timestamp;
            let nullable = !p.not_null()?;
            if p.at_kw(Kw::Comment) && p.is_string(p.ahead(1)) {
                p.pos += 1;
                p.string()?;
            }
            Ok(StructField::new(name, t.data_type, nullable))
        })?;
        self.close_type()?;
        Ok((fields, default_timestamp))
    }

    /// Takes `NOT NULL`.
    pub(super) fn not_null(&mut self) -> Result<bool> {
        if (self.at_kw(Kw::Not) || self.at(Kind::Bang)) && self.ahead(1).kw == Kw::Null {
            self.pos += 2;
            return Ok(true);
        }
        Ok(false)
    }
}
