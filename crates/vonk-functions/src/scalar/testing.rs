//! How tests call functions: by name, with arguments as an analyzer would give them, answers as text.

use crate::kernel::{Datum, KernelCall, RowPosition};
use crate::resolve::{self, CallSite, Resolution};
use crate::scalar::ScalarKernel;
use arrow::array::{ArrayRef, Int32Array, StringViewArray};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_types::cast::cast_array;
use vonk_types::text::hive_text;
use vonk_types::{CastMode, DataType, EvalContext, Literal, ScalarValue};

/// An argument: a constant or a column.
#[derive(Clone)]
pub(crate) struct Arg {
    pub data_type: DataType,
    pub datum: Datum,
    pub sql: String,
}

fn context(ansi: bool) -> EvalContext {
    EvalContext { ansi, ..EvalContext::default() }
}

fn literal(l: Literal) -> Arg {
    let sql = vonk_types::sql_literal::pretty_text(&l, &context(true));
    Arg { datum: Datum::Scalar(l.to_array(1).unwrap()), data_type: l.data_type, sql }
}

pub(crate) fn int(v: i32) -> Arg {
    literal(Literal::int(v))
}
pub(crate) fn long(v: i64) -> Arg {
    literal(Literal::long(v))
}
pub(crate) fn double(v: f64) -> Arg {
    literal(Literal::double(v))
}
pub(crate) fn text(v: &str) -> Arg {
    literal(Literal::string(v))
}
pub(crate) fn binary(v: &[u8]) -> Arg {
    literal(Literal::new(ScalarValue::BinaryView(Some(v.to_vec())), DataType::Binary))
}
pub(crate) fn null(t: DataType) -> Arg {
    literal(Literal::null(t))
}
pub(crate) fn boolean(v: bool) -> Arg {
    literal(Literal::boolean(v))
}
pub(crate) fn date(v: &str) -> Arg {
    let days = vonk_types::datetime::parse_date(v).unwrap();
    literal(Literal::new(ScalarValue::Date32(Some(days)), DataType::Date))
}
pub(crate) fn months(v: i32) -> Arg {
    use vonk_types::YearMonthField::Month;
    literal(Literal::new(ScalarValue::IntervalYearMonth(Some(v)), DataType::YearMonthInterval(Month, Month)))
}

/// A decimal literal, of the digits written.
pub(crate) fn dec(s: &str) -> Arg {
    let digits = s.trim_start_matches('-');
    let scale = digits.split_once('.').map_or(0, |(_, f)| f.len());
    let precision = digits.replace('.', "").trim_start_matches('0').len().max(scale).max(1);
    cast(text(s), DataType::Decimal(precision as u8, scale as i8))
}

pub(crate) fn cast(arg: Arg, to: DataType) -> Arg {
    let cast = |a: &ArrayRef| cast_array(a, &arg.data_type, &to, CastMode::Ansi, &context(true)).unwrap();
    let datum = match &arg.datum {
        Datum::Array(a) => Datum::Array(cast(a)),
        Datum::Scalar(a) => Datum::Scalar(cast(a)),
    };
    Arg { data_type: to, datum, sql: arg.sql }
}

pub(crate) fn column(array: ArrayRef, data_type: DataType) -> Arg {
    Arg { data_type, datum: Datum::Array(array), sql: "c".to_string() }
}
pub(crate) fn ints(v: &[Option<i32>]) -> Arg {
    column(Arc::new(Int32Array::from(v.to_vec())), DataType::Int)
}
pub(crate) fn texts(v: &[Option<&str>]) -> Arg {
    column(Arc::new(StringViewArray::from(v.to_vec())), DataType::String)
}

fn resolved(name: &str, args: &[Arg], ctx: &EvalContext) -> Result<Resolution> {
    let function = crate::Registry::builtin().scalar(name)?.clone();
    let args: Vec<resolve::Arg> = args
        .iter()
        .map(|a| resolve::Arg {
            data_type: a.data_type.clone(),
            nullable: true,
            literal: match &a.datum {
                Datum::Scalar(v) => Some(Literal::from_array(v, 0, a.data_type.clone()).unwrap()),
                Datum::Array(_) => None,
            },
            sql: a.sql.clone(),
            lambda: None,
        })
        .collect();
    function.arity.check(name, args.len())?;
    (function.resolve)(&CallSite { called_as: name, args: &args, ctx, span: Span::NONE })
}

/// The column name of a call.
pub(crate) fn name(name: &str, args: &[Arg]) -> String {
    let types = resolved(name, args, &context(true)).unwrap().arg_types;
    let sql: Vec<String> = args.iter().map(|a| a.sql.clone()).collect();
    crate::Registry::builtin().scalar(name).unwrap().display.text(name, &sql, &types)
}

/// Resolves, casts and calls; each row as text.
pub(crate) fn call(name: &str, args: &[Arg], ansi: bool) -> Result<(Vec<String>, DataType)> {
    let ctx = context(ansi);
    let resolution = resolved(name, args, &ctx)?;
    let mode = if ansi { CastMode::Ansi } else { CastMode::Legacy };
    let mut data = Vec::new();
    for (arg, to) in args.iter().zip(&resolution.arg_types) {
        let cast = |a: &ArrayRef| match arg.data_type == *to {
            true => Ok(a.clone()),
            false => cast_array(a, &arg.data_type, to, mode, &ctx),
        };
        data.push(match &arg.datum {
            Datum::Array(a) => Datum::Array(cast(a)?),
            Datum::Scalar(a) => Datum::Scalar(cast(a)?),
        });
    }
    let rows = data.iter().find_map(|d| (!d.is_scalar()).then(|| d.values().len())).unwrap_or(1);
    let call = KernelCall {
        args: &data,
        arg_types: &resolution.arg_types,
        lambdas: &[],
        return_type: &resolution.return_type,
        rows,
        ctx: &ctx,
        position: RowPosition::default(),
        span: Span::NONE,
    };
    let function = crate::Registry::builtin().scalar(name)?;
    let array = match &function.kernel {
        ScalarKernel::Plain(f) => f(&call)?,
        ScalarKernel::Closure(f) => f(&call)?,
        ScalarKernel::Instance(f) => f(&call)?.call(&call)?,
    };
    assert_eq!(array.len(), rows, "rows of {name}");
    assert_eq!(array.data_type(), &resolution.return_type.to_arrow(), "type of {name}");
    let text = |row| hive_text(&array, row, &resolution.return_type, &ctx);
    Ok(((0..rows).map(text).collect::<Result<_>>()?, resolution.return_type))
}

/// Rows as text, in ANSI mode.
pub(crate) fn run(name: &str, args: &[Arg]) -> Vec<String> {
    call(name, args, true).unwrap_or_else(|e| panic!("{name}: {e}")).0
}

/// One row and its type.
pub(crate) fn typed(name: &str, args: &[Arg]) -> (String, String) {
    let (rows, t) = call(name, args, true).unwrap_or_else(|e| panic!("{name}: {e}"));
    (rows[0].clone(), t.catalog_string())
}

/// Rows as text, without ANSI.
pub(crate) fn run_legacy(name: &str, args: &[Arg]) -> Vec<String> {
    call(name, args, false).unwrap_or_else(|e| panic!("{name}: {e}")).0
}

/// The condition of the error, in ANSI mode.
pub(crate) fn fails(name: &str, args: &[Arg]) -> String {
    error(name, args).condition().to_string()
}

/// The error, in ANSI mode.
pub(crate) fn error(name: &str, args: &[Arg]) -> Error {
    match call(name, args, true) {
        Err(e) => e,
        Ok((rows, _)) => panic!("{name} gave {rows:?}"),
    }
}
