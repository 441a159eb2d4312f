//! `inline`: a row per struct of an array.

use super::{Generated, GeneratorFunction, docs};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite};
use crate::scalar::array::lists::{Flat, Lists};
use crate::scalar::array::with_nulls;
use arrow::array::{Array, AsArray};
use vonk_error::Result;
use vonk_types::{DataType, StructField, StructType};

const INLINE: Docs = docs(
    "inline(expr)",
    "A row per struct of an array, its fields as columns.",
    "2.0.0",
    &[ex("SELECT inline(array(struct(1, 'a'), struct(2, 'b')))", "1\ta\n2\tb")],
);
const INLINE_OUTER: Docs = docs(
    "inline_outer(expr)",
    "As inline; an empty or null array gives one row of nulls.",
    "2.0.0",
    &[ex("SELECT inline_outer(array(struct(1, 'a'), null))", "1\ta\nNULL\tNULL")],
);

pub(super) fn rows() -> Vec<GeneratorFunction> {
    let row = |name, docs, outer| GeneratorFunction {
        name,
        aliases: &[],
        docs,
        arity: Arity::exactly(1),
        resolve,
        kernel: inline,
        outer,
    };
    vec![row("inline", INLINE, false), row("inline_outer", INLINE_OUTER, true)]
}

fn resolve(site: &CallSite<'_>) -> Result<(Vec<DataType>, StructType)> {
    let t = site.arg_type(0);
    if let DataType::Array(e, null) = t
        && let DataType::Struct(s) = e.as_ref()
    {
        let field =
            |f: &StructField| StructField::new(f.name.clone(), f.data_type.clone(), f.nullable || *null);
        let fields: Vec<StructField> = s.fields.iter().map(field).collect();
        return Ok((vec![t.clone()], StructType::new(fields)));
    }
    // Outer forms are the plain ones to Spark when it checks types.
    let sql = format!("\"inline({})\"", site.args[0].sql);
    Err(site.unexpected_type(0, "\"ARRAY<STRUCT>\"").with("sqlExpr", sql))
}

fn inline(call: &KernelCall<'_>) -> Result<Generated> {
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let elements = flat.elements(lists.elements())?;
    let structs = elements.as_struct();
    let columns = structs.columns().iter().map(|c| with_nulls(c, structs.nulls())).collect::<Result<_>>()?;
    Ok(Generated { rows: flat.rows, columns })
}
