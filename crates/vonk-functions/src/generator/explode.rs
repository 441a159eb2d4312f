//! `explode`, `posexplode`: a row per element of an array or entry of a map.

use super::{Generated, GeneratorFunction, docs};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite};
use crate::scalar::array::lists::{Flat, Lists, Maps};
use vonk_error::Result;
use vonk_types::{DataType, StructField, StructType};

const EXPLODE: Docs = docs(
    "explode(expr)",
    "A row per element of an array (`col`) or per entry of a map (`key`, `value`).",
    "1.0.0",
    &[
        ex("SELECT explode(array(10, 20))", "10\n20"),
        ex("SELECT * FROM explode(map('a', 1, 'b', 2))", "a\t1\nb\t2"),
    ],
);
const EXPLODE_OUTER: Docs = docs(
    "explode_outer(expr)",
    "As explode; an empty or null array or map gives one row of nulls.",
    "1.0.0",
    &[ex("SELECT explode_outer(array())", "NULL")],
);
const POSEXPLODE: Docs = docs(
    "posexplode(expr)",
    "As explode, with the position from 0 before (`pos`).",
    "2.0.0",
    &[ex("SELECT posexplode(array(10, 20))", "0\t10\n1\t20")],
);
const POSEXPLODE_OUTER: Docs = docs(
    "posexplode_outer(expr)",
    "As posexplode; an empty or null array or map gives one row of nulls.",
    "2.0.0",
    &[ex("SELECT posexplode_outer(cast(NULL AS array<int>))", "NULL\tNULL")],
);

pub(super) fn rows() -> Vec<GeneratorFunction> {
    let row = |name, docs, outer, positions: bool| GeneratorFunction {
        name,
        aliases: &[],
        docs,
        arity: Arity::exactly(1),
        resolve: if positions { |s| resolve(s, true) } else { |s| resolve(s, false) },
        kernel: if positions { |c| explode(c, true) } else { |c| explode(c, false) },
        outer,
    };
    vec![
        row("explode", EXPLODE, false, false),
        row("explode_outer", EXPLODE_OUTER, true, false),
        row("posexplode", POSEXPLODE, false, true),
        row("posexplode_outer", POSEXPLODE_OUTER, true, true),
    ]
}

fn resolve(site: &CallSite<'_>, positions: bool) -> Result<(Vec<DataType>, StructType)> {
    let mut fields = Vec::new();
    if positions {
        fields.push(StructField::new("pos", DataType::Int, false));
    }
    match site.arg_type(0) {
        DataType::Array(e, null) => fields.push(StructField::new("col", e.as_ref().clone(), *null)),
        DataType::Map(k, v, null) => {
            fields.push(StructField::new("key", k.as_ref().clone(), false));
            fields.push(StructField::new("value", v.as_ref().clone(), *null));
        }
        _ => {
            // Outer forms are the plain ones to Spark when it checks types.
            let plain = site.called_as.trim_end_matches("_outer");
            let sql = format!("\"{plain}({})\"", site.args[0].sql);
            return Err(site.unexpected_type(0, "(\"ARRAY\" or \"MAP\")").with("sqlExpr", sql));
        }
    }
    Ok((vec![site.arg_type(0).clone()], StructType::new(fields)))
}

fn explode(call: &KernelCall<'_>, positions: bool) -> Result<Generated> {
    let (flat, parts) = match call.arg_types[0] {
        DataType::Map(..) => {
            let maps = Maps::of(&call.args[0]);
            let flat = Flat::new(call.rows, maps.keys.len(), |row| maps.range(row))?;
            let parts = vec![flat.elements(maps.keys)?, flat.elements(maps.values)?];
            (flat, parts)
        }
        _ => {
            let lists = Lists::of(&call.args[0]);
            let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
            let parts = vec![flat.elements(lists.elements())?];
            (flat, parts)
        }
    };
    let mut columns = Vec::with_capacity(3);
    if positions {
        columns.push(flat.positions());
    }
    columns.extend(parts);
    Ok(Generated { rows: flat.rows, columns })
}
