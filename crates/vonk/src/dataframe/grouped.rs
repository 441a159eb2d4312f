//! Groups of a DataFrame: aggregates over them, and pivots.

use super::{Column, DataFrame, IntoColumns, exprs, misuse, reference};
use crate::functions;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{Expr, ExprKind, GroupBy, GroupItem, GroupingSet, Pivot, Plan, Select};
use vonk_types::Literal;

/// Values that a pivot may find (Spark: `spark.sql.pivotMaxValues`).
const MAX_PIVOT_VALUES: u64 = 10_000;

/// How keys make groups.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Plain,
    Rollup,
    Cube,
    Sets(Vec<Vec<Column>>),
}

/// Rows in groups of equal keys: what [`DataFrame::group_by`] gives (Spark: `RelationalGroupedDataset`).
#[derive(Debug, Clone)]
#[must_use = "groups do nothing until they are aggregated"]
pub struct GroupedData {
    input: DataFrame,
    keys: Vec<Column>,
    kind: Kind,
    pivot: Option<(Column, Vec<Literal>)>,
}

impl GroupedData {
    pub(super) fn new(input: DataFrame, keys: Vec<Column>, kind: Kind) -> GroupedData {
        GroupedData { input, keys, kind, pivot: None }
    }

    /// One row for each group: its keys, and then the aggregates.
    ///
    /// ```
    /// # use vonk::functions::{col, count, max, sum};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.range(0, 10)?;
    /// let sums = df.group_by((col("id") % 3).alias("rest")).agg((count("*"), sum("id").alias("total")))?;
    /// assert_eq!(sums.columns(), ["rest", "count(1)", "total"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn agg(&self, aggregates: impl IntoColumns) -> Result<DataFrame> {
        let aggregates = exprs(aggregates)?;
        let keys = exprs(self.keys.clone())?;
        if let Some((column, values)) = &self.pivot {
            return self.pivoted(keys, aggregates, column.clone().into_expr()?, values);
        }
        let items: Vec<Expr> = keys.iter().enumerate().map(|(i, k)| grouped_by(i, k)).collect();
        let items = match &self.kind {
            Kind::Plain => items.into_iter().map(GroupItem::Expr).collect(),
            Kind::Rollup => vec![GroupItem::Rollup(items.into_iter().map(|e| vec![e]).collect())],
            Kind::Cube => vec![GroupItem::Cube(items.into_iter().map(|e| vec![e]).collect())],
            Kind::Sets(sets) => {
                let set = |s: &Vec<Column>| Ok(GroupingSet::Set(exprs(s.clone())?));
                vec![GroupItem::GroupingSetsOf(items, sets.iter().map(set).collect::<Result<_>>()?)]
            }
        };
        let projection = keys.into_iter().chain(aggregates).collect();
        let mut select = Select::plain(projection, self.input.input(), Span::NONE);
        select.group_by = Some(GroupBy::Items(items));
        self.input.step(&Plan::Select(Box::new(select)))
    }

    fn pivoted(
        &self,
        keys: Vec<Expr>,
        aggregates: Vec<Expr>,
        column: Expr,
        values: &[Literal],
    ) -> Result<DataFrame> {
        if self.kind != Kind::Plain {
            return Err(Error::unsupported("a pivot after rollup or cube"));
        }
        let values = values.iter().map(|v| Expr::made(ExprKind::Literal(v.clone()))).collect();
        self.input.step(&Plan::Pivot(Box::new(Pivot {
            input: self.input.input(),
            aggregates,
            columns: vec![column],
            values,
            groups: Some(keys),
            span: Span::NONE,
        })))
    }

    /// The number of rows of each group, as `count`.
    pub fn count(&self) -> Result<DataFrame> {
        self.agg(functions::count("*").alias("count"))
    }

    /// Averages of numeric columns; of all that are no keys, if none are named.
    pub fn avg<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.numeric("avg", columns)
    }

    /// Averages: another name of [`avg`](Self::avg).
    pub fn mean<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.numeric("avg", columns)
    }

    /// Sums of numeric columns; of all that are no keys, if none are named.
    pub fn sum<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.numeric("sum", columns)
    }

    /// Smallest values of numeric columns; of all that are no keys, if none are named.
    pub fn min<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.numeric("min", columns)
    }

    /// Largest values of numeric columns; of all that are no keys, if none are named.
    pub fn max<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        self.numeric("max", columns)
    }

    fn numeric<'a>(
        &self,
        function: &'static str,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Result<DataFrame> {
        let all = self.input.resolved.columns();
        let mut wanted = Vec::new();
        for name in columns {
            let ids = self.input.required(name)?;
            wanted.extend(all.iter().filter(|c| ids.contains(&c.id.0)));
        }
        if let Some(c) = wanted.iter().find(|c| !c.data_type.is_numeric()) {
            return Err(misuse(&format!(
                "\"{}\" is not a numeric column. Aggregation function can only be applied on a numeric column.",
                c.name
            )));
        }
        if wanted.is_empty() {
            let keys: Vec<String> = self.keys.iter().filter_map(|k| key_name(&k.expr)).collect();
            let names = self.input.names();
            let is_key = |name: &str| keys.iter().any(|k| names.same(k, name));
            wanted.extend(all.iter().filter(|c| c.data_type.is_numeric() && !is_key(&c.name)));
        }
        let calls = wanted.into_iter().map(|c| Column::call(function, vec![Column::of(reference(c))]));
        self.agg(calls.collect::<Vec<_>>())
    }

    /// A column for each value of `column`, of which the aggregates count the rows that have it. The values are those that it has, in
    /// order: a query finds them at once.
    #[track_caller]
    pub fn pivot(&self, column: impl super::IntoColumn) -> Result<GroupedData> {
        let column = column.into_column();
        let distinct = self.input.project(vec![column.clone().into_expr()?])?.distinct()?;
        let name = distinct.refs();
        let sorted = distinct.order_by(name.into_iter().map(Column::of).collect::<Vec<_>>())?;
        let batches = sorted.limit(MAX_PIVOT_VALUES + 1)?.collect()?;
        let Some(t) = sorted.schema().fields.first().map(|f| f.data_type.clone()) else {
            return Err(Error::internal("a pivot without a column"));
        };
        let mut values = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                values.push(Literal::from_array(batch.column(0), row, t.clone())?);
            }
        }
        if values.len() as u64 > MAX_PIVOT_VALUES {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1324")
                .with("pivotColumn", format!("{column:?}"))
                .with("maxValues", MAX_PIVOT_VALUES.to_string())
                .with("config", "spark.sql.pivotMaxValues"));
        }
        Ok(GroupedData { pivot: Some((column, values)), ..self.clone() })
    }

    /// A column for each of these values of `column`.
    #[track_caller]
    pub fn pivot_values<T: super::ToLiteral>(
        &self,
        column: impl super::IntoColumn,
        values: impl IntoIterator<Item = T>,
    ) -> Result<GroupedData> {
        let values = values.into_iter().map(super::ToLiteral::to_literal).collect();
        Ok(GroupedData { pivot: Some((column.into_column(), values)), ..self.clone() })
    }
}

/// A key of the select list as an element of GROUP BY.
fn grouped_by(position: usize, key: &Expr) -> Expr {
    let inner = match &key.kind {
        ExprKind::Alias { expr, .. } => expr.as_ref(),
        _ => key,
    };
    match &inner.kind {
        // A number would be a position: that of the key itself.
        ExprKind::Literal(_) => super::lit(i32::try_from(position + 1).unwrap_or(i32::MAX)).expr,
        _ => inner.clone(),
    }
}

fn key_name(key: &Expr) -> Option<String> {
    match &key.kind {
        ExprKind::Name(n) => Some(n.last().to_string()),
        ExprKind::Column(c) => Some(c.name.clone()),
        _ => None,
    }
}
