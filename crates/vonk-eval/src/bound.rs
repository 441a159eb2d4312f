//! Bound expressions as data.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Span;
use vonk_types::{CastMode, CompareOp, DataType, Literal};

/// An expression over the columns of a batch.
///
/// Both sides of a comparison, all branches of a CASE and all members of an IN list have the same type: the analyzer has
/// inserted the casts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BoundExpr {
    /// Column of the input batch.
    Column {
        /// Position.
        index: usize,
        /// Its type.
        data_type: DataType,
    },
    /// A constant.
    Literal(Literal),
    /// A scalar function.
    Call {
        /// Canonical name, see [`vonk_functions::Registry::scalar`].
        function: Arc<str>,
        /// Arguments; lambdas among them as [`BoundExpr::Lambda`].
        args: Vec<BoundExpr>,
        /// Resolved type.
        data_type: DataType,
        /// Where it was written.
        span: Span,
    },
    /// A cast.
    Cast {
        /// What is cast.
        expr: Box<BoundExpr>,
        /// To which type.
        to: DataType,
        /// What happens to misfits.
        mode: CastMode,
        /// Where it was written.
        span: Span,
    },
    /// A comparison with Spark's order (NaN is greatest and equal to itself, -0.0 = 0.0, nested types by their parts).
    Compare {
        /// Operator.
        op: CompareOp,
        /// Left side.
        left: Box<BoundExpr>,
        /// Right side.
        right: Box<BoundExpr>,
    },
    /// Kleene conjunction of two or more; later members are evaluated only on rows where no earlier one is false.
    And(Vec<BoundExpr>),
    /// Kleene disjunction of two or more; later members are evaluated only on rows where no earlier one is true.
    Or(Vec<BoundExpr>),
    /// Kleene negation.
    Not(Box<BoundExpr>),
    /// `IS NULL`.
    IsNull(Box<BoundExpr>),
    /// `IS NOT NULL`.
    IsNotNull(Box<BoundExpr>),
    /// `CASE WHEN … THEN … [ELSE …] END` (a CASE with an operand has become comparisons).
    Case {
        /// Conditions and results.
        branches: Vec<(BoundExpr, BoundExpr)>,
        /// ELSE; null if absent.
        otherwise: Option<Box<BoundExpr>>,
        /// Type of the results.
        data_type: DataType,
    },
    /// First argument that is not null; later ones evaluated only where needed.
    Coalesce {
        /// Arguments.
        args: Vec<BoundExpr>,
        /// Their type.
        data_type: DataType,
    },
    /// `expr [NOT] IN (a, b, …)`.
    InList {
        /// What is looked for.
        expr: Box<BoundExpr>,
        /// Where.
        list: Vec<BoundExpr>,
        /// NOT IN.
        negated: bool,
    },
    /// Field of a struct.
    Field {
        /// The struct.
        expr: Box<BoundExpr>,
        /// Position of the field.
        ordinal: usize,
        /// Its type.
        data_type: DataType,
    },
    /// A struct made of parts (`struct`, `named_struct`).
    MakeStruct {
        /// Field values.
        args: Vec<BoundExpr>,
        /// The struct's type.
        data_type: DataType,
    },
    /// A lambda function; only as an argument of a [`BoundExpr::Call`].
    Lambda {
        /// Identifiers of its parameters, unique within the expression.
        params: Vec<u64>,
        /// Types of its parameters.
        param_types: Vec<DataType>,
        /// Body.
        body: Box<BoundExpr>,
    },
    /// A parameter of an enclosing lambda.
    LambdaParam {
        /// Its identifier.
        id: u64,
        /// Its type.
        data_type: DataType,
    },
    /// The value of an uncorrelated scalar subquery, computed once by an earlier stage and read by the task
    /// (see `vonk_physical`): column 0 of its single row, null if it had none.
    ScalarSubquery {
        /// Which one, unique within the plan.
        id: u32,
        /// Type.
        data_type: DataType,
    },
}

impl BoundExpr {
    /// A column.
    pub fn column(index: usize, data_type: DataType) -> Self {
        BoundExpr::Column { index, data_type }
    }

    /// The type of the value.
    pub fn data_type(&self) -> DataType {
        match self {
            BoundExpr::Column { data_type, .. }
            | BoundExpr::Call { data_type, .. }
            | BoundExpr::Case { data_type, .. }
            | BoundExpr::Coalesce { data_type, .. }
            | BoundExpr::Field { data_type, .. }
            | BoundExpr::MakeStruct { data_type, .. }
            | BoundExpr::LambdaParam { data_type, .. }
            | BoundExpr::ScalarSubquery { data_type, .. } => data_type.clone(),
            BoundExpr::Literal(l) => l.data_type.clone(),
            BoundExpr::Cast { to, .. } => to.clone(),
            BoundExpr::Lambda { body, .. } => body.data_type(),
            BoundExpr::Compare { .. }
            | BoundExpr::And(_)
            | BoundExpr::Or(_)
            | BoundExpr::Not(_)
            | BoundExpr::IsNull(_)
            | BoundExpr::IsNotNull(_)
            | BoundExpr::InList { .. } => DataType::Boolean,
        }
    }

    /// Direct parts.
    pub fn children(&self) -> Vec<&BoundExpr> {
        match self {
            BoundExpr::Column { .. }
            | BoundExpr::Literal(_)
            | BoundExpr::LambdaParam { .. }
            | BoundExpr::ScalarSubquery { .. } => vec![],
            BoundExpr::Call { args, .. }
            | BoundExpr::Coalesce { args, .. }
            | BoundExpr::MakeStruct { args, .. }
            | BoundExpr::And(args)
            | BoundExpr::Or(args) => args.iter().collect(),
            BoundExpr::Cast { expr, .. }
            | BoundExpr::Not(expr)
            | BoundExpr::IsNull(expr)
            | BoundExpr::IsNotNull(expr)
            | BoundExpr::Field { expr, .. } => vec![expr],
            BoundExpr::Lambda { body, .. } => vec![body],
            BoundExpr::Compare { left, right, .. } => vec![left, right],
            BoundExpr::Case { branches, otherwise, .. } => {
                branches.iter().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref()).collect()
            }
            BoundExpr::InList { expr, list, .. } => std::iter::once(expr.as_ref()).chain(list).collect(),
        }
    }

    /// Direct parts, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut BoundExpr> {
        match self {
            BoundExpr::Column { .. }
            | BoundExpr::Literal(_)
            | BoundExpr::LambdaParam { .. }
            | BoundExpr::ScalarSubquery { .. } => vec![],
            BoundExpr::Call { args, .. }
            | BoundExpr::Coalesce { args, .. }
            | BoundExpr::MakeStruct { args, .. }
            | BoundExpr::And(args)
            | BoundExpr::Or(args) => args.iter_mut().collect(),
            BoundExpr::Cast { expr, .. }
            | BoundExpr::Not(expr)
            | BoundExpr::IsNull(expr)
            | BoundExpr::IsNotNull(expr)
            | BoundExpr::Field { expr, .. } => vec![expr],
            BoundExpr::Lambda { body, .. } => vec![body],
            BoundExpr::Compare { left, right, .. } => vec![left, right],
            BoundExpr::Case { branches, otherwise, .. } => {
                branches.iter_mut().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref_mut()).collect()
            }
            BoundExpr::InList { expr, list, .. } => std::iter::once(expr.as_mut()).chain(list).collect(),
        }
    }

    /// Columns of the input that are read, each once, ascending.
    pub fn columns(&self) -> Vec<usize> {
        let mut out = Vec::new();
        self.visit(&mut |e| {
            if let BoundExpr::Column { index, .. } = e {
                out.push(*index);
            }
        });
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Calls `f` on this expression and all its parts, parents first. Not recursive: expressions may be very deep.
    pub fn visit(&self, f: &mut impl FnMut(&BoundExpr)) {
        let mut pending = vec![self];
        while let Some(e) = pending.pop() {
            f(e);
            pending.extend(e.children().into_iter().rev());
        }
    }

    /// Calls `f` on this expression and all its parts, to change them; parts of what `f` leaves are visited, too.
    pub fn visit_mut(&mut self, f: &mut impl FnMut(&mut BoundExpr)) {
        let mut pending = vec![self];
        while let Some(e) = pending.pop() {
            f(e);
            pending.extend(e.children_mut());
        }
    }
}
