//! Estimates of rows and sizes, from the statistics of sources upwards.
//!
//! The textbook rules (Selinger et al. 1979; as in Spark's CBO and DuckDB): equality selects 1/ndv, ranges by the share of the
//! value interval, conjunctions by product with exponential back-off, equi-joins |L|·|R| / max(ndv). Estimates steer choices
//! only; no answer depends on them.
//!
//! Must not know: physical operators.

use std::collections::HashMap;
use vonk_plan::logical::{
    Column, ColumnId, Expr, Join, JoinKind, LogicalPlan, Loop, Named, Scan, SetOperation, SubqueryKind,
};
use vonk_types::{CompareOp, DataType, Literal, ScalarValue};

/// What is believed about a plan's output.
#[derive(Debug, Clone, Default)]
pub struct Estimate {
    /// Rows.
    pub rows: f64,
    /// By column.
    pub columns: HashMap<ColumnId, ColumnEstimate>,
}

/// What is believed about a column.
#[derive(Debug, Clone, Default)]
pub struct ColumnEstimate {
    /// Distinct values.
    pub distinct: Option<f64>,
    /// Distinct values in the relation that the column comes from, before any predicate.
    pub domain: Option<f64>,
    /// Whether they are about as many as the rows of that relation: perhaps a key.
    pub unique: bool,
    /// Range on a number line (dates as days, timestamps as microseconds, decimals as their value).
    pub range: Option<(f64, f64)>,
    /// Share of nulls.
    pub nulls: f64,
    /// Bytes per value.
    pub width: Option<f64>,
}

/// Share of a relation's rows that a column has as distinct values at least if it may be a key.
const KEY_LIKE: f64 = 0.9;

impl ColumnEstimate {
    /// Of a column of a relation with so many rows.
    fn new(distinct: Option<f64>, rows: f64) -> Self {
        let unique = distinct.is_some_and(|d| d >= rows * KEY_LIKE);
        ColumnEstimate { distinct, domain: distinct, unique, ..Default::default() }
    }
}

/// Rows assumed of a source that knows nothing.
const UNKNOWN_ROWS: f64 = 100_000.0;
/// Rows of a recursive common table expression, and of a round of it.
const UNKNOWN_LOOP_ROWS: f64 = 1_000.0;
/// Rows of a relation up to which its columns may be taken to have as many values as rows.
const SMALL_RELATION: f64 = 10_000.0;
/// Share of groups kept by a comparison of an aggregate with a constant: who asks for that looks for the exceptions.
const HAVING_SHARE: f64 = 0.1;
/// Share of rows kept by a predicate we know nothing about.
const UNKNOWN_SELECTIVITY: f64 = 0.2;

impl Estimate {
    /// Bytes of the given columns.
    pub fn bytes(&self, columns: &[Column]) -> f64 {
        self.rows * self.row_width(columns)
    }

    /// Bytes of one row of the given columns.
    pub fn row_width(&self, columns: &[Column]) -> f64 {
        columns.iter().map(|c| self.width(c)).sum::<f64>().max(1.0)
    }

    fn width(&self, c: &Column) -> f64 {
        self.columns.get(&c.id).and_then(|e| e.width).unwrap_or_else(|| default_width(&c.data_type))
    }

    /// Distinct values of a column, at most the rows.
    pub fn distinct(&self, id: ColumnId) -> Option<f64> {
        self.columns.get(&id).and_then(|c| c.distinct).map(|d| d.min(self.rows).max(1.0))
    }
}

fn default_width(t: &DataType) -> f64 {
    match t {
        DataType::Null => 0.0,
        DataType::Boolean | DataType::Byte => 1.0,
        DataType::Short => 2.0,
        DataType::Int | DataType::Float | DataType::Date | DataType::YearMonthInterval(..) => 4.0,
        DataType::Decimal(p, _) if *p > 18 => 16.0,
        DataType::CalendarInterval => 16.0,
        DataType::String | DataType::Binary => 32.0,
        DataType::Array(..) | DataType::Map(..) => 64.0,
        DataType::Struct(s) => s.fields.iter().map(|f| default_width(&f.data_type)).sum(),
        _ => 8.0,
    }
}

/// A literal's place on the number line.
pub fn number(l: &Literal) -> Option<f64> {
    let scaled = |v: f64, scale: i8| v / 10f64.powi(scale.into());
    match &l.value {
        ScalarValue::Int8(v) => v.map(f64::from),
        ScalarValue::Int16(v) => v.map(f64::from),
        ScalarValue::Int32(v) | ScalarValue::Date32(v) => v.map(f64::from),
        ScalarValue::Int64(v)
        | ScalarValue::TimestampMicrosecond(v, _)
        | ScalarValue::DurationMicrosecond(v) => v.map(|x| x as f64),
        ScalarValue::Float32(v) => v.map(f64::from),
        ScalarValue::Float64(v) => *v,
        ScalarValue::Decimal64(v, _, s) => v.map(|x| scaled(x as f64, *s)),
        ScalarValue::Decimal128(v, _, s) => v.map(|x| scaled(x as f64, *s)),
        _ => None,
    }
}

/// Estimates a plan's output.
pub fn estimate(plan: &LogicalPlan) -> Estimate {
    match plan {
        LogicalPlan::Scan(s) => scan(s),
        LogicalPlan::Values { columns, batch } => {
            let rows = batch.num_rows() as f64;
            let each = ColumnEstimate::new(Some(rows), rows);
            Estimate { rows, columns: columns.iter().map(|c| (c.id, each.clone())).collect() }
        }
        LogicalPlan::Range { column, start, end, step, .. } => {
            let span = (i128::from(*end) - i128::from(*start)) as f64;
            let rows = (span / *step as f64).ceil().max(0.0);
            let range = Some((*start as f64, *end as f64));
            let c = ColumnEstimate { range, ..ColumnEstimate::new(Some(rows), rows) };
            Estimate { rows, columns: HashMap::from([(column.id, c)]) }
        }
        LogicalPlan::Project { exprs, input } => {
            let below = estimate(input);
            let columns =
                exprs.iter().filter_map(|n| Some((n.column.id, of_expr(&n.expr, &below)?))).collect();
            Estimate { rows: below.rows, columns }
        }
        LogicalPlan::Filter { predicate, input } => {
            let (having, others): (Vec<Expr>, Vec<Expr>) =
                predicate.clone().conjuncts().into_iter().partition(|p| compares_aggregate(p, input));
            let mut out = filtered(estimate(input), &others);
            out.rows = (out.rows * HAVING_SHARE.powi(having.len().min(3) as i32)).max(out.rows.min(1.0));
            out
        }
        LogicalPlan::Aggregate { groups, input, .. } => {
            let below = estimate(input);
            let keys: Vec<&Expr> = groups.iter().map(|n| &n.expr).collect();
            let rows = distinct_combinations(&keys, &below);
            let column = |n: &Named<Expr>| {
                let c = of_expr(&n.expr, &below)?;
                Some((n.column.id, ColumnEstimate { unique: groups.len() == 1, ..c }))
            };
            Estimate { rows, columns: groups.iter().filter_map(column).collect() }
        }
        LogicalPlan::Distinct { input } => {
            let mut below = estimate(input);
            let exprs: Vec<Expr> = input.output().iter().map(Expr::column).collect();
            below.rows = distinct_combinations(&exprs.iter().collect::<Vec<_>>(), &below);
            below
        }
        LogicalPlan::Expand { projections, columns, input } => {
            let below = estimate(input);
            let first = projections.first().map_or(&[][..], |p| p);
            let columns =
                columns.iter().zip(first).filter_map(|(c, e)| Some((c.id, of_expr(e, &below)?))).collect();
            Estimate { rows: below.rows * projections.len() as f64, columns }
        }
        LogicalPlan::Window(w) => estimate(&w.input),
        LogicalPlan::Generate(g) => {
            let mut below = estimate(&g.input);
            below.rows *= 5.0;
            below
        }
        LogicalPlan::Join(j) => join(j),
        LogicalPlan::Sort { input, .. } | LogicalPlan::Repartition { input, .. } => estimate(input),
        LogicalPlan::Limit { skip, fetch, input } => {
            let mut below = estimate(input);
            below.rows = (below.rows - *skip as f64).max(0.0).min(fetch.map_or(f64::INFINITY, |f| f as f64));
            below
        }
        LogicalPlan::Sample { sampling, input, .. } => {
            let mut below = estimate(input);
            below.rows *= sampling.rate();
            below
        }
        LogicalPlan::Union { inputs, .. } => {
            Estimate { rows: inputs.iter().map(|i| estimate(i).rows).sum(), columns: HashMap::new() }
        }
        LogicalPlan::SetOperation { operation, left, right, .. } => {
            let (l, r) = (estimate(left).rows, estimate(right).rows);
            let rows = match operation {
                SetOperation::Intersect => l.min(r),
                SetOperation::Except => l,
            };
            Estimate { rows, columns: HashMap::new() }
        }
        LogicalPlan::Loop(Loop { fetch, .. }) => {
            let rows = fetch.map_or(UNKNOWN_LOOP_ROWS, |n| UNKNOWN_LOOP_ROWS.min(n as f64));
            Estimate { rows, columns: HashMap::new() }
        }
        LogicalPlan::WorkingTable { .. } => Estimate { rows: UNKNOWN_LOOP_ROWS, columns: HashMap::new() },
        LogicalPlan::Write(_) => Estimate::default(),
    }
}

/// Whether a predicate compares what an aggregation below has computed with a constant.
fn compares_aggregate(p: &Expr, input: &LogicalPlan) -> bool {
    let Expr::Compare { left, right, .. } = p else { return false };
    let ((Expr::Column(c), Expr::Literal(_)) | (Expr::Literal(_), Expr::Column(c))) =
        (left.as_ref(), right.as_ref())
    else {
        return false;
    };
    match input {
        LogicalPlan::Aggregate { groups, aggregates, .. } => {
            !groups.is_empty() && aggregates.iter().any(|a| a.column.id == c.id)
        }
        _ => false,
    }
}

fn scan(s: &Scan) -> Estimate {
    let stats = s.source.statistics();
    let rows = stats.rows.map_or(UNKNOWN_ROWS, |r| r as f64);
    let columns = s
        .columns
        .iter()
        .filter_map(|(c, position)| {
            let known = stats.columns.get(*position)?;
            let low = known.min.as_ref().and_then(number);
            let high = known.max.as_ref().and_then(number);
            let range = low.zip(high);
            let mut distinct = known.distinct.map(|d| d as f64);
            if distinct.is_none() && !c.data_type.is_fractional_binary() {
                // Integers and dates cannot have more distinct values than their range holds.
                let discrete = c.data_type.is_integral() || c.data_type == DataType::Date;
                distinct = range.filter(|_| discrete).map(|(a, b)| (b - a + 1.0).min(rows));
            }
            // Of a small relation the rows are a bound that is worth having.
            distinct = distinct.or((rows <= SMALL_RELATION).then_some(rows));
            let nulls = known.nulls.map_or(0.0, |n| if rows > 0.0 { n as f64 / rows } else { 0.0 });
            let estimate = ColumnEstimate::new(distinct, rows);
            Some((c.id, ColumnEstimate { range, nulls, width: known.width, ..estimate }))
        })
        .collect();
    filtered(Estimate { rows, columns }, &s.filters)
}

fn of_expr(e: &Expr, below: &Estimate) -> Option<ColumnEstimate> {
    match e {
        Expr::Column(c) => below.columns.get(&c.id).cloned(),
        Expr::Literal(_) => Some(ColumnEstimate::new(Some(1.0), f64::INFINITY)),
        Expr::Cast { expr, .. } => of_expr(expr, below),
        _ => {
            // A function of columns has at most as many values as they have combinations.
            let columns = e.columns();
            let product = columns.iter().map(|c| below.distinct(*c)).product::<Option<f64>>()?;
            Some(ColumnEstimate::new(Some(product.min(below.rows)), f64::INFINITY))
        }
    }
}

/// Number of combinations of the keys' values, damped: keys are rarely independent.
fn distinct_combinations(keys: &[&Expr], below: &Estimate) -> f64 {
    if keys.is_empty() {
        return 1.0;
    }
    let mut counts: Vec<f64> = keys
        .iter()
        .map(|k| of_expr(k, below).and_then(|c| c.distinct).unwrap_or_else(|| below.rows.powf(0.75)))
        .collect();
    counts.sort_by(|a, b| b.total_cmp(a));
    let combined = counts.iter().enumerate().map(|(i, c)| c.powf(0.5f64.powi(i as i32))).product::<f64>();
    combined.min(below.rows).max(1.0).min(below.rows.max(1.0))
}

/// The estimate after predicates.
pub fn filtered(mut input: Estimate, predicates: &[Expr]) -> Estimate {
    // Predicates on one column depend on each other (the two ends of a range): each is judged after the ones before have
    // narrowed the column. Those on different columns are taken as correlated in part, below.
    let mut by_column: HashMap<Vec<ColumnId>, f64> = HashMap::new();
    for c in predicates.iter().flat_map(|p| p.clone().conjuncts()) {
        let mut columns: Vec<ColumnId> = c.columns().into_iter().collect();
        columns.sort_unstable();
        *by_column.entry(columns).or_insert(1.0) *= selectivity(&c, &input);
        narrow(&c, &mut input);
    }
    // Exponential back-off: the most selective counts whole, the next by its root, and so on (as SQL Server does).
    let mut selectivities: Vec<f64> = by_column.into_values().collect();
    selectivities.sort_by(f64::total_cmp);
    let total: f64 =
        selectivities.iter().enumerate().map(|(i, s)| s.powf(0.5f64.powi(i.min(4) as i32))).product();
    let before = input.rows;
    input.rows = (before * total).max(if before > 0.0 { 1.0 } else { 0.0 });
    let kept = if before > 0.0 { input.rows / before } else { 1.0 };
    for c in input.columns.values_mut() {
        // Of many duplicates most values survive; of unique values the share that is kept (Yao's formula, roughly).
        if let Some(d) = c.distinct {
            let per_value = before / d.max(1.0);
            c.distinct = Some((d * (1.0 - (1.0 - kept).powf(per_value.max(1.0)))).max(1.0));
        }
    }
    input
}

/// Narrows ranges of columns by comparisons with constants.
fn narrow(p: &Expr, e: &mut Estimate) {
    match p {
        Expr::And(list) => list.iter().for_each(|x| narrow(x, e)),
        Expr::Compare { op, left, right } => {
            let (column, value, op) = match (left.as_ref(), right.as_ref()) {
                (Expr::Column(c), Expr::Literal(l)) => (c, l, *op),
                (Expr::Literal(l), Expr::Column(c)) => (c, l, op.swap()),
                _ => return,
            };
            let Some(v) = number(value) else { return };
            let Some(c) = e.columns.get_mut(&column.id) else { return };
            let Some((low, high)) = c.range else { return };
            c.range = match op {
                CompareOp::Eq => Some((v, v)),
                CompareOp::Lt | CompareOp::LtEq => Some((low, high.min(v))),
                CompareOp::Gt | CompareOp::GtEq => Some((low.max(v), high)),
                _ => return,
            };
        }
        _ => {}
    }
}

/// Share of rows for which a predicate is true.
pub fn selectivity(p: &Expr, input: &Estimate) -> f64 {
    match p {
        Expr::Literal(l) => f64::from(u8::from(l.as_bool() == Some(true))),
        Expr::And(list) => list.iter().map(|x| selectivity(x, input)).product(),
        Expr::Or(list) => 1.0 - list.iter().map(|x| 1.0 - selectivity(x, input)).product::<f64>(),
        Expr::Not(e) => 1.0 - selectivity(e, input),
        Expr::IsNull(e) => column_of(e, input).map_or(0.05, |c| c.nulls),
        Expr::IsNotNull(e) => column_of(e, input).map_or(0.95, |c| 1.0 - c.nulls),
        Expr::InList { expr, list, negated } => {
            let each = column_of(expr, input).and_then(|c| c.distinct).map_or(0.05, |d| 1.0 / d.max(1.0));
            let s = (each * list.len() as f64).min(1.0);
            if *negated { 1.0 - s } else { s }
        }
        Expr::Compare { op, left, right } => compare_selectivity(*op, left, right, input),
        Expr::Call { function, args, .. } => {
            let constants: Vec<Option<&Literal>> = args.iter().map(constant).collect();
            vonk_functions::selectivity::expected_share(function, &constants).unwrap_or(UNKNOWN_SELECTIVITY)
        }
        Expr::Subquery(s) => match s.kind {
            SubqueryKind::Exists { .. } | SubqueryKind::In { .. } => 0.5,
            SubqueryKind::Scalar => UNKNOWN_SELECTIVITY,
        },
        _ => UNKNOWN_SELECTIVITY,
    }
}

fn constant(e: &Expr) -> Option<&Literal> {
    match e {
        Expr::Literal(l) => Some(l),
        _ => None,
    }
}

fn column_of<'a>(e: &Expr, input: &'a Estimate) -> Option<&'a ColumnEstimate> {
    match e {
        Expr::Column(c) => input.columns.get(&c.id),
        Expr::Cast { expr, .. } => column_of(expr, input),
        _ => None,
    }
}

fn compare_selectivity(op: CompareOp, left: &Expr, right: &Expr, input: &Estimate) -> f64 {
    let (side, value, op) = match (left, right) {
        (e, Expr::Literal(l)) => (e, Some(l), op),
        (Expr::Literal(l), e) => (e, Some(l), op.swap()),
        (e, _) => (e, None, op),
    };
    let column = column_of(side, input);
    let distinct = column
        .and_then(|c| c.distinct)
        .or_else(|| of_expr(side, input).and_then(|c| c.distinct))
        .map(|d| d.max(1.0));
    let equal = distinct.map_or(0.1, |d| 1.0 / d);
    match op {
        CompareOp::Eq | CompareOp::EqNullSafe => equal,
        CompareOp::NotEq => 1.0 - equal,
        CompareOp::Lt | CompareOp::LtEq | CompareOp::Gt | CompareOp::GtEq => {
            let range = column.and_then(|c| c.range);
            let Some(((low, high), v)) = range.zip(value.and_then(number)) else { return 1.0 / 3.0 };
            let share = if high > low { ((v - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 };
            let s = if matches!(op, CompareOp::Lt | CompareOp::LtEq) { share } else { 1.0 - share };
            s.max(equal.min(0.001))
        }
    }
}

/// Rows of an inner equi-join of two estimates: |L|·|R| / |values that keys are taken from|.
///
/// If one side's key is one of its relation, the other side refers to it, and the values are the key's, before any predicate. The
/// ranges that counts of distinct values mostly come from make references look like keys as well (order numbers with gaps):
/// of two, the one with fewer values is the key. Otherwise the values are those of the side that has more, and a side has at
/// most as many combinations of several keys as rows: the product of the columns' counts is far beyond that wherever
/// columns depend on each other, as those of a composite key do.
pub fn join_rows(l: &Estimate, r: &Estimate, keys: &[(Expr, Expr)]) -> f64 {
    if keys.is_empty() {
        return l.rows * r.rows;
    }
    let column = |e: &Expr, side: &Estimate| of_expr(e, side).unwrap_or_default();
    if let [(a, b)] = keys {
        let domain = |c: &ColumnEstimate| c.domain.filter(|_| c.unique).unwrap_or(f64::INFINITY);
        let (ca, cb) = (column(a, l), column(b, r));
        let key = domain(&ca).min(domain(&cb)).max(1.0);
        if key.is_finite() {
            let ((of_key, keys), (reference, references)) = match domain(&ca) <= domain(&cb) {
                true => ((&ca, l.rows), (&cb, r.rows)),
                false => ((&cb, r.rows), (&ca, l.rows)),
            };
            let used = (key * share_in_use(of_key, reference)).max(1.0);
            return references * if keys < used { keys / used } else { (keys / key).max(1.0) };
        }
    }
    let combinations = |side: &Estimate, first: bool| {
        let one =
            |(a, b): &(Expr, Expr)| column(if first { a } else { b }, side).distinct.unwrap_or(side.rows);
        keys.iter().map(|k| one(k).max(1.0)).product::<f64>().min(side.rows.max(1.0))
    };
    l.rows * r.rows / combinations(l, true).max(combinations(r, false))
}

/// The share of a relation's keys that lie in the range of what refers to them: a calendar has centuries, the facts a few years of them.
/// Whoever chooses among the keys by other columns is taken to choose among those: who asks for a year asks for one that there are facts of.
fn share_in_use(key: &ColumnEstimate, reference: &ColumnEstimate) -> f64 {
    let (Some((low, high)), Some((from, to))) = (key.range, reference.range) else { return 1.0 };
    let values = high - low + 1.0;
    let common = high.min(to) - low.max(from) + 1.0;
    (common.max(0.0) / values.max(1.0)).min(1.0)
}

/// The pairs of an equi-join in a condition: (left side, right side), and what else it says.
pub fn equi_keys(
    condition: &Expr,
    left: &std::collections::HashSet<ColumnId>,
    right: &std::collections::HashSet<ColumnId>,
) -> (Vec<(Expr, Expr, bool)>, Vec<Expr>) {
    let mut keys = Vec::new();
    let mut rest = Vec::new();
    for c in condition.clone().conjuncts() {
        if let Expr::Compare { op: op @ (CompareOp::Eq | CompareOp::EqNullSafe), left: a, right: b } = &c {
            let (ca, cb) = (a.columns(), b.columns());
            let null_safe = *op == CompareOp::EqNullSafe;
            let proper = !ca.is_empty() && !cb.is_empty() && !a.has_subquery() && !b.has_subquery();
            if proper && ca.is_subset(left) && cb.is_subset(right) {
                keys.push(((**a).clone(), (**b).clone(), null_safe));
                continue;
            }
            if proper && ca.is_subset(right) && cb.is_subset(left) {
                keys.push(((**b).clone(), (**a).clone(), null_safe));
                continue;
            }
        }
        rest.push(c);
    }
    (keys, rest)
}

fn join(j: &Join) -> Estimate {
    let (l, r) = (estimate(&j.left), estimate(&j.right));
    let ids = |p: &LogicalPlan| p.output().iter().map(|c| c.id).collect();
    let (keys, rest) = match &j.condition {
        Some(c) => equi_keys(c, &ids(&j.left), &ids(&j.right)),
        None => (vec![], vec![]),
    };
    let pairs: Vec<(Expr, Expr)> = keys.into_iter().map(|(a, b, _)| (a, b)).collect();
    let mut rows = join_rows(&l, &r, &pairs);
    let mut columns = l.columns.clone();
    if j.kind.outputs_right() {
        columns.extend(r.columns.clone());
    }
    let both = Estimate {
        rows,
        columns: l.columns.iter().chain(&r.columns).map(|(k, v)| (*k, v.clone())).collect(),
    };
    rows = if rest.is_empty() { rows } else { filtered(both, &rest).rows };
    let matching = |side: &Estimate, other: &Estimate, first: bool| {
        // Share of a side's rows with a match: its key values that the other side has, if the smaller set is contained.
        let share = pairs.iter().map(|(a, b)| {
            let (own, foreign) = if first { (a, b) } else { (b, a) };
            let d_own = of_expr(own, side).and_then(|c| c.distinct).unwrap_or(side.rows.max(1.0));
            let d_foreign = of_expr(foreign, other).and_then(|c| c.distinct).unwrap_or(other.rows.max(1.0));
            (d_foreign.min(other.rows) / d_own.max(1.0)).min(1.0)
        });
        side.rows * share.fold(if rest.is_empty() { 1.0 } else { 0.7 }, f64::min)
    };
    // Rows without a match have nulls for the other side's columns.
    let mut extended = |side: &Estimate, other: &Estimate, first: bool| {
        let unmatched = 1.0 - (matching(side, other, first) / side.rows.max(1.0)).min(1.0);
        for id in other.columns.keys() {
            if let Some(c) = columns.get_mut(id) {
                c.nulls += (1.0 - c.nulls) * unmatched;
            }
        }
    };
    if matches!(j.kind, JoinKind::Left | JoinKind::Full | JoinKind::LeftSingle) {
        extended(&l, &r, true);
    }
    if matches!(j.kind, JoinKind::Right | JoinKind::Full) {
        extended(&r, &l, false);
    }
    let rows = match j.kind {
        JoinKind::Inner => rows,
        JoinKind::Left => rows.max(l.rows),
        JoinKind::Right => rows.max(r.rows),
        JoinKind::Full => rows.max(l.rows).max(r.rows),
        JoinKind::LeftSemi => matching(&l, &r, true),
        JoinKind::LeftAnti | JoinKind::NullAwareAnti => (l.rows - matching(&l, &r, true)).max(l.rows * 0.05),
        JoinKind::Mark | JoinKind::LeftSingle => l.rows,
    };
    let mut out = Estimate { rows: rows.max(1.0), columns };
    for c in out.columns.values_mut() {
        c.distinct = c.distinct.map(|d| d.min(rows.max(1.0)));
    }
    out
}
