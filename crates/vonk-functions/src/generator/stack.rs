//! `stack`: its arguments as so many rows.

use super::{Generated, GeneratorFunction, docs};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite};
use crate::scalar::array::lists::Picks;
use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::Int32Type;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue, StructField, StructType};

const STACK: Docs = docs(
    "stack(n, expr1, ..., exprk)",
    "The expressions as `n` rows, filled up with nulls.",
    "2.0.0",
    &[ex("SELECT stack(2, 1, 2, 3)", "1\t2\n3\tNULL")],
);

pub(super) fn rows() -> Vec<GeneratorFunction> {
    vec![GeneratorFunction {
        name: "stack",
        aliases: &[],
        docs: STACK,
        arity: Arity::at_least(2),
        resolve,
        kernel: stack,
        outer: false,
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<(Vec<DataType>, StructType)> {
    let n = number_of_rows(site)?;
    let values = site.args.len() - 1;
    let width = values.div_ceil(n);
    // An untyped null takes the type of its column.
    let mut types: Vec<DataType> = vec![DataType::Null; width];
    for (i, arg) in site.args.iter().skip(1).enumerate() {
        if types[i % width] == DataType::Null {
            types[i % width] = arg.data_type.clone();
        }
    }
    for (i, arg) in site.args.iter().skip(1).enumerate() {
        let column = i % width;
        if arg.data_type != types[column] && arg.data_type != DataType::Null {
            return Err(Error::new("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES")
                .with("columnIndex", column.to_string())
                .with("leftParamIndex", (column + 1).to_string())
                .with("leftType", format!("\"{}\"", types[column].sql()))
                .with("rightParamIndex", (i + 1).to_string())
                .with("rightType", format!("\"{}\"", arg.data_type.sql()))
                .at(site.span));
        }
    }
    let fields: Vec<StructField> = types
        .iter()
        .enumerate()
        .map(|(i, t)| {
            let given: Vec<_> = site.args.iter().skip(1 + i).step_by(width).collect();
            let nullable = given.len() < n || given.iter().any(|a| a.nullable);
            StructField::new(format!("col{i}"), t.clone(), nullable)
        })
        .collect();
    let mut arg_types = vec![DataType::Int];
    arg_types.extend((0..values).map(|i| types[i % width].clone()));
    Ok((arg_types, StructType::new(fields)))
}

fn number_of_rows(site: &CallSite<'_>) -> Result<usize> {
    let n = &site.args[0];
    if n.data_type != DataType::Int {
        return Err(site.unexpected_type(0, "\"INT\""));
    }
    let Some(literal) = &n.literal else {
        return Err(Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
            .with("inputName", "`n`")
            .with("inputType", "\"INT\"")
            .with("inputExpr", format!("\"{}\"", n.sql))
            .at(site.span));
    };
    match literal.value {
        ScalarValue::Int32(Some(n)) if n > 0 => Ok(n as usize),
        ScalarValue::Int32(Some(n)) => Err(Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with("exprName", "`n`")
            .with("valueRange", "(0, 2147483647]")
            .with("currentValue", n.to_string())
            .at(site.span)),
        _ => Err(Error::new("DATATYPE_MISMATCH.UNEXPECTED_NULL").with("exprName", "`n`").at(site.span)),
    }
}

fn stack(call: &KernelCall<'_>) -> Result<Generated> {
    let n = call.args[0].values().as_primitive::<Int32Type>().value(0).max(1) as usize;
    let values = &call.args[1..];
    let width = values.len().div_ceil(n);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(width);
    for column in 0..width {
        let given: Vec<&crate::Datum> = values.iter().skip(column).step_by(width).collect();
        let arrays: Vec<&ArrayRef> = given.iter().map(|d| d.values()).collect();
        let mut picks = Picks::of(given[0].values().data_type(), &arrays);
        for row in 0..call.rows {
            for (i, datum) in given.iter().enumerate() {
                picks.push(i + 1, datum.index(row));
            }
            (given.len()..n).for_each(|_| picks.push_null());
        }
        columns.push(picks.finish()?);
    }
    let rows = UInt32Array::from_iter_values((0..call.rows as u32).flat_map(|row| (0..n).map(move |_| row)));
    Ok(Generated { rows, columns })
}
