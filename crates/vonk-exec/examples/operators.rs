//! Times operators over TPC-H's lineitem, without planner and scheduler around them:
//! `cargo run --release -p vonk-exec --example operators [scale] [folder] [scans|sorts|windows|shuffles]`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use vonk_error::Span;
use vonk_eval::{BoundExpr, EvalEnv};
use vonk_exec::{CancelFlag, ExecutorEnv, MemoryManager, QueryContext, TaskSpec, run_task};
use vonk_physical::{
    AggregateSpec, FrameBound, FrameUnits, Partitioning, PhysicalPlan, PlanNode, Scan, ShuffleWrite, Sort,
    SortKey, Window, WindowFrame, WindowSpec,
};
use vonk_plan::source::{ScanRequest, TableSource};
use vonk_shuffle::LocalBlocks;
use vonk_sources::Formats;
use vonk_sources::parquet::ParquetSource;
use vonk_types::{CompareOp, DataType, EvalContext, Literal, ScalarValue, StructField, StructType};

fn main() {
    let mut args = std::env::args().skip(1);
    let scale: f64 = args.next().map_or(1.0, |s| s.parse().expect("a scale"));
    let folder = args.next().map_or_else(|| std::env::temp_dir().join("vonk-operators"), PathBuf::from);
    let file = folder.join(format!("sf{scale}")).join("lineitem.parquet");
    if !file.exists() {
        let folder = file.parent().unwrap();
        vonk_sources::tpch::generate(scale, folder, &mut |f| println!("{}: {} rows", f.path, f.rows))
            .unwrap();
    }
    let lineitem = ParquetSource::open(file.to_str().unwrap(), None).unwrap();
    let wanted = args.next();
    let parts: [(&str, fn(&ParquetSource)); 4] =
        [("scans", scans), ("sorts", sorts), ("windows", windows), ("shuffles", shuffles)];
    for (name, part) in parts {
        if wanted.as_ref().is_none_or(|w| w == name) {
            part(&lineitem);
        }
    }
}

fn node(fields: Vec<StructField>, plan: PhysicalPlan) -> PlanNode {
    PlanNode::new(StructType::new(fields), plan)
}

/// A scan of columns by name; the predicate is bound to `names` in order.
fn scan(t: &ParquetSource, names: &[&str], output: usize, predicate: Option<BoundExpr>) -> PlanNode {
    let position = |n: &&str| t.schema().fields.iter().position(|f| f.name.as_ref() == *n).unwrap();
    let columns: Vec<usize> = names.iter().map(position).collect();
    let request = ScanRequest { columns: &columns, filters: &[], target_partitions: 1, limit: None };
    let read: Vec<_> = columns.iter().map(|c| (*c, t.schema().fields[*c].clone())).collect();
    let fields: Vec<StructField> = read[..output].iter().map(|(_, f)| f.clone()).collect();
    let plan = Scan {
        name: "lineitem".into(),
        scan: t.scan(&request).unwrap(),
        read,
        predicate,
        projection: (0..output).collect(),
        runtime_filters: vec![],
        limit: None,
    };
    node(fields, PhysicalPlan::Scan(plan))
}

fn time(what: &str, plan: PlanNode, limit: Option<u64>) {
    let memory = MemoryManager::new(limit);
    let spill_dir = std::env::temp_dir().join("vonk-operators-spill");
    let shuffle = Arc::new(LocalBlocks::new(memory.clone(), spill_dir.clone(), 0));
    let exec = Arc::new(ExecutorEnv { formats: Formats::builtin(), memory, shuffle, spill_dir });
    let env = EvalEnv::new(EvalContext::default());
    let query = Arc::new(QueryContext::new(env, 8192, CancelFlag::new()));
    let partitions = plan.partitions();
    let fragment = Arc::new(plan);
    for round in 0..2 {
        let start = Instant::now();
        let mut rows = 0;
        for partition in 0..partitions {
            let task = TaskSpec {
                fragment: fragment.clone(),
                partition,
                attempt: partition,
                generation: 0,
                inputs: Default::default(),
                cancel: None,
            };
            run_task(&exec, &query, &task, &mut |b| {
                rows += b.num_rows();
                Ok(())
            })
            .unwrap();
        }
        if round == 1 {
            println!("{what:<44} {:>9.1} ms  {rows} rows", start.elapsed().as_secs_f64() * 1e3);
        }
    }
}

fn compare(op: CompareOp, i: usize, l: Literal) -> BoundExpr {
    let left = Box::new(BoundExpr::column(i, l.data_type.clone()));
    BoundExpr::Compare { op, left, right: Box::new(BoundExpr::Literal(l)) }
}

fn day(days: i32) -> Literal {
    Literal::new(ScalarValue::Date32(Some(days)), DataType::Date)
}

fn decimal(v: i64) -> Literal {
    Literal::new(ScalarValue::Decimal64(Some(v), 15, 2), DataType::Decimal(15, 2))
}

fn scans(t: &ParquetSource) {
    time("scan l_orderkey", scan(t, &["l_orderkey"], 1, None), None);
    time("scan l_comment", scan(t, &["l_comment"], 1, None), None);
    time("scan l_returnflag", scan(t, &["l_returnflag"], 1, None), None);
    let q1 = [
        "l_quantity",
        "l_extendedprice",
        "l_discount",
        "l_tax",
        "l_returnflag",
        "l_linestatus",
        "l_shipdate",
    ];
    time("scan Q1 (98 % of rows)", scan(t, &q1, 6, Some(compare(CompareOp::LtEq, 6, day(10_471)))), None);
    let q6 = ["l_extendedprice", "l_discount", "l_shipdate", "l_quantity"];
    let p = BoundExpr::And(vec![
        compare(CompareOp::GtEq, 2, day(8_766)),
        compare(CompareOp::Lt, 2, day(9_131)),
        compare(CompareOp::GtEq, 1, decimal(5)),
        compare(CompareOp::LtEq, 1, decimal(7)),
        compare(CompareOp::Lt, 3, decimal(2400)),
    ]);
    time("scan Q6 (2 % of rows)", scan(t, &q6, 2, Some(p)), None);
    let modes = ["l_orderkey", "l_comment", "l_shipmode"];
    let air = compare(CompareOp::Eq, 2, Literal::string("AIR"));
    time("scan where l_shipmode = 'AIR' (14 %)", scan(t, &modes, 2, Some(air)), None);
    let one = compare(CompareOp::Eq, 0, Literal::long(1_000_003));
    time("scan where l_orderkey = 1000003", scan(t, &["l_orderkey", "l_comment"], 2, Some(one)), None);
}

fn single(input: PlanNode) -> PlanNode {
    let fields = input.schema.fields.to_vec();
    node(fields, PhysicalPlan::Coalesce { partitions: 1, input: Box::new(input) })
}

fn key(i: usize, t: DataType, descending: bool) -> SortKey {
    SortKey { expr: BoundExpr::column(i, t), descending, nulls_first: !descending }
}

fn sort(input: PlanNode, keys: Vec<SortKey>, fetch: Option<u64>) -> PlanNode {
    let fields = input.schema.fields.to_vec();
    node(fields, PhysicalPlan::Sort(Sort { keys, fetch, input: Box::new(input) }))
}

fn sorts(t: &ParquetSource) {
    let money = DataType::Decimal(15, 2);
    let rows = || single(scan(t, &["l_extendedprice", "l_orderkey", "l_shipdate", "l_comment"], 4, None));
    time("coalesced scan of 4 columns", rows(), None);
    time("sort by l_extendedprice", sort(rows(), vec![key(0, money.clone(), false)], None), None);
    let three =
        || vec![key(2, DataType::Date, true), key(0, money.clone(), false), key(1, DataType::Long, false)];
    time("sort by date desc, price, key", sort(rows(), three(), None), None);
    time("sort by l_comment", sort(rows(), vec![key(3, DataType::String, false)], None), None);
    time("sort by date, price, key in 64 MB", sort(rows(), three(), None), Some(64 << 20));
    time("top 10 by l_extendedprice", sort(rows(), vec![key(0, money.clone(), true)], Some(10)), None);
    time("top 100000 by l_comment", sort(rows(), vec![key(3, DataType::String, false)], Some(100_000)), None);
}

fn windows(t: &ParquetSource) {
    let rows = || {
        let scan = single(scan(t, &["l_orderkey", "l_suppkey", "l_shipdate", "l_quantity"], 4, None));
        sort(scan, vec![key(1, DataType::Long, false), key(2, DataType::Date, false)], None)
    };
    time("sort for windows", rows(), None);
    let spec = |function: &str, t: DataType, frame: WindowFrame| WindowSpec::Aggregate {
        call: AggregateSpec {
            function: function.into(),
            args: vec![BoundExpr::column(3, DataType::Decimal(15, 2))],
            filter: None,
            distinct: false,
            order_by: vec![],
            data_type: t,
            state_types: vec![],
            span: Span::NONE,
        },
        frame,
    };
    let n = |n: i32| Literal::int(n);
    use FrameBound::*;
    let frames = [
        ("whole partition", UnboundedPreceding, UnboundedFollowing),
        ("running", UnboundedPreceding, CurrentRow),
        ("3 before to 3 after", Preceding(n(3)), Following(n(3))),
        ("200 before to current", Preceding(n(200)), CurrentRow),
    ];
    for (what, start, end) in frames {
        let frame = WindowFrame { units: FrameUnits::Rows, start, end };
        for (f, result) in [("sum", DataType::Decimal(25, 2)), ("min", DataType::Decimal(15, 2))] {
            let input = rows();
            let mut fields = input.schema.fields.to_vec();
            fields.push(StructField::new("w", result.clone(), true));
            let window = Window {
                functions: vec![spec(f, result, frame.clone())],
                partition_by: vec![BoundExpr::column(1, DataType::Long)],
                order_by: vec![key(2, DataType::Date, false)],
                input: Box::new(input),
            };
            time(&format!("{f} over {what}"), node(fields, PhysicalPlan::Window(window)), None);
        }
    }
}

fn shuffles(t: &ParquetSource) {
    for partitions in [1, 4, 64] {
        let input = scan(t, &["l_orderkey", "l_suppkey", "l_shipdate", "l_quantity", "l_shipmode"], 5, None);
        let fields = input.schema.fields.to_vec();
        let partitioning =
            Partitioning::Hash { keys: vec![BoundExpr::column(0, DataType::Long)], partitions };
        let write = ShuffleWrite { shuffle: 1, partitioning, input: Box::new(input) };
        time(&format!("shuffle into {partitions}"), node(fields, PhysicalPlan::ShuffleWrite(write)), None);
    }
}
