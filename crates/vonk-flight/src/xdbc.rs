//! The types as XDBC knows them (XdbcTypeInfo).
//!
//! Must not know: sessions.

use crate::service::failed;
use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};
use std::sync::OnceLock;
use vonk_error::Result;

/// All types.
pub fn data() -> Result<&'static XdbcTypeInfoData> {
    static DATA: OnceLock<XdbcTypeInfoData> = OnceLock::new();
    if let Some(data) = DATA.get() {
        return Ok(data);
    }
    let mut builder = XdbcTypeInfoDataBuilder::new();
    types().into_iter().for_each(|t| builder.append(t));
    let data = builder.build().map_err(failed)?;
    Ok(DATA.get_or_init(|| data))
}

fn plain(name: &str, data_type: XdbcDataType, size: Option<i32>) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_string(),
        data_type,
        column_size: size,
        literal_prefix: None,
        literal_suffix: None,
        create_params: None,
        nullable: Nullable::NullabilityNullable,
        case_sensitive: false,
        searchable: Searchable::Full,
        unsigned_attribute: None,
        fixed_prec_scale: false,
        auto_increment: None,
        local_type_name: Some(name.to_string()),
        minimum_scale: None,
        maximum_scale: None,
        sql_data_type: data_type,
        datetime_subcode: None,
        num_prec_radix: None,
        interval_precision: None,
    }
}

fn number(name: &str, data_type: XdbcDataType, digits: i32, radix: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        unsigned_attribute: Some(false),
        auto_increment: Some(false),
        minimum_scale: Some(0),
        maximum_scale: Some(0),
        num_prec_radix: Some(radix),
        ..plain(name, data_type, Some(digits))
    }
}

fn quoted(t: XdbcTypeInfo, prefix: &str) -> XdbcTypeInfo {
    XdbcTypeInfo { literal_prefix: Some(prefix.to_string()), literal_suffix: Some("'".to_string()), ..t }
}

fn types() -> Vec<XdbcTypeInfo> {
    use XdbcDataType as X;
    let timestamp = |name: &str, prefix: &str| XdbcTypeInfo {
        sql_data_type: X::XdbcDatetime,
        datetime_subcode: Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp),
        minimum_scale: Some(6),
        maximum_scale: Some(6),
        ..quoted(plain(name, X::XdbcTimestamp, Some(29)), prefix)
    };
    let interval = |name: &str, subcode| XdbcTypeInfo {
        datetime_subcode: Some(subcode),
        ..quoted(plain(name, X::XdbcInterval, Some(30)), "INTERVAL '")
    };
    vec![
        plain("BOOLEAN", X::XdbcBit, Some(1)),
        number("TINYINT", X::XdbcTinyint, 3, 10),
        number("SMALLINT", X::XdbcSmallint, 5, 10),
        number("INT", X::XdbcInteger, 10, 10),
        number("BIGINT", X::XdbcBigint, 19, 10),
        number("FLOAT", X::XdbcReal, 24, 2),
        number("DOUBLE", X::XdbcDouble, 53, 2),
        XdbcTypeInfo {
            create_params: Some(vec!["precision".to_string(), "scale".to_string()]),
            maximum_scale: Some(38),
            ..number("DECIMAL", X::XdbcDecimal, 38, 10)
        },
        XdbcTypeInfo { case_sensitive: true, ..quoted(plain("STRING", X::XdbcVarchar, None), "'") },
        quoted(plain("BINARY", X::XdbcVarbinary, None), "X'"),
        XdbcTypeInfo {
            sql_data_type: X::XdbcDatetime,
            datetime_subcode: Some(XdbcDatetimeSubcode::XdbcSubcodeYear),
            ..quoted(plain("DATE", X::XdbcDate, Some(10)), "DATE'")
        },
        timestamp("TIMESTAMP", "TIMESTAMP'"),
        timestamp("TIMESTAMP_NTZ", "TIMESTAMP_NTZ'"),
        interval("INTERVAL YEAR TO MONTH", XdbcDatetimeSubcode::XdbcSubcodeYearToMonth),
        interval("INTERVAL DAY TO SECOND", XdbcDatetimeSubcode::XdbcSubcodeDayToSecond),
        plain("ARRAY", X::XdbcUnknownType, None),
        plain("MAP", X::XdbcUnknownType, None),
        plain("STRUCT", X::XdbcUnknownType, None),
    ]
}
