//! What the golden statements do not show: deep and wide input, places of errors, views, constants, rows of INSERT.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fmt::Write;
use std::sync::Arc;
use support::Session;
use vonk_error::{Error, QueryContext};
use vonk_plan::TableName;
use vonk_plan::logical::{Expr, LogicalPlan, Named};
use vonk_plan::unresolved::{Expr as Written, ExprKind, JoinConstraint, JoinKind, Plan, Select, Star};
use vonk_types::{DataType, Literal, StructField, StructType};

fn session() -> Session {
    let mut s = Session::new();
    s.catalog.add_table("t", &[("a", DataType::Int), ("b", DataType::Long), ("c", DataType::String)]);
    s
}

fn error(s: &Session, sql: &str) -> Error {
    s.query(sql).expect_err(sql)
}

#[test]
fn errors_point_at_what_is_wrong() {
    let s = session();
    for (sql, fragment) in [
        ("SELECT a, nope FROM t", "nope"),
        ("SELECT a FROM t WHERE b > 1 AND nope = 2", "nope"),
        ("SELECT nosuch(a) FROM t", "nosuch(a)"),
        ("SELECT * FROM nosuch", "nosuch"),
        ("SELECT a FROM t ORDER BY 3", "3"),
        ("SELECT a FROM t LIMIT -1", "-1"),
        ("SELECT sum(sum(a)) FROM t", "sum(a)"),
        ("SELECT (SELECT nope FROM t) FROM t", "nope"),
        ("SELECT a FROM t GROUP BY 7", "7"),
    ] {
        let e = error(&s, sql);
        let context = e.context().unwrap_or_else(|| panic!("no place for {sql}: {e}"));
        assert_eq!(context.fragment(), fragment, "{sql}");
    }
}

#[test]
fn errors_in_views_carry_the_views_place() {
    let mut s = session();
    let text = "SELECT a + nope AS x FROM t";
    let plan = vonk_sql::parse_plan(text, &vonk_sql::ParseOptions::default()).unwrap();
    s.catalog.add_view("v", plan, text, None);
    let e = error(&s, "SELECT x FROM v");
    let Some(QueryContext::Sql(context)) = e.context() else { panic!("no place: {e}") };
    assert_eq!((context.object_type.as_str(), context.object_name.as_str()), ("VIEW", "v"));
    assert_eq!(context.fragment, "nope");
}

#[test]
fn views_see_neither_ctes_nor_outer_columns() {
    let mut s = session();
    let add = |s: &mut Session, name: &str, text: &str, names: Option<Vec<String>>| {
        let plan = vonk_sql::parse_plan(text, &vonk_sql::ParseOptions::default()).unwrap();
        s.catalog.add_view(name, plan, text, names);
    };
    add(&mut s, "v", "SELECT a FROM t", Some(vec!["x".into()]));
    assert_eq!(
        s.query("WITH t AS (SELECT 1 AS z) SELECT v.x, x FROM v").unwrap().schema().catalog_string(),
        "struct<x:int,x:int>"
    );
    add(&mut s, "w", "SELECT outside FROM t", None);
    let e = error(&s, "SELECT (SELECT max(a) FROM w) FROM (SELECT 1 AS outside)");
    assert_eq!(e.condition(), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    add(&mut s, "loop", "SELECT * FROM loop", None);
    assert_eq!(error(&s, "SELECT * FROM loop").condition(), "VIEW_EXCEED_MAX_NESTED_DEPTH");
}

#[test]
fn long_chains_do_not_overflow() {
    let s = session();
    for (operator, first) in [(" AND ", "a > 0"), (" OR ", "a > 0")] {
        let mut sql = String::from("SELECT * FROM t WHERE a > 0");
        for _ in 0..10_000 {
            write!(sql, "{operator}{first}").unwrap();
        }
        s.query(&sql).unwrap();
    }
    let union = vec!["SELECT a FROM t"; 300].join(" UNION ALL ");
    let plan = s.query(&union).unwrap();
    assert!(matches!(plan.as_ref(), LogicalPlan::Union { inputs, .. } if inputs.len() == 300));
}

/// `depth` times `open`, then `core`, then as many `close`.
fn nested(depth: usize, open: &str, core: &str, close: &str) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn deep_relations_do_not_overflow() {
    let from = nested(100, "(SELECT a FROM ", "t", ")");
    session().query(&format!("SELECT a FROM {from}")).unwrap();
}

#[test]
fn deep_subqueries_do_not_overflow() {
    session().query(&format!("SELECT {}", nested(100, "(SELECT ", "1", ")"))).unwrap();
    let exists = nested(50, "a > 0 AND EXISTS (SELECT 1 FROM t WHERE ", "true", ")");
    session().query(&format!("SELECT a FROM t WHERE {exists}")).unwrap();
}

#[test]
fn deep_calls_do_not_overflow() {
    session().query(&format!("SELECT {} FROM t", nested(300, "abs(", "a", ")"))).unwrap();
}

#[test]
fn chains_made_by_hand_do_not_overflow_either() {
    // The DataFrame API has no parser that would refuse.
    let one = || Written::literal(Literal::int(1), Default::default());
    let mut e = one();
    for _ in 0..2_000 {
        e = Written::made(ExprKind::Binary {
            op: vonk_plan::unresolved::BinaryOp::Plus,
            left: Box::new(e),
            right: Box::new(one()),
        });
    }
    let plan = Plan::Select(Box::new(Select::plain(vec![e], Plan::OneRow, Default::default())));
    let made = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || session().with(|a| a.analyze(&plan).map(|_| ())))
        .unwrap();
    made.join().unwrap().unwrap();
}

#[test]
fn wide_tables_are_not_slow() {
    let mut s = Session::new();
    let names: Vec<String> = (0..5_000).map(|i| format!("column_{i}")).collect();
    let columns: Vec<(&str, DataType)> = names.iter().map(|n| (n.as_str(), DataType::Int)).collect();
    s.catalog.add_table("wide", &columns);
    let begin = std::time::Instant::now();
    s.query("SELECT * FROM wide").unwrap();
    s.query(&format!("SELECT {} FROM wide WHERE column_4999 > 1 ORDER BY column_7", names.join(", ")))
        .unwrap();
    s.query("SELECT * FROM wide x JOIN wide y USING (column_1)").unwrap();
    s.query(&format!("SELECT {0}, count(*) FROM wide GROUP BY {0}", names[..2_000].join(", "))).unwrap();
    // Unoptimised code; quadratic work would take minutes.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn long_lists_of_values() {
    let s = Session::new();
    let rows: Vec<String> = (0..20_000).map(|i| format!("({i}, 'x{i}', {}.5)", i % 100)).collect();
    let plan = s.query(&format!("SELECT * FROM VALUES {} AS v(a, b, c)", rows.join(", "))).unwrap();
    assert_eq!(plan.schema().catalog_string(), "struct<a:int,b:string,c:decimal(3,1)>");
}

#[test]
fn values_of_mixed_types_are_cast() {
    let s = Session::new();
    let plan = s.query("VALUES (1), (2.5), (NULL)").unwrap();
    let LogicalPlan::Values { batch, columns } = plan.as_ref() else { panic!("{plan}") };
    assert_eq!(columns[0].data_type, DataType::Decimal(11, 1));
    let l = |i| Literal::from_array(batch.column(0), i, DataType::Decimal(11, 1)).unwrap();
    assert!(l(2).is_null() && columns[0].nullable);
    assert_eq!(l(0).value.to_string(), "1.0");
}

#[test]
fn constants() {
    let s = Session::new();
    let parse = |t: &str| vonk_sql::parse_expression(t, &vonk_sql::ParseOptions::default()).unwrap();
    assert_eq!(s.with(|a| a.analyze_constant(&parse("1 + 2"))).unwrap(), Literal::int(3));
    assert!(s.with(|a| a.analyze_constant(&parse("a"))).is_err());
    assert!(s.with(|a| a.analyze_constant(&parse("sum(1)"))).is_err());
}

#[test]
fn an_embedded_plan_used_twice_gets_columns_of_its_own() {
    let s = session();
    s.with(|a| {
        let parse = |t: &str| vonk_sql::parse_plan(t, &vonk_sql::ParseOptions::default()).unwrap();
        let inner = a.resolve(&parse("SELECT a, b FROM t"), &"".into()).unwrap();
        let side = |alias: &str| Plan::Aliased {
            input: Box::new(inner.embed()),
            alias: alias.into(),
            columns: vec![],
            span: Default::default(),
        };
        let on = vonk_sql::parse_expression("x.a = y.a", &vonk_sql::ParseOptions::default()).unwrap();
        let join = Plan::Join(Box::new(vonk_plan::unresolved::Join {
            left: side("x"),
            right: side("y"),
            kind: JoinKind::Inner,
            constraint: JoinConstraint::On(on),
            lateral: false,
            span: Default::default(),
        }));
        let star = Written::made(ExprKind::Star(Star::default()));
        let plan = Plan::Select(Box::new(Select::plain(vec![star], join, Default::default())));
        let output = a.analyze(&plan).unwrap().output();
        let mut ids: Vec<_> = output.iter().map(|c| c.id).collect();
        ids.dedup();
        assert_eq!((output.len(), ids.len()), (4, 4));
    });
}

fn table() -> StructType {
    StructType::new(vec![
        StructField::new("x", DataType::Long, true),
        StructField::new("y", DataType::String, true),
        StructField::new("z", DataType::Int, false),
    ])
}

fn insert(sql: &str, columns: &[&str], by_name: bool) -> Result<Arc<LogicalPlan>, Error> {
    let s = session();
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    s.with(|a| {
        let plan = a.analyze(&vonk_sql::parse_plan(sql, &vonk_sql::ParseOptions::default())?)?;
        a.write_input(
            plan,
            &table(),
            &columns,
            by_name,
            &TableName::new(["spark_catalog", "default", "k"]),
            &[],
        )
    })
}

fn names(plan: &LogicalPlan) -> String {
    plan.schema().catalog_string()
}

#[test]
fn rows_of_an_insert() {
    let wanted = "struct<x:bigint,y:string,z:int>";
    assert_eq!(names(&insert("SELECT 1, 2, 3", &[], false).unwrap()), wanted);
    assert_eq!(names(&insert("SELECT 3, 1", &["z", "x"], false).unwrap()), wanted);
    assert_eq!(names(&insert("SELECT 3 AS z, 'a' AS Y", &[], true).unwrap()), wanted);
    let plan = insert("SELECT 3, 1", &["z", "x"], false).unwrap();
    let LogicalPlan::Project { exprs, .. } = plan.as_ref() else { panic!("{plan}") };
    assert!(matches!(&exprs[1], Named { expr: Expr::Literal(l), .. } if l.is_null()));
    for (sql, columns, by_name, condition) in [
        ("SELECT 1, 2", &[][..], false, "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"),
        ("SELECT 1, 2, 3, 4", &[], false, "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"),
        ("SELECT 1, 2", &["x", "nope"], false, "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELECT 1, 2", &["x", "X"], false, "COLUMN_ALREADY_EXISTS"),
        ("SELECT 1, 2", &["x", "y"], false, "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA"),
        ("SELECT 1 AS z, 2 AS q", &[], true, "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS"),
        ("SELECT array(1), 'a', 3", &[], false, "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST"),
    ] {
        assert_eq!(insert(sql, columns, by_name).unwrap_err().condition(), condition, "{sql}");
    }
}

#[test]
fn a_cte_is_resolved_once_and_shared() {
    let s = session();
    let plan = s
        .query("WITH c AS (SELECT a, sum(b) AS s FROM t GROUP BY a) SELECT * FROM c x JOIN c y ON x.a = y.a")
        .unwrap();
    let mut aggregates: Vec<*const LogicalPlan> = Vec::new();
    plan.visit(&mut |p| {
        if matches!(p, LogicalPlan::Aggregate { .. }) {
            aggregates.push(p);
        }
    });
    assert_eq!(aggregates.len(), 2);
    assert_eq!(aggregates[0], aggregates[1]);
}

/// Run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn time_of_tpch() {
    let mut s = Session::new();
    s.catalog.add_tpch();
    let root = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests/tpch");
    for q in 1..=22 {
        let text = std::fs::read_to_string(root.join(format!("q{q:02}.slt"))).unwrap();
        let Some(sql) =
            support::statements(&text).into_iter().rev().find(|q| !q.to_lowercase().contains("view"))
        else {
            continue;
        };
        let Ok(plan) = vonk_sql::parse_plan(&sql, &vonk_sql::ParseOptions::default()) else { continue };
        s.with(|a| {
            let _ = a.analyze(&plan);
            let begin = std::time::Instant::now();
            for _ in 0..20 {
                let _ = a.analyze(&plan);
            }
            println!("q{q:02}: {:?}", begin.elapsed() / 20);
        });
    }
}
