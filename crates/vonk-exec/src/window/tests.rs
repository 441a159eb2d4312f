//! Windows against plain loops, with and without memory.

use crate::testing::{batch_of, column, node, run_with, values};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;
use std::sync::Arc;
use vonk_error::Span;
use vonk_physical::{
    AggregateSpec, FrameBound, FrameUnits, PhysicalPlan, PlanNode, Sort, SortKey, Window, WindowFrame,
    WindowSpec,
};
use vonk_types::{DataType, Literal};

#[derive(Debug, Clone)]
struct Row {
    part: Option<i64>,
    key: Option<i64>,
    value: Option<i64>,
}

fn row() -> impl Strategy<Value = Row> {
    let option = |low: i64, high: i64| proptest::option::weighted(0.9, low..high);
    (option(0, 4), option(-6, 6), option(-50, 50)).prop_map(|(part, key, value)| Row { part, key, value })
}

/// part, key, value, value / 7, and a text that no function reads.
fn batch(rows: &[Row]) -> RecordBatch {
    let int =
        |f: fn(&Row) -> Option<i64>| -> ArrayRef { Arc::new(Int64Array::from_iter(rows.iter().map(f))) };
    let double = Float64Array::from_iter(rows.iter().map(|r| r.value.map(|v| v as f64 / 7.0)));
    let text = StringViewArray::from_iter_values(rows.iter().map(text));
    batch_of(vec![int(|r| r.part), int(|r| r.key), int(|r| r.value), Arc::new(double), Arc::new(text)])
}

fn text(row: &Row) -> String {
    format!("the text of {:?} {:?} {:?}", row.part, row.key, row.value)
}

fn call(name: &str, arg: usize, arg_type: DataType, data_type: DataType, frame: &WindowFrame) -> WindowSpec {
    let call = AggregateSpec {
        function: name.into(),
        args: vec![column(arg, arg_type)],
        filter: None,
        distinct: false,
        order_by: vec![],
        data_type,
        state_types: vec![],
        span: Span::NONE,
    };
    WindowSpec::Aggregate { call, frame: frame.clone() }
}

/// sum(value), min(value), sum(double), collect_list(value) over the frame.
fn plan(rows: &[Row], descending: bool, frame: &WindowFrame) -> PlanNode {
    let key = |i: usize, descending: bool| SortKey {
        expr: column(i, DataType::Long),
        descending,
        nulls_first: !descending,
    };
    let input = values(batch(rows));
    let types = [DataType::Long, DataType::Long, DataType::Long, DataType::Double, DataType::String];
    let keys = vec![key(0, false), key(1, descending)];
    let sorted = node(&types, PhysicalPlan::Sort(Sort { keys, fetch: None, input: Box::new(input) }));
    let list = DataType::array(DataType::Long, false);
    let functions = vec![
        call("sum", 2, DataType::Long, DataType::Long, frame),
        call("min", 2, DataType::Long, DataType::Long, frame),
        call("sum", 3, DataType::Double, DataType::Double, frame),
        call("collect_list", 2, DataType::Long, list.clone(), frame),
    ];
    let mut types = types.to_vec();
    types.extend([DataType::Long, DataType::Long, DataType::Double, list]);
    let window = Window {
        functions,
        partition_by: vec![column(0, DataType::Long)],
        order_by: vec![key(1, descending)],
        input: Box::new(sorted),
    };
    node(&types, PhysicalPlan::Window(window))
}

/// Whether row `j` is in the frame of row `i`, both of one partition, by position or by value.
fn in_frame(frame: &WindowFrame, rows: &[Row], i: usize, j: usize, descending: bool) -> bool {
    let n = |l: &Literal| match l.value {
        vonk_types::ScalarValue::Int64(Some(n)) => n,
        vonk_types::ScalarValue::Int32(Some(n)) => i64::from(n),
        _ => panic!("an offset"),
    };
    let offset = |b: &FrameBound| match b {
        FrameBound::UnboundedPreceding => None,
        FrameBound::UnboundedFollowing => None,
        FrameBound::CurrentRow => Some(0),
        FrameBound::Preceding(l) => Some(-n(l)),
        FrameBound::Following(l) => Some(n(l)),
    };
    let (low, high) = (offset(&frame.start), offset(&frame.end));
    match frame.units {
        FrameUnits::Rows => {
            let d = j as i64 - i as i64;
            low.is_none_or(|l| d >= l) && high.is_none_or(|h| d <= h)
        }
        FrameUnits::Range => match (rows[i].key, rows[j].key) {
            (Some(a), Some(b)) => {
                let d = if descending { a - b } else { b - a };
                low.is_none_or(|l| d >= l) && high.is_none_or(|h| d <= h)
            }
            (None, None) => true,
            // Nulls come first if ascending, last if descending: reached by unbounded ends only.
            (Some(_), None) => {
                if descending {
                    high.is_none()
                } else {
                    low.is_none()
                }
            }
            (None, Some(_)) => {
                if descending {
                    low.is_none()
                } else {
                    high.is_none()
                }
            }
        },
    }
}

fn check(rows: &[Row], descending: bool, frame: &WindowFrame, limit: Option<u64>, batch_rows: usize) {
    let out = run_with(plan(rows, descending, frame), limit, batch_rows, 0).unwrap();
    assert_eq!(out.num_rows(), rows.len());
    let long = |i: usize| out.column(i).as_primitive::<Int64Type>().clone();
    let opt = |a: &Int64Array, i: usize| a.is_valid(i).then(|| a.value(i));
    let sorted: Vec<Row> = (0..rows.len())
        .map(|i| Row { part: opt(&long(0), i), key: opt(&long(1), i), value: opt(&long(2), i) })
        .collect();
    let (sums, mins, doubles) = (long(5), long(6), out.column(7).as_primitive::<Float64Type>());
    let lists = out.column(8).as_list::<i32>();
    let texts = out.column(4).as_string_view();
    for i in 0..sorted.len() {
        assert_eq!(texts.value(i), text(&sorted[i]));
        let first = (0..=i).rev().take_while(|j| sorted[*j].part == sorted[i].part).last().unwrap();
        let last = (i..sorted.len()).take_while(|j| sorted[*j].part == sorted[i].part).last().unwrap();
        let within: Vec<i64> = (first..=last)
            .filter(|j| in_frame(frame, &sorted, i, *j, descending))
            .filter_map(|j| sorted[j].value)
            .collect();
        let any = !within.is_empty();
        assert_eq!(opt(&sums, i), any.then(|| within.iter().sum::<i64>()), "sum of row {i}");
        assert_eq!(opt(&mins, i), within.iter().min().copied(), "min of row {i}");
        // In the order of the rows, to the last digit.
        let double = within.iter().fold(0.0, |a, v| a + *v as f64 / 7.0);
        assert_eq!(doubles.is_valid(i).then(|| doubles.value(i)), any.then_some(double), "double of row {i}");
        let list = lists.value(i);
        assert_eq!(list.as_primitive::<Int64Type>().values().to_vec(), within, "list of row {i}");
    }
}

fn frame() -> impl Strategy<Value = WindowFrame> {
    use FrameBound::*;
    let units = prop_oneof![Just(FrameUnits::Rows), Just(FrameUnits::Range)];
    (units, -6..6i64, 0..6i64, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(units, low, length, no_low, no_high, current)| {
            let bound =
                |n: i64| if n < 0 { Preceding(Literal::long(-n)) } else { Following(Literal::long(n)) };
            let start = if no_low {
                UnboundedPreceding
            } else if current {
                CurrentRow
            } else {
                bound(low)
            };
            let from = if current { 0 } else { low };
            let end = if no_high {
                UnboundedFollowing
            } else if no_low && current {
                CurrentRow
            } else {
                bound(from + length)
            };
            WindowFrame { units, start, end }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn frames_as_plain_loops(
        rows in proptest::collection::vec(row(), 0..120),
        frame in frame(),
        descending in any::<bool>(),
        limit in proptest::option::of(1_000..20_000u64),
        batch_rows in 1..64usize,
    ) {
        check(&rows, descending, &frame, limit, batch_rows);
    }
}

#[test]
fn a_large_partition_without_memory() {
    let rows: Vec<Row> =
        (0..2_000i64).map(|i| Row { part: Some(i / 1_500), key: Some(i), value: Some(i % 97) }).collect();
    let frame = WindowFrame {
        units: FrameUnits::Rows,
        start: FrameBound::UnboundedPreceding,
        end: FrameBound::UnboundedFollowing,
    };
    check(&rows, false, &frame, Some(20_000), 64);
}

/// One large partition, so that blocks with a base are used.
#[test]
fn large_partitions() {
    use FrameBound::*;
    let rows: Vec<Row> = (0..900i64)
        .map(|i| Row { part: Some(1), key: Some(i / 3), value: (i % 11 != 0).then_some(i * 37 % 101 - 50) })
        .collect();
    let p = |n| Preceding(Literal::long(n));
    let f = |n| Following(Literal::long(n));
    for units in [FrameUnits::Rows, FrameUnits::Range] {
        for (start, end) in [
            (UnboundedPreceding, CurrentRow),
            (UnboundedPreceding, f(5)),
            (CurrentRow, UnboundedFollowing),
            (p(40), UnboundedFollowing),
            (p(100), f(30)),
            (p(300), p(100)),
            (f(60), f(200)),
            (UnboundedPreceding, UnboundedFollowing),
        ] {
            check(&rows, false, &WindowFrame { units, start, end }, None, 64);
        }
    }
}

#[test]
fn no_partitions_no_order_and_text_keys() {
    let frame = WindowFrame {
        units: FrameUnits::Range,
        start: FrameBound::UnboundedPreceding,
        end: FrameBound::CurrentRow,
    };
    let words: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "a", "b", "c", "c"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]));
    let run = |partition_by, order_by: Vec<SortKey>| {
        let window = Window {
            functions: vec![call("sum", 1, DataType::Long, DataType::Long, &frame)],
            partition_by,
            order_by,
            input: Box::new(values(batch_of(vec![words.clone(), numbers.clone()]))),
        };
        let plan = node(&[DataType::String, DataType::Long, DataType::Long], PhysicalPlan::Window(window));
        let out = run_with(plan, None, 2, 0).unwrap();
        out.column(2).as_primitive::<Int64Type>().values().to_vec()
    };
    let word = || column(0, DataType::String);
    let order = || vec![SortKey { expr: word(), descending: false, nulls_first: true }];
    assert_eq!(run(vec![], vec![]), [15; 5]);
    assert_eq!(run(vec![], order()), [3, 3, 6, 15, 15]);
    assert_eq!(run(vec![word()], vec![]), [3, 3, 3, 9, 9]);
    assert_eq!(run(vec![word()], order()), [3, 3, 3, 9, 9]);
}
