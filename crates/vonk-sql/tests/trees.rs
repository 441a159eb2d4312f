//! What text is parsed to. Trees ignore places when compared, so precedence is tested by texts with and without parentheses.

use vonk_plan::unresolved::*;
use vonk_sql::{ParseOptions, parse_expression, parse_plan, parse_statement, parse_type};
use vonk_types::{DataType, Literal};

fn expr(text: &str) -> Expr {
    parse_expression(text, &ParseOptions::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn plan(text: &str) -> Plan {
    parse_plan(text, &ParseOptions::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn statement(text: &str) -> Statement {
    parse_statement(text, &ParseOptions::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn select(text: &str) -> Select {
    match plan(text) {
        Plan::Select(s) => *s,
        other => panic!("{text} is {other:?}"),
    }
}

fn assert_same(pairs: &[(&str, &str)]) {
    for (a, b) in pairs {
        assert_eq!(expr(a), expr(b), "{a}  /  {b}");
    }
}

#[test]
fn precedence() {
    assert_same(&[
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a * b DIV c % d", "((a * b) DIV c) % d"),
        ("a || b + c", "(a || b) + c"),
        ("a | b ^ c & d << e + f", "a | (b ^ (c & (d << (e + f))))"),
        ("a < b | c", "a < (b | c)"),
        ("a = b = c", "(a = b) = c"),
        ("a = b IS NULL", "(a = b) IS NULL"),
        ("a + b BETWEEN c AND d + e AND f", "((a + b) BETWEEN c AND (d + e)) AND f"),
        ("NOT a = b AND c", "(NOT (a = b)) AND c"),
        ("a OR b AND NOT c", "a OR (b AND (NOT c))"),
        ("! a = b", "NOT (a = b)"),
        ("-a * b", "(-a) * b"),
        ("-a::int", "-(a::int)"),
        ("-a.b[c]", "-(a.b[c])"),
        ("- - a", "-(-a)"),
        ("~a & b", "(~a) & b"),
        ("a >> b >>> c", "(a >> b) >>> c"),
        ("a IS NOT DISTINCT FROM b + c", "a IS NOT DISTINCT FROM (b + c)"),
        ("a LIKE b || c", "a LIKE (b || c)"),
        ("x -> x + 1", "x -> (x + 1)"),
        ("a::array<array<int>>[0][1]", "((a::array<array<int>>)[0])[1]"),
        ("a COLLATE x || b", "(a COLLATE x) || b"),
    ]);
}

#[test]
fn sugar() {
    assert_same(&[
        ("a != b", "a <> b"),
        ("a == b", "a = b"),
        ("a !< b", "a >= b"),
        ("a !> b", "a <= b"),
        ("EXTRACT(year FROM a)", "extract('year', a)"),
        ("POSITION(a IN b)", "locate(a, b)"),
        ("SUBSTRING(a FROM b FOR c)", "substring(a, b, c)"),
        ("TRIM(BOTH a FROM b)", "trim(a, b)"),
        ("TRIM(LEADING FROM b)", "ltrim(b)"),
        ("TRIM(TRAILING a FROM b)", "rtrim(a, b)"),
        ("OVERLAY(a PLACING b FROM c FOR d)", "overlay(a, b, c, d)"),
        ("first(a IGNORE NULLS)", "first(a) IGNORE NULLS"),
        ("'a' 'b' \"c\"", "'abc'"),
        ("r'a\\b'", "'a\\\\b'"),
        ("(a).b.c", "a.b.c"),
        ("IDENTIFIER('a.b')", "a.b"),
        ("IDENTIFIER('f')(a)", "f(a)"),
        ("a x", "a AS x"),
        ("CAST(a AS INT)", "a::integer"),
        ("a NOT IN (b)", "NOT a IN (b)"),
        ("a NOT LIKE b", "NOT (a LIKE b)"),
        ("INTERVAL 1 DAY", "INTERVAL '1' DAYS"),
        ("INTERVAL '1 day 2 hours'", "INTERVAL 1 DAY 2 HOURS"),
        ("INTERVAL -'1-2' YEAR TO MONTH", "INTERVAL '-1-2' YEAR TO MONTH"),
    ]);
    let unit_call = |name: &str, unit: &str| {
        let unit = Expr::literal(Literal::string(unit), vonk_error::Span::NONE);
        Expr::call(name, vec![unit, expr("a"), expr("b")], vonk_error::Span::NONE)
    };
    assert_eq!(expr("DATEADD(MONTH, a, b)"), unit_call("timestampadd", "MONTH"));
    assert_eq!(expr("DATE_DIFF(day, a, b)"), unit_call("timestampdiff", "day"));
    assert!(matches!(expr("DATEADD(day, 1)").kind, ExprKind::Function(f) if f.name.last() == "DATEADD"));
}

#[test]
fn literals() {
    assert_eq!(expr("-5").kind, ExprKind::Literal(Literal::int(-5)));
    assert_eq!(expr("- 9223372036854775808").kind, ExprKind::Literal(Literal::long(i64::MIN)));
    assert_eq!(expr("1e3").kind, ExprKind::Literal(Literal::double(1000.0)));
    assert_eq!(expr("NULL").kind, ExprKind::Literal(Literal::null(DataType::Null)));
    assert_eq!(expr("TRUE").kind, ExprKind::Literal(Literal::boolean(true)));
    let typed = |name: &str, text: &str| ExprKind::TypedLiteral { type_name: name.into(), text: text.into() };
    assert_eq!(expr("DATE '2020-01-01'").kind, typed("date", "2020-01-01"));
    assert_eq!(expr("timestamp_ntz'x'").kind, typed("timestamp_ntz", "x"));
    let ExprKind::Literal(l) = expr("1.50").kind else { panic!() };
    assert_eq!(l.data_type, DataType::Decimal(3, 2));
    let ExprKind::Literal(l) = expr("X'1F'").kind else { panic!() };
    assert_eq!(l.data_type, DataType::Binary);
}

#[test]
fn keywords_are_names() {
    for name in [
        "date",
        "timestamp",
        "interval",
        "case",
        "not",
        "between",
        "exists",
        "cast",
        "values",
        "left",
        "order",
    ] {
        assert_eq!(expr(name).kind, ExprKind::Name(Name::of(name)), "{name}");
        let e = expr(&format!("a AS {name}"));
        assert!(matches!(e.kind, ExprKind::Alias { names, .. } if names == [name]), "{name}");
    }
    let options = ParseOptions { enforce_reserved_keywords: true, ..ParseOptions::default() };
    assert!(parse_expression("a AS order", &options).is_err());
    assert!(parse_expression("left(a, 1)", &options).is_ok());
    let options = ParseOptions { double_quoted_identifiers: true, ..ParseOptions::default() };
    let quoted = parse_expression("\"a b\".c", &options).unwrap();
    assert!(matches!(quoted.kind, ExprKind::Name(n) if n.parts == ["a b", "c"]));
}

#[test]
fn every_expression_knows_its_place() {
    let text = "  (a + b) * f(c, 'é') = CASE WHEN x THEN y END AND z";
    let e = expr(text);
    let at = |e: &Expr| &text[e.span.start as usize..e.span.end as usize];
    let ExprKind::Binary { left, right, .. } = &e.kind else { panic!() };
    assert_eq!(at(&e), text.trim());
    assert_eq!(at(right), "z");
    let ExprKind::Binary { left: product, right: case, .. } = &left.kind else { panic!() };
    assert_eq!(at(product), "(a + b) * f(c, 'é')");
    assert_eq!(at(case), "CASE WHEN x THEN y END");
    let ExprKind::Binary { left: sum, right: call, .. } = &product.kind else { panic!() };
    assert_eq!(at(sum), "a + b");
    assert_eq!(at(call), "f(c, 'é')");
}

#[test]
fn set_operations() {
    assert_eq!(
        plan("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3"),
        plan("SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)")
    );
    assert_eq!(
        plan("SELECT 1 UNION SELECT 2 EXCEPT SELECT 3"),
        plan("(SELECT 1 UNION SELECT 2) EXCEPT SELECT 3")
    );
    assert_eq!(plan("SELECT 1 MINUS SELECT 2"), plan("SELECT 1 EXCEPT DISTINCT SELECT 2"));
    assert!(matches!(plan("SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1"), Plan::Limit { .. }));
    let legacy = ParseOptions { legacy_setops_precedence: true, ..ParseOptions::default() };
    let text = "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3";
    assert_ne!(parse_plan(text, &legacy).unwrap(), plan(text));
}

#[test]
fn select_clauses() {
    let s = select(
        "SELECT DISTINCT a, sum(b) OVER w AS s FROM t JOIN u USING (k), v WHERE x GROUP BY a, ROLLUP (b, (c, d)) HAVING y \
         QUALIFY z WINDOW w AS (PARTITION BY a ORDER BY b DESC NULLS LAST)",
    );
    assert!(s.distinct && s.filter.is_some() && s.having.is_some() && s.qualify.is_some());
    assert_eq!(s.windows.len(), 1);
    let Some(GroupBy::Items(items)) = s.group_by else { panic!() };
    assert!(matches!(&items[1], GroupItem::Rollup(sets) if sets[1].len() == 2));
    let Plan::Join(join) = s.from else { panic!() };
    assert_eq!((join.kind, &join.constraint), (JoinKind::Cross, &JoinConstraint::None));
    let Plan::Join(inner) = join.left else { panic!() };
    assert!(matches!(inner.constraint, JoinConstraint::Using(names) if names[0].last() == "k"));
    assert!(matches!(select("SELECT a FROM t GROUP BY ALL").group_by, Some(GroupBy::All(_))));
    assert!(matches!(
        select("SELECT a FROM t GROUP BY a, b WITH CUBE").group_by,
        Some(GroupBy::Items(i)) if matches!(&i[0], GroupItem::Cube(s) if s.len() == 2)
    ));
    assert_eq!(plan("FROM t SELECT a WHERE b"), plan("SELECT a FROM t WHERE b"));
    assert_eq!(plan("SELECT * FROM t LIMIT ALL"), plan("SELECT * FROM t"));
    let Plan::Limit { input, .. } = plan("SELECT 1 LIMIT 2 OFFSET 3") else { panic!() };
    assert!(matches!(*input, Plan::Offset { .. }));
}

#[test]
fn relations() {
    let from = |text: &str| select(&format!("SELECT * FROM {text}")).from;
    assert!(matches!(from("(SELECT 1)"), Plan::Subquery(_)));
    assert!(
        matches!(from("(SELECT 1) AS t(a)"), Plan::Aliased { alias, columns, .. } if alias == "t" && columns == ["a"])
    );
    assert!(matches!(from("((SELECT 1) UNION (SELECT 2)) t"), Plan::Aliased { .. }));
    assert!(matches!(from("((SELECT 1) a JOIN (SELECT 2) b)"), Plan::Join(_)));
    assert!(matches!(from("(a JOIN b) t"), Plan::Aliased { input, .. } if matches!(*input, Plan::Join(_))));
    assert!(matches!(from("range(1, end => 2) t"), Plan::Aliased { .. }));
    assert!(
        matches!(from("VALUES (1, 2), (3, 4)"), Plan::Values { rows, .. } if rows.len() == 2 && rows[0].len() == 2)
    );
    assert!(matches!(from("VALUES 1, 2 AS t"), Plan::Aliased { .. }));
    assert!(matches!(from("a.b.c"), Plan::Table(t) if t.name.parts.len() == 3));
    assert!(
        matches!(from("a, LATERAL (SELECT 1) b"), Plan::Join(j) if j.lateral && j.kind == JoinKind::Cross)
    );
    assert!(matches!(from("a LEFT SEMI JOIN b ON c"), Plan::Join(j) if j.kind == JoinKind::LeftSemi));
    assert!(
        matches!(from("a NATURAL FULL OUTER JOIN b"), Plan::Join(j) if j.kind == JoinKind::Full && j.constraint == JoinConstraint::Natural)
    );
    assert!(
        matches!(from("a LATERAL VIEW OUTER explode(b) c AS d, e"), Plan::LateralView(v) if v.outer && v.columns == ["d", "e"])
    );
    assert!(matches!(from("a TABLESAMPLE (25 PERCENT) REPEATABLE (7) s"), Plan::Aliased { input, .. }
        if matches!(*input, Plan::Sample { amount: SampleAmount::Fraction(f), seed: Some(7), .. } if f == 0.25)));
    assert!(matches!(from("a PIVOT (sum(b) AS s FOR (c, d) IN ((1, 2) AS p, (3, 4)))"), Plan::Pivot(p)
        if p.columns.len() == 2 && matches!(p.values[1].kind, ExprKind::Row(_))));
    assert!(
        matches!(from("a UNPIVOT INCLUDE NULLS ((x, y) FOR n IN ((b, c) AS l, (d, e)))"), Plan::Unpivot(u)
        if u.include_nulls && u.columns[0].1.as_deref() == Some("l") && u.values.len() == 2)
    );
    assert!(
        matches!(plan("WITH RECURSIVE r(n) MAX RECURSION LEVEL 9 AS (SELECT 1) SELECT * FROM r"), Plan::With { recursive: true, ctes, .. }
        if ctes[0].max_recursion == Some(9) && ctes[0].columns == ["n"])
    );
    assert!(
        matches!(plan("SELECT /*+ BROADCAST(a), COALESCE(3) */ 1"), Plan::Hint { hints, .. } if hints.len() == 2)
    );
    assert!(matches!(plan("FROM a |> WHERE b |> EXTEND c AS d"), Plan::Pipe(p)
        if matches!(p.op, PipeOp::Extend(_)) && matches!(&p.input, Plan::Pipe(q) if matches!(q.op, PipeOp::Where(_)))));
}

#[test]
fn subqueries() {
    assert!(matches!(expr("(SELECT 1)").kind, ExprKind::ScalarSubquery(_)));
    assert!(matches!(expr("((SELECT 1) + 1)").kind, ExprKind::Binary { .. }));
    assert!(matches!(expr("((SELECT 1) UNION (SELECT 2))").kind, ExprKind::ScalarSubquery(_)));
    assert!(matches!(expr("(((SELECT 1) UNION SELECT 2) + 1)").kind, ExprKind::Binary { .. }));
    assert!(matches!(expr("EXISTS (SELECT 1)").kind, ExprKind::Exists(_)));
    assert!(matches!(expr("exists(a, x -> x)").kind, ExprKind::Function(_)));
    assert!(matches!(expr("a IN (SELECT 1)").kind, ExprKind::InSubquery { .. }));
    assert!(matches!(expr("a IN ((SELECT 1), 2)").kind, ExprKind::InList { .. }));
    assert!(
        matches!(expr("(a, b) IN (SELECT 1, 2)").kind, ExprKind::InSubquery { expr, .. } if matches!(expr.kind, ExprKind::Row(_)))
    );
}

#[test]
fn parameters_count_from_zero() {
    let positions: Vec<_> = select("SELECT ?, ? + ?, :name")
        .projection
        .iter()
        .map(|e| match &e.kind {
            ExprKind::Parameter(p) => vec![p.clone()],
            ExprKind::Binary { left, right, .. } => [left, right]
                .iter()
                .map(|e| match &e.kind {
                    ExprKind::Parameter(p) => p.clone(),
                    _ => panic!(),
                })
                .collect(),
            _ => panic!(),
        })
        .collect();
    use Parameter::*;
    assert_eq!(
        positions,
        vec![vec![Position(0)], vec![Position(1), Position(2)], vec![Named("name".into())]]
    );
}

#[test]
fn types() {
    let of = |t: &str| parse_type(t).unwrap();
    assert_eq!(
        of("array<map<string,struct<a int, b: decimal(10,2)>>>").data_type.to_string(),
        "array<map<string,struct<a:int,b:decimal(10,2)>>>"
    );
    assert_eq!(of("interval day to second").data_type, DataType::DAY_TIME);
    assert_eq!(of("varchar(7)").length, Some(CharLength::Varchar(7)));
    assert!(of("struct<a: timestamp>").default_timestamp && !of("timestamp_ltz").default_timestamp);
    assert_eq!(of("timestamp without time zone").data_type, DataType::TimestampNtz);
    assert_eq!(parse_type("foo").unwrap_err().condition(), "UNSUPPORTED_DATATYPE");
}

#[test]
fn commands() {
    assert_eq!(statement("SET a.b = c d"), Statement::Set(SetCommand::Put("a.b".into(), "c d".into())));
    assert_eq!(statement("SET `a b`=`c;d`;"), Statement::Set(SetCommand::Put("a b".into(), "c;d".into())));
    assert_eq!(statement("SET a.b"), Statement::Set(SetCommand::Get("a.b".into())));
    assert_eq!(statement("set -v"), Statement::Set(SetCommand::Verbose));
    assert_eq!(statement("RESET a"), Statement::Reset(Some("a".into())));
    assert_eq!(statement("SET TIME ZONE 'UTC'"), Statement::SetTimeZone(TimeZoneValue::Text("UTC".into())));
    assert!(matches!(
        statement("EXPLAIN FORMATTED SELECT 1"),
        Statement::Explain { mode: ExplainMode::Formatted, .. }
    ));
    assert!(matches!(
        statement("EXPLAIN ANALYZE SELECT 1"),
        Statement::Explain { mode: ExplainMode::Analyze, .. }
    ));
    let text = "CREATE OR REPLACE TEMP VIEW v (a COMMENT 'x', b) AS SELECT 1, 2;";
    let Statement::CreateView(view) = statement(text) else { panic!() };
    let ViewSource::Query { span, .. } = view.source else { panic!() };
    assert_eq!(&text[span.start as usize..span.end as usize], "SELECT 1, 2");
    assert_eq!(view.columns[0], ("a".into(), Some("x".into())));
    let Statement::CreateTable(table) = statement(
        "CREATE TABLE IF NOT EXISTS d.t (a INT NOT NULL DEFAULT 1 COMMENT 'x', b STRING) USING parquet OPTIONS (k 'v', n 1) \
         PARTITIONED BY (b, years(a)) CLUSTERED BY (a) INTO 4 BUCKETS LOCATION '/l' COMMENT 'c' TBLPROPERTIES (p.q = true)",
    ) else {
        panic!()
    };
    assert!(table.if_not_exists && !table.columns[0].nullable && table.columns[0].default.is_some());
    assert_eq!(table.provider.as_deref(), Some("parquet"));
    assert_eq!(table.options, vec![("k".to_string(), "v".to_string()), ("n".into(), "1".into())]);
    assert_eq!(table.properties, vec![("p.q".to_string(), "true".to_string())]);
    assert_eq!((table.partitioned_by.len(), table.buckets.as_ref().map(|b| b.count)), (2, Some(4)));
    let Statement::Insert(insert) = statement("INSERT INTO t PARTITION (a = 1, b) (c) SELECT 1") else {
        panic!()
    };
    assert!(insert.partition[1].value.is_none() && insert.columns == ["c"]);
    let Statement::Insert(insert) =
        statement("WITH x AS (SELECT 1) INSERT OVERWRITE t BY NAME SELECT * FROM x")
    else {
        panic!()
    };
    assert!(insert.overwrite && insert.by_name && matches!(insert.source, Plan::With { .. }));
    assert!(matches!(statement("INSERT INTO t VALUES (DEFAULT)"), Statement::Insert(i)
        if matches!(&i.source, Plan::Values { rows, .. } if rows[0][0].kind == ExprKind::Default)));
    assert!(
        matches!(statement("DESC EXTENDED a.b c.d"), Statement::Describe(Describe::Table { extended: true, column: Some(c), .. }) if c.parts.len() == 2)
    );
    assert!(
        matches!(statement("DESCRIBE FUNCTION EXTENDED >>"), Statement::Describe(Describe::Function { name, extended: true }) if name.last() == ">>")
    );
    assert!(matches!(statement("DESCRIBE QUERY SELECT 1"), Statement::Describe(Describe::Query(_))));
    assert!(matches!(
        statement("SHOW TABLES IN d LIKE 'a*'"),
        Statement::Show(Show::Tables { from: Some(_), like: Some(_) })
    ));
    assert!(matches!(
        statement("SHOW USER FUNCTIONS"),
        Statement::Show(Show::Functions { scope: FunctionScope::User, .. })
    ));
    assert!(matches!(
        statement("DECLARE OR REPLACE x INT = 5"),
        Statement::DeclareVariable { replace: true, default: Some(_), .. }
    ));
    assert!(matches!(
        statement("SET VAR (a, b) = (SELECT 1, 2)"),
        Statement::SetVariable { query: Some(_), .. }
    ));
    assert!(
        matches!(statement("MERGE INTO t USING u ON a WHEN MATCHED THEN DELETE"), Statement::RowChange(change) if change.operation == "MERGE INTO TABLE")
    );
}
