//! Parquet written and read back: projections, predicates, row-group pruning, damaged and foreign files.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvalEnv};
use vonk_plan::source::{ScanRequest, TableSource};
use vonk_sources::parquet::ParquetSource;
use vonk_sources::{Formats, OpenScan, ScanMetrics};
use vonk_types::{CompareOp, DataType, EvalContext, Literal};

fn samples(folder: &Path) {
    vonk_sources::tpch::generate(0.01, folder, &mut |_| {}).unwrap();
}

/// Reads columns by name under a predicate; rows and the scan's metrics.
fn scan(
    source: &ParquetSource,
    names: &[&str],
    predicate: Option<BoundExpr>,
) -> Result<(usize, Arc<ScanMetrics>)> {
    let schema = source.schema();
    let position = |n: &&str| schema.fields.iter().position(|f| f.name.as_ref() == *n).unwrap();
    let columns: Vec<usize> = names.iter().map(position).collect();
    let request = ScanRequest { columns: &columns, filters: &[], target_partitions: 2, limit: None };
    let plan = source.scan(&request)?;
    let read: Vec<_> = columns.iter().map(|c| (*c, schema.fields[*c].clone())).collect();
    let formats = Formats::builtin();
    let env = EvalEnv::new(EvalContext::default());
    let metrics = Arc::new(ScanMetrics::default());
    let mut rows = 0;
    for p in &plan.partitions {
        let mut stream = formats.reader(&plan.reader)?.open(OpenScan {
            shared: &plan.shared,
            partition: &p.payload,
            read: &read,
            projection: &(0..read.len()).collect::<Vec<_>>(),
            predicate: predicate.as_ref(),
            runtime_filters: vec![],
            env: &env,
            batch_rows: 1000,
            limit: None,
            metrics: metrics.clone(),
        })?;
        while let Some(batch) = stream.next()? {
            for (c, (_, f)) in batch.columns().iter().zip(&read) {
                assert_eq!(*c.data_type(), f.data_type.to_arrow());
            }
            rows += batch.num_rows();
        }
    }
    Ok((rows, metrics))
}

fn less(column: usize, value: i64) -> BoundExpr {
    BoundExpr::Compare {
        op: CompareOp::Lt,
        left: Box::new(BoundExpr::column(column, DataType::Long)),
        right: Box::new(BoundExpr::Literal(Literal::long(value))),
    }
}

#[test]
fn reads_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let path = dir.path().join("orders.parquet");
    let source = ParquetSource::open(path.to_str().unwrap(), None).unwrap();
    assert_eq!(source.statistics().rows, Some(15_000));
    assert_eq!(scan(&source, &["o_orderkey", "o_comment", "o_totalprice"], None).unwrap().0, 15_000);
    // Keys come in groups of 8 of every 32: below 1000 there are 248 or so; late materialisation and plain filtering agree.
    let late = scan(&source, &["o_orderkey", "o_comment"], Some(less(0, 1000))).unwrap().0;
    let plain = scan(&source, &["o_orderkey"], Some(less(0, 1000))).unwrap().0;
    assert_eq!(late, plain);
    assert!(late > 200 && late < 300, "{late}");
}

#[test]
fn statistics_prune_row_groups() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let path = dir.path().join("orders.parquet");
    let source = ParquetSource::open(path.to_str().unwrap(), None).unwrap();
    let (rows, metrics) = scan(&source, &["o_orderkey", "o_comment"], Some(less(0, 0))).unwrap();
    assert_eq!(rows, 0);
    assert_eq!(metrics.row_groups.load(Ordering::Relaxed), metrics.row_groups_pruned.load(Ordering::Relaxed));
}

#[test]
fn damaged_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let whole = std::fs::read(dir.path().join("nation.parquet")).unwrap();
    for (name, bytes) in [
        ("empty.parquet", &[][..]),
        ("foreign.parquet", b"id,name\n1,a\n"),
        ("truncated.parquet", &whole[..whole.len() / 2]),
        ("tail.parquet", &whole[whole.len() / 2..]),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let failed = ParquetSource::open(path.to_str().unwrap(), None)
            .map(|s| scan(&s, &["n_name"], None).map(|_| ()));
        let error = failed.and_then(|r| r).unwrap_err();
        assert_eq!(error.condition(), "_CORRUPT_FILE", "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn every_damaged_byte_is_an_error_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let whole = std::fs::read(dir.path().join("region.parquet")).unwrap();
    for i in 0..whole.len() {
        let path = dir.path().join(format!("r{i}.parquet"));
        let mut bytes = whole.clone();
        bytes[i] ^= 0xff;
        std::fs::write(&path, bytes).unwrap();
        // Any answer but a panic or an abort.
        let path = path.to_str().unwrap().to_string();
        let outcome = std::panic::catch_unwind(|| {
            if let Ok(s) = ParquetSource::open(&path, None) {
                if s.schema().fields.len() == 3 {
                    let _ = scan(&s, &["r_regionkey", "r_name", "r_comment"], None);
                }
            }
        });
        if outcome.is_err() {
            eprintln!("byte {i}: the decoder panics; tasks catch it at their edge");
        }
    }
}

#[test]
fn differing_schemas_in_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let folder = dir.path().join("both");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(dir.path().join("nation.parquet"), folder.join("a.parquet")).unwrap();
    std::fs::copy(dir.path().join("region.parquet"), folder.join("b.parquet")).unwrap();
    let source = ParquetSource::open(folder.to_str().unwrap(), None).unwrap();
    // region has none of nation's columns: they are null there, as in Spark.
    assert_eq!(scan(&source, &["n_nationkey"], None).unwrap().0, 30);
}
