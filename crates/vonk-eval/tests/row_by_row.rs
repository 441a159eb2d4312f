//! Evaluation of whole batches against evaluation row by row: same values, same failures.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListArray, RecordBatch, StringViewArray, UInt32Array,
};
use arrow::datatypes::{Float64Type, Int32Type};
use proptest::prelude::*;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_eval::{BoundExpr, EvalEnv, Evaluator, EvaluatorSet};
use vonk_functions::describe::{Docs, Group};
use vonk_functions::scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
use vonk_functions::{Arity, CallSite, Function, KernelCall, Registry, Resolution, RowPosition};
use vonk_types::{CompareOp, DataType, EvalContext, Literal, ScalarValue};

fn function(name: &'static str, kernel: fn(&KernelCall<'_>) -> Result<ArrayRef>, can_fail: bool) -> Function {
    Function::Scalar(Arc::new(ScalarFunction {
        name,
        aliases: &[],
        docs: Docs { group: Group::Misc, usage: "", summary: "", since: "1.0.0", examples: &[] },
        arity: Arity::at_least(1),
        resolve: Arc::new(|site: &CallSite<'_>| {
            Ok(Resolution { arg_types: vec![], return_type: site.arg_type(0).clone(), nullable: true })
        }),
        kernel: ScalarKernel::Plain(kernel),
        volatility: Volatility::Immutable,
        seed: None,
        null_propagating: true,
        can_fail,
        display: Display::Call,
        lambda_params: None,
    }))
}

fn integers(call: &KernelCall<'_>, f: impl Fn(i32, i32) -> Result<i32>) -> Result<ArrayRef> {
    let (a, b) = (
        call.args[0].values().as_primitive::<Int32Type>(),
        call.args[1].values().as_primitive::<Int32Type>(),
    );
    let mut out = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (i, j) = (call.args[0].index(row), call.args[1].index(row));
        out.push(if a.is_null(i) || b.is_null(j) { None } else { Some(f(a.value(i), b.value(j))?) });
    }
    Ok(Arc::new(Int32Array::from(out)))
}

fn divide(call: &KernelCall<'_>) -> Result<ArrayRef> {
    integers(call, |a, b| match b {
        0 => Err(Error::new("DIVIDE_BY_ZERO").with("config", "x")),
        b => Ok(a.wrapping_div(b)),
    })
}

fn add(call: &KernelCall<'_>) -> Result<ArrayRef> {
    integers(call, |a, b| Ok(a.wrapping_add(b)))
}

/// Applies the lambda to every element of a list.
fn apply(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = call.args[0].to_array(call.rows)?;
    let lists = lists.as_list::<i32>();
    let first = lists.offsets()[0] as usize;
    let elements = lists.values().slice(first, *lists.offsets().last().unwrap() as usize - first);
    let rows = UInt32Array::from_iter_values(
        (0..lists.len()).flat_map(|r| std::iter::repeat_n(r as u32, lists.value_length(r) as usize)),
    );
    let values = call.lambdas[0].call(&[elements], &rows)?;
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(lists.offsets().lengths());
    let field = vonk_types::arrow_types::list_field(&DataType::Int, true);
    Ok(Arc::new(ListArray::new(field, offsets, values, lists.nulls().cloned())))
}

fn env() -> EvalEnv {
    let mut registry = Registry::default();
    registry.add(&[], function("t_divide", divide, true));
    registry.add(&[], function("t_add", add, false));
    registry.add(&[], function("t_apply", apply, true));
    EvalEnv { registry: Arc::new(registry), ..EvalEnv::new(EvalContext::default()) }
}

const INT: DataType = DataType::Int;

fn call(name: &str, args: Vec<BoundExpr>, data_type: DataType) -> BoundExpr {
    BoundExpr::Call { function: name.into(), args, data_type, span: Span::new(3, 9) }
}

/// Columns: 0 and 1 integers, 2 double, 3 string.
fn int_expr() -> impl Strategy<Value = BoundExpr> {
    let leaf = prop_oneof![
        Just(BoundExpr::column(0, INT)),
        Just(BoundExpr::column(1, INT)),
        (-2..3i32).prop_map(|i| BoundExpr::Literal(Literal::int(i))),
        Just(BoundExpr::Literal(Literal::null(INT))),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let predicate = bool_expr(inner.clone().boxed());
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| call("t_add", vec![a, b], INT)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| call("t_divide", vec![a, b], INT)),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|args| BoundExpr::Coalesce { args, data_type: INT }),
            (prop::collection::vec((predicate, inner.clone()), 1..4), prop::option::of(inner.clone()))
                .prop_map(|(branches, otherwise)| BoundExpr::Case {
                    branches,
                    otherwise: otherwise.map(Box::new),
                    data_type: INT
                }),
        ]
    })
}

fn bool_expr(ints: BoxedStrategy<BoundExpr>) -> impl Strategy<Value = BoundExpr> {
    let op = prop_oneof![
        Just(CompareOp::Eq),
        Just(CompareOp::NotEq),
        Just(CompareOp::Lt),
        Just(CompareOp::GtEq),
        Just(CompareOp::EqNullSafe)
    ];
    let compare = |op, l, r| BoundExpr::Compare { op, left: Box::new(l), right: Box::new(r) };
    let leaf = prop_oneof![
        (op.clone(), ints.clone(), ints.clone()).prop_map(move |(op, l, r)| compare(op, l, r)),
        (op.clone(), prop_oneof![Just(f64::NAN), Just(0.0), Just(1.5)]).prop_map(move |(op, x)| compare(
            op,
            BoundExpr::column(2, DataType::Double),
            BoundExpr::Literal(Literal::double(x))
        )),
        (op, "[ab]{0,2}|a{14}").prop_map(move |(op, s)| compare(
            op,
            BoundExpr::Literal(Literal::string(s)),
            BoundExpr::column(3, DataType::String)
        )),
        (ints.clone(), prop::collection::vec(ints.clone(), 1..4), any::<bool>())
            .prop_map(|(e, list, negated)| BoundExpr::InList { expr: Box::new(e), list, negated }),
        ints.clone().prop_map(|e| BoundExpr::IsNull(Box::new(e))),
        ints.prop_map(|e| BoundExpr::IsNotNull(Box::new(e))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(BoundExpr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(BoundExpr::Or),
            inner.prop_map(|e| BoundExpr::Not(Box::new(e))),
        ]
    })
}

type Row = (Option<i32>, Option<i32>, Option<f64>, Option<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let int = || prop::option::weighted(0.8, -2..4i32);
    let double = prop::option::weighted(0.8, prop_oneof![Just(-0.0), Just(f64::NAN), Just(1.5), Just(2.0)]);
    let string = prop::option::weighted(0.8, "[ab]{0,2}|a{14}");
    prop::collection::vec((int(), int(), double, string), 1..100)
}

fn batch(rows: &[Row]) -> RecordBatch {
    let a: ArrayRef = Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.0)));
    let b: ArrayRef = Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.1)));
    let c: ArrayRef =
        Arc::new(arrow::array::PrimitiveArray::<Float64Type>::from_iter(rows.iter().map(|r| r.2)));
    let d: ArrayRef = Arc::new(StringViewArray::from_iter(rows.iter().map(|r| r.3.clone())));
    RecordBatch::try_from_iter_with_nullable([("a", a, true), ("b", b, true), ("c", c, true), ("d", d, true)])
        .unwrap()
}

/// Evaluates over the whole batch and over each row by itself; both give the same values, or both fail.
fn check(expr: &BoundExpr, batch: &RecordBatch) {
    let env = env();
    let at = RowPosition::default();
    let mut evaluator = Evaluator::new(expr, &env).unwrap();
    let whole = evaluator.evaluate_array(batch, at);
    let single: Result<Vec<ArrayRef>> = (0..batch.num_rows())
        .map(|i| Evaluator::new(expr, &env)?.evaluate_array(&batch.slice(i, 1), at))
        .collect();
    match (whole, single) {
        (Ok(whole), Ok(single)) => {
            assert_eq!(whole.len(), batch.num_rows());
            for (i, one) in single.iter().enumerate() {
                assert_eq!(&whole.slice(i, 1), one, "row {i}");
            }
            if expr.data_type() == DataType::Boolean {
                let filter = evaluator.evaluate_filter(batch, at).unwrap();
                assert_eq!(filter.null_count(), 0);
                let value = whole.as_boolean();
                for i in 0..value.len() {
                    assert_eq!(filter.value(i), value.is_valid(i) && value.value(i), "filter row {i}");
                }
            }
        }
        (Err(a), Err(b)) => assert_eq!(a.condition(), b.condition()),
        (whole, single) => panic!("whole {whole:?}, by row {single:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn integers_agree(expr in int_expr(), rows in rows()) {
        check(&expr, &batch(&rows));
    }

    #[test]
    fn predicates_agree(expr in bool_expr(int_expr().boxed()), rows in rows()) {
        check(&expr, &batch(&rows));
    }

    #[test]
    fn sets_agree_with_single_evaluators(exprs in prop::collection::vec(int_expr(), 1..5), rows in rows()) {
        let (batch, env, at) = (batch(&rows), env(), RowPosition::default());
        let together = EvaluatorSet::new(&exprs, &env).unwrap().evaluate_arrays(&batch, at);
        let apart: Result<Vec<ArrayRef>> =
            exprs.iter().map(|e| Evaluator::new(e, &env)?.evaluate_array(&batch, at)).collect();
        match (together, apart) {
            (Ok(a), Ok(b)) => prop_assert_eq!(a, b),
            (Err(_), Err(_)) => {}
            (a, b) => panic!("{a:?} {b:?}"),
        }
    }
}

fn ints(values: Vec<Option<i32>>) -> RecordBatch {
    let rows: Vec<Row> = values.into_iter().map(|v| (v, Some(7), None, None)).collect();
    batch(&rows)
}

#[test]
fn guarded_branches_see_only_their_rows() {
    let a = || BoundExpr::column(0, INT);
    let zero = || Box::new(BoundExpr::Literal(Literal::int(0)));
    let quotient = || call("t_divide", vec![BoundExpr::column(1, INT), a()], INT);
    let not_zero = BoundExpr::Compare { op: CompareOp::NotEq, left: Box::new(a()), right: zero() };
    let case =
        BoundExpr::Case { branches: vec![(not_zero.clone(), quotient())], otherwise: None, data_type: INT };
    let batch = ints(vec![Some(0), Some(2), None, Some(7)]);
    let at = RowPosition::default();
    let got = Evaluator::new(&case, &env()).unwrap().evaluate_array(&batch, at).unwrap();
    assert_eq!(got.as_primitive::<Int32Type>(), &Int32Array::from(vec![None, Some(3), None, Some(1)]));
    let positive = BoundExpr::Compare { op: CompareOp::Gt, left: Box::new(quotient()), right: zero() };
    let both = BoundExpr::And(vec![not_zero, positive]);
    let got = Evaluator::new(&both, &env()).unwrap().evaluate_filter(&batch, at).unwrap();
    assert_eq!(got.iter().collect::<Vec<_>>(), vec![Some(false), Some(true), Some(false), Some(true)]);
    let failure = Evaluator::new(&quotient(), &env()).unwrap().evaluate(&batch, at).unwrap_err();
    assert_eq!(failure.condition(), "DIVIDE_BY_ZERO");
    assert_eq!((failure.span().start, failure.span().end), (3, 9));
    // No rows, no failure; and a constant that fails does so only when a row asks for it.
    let one = BoundExpr::Literal(Literal::int(1));
    let constant = call("t_divide", vec![one, *zero()], INT);
    let mut evaluator = Evaluator::new(&constant, &env()).unwrap();
    assert_eq!(evaluator.evaluate_array(&batch.slice(0, 0), at).unwrap().len(), 0);
    assert!(evaluator.evaluate_array(&batch, at).is_err());
}

#[test]
fn lambdas_capture_columns_and_outer_parameters() {
    let list = |values: Vec<Option<Vec<Option<i32>>>>| -> ArrayRef {
        let array = ListArray::from_iter_primitive::<Int32Type, _, _>(values);
        let field = vonk_types::arrow_types::list_field(&INT, true);
        let (_, offsets, values, nulls) = array.into_parts();
        Arc::new(ListArray::new(field, offsets, values, nulls))
    };
    let lists = list(vec![Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(5)])]);
    let base: ArrayRef = Arc::new(Int32Array::from(vec![10, 20, 30, 40]));
    let batch = RecordBatch::try_from_iter_with_nullable([("b", base, true), ("l", lists, true)]).unwrap();
    let t = DataType::array(INT, true);
    let param = BoundExpr::LambdaParam { id: 1, data_type: INT };
    // x -> if(x = 5, x + b, b + b): captures a column, also within a branch.
    let five = BoundExpr::Compare {
        op: CompareOp::Eq,
        left: Box::new(param.clone()),
        right: Box::new(BoundExpr::Literal(Literal::int(5))),
    };
    let b = || BoundExpr::column(0, INT);
    let body = BoundExpr::Case {
        branches: vec![(five, call("t_add", vec![param, b()], INT))],
        otherwise: Some(Box::new(call("t_divide", vec![b(), b()], INT))),
        data_type: INT,
    };
    let lambda = BoundExpr::Lambda { params: vec![1], param_types: vec![INT], body: Box::new(body) };
    let expr = call("t_apply", vec![BoundExpr::column(1, t.clone()), lambda], t);
    let got = Evaluator::new(&expr, &env()).unwrap().evaluate_array(&batch, RowPosition::default()).unwrap();
    let want = list(vec![Some(vec![Some(1), Some(1)]), None, Some(vec![]), Some(vec![Some(45)])]);
    assert_eq!(&got, &want);
}

#[test]
fn subqueries_and_structs() {
    let mut env = env();
    env.scalar_subqueries = Arc::new(vec![(4, Literal::int(9))]);
    let subquery = BoundExpr::ScalarSubquery { id: 4, data_type: INT };
    assert_eq!(Evaluator::fold(&subquery, &env).unwrap(), Literal::int(9));
    let fields = vec![
        vonk_types::StructField::new("x", INT, true),
        vonk_types::StructField::new("y", DataType::String, true),
    ];
    let t = DataType::Struct(vonk_types::StructType::new(fields));
    let text = BoundExpr::Literal(Literal::new(ScalarValue::Utf8View(Some("s".into())), DataType::String));
    let whole = BoundExpr::MakeStruct { args: vec![BoundExpr::column(0, INT), text], data_type: t };
    let field = BoundExpr::Field { expr: Box::new(whole), ordinal: 0, data_type: INT };
    let batch = ints(vec![Some(1), None]);
    let got = Evaluator::new(&field, &env).unwrap().evaluate_array(&batch, RowPosition::default()).unwrap();
    assert_eq!(got.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(1), None]));
}

#[test]
fn deep_expressions_do_not_overflow_the_stack() {
    let mut expr = BoundExpr::column(0, INT);
    for _ in 0..20_000 {
        expr = call("t_add", vec![expr, BoundExpr::Literal(Literal::int(1))], INT);
    }
    let batch = ints(vec![Some(1), None]);
    let got = Evaluator::new(&expr, &env()).unwrap().evaluate_array(&batch, RowPosition::default()).unwrap();
    assert_eq!(got.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(20_001), None]));
    std::mem::forget(expr); // dropping nested boxes recurses; the parser bounds the depth of what users write
}
