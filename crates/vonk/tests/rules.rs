//! Every rule's plans, before and after: one snapshot a rule, in `snapshots/`.
//!
//! Each case goes through the whole optimizer, so that a rule sees what it would see in a query; shown is every run of the rule
//! in question that changed the plan. A case that says `keeps` is one where the rule must not do anything. Tables are TPC-H's at
//! scale 1, by their statistics alone: nothing is read. Column ids are numbered by first appearance.
//!
//! After a change of plans that is meant: `INSTA_UPDATE=always cargo test -p vonk --test rules`, and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod numbering;

use numbering::renumbered;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use vonk_analyzer::{Analyzer, Parameters};
use vonk_conf::Conf;
use vonk_error::Result;
use vonk_eval::EvalEnv;
use vonk_optimizer::Optimizer;
use vonk_plan::logical::ColumnIds;
use vonk_plan::{Catalog, Relation, TableName, TableSource};
use vonk_sources::tpch::{Table, TpchSource};
use vonk_sql::ParseOptions;
use vonk_types::EvalContext;

/// What a case expects of the rule.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Fires,
    Keeps,
}
use Expect::{Fires, Keeps};

/// A title, an expectation, a query.
type Case = (&'static str, Expect, &'static str);

struct Tpch;

impl Catalog for Tpch {
    fn relation(&self, name: &[String]) -> Result<Option<Relation>> {
        let [name] = name else { return Ok(None) };
        let Some(table) = Table::by_name(name) else { return Ok(None) };
        let source: Arc<dyn TableSource> = Arc::new(TpchSource::new(table, 1.0)?);
        Ok(Some(Relation::Table { name: TableName::new([name]), source }))
    }

    fn files(&self, _: &str, _: &str) -> Result<Option<Arc<dyn TableSource>>> {
        Ok(None)
    }

    fn current(&self) -> (String, String) {
        ("spark_catalog".into(), "default".into())
    }
}

/// The plan as it was resolved, then after each rule with the rule's name.
fn trace(sql: &str) -> Vec<(&'static str, String)> {
    let parsed = vonk_sql::parse_plan(sql, &ParseOptions::default()).unwrap();
    let (env, ids) = (EvalEnv::new(EvalContext::default()), ColumnIds::new());
    let analyzer = Analyzer {
        catalog: &Tpch,
        env: &env,
        conf: &Conf::new(),
        ids: &ids,
        variables: &(),
        parameters: &Parameters::default(),
    };
    let plan = analyzer.analyze(&parsed).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let mut steps = vec![("", plan.to_string())];
    let optimizer = Optimizer::new(&env, &ids);
    optimizer.optimize_traced(plan, &mut |rule, plan| steps.push((rule, plan.to_string()))).unwrap();
    steps
}

fn render(rule: &str, (title, expect, sql): &Case) -> String {
    let steps = trace(sql);
    let (mut runs, mut shown) = (0, String::new());
    for pair in steps.windows(2) {
        let [(_, before), (name, after)] = pair else { continue };
        if *name != rule {
            continue;
        }
        runs += 1;
        if before != after {
            let _ = write!(shown, "-- before (run {runs})\n{before}-- after\n{after}");
        }
    }
    assert!(runs > 0, "no rule is called {rule}");
    match expect {
        Fires => assert!(!shown.is_empty(), "{rule} did nothing: {title}: {sql}\n{}", steps[0].1),
        Keeps => {
            assert!(shown.is_empty(), "{rule} was to do nothing: {title}: {sql}\n{shown}");
            let before = steps.windows(2).find(|p| p[1].0 == rule).map(|p| p[0].1.as_str());
            let _ = write!(shown, "-- unchanged\n{}", before.unwrap_or_default());
        }
    }
    format!("== {title}\n-- SQL\n{sql}\n{}", renumbered(&shown))
}

fn check(rule: &str, cases: &[Case]) {
    assert!(cases.iter().any(|c| c.1 == Fires) && cases.iter().any(|c| c.1 == Keeps), "{rule} lacks a case");
    let text: Vec<String> = cases.iter().map(|c| render(rule, c)).collect();
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings
    };
    settings.bind(|| insta::assert_snapshot!(rule, text.join("\n")));
}

/// A rule without a snapshot is a rule without a test.
#[test]
fn every_rule_has_a_snapshot() {
    let ran: BTreeSet<&str> = trace("SELECT 1").iter().skip(1).map(|s| s.0).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for rule in ran {
        assert!(folder.join(format!("{rule}.snap")).exists(), "{rule} has no snapshot");
    }
}

#[test]
fn combine_unions() {
    check(
        "CombineUnions",
        &[
            (
                "a chain of distinct unions removes duplicates once",
                Fires,
                "SELECT n_regionkey FROM nation UNION SELECT r_regionkey FROM region UNION SELECT n_nationkey FROM nation",
            ),
            (
                "a union within brackets",
                Fires,
                "SELECT n_regionkey FROM nation UNION ALL (SELECT r_regionkey FROM region UNION ALL SELECT s_suppkey FROM supplier)",
            ),
            (
                "an input of UNION ALL keeps its DISTINCT",
                Keeps,
                "SELECT n_regionkey FROM nation UNION SELECT r_regionkey FROM region UNION ALL SELECT n_nationkey FROM nation",
            ),
        ],
    );
}

#[test]
fn set_operations() {
    check(
        "SetOperations",
        &[
            ("intersect", Fires, "SELECT n_regionkey FROM nation INTERSECT SELECT r_regionkey FROM region"),
            ("except", Fires, "SELECT n_regionkey FROM nation EXCEPT SELECT r_regionkey FROM region"),
            (
                "except all numbers the copies",
                Fires,
                "SELECT n_regionkey FROM nation EXCEPT ALL SELECT r_regionkey FROM region",
            ),
            (
                "within a subquery",
                Fires,
                "SELECT n_name FROM nation
                 WHERE n_regionkey IN (SELECT r_regionkey FROM region INTERSECT SELECT n_nationkey FROM nation)",
            ),
            ("union is none", Keeps, "SELECT n_regionkey FROM nation UNION SELECT r_regionkey FROM region"),
        ],
    );
}

#[test]
fn inline_one_row_subqueries() {
    check(
        "InlineOneRowSubqueries",
        &[
            ("a value", Fires, "SELECT n_name, (SELECT 1 + 1) FROM nation"),
            (
                "of the row",
                Fires,
                "SELECT (SELECT upper(n_name)) FROM nation WHERE (SELECT n_regionkey + 1) > 2",
            ),
            (
                "of an enclosing query's row",
                Fires,
                "SELECT (SELECT max(r_name) FROM region WHERE r_regionkey = (SELECT n_regionkey)) FROM nation",
            ),
            (
                "with a condition: perhaps no row",
                Keeps,
                "SELECT (SELECT 1 WHERE n_regionkey > 2) FROM nation",
            ),
            ("that reads", Keeps, "SELECT (SELECT max(r_name) FROM region) FROM nation"),
        ],
    );
}

#[test]
fn subqueries_to_joins() {
    check(
        "SubqueriesToJoins",
        &[
            (
                "IN in a conjunct is a semi join",
                Fires,
                "SELECT n_name FROM nation WHERE n_nationkey > 3 AND n_regionkey IN (SELECT r_regionkey FROM region)",
            ),
            (
                "NOT IN is a null-aware anti join",
                Fires,
                "SELECT n_name FROM nation WHERE n_regionkey NOT IN (SELECT r_regionkey FROM region)",
            ),
            (
                "EXISTS under OR is a mark join",
                Fires,
                "SELECT n_name FROM nation
                 WHERE n_nationkey = 1 OR EXISTS (SELECT 1 FROM region WHERE r_regionkey = n_regionkey)",
            ),
            (
                "a correlated scalar subquery is a single join",
                Fires,
                "SELECT n_name, (SELECT max(c_acctbal) FROM customer WHERE c_nationkey = n_nationkey) FROM nation",
            ),
            (
                "an uncorrelated scalar subquery stays",
                Keeps,
                "SELECT n_name FROM nation WHERE n_regionkey = (SELECT max(r_regionkey) FROM region)",
            ),
        ],
    );
}

#[test]
fn unnest() {
    check(
        "Unnest",
        &[
            (
                "correlated predicates move into the join",
                Fires,
                "SELECT n_name FROM nation WHERE EXISTS (SELECT 1 FROM region WHERE r_regionkey = n_regionkey)",
            ),
            (
                "the count bug: no match counts 0",
                Fires,
                "SELECT n_name, (SELECT count(*) FROM customer WHERE c_nationkey = n_nationkey) FROM nation",
            ),
            (
                "a limit needs the domain",
                Fires,
                "SELECT n_name, c_name FROM nation,
                 LATERAL (SELECT c_name FROM customer WHERE c_nationkey = n_nationkey ORDER BY c_acctbal LIMIT 2)",
            ),
            (
                "two levels",
                Fires,
                "SELECT r_name FROM region WHERE EXISTS (SELECT 1 FROM nation WHERE n_regionkey = r_regionkey
                 AND EXISTS (SELECT 1 FROM customer WHERE c_nationkey = n_nationkey))",
            ),
            (
                "nothing is correlated",
                Keeps,
                "SELECT n_name FROM nation WHERE n_regionkey IN (SELECT r_regionkey FROM region)",
            ),
        ],
    );
}

#[test]
fn merge_projects() {
    check(
        "MergeProjects",
        &[
            ("two become one", Fires, "SELECT b + 1 AS c FROM (SELECT r_regionkey * 2 AS b FROM region)"),
            (
                "columns that nobody reads go",
                Fires,
                "SELECT a FROM (SELECT r_regionkey AS a, upper(r_name) AS b FROM region)",
            ),
            (
                "what is used twice is computed once",
                Keeps,
                "SELECT b, b + 1 AS c FROM (SELECT r_regionkey * 2 AS b FROM region)",
            ),
            ("nothing volatile moves", Keeps, "SELECT b + 1 AS c FROM (SELECT rand(1) AS b FROM region)"),
        ],
    );
}

#[test]
fn simplify() {
    check(
        "Simplify",
        &[
            ("constants fold", Fires, "SELECT r_regionkey + (1 + 2 * 3) AS a, upper('x') AS b FROM region"),
            (
                "boolean algebra",
                Fires,
                "SELECT r_name FROM region WHERE NOT (r_regionkey <= 3 OR r_name = 'ASIA') AND (TRUE OR r_name = 'x')",
            ),
            (
                "a filter that is never true",
                Fires,
                "SELECT r_name FROM region WHERE r_regionkey = 1 AND NULL",
            ),
            (
                "CASE and coalesce with constants",
                Fires,
                "SELECT CASE WHEN FALSE THEN 1 WHEN TRUE THEN r_regionkey ELSE 3 END AS a,
                 coalesce(NULL, r_name, 'x') AS b FROM region",
            ),
            ("what fails stays, until a row needs it", Keeps, "SELECT 1D / 0D AS a, r_name FROM region"),
            ("volatile calls stay", Keeps, "SELECT rand(1) AS a FROM region"),
        ],
    );
}

#[test]
fn factor_disjunctions() {
    check(
        "FactorDisjunctions",
        &[
            (
                "what all members say",
                Fires,
                "SELECT n_name FROM nation, region
                 WHERE (n_regionkey = r_regionkey AND n_name = 'FRANCE') OR (n_regionkey = r_regionkey AND n_name = 'PERU')",
            ),
            (
                "what is said of one relation alone",
                Fires,
                "SELECT a.n_name FROM nation a, nation b
                 WHERE (a.n_name = 'FRANCE' AND b.n_name = 'PERU') OR (a.n_name = 'PERU' AND b.n_name = 'FRANCE')",
            ),
            (
                "nothing in common",
                Keeps,
                "SELECT n_name FROM nation WHERE (n_name = 'FRANCE' AND n_nationkey = 1) OR n_regionkey = 2",
            ),
        ],
    );
}

#[test]
fn push_down_filters() {
    check(
        "PushDownFilters",
        &[
            (
                "through projections into scans",
                Fires,
                "SELECT a FROM (SELECT n_nationkey + 1 AS a FROM nation) WHERE a > 3",
            ),
            (
                "into the sides of a join and its condition",
                Fires,
                "SELECT n_name FROM nation, region
                 WHERE n_regionkey = r_regionkey AND r_name = 'ASIA' AND n_nationkey > 2",
            ),
            (
                "an outer join's preserved side only",
                Fires,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey AND r_name = 'ASIA'
                 WHERE n_nationkey > 2 AND coalesce(r_name, 'none') = 'none'",
            ),
            (
                "group keys, not results",
                Fires,
                "SELECT n_regionkey, count(*) FROM nation GROUP BY n_regionkey HAVING n_regionkey > 1 AND count(*) > 2",
            ),
            (
                "window partitions, not ranks",
                Fires,
                "SELECT * FROM (SELECT n_regionkey, rank() OVER (PARTITION BY n_regionkey ORDER BY n_name) AS r FROM nation)
                 WHERE n_regionkey = 1 AND r = 1",
            ),
            (
                "both sides of a union",
                Fires,
                "SELECT * FROM (SELECT n_nationkey AS k FROM nation UNION ALL SELECT r_regionkey FROM region) WHERE k = 3",
            ),
            ("not below a limit", Keeps, "SELECT * FROM (SELECT n_name FROM nation LIMIT 3) WHERE n_name = 'PERU'"),
            ("nothing volatile", Keeps, "SELECT n_name FROM nation WHERE rand(1) < 0.5"),
        ],
    );
}

#[test]
fn outer_to_inner() {
    check(
        "OuterToInner",
        &[
            (
                "left to inner",
                Fires,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey WHERE r_name > 'A'",
            ),
            (
                "full to left",
                Fires,
                "SELECT n_name FROM nation FULL JOIN region ON n_regionkey = r_regionkey WHERE n_name LIKE 'A%'",
            ),
            (
                "the join above rejects nulls",
                Fires,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey
                 JOIN supplier ON s_suppkey = r_regionkey",
            ),
            (
                "a predicate that nulls pass",
                Keeps,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey WHERE r_name IS NULL OR r_name > 'A'",
            ),
            (
                "a predicate on the preserved side",
                Keeps,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey WHERE n_name > 'A'",
            ),
        ],
    );
}

#[test]
fn outer_to_anti() {
    check(
        "OuterToAnti",
        &[
            (
                "the key is null",
                Fires,
                "SELECT c_name FROM customer LEFT JOIN orders ON c_custkey = o_custkey WHERE o_custkey IS NULL",
            ),
            (
                "the other side's columns are asked for",
                Fires,
                "SELECT c_name, o_totalprice FROM customer LEFT JOIN orders ON c_custkey = o_custkey WHERE o_custkey IS NULL",
            ),
            (
                "below another join, with more predicates",
                Fires,
                "SELECT n_name, count(*) FROM customer LEFT JOIN orders ON c_custkey = o_custkey AND o_totalprice > 1000
                 JOIN nation ON c_nationkey = n_nationkey WHERE o_totalprice IS NULL AND c_acctbal > 0 GROUP BY n_name",
            ),
            (
                "a column that matched rows may have null in",
                Keeps,
                "SELECT c_name FROM customer LEFT JOIN orders ON c_custkey = o_custkey WHERE o_comment IS NULL",
            ),
            (
                "null or something else",
                Keeps,
                "SELECT c_name FROM customer LEFT JOIN orders ON c_custkey = o_custkey WHERE o_custkey IS NULL OR o_totalprice > 5",
            ),
            (
                "a condition that nulls satisfy",
                Keeps,
                "SELECT c_name FROM customer LEFT JOIN orders ON c_custkey <=> o_custkey WHERE o_custkey IS NULL",
            ),
        ],
    );
}

#[test]
fn infer_predicates() {
    check(
        "InferPredicates",
        &[
            (
                "a constant for the partner",
                Fires,
                "SELECT o_orderkey FROM orders, lineitem WHERE o_orderkey = l_orderkey AND o_orderkey < 100",
            ),
            (
                "along a chain",
                Fires,
                "SELECT c_name FROM customer, nation, supplier
                 WHERE c_nationkey = n_nationkey AND n_nationkey = s_nationkey AND c_nationkey = 7",
            ),
            (
                "into a semi join's right side",
                Fires,
                "SELECT n_name FROM nation WHERE n_regionkey > 2 AND n_regionkey IN (SELECT r_regionkey FROM region)",
            ),
            (
                "to the other side of an outer join",
                Fires,
                "SELECT o_orderkey FROM orders LEFT JOIN lineitem ON o_orderkey = l_orderkey WHERE o_orderkey < 100",
            ),
            (
                "through groups and other names",
                Fires,
                "SELECT k, n, m FROM (SELECT o_custkey AS k, count(*) AS n FROM orders GROUP BY o_custkey)
                 LEFT JOIN (SELECT c_custkey AS c, max(c_name) AS m FROM customer GROUP BY c_custkey) ON k = c WHERE k = 7",
            ),
            (
                "not from the side that an outer join fills with nulls",
                Keeps,
                "SELECT o_orderkey FROM orders LEFT JOIN (SELECT * FROM lineitem WHERE l_orderkey < 100) ON o_orderkey = l_orderkey",
            ),
            (
                "not through a full join",
                Keeps,
                "SELECT o_orderkey FROM (SELECT * FROM orders WHERE o_orderkey < 100) FULL JOIN lineitem ON o_orderkey = l_orderkey",
            ),
            (
                "not from an inequality",
                Keeps,
                "SELECT o_orderkey FROM orders, lineitem WHERE o_orderkey < l_orderkey AND o_orderkey > 100",
            ),
        ],
    );
}

#[test]
fn expand_distinct_aggregates() {
    check(
        "ExpandDistinctAggregates",
        &[
            ("count distinct", Fires, "SELECT count(DISTINCT c_nationkey) FROM customer"),
            (
                "two calls of one argument, by group",
                Fires,
                "SELECT c_mktsegment, count(DISTINCT c_nationkey), sum(DISTINCT c_nationkey) FROM customer GROUP BY c_mktsegment",
            ),
            (
                "min does not mind duplicates",
                Fires,
                "SELECT min(DISTINCT c_nationkey), count(*) FROM customer",
            ),
            ("beside other calls", Keeps, "SELECT count(DISTINCT c_nationkey), count(*) FROM customer"),
            (
                "different arguments",
                Keeps,
                "SELECT count(DISTINCT c_nationkey), count(DISTINCT c_name) FROM customer",
            ),
            (
                "with a filter",
                Keeps,
                "SELECT count(DISTINCT c_nationkey) FILTER (WHERE c_acctbal > 0) FROM customer",
            ),
        ],
    );
}

#[test]
fn join_order() {
    check(
        "JoinOrder",
        &[
            (
                "the selective relations first",
                Fires,
                "SELECT l_orderkey FROM lineitem, orders, customer, nation
                 WHERE l_orderkey = o_orderkey AND o_custkey = c_custkey AND c_nationkey = n_nationkey AND n_name = 'PERU'",
            ),
            (
                "no cross product where there is a path",
                Fires,
                "SELECT n_name FROM region, customer, nation WHERE c_nationkey = n_nationkey AND n_regionkey = r_regionkey",
            ),
            (
                "within an outer join's side",
                Fires,
                "SELECT l_orderkey FROM lineitem JOIN orders ON l_orderkey = o_orderkey JOIN part ON l_partkey = p_partkey
                 LEFT JOIN customer ON o_custkey = c_custkey WHERE p_name = 'x'",
            ),
            (
                "outer joins alone stay",
                Keeps,
                "SELECT l_orderkey FROM lineitem LEFT JOIN orders ON l_orderkey = o_orderkey",
            ),
        ],
    );
}

#[test]
fn push_down_semi_joins() {
    check(
        "PushDownSemiJoins",
        &[
            (
                "to the relation that it tests",
                Fires,
                "SELECT c_name, o_orderkey FROM customer, orders, lineitem
                 WHERE c_custkey = o_custkey AND o_orderkey = l_orderkey
                 AND o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)",
            ),
            (
                "an anti join too",
                Fires,
                "SELECT l_orderkey FROM orders, lineitem WHERE o_orderkey = l_orderkey
                 AND NOT EXISTS (SELECT 1 FROM customer WHERE c_custkey = o_custkey)",
            ),
            (
                "needs both sides",
                Keeps,
                "SELECT l_orderkey FROM orders, lineitem WHERE o_orderkey = l_orderkey
                 AND EXISTS (SELECT 1 FROM partsupp WHERE ps_partkey = l_partkey AND ps_suppkey = o_custkey)",
            ),
            (
                "no inner join below",
                Keeps,
                "SELECT n_name FROM nation LEFT JOIN region ON n_regionkey = r_regionkey
                 WHERE n_nationkey IN (SELECT s_nationkey FROM supplier)",
            ),
        ],
    );
}

#[test]
fn push_down_limits() {
    check(
        "PushDownLimits",
        &[
            (
                "through a projection into the scan",
                Fires,
                "SELECT upper(n_name) AS u FROM nation LIMIT 3 OFFSET 2",
            ),
            ("into a union", Fires, "SELECT n_name FROM nation UNION ALL SELECT r_name FROM region LIMIT 4"),
            ("two limits", Fires, "SELECT * FROM (SELECT n_name FROM nation LIMIT 10) LIMIT 3"),
            (
                "a top-k is seen by the planner",
                Fires,
                "SELECT upper(n) AS u FROM (SELECT n_name AS n, n_nationkey AS k FROM nation ORDER BY k) LIMIT 2",
            ),
            ("not below a filter", Keeps, "SELECT * FROM nation WHERE rand(1) < 0.5 LIMIT 3"),
            ("not below an aggregate", Keeps, "SELECT n_regionkey FROM nation GROUP BY n_regionkey LIMIT 3"),
        ],
    );
}
