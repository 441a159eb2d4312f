//! The runtime form of expressions.

use crate::bound::BoundExpr;
use crate::program::{NodeId, Program, one_row};
use crate::scope::Scope;
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

impl EvalEnv {
    /// With the built-in functions and no subqueries.
    pub fn new(ctx: EvalContext) -> Self {
        EvalEnv {
            ctx: Arc::new(ctx),
            registry: Registry::builtin().clone(),
            scalar_subqueries: Arc::default(),
        }
    }
}

/// An expression ready to be evaluated batch by batch, by one thread.
pub struct Evaluator {
    program: Program,
    root: NodeId,
}

impl Evaluator {
    /// Looks up functions, folds constants and finds common sub-expressions.
    pub fn new(expr: &BoundExpr, env: &EvalEnv) -> Result<Self> {
        let (program, roots) = Program::compile([expr], env)?;
        Ok(Evaluator { program, root: roots[0] })
    }

    /// Type of the result.
    pub fn data_type(&self) -> DataType {
        self.program.node(self.root).data_type.clone()
    }

    /// Evaluates over all rows of a batch.
    pub fn evaluate(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<Datum> {
        self.program.evaluate(self.root, &Scope::batch(batch, position))
    }

    /// As [`evaluate`](Self::evaluate), as an array of the batch's length.
    pub fn evaluate_array(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<ArrayRef> {
        self.evaluate(batch, position)?.to_array(batch.num_rows())
    }

    /// Evaluates over the rows that `selection` selects (it has no nulls), in order: one value per selected row.
    pub fn evaluate_selected(
        &mut self,
        batch: &RecordBatch,
        selection: &BooleanArray,
        position: RowPosition,
    ) -> Result<ArrayRef> {
        let all = Scope::batch(batch, position);
        let selected = Scope::filtered(&all, selection.values());
        self.program.evaluate(self.root, &selected)?.to_array(selected.rows())
    }

    /// Evaluates a predicate: true where the expression is true, false where it is false or null; without nulls.
    pub fn evaluate_filter(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<BooleanArray> {
        let mask = self.program.mask(self.root, &Scope::batch(batch, position))?;
        Ok(BooleanArray::new(mask, None))
    }

    /// Evaluates a constant expression.
    pub fn fold(expr: &BoundExpr, env: &EvalEnv) -> Result<Literal> {
        let mut evaluator = Evaluator::new(expr, env)?;
        let value = evaluator.evaluate_array(&one_row()?, RowPosition::default())?;
        Literal::from_array(&value, 0, evaluator.data_type())
    }
}

/// Several expressions over the same batches: what they have in common is computed once per batch.
pub struct EvaluatorSet {
    program: Program,
    roots: Vec<NodeId>,
}

impl EvaluatorSet {
    /// Compiles the expressions together.
    pub fn new(exprs: &[BoundExpr], env: &EvalEnv) -> Result<Self> {
        let (program, roots) = Program::compile(exprs, env)?;
        Ok(EvaluatorSet { program, roots })
    }

    /// Number of expressions.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Types of the results.
    pub fn data_types(&self) -> Vec<DataType> {
        self.roots.iter().map(|r| self.program.node(*r).data_type.clone()).collect()
    }

    /// Evaluates all expressions over all rows of a batch.
    pub fn evaluate(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<Vec<Datum>> {
        let scope = Scope::batch(batch, position);
        self.roots.iter().map(|r| self.program.evaluate(*r, &scope)).collect()
    }

    /// As [`evaluate`](Self::evaluate), as arrays of the batch's length.
    pub fn evaluate_arrays(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<Vec<ArrayRef>> {
        let rows = batch.num_rows();
        self.evaluate(batch, position)?.iter().map(|d| d.to_array(rows)).collect()
    }
}
