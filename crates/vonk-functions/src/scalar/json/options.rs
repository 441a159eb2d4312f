//! Options of the functions that read and write JSON and CSV: a constant map of strings.

use crate::kernel::KernelCall;
use crate::resolve::CallSite;
use arrow::array::{Array, AsArray};
use std::collections::HashMap;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// Options by lower-case name.
#[derive(Debug, Default, Clone)]
pub(crate) struct Options(HashMap<String, String>);

impl Options {
    /// The options that argument `i` holds, if there is one.
    pub fn of(call: &KernelCall<'_>, i: usize) -> Options {
        let Some(map) = call.args.get(i).and_then(|d| d.values().as_map_opt()) else {
            return Options::default();
        };
        let (Some(keys), Some(values)) = (map.keys().as_string_view_opt(), map.values().as_string_view_opt())
        else {
            return Options::default();
        };
        if map.is_empty() || map.is_null(0) {
            return Options::default();
        }
        let range = map.offsets()[0] as usize..map.offsets()[1] as usize;
        let pairs = range.filter(|i| values.is_valid(*i));
        Options(pairs.map(|i| (keys.value(i).to_lowercase(), values.value(i).to_string())).collect())
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// A switch.
    pub fn is(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |v| v.trim().eq_ignore_ascii_case("true"))
    }

    /// Whether errors are raised: mode `FAILFAST`. Unknown modes are permissive; dropping records is not for functions.
    pub fn fail_fast(&self, function: &str) -> Result<bool> {
        let mode = self.get("mode").unwrap_or("PERMISSIVE").to_uppercase();
        match mode.as_str() {
            "FAILFAST" => Ok(true),
            "DROPMALFORMED" => Err(Error::new("PARSE_MODE_UNSUPPORTED")
                .with("funcName", format!("`{function}`"))
                .with("mode", mode)),
            _ => Ok(false),
        }
    }
}

/// The type of an argument of options, or Spark's error.
pub(crate) fn options_type(site: &CallSite<'_>, i: usize) -> Result<Option<DataType>> {
    match site.args.get(i).map(|a| &a.data_type) {
        None => Ok(None),
        Some(t @ DataType::Map(k, v, _)) if **k == DataType::String && **v == DataType::String => {
            Ok(Some(t.clone()))
        }
        Some(DataType::Map(..)) => Err(Error::new("INVALID_OPTIONS.NON_STRING_TYPE")
            .with("mapType", format!("\"{}\"", site.arg_type(i).sql()))
            .at(site.span)),
        Some(_) => Err(Error::new("INVALID_OPTIONS.NON_MAP_FUNCTION").at(site.span)),
    }
}

/// The schema that a constant string argument says, every part of it nullable.
pub(crate) fn schema_arg(site: &CallSite<'_>, i: usize) -> Result<DataType> {
    use vonk_types::ScalarValue;
    let text = match site.args[i].literal.as_ref().map(|l| &l.value) {
        Some(ScalarValue::Utf8View(Some(text))) => text,
        _ => {
            return Err(Error::new("INVALID_SCHEMA.NON_STRING_LITERAL")
                .with("inputSchema", format!("\"{}\"", site.args[i].sql))
                .at(site.span));
        }
    };
    let parsed = vonk_types::parse::parse_data_type(text)
        .or_else(|| vonk_types::parse::parse_schema(text).map(DataType::Struct));
    match parsed {
        Some(t) => Ok(nullable(&t)),
        None => {
            let word = text.split_whitespace().last().unwrap_or("");
            Err(Error::new("PARSE_SYNTAX_ERROR")
                .with("error", format!("'{word}'"))
                .with("hint", "")
                .at(site.span))
        }
    }
}

/// A type with every part nullable: text may leave out anything.
fn nullable(t: &DataType) -> DataType {
    use vonk_types::{StructField, StructType};
    match t {
        DataType::Array(e, _) => DataType::array(nullable(e), true),
        DataType::Map(k, v, _) => DataType::map(nullable(k), nullable(v), true),
        DataType::Struct(s) => {
            let field = |f: &StructField| StructField::new(f.name.clone(), nullable(&f.data_type), true);
            DataType::Struct(StructType::new(s.fields.iter().map(field).collect::<Vec<_>>()))
        }
        t => t.clone(),
    }
}

/// A record that does not fit where that is an error.
pub(crate) fn malformed(record: &str) -> Error {
    Error::new("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
        .with("badRecord", record)
        .with("failFastMode", "FAILFAST")
}

/// The column that takes records that do not fit.
pub(crate) const CORRUPT: &str = "_corrupt_record";
