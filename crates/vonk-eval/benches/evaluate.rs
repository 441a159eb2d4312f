//! Hot expressions over one batch: TPC-H's price arithmetic, a date comparison, IN and LIKE.

use arrow::array::{
    ArrayRef, Date32Array, Decimal64Array, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_eval::{BoundExpr, EvalEnv, Evaluator};
use vonk_functions::RowPosition;
use vonk_types::{CompareOp, DataType, EvalContext, Literal, ScalarValue};

const ROWS: usize = 8192;

fn batch() -> Result<RecordBatch> {
    let n = ROWS as i64;
    let prices = Decimal64Array::from_iter_values((0..n).map(|i| i * 7919 % 1_000_000))
        .with_precision_and_scale(15, 2)?;
    let words = ["forest green", "PROMO BURNISHED COPPER", "ECONOMY POLISHED STEEL"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("price", Arc::new(prices)),
        ("quantity", Arc::new(Int64Array::from_iter_values((0..n).map(|i| i % 50)))),
        ("rate", Arc::new(Float64Array::from_iter_values((0..n).map(|i| i as f64 / 100.0)))),
        ("day", Arc::new(Date32Array::from_iter_values((0..n).map(|i| (i % 2500) as i32 + 8000)))),
        ("text", Arc::new(StringViewArray::from_iter_values((0..ROWS).map(|i| words[i % words.len()])))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn call(function: &str, args: Vec<BoundExpr>, data_type: DataType) -> BoundExpr {
    BoundExpr::Call { function: function.into(), args, data_type, span: Span::NONE }
}

fn expressions() -> Vec<(&'static str, BoundExpr)> {
    let decimal = DataType::Decimal(15, 2);
    let column = |i: usize, t: &DataType| BoundExpr::column(i, t.clone());
    let (long, text) = (DataType::Long, DataType::String);
    let day = Literal::new(ScalarValue::Date32(Some(9000)), DataType::Date);
    let like = vec![column(4, &text), BoundExpr::Literal(Literal::string("%POLISHED%"))];
    vec![
        ("decimal_add", call("+", vec![column(0, &decimal), column(0, &decimal)], DataType::Decimal(16, 2))),
        ("double_multiply", call("*", vec![column(2, &DataType::Double); 2], DataType::Double)),
        ("bigint_add_checked", call("+", vec![column(1, &long); 2], long.clone())),
        (
            "date_less",
            BoundExpr::Compare {
                op: CompareOp::Lt,
                left: Box::new(column(3, &DataType::Date)),
                right: Box::new(BoundExpr::Literal(day)),
            },
        ),
        (
            "bigint_in_list",
            BoundExpr::InList {
                expr: Box::new(column(1, &long)),
                list: [3, 14, 15, 42].map(|v| BoundExpr::Literal(Literal::long(v))).to_vec(),
                negated: false,
            },
        ),
        ("like_contains", call("like", like, DataType::Boolean)),
    ]
}

fn evaluate(c: &mut Criterion) {
    let batch = batch().unwrap_or_else(|e| panic!("{e}"));
    let env = EvalEnv::new(EvalContext::default());
    let mut group = c.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, expr) in expressions() {
        let mut evaluator = Evaluator::new(&expr, &env).unwrap_or_else(|e| panic!("{name}: {e}"));
        group.bench_function(name, |b| {
            b.iter(|| evaluator.evaluate_array(black_box(&batch), RowPosition::default()));
        });
    }
    group.finish();
}

#[allow(missing_docs)] // made by the macro
mod benches {
    use super::*;
    criterion_group!(all, evaluate);
}
criterion_main!(benches::all);
