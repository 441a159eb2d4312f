//! Places of rows: `row_number`, `rank`, `dense_rank`, `percent_rank`, `cume_dist`, `ntile`.

use super::{WindowCall, WindowFunction, docs};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array};
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue};

const ROW_NUMBER: Docs = docs(
    "row_number()",
    "The number of the row within its window partition, from 1.",
    "2.0.0",
    &[ex(
        "SELECT a, b, row_number() OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t2\nA1\t2\t3\nA2\t3\t1",
    )],
);
const RANK: Docs = docs(
    "rank()",
    "One more than the number of rows before the row's peers.",
    "2.0.0",
    &[ex(
        "SELECT a, b, rank(b) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t1\nA1\t2\t3\nA2\t3\t1",
    )],
);
const DENSE_RANK: Docs = docs(
    "dense_rank()",
    "The number of the row's group of peers, from 1.",
    "2.0.0",
    &[ex(
        "SELECT a, b, dense_rank(b) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t1\nA1\t2\t2\nA2\t3\t1",
    )],
);
const PERCENT_RANK: Docs = docs(
    "percent_rank()",
    "The rank scaled to 0 for the first and 1 for the last row.",
    "2.0.0",
    &[ex(
        "SELECT a, b, percent_rank(b) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A1', 3), ('A1', 1) t(a, b)",
        "A1\t1\t0.0\nA1\t1\t0.0\nA1\t2\t0.6666666666666666\nA1\t3\t1.0",
    )],
);
const CUME_DIST: Docs = docs(
    "cume_dist()",
    "The share of rows that come before the row or are its peers.",
    "2.0.0",
    &[ex(
        "SELECT a, b, cume_dist() OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A1', 3), ('A1', 1) t(a, b)",
        "A1\t1\t0.5\nA1\t1\t0.5\nA1\t2\t0.75\nA1\t3\t1.0",
    )],
);
const NTILE: Docs = docs(
    "ntile(n)",
    "The number from 1 of the bucket of the row where all rows are put into `n` buckets of almost equal size.",
    "2.0.0",
    &[ex(
        "SELECT a, b, ntile(2) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t1\nA1\t2\t2\nA2\t3\t1",
    )],
);

pub(super) fn rows() -> Vec<WindowFunction> {
    let none = Arity::exactly(0);
    // Spark lets the order's expressions stand as arguments, and does not look at them.
    let any = Arity::at_least(0);
    vec![
        WindowFunction {
            rank_like: true,
            ..WindowFunction::new("row_number", ROW_NUMBER, none, resolve_int, row_number)
        },
        WindowFunction {
            rank_like: true,
            order_sensitive: false,
            display: Display::Custom(|_, _| "RANK()".into()),
            ..WindowFunction::new("rank", RANK, any, resolve_int, rank)
        },
        WindowFunction {
            rank_like: true,
            order_sensitive: false,
            display: Display::Custom(|_, _| "DENSE_RANK()".into()),
            ..WindowFunction::new("dense_rank", DENSE_RANK, any, resolve_int, dense_rank)
        },
        WindowFunction {
            order_sensitive: false,
            display: Display::Custom(|_, _| "PERCENT_RANK()".into()),
            ..WindowFunction::new("percent_rank", PERCENT_RANK, any, resolve_double, percent_rank)
        },
        WindowFunction {
            order_sensitive: false,
            own_frame: |_| "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".into(),
            ..WindowFunction::new("cume_dist", CUME_DIST, none, resolve_double, cume_dist)
        },
        WindowFunction {
            display: Display::Custom(|_, args| {
                format!("ntile({})", args.first().map_or("1", String::as_str))
            }),
            ..WindowFunction::new("ntile", NTILE, Arity::between(0, 1), resolve_ntile, ntile)
        },
    ]
}

fn resolve_int(site: &CallSite<'_>) -> Result<Resolution> {
    never_null(site, DataType::Int)
}

fn resolve_double(site: &CallSite<'_>) -> Result<Resolution> {
    never_null(site, DataType::Double)
}

fn never_null(site: &CallSite<'_>, return_type: DataType) -> Result<Resolution> {
    let arg_types = site.args.iter().map(|a| a.data_type.clone()).collect();
    Ok(Resolution { arg_types, return_type, nullable: false })
}

fn row_number(call: &WindowCall<'_>) -> Result<ArrayRef> {
    Ok(Arc::new(Int32Array::from_iter_values(1..=call.rows as i32)))
}

/// Calls `f` with each group of peers: its number, first row and number of rows.
fn each_peers(call: &WindowCall<'_>, mut f: impl FnMut(usize, usize, usize)) {
    for (n, start) in call.peers.iter().enumerate() {
        let end = call.peers.get(n + 1).copied().unwrap_or(call.rows);
        f(n, *start, end - start);
    }
}

fn rank(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let mut out: Vec<i32> = Vec::with_capacity(call.rows);
    each_peers(call, |_, start, n| out.resize(out.len() + n, start as i32 + 1));
    Ok(Arc::new(Int32Array::from(out)))
}

fn dense_rank(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let mut out: Vec<i32> = Vec::with_capacity(call.rows);
    each_peers(call, |group, _, n| out.resize(out.len() + n, group as i32 + 1));
    Ok(Arc::new(Int32Array::from(out)))
}

fn percent_rank(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let mut out: Vec<f64> = Vec::with_capacity(call.rows);
    let others = call.rows.saturating_sub(1) as f64;
    each_peers(call, |_, start, n| {
        let value = if others > 0.0 { start as f64 / others } else { 0.0 };
        out.resize(out.len() + n, value);
    });
    Ok(Arc::new(Float64Array::from(out)))
}

fn cume_dist(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let mut out: Vec<f64> = Vec::with_capacity(call.rows);
    let all = call.rows as f64;
    each_peers(call, |_, start, n| out.resize(out.len() + n, (start + n) as f64 / all));
    Ok(Arc::new(Float64Array::from(out)))
}

fn resolve_ntile(site: &CallSite<'_>) -> Result<Resolution> {
    if let Some(n) = site.args.first() {
        let Some(literal) = &n.literal else {
            return Err(Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                .with("inputName", "`buckets`")
                .with("inputType", "\"INT\"")
                .with("inputExpr", format!("\"{}\"", n.sql))
                .at(site.span));
        };
        let ScalarValue::Int32(Some(buckets)) = literal.value else {
            return Err(site.unexpected_type(0, "\"INT\""));
        };
        if buckets <= 0 {
            return Err(Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
                .with("exprName", "buckets")
                .with("valueRange", "(0, 2147483647]")
                .with("currentValue", buckets.to_string())
                .at(site.span));
        }
    }
    never_null(site, DataType::Int)
}

fn ntile(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let buckets = call.args.first().map_or(1, |a| match a.is_empty() {
        true => 1,
        false => a.as_primitive::<Int32Type>().value(0).max(1),
    });
    let (size, larger) = (call.rows / buckets as usize, call.rows % buckets as usize);
    let mut out: Vec<i32> = Vec::with_capacity(call.rows);
    for bucket in 0..(buckets as usize).min(call.rows) {
        let n = size + usize::from(bucket < larger);
        out.resize(out.len() + n, bucket as i32 + 1);
    }
    Ok(Arc::new(Int32Array::from(out)))
}
