//! The runtime form of an expression.

use crate::bound::BoundExpr;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::{Datum, Registry, RowPosition};
use vonk_types::{DataType, EvalContext, Literal};

/// What evaluators of one task share.
#[derive(Clone)]
pub struct EvalEnv {
    /// Session settings.
    pub ctx: Arc<EvalContext>,
    /// Functions.
    pub registry: Arc<Registry>,
    /// Values of uncorrelated scalar subqueries, by id.
    pub scalar_subqueries: Arc<Vec<(u32, Literal)>>,
}

/// An expression ready to be evaluated batch by batch, by one thread.
pub struct Evaluator {
    expr: BoundExpr,
    env: EvalEnv,
}

impl Evaluator {
    /// Looks up functions and prepares instances.
    pub fn new(expr: &BoundExpr, env: &EvalEnv) -> Result<Self> {
        Ok(Evaluator { expr: expr.clone(), env: env.clone() })
    }

    /// Type of the result.
    pub fn data_type(&self) -> DataType {
        self.expr.data_type()
    }

    /// Evaluates over all rows of a batch.
    pub fn evaluate(&mut self, _batch: &RecordBatch, _position: RowPosition) -> Result<Datum> {
        let _ = &self.env;
        vonk_error::internal_err!("evaluation is being built")
    }

    /// As [`evaluate`](Self::evaluate), as an array of the batch's length.
    pub fn evaluate_array(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<ArrayRef> {
        self.evaluate(batch, position)?.to_array(batch.num_rows())
    }

    /// Evaluates a predicate: true where the expression is true, false where it is false or null; without nulls.
    pub fn evaluate_filter(&mut self, _batch: &RecordBatch, _position: RowPosition) -> Result<BooleanArray> {
        vonk_error::internal_err!("evaluation is being built")
    }

    /// Evaluates a constant expression.
    pub fn fold(_expr: &BoundExpr, _env: &EvalEnv) -> Result<Literal> {
        vonk_error::internal_err!("evaluation is being built")
    }
}
