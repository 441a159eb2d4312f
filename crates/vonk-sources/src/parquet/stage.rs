//! The filters of a scan as stages, each run on the rows that the one before has left.
//!
//! Comparisons of numbers and dates and runtime filters come first, those that are expected to leave the fewest rows before the
//! others, and what looks at strings last.

use super::stream::Shape;
use crate::conform::with_rows;
use crate::reader::ScanFilter;
use arrow::array::{ArrayRef, BooleanArray, NullArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, EvalEnv, Evaluator};
use vonk_functions::RowPosition;
use vonk_types::{CompareOp, DataType};

/// Rows after which a runtime filter must have shown that it is worth its cost.
const TRIAL_ROWS: usize = 32 << 10;
/// A runtime filter that lets through more than this share of the rows is given up.
const WORTHLESS: f64 = 0.85;

/// Share of rows that a stage is expected to leave when nothing is known of it.
const UNKNOWN_SHARE: f64 = 0.4;

/// One stage.
pub(crate) struct Stage {
    /// Positions in `Shape::read`.
    pub columns: Vec<usize>,
    test: Test,
}

enum Test {
    Predicate { evaluator: Box<Evaluator>, schema: SchemaRef },
    Runtime { filter: Arc<dyn ScanFilter>, tested: usize, kept: usize },
}

/// The stages of a scan.
pub(crate) fn stages(shape: &Shape, env: &EvalEnv) -> Result<Vec<Stage>> {
    let (numbers, others) = match &shape.predicate {
        None => (None, None),
        Some(p) => split(p),
    };
    let predicate = |p: Option<BoundExpr>| p.map(|p| Stage::predicate(&p, shape, env)).transpose();
    let numbers_share = numbers.as_ref().map_or(1.0, expected_share);
    let mut runtime: Vec<(f64, Stage)> = Vec::new();
    for (column, filter) in &shape.runtime {
        let test = Test::Runtime { filter: filter.clone(), tested: 0, kept: 0 };
        let share = filter.expected_share().unwrap_or(UNKNOWN_SHARE);
        runtime.push((share, Stage { columns: vec![*column], test }));
    }
    runtime.sort_by(|a, b| a.0.total_cmp(&b.0));
    let early = runtime.partition_point(|(share, _)| *share < numbers_share);
    let late = runtime.split_off(early);
    let mut out: Vec<Stage> = runtime.into_iter().map(|(_, s)| s).collect();
    out.extend(predicate(numbers)?);
    out.extend(late.into_iter().map(|(_, s)| s));
    out.extend(predicate(others)?);
    Ok(out)
}

/// A rule of thumb for the share of rows that a predicate leaves, fit for ordering stages.
fn expected_share(p: &BoundExpr) -> f64 {
    match p {
        BoundExpr::And(list) => list.iter().map(expected_share).product(),
        BoundExpr::Or(list) => list.iter().map(expected_share).sum::<f64>().min(1.0),
        BoundExpr::Compare { op, left, right } => {
            let constant = |e: &BoundExpr| e.columns().is_empty();
            match op {
                CompareOp::Eq | CompareOp::EqNullSafe => 0.1,
                CompareOp::NotEq => 0.9,
                _ if constant(left) || constant(right) => 0.35,
                _ => 0.5,
            }
        }
        _ => UNKNOWN_SHARE,
    }
}

/// Conjuncts without strings, and the others.
fn split(p: &BoundExpr) -> (Option<BoundExpr>, Option<BoundExpr>) {
    let cheap = |e: &BoundExpr| {
        let mut text = false;
        e.visit(&mut |x| text |= matches!(x.data_type(), DataType::String | DataType::Binary));
        !text
    };
    let list = match p {
        BoundExpr::And(list) => list.clone(),
        one => vec![one.clone()],
    };
    let (numbers, others): (Vec<_>, Vec<_>) = list.into_iter().partition(cheap);
    let join = |mut list: Vec<BoundExpr>| match list.len() {
        0 => None,
        1 => list.pop(),
        _ => Some(BoundExpr::And(list)),
    };
    (join(numbers), join(others))
}

impl Stage {
    fn predicate(p: &BoundExpr, shape: &Shape, env: &EvalEnv) -> Result<Stage> {
        let columns = p.columns();
        if columns.iter().any(|c| *c >= shape.read.len()) {
            return Err(Error::internal("a scan's predicate reads a column that the scan does not"));
        }
        // The expression is bound to positions in `read`; columns it does not use are stand-ins without data.
        let fields: Vec<Field> = shape
            .read
            .iter()
            .enumerate()
            .map(|(i, f)| {
                let t = if columns.contains(&i) { f.data_type.to_arrow() } else { ArrowType::Null };
                Field::new(f.name.as_ref(), t, true)
            })
            .collect();
        let evaluator = Box::new(Evaluator::new(p, env)?);
        Ok(Stage { columns, test: Test::Predicate { evaluator, schema: Arc::new(Schema::new(fields)) } })
    }

    /// Whether there is anything to test: a runtime filter may have been given up.
    pub fn useful(&self) -> bool {
        match &self.test {
            Test::Predicate { .. } => true,
            Test::Runtime { tested, kept, .. } => {
                *tested < TRIAL_ROWS || (*kept as f64) < WORTHLESS * *tested as f64
            }
        }
    }

    /// The rows that pass, given the stage's columns in order.
    pub fn test(&mut self, columns: Vec<ArrayRef>, rows: usize) -> Result<BooleanBuffer> {
        let mask: BooleanArray = match &mut self.test {
            Test::Predicate { evaluator, schema } => {
                let nothing: ArrayRef = Arc::new(NullArray::new(rows));
                let mut all = vec![nothing; schema.fields().len()];
                for (c, values) in self.columns.iter().zip(columns) {
                    all[*c] = values;
                }
                let batch = with_rows(schema.clone(), all, rows)?;
                evaluator.evaluate_filter(&batch, RowPosition::default())?
            }
            Test::Runtime { filter, tested, kept } => {
                let [values] = columns.as_slice() else {
                    return Err(Error::internal("a runtime filter is for one column"));
                };
                let mask = filter.test(values)?;
                *tested += rows;
                *kept += mask.true_count();
                mask
            }
        };
        Ok(mask.into_parts().0)
    }
}
