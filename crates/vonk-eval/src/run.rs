//! Evaluation of the nodes that need all their operands. The lazy ones are in [`crate::conditional`].

use crate::compare::compare;
use crate::program::{Call, Node, NodeId, Op, Program, with_stack};
use crate::scope::Scope;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt32Array, make_array, new_empty_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType as ArrowType;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_functions::scalar::ScalarKernel;
use vonk_functions::{Datum, KernelCall, LambdaKernel};
use vonk_types::DataType;

impl Program {
    /// The value of a node over the rows of a scope.
    pub fn evaluate(&self, id: NodeId, scope: &Scope<'_>) -> Result<Datum> {
        let node = self.node(id);
        match &node.op {
            Op::Constant(value) => return Ok(value.clone()),
            // No row asks for anything, so nothing may fail; and there is nothing to compute.
            _ if scope.rows() == 0 => {
                return Ok(Datum::Array(new_empty_array(&node.data_type.to_arrow())));
            }
            Op::Column(index) => return scope.column(*index),
            Op::Param(param) => return scope.param(*param),
            _ => {}
        }
        if !node.shared() {
            return with_stack(|| self.compute(node, scope));
        }
        if let Some(value) = scope.lookup(id)? {
            return Ok(value);
        }
        let value = with_stack(|| self.compute(node, scope))?;
        scope.remember(id, &value);
        Ok(value)
    }

    fn compute(&self, node: &Node, scope: &Scope<'_>) -> Result<Datum> {
        let operand = |i: usize| self.evaluate(node.children[i], scope);
        match &node.op {
            Op::Call(call) => self.call(node, call, scope),
            Op::Cast { mode, span } => {
                let from = &self.node(node.children[0]).data_type;
                let cast = |a: &ArrayRef| {
                    crate::cast::cast(a, from, &node.data_type, *mode, &self.env.ctx).map_err(|e| e.at(*span))
                };
                Ok(match operand(0)? {
                    Datum::Array(a) => Datum::Array(cast(&a)?),
                    Datum::Scalar(a) => Datum::Scalar(cast(&a)?),
                })
            }
            Op::Compare(op) => {
                let data_type = &self.node(node.children[0]).data_type;
                compare(*op, &operand(0)?, &operand(1)?, data_type)
            }
            Op::And => self.and(&node.children, scope).map(boolean_datum),
            Op::Or => self.or(&node.children, scope).map(boolean_datum),
            Op::Case { branches } => self.case(node, *branches, scope),
            Op::Coalesce => self.coalesce(node, scope),
            Op::Not => unary(&operand(0)?, |a| Ok(Arc::new(arrow::compute::not(a.as_boolean())?))),
            Op::IsNull => unary(&operand(0)?, |a| Ok(Arc::new(arrow::compute::is_null(a)?))),
            Op::IsNotNull => unary(&operand(0)?, |a| Ok(Arc::new(arrow::compute::is_not_null(a)?))),
            Op::InSet(set) => unary(&operand(0)?, |a| Ok(Arc::new(set.contains(a)?))),
            Op::Field(ordinal) => unary(&operand(0)?, |a| field(a, *ordinal)),
            Op::MakeStruct => self.make_struct(node, scope),
            Op::Column(_) | Op::Constant(_) | Op::Param(_) => self.evaluate_leaf(node, scope),
            Op::Lambda { .. } => Err(Error::internal("a lambda is not a value")),
        }
    }

    fn evaluate_leaf(&self, node: &Node, scope: &Scope<'_>) -> Result<Datum> {
        match &node.op {
            Op::Constant(value) => Ok(value.clone()),
            Op::Column(index) => scope.column(*index),
            Op::Param(param) => scope.param(*param),
            _ => Err(Error::internal("not a leaf")),
        }
    }

    fn call(&self, node: &Node, call: &Call, scope: &Scope<'_>) -> Result<Datum> {
        let args = call.args.iter().map(|a| self.evaluate(*a, scope)).collect::<Result<Vec<_>>>()?;
        let lambdas: Vec<BoundLambda<'_>> = call
            .lambdas
            .iter()
            .map(|l| BoundLambda { program: self, lambda: self.node(*l), scope })
            .collect();
        let lambda_refs: Vec<&dyn LambdaKernel> = lambdas.iter().map(|l| l as &dyn LambdaKernel).collect();
        let constant_lambdas = call.lambdas.iter().all(|l| self.node(*l).traits.constant());
        let own_volatile = call.function.volatility == vonk_functions::Volatility::Volatile;
        let scalar = !own_volatile && constant_lambdas && args.iter().all(Datum::is_scalar);
        let rows = if scalar { 1 } else { scope.rows() };
        let kernel_call = KernelCall {
            args: &args,
            arg_types: &call.arg_types,
            lambdas: &lambda_refs,
            return_type: &node.data_type,
            rows,
            ctx: &self.env.ctx,
            position: scope.position(),
            span: call.span,
        };
        let result = match &call.function.kernel {
            ScalarKernel::Plain(kernel) => kernel(&kernel_call),
            ScalarKernel::Closure(kernel) => kernel(&kernel_call),
            ScalarKernel::Instance(prepare) => {
                // Taken out while it runs: its lambdas may come back to this program.
                let taken = call.instance.borrow_mut().take();
                let prepared = match taken {
                    Some(instance) => Ok(instance),
                    None => prepare(&kernel_call),
                };
                prepared.and_then(|mut instance| {
                    let result = instance.call(&kernel_call);
                    *call.instance.borrow_mut() = Some(instance);
                    result
                })
            }
        };
        let array = result.map_err(|e| e.at(call.span))?;
        debug_assert_eq!(array.len(), rows, "rows of {}", call.function.name);
        debug_assert_eq!(array.data_type(), &node.data_type.to_arrow(), "type of {}", call.function.name);
        Ok(if scalar { Datum::Scalar(array) } else { Datum::Array(array) })
    }

    fn make_struct(&self, node: &Node, scope: &Scope<'_>) -> Result<Datum> {
        let parts = node.children.iter().map(|c| self.evaluate(*c, scope)).collect::<Result<Vec<_>>>()?;
        let ArrowType::Struct(fields) = node.data_type.to_arrow() else {
            return vonk_error::internal_err!("a struct of type {}", node.data_type);
        };
        let scalar = parts.iter().all(Datum::is_scalar);
        let rows = if scalar { 1 } else { scope.rows() };
        let columns = parts.iter().map(|p| p.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let array: ArrayRef = Arc::new(StructArray::try_new_with_length(fields, columns, None, rows)?);
        Ok(if scalar { Datum::Scalar(array) } else { Datum::Array(array) })
    }

    /// A boolean node as an array over all rows of the scope.
    pub fn booleans(&self, id: NodeId, scope: &Scope<'_>) -> Result<BooleanArray> {
        match self.evaluate(id, scope)? {
            Datum::Array(a) => Ok(as_booleans(&a)),
            Datum::Scalar(a) => {
                let (n, a) = (scope.rows(), as_booleans(&a));
                Ok(match a.is_valid(0) {
                    false => BooleanArray::new_null(n),
                    true if a.value(0) => BooleanArray::new(BooleanBuffer::new_set(n), None),
                    true => BooleanArray::new(BooleanBuffer::new_unset(n), None),
                })
            }
        }
    }
}

/// An array of booleans; an untyped null counts as one.
fn as_booleans(array: &ArrayRef) -> BooleanArray {
    array.as_boolean_opt().cloned().unwrap_or_else(|| BooleanArray::new_null(array.len()))
}

fn boolean_datum(array: BooleanArray) -> Datum {
    Datum::Array(Arc::new(array))
}

/// Applies a kernel of one operand; a constant stays one.
fn unary(operand: &Datum, kernel: impl Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<Datum> {
    Ok(match operand {
        Datum::Array(a) => Datum::Array(kernel(a)?),
        Datum::Scalar(a) => Datum::Scalar(kernel(a)?),
    })
}

/// A field of a struct array, null where the struct is.
fn field(array: &ArrayRef, ordinal: usize) -> Result<ArrayRef> {
    let parent = array.as_struct();
    let column = parent.column(ordinal);
    let Some(parent_nulls) = parent.nulls() else { return Ok(column.clone()) };
    if column.data_type() == &ArrowType::Null {
        return Ok(column.clone());
    }
    let nulls = NullBuffer::union(Some(parent_nulls), column.nulls());
    Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
}

/// A lambda with the scope it captures.
struct BoundLambda<'a> {
    program: &'a Program,
    lambda: &'a Node,
    scope: &'a Scope<'a>,
}

impl LambdaKernel for BoundLambda<'_> {
    fn arity(&self) -> usize {
        match &self.lambda.op {
            Op::Lambda { params } => params.len(),
            _ => 0,
        }
    }

    fn return_type(&self) -> &DataType {
        &self.lambda.data_type
    }

    fn call(&self, values: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
        let Op::Lambda { params } = &self.lambda.op else {
            return vonk_error::internal_err!("not a lambda");
        };
        let scope = Scope::elements(self.scope, rows, params, values);
        self.program.evaluate(self.lambda.children[0], &scope)?.to_array(rows.len())
    }
}
