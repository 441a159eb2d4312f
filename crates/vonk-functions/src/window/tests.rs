//! Kernels called on partitions; the values are Spark's.

use super::WindowCall;
use crate::registry::Registry;
use crate::scalar::array::testing::{context, texts};
use arrow::array::{ArrayRef, Int32Array};
use std::ops::Range;
use std::sync::Arc;
use vonk_error::Span;
use vonk_types::DataType;

type Column = Vec<Option<i32>>;

fn run(name: &str, args: &[Column], peers: &[usize], frames: Option<&[Range<usize>]>, skip: bool) -> String {
    let function = Registry::builtin().window(name).unwrap().clone();
    let rows = args.first().map_or(7, Vec::len);
    let columns: Vec<ArrayRef> =
        args.iter().map(|a| Arc::new(Int32Array::from(a.clone())) as ArrayRef).collect();
    let double = matches!(name, "percent_rank" | "cume_dist");
    let call = WindowCall {
        args: &columns,
        arg_types: &vec![DataType::Int; args.len()],
        return_type: if double { &DataType::Double } else { &DataType::Int },
        rows,
        peers,
        frames,
        ignore_nulls: skip,
        ctx: &context(),
        span: Span::NONE,
    };
    let out = (function.kernel)(&call).unwrap();
    assert_eq!(out.len(), rows);
    texts(&out).join(" ")
}

// … over (order by x) from values (1),(1),(2),(3),(3),(4),(5) t(x)
#[test]
fn ranks() {
    let peers = [0, 2, 3, 5, 6];
    let of = |name| run(name, &[], &peers, None, false);
    assert_eq!(of("row_number"), "1 2 3 4 5 6 7");
    assert_eq!(of("rank"), "1 1 3 4 4 6 7");
    assert_eq!(of("dense_rank"), "1 1 2 3 3 4 5");
    assert_eq!(of("percent_rank"), "0.0 0.0 0.3333333333333333 0.5 0.5 0.8333333333333334 1.0");
    assert_eq!(
        of("cume_dist"),
        "0.2857142857142857 0.2857142857142857 0.42857142857142855 0.7142857142857143 0.7142857142857143 0.8571428571428571 1.0"
    );
    assert_eq!(run("ntile", &[vec![Some(3); 7]], &peers, None, false), "1 1 1 2 2 3 3");
    assert_eq!(run("ntile", &[vec![Some(9); 3]], &[0], None, false), "1 2 3");
    assert_eq!(of("ntile"), "1 1 1 1 1 1 1");
}

#[test]
fn other_rows() {
    let x = vec![Some(1), None, Some(2), None, None, Some(3)];
    let constant = |n| vec![Some(n); 6];
    let of = |name: &str, more: &[Column], skip| {
        let args: Vec<Column> = std::iter::once(x.clone()).chain(more.iter().cloned()).collect();
        run(name, &args, &[0], None, skip)
    };
    assert_eq!(of("lag", &[], false), "null 1 null 2 null null");
    assert_eq!(of("lead", &[constant(2), constant(9)], false), "2 null null 3 9 9");
    assert_eq!(of("lag", &[constant(-1)], false), "null 2 null null 3 null");
    // lag(x) ignore nulls over (order by y) and so on
    assert_eq!(of("lag", &[], true), "null 1 1 2 2 2");
    assert_eq!(of("lag", &[constant(2)], true), "null null null 1 1 1");
    assert_eq!(of("lead", &[], true), "2 2 3 3 3 null");
    assert_eq!(of("lead", &[constant(2), constant(-1)], true), "3 3 -1 -1 -1 -1");
    assert_eq!(of("lag", &[constant(0)], true), "1 null 2 null null 3");
}

#[test]
fn nth_of_frames() {
    let args = [vec![None, Some(5), Some(7)], vec![Some(2); 3]];
    let so_far = [0..1, 0..2, 0..3];
    assert_eq!(run("nth_value", &args, &[0], Some(&so_far), false), "null 5 5");
    assert_eq!(run("nth_value", &args, &[0], Some(&[0..3, 0..3, 0..3]), true), "7 7 7");
    assert_eq!(run("nth_value", &args, &[0], Some(&[0..0, 1..2, 1..3]), true), "null null 7");
}
