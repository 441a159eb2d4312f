//! What a node is evaluated over: a whole batch, the rows of it that a branch needs, or the elements of a lambda call.
//!
//! Scopes nest. A narrower scope gathers columns and already computed values from the wider one when they are first
//! asked for, and remembers them.

use crate::program::NodeId;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{FilterBuilder, FilterPredicate, take};
use hashbrown::HashMap;
use std::cell::RefCell;
use vonk_error::{Error, Result};
use vonk_functions::{Datum, RowPosition};

/// Where a scope's rows come from.
enum Source<'a> {
    /// All rows of a batch.
    Batch(&'a RecordBatch),
    /// The rows of another scope that a mask selects, in order.
    Filtered(&'a Scope<'a>, FilterPredicate),
    /// Rows of another scope by number, repeated as needed, with lambda parameters beside them.
    Elements { outer: &'a Scope<'a>, rows: &'a UInt32Array, params: &'a [u64], values: &'a [ArrayRef] },
}

/// A set of rows, and what has been computed over it.
pub(crate) struct Scope<'a> {
    source: Source<'a>,
    rows: usize,
    position: RowPosition,
    columns: RefCell<HashMap<usize, Datum>>,
    computed: RefCell<HashMap<NodeId, Datum>>,
}

impl<'a> Scope<'a> {
    /// All rows of a batch.
    pub fn batch(batch: &'a RecordBatch, position: RowPosition) -> Self {
        Self::new(Source::Batch(batch), batch.num_rows(), position)
    }

    /// The rows of `outer` where `mask` is set.
    pub fn filtered(outer: &'a Scope<'a>, mask: &BooleanBuffer) -> Self {
        let predicate = FilterBuilder::new(&BooleanArray::new(mask.clone(), None)).optimize().build();
        let rows = predicate.count();
        Self::new(Source::Filtered(outer, predicate), rows, outer.position)
    }

    /// One row per element of a lambda call.
    pub fn elements(
        outer: &'a Scope<'a>,
        rows: &'a UInt32Array,
        params: &'a [u64],
        values: &'a [ArrayRef],
    ) -> Self {
        let n = rows.len();
        Self::new(Source::Elements { outer, rows, params, values }, n, outer.position)
    }

    fn new(source: Source<'a>, rows: usize, position: RowPosition) -> Self {
        let (columns, computed) = (RefCell::default(), RefCell::default());
        Scope { source, rows, position, columns, computed }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Place of the batch in its partition.
    pub fn position(&self) -> RowPosition {
        self.position
    }

    /// A column of the batch, over this scope's rows.
    pub fn column(&self, index: usize) -> Result<Datum> {
        let outer = match &self.source {
            Source::Batch(batch) => {
                let column = batch.columns().get(index);
                let missing = || Error::internal(format!("column {index} of {}", batch.num_columns()));
                return Ok(Datum::Array(column.ok_or_else(missing)?.clone()));
            }
            Source::Filtered(outer, _) | Source::Elements { outer, .. } => outer,
        };
        if let Some(d) = self.columns.borrow().get(&index) {
            return Ok(d.clone());
        }
        let d = self.gather(&outer.column(index)?)?;
        self.columns.borrow_mut().insert(index, d.clone());
        Ok(d)
    }

    /// A lambda parameter, over this scope's rows.
    pub fn param(&self, id: u64) -> Result<Datum> {
        match &self.source {
            Source::Batch(_) => Err(Error::internal(format!("lambda parameter {id} outside of its lambda"))),
            Source::Filtered(outer, _) => self.gather(&outer.param(id)?),
            Source::Elements { outer, params, values, .. } => {
                match params.iter().position(|p| *p == id).and_then(|i| values.get(i)) {
                    Some(value) => Ok(Datum::Array(value.clone())),
                    None => self.gather(&outer.param(id)?),
                }
            }
        }
    }

    /// The value of a node if it has been computed here or over a wider scope.
    pub fn lookup(&self, id: NodeId) -> Result<Option<Datum>> {
        if let Some(d) = self.computed.borrow().get(&id) {
            return Ok(Some(d.clone()));
        }
        let found = match &self.source {
            Source::Batch(_) => None,
            Source::Filtered(outer, _) | Source::Elements { outer, .. } => outer.lookup(id)?,
        };
        match found {
            None => Ok(None),
            Some(d) => {
                let d = self.gather(&d)?;
                self.remember(id, &d);
                Ok(Some(d))
            }
        }
    }

    /// Remembers the value of a node.
    pub fn remember(&self, id: NodeId, value: &Datum) {
        self.computed.borrow_mut().insert(id, value.clone());
    }

    /// Brings a value of the wider scope to this one's rows.
    fn gather(&self, outer: &Datum) -> Result<Datum> {
        let Datum::Array(array) = outer else { return Ok(outer.clone()) };
        Ok(Datum::Array(match &self.source {
            Source::Batch(_) => array.clone(),
            Source::Filtered(_, predicate) => predicate.filter(array)?,
            Source::Elements { rows, .. } => take(array, *rows, None)?,
        }))
    }
}
