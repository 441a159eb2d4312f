//! Rows of a join put together, and its condition.

use super::roles::Roles;
use super::side::Side;
use crate::batch::with_rows;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, NullArray, RecordBatch, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, EvalEnv, Evaluator};
use vonk_functions::RowPosition;

/// Where a column comes from: position among the columns held.
#[derive(Debug, Clone, Copy)]
enum Source {
    Probe(usize),
    Build(usize),
    Mark,
    /// Not held because nobody reads it.
    Absent,
}

/// Which rows of a batch, in which order.
#[derive(Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// All, as they are.
    All,
    /// These; null gives a row of nulls.
    Some(&'a UInt32Array),
}

impl Rows<'_> {
    fn of(self, column: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self {
            Rows::All => column.clone(),
            Rows::Some(rows) => take(column, rows, None)?,
        })
    }
}

/// Finds columns of left ++ right among what the sides hold.
pub(crate) struct Columns<'a> {
    pub left_width: usize,
    pub right_width: usize,
    pub probe: &'a Side,
    pub build: &'a Side,
    pub roles: Roles,
}

impl Columns<'_> {
    fn source(&self, position: usize) -> Source {
        let left = position < self.left_width;
        let column = if left { position } else { position - self.left_width };
        if !left && column >= self.right_width {
            return Source::Mark;
        }
        let found = if left == self.roles.probe_is_left {
            self.probe.held(column).map(Source::Probe)
        } else {
            self.build.held(column).map(Source::Build)
        };
        found.unwrap_or(Source::Absent)
    }
}

/// Puts output rows together.
pub(crate) struct Output {
    columns: Vec<Source>,
    schema: SchemaRef,
}

impl Output {
    /// For a projection of left ++ right (++ mark).
    pub fn new(columns: &Columns<'_>, projection: &[usize], schema: SchemaRef) -> Result<Output> {
        let sources: Vec<Source> = projection.iter().map(|p| columns.source(*p)).collect();
        if sources.len() != schema.fields().len() || sources.iter().any(|s| matches!(s, Source::Absent)) {
            return Err(Error::internal("a join's projection does not fit its inputs"));
        }
        Ok(Output { columns: sources, schema })
    }

    /// `n` rows: rows of the probe batch beside rows of the build batch, either of which may be absent and is null then.
    pub fn rows(
        &self,
        n: usize,
        probe: Option<(&RecordBatch, Rows<'_>)>,
        build: Option<(&RecordBatch, Rows<'_>)>,
        mark: Option<ArrayRef>,
    ) -> Result<RecordBatch> {
        let pick = |side: Option<(&RecordBatch, Rows<'_>)>, column: usize, t: &ArrowType| match side {
            Some((batch, rows)) => rows.of(batch.column(column)),
            None => Ok(new_null_array(t, n)),
        };
        let columns = self.columns.iter().zip(self.schema.fields()).map(|(source, field)| match source {
            Source::Probe(c) => pick(probe, *c, field.data_type()),
            Source::Build(c) => pick(build, *c, field.data_type()),
            Source::Mark | Source::Absent => {
                mark.clone().ok_or_else(|| Error::internal("a join without a mark"))
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        with_rows(&self.schema, columns, n)
    }
}

/// The condition of a join.
pub(crate) struct Condition {
    evaluator: Evaluator,
    /// Columns of left ++ right that it reads; the others are not made.
    columns: Vec<Source>,
    schema: SchemaRef,
}

impl Condition {
    /// For a condition over left ++ right.
    pub fn new(columns: &Columns<'_>, condition: &BoundExpr, env: &EvalEnv) -> Result<Condition> {
        let width = columns.left_width + columns.right_width;
        let mut sources = vec![Source::Absent; width];
        for c in condition.columns() {
            match sources.get_mut(c) {
                Some(source) => *source = columns.source(c),
                None => return vonk_error::internal_err!("a join's condition reads column {c} of {width}"),
            }
        }
        let fields = sources.iter().enumerate().map(|(i, source)| {
            let t = match source {
                Source::Probe(c) => columns.probe.form.schema.field(*c).data_type().clone(),
                Source::Build(c) => columns.build.form.schema.field(*c).data_type().clone(),
                _ => ArrowType::Null,
            };
            Field::new(format!("c{i}"), t, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Condition { evaluator: Evaluator::new(condition, env)?, columns: sources, schema })
    }

    fn pairs(
        &self,
        probe: &RecordBatch,
        probe_rows: &UInt32Array,
        build: &RecordBatch,
        build_rows: &UInt32Array,
    ) -> Result<RecordBatch> {
        let n = probe_rows.len();
        let columns = self.columns.iter().map(|source| match source {
            Source::Probe(c) => Ok(take(probe.column(*c), probe_rows, None)?),
            Source::Build(c) => Ok(take(build.column(*c), build_rows, None)?),
            _ => Ok(Arc::new(NullArray::new(n)) as ArrayRef),
        });
        with_rows(&self.schema, columns.collect::<Result<Vec<_>>>()?, n)
    }

    /// Which pairs satisfy it; without nulls.
    pub fn test(
        &mut self,
        probe: (&RecordBatch, &UInt32Array),
        build: (&RecordBatch, &UInt32Array),
    ) -> Result<BooleanArray> {
        let pairs = self.pairs(probe.0, probe.1, build.0, build.1)?;
        self.evaluator.evaluate_filter(&pairs, RowPosition::default())
    }

    /// Its value for pairs: true, false or null.
    pub fn value(
        &mut self,
        probe: (&RecordBatch, &UInt32Array),
        build: (&RecordBatch, &UInt32Array),
    ) -> Result<BooleanArray> {
        let pairs = self.pairs(probe.0, probe.1, build.0, build.1)?;
        let value = self.evaluator.evaluate_array(&pairs, RowPosition::default())?;
        let value = match value.data_type() {
            ArrowType::Null => new_null_array(&ArrowType::Boolean, value.len()),
            _ => value,
        };
        Ok(value.as_boolean().clone())
    }
}
