//! Values of other rows: `lag`, `lead`.

use super::{WindowCall, WindowFunction, docs};
use crate::coerce::implicit;
use crate::describe::{Docs, ex};
use crate::resolve::{Arg, Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::Int32Type;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue};

const LAG: Docs = docs(
    "lag(input[, offset[, default]])",
    "The value of the row `offset` rows before, one if not given; the default, or null, if there is no such row.",
    "2.0.0",
    &[
        ex(
            "SELECT a, b, lag(b) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
            "A1\t1\tNULL\nA1\t1\t1\nA1\t2\t1\nA2\t3\tNULL",
        ),
        ex(
            "SELECT y, lag(x) IGNORE NULLS OVER (ORDER BY y) FROM VALUES (1, 1), (null, 2), (2, 3), (null, 4) t(x, y)",
            "1\tNULL\n2\t1\n3\t1\n4\t2",
        ),
    ],
);
const LEAD: Docs = docs(
    "lead(input[, offset[, default]])",
    "The value of the row `offset` rows after, one if not given; the default, or null, if there is no such row.",
    "2.0.0",
    &[ex(
        "SELECT a, b, lead(b, 1, 0) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t2\nA1\t2\t0\nA2\t3\t0",
    )],
);

pub(super) fn rows() -> Vec<WindowFunction> {
    let row = |name, docs, kernel, own_frame| WindowFunction {
        is_offset: true,
        own_frame,
        display: Display::Custom(|called_as, args| {
            let part = |i: usize, default: &str| args.get(i).map_or(default.to_string(), String::clone);
            format!("{called_as}({}, {}, {})", part(0, ""), part(1, "1"), part(2, "NULL"))
        }),
        ..WindowFunction::new(name, docs, Arity::between(0, 3), resolve, kernel)
    };
    vec![
        row("lag", LAG, |call| shift(call, -1), |args| frame(args, -1)),
        row("lead", LEAD, |call| shift(call, 1), |args| frame(args, 1)),
    ]
}

/// The one row that is looked at, as Spark writes it: always so many rows following.
fn frame(args: &[Arg], sign: i64) -> String {
    let offset = match args.get(1).and_then(|a| a.literal.as_ref()).map(|l| &l.value) {
        Some(ScalarValue::Int32(Some(n))) => i64::from(*n),
        _ => 1,
    };
    let at = sign * offset;
    format!("ROWS BETWEEN {at} FOLLOWING AND {at} FOLLOWING")
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let Some(input) = site.args.first() else {
        return Ok(Resolution { arg_types: vec![], return_type: DataType::Null, nullable: true });
    };
    let mut arg_types = vec![input.data_type.clone()];
    if let Some(offset) = site.args.get(1) {
        if offset.literal.is_none() {
            let sql =
                if site.called_as == "lag" { format!("(- {})", offset.sql) } else { offset.sql.clone() };
            return Err(Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                .with("inputName", "`offset`")
                .with("inputType", "\"INT\"")
                .with("inputExpr", format!("\"{sql}\""))
                .at(site.span));
        }
        let null = offset.literal.as_ref().is_none_or(|l| l.is_null());
        if null || !matches!(offset.data_type, DataType::Byte | DataType::Short | DataType::Int) {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1035")
                .with("prettyName", site.called_as)
                .at(site.span));
        }
        arg_types.push(DataType::Int);
    }
    if let Some(default) = site.args.get(2) {
        if !implicit(&default.data_type, &input.data_type) {
            let required = format!("(\"{}\" or \"VOID\")", input.data_type.sql());
            return Err(site.unexpected_type(2, &required));
        }
        arg_types.push(input.data_type.clone());
    }
    let nullable = input.nullable || site.args.get(2).is_none_or(|d| d.nullable);
    Ok(Resolution { arg_types, return_type: input.data_type.clone(), nullable })
}

/// Takes each row's value from `sign` times the offset rows on.
fn shift(call: &WindowCall<'_>, sign: i64) -> Result<ArrayRef> {
    let Some(input) = call.args.first() else {
        return Ok(new_null_array(&call.return_type.to_arrow(), call.rows));
    };
    let offset = match call.args.get(1) {
        Some(a) if !a.is_empty() => i64::from(a.as_primitive::<Int32Type>().value(0)),
        _ => 1,
    } * sign;
    let target: Box<dyn Fn(usize) -> Option<usize>> = if call.ignore_nulls {
        Box::new(nth_valid(input, offset))
    } else {
        let rows = call.rows as i64;
        Box::new(move |row| usize::try_from(row as i64 + offset).ok().filter(|t| (*t as i64) < rows))
    };
    let null = new_null_array(input.data_type(), 1);
    let default = call.args.get(2);
    let sources = [input.as_ref(), default.unwrap_or(&null).as_ref()];
    let picks: Vec<(usize, usize)> = (0..call.rows)
        .map(|row| target(row).map_or((1, if default.is_some() { row } else { 0 }), |t| (0, t)))
        .collect();
    if picks.is_empty() {
        return Ok(input.clone());
    }
    Ok(interleave(&sources, &picks)?)
}

/// The row that is the `offset`th one from a row that has a value, not counting those that have none.
fn nth_valid(input: &ArrayRef, offset: i64) -> impl Fn(usize) -> Option<usize> + use<> {
    let nulls = input.logical_nulls();
    let valid: Vec<usize> = match &nulls {
        Some(nulls) => nulls.valid_indices().collect(),
        None => (0..input.len()).collect(),
    };
    move |row| {
        let place = match offset {
            0 => return Some(row),
            1.. => valid.partition_point(|v| *v <= row) as i64 + offset - 1,
            _ => valid.partition_point(|v| *v < row) as i64 + offset,
        };
        usize::try_from(place).ok().and_then(|p| valid.get(p)).copied()
    }
}
