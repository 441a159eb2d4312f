//! Actions: what makes a DataFrame's query run.

use super::{Column, DataFrame, star};
use crate::answer::{Answer, AnswerPart};
use crate::commands;
use crate::functions::count;
use crate::pipeline::Pipeline;
use crate::session::Control;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures_core::Stream;
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::pin::Pin;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{ExplainMode, Statement};

impl DataFrame {
    /// Runs the query; its rows are read from the answer while it runs, in bounded memory.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let mut answer = session.range(0, 100_000)?.execute(&Default::default())?;
    /// let mut rows = 0;
    /// while let Some(batch) = answer.next_batch()? {
    ///     rows += batch.num_rows();
    /// }
    /// assert_eq!(rows, 100_000);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn execute(&self, control: &Control) -> Result<Answer> {
        self.session.on_planning_stack(|| {
            control.heeded(|| {
                let cx = Pipeline::new(&self.session, "", control)?;
                let analyzed = self.resolved.analyzed();
                cx.answer_resolved(analyzed.plan, analyzed.texts)
            })
        })
    }

    /// Runs the query; its rows come as a stream of Arrow batches (`futures::Stream`), for any async runtime: no thread waits for them. The
    /// query is planned before this returns, on the calling thread: a few milliseconds, and what it takes to read the metadata of files.
    ///
    /// ```
    /// use futures::StreamExt;
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// # futures::executor::block_on(async {
    /// let mut batches = session.range(0, 100_000)?.to_stream()?;
    /// let mut rows = 0;
    /// while let Some(batch) = batches.next().await {
    ///     rows += batch?.num_rows();
    /// }
    /// assert_eq!(rows, 100_000);
    /// # Ok::<(), vonk::Error>(())
    /// # })?;
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn to_stream(&self) -> Result<AnswerPart> {
        Ok(self.execute(&Control::default())?.into_stream())
    }

    /// All rows, as Arrow batches: [`collect`](Self::collect) for async code.
    pub async fn collect_async(&self) -> Result<Vec<RecordBatch>> {
        let mut stream = self.to_stream()?;
        let mut batches = Vec::new();
        while let Some(batch) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// The number of rows: [`count`](Self::count) for async code.
    pub async fn count_async(&self) -> Result<u64> {
        number(&self.agg(count("*"))?.collect_async().await?)
    }

    /// All rows, as Arrow batches.
    pub fn collect(&self) -> Result<Vec<RecordBatch>> {
        self.execute(&Control::default())?.collect()
    }

    /// All rows as values of a Rust type: a struct with a field for each column, or a tuple.
    ///
    /// ```
    /// #[derive(serde::Deserialize, PartialEq, Debug)]
    /// struct Row {
    ///     id: i64,
    ///     name: Option<String>,
    /// }
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let rows: Vec<Row> = session.sql("SELECT * FROM VALUES (1L, 'one'), (2L, NULL) AS t(id, name)")?.collect_as()?;
    /// assert_eq!(rows[0], Row { id: 1, name: Some("one".to_string()) });
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn collect_as<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        for batch in self.collect()? {
            let some: Vec<T> = serde_arrow::from_record_batch(&batch)
                .map_err(|e| Error::new("_ROWS_DO_NOT_FIT").with("cause", e.to_string()))?;
            rows.extend(some);
        }
        Ok(rows)
    }

    /// All rows as text, the columns of each joined by tabs, as `spark-sql` prints them.
    pub fn collect_text(&self) -> Result<Vec<String>> {
        self.execute(&Control::default())?.rows_as_text()
    }

    /// The number of rows.
    pub fn count(&self) -> Result<u64> {
        number(&self.agg(count("*"))?.collect()?)
    }

    /// The first rows, as Arrow batches.
    pub fn take(&self, rows: u64) -> Result<Vec<RecordBatch>> {
        self.limit(rows)?.collect()
    }

    /// Another name of [`take`](Self::take).
    pub fn head(&self, rows: u64) -> Result<Vec<RecordBatch>> {
        self.take(rows)
    }

    /// Each row as an object in JSON, in one column `value`; fields that are null are left out.
    pub fn to_json(&self) -> Result<DataFrame> {
        let row = Column::call("struct", vec![Column::of(star())]);
        self.select(Column::call("to_json", vec![row]).alias("value"))
    }

    /// The first row: a batch of it alone; `None` if there is none.
    pub fn first(&self) -> Result<Option<RecordBatch>> {
        Ok(self.take(1)?.into_iter().next())
    }

    /// The last rows. All rows are made for that.
    pub fn tail(&self, rows: usize) -> Result<Vec<RecordBatch>> {
        let mut answer = self.execute(&Control::default())?;
        let mut kept: std::collections::VecDeque<RecordBatch> = std::collections::VecDeque::new();
        let mut held = 0;
        while let Some(batch) = answer.next_batch()? {
            held += batch.num_rows();
            kept.push_back(batch);
            while kept.front().is_some_and(|b| held - b.num_rows() >= rows) {
                held -= kept.pop_front().map_or(0, |b| b.num_rows());
            }
        }
        if let (Some(first), true) = (kept.front_mut(), held > rows) {
            let extra = (held - rows).min(first.num_rows());
            *first = first.slice(extra, first.num_rows() - extra);
        }
        Ok(kept.into_iter().filter(|b| b.num_rows() > 0).collect())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> Result<bool> {
        let select = self.project(vec![star()])?;
        Ok(select.take(1)?.iter().all(|b| b.num_rows() == 0))
    }

    /// The physical plan as text; with a mode, what SQL's `EXPLAIN mode` says (`simple`, `extended`, `cost`, `formatted`, `analyze`).
    pub fn explain_text(&self, mode: &str) -> Result<String> {
        let mode = match mode.to_lowercase().as_str() {
            "" | "simple" => ExplainMode::Simple,
            "extended" => ExplainMode::Extended,
            "codegen" => ExplainMode::Codegen,
            "cost" => ExplainMode::Cost,
            "formatted" => ExplainMode::Formatted,
            "analyze" => ExplainMode::Analyze,
            other => {
                return Err(super::misuse(&format!(
                    "Unknown explain mode: {other}. Accepted explain modes are 'simple', 'extended', 'codegen', \
                     'cost', 'formatted', 'analyze'."
                )));
            }
        };
        let statement = Statement::Explain { mode, statement: Box::new(Statement::Query(self.input())) };
        let mut answer = self
            .session
            .on_planning_stack(|| commands::execute(&self.session, &statement, "", &Control::default()))?;
        Ok(answer.rows_as_text()?.join("\n"))
    }

    /// Prints the physical plan.
    pub fn explain(&self) -> Result<()> {
        println!("{}", self.explain_text("simple")?);
        Ok(())
    }
}

/// The one number of a count.
fn number(batches: &[RecordBatch]) -> Result<u64> {
    let column = batches.first().map(|b| b.column(0).clone());
    let rows = column.as_ref().and_then(|c| c.as_primitive_opt::<Int64Type>()).map(|c| c.value(0));
    match rows.and_then(|n| u64::try_from(n).ok()) {
        Some(n) => Ok(n),
        None => Err(Error::internal("a count that is no number")),
    }
}
