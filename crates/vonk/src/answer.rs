//! What a statement answers.

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use futures_core::Stream;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use vonk_analyzer::Texts;
use vonk_cluster::{QueryHandle, QueryReport};
use vonk_error::{Error, Result};
use vonk_plan::LogicalPlan;
use vonk_types::text::TextFormatter;
use vonk_types::{DataType, EvalContext, StructField, StructType};

/// How long a statement took, and what ran.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// From the text to the physical plan.
    pub planning: Duration,
    /// From then to the last row read.
    pub execution: Duration,
    /// Stages and tasks.
    pub report: QueryReport,
}

/// The rows of a statement: read while the query runs, in bounded memory. Dropping it cancels the query.
pub struct Answer {
    schema: StructType,
    eval: Arc<EvalContext>,
    ready: VecDeque<RecordBatch>,
    running: Option<Running>,
    profile: Profile,
    begun: Instant,
    /// A query, whose columns mean something even without rows.
    query: bool,
    /// Whether the statement asked for an order.
    ordered: bool,
    /// The rows as `spark-sql` prints them, where that is not the text of their values (SHOW TABLES, DESCRIBE).
    shown: Option<Vec<String>>,
}

struct Running {
    handle: QueryHandle,
    statement: Arc<Source>,
}

/// What a query came from.
struct Source {
    /// Where errors get their place in.
    text: Arc<str>,
    texts: Texts,
    /// Keeps what it reads: tables of this process, which go with the last plan that has them.
    _plan: Arc<LogicalPlan>,
}

impl Answer {
    /// No columns, no rows: what most commands answer.
    pub(crate) fn empty(eval: Arc<EvalContext>) -> Answer {
        Answer::of(StructType::new(vec![]), vec![], eval)
    }

    /// Rows that are there already.
    pub(crate) fn of(schema: StructType, batches: Vec<RecordBatch>, eval: Arc<EvalContext>) -> Answer {
        Answer {
            schema,
            eval,
            ready: batches.into(),
            running: None,
            profile: Profile::default(),
            begun: Instant::now(),
            query: false,
            ordered: false,
            shown: None,
        }
    }

    /// The same, printed by `spark-sql` in another way than its values.
    pub(crate) fn shown_as(mut self, rows: Vec<String>) -> Answer {
        self.shown = Some(rows);
        self
    }

    /// Columns of strings.
    pub(crate) fn text_rows(
        columns: &[&str],
        rows: &[Vec<Option<String>>],
        eval: Arc<EvalContext>,
    ) -> Result<Answer> {
        let fields: Vec<StructField> =
            columns.iter().map(|c| StructField::new(*c, DataType::String, true)).collect();
        let schema = StructType::new(fields);
        let column = |i: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|r| r.get(i).cloned().flatten()).collect::<StringViewArray>())
        };
        let arrays = (0..columns.len()).map(column).collect();
        let batch = RecordBatch::try_new(schema.to_arrow_schema(), arrays)?;
        Ok(Answer::of(schema, vec![batch], eval))
    }

    /// The same, whose rows have an order that was asked for.
    pub(crate) fn ordered(mut self, ordered: bool) -> Answer {
        self.ordered = ordered;
        self
    }

    /// A query of a plan that runs. Errors get their place in `text`, or in those of views.
    pub(crate) fn running(
        plan: Arc<LogicalPlan>,
        handle: QueryHandle,
        text: Arc<str>,
        texts: Texts,
        planning: Duration,
        eval: Arc<EvalContext>,
    ) -> Answer {
        let mut answer = Answer::of(plan.schema(), vec![], eval);
        answer.running = Some(Running { handle, statement: Arc::new(Source { text, texts, _plan: plan }) });
        answer.profile.planning = planning;
        answer.query = true;
        answer
    }

    /// Columns.
    pub fn schema(&self) -> &StructType {
        &self.schema
    }

    /// Whether it is a query's (a command's answer may have rows, too).
    pub fn is_query(&self) -> bool {
        self.query
    }

    /// Whether the statement asked for an order of its rows (ORDER BY): then they are one part.
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// When rows were last read, or, if that is now, waited for: for those who give up answers that nobody reads. An answer whose rows are
    /// all there has none to give up; of one that has not been read, it is when the query began.
    pub fn last_read(&self) -> Instant {
        self.running.as_ref().map_or(self.begun, |r| r.handle.last_read())
    }

    /// The rows in at most so many parts, each with its own rows, which may be read in any order, at the same time, slowly or never, in
    /// bounded memory: what runs waits for its reader, or goes to disk where another reader waits for something else. There are fewer
    /// parts if the query has fewer partitions, and one if its rows [have an order](Self::is_ordered), are few, or were read from already.
    /// When all parts are dropped, the query is cancelled.
    ///
    /// No more parts than [`Session::slots`](crate::Session::slots) are best: all are computed at the same time then, and nothing is written
    /// to disk unless readers of different parts differ much. With more, those that are read at once wait for each other's tasks to end.
    pub fn into_parts(mut self, parts: usize) -> Vec<AnswerPart> {
        let parts = if self.ordered || self.shown.is_some() { 1 } else { parts.max(1) };
        let ready = std::mem::take(&mut self.ready);
        let part = |ready, running| AnswerPart {
            schema: self.schema.clone(),
            eval: self.eval.clone(),
            begun: self.begun,
            ready,
            running,
        };
        let Some(Running { handle, statement }) = self.running.take() else { return vec![part(ready, None)] };
        let mut all: Vec<AnswerPart> = handle
            .split(parts)
            .into_iter()
            .map(|handle| part(VecDeque::new(), Some(Running { handle, statement: statement.clone() })))
            .collect();
        all[0].ready = ready;
        all
    }

    /// All rows as a stream of batches.
    pub fn into_stream(self) -> AnswerPart {
        let mut parts = self.into_parts(1);
        parts.swap_remove(0)
    }

    /// Session settings that show in the text of values.
    pub fn eval_context(&self) -> &Arc<EvalContext> {
        &self.eval
    }

    /// The next batch, never empty; `None` at the end. Blocks while the query has nothing yet.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.ready.pop_front() {
            return Ok(Some(batch));
        }
        let Some(running) = &mut self.running else { return Ok(None) };
        let next = running.handle.next_batch();
        self.profile.execution = self.begun.elapsed();
        match next {
            Ok(Some(batch)) => Ok(Some(batch)),
            Ok(None) => {
                self.profile.report = running.handle.report();
                self.running = None;
                Ok(None)
            }
            Err(e) => {
                let e = located(e, &running.statement.text, &running.statement.texts);
                self.running = None;
                Err(e)
            }
        }
    }

    /// All rows.
    pub fn collect(&mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next_batch()? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// All rows as text, the columns of each joined by tabs, as `spark-sql` prints them.
    pub fn rows_as_text(&mut self) -> Result<Vec<String>> {
        if let Some(rows) = self.shown.take() {
            self.collect()?;
            return Ok(rows);
        }
        let mut rows = Vec::new();
        let formatter = TextFormatter::new(&self.schema, &self.eval);
        while let Some(batch) = self.next_batch()? {
            for i in 0..batch.num_rows() {
                let mut row = String::new();
                formatter.row(&batch, i, &mut row)?;
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// How long it took and what ran; complete once all rows were read.
    pub fn profile(&self) -> Profile {
        let mut profile = self.profile.clone();
        if let Some(running) = &self.running {
            profile.report = running.handle.report();
            profile.execution = self.begun.elapsed();
        }
        profile
    }
}

/// Rows of an answer: all of them, or a part that is read apart from the others. To be read by blocking
/// ([`next_batch`](Self::next_batch)) or as a stream, which blocks no thread while it waits.
pub struct AnswerPart {
    schema: StructType,
    eval: Arc<EvalContext>,
    begun: Instant,
    ready: VecDeque<RecordBatch>,
    running: Option<Running>,
}

impl AnswerPart {
    /// Columns.
    pub fn schema(&self) -> &StructType {
        &self.schema
    }

    /// Session settings that show in the text of values.
    pub fn eval_context(&self) -> &Arc<EvalContext> {
        &self.eval
    }

    /// As [`Answer::last_read`], of this part.
    pub fn last_read(&self) -> Instant {
        self.running.as_ref().map_or(self.begun, |r| r.handle.last_read())
    }

    /// What ran so far, for the whole query.
    pub fn report(&self) -> QueryReport {
        self.running.as_ref().map(|r| r.handle.report()).unwrap_or_default()
    }

    /// The next batch, never empty; `None` at the end. Blocks while there is nothing yet.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.ready.pop_front() {
            return Ok(Some(batch));
        }
        let Some(running) = &mut self.running else { return Ok(None) };
        let next = running.handle.next_batch();
        self.came(next)
    }

    /// The end and errors end it: what the query still holds for it goes.
    fn came(&mut self, next: Result<Option<RecordBatch>>) -> Result<Option<RecordBatch>> {
        if let Ok(Some(_)) = &next {
            return next;
        }
        let running = self.running.take();
        next.map_err(|e| match &running {
            Some(running) => located(e, &running.statement.text, &running.statement.texts),
            None => e,
        })
    }
}

impl Stream for AnswerPart {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        if let Some(batch) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(batch)));
        }
        let Some(running) = &mut self.running else { return Poll::Ready(None) };
        let next = ready!(running.handle.poll_next_batch(cx.waker()));
        Poll::Ready(self.came(next).transpose())
    }
}

/// An error with its place in the statement's text or in that of a view.
pub(crate) fn located(error: Error, text: &str, texts: &Texts) -> Error {
    texts.resolve(error).in_text(text)
}
