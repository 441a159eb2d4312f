//! Aggregates over the rows of a step, beside whatever the query does with them (Spark: `Observation`).
//!
//! Spark counts while rows pass. Here the step's rows are kept, as by [`DataFrame::cache`], by the first action that asks for them, and the
//! aggregates are computed from those very rows when they are asked for.

use super::{Column, DataFrame, IntoColumns, misuse};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Expr, ExprKind};
use vonk_types::Literal;

/// Where the aggregates of [`DataFrame::observe`] are had.
#[derive(Clone, Default)]
pub struct Observation {
    aggregates: Arc<Mutex<Option<DataFrame>>>,
}

impl Observation {
    /// One that observes nothing yet.
    pub fn new() -> Observation {
        Observation::default()
    }

    fn observed(&self) -> Result<DataFrame> {
        let observed = self.aggregates.lock().clone();
        observed.ok_or_else(|| misuse("An Observation is to be used with a DataFrame before it is asked."))
    }

    /// The aggregates by their names. Computes the rows, if no action has yet.
    pub fn get(&self) -> Result<BTreeMap<String, Literal>> {
        let df = self.observed()?;
        let (fields, batches) = (df.schema().fields, df.collect()?);
        let Some(row) = batches.first() else { return Err(Error::internal("aggregates without a row")) };
        let value = |(f, column)| {
            let f: &vonk_types::StructField = f;
            Ok((f.name.to_string(), Literal::from_array(column, 0, f.data_type.clone())?))
        };
        fields.iter().zip(row.columns()).map(value).collect()
    }

    /// The aggregates as a value of a Rust type: a struct with a field for each, or a tuple.
    pub fn get_as<T: DeserializeOwned>(&self) -> Result<T> {
        let rows: Vec<T> = self.observed()?.collect_as()?;
        rows.into_iter().next().ok_or_else(|| Error::internal("aggregates without a row"))
    }
}

impl DataFrame {
    /// The same rows, of which `observation` will tell aggregates. They are kept for it as by [`cache`](Self::cache), in memory or on disk, as
    /// long as it or the DataFrame lives. An observation is for one DataFrame.
    ///
    /// ```
    /// use vonk::Observation;
    /// use vonk::functions::{count, max};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let seen = Observation::new();
    /// let observed = session.range(0, 10)?.observe(&seen, (count("*").alias("rows"), max("id").alias("largest")))?;
    /// assert_eq!(observed.filter("id > 3")?.count()?, 6);
    /// let (rows, largest): (i64, i64) = seen.get_as()?;
    /// assert_eq!((rows, largest), (10, 9));
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn observe(&self, observation: &Observation, aggregates: impl IntoColumns) -> Result<DataFrame> {
        let aggregates = aggregates.into_columns();
        for column in &aggregates {
            self.allowed(column)?;
        }
        let mut told = observation.aggregates.lock();
        if told.is_some() {
            return Err(misuse("An Observation can be used with a DataFrame only once"));
        }
        let kept = self.cache()?;
        *told = Some(kept.agg(aggregates)?);
        Ok(kept)
    }

    /// What Spark can count while rows pass, and nothing else.
    fn allowed(&self, column: &Column) -> Result<()> {
        let mut expr = column.clone().into_expr()?;
        let Some(condition) = refused(&mut expr) else { return Ok(()) };
        let shown = self.agg(column.clone())?.columns();
        Err(Error::new(condition)
            .with("expr", format!("\"{}\"", shown.join(", ")))
            .at(expr.span)
            .in_program())
    }
}

/// Why an expression cannot be observed.
fn refused(e: &mut Expr) -> Option<&'static str> {
    if let ExprKind::Function(call) = &e.kind {
        if call.over.is_some() {
            return Some("INVALID_OBSERVED_METRICS.WINDOW_EXPRESSIONS_UNSUPPORTED");
        }
        if call.distinct {
            return Some("INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED");
        }
        if call.filter.is_some() {
            return Some("INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_FILTER_UNSUPPORTED");
        }
    }
    let mut found = None;
    e.for_each_part(&mut |part| found = found.or_else(|| refused(part)));
    found
}
