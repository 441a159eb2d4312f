//! DataFrames: queries built by calls instead of text.
//!
//! Each call makes a new [`DataFrame`] and resolves its own step at once, over what was resolved before: a wrong name or type is told
//! where it is written. Nothing runs until an action asks for rows ([`collect`](DataFrame::collect), [`show`](DataFrame::show),
//! [`count`](DataFrame::count), a write). The plans are those of SQL: the analyzer, the optimizer and everything below see no difference.
//!
//! Must not know: how anything is typed, optimized or run. It builds unresolved plans over resolved ones.

mod actions;
mod arguments;
mod attribute;
mod column;
mod combining;
mod create;
mod describe;
mod grouped;
mod keeping;
mod literal;
mod na;
mod nested;
mod observation;
mod operators;
mod options;
mod partitions;
mod place;
mod reader;
mod reshape;
mod sampling;
mod self_join;
mod sets;
mod shape;
mod show;
mod stat;
mod subqueries;
mod transposed;
mod window;
mod write_to;
mod writer;

pub(crate) use arguments::sort_keys;
pub use arguments::{
    IntoColumn, IntoColumns, IntoCondition, IntoOperand, IntoSortColumn, IntoSortColumns, IntoType,
    SortColumn,
};
pub use column::Column;
pub(crate) use column::misuse;
pub use grouped::GroupedData;
pub use literal::{ToLiteral, lit};
pub use na::{DataFrameNaFunctions, Fill, How};
pub use observation::Observation;
pub(crate) use place::called;
pub use reader::DataFrameReader;
pub use stat::DataFrameStatFunctions;
pub use window::{Window, WindowSpec};
pub use write_to::DataFrameWriterV2;
pub use writer::{DataFrameWriter, SaveMode};

use crate::pipeline::Pipeline;
use crate::session::{Control, Session};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use vonk_analyzer::Resolved;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{
    self, ColumnRef, Expr, ExprKind, Hint, Name, Pipe, PipeOp, Plan, Select, SortKey, SortKeys, Star,
};
use vonk_types::StructType;

/// A query. Cheap to clone; each method gives a new one and leaves this as it is.
///
/// ```
/// use vonk::functions::{col, lit, sum};
/// # let session = vonk::Session::builder().config("spark.master", "local[2]").build()?;
/// let revenue = session
///     .table("samples.tpch.lineitem")?
///     .filter(col("l_shipdate").lt(lit("1995-01-01").cast("date")))?
///     .group_by("l_returnflag")
///     .agg([sum(col("l_extendedprice") * (lit(1) - col("l_discount"))).alias("revenue")])?
///     .order_by(col("revenue").desc())?;
/// revenue.show()?;
/// # Ok::<(), vonk::Error>(())
/// ```
#[derive(Clone)]
pub struct DataFrame {
    pub(crate) session: Session,
    pub(crate) resolved: Resolved,
    /// The last step, if it was a projection: what stands above it may name what it does not select.
    projected: Option<Projected>,
}

/// A projection, and what it is one of.
#[derive(Clone)]
struct Projected {
    select: Arc<Select>,
    below: Resolved,
}

impl DataFrame {
    pub(crate) fn new(session: Session, resolved: Resolved) -> DataFrame {
        DataFrame { session, resolved, projected: None }
    }

    /// The next step.
    pub(crate) fn step(&self, plan: &Plan) -> Result<DataFrame> {
        let resolved = self.session.resolve(plan, &Arc::from(""))?;
        Ok(DataFrame::new(self.session.clone(), resolved))
    }

    /// This, as the input of a step.
    pub(crate) fn input(&self) -> Plan {
        self.resolved.embed()
    }

    /// A projection whose expressions may be anything that a select list takes.
    pub(crate) fn project(&self, exprs: Vec<Expr>) -> Result<DataFrame> {
        if exprs.is_empty() {
            return self.step(&Plan::Select(Box::new(Select::plain(nothing(), self.input(), Span::NONE))));
        }
        let select = Select::plain(exprs, self.input(), Span::NONE);
        let mut next = self.step(&Plan::Select(Box::new(select.clone())))?;
        next.projected = Some(Projected { select: Arc::new(select), below: self.resolved.clone() });
        Ok(next)
    }

    /// The session it belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What a function makes of it, so that steps of one's own stand among others: `df.transform(cleaned)?.select(…)`.
    pub fn transform(&self, f: impl FnOnce(&DataFrame) -> Result<DataFrame>) -> Result<DataFrame> {
        f(self)
    }

    /// Names, types and nullability of the columns.
    pub fn schema(&self) -> StructType {
        self.resolved.schema()
    }

    /// The names of the columns in order.
    pub fn columns(&self) -> Vec<String> {
        self.resolved.columns().iter().map(|c| c.name.to_string()).collect()
    }

    /// The columns' names and types, as `DESCRIBE` says them.
    pub fn dtypes(&self) -> Vec<(String, String)> {
        let columns = self.resolved.columns();
        columns.iter().map(|c| (c.name.to_string(), c.data_type.catalog_string())).collect()
    }

    /// Each column as it is now, whatever its name.
    pub(crate) fn refs(&self) -> Vec<Expr> {
        self.resolved.columns().iter().map(reference).collect()
    }

    /// A column of this DataFrame and of no other (Spark: `df("a")`, `df.a`). In a join of two with columns of the same name it says which.
    #[track_caller]
    pub fn col(&self, name: &str) -> Result<Column> {
        let expr = Column::named(name).into_expr()?;
        let ExprKind::Name(name) = &expr.kind else { return Ok(Column::of(expr)) };
        let control = Control::default();
        let cx = Pipeline::new(&self.session, "", &control)?;
        let found = cx.with_analyzer(|a| a.column(&self.resolved, name)).map_err(Error::in_program)?;
        Ok(Column::of(Expr { span: expr.span, ..found }))
    }

    /// The columns whose names match a regular expression between backticks: `` `(a|b).*` ``; without backticks, the column of the name.
    #[track_caller]
    pub fn col_regex(&self, name: &str) -> Column {
        match name.strip_prefix('`').and_then(|n| n.strip_suffix('`')) {
            Some(pattern) => {
                let regex = Some(pattern.to_string());
                Column::built("col_regex", ExprKind::Star(Star { regex, ..Star::default() }))
            }
            None => Column::named(name),
        }
    }

    /// Columns computed from columns.
    ///
    /// ```
    /// # use vonk::functions::{col, upper};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.range(0, 3)?.select((col("id"), (col("id") * 2).alias("twice")))?;
    /// assert_eq!(df.columns(), ["id", "twice"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn select(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        self.project(exprs(columns)?)
    }

    /// Columns computed by expressions in SQL.
    pub fn select_expr<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.project(columns.into_iter().map(|c| Column::parsed(c).into_expr()).collect::<Result<_>>()?)
    }

    /// A further column, or another one in the place of those of its name.
    #[track_caller]
    pub fn with_column(&self, name: &str, column: impl IntoColumn) -> Result<DataFrame> {
        self.with_columns([(name, column)])
    }

    /// Several further columns, each computed from the columns before the call.
    #[track_caller]
    pub fn with_columns<'a, C: IntoColumn>(
        &self,
        columns: impl IntoIterator<Item = (&'a str, C)>,
    ) -> Result<DataFrame> {
        let mut new: Vec<(&str, Option<Expr>)> = Vec::new();
        let names = self.names();
        for (name, column) in columns {
            if new.iter().any(|(n, _)| names.same(n, name)) {
                return Err(Error::new("COLUMN_ALREADY_EXISTS")
                    .with("columnName", format!("`{}`", name.to_lowercase())));
            }
            new.push((name, Some(column.into_column().alias(name).into_expr()?)));
        }
        let mut projection = Vec::new();
        let mut replaced = HashSet::new();
        for column in self.resolved.columns() {
            let found = new.iter().position(|(name, _)| names.same(name, &column.name));
            match found.and_then(|i| new[i].1.clone().map(|e| (i, e))) {
                Some((i, expr)) => {
                    replaced.insert(i);
                    projection.push(expr);
                }
                None => projection.push(reference(&column)),
            }
        }
        let appended = new.into_iter().enumerate().filter(|(i, _)| !replaced.contains(i));
        projection.extend(appended.filter_map(|(_, (_, expr))| expr));
        self.project(projection)
    }

    /// A column under another name; without effect if there is none.
    pub fn with_column_renamed(&self, from: &str, to: &str) -> Result<DataFrame> {
        self.with_columns_renamed([(from, to)])
    }

    /// Several columns under other names.
    pub fn with_columns_renamed<'a>(
        &self,
        renames: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<DataFrame> {
        let (names, renames) = (self.names(), renames.into_iter().collect::<Vec<_>>());
        let columns = self.resolved.columns();
        let renamed =
            |c: &vonk_plan::logical::Column| match renames.iter().find(|(from, _)| names.same(from, &c.name))
            {
                Some((_, to)) => Column::of(reference(c)).alias(*to).expr,
                None => reference(c),
            };
        self.project(columns.iter().map(renamed).collect())
    }

    /// All columns under new names, in order.
    pub fn to_df<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        let names: Vec<&str> = names.into_iter().collect();
        let columns = self.resolved.columns();
        if names.len() != columns.len() {
            return Err(Error::new("ASSIGNMENT_ARITY_MISMATCH")
                .with("numTarget", columns.len().to_string())
                .with("numExpr", names.len().to_string()));
        }
        let renamed = columns.iter().zip(names).map(|(c, name)| Column::of(reference(c)).alias(name).expr);
        self.project(renamed.collect())
    }

    /// Without these columns: all of a name, or one by [`col`](Self::col). What is not there is not missed.
    #[track_caller]
    pub fn drop(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        let (mut names, mut ids) = (Vec::new(), Vec::new());
        for e in exprs(columns)? {
            match e.kind {
                ExprKind::Column(c) => ids.push(c.id),
                // A name is taken as it is, dots and all, unless it has a qualifier that is there.
                ExprKind::Name(name) => match name.parts.as_slice() {
                    [_] => names.push(name.last().to_string()),
                    parts => match self.column_ref(&name)? {
                        Some(c) => ids.push(c.id),
                        None => names.push(parts.join(".")),
                    },
                },
                _ => {}
            }
        }
        let (columns, same) = (self.resolved.columns(), self.names());
        let kept =
            columns.iter().filter(|c| !ids.contains(&c.id.0) && !names.iter().any(|n| same.same(n, &c.name)));
        let kept: Vec<Expr> = kept.map(reference).collect();
        if kept.len() == columns.len() { Ok(self.clone()) } else { self.project(kept) }
    }

    fn column_ref(&self, name: &Name) -> Result<Option<ColumnRef>> {
        let control = Control::default();
        let cx = Pipeline::new(&self.session, "", &control)?;
        match cx.with_analyzer(|a| a.column(&self.resolved, name)) {
            Ok(e) => match e.kind {
                ExprKind::Column(c) => Ok(Some(c)),
                _ => Ok(None),
            },
            Err(e) if e.condition().starts_with("UNRESOLVED_COLUMN") => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The rows for which a condition is true (Spark: `filter`). It may name columns that the last `select` left out.
    #[track_caller]
    pub fn filter(&self, condition: impl IntoCondition) -> Result<DataFrame> {
        let condition = condition.into_condition().into_expr()?;
        match (self.step(&filtered(self.input(), condition.clone())), &self.projected) {
            // The input of the projection may have it.
            (Err(e), Some(p)) if e.condition().starts_with("UNRESOLVED_COLUMN") => {
                self.filtered_below(p, condition).map_err(|_| e)
            }
            (result, _) => result,
        }
    }

    /// A filter over the projection and what it left out, of which then nothing is seen.
    fn filtered_below(&self, p: &Projected, condition: Expr) -> Result<DataFrame> {
        let (shown, names) = (self.resolved.columns(), self.names());
        let below = p.below.columns();
        let left_out = below.iter().filter(|b| !shown.iter().any(|c| names.same(&c.name, &b.name)));
        let mut select = Select::clone(&p.select);
        select.projection.extend(left_out.map(reference));
        let wide = self.step(&Plan::Select(Box::new(select)))?;
        let kept = wide.refs().into_iter().take(shown.len()).collect();
        wide.step(&filtered(wide.input(), condition))?.project(kept)
    }

    /// Another name of [`filter`](Self::filter).
    #[track_caller]
    pub fn where_(&self, condition: impl IntoCondition) -> Result<DataFrame> {
        self.filter(condition)
    }

    /// Groups of rows with equal keys, to be aggregated.
    #[track_caller]
    pub fn group_by(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys.into_columns(), grouped::Kind::Plain)
    }

    /// Groups by all keys, by all but the last, and so on to none.
    #[track_caller]
    pub fn rollup(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys.into_columns(), grouped::Kind::Rollup)
    }

    /// Groups by every subset of the keys.
    #[track_caller]
    pub fn cube(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys.into_columns(), grouped::Kind::Cube)
    }

    /// Groups by each of several sets of the keys.
    ///
    /// ```
    /// # use vonk::functions::{col, count};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.sql("SELECT * FROM VALUES ('a', 1), ('a', 2) AS t(k, v)")?;
    /// let groups = df.grouping_sets([vec![col("k"), col("v")], vec![]], ("k", "v"));
    /// assert_eq!(groups.agg(count("*"))?.count()?, 3);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn grouping_sets<S: IntoColumns>(
        &self,
        sets: impl IntoIterator<Item = S>,
        keys: impl IntoColumns,
    ) -> GroupedData {
        let mut all = Vec::new();
        for set in sets {
            all.push(set.into_columns());
        }
        GroupedData::new(self.clone(), keys.into_columns(), grouped::Kind::Sets(all))
    }

    /// Aggregates over all rows.
    #[track_caller]
    pub fn agg(&self, aggregates: impl IntoColumns) -> Result<DataFrame> {
        self.group_by(()).agg(aggregates)
    }

    /// All rows in an order (Spark: `orderBy`). Keys may be columns that the last `select` left out.
    #[track_caller]
    pub fn order_by(&self, keys: impl IntoSortColumns) -> Result<DataFrame> {
        self.sorted(sort_keys(keys)?, true)
    }

    /// Another name of [`order_by`](Self::order_by).
    #[track_caller]
    pub fn sort(&self, keys: impl IntoSortColumns) -> Result<DataFrame> {
        self.order_by(keys)
    }

    /// The rows of each partition in an order.
    #[track_caller]
    pub fn sort_within_partitions(&self, keys: impl IntoSortColumns) -> Result<DataFrame> {
        self.sorted(sort_keys(keys)?, false)
    }

    fn sorted(&self, keys: Vec<SortKey>, global: bool) -> Result<DataFrame> {
        if keys.is_empty() {
            return Ok(self.clone());
        }
        let keys = SortKeys::Keys(keys);
        let sort = |input: Plan| Plan::Sort { input: Box::new(input), keys: keys.clone(), global };
        match (self.step(&sort(self.input())), &self.projected) {
            // The input of the projection may have it.
            (Err(e), Some(p)) if e.condition().starts_with("UNRESOLVED_COLUMN") => {
                let written = Plan::Select(Box::new(Select::clone(&p.select)));
                self.step(&sort(written)).map_err(|_| e)
            }
            (result, _) => result,
        }
    }

    /// At most so many rows.
    pub fn limit(&self, rows: u64) -> Result<DataFrame> {
        let count = count_of(rows)?;
        self.step(&Plan::Limit { input: Box::new(self.input()), count })
    }

    /// Without the first rows.
    pub fn offset(&self, rows: u64) -> Result<DataFrame> {
        let count = count_of(rows)?;
        self.step(&Plan::Offset { input: Box::new(self.input()), count })
    }

    /// Each row once.
    pub fn distinct(&self) -> Result<DataFrame> {
        let mut select = Select::plain(vec![star()], self.input(), Span::NONE);
        select.distinct = true;
        self.step(&Plan::Select(Box::new(select)))
    }

    /// One row (which, is not said) for each combination of values of these columns; of all columns if none are named.
    pub fn drop_duplicates<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        let mut keys = HashSet::new();
        for name in columns {
            keys.extend(self.required(name)?);
        }
        if keys.is_empty() {
            return self.distinct();
        }
        let (mut groups, mut projection) = (Vec::new(), Vec::new());
        for c in self.resolved.columns() {
            if keys.contains(&c.id.0) {
                groups.push(unresolved::GroupItem::Expr(reference(&c)));
                projection.push(reference(&c));
            } else {
                let first = Column::call("first", vec![Column::of(reference(&c))]);
                projection.push(first.alias(c.name.to_string()).expr);
            }
        }
        let mut select = Select::plain(projection, self.input(), Span::NONE);
        select.group_by = Some(unresolved::GroupBy::Items(groups));
        self.step(&Plan::Select(Box::new(select)))
    }

    /// The columns of a name, of which there must be some.
    pub(crate) fn required(&self, name: &str) -> Result<Vec<u64>> {
        let (columns, names) = (self.resolved.columns(), self.names());
        let found: Vec<u64> = columns.iter().filter(|c| names.same(name, &c.name)).map(|c| c.id.0).collect();
        if found.is_empty() {
            // The analyzer knows what to suggest.
            self.col(&vonk_types::data_type::quote_identifier(name)).map(drop)?;
        }
        Ok(found)
    }

    /// Under a name, by which its columns can be qualified: `col("a.id")` after `alias("a")`.
    pub fn alias(&self, name: &str) -> Result<DataFrame> {
        self.step(&Plan::Aliased {
            input: Box::new(self.input()),
            alias: name.to_string(),
            columns: Vec::new(),
            span: Span::NONE,
        })
    }

    /// A hint, as in SQL's `/*+ NAME(args) */`.
    #[track_caller]
    pub fn hint(&self, name: &str, args: impl IntoColumns) -> Result<DataFrame> {
        let hints = vec![Hint { name: name.to_string(), args: exprs(args)? }];
        self.step(&Plan::Hint { input: Box::new(self.input()), hints })
    }

    /// Columns turned into rows: for each of `values` a row with its name (in a column called `variable`) and its value (in one called
    /// `value`), beside the columns `ids`. Without `values`, all columns that are not in `ids`.
    #[track_caller]
    pub fn unpivot(
        &self,
        ids: impl IntoColumns,
        values: impl IntoColumns,
        variable: &str,
        value: &str,
    ) -> Result<DataFrame> {
        reshape::unpivot(self, exprs(ids)?, exprs(values)?, variable, value)
    }

    /// Another name of [`unpivot`](Self::unpivot).
    #[track_caller]
    pub fn melt(
        &self,
        ids: impl IntoColumns,
        values: impl IntoColumns,
        variable: &str,
        value: &str,
    ) -> Result<DataFrame> {
        self.unpivot(ids, values, variable, value)
    }

    /// The columns of a schema: by name, cast where that cannot lose more than an insert into a table may, null where there is none of the
    /// name; fields of structs alike.
    pub fn to(&self, schema: &StructType) -> Result<DataFrame> {
        shape::shaped(self, schema)
    }

    /// What handles nulls.
    pub fn na(&self) -> DataFrameNaFunctions<'_> {
        DataFrameNaFunctions::new(self)
    }

    /// Statistics.
    pub fn stat(&self) -> DataFrameStatFunctions<'_> {
        DataFrameStatFunctions::new(self)
    }

    /// What writes the rows.
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter::new(self.clone())
    }

    /// How names are compared.
    pub(crate) fn names(&self) -> Names {
        Names { case_sensitive: self.session.conf().get(&vonk_conf::CASE_SENSITIVE) }
    }
}

impl fmt::Debug for DataFrame {
    /// As Spark shows one: `DataFrame[id: bigint, name: string]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.schema();
        let fields: Vec<String> =
            fields.fields.iter().map(|x| format!("{}: {}", x.name, x.data_type.catalog_string())).collect();
        write!(f, "DataFrame[{}]", fields.join(", "))
    }
}

/// How names are compared (`spark.sql.caseSensitive`).
#[derive(Clone, Copy)]
pub(crate) struct Names {
    case_sensitive: bool,
}

impl Names {
    /// Whether two names are one.
    pub fn same(self, a: &str, b: &str) -> bool {
        a == b || !self.case_sensitive && a.to_lowercase() == b.to_lowercase()
    }
}

/// The expressions of columns.
#[track_caller]
pub(crate) fn exprs(columns: impl IntoColumns) -> Result<Vec<Expr>> {
    columns.into_columns().into_iter().map(Column::into_expr).collect()
}

/// A column by its identity.
pub(crate) fn reference(c: &vonk_plan::logical::Column) -> Expr {
    Expr::made(ExprKind::Column(ColumnRef { id: c.id.0, name: c.name.to_string(), seen_in: None }))
}

pub(crate) fn star() -> Expr {
    Expr::made(ExprKind::Star(Star::default()))
}

fn filtered(input: Plan, condition: Expr) -> Plan {
    Plan::Pipe(Box::new(Pipe { input, op: PipeOp::Where(condition), span: Span::NONE }))
}

/// A select list of no columns.
fn nothing() -> Vec<Expr> {
    vec![Expr::made(ExprKind::Star(Star { regex: Some("(?!)".to_string()), ..Star::default() }))]
}

/// A count of rows as LIMIT and OFFSET take it: an int.
fn count_of(rows: u64) -> Result<Expr> {
    match i32::try_from(rows) {
        Ok(n) => Ok(lit(n).expr),
        Err(_) => Err(misuse("The number of rows must be at most 2147483647.")),
    }
}
