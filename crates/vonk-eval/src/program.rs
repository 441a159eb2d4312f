//! Compilation: from expressions as data to a flat program of nodes.
//!
//! Nodes refer to their parts by number, and equal deterministic expressions become the same node (hash-consing): a
//! common sub-expression is therefore found at compile time, across all expressions of one evaluator set, and computed
//! once per batch. Functions are looked up and constants folded here, never per batch.

use crate::bound::BoundExpr;
use crate::evaluator::EvalEnv;
use crate::in_list::ConstantSet;
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat;
use arrow::datatypes::Schema;
use hashbrown::HashMap;
use std::cell::RefCell;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::scalar::{ScalarFunction, Volatility};
use vonk_functions::{Datum, RowPosition, ScalarInstance};
use vonk_types::{CastMode, CompareOp, DataType, Literal};

/// Number of a node in its program.
pub(crate) type NodeId = u32;

/// Stack that must be left before a recursive step, else it continues on a new piece of stack.
const RED_ZONE: usize = 96 * 1024;
/// Size of such a piece.
const STACK_PIECE: usize = 2 * 1024 * 1024;

/// Runs a recursive step with enough stack, however deep the expression.
pub(crate) fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, STACK_PIECE, f)
}

/// A function call ready to run.
pub(crate) struct Call {
    /// The function's row.
    pub function: Arc<ScalarFunction>,
    /// Arguments that are values.
    pub args: Vec<NodeId>,
    /// Their types.
    pub arg_types: Vec<DataType>,
    /// Arguments that are lambdas (nodes with [`Op::Lambda`]).
    pub lambdas: Vec<NodeId>,
    /// Where it was written.
    pub span: Span,
    /// State of functions that have some; made at the first batch.
    pub instance: RefCell<Option<Box<dyn ScalarInstance>>>,
}

/// What a node computes; its operands are in [`Node::children`].
pub(crate) enum Op {
    Column(usize),
    Constant(Datum),
    Param(u64),
    Call(Box<Call>),
    Cast {
        mode: CastMode,
        span: Span,
    },
    Compare(CompareOp),
    And,
    Or,
    Not,
    IsNull,
    IsNotNull,
    /// Children: condition, value, condition, value, …, and the ELSE if there is one.
    Case {
        branches: usize,
    },
    Coalesce,
    InSet(ConstantSet),
    Field(usize),
    MakeStruct,
    Lambda {
        params: Vec<u64>,
    },
}

/// What is known about a node and everything below it.
#[derive(Clone, Default)]
pub(crate) struct Traits {
    /// Could raise an error.
    pub fallible: bool,
    /// Contains a volatile call.
    pub volatile: bool,
    /// Reads a column of the batch.
    pub reads_columns: bool,
    /// Lambda parameters read that are not declared below.
    pub free_params: Vec<u64>,
    /// Folding was tried and raised an error: left to be raised when a row asks for it.
    pub unfoldable: bool,
}

impl Traits {
    /// Has the same value on every row.
    pub fn constant(&self) -> bool {
        !self.volatile && !self.reads_columns && self.free_params.is_empty()
    }
}

/// One step of a program.
pub(crate) struct Node {
    pub op: Op,
    pub children: Vec<NodeId>,
    pub data_type: DataType,
    pub traits: Traits,
    /// Nodes and results that refer to it.
    pub uses: u32,
}

impl Node {
    /// Must be evaluated only on the rows that ask for it.
    pub fn guarded(&self) -> bool {
        self.traits.fallible || self.traits.volatile
    }

    /// Costs nothing to evaluate.
    pub fn free(&self) -> bool {
        matches!(self.op, Op::Column(_) | Op::Constant(_) | Op::Param(_))
    }

    /// Worth remembering within a scope.
    pub fn shared(&self) -> bool {
        self.uses > 1 && !self.free() && !self.traits.volatile
    }
}

/// Nodes of one or more expressions.
pub(crate) struct Program {
    pub nodes: Vec<Node>,
    pub env: EvalEnv,
}

impl Program {
    /// Compiles expressions; the numbers are of their result nodes.
    pub fn compile<'a>(
        exprs: impl IntoIterator<Item = &'a BoundExpr>,
        env: &EvalEnv,
    ) -> Result<(Program, Vec<NodeId>)> {
        let mut compiler = Compiler {
            program: Program { nodes: Vec::new(), env: env.clone() },
            index: HashMap::new(),
            unique: 0,
        };
        let roots = exprs.into_iter().map(|e| compiler.expression(e)).collect::<Result<Vec<_>>>()?;
        for &r in &roots {
            compiler.program.nodes[r as usize].uses += 1;
        }
        Ok((compiler.program, roots))
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}

/// What makes two nodes with equal children the same.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Column(usize),
    Literal(Literal),
    Param(u64),
    Call(Arc<str>, DataType),
    Cast(DataType, CastMode),
    Compare(CompareOp),
    And,
    Or,
    Not,
    IsNull,
    IsNotNull,
    Case(usize, DataType),
    Coalesce,
    InSet,
    Field(usize),
    MakeStruct(DataType),
    Lambda(Vec<u64>),
    /// Equal to nothing else: volatile calls.
    Unique(u32),
}

struct Compiler {
    program: Program,
    index: HashMap<(Key, Vec<NodeId>), NodeId>,
    unique: u32,
}

impl Compiler {
    fn expression(&mut self, e: &BoundExpr) -> Result<NodeId> {
        with_stack(|| self.expression_inner(e))
    }

    fn all<'a>(&mut self, exprs: impl IntoIterator<Item = &'a BoundExpr>) -> Result<Vec<NodeId>> {
        exprs.into_iter().map(|e| self.expression(e)).collect()
    }

    fn expression_inner(&mut self, e: &BoundExpr) -> Result<NodeId> {
        match e {
            BoundExpr::Column { index, data_type } => {
                let traits = Traits { reads_columns: true, ..Traits::default() };
                self.leaf(Key::Column(*index), Op::Column(*index), data_type.clone(), traits)
            }
            BoundExpr::Literal(l) => self.constant(l),
            BoundExpr::ScalarSubquery { id, .. } => {
                let subqueries = self.program.env.scalar_subqueries.clone();
                match subqueries.iter().find(|(i, _)| i == id) {
                    Some((_, value)) => self.constant(value),
                    None => Err(Error::internal(format!("no value for scalar subquery {id}"))),
                }
            }
            BoundExpr::LambdaParam { id, data_type } => {
                let traits = Traits { free_params: vec![*id], ..Traits::default() };
                self.leaf(Key::Param(*id), Op::Param(*id), data_type.clone(), traits)
            }
            BoundExpr::Call { function, args, data_type, span } => {
                self.call(function, args, data_type, *span)
            }
            BoundExpr::Cast { expr, to, mode, span } => {
                let child = self.expression(expr)?;
                let from = &self.program.node(child).data_type;
                if from == to {
                    return Ok(child);
                }
                let fallible = *mode == CastMode::Ansi && cast_can_fail(from, to);
                let op = Op::Cast { mode: *mode, span: *span };
                self.node(Key::Cast(to.clone(), *mode), op, vec![child], to.clone(), fallible)
            }
            BoundExpr::Compare { op, left, right } => {
                let children = vec![self.expression(left)?, self.expression(right)?];
                self.boolean(Key::Compare(*op), Op::Compare(*op), children)
            }
            BoundExpr::And(args) => {
                let children = self.all(args)?;
                self.boolean(Key::And, Op::And, children)
            }
            BoundExpr::Or(args) => {
                let children = self.all(args)?;
                self.boolean(Key::Or, Op::Or, children)
            }
            BoundExpr::Not(x) => {
                let child = self.expression(x)?;
                self.boolean(Key::Not, Op::Not, vec![child])
            }
            BoundExpr::IsNull(x) => {
                let child = self.expression(x)?;
                self.boolean(Key::IsNull, Op::IsNull, vec![child])
            }
            BoundExpr::IsNotNull(x) => {
                let child = self.expression(x)?;
                self.boolean(Key::IsNotNull, Op::IsNotNull, vec![child])
            }
            BoundExpr::Case { branches, otherwise, data_type } => {
                let parts = branches.iter().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref());
                let children = self.all(parts)?;
                let n = branches.len();
                let key = Key::Case(n, data_type.clone());
                self.node(key, Op::Case { branches: n }, children, data_type.clone(), false)
            }
            BoundExpr::Coalesce { args, data_type } => {
                let children = self.all(args)?;
                self.node(Key::Coalesce, Op::Coalesce, children, data_type.clone(), false)
            }
            BoundExpr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            BoundExpr::Field { expr, ordinal, data_type } => {
                let child = self.expression(expr)?;
                self.node(Key::Field(*ordinal), Op::Field(*ordinal), vec![child], data_type.clone(), false)
            }
            BoundExpr::MakeStruct { args, data_type } => {
                let children = self.all(args)?;
                let key = Key::MakeStruct(data_type.clone());
                self.node(key, Op::MakeStruct, children, data_type.clone(), false)
            }
            BoundExpr::Lambda { params, body, .. } => {
                let child = self.expression(body)?;
                let data_type = self.program.node(child).data_type.clone();
                let op = Op::Lambda { params: params.clone() };
                self.node(Key::Lambda(params.clone()), op, vec![child], data_type, false)
            }
        }
    }

    fn constant(&mut self, l: &Literal) -> Result<NodeId> {
        let op = Op::Constant(Datum::Scalar(l.to_array(1)?));
        self.leaf(Key::Literal(l.clone()), op, l.data_type.clone(), Traits::default())
    }

    fn leaf(&mut self, key: Key, op: Op, data_type: DataType, traits: Traits) -> Result<NodeId> {
        let key = (key, Vec::new());
        if let Some(&id) = self.index.get(&key) {
            return Ok(id);
        }
        Ok(self.push(key, Node { op, children: Vec::new(), data_type, traits, uses: 0 }))
    }

    fn boolean(&mut self, key: Key, op: Op, children: Vec<NodeId>) -> Result<NodeId> {
        self.node(key, op, children, DataType::Boolean, false)
    }

    fn call(
        &mut self,
        name: &Arc<str>,
        args: &[BoundExpr],
        data_type: &DataType,
        span: Span,
    ) -> Result<NodeId> {
        let function = self.program.env.registry.scalar(name)?.clone();
        let children = self.all(args)?;
        let is_lambda = |id: &NodeId| matches!(self.program.node(*id).op, Op::Lambda { .. });
        let (lambdas, values): (Vec<_>, Vec<_>) = children.iter().copied().partition(is_lambda);
        let arg_types = values.iter().map(|v| self.program.node(*v).data_type.clone()).collect();
        let key = if function.volatility == Volatility::Volatile {
            self.unique += 1;
            Key::Unique(self.unique)
        } else {
            Key::Call(name.clone(), data_type.clone())
        };
        let fallible = function.can_fail;
        let call = Call { function, args: values, arg_types, lambdas, span, instance: RefCell::new(None) };
        self.node(key, Op::Call(Box::new(call)), children, data_type.clone(), fallible)
    }

    /// Constants of the list become one set; other members become comparisons, tried in order after it.
    fn in_list(&mut self, expr: &BoundExpr, list: &[BoundExpr], negated: bool) -> Result<NodeId> {
        let needle = self.expression(expr)?;
        let mut constants: Vec<ArrayRef> = Vec::new();
        let mut constant_ids = vec![needle];
        let mut others = Vec::new();
        for member in list {
            let id = self.expression(member)?;
            match &self.program.node(id).op {
                Op::Constant(d) => {
                    constants.push(d.values().clone());
                    constant_ids.push(id);
                }
                _ => others.push(id),
            }
        }
        let mut alternatives = Vec::new();
        if !constants.is_empty() || others.is_empty() {
            let refs: Vec<&dyn Array> = constants.iter().map(|a| a.as_ref()).collect();
            let values = match refs.as_slice() {
                [] => arrow::array::new_empty_array(&self.program.node(needle).data_type.to_arrow()),
                refs => concat(refs)?,
            };
            let set = ConstantSet::new(values, &self.program.node(needle).data_type)?;
            // The members are part of the key only; the node's one operand is the value looked for.
            let key = (Key::InSet, constant_ids);
            let id = match self.index.get(&key) {
                Some(&id) => id,
                None => self.finish(key, Op::InSet(set), vec![needle], DataType::Boolean, false)?,
            };
            alternatives.push(id);
        }
        for other in others {
            let op = CompareOp::Eq;
            alternatives.push(self.boolean(Key::Compare(op), Op::Compare(op), vec![needle, other])?);
        }
        let found = match alternatives.as_slice() {
            [one] => *one,
            _ => self.boolean(Key::Or, Op::Or, alternatives)?,
        };
        if negated { self.boolean(Key::Not, Op::Not, vec![found]) } else { Ok(found) }
    }

    fn node(
        &mut self,
        key: Key,
        op: Op,
        children: Vec<NodeId>,
        data_type: DataType,
        fallible: bool,
    ) -> Result<NodeId> {
        let key = (key, children);
        if let Some(&id) = self.index.get(&key) {
            return Ok(id);
        }
        let children = key.1.clone();
        self.finish(key, op, children, data_type, fallible)
    }

    /// Derives what is known of a new node, folds it if it is constant, and adds it.
    fn finish(
        &mut self,
        key: (Key, Vec<NodeId>),
        op: Op,
        children: Vec<NodeId>,
        data_type: DataType,
        fallible: bool,
    ) -> Result<NodeId> {
        let volatile = matches!(key.0, Key::Unique(_));
        let mut traits = Traits { fallible, volatile, ..Traits::default() };
        let mut strict_failure = false;
        for &c in &children {
            let child = &mut self.program.nodes[c as usize];
            child.uses += 1;
            traits.fallible |= child.traits.fallible;
            traits.volatile |= child.traits.volatile;
            traits.reads_columns |= child.traits.reads_columns;
            strict_failure |= child.traits.unfoldable;
            for &p in &child.traits.free_params {
                if !traits.free_params.contains(&p) {
                    traits.free_params.push(p);
                }
            }
        }
        let is_lambda = if let Op::Lambda { params } = &op {
            traits.free_params.retain(|p| !params.contains(p));
            true
        } else {
            false
        };
        let lazy = matches!(op, Op::And | Op::Or | Op::Case { .. } | Op::Coalesce);
        let foldable = traits.constant() && !is_lambda;
        traits.unfoldable = foldable && strict_failure && !lazy;
        let try_fold = foldable && !traits.unfoldable;
        let id = self.push(key, Node { op, children, data_type, traits, uses: 0 });
        if try_fold {
            self.fold(id)?;
        }
        Ok(id)
    }

    /// Replaces a constant node by its value. An error stays where it is until a row needs the value.
    fn fold(&mut self, id: NodeId) -> Result<()> {
        let row = one_row()?;
        let scope = Scope::batch(&row, RowPosition::default());
        let value = self.program.evaluate(id, &scope).and_then(|d| d.to_array(1));
        let node = &mut self.program.nodes[id as usize];
        match value {
            Ok(array) => {
                node.op = Op::Constant(Datum::Scalar(array));
                node.traits = Traits::default();
            }
            Err(_) => node.traits.unfoldable = true,
        }
        Ok(())
    }

    fn push(&mut self, key: (Key, Vec<NodeId>), node: Node) -> NodeId {
        let id = self.program.nodes.len() as NodeId;
        self.program.nodes.push(node);
        self.index.insert(key, id);
        id
    }
}

/// A batch of one row without columns, for constants.
pub(crate) fn one_row() -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?)
}

/// Whether an ANSI cast between these types can raise an error. Errs on the side of yes.
fn cast_can_fail(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    let integral_rank = |t: &DataType| match t {
        Byte => Some((1, 3)),
        Short => Some((2, 5)),
        Int => Some((3, 10)),
        Long => Some((4, 20)),
        _ => None,
    };
    match (from, to) {
        (a, b) if a == b => false,
        (Null, _) => false,
        (_, String) => false,
        (a, Float | Double) if a.is_numeric() => false,
        (a, b) if a.is_numeric() && *b == Boolean => false,
        (Boolean, b) if b.is_integral() || b.is_fractional_binary() => false,
        (String, Binary) => false,
        (Date, Timestamp | TimestampNtz) => true, // the far ends of the calendar overflow
        (Timestamp | TimestampNtz, Date) => false,
        (Decimal(p1, s1), Decimal(p2, s2)) => {
            s2 < s1 || i16::from(*p2) - i16::from(*s2) < i16::from(*p1) - i16::from(*s1)
        }
        (a, Decimal(p, s)) => match integral_rank(a) {
            Some((_, digits)) => i16::from(*p) - i16::from(*s) < digits,
            None => true,
        },
        (a, b) => match (integral_rank(a), integral_rank(b)) {
            (Some((a, _)), Some((b, _))) => b < a,
            _ => true,
        },
    }
}
