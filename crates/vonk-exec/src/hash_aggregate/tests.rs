//! Aggregations against a model that goes row by row.

use crate::hashing::testing::{canonical, column, key_types};
use crate::testing::{batch_of, node, run_with, values};
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::Span;
use vonk_eval::BoundExpr;
use vonk_functions::{AggregateCall, Registry};
use vonk_physical::{AggregateMode, AggregateSpec, HashAggregate, PhysicalPlan, PlanNode, SortKey};
use vonk_types::{CompareOp, DataType, EvalContext, Literal};

/// Keys and a value.
type Row = (Vec<Option<u8>>, Option<i64>);

fn spec(function: &str, args: Vec<BoundExpr>, data_type: DataType) -> AggregateSpec {
    let arg_types: Vec<DataType> = args.iter().map(BoundExpr::data_type).collect();
    let constants = vec![None; args.len()];
    let ctx = EvalContext::default();
    let f = Registry::builtin().aggregate(function).unwrap().clone();
    let call = AggregateCall {
        arg_types: &arg_types,
        constants: &constants,
        return_type: &data_type,
        ctx: &ctx,
        span: Span::NONE,
    };
    let state_types = (f.state_types)(&call);
    AggregateSpec {
        function: function.into(),
        args,
        filter: None,
        distinct: false,
        order_by: vec![],
        data_type,
        state_types,
        span: Span::NONE,
    }
}

struct Case {
    types: Vec<DataType>,
    rows: Vec<Row>,
    /// With calls that need all rows at once.
    whole: bool,
}

impl Case {
    fn value(&self) -> BoundExpr {
        BoundExpr::column(self.types.len(), DataType::Long)
    }

    fn input(&self) -> PlanNode {
        let key = |i: usize| column(&self.types[i], &self.rows.iter().map(|r| r.0[i]).collect::<Vec<_>>());
        let mut columns: Vec<ArrayRef> = (0..self.types.len()).map(key).collect();
        columns.push(Arc::new(Int64Array::from_iter(self.rows.iter().map(|r| r.1))));
        values(batch_of(columns))
    }

    fn keys(&self) -> Vec<BoundExpr> {
        self.types.iter().enumerate().map(|(i, t)| BoundExpr::column(i, t.clone())).collect()
    }

    fn calls(&self) -> Vec<AggregateSpec> {
        let value = || vec![self.value()];
        let positive = BoundExpr::Compare {
            op: CompareOp::Gt,
            left: Box::new(self.value()),
            right: Box::new(BoundExpr::Literal(Literal::long(0))),
        };
        let list = DataType::array(DataType::Long, false);
        let mut calls = vec![
            spec("count", vec![], DataType::Long),
            spec("sum", value(), DataType::Long),
            spec("max", value(), DataType::Long),
            AggregateSpec { filter: Some(positive.clone()), ..spec("count", value(), DataType::Long) },
        ];
        if self.whole {
            let by = |descending| SortKey { expr: self.value(), descending, nulls_first: false };
            calls.push(AggregateSpec { distinct: true, ..spec("count", value(), DataType::Long) });
            calls.push(AggregateSpec {
                order_by: vec![by(true)],
                ..spec("collect_list", value(), list.clone())
            });
            calls.push(AggregateSpec {
                distinct: true,
                order_by: vec![by(false)],
                filter: Some(positive),
                ..spec("collect_list", value(), list)
            });
        }
        calls
    }

    fn aggregate(&self, mode: AggregateMode, groups: Vec<BoundExpr>, input: PlanNode) -> PlanNode {
        let aggregates = self.calls();
        let mut types = self.types.clone();
        for call in &aggregates {
            match mode {
                AggregateMode::Partial | AggregateMode::Merge => {
                    types.extend(call.state_types.iter().cloned())
                }
                _ => types.push(call.data_type.clone()),
            }
        }
        let plan = HashAggregate { mode, groups, aggregates, input: Box::new(input) };
        node(&types, PhysicalPlan::HashAggregate(plan))
    }

    fn complete(&self) -> PlanNode {
        self.aggregate(AggregateMode::Complete, self.keys(), self.input())
    }

    fn two_phases(&self, merged_between: bool) -> PlanNode {
        let mut plan = self.aggregate(AggregateMode::Partial, self.keys(), self.input());
        if merged_between {
            plan = self.aggregate(AggregateMode::Merge, self.keys(), plan);
        }
        self.aggregate(AggregateMode::Final, self.keys(), plan)
    }

    /// Groups as text, sorted.
    fn model(&self) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<Vec<Option<u8>>, Vec<Option<i64>>> = BTreeMap::new();
        if self.types.is_empty() {
            groups.insert(vec![], vec![]);
        }
        for (keys, value) in &self.rows {
            let key = self.types.iter().zip(keys).map(|(t, v)| canonical(t, *v)).collect();
            groups.entry(key).or_default().push(*value);
        }
        let show = |v: Option<i64>| v.map_or("NULL".to_string(), |v| v.to_string());
        let list = |v: &[i64]| format!("{v:?}");
        let mut out = vec![];
        for (keys, values) in groups {
            let mut row: Vec<String> =
                self.types.iter().zip(&keys).map(|(t, v)| text(&column(t, &[*v]), 0)).collect();
            let mut present: Vec<i64> = values.iter().flatten().copied().collect();
            row.push(values.len().to_string());
            row.push(show((!present.is_empty()).then(|| present.iter().sum())));
            row.push(show(present.iter().copied().max()));
            row.push(present.iter().filter(|v| **v > 0).count().to_string());
            if self.whole {
                present.sort_unstable();
                let mut distinct = present.clone();
                distinct.dedup();
                row.push(distinct.len().to_string());
                present.reverse();
                row.push(list(&present));
                distinct.retain(|v| *v > 0);
                row.push(list(&distinct));
            }
            out.push(row);
        }
        out.sort();
        out
    }

    fn check(&self, plan: PlanNode, limit: Option<u64>, batch_rows: usize) {
        let batch = run_with(plan, limit, batch_rows, 0).unwrap();
        assert_eq!(shown(&batch), self.model());
    }
}

fn text(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) || array.data_type() == &arrow::datatypes::DataType::Null {
        return "NULL".to_string();
    }
    ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).unwrap().value(row).to_string()
}

fn shown(batch: &RecordBatch) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> =
        (0..batch.num_rows()).map(|r| batch.columns().iter().map(|c| text(c, r)).collect()).collect();
    rows.sort();
    rows
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let key = prop::collection::vec(prop::option::weighted(0.8, 0u8..8), 5);
    prop::collection::vec((key, prop::option::weighted(0.9, -3i64..6)), 0..most)
}

fn types() -> impl Strategy<Value = Vec<DataType>> {
    let mut all = key_types();
    all.push(vec![]);
    prop::sample::select(all)
}

fn limits() -> impl Strategy<Value = Option<u64>> {
    prop::sample::select(vec![None, None, Some(1u64), Some(2000)])
}

fn batch_rows() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![3usize, 1024])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn complete_is_the_model(types in types(), rows in rows(60), whole: bool, limit in limits(), n in batch_rows()) {
        let case = Case { types, rows, whole };
        case.check(case.complete(), limit, n);
    }

    #[test]
    fn two_phases_are_the_model(types in types(), rows in rows(60), merge: bool, limit in limits(), n in batch_rows()) {
        let case = Case { types, rows, whole: false };
        case.check(case.two_phases(merge), limit, n);
    }
}

#[test]
fn nearly_distinct_rows_pass_without_grouping() {
    let n = 250_000i64;
    // The last tenth repeats the first.
    let keys = Int64Array::from_iter_values(
        (0..n).map(|i| (i % (n / 10 * 9)).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)),
    );
    let input = values(batch_of(vec![Arc::new(keys)]));
    let groups = vec![BoundExpr::column(0, DataType::Long)];
    let types = [DataType::Long, DataType::Long];
    let plan = |mode, input| {
        let aggregates = vec![spec("count", vec![], DataType::Long)];
        node(
            &types,
            PhysicalPlan::HashAggregate(HashAggregate {
                mode,
                groups: groups.clone(),
                aggregates,
                input: Box::new(input),
            }),
        )
    };
    let partial = plan(AggregateMode::Partial, input);
    let passed = run_with(partial.clone(), None, 8192, 0).unwrap();
    assert_eq!(passed.num_rows() as i64, n);
    let all = run_with(plan(AggregateMode::Final, partial), None, 8192, 0).unwrap();
    assert_eq!(all.num_rows() as i64, n / 10 * 9);
    let counts = arrow::array::cast::AsArray::as_primitive::<arrow::datatypes::Int64Type>(all.column(1));
    assert_eq!(counts.values().iter().sum::<i64>(), n);
    assert_eq!(counts.values().iter().filter(|c| **c == 2).count() as i64, n / 10);
}

#[test]
fn keys_that_come_in_rounds_are_grouped() {
    // A thousand rows short of the second judgement, no key has come twice.
    let (n, keys) = (200_000i64, 15_000i64);
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values((0..n).map(|i| i % keys)));
    let input = PlanNode { estimated_rows: Some(200_000), ..values(batch_of(vec![column])) };
    let plan = HashAggregate {
        mode: AggregateMode::Partial,
        groups: vec![BoundExpr::column(0, DataType::Long)],
        aggregates: vec![spec("count", vec![], DataType::Long)],
        input: Box::new(input),
    };
    let node = node(&[DataType::Long, DataType::Long], PhysicalPlan::HashAggregate(plan));
    assert_eq!(run_with(node, None, 8192, 0).unwrap().num_rows() as i64, keys);
}

#[test]
fn arguments_are_not_evaluated_where_the_filter_is_not_true() {
    // A cast that fails under ANSI, of a row that the filter leaves out.
    let strings: ArrayRef = Arc::new(StringViewArray::from(vec!["1", "x", "3"]));
    let column = BoundExpr::column(0, DataType::String);
    let cast = BoundExpr::Cast {
        expr: Box::new(column.clone()),
        to: DataType::Long,
        mode: vonk_types::CastMode::Ansi,
        span: Span::NONE,
    };
    let filter = BoundExpr::Compare {
        op: CompareOp::NotEq,
        left: Box::new(column),
        right: Box::new(BoundExpr::Literal(Literal::string("x"))),
    };
    let call = AggregateSpec { filter: Some(filter), ..spec("sum", vec![cast], DataType::Long) };
    let plan = HashAggregate {
        mode: AggregateMode::Complete,
        groups: vec![],
        aggregates: vec![call],
        input: Box::new(values(batch_of(vec![strings]))),
    };
    let out = run_with(node(&[DataType::Long], PhysicalPlan::HashAggregate(plan)), None, 1024, 0).unwrap();
    assert_eq!(shown(&out), [["4"]]);
}

#[test]
fn many_groups_are_alike_in_memory_and_on_disk() {
    let n = 60_000i64;
    let keys = Int64Array::from_iter_values((0..n).map(|i| i * 7919 % 15_000));
    let ones = Int64Array::from_iter_values((0..n).map(|i| i % 4));
    let input = values(batch_of(vec![Arc::new(keys), Arc::new(ones)]));
    let value = || vec![BoundExpr::column(1, DataType::Long)];
    for limit in [None, Some(1_000_000), Some(50_000)] {
        let distinct = AggregateSpec { distinct: true, ..spec("count", value(), DataType::Long) };
        let plan = HashAggregate {
            mode: AggregateMode::Complete,
            groups: vec![BoundExpr::column(0, DataType::Long)],
            aggregates: vec![spec("sum", value(), DataType::Long), distinct],
            input: Box::new(input.clone()),
        };
        let types = [DataType::Long, DataType::Long, DataType::Long];
        let out = run_with(node(&types, PhysicalPlan::HashAggregate(plan)), limit, 1024, 0).unwrap();
        assert_eq!(out.num_rows(), 15_000);
        let column = |c: usize| {
            let a = arrow::array::cast::AsArray::as_primitive::<arrow::datatypes::Int64Type>(out.column(c));
            a.values().iter().sum::<i64>()
        };
        // A key comes back after 15,000 rows, which 4 divides: its four values are the same.
        assert_eq!(column(1), (0..n).map(|i| i % 4).sum::<i64>());
        assert_eq!(column(2), 15_000);
    }
}

#[test]
fn groups_of_nothing() {
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let plan = |mode, groups: Vec<BoundExpr>, input: PlanNode| {
        let mut types: Vec<DataType> = groups.iter().map(BoundExpr::data_type).collect();
        let call = spec("count", vec![], DataType::Long);
        types.push(DataType::Long);
        let plan = HashAggregate { mode, groups, aggregates: vec![call], input: Box::new(input) };
        node(&types, PhysicalPlan::HashAggregate(plan))
    };
    let input = || values(batch_of(vec![none.clone()]));
    let keyed = plan(AggregateMode::Complete, vec![BoundExpr::column(0, DataType::Long)], input());
    assert_eq!(run_with(keyed, None, 1024, 0).unwrap().num_rows(), 0);
    let partial = plan(AggregateMode::Partial, vec![], input());
    for whole in [plan(AggregateMode::Complete, vec![], input()), plan(AggregateMode::Final, vec![], partial)]
    {
        assert_eq!(shown(&run_with(whole, None, 1024, 0).unwrap()), [["0"]]);
    }
}

#[test]
fn groups_are_extrapolated_from_the_first_rows() {
    let near = |a: f64, b: f64| assert!((a - b).abs() < b * 0.1, "{a} is not near {b}");
    // 200,000 keys at random: 10,000 rows meet 9,754 of them, a million nearly all.
    near(super::groups_among(1e6, 1e4, 9_754.0), 198_652.0);
    // All different so far.
    near(super::groups_among(1e6, 1e4, 1e4), 1e6);
    near(super::groups_among(1e6, 1e4, 5.0), 5.0);
    near(super::groups_among(1e4, 1e4, 8_000.0), 8_000.0);
}
