//! Rows that a call keeps until its groups are complete: the distinct ones, or all of them to be sorted.

use super::calls::{id_array, unnamed};
use crate::batch::{batch_bytes, concatenated};
use crate::hashing::KeyTable;
use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, take_record_batch};
use arrow::datatypes::{DataType as ArrowType, UInt32Type};
use arrow::row::{RowConverter, SortField};
use vonk_error::{Error, Result};
use vonk_functions::GroupsAccumulator;
use vonk_functions::normalize::normalize_floats;
use vonk_physical::AggregateSpec;

/// Rows of arguments and sort keys, each with its group.
pub(super) struct RowSet {
    /// Types of the arguments, then of the sort keys.
    types: Vec<ArrowType>,
    args: usize,
    order: Vec<SortOptions>,
    rows: Rows,
    ids: Vec<u32>,
}

enum Rows {
    /// Each row of a group once; the group is the first column.
    Distinct(Box<KeyTable>),
    /// All rows; the group is the first column.
    All(Vec<RecordBatch>, usize),
}

impl RowSet {
    /// For a call with DISTINCT, ORDER BY or both. (With both, the sort keys are functions of the arguments: rows are distinct
    /// in all of them where they are in the arguments.)
    pub fn new(spec: &AggregateSpec) -> Result<Self> {
        let args = spec.args.iter().map(|a| a.data_type());
        let keys = spec.order_by.iter().map(|k| k.expr.data_type());
        let types: Vec<ArrowType> = args.chain(keys).map(|t| t.to_arrow()).collect();
        let options =
            |k: &vonk_physical::SortKey| SortOptions { descending: k.descending, nulls_first: k.nulls_first };
        let rows =
            if spec.distinct { Rows::Distinct(Box::new(distinct(&types)?)) } else { Rows::All(vec![], 0) };
        let order = spec.order_by.iter().map(options).collect();
        Ok(RowSet { types, args: spec.args.len(), order, rows, ids: vec![] })
    }

    /// Types of the columns.
    pub fn types(&self) -> &[ArrowType] {
        &self.types
    }

    /// Adds rows.
    pub fn insert(&mut self, groups: &[u32], columns: &[ArrayRef]) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let mut all: Vec<ArrayRef> = vec![std::sync::Arc::new(id_array(groups))];
        all.extend_from_slice(columns);
        match &mut self.rows {
            Rows::Distinct(table) => table.insert(&all, groups.len(), &mut self.ids)?,
            Rows::All(batches, bytes) => {
                let batch = unnamed(all, groups.len())?;
                *bytes += batch_bytes(&batch);
                batches.push(batch);
            }
        }
        Ok(())
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        match &self.rows {
            Rows::Distinct(table) => table.size(),
            Rows::All(_, bytes) => *bytes,
        }
    }

    fn take_batches(&mut self) -> Result<Vec<RecordBatch>> {
        match &mut self.rows {
            Rows::Distinct(table) => {
                let n = table.len();
                Ok(if n == 0 { vec![] } else { vec![unnamed(table.take()?, n)?] })
            }
            Rows::All(batches, bytes) => {
                *bytes = 0;
                Ok(std::mem::take(batches))
            }
        }
    }

    /// Takes all rows out: groups and columns, in parts of a batch.
    pub fn take(&mut self, batch_rows: usize) -> Result<Vec<(UInt32Array, Vec<ArrayRef>)>> {
        let mut out = vec![];
        for batch in self.take_batches()? {
            let mut from = 0;
            while from < batch.num_rows() {
                let part = batch.slice(from, batch_rows.min(batch.num_rows() - from));
                from += part.num_rows();
                out.push((part.column(0).as_primitive::<UInt32Type>().clone(), part.columns()[1..].to_vec()));
            }
        }
        Ok(out)
    }

    /// Gives the accumulator all rows, in their order, and is then empty.
    pub fn feed(
        &mut self,
        accumulator: &mut dyn GroupsAccumulator,
        groups: usize,
        batch_rows: usize,
    ) -> Result<()> {
        let mut batches = self.take_batches()?;
        if !self.order.is_empty() && !batches.is_empty() {
            batches = vec![self.sorted(&concatenated(&batches[0].schema(), &batches)?)?];
        }
        // Groups exist even if none of their rows was kept.
        let none: Vec<ArrayRef> = self.types[..self.args].iter().map(arrow::array::new_empty_array).collect();
        accumulator.update(&none, &[], None, groups)?;
        for batch in batches {
            let mut from = 0;
            while from < batch.num_rows() {
                let part = batch.slice(from, batch_rows.min(batch.num_rows() - from));
                from += part.num_rows();
                let ids = part.column(0).as_primitive::<UInt32Type>();
                accumulator.update(&part.columns()[1..1 + self.args], ids.values(), None, groups)?;
            }
        }
        Ok(())
    }

    /// Rows sorted by group and sort keys; equal ones stay in the order they came.
    fn sorted(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let keys = &batch.columns()[1 + self.args..];
        let mut fields = vec![SortField::new(ArrowType::UInt32)];
        let options = self.types[self.args..].iter().zip(&self.order);
        fields.extend(options.map(|(t, o)| SortField::new_with_options(t.clone(), *o)));
        let mut columns = vec![batch.column(0).clone()];
        for key in keys {
            columns.push(normalize_floats(key)?);
        }
        let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
        let n = u32::try_from(batch.num_rows()).map_err(|_| Error::internal("too many rows to sort"))?;
        let mut order: Vec<u32> = (0..n).collect();
        order.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        Ok(take_record_batch(batch, &UInt32Array::from(order))?)
    }
}

fn distinct(types: &[ArrowType]) -> Result<KeyTable> {
    let all: Vec<ArrowType> = std::iter::once(ArrowType::UInt32).chain(types.iter().cloned()).collect();
    let nulls = vec![true; all.len()];
    KeyTable::new(all, nulls)
}
