//! Filtered scans against filters over whole scans: late materialisation, pages, Bloom filters, runtime filters.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvalEnv, Evaluator};
use vonk_functions::RowPosition;
use vonk_plan::source::{ScanRequest, TableSource};
use vonk_sources::parquet::ParquetSource;
use vonk_sources::{Formats, OpenScan, ScanFilter, ScanMetrics};
use vonk_types::{CompareOp, DataType, EvalContext, Literal, StructType};

/// k: 0.. ascending; m: scattered numbers; t: text of few values; d: days ascending; u: unique text.
fn write(path: &Path, rows: i64, bloom: bool) {
    let text = |i: i64| ["RAIL", "SHIP", "AIR", "TRUCK BY A LONG WAY ROUND"][(i * 7 % 11 % 4) as usize];
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("k", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef, true),
        (
            "m",
            Arc::new(Int32Array::from_iter(
                (0..rows).map(|i| (i % 13 != 0).then_some((i * 7919 % 1000) as i32)),
            )),
            true,
        ),
        ("t", Arc::new(StringViewArray::from_iter_values((0..rows).map(text))), true),
        ("d", Arc::new(Date32Array::from_iter_values((0..rows).map(|i| (i / 10) as i32))), true),
        (
            "u",
            Arc::new(StringViewArray::from_iter_values(
                (0..rows).map(|i| format!("unique text of row {}", i * 2)),
            )),
            true,
        ),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1000))
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(50)
        .set_bloom_filter_enabled(bloom)
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn column(i: usize) -> BoundExpr {
    let types = [DataType::Long, DataType::Int, DataType::String, DataType::Date, DataType::String];
    BoundExpr::column(i, types[i].clone())
}

fn compare(op: CompareOp, i: usize, l: Literal) -> BoundExpr {
    BoundExpr::Compare { op, left: Box::new(column(i)), right: Box::new(BoundExpr::Literal(l)) }
}

struct Scanned {
    rows: RecordBatch,
    metrics: Arc<ScanMetrics>,
}

fn scan(
    source: &ParquetSource,
    projection: &[usize],
    predicate: Option<&BoundExpr>,
    runtime: Vec<(usize, Arc<dyn ScanFilter>)>,
    limit: Option<u64>,
) -> Result<Scanned> {
    let read: Vec<_> = (0..5).map(|i| (i, source.schema().fields[i].clone())).collect();
    let request = ScanRequest { columns: &[0, 1, 2, 3, 4], filters: &[], target_partitions: 1, limit: None };
    let plan = source.scan(&request)?;
    let output = StructType::new(projection.iter().map(|i| read[*i].1.clone()).collect::<Vec<_>>());
    let (formats, env) = (Formats::builtin(), EvalEnv::new(EvalContext::default()));
    let metrics = Arc::new(ScanMetrics::default());
    let mut batches = vec![];
    for p in &plan.partitions {
        let mut stream = formats.reader(&plan.reader)?.open(OpenScan {
            shared: &plan.shared,
            partition: &p.payload,
            read: &read,
            projection,
            predicate,
            runtime_filters: runtime.clone(),
            env: &env,
            batch_rows: 128,
            limit,
            metrics: metrics.clone(),
        })?;
        while let Some(batch) = stream.next()? {
            assert!(batch.num_rows() > 0);
            batches.push(batch);
        }
    }
    let rows = match batches.first() {
        Some(b) if b.num_columns() == 0 => {
            let n = batches.iter().map(RecordBatch::num_rows).sum();
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(n));
            RecordBatch::try_new_with_options(b.schema(), vec![], &options).unwrap()
        }
        _ => concat_batches(&output.to_arrow_schema(), &batches).unwrap(),
    };
    Ok(Scanned { rows, metrics })
}

/// Filters all rows, without help from the scan.
fn expected(source: &ParquetSource, projection: &[usize], predicate: &BoundExpr) -> RecordBatch {
    let all = scan(source, &[0, 1, 2, 3, 4], None, vec![], None).unwrap().rows;
    let env = EvalEnv::new(EvalContext::default());
    let mut evaluator = Evaluator::new(predicate, &env).unwrap();
    let keep = evaluator.evaluate_filter(&all, RowPosition::default()).unwrap();
    filter_record_batch(&all, &keep).unwrap().project(projection).unwrap()
}

fn predicates() -> Vec<BoundExpr> {
    let text = |op, s: &str| compare(op, 2, Literal::string(s));
    let day =
        |op, d: i32| compare(op, 3, Literal::new(vonk_types::ScalarValue::Date32(Some(d)), DataType::Date));
    let m = |op, v| compare(op, 1, Literal::int(v));
    vec![
        compare(CompareOp::Lt, 0, Literal::long(250)),
        compare(CompareOp::Gt, 0, Literal::long(100_000)),
        m(CompareOp::Lt, 20),
        m(CompareOp::GtEq, 20),
        text(CompareOp::Eq, "AIR"),
        BoundExpr::And(vec![
            text(CompareOp::Eq, "TRUCK BY A LONG WAY ROUND"),
            m(CompareOp::Lt, 500),
            day(CompareOp::Gt, 100),
        ]),
        BoundExpr::And(vec![day(CompareOp::GtEq, 120), day(CompareOp::Lt, 140)]),
        BoundExpr::Or(vec![day(CompareOp::Lt, 5), text(CompareOp::Eq, "SHIP")]),
        BoundExpr::IsNull(Box::new(column(1))),
        BoundExpr::Not(Box::new(BoundExpr::IsNull(Box::new(column(1))))),
        BoundExpr::InList {
            expr: Box::new(column(0)),
            list: [17, 1800, 3333].map(|v| BoundExpr::Literal(Literal::long(v))).to_vec(),
            negated: false,
        },
        BoundExpr::And(vec![
            compare(CompareOp::Gt, 4, Literal::string("unique text of row 7")),
            compare(CompareOp::NotEq, 2, Literal::string("AIR")),
        ]),
        BoundExpr::Literal(Literal::boolean(false)),
    ]
}

#[test]
fn filtered_scans_give_the_rows_of_filters() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    write(&path, 3_500, true);
    let source = ParquetSource::open(path.to_str().unwrap(), None).unwrap();
    for (n, p) in predicates().iter().enumerate() {
        for projection in [&[0usize, 1, 2, 3, 4][..], &[4, 2], &[1], &[]] {
            let want = expected(&source, projection, p);
            let got = scan(&source, projection, Some(p), vec![], None).unwrap().rows;
            assert_eq!(got.num_rows(), want.num_rows(), "predicate {n}, columns {projection:?}");
            assert_eq!(got.columns(), want.columns(), "predicate {n}, columns {projection:?}");
            // The limit is each partition's: what comes first is there, and no more than is allowed.
            // A limit is per partition, and partitions are in order.
            let limited = scan(&source, projection, Some(p), vec![], Some(7)).unwrap().rows;
            let first = limited.num_rows().min(7);
            assert_eq!(first, want.num_rows().min(7));
            assert_eq!(limited.slice(0, first).columns(), want.slice(0, first).columns());
        }
    }
}

#[test]
fn pages_and_row_groups_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    write(&path, 10_000, true);
    let source = ParquetSource::open(path.to_str().unwrap(), None).unwrap();
    let read = |p: &BoundExpr| scan(&source, &[4], Some(p), vec![], None).unwrap();
    let groups = |s: &Scanned| s.metrics.row_groups_pruned.load(Ordering::Relaxed);
    let bytes = |s: &Scanned| s.metrics.bytes_read.load(Ordering::Relaxed);

    let all = read(&compare(CompareOp::GtEq, 0, Literal::long(0)));
    assert_eq!((all.rows.num_rows(), groups(&all)), (10_000, 0));
    let few = read(&compare(CompareOp::Eq, 0, Literal::long(4_321)));
    assert_eq!((few.rows.num_rows(), groups(&few)), (1, 9));
    // One group of ten, and of it the dictionary and the page that has the row.
    assert!(bytes(&few) * 10 < bytes(&all), "{} of {}", bytes(&few), bytes(&all));
    // Between the bounds of every group, but in none: known by the Bloom filters.
    let none = read(&compare(CompareOp::Eq, 4, Literal::string("unique text of row 4001")));
    assert_eq!((none.rows.num_rows(), groups(&none)), (0, 10));
}

/// Multiples of a number.
struct Multiples(i64, Option<(i64, i64)>);

impl ScanFilter for Multiples {
    fn bounds(&self) -> Option<(Literal, Literal)> {
        self.1.map(|(low, high)| (Literal::long(low), Literal::long(high)))
    }
    fn is_empty(&self) -> bool {
        false
    }
    fn test(&self, values: &ArrayRef) -> Result<BooleanArray> {
        let values = values.as_primitive::<Int64Type>();
        Ok(BooleanArray::from_iter(values.iter().map(|v| Some(v.is_some_and(|v| v % self.0 == 0)))))
    }
}

#[test]
fn runtime_filters_drop_rows_or_are_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    write(&path, 100_000, false);
    let source = ParquetSource::open(path.to_str().unwrap(), None).unwrap();
    let run = |filter: Multiples, predicate: Option<&BoundExpr>| {
        let s = scan(&source, &[0, 2], predicate, vec![(0, Arc::new(filter))], None).unwrap();
        s.rows.column(0).as_primitive::<Int64Type>().values().to_vec()
    };
    assert_eq!(run(Multiples(500, None), None), (0..100_000).step_by(500).collect::<Vec<_>>());
    let bounded = run(Multiples(500, Some((2_000, 3_000))), None);
    assert!(bounded.iter().all(|k| (2_000..=3_000).contains(k) || k / 1000 == 2 || k / 1000 == 3));
    assert!(bounded.contains(&2_000) && bounded.contains(&3_000) && bounded.len() < 10);
    // Lets everything through: no row may be lost when it is given up.
    let text = compare(CompareOp::Eq, 2, Literal::string("AIR"));
    let want = expected(&source, &[0], &text);
    assert_eq!(
        run(Multiples(1, None), Some(&text)),
        want.column(0).as_primitive::<Int64Type>().values().to_vec()
    );
    assert_eq!(run(Multiples(1, None), None).len(), 100_000);
}
