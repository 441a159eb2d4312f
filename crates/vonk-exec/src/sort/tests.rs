//! Sorts against a sort of plain values, with and without memory.

use crate::testing::{batch_of, column, node, run_with, values};
use arrow::array::{
    ArrayRef, AsArray, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;
use vonk_physical::{PhysicalPlan, Sort, SortKey};
use vonk_types::DataType;

/// One row: the values a key may be made of.
#[derive(Debug, Clone)]
struct Row {
    small: Option<i32>,
    float: Option<f64>,
    text: Option<String>,
    big: Option<i128>,
}

fn row() -> impl Strategy<Value = Row> {
    let float = prop_oneof![
        Just(f64::NAN),
        Just(-f64::NAN),
        Just(0.0),
        Just(-0.0),
        Just(f64::INFINITY),
        -2.0..2.0f64,
        any::<f64>()
    ];
    let text = prop_oneof!["[ab]{0,3}", "[a-c]{10,16}", "\\PC{0,6}", Just("a\0".to_string())];
    let small = prop_oneof![-3..3i32, any::<i32>()];
    (
        proptest::option::weighted(0.9, small),
        proptest::option::weighted(0.9, float),
        proptest::option::weighted(0.9, text),
        proptest::option::weighted(0.9, any::<i128>().prop_map(|x| x / 1_000_000)),
    )
        .prop_map(|(small, float, text, big)| Row { small, float, text, big })
}

const TYPES: [DataType; 5] =
    [DataType::Int, DataType::Double, DataType::String, DataType::Decimal(38, 0), DataType::Long];

/// Columns: small, float, text, big, and the row's number.
fn batch(rows: &[Row]) -> RecordBatch {
    let big = Decimal128Array::from_iter(rows.iter().map(|r| r.big)).with_precision_and_scale(38, 0).unwrap();
    batch_of(vec![
        Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.small))),
        Arc::new(Float64Array::from_iter(rows.iter().map(|r| r.float))),
        Arc::new(StringViewArray::from_iter(rows.iter().map(|r| r.text.as_deref()))) as ArrayRef,
        Arc::new(big),
        Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)),
    ])
}

fn compare_values(a: &Row, b: &Row, column: usize) -> (bool, bool, Ordering) {
    let float = |x: f64, y: f64| match (x.is_nan(), y.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => x.partial_cmp(&y).unwrap(),
    };
    fn of<T: Clone>(a: &Option<T>, b: &Option<T>, f: impl Fn(&T, &T) -> Ordering) -> (bool, bool, Ordering) {
        let order = match (a, b) {
            (Some(x), Some(y)) => f(x, y),
            _ => Ordering::Equal,
        };
        (a.is_none(), b.is_none(), order)
    }
    match column {
        0 => of(&a.small, &b.small, |x, y| x.cmp(y)),
        1 => of(&a.float, &b.float, |x, y| float(*x, *y)),
        2 => of(&a.text, &b.text, |x, y| x.as_bytes().cmp(y.as_bytes())),
        _ => of(&a.big, &b.big, |x, y| x.cmp(y)),
    }
}

type Key = (usize, bool, bool);

fn expected(rows: &[Row], keys: &[Key]) -> Vec<i64> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| {
        keys.iter().fold(Ordering::Equal, |o, (column, descending, nulls_first)| {
            o.then_with(|| match compare_values(&rows[*a], &rows[*b], *column) {
                (true, true, _) => Ordering::Equal,
                (true, false, _) => {
                    if *nulls_first {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (false, true, _) => {
                    if *nulls_first {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (_, _, o) => {
                    if *descending {
                        o.reverse()
                    } else {
                        o
                    }
                }
            })
        })
    });
    order.into_iter().map(|i| i as i64).collect()
}

fn sorted(rows: &[Row], keys: &[Key], fetch: Option<u64>, limit: Option<u64>, batch_rows: usize) -> Vec<i64> {
    let keys = keys.iter().map(|(c, descending, nulls_first)| SortKey {
        expr: column(*c, TYPES[*c].clone()),
        descending: *descending,
        nulls_first: *nulls_first,
    });
    let input = Box::new(values(batch(rows)));
    let plan = node(&TYPES, PhysicalPlan::Sort(Sort { keys: keys.collect(), fetch, input }));
    let out = run_with(plan, limit, batch_rows, 0).unwrap();
    // Every column must have moved with its row.
    let numbers = out.column(4).as_primitive::<Int64Type>().values().to_vec();
    let all = batch(rows);
    let picked: Vec<RecordBatch> = numbers.iter().map(|i| all.slice(*i as usize, 1)).collect();
    let picked = concat_batches(&out.schema(), &picked).unwrap();
    assert_eq!(format!("{:?}", picked.columns()), format!("{:?}", out.columns()));
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sorts_as_plain_values(
        rows in proptest::collection::vec(row(), 0..300),
        keys in proptest::collection::vec((0..4usize, any::<bool>(), any::<bool>()), 1..4),
        fetch in proptest::option::of(0..40u64),
        limit in proptest::option::of(1_000..20_000u64),
        batch_rows in 1..64usize,
    ) {
        let mut want = expected(&rows, &keys);
        want.truncate(fetch.map_or(usize::MAX, |f| f as usize));
        prop_assert_eq!(sorted(&rows, &keys, fetch, limit, batch_rows), want);
    }
}

#[test]
fn many_runs_are_merged_in_passes() {
    let rows: Vec<Row> = (0..5_000i64)
        .map(|i| Row {
            small: Some((i * 7919 % 1000) as i32),
            float: None,
            text: Some(format!("a text that is too long to be inline {}", i * 31 % 257)),
            big: None,
        })
        .collect();
    for keys in [[(0, false, true), (2, true, true)], [(2, false, true), (0, false, false)]] {
        assert_eq!(sorted(&rows, &keys, None, Some(30_000), 64), expected(&rows, &keys));
        assert_eq!(sorted(&rows, &keys, Some(4_000), Some(30_000), 64), expected(&rows, &keys)[..4_000]);
    }
}

#[test]
fn a_top_k_of_ascending_rows_keeps_replacing_them() {
    let rows: Vec<Row> =
        (0..20_000).map(|i| Row { small: Some(i), float: Some(1.0), text: None, big: None }).collect();
    let keys = [(1, false, true), (0, true, true)];
    assert_eq!(sorted(&rows, &keys, Some(3), None, 512), [19_999, 19_998, 19_997]);
}
