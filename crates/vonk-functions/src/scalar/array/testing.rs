//! Calling functions in tests: with columns, and again row by row with constants; both must agree.

use crate::kernel::{Datum, KernelCall, LambdaKernel, RowPosition};
use crate::resolve::{Arg, CallSite};
use crate::scalar::ScalarKernel;
use crate::{Registry, Resolution};
use arrow::array::{Array, ArrayRef, Int32Array, ListArray, StringViewArray, UInt32Array};
use arrow::datatypes::Int32Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_types::{DataType, EvalContext, Literal, context::SessionZone};

/// An argument of a test call: a column and its type.
pub(crate) type Column = (ArrayRef, DataType);

pub(crate) fn array_of_int() -> DataType {
    DataType::array(DataType::Int, true)
}

/// A column of arrays of ints.
pub(crate) fn ints(rows: &[Option<&[Option<i32>]>]) -> ArrayRef {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(rows.iter().map(|r| r.map(|r| r.to_vec())));
    let (_, offsets, values, nulls) = list.into_parts();
    super::lists::list_of(offsets, values, nulls, &array_of_int()).unwrap()
}

/// The same, with its type.
pub(crate) fn int_lists(rows: &[Option<&[Option<i32>]>]) -> Column {
    (ints(rows), array_of_int())
}

pub(crate) fn int_column(rows: &[Option<i32>]) -> Column {
    (Arc::new(Int32Array::from(rows.to_vec())), DataType::Int)
}

pub(crate) fn string_column(rows: &[Option<&str>]) -> Column {
    (Arc::new(StringViewArray::from_iter(rows.iter().copied())), DataType::String)
}

/// Rows of a column as text.
pub(crate) fn texts(column: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let format = ArrayFormatter::try_new(column.as_ref(), &options).unwrap();
    (0..column.len())
        .map(|i| {
            let null = column.data_type().is_null() || column.is_null(i);
            if null { "null".to_string() } else { format.value(i).to_string() }
        })
        .collect()
}

/// The context of tests: ANSI, the zone of the golden tests.
pub(crate) fn context() -> EvalContext {
    EvalContext { time_zone: SessionZone::parse("America/Los_Angeles").unwrap(), ..EvalContext::default() }
}

/// Calls a function with columns (and with constants, row by row). Columns of one row beside longer ones are constants.
pub(crate) fn run(name: &str, args: &[Column]) -> Result<Vec<String>> {
    run_in(&context(), name, args, &[])
}

/// Calls a function with lambdas behind its other arguments.
pub(crate) fn run_in(
    ctx: &EvalContext,
    name: &str,
    args: &[Column],
    lambdas: &[&dyn LambdaKernel],
) -> Result<Vec<String>> {
    let rows = args.iter().map(|(a, _)| a.len()).max().unwrap_or(1);
    let data: Vec<Datum> = args
        .iter()
        .map(|(a, _)| if a.len() == 1 { Datum::Scalar(a.clone()) } else { Datum::Array(a.clone()) })
        .collect();
    let all = call(ctx, name, args, &data, lambdas, rows)?;
    assert_eq!(all.len(), rows);
    let all = texts(&all);
    if lambdas.is_empty() {
        for (row, expected) in all.iter().enumerate() {
            let data: Vec<Datum> =
                data.iter().map(|d| Datum::Scalar(d.values().slice(d.index(row), 1))).collect();
            let one = call(ctx, name, args, &data, lambdas, 1)?;
            assert_eq!(&texts(&one)[0], expected, "row {row} alone");
        }
    }
    Ok(all)
}

fn call(
    ctx: &EvalContext,
    name: &str,
    args: &[Column],
    data: &[Datum],
    lambdas: &[&dyn LambdaKernel],
    rows: usize,
) -> Result<ArrayRef> {
    let function = Registry::builtin().scalar(name)?.clone();
    let mut described: Vec<Arg> = args
        .iter()
        .zip(data)
        .map(|((_, t), d)| Arg {
            data_type: t.clone(),
            nullable: true,
            literal: d.is_scalar().then(|| Literal::from_array(d.values(), 0, t.clone()).unwrap()),
            sql: "f(x)".into(),
            lambda: None,
        })
        .collect();
    described.extend(lambdas.iter().map(|l| Arg {
        data_type: l.return_type().clone(),
        nullable: true,
        literal: None,
        sql: "lambdafunction()".into(),
        lambda: Some(l.arity()),
    }));
    let site = CallSite { called_as: name, args: &described, ctx, span: Span::NONE };
    let Resolution { arg_types, return_type, .. } = (function.resolve)(&site)?;
    let types: Vec<DataType> = args.iter().map(|(_, t)| t.clone()).collect();
    assert_eq!(&arg_types[..types.len()], &types, "tests pass arguments already cast");
    let call = KernelCall {
        args: data,
        arg_types: &types,
        lambdas,
        return_type: &return_type,
        rows,
        ctx,
        position: RowPosition::default(),
        span: Span::NONE,
    };
    let result = match &function.kernel {
        ScalarKernel::Plain(kernel) => kernel(&call)?,
        ScalarKernel::Closure(kernel) => kernel(&call)?,
        ScalarKernel::Instance(make) => make(&call)?.call(&call)?,
    };
    assert_eq!(result.data_type(), &return_type.to_arrow(), "type of {name}");
    Ok(result)
}

/// A lambda over ints for tests.
pub(crate) struct IntLambda<F> {
    pub arity: usize,
    pub return_type: DataType,
    pub body: F,
}

impl<F: Fn(&[ArrayRef], &UInt32Array) -> ArrayRef> LambdaKernel for IntLambda<F> {
    fn arity(&self) -> usize {
        self.arity
    }

    fn return_type(&self) -> &DataType {
        &self.return_type
    }

    fn call(&self, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
        for p in params {
            assert_eq!(p.len(), rows.len());
        }
        Ok((self.body)(params, rows))
    }
}
