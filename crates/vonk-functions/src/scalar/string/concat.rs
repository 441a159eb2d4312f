//! `concat` (and `||`), `concat_ws`, `elt`.

use crate::coerce::common_type;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MutableArrayData, make_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::arrow_types::list_field;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            aliases: &["||"],
            can_fail: false,
            display: Display::Custom(|_, args| format!("concat({})", args.join(", "))),
            ..ScalarFunction::new(
                "concat",
                docs!(String, "concat(col1, col2, ..., colN)", "Strings, binaries or arrays one behind the other; `expr1 || expr2`.", "1.5.0", [
                    "SELECT concat('Spark', 'SQL')" => "SparkSQL",
                    "SELECT concat(array(1, 2, 3), array(4, 5), array(6))" => "[1,2,3,4,5,6]",
                    "SELECT 'Spark' || 'SQL'" => "SparkSQL",
                ]),
                Arity::at_least(0),
                resolve_concat,
                concat,
            )
        },
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            ..ScalarFunction::new(
                "concat_ws",
                docs!(
                    String,
                    "concat_ws(sep[, str | array(str)]+)",
                    "Strings one behind the other with a separator between them, nulls left out.",
                    "1.5.0",
                    [
                        "SELECT concat_ws(' ', 'Spark', 'SQL')" => "Spark SQL",
                        "SELECT concat_ws('/', 'foo', null, 'bar')" => "foo/bar",
                    ]
                ),
                Arity::at_least(1),
                resolve_concat_ws,
                concat_ws,
            )
        },
        ScalarFunction {
            null_propagating: false,
            ..ScalarFunction::new(
                "elt",
                docs!(String, "elt(n, input1, input2, ...)", "The n-th of the inputs.", "2.0.0", [
                    "SELECT elt(1, 'scala', 'java')" => "scala",
                ]),
                Arity::at_least(2),
                resolve_elt,
                elt,
            )
        },
    ]
}

fn resolve_concat(site: &CallSite<'_>) -> Result<Resolution> {
    let types: Vec<DataType> = site.args.iter().map(|a| a.data_type.clone()).collect();
    let taken = |i: usize| match &types[i] {
        DataType::Array(..) => Ok(types[i].clone()),
        _ => site.implicit_or(i, &DataType::String, "(\"STRING\" or \"BINARY\" or \"ARRAY\")"),
    };
    let strings = (0..types.len()).map(taken).collect::<Result<Vec<_>>>()?;
    if types.iter().any(|t| matches!(t, DataType::Array(..))) {
        let all_arrays = types.iter().all(|t| matches!(t, DataType::Array(..)));
        return match common_type(&types, site.ctx.ansi).filter(|_| all_arrays) {
            Some(t) => site.returns(vec![t.clone(); types.len()], t),
            None => Err(differing(site, &types)),
        };
    }
    if !types.is_empty() && types.iter().all(|t| *t == DataType::Binary) {
        return site.returns(types, DataType::Binary);
    }
    site.returns(strings, DataType::String)
}

fn differing(site: &CallSite<'_>, types: &[DataType]) -> Error {
    let names: Vec<String> = types
        .iter()
        .map(|t| match t {
            t if t.is_nested() => format!("\"{}\"", t.sql()),
            _ => "\"STRING\"".to_string(),
        })
        .collect();
    Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
        .with("functionName", "`concat`")
        .with("dataType", format!("({})", names.join(" or ")))
        .at(site.span)
}

fn concat(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.return_type {
        DataType::Array(element, null) => {
            let field = list_field(element, *null);
            concat_arrays(call, field)
        }
        DataType::Binary => {
            let parts: Vec<_> = (0..call.args.len()).map(|i| call.bytes(i)).collect();
            call.each_binary(|row, out| {
                parts.iter().for_each(|p| out.extend_from_slice(p.get(row)));
                Ok(true)
            })
        }
        _ => {
            let parts: Vec<_> = (0..call.args.len()).map(|i| call.strings(i)).collect();
            call.each_str(|row, out| {
                parts.iter().for_each(|p| out.push_str(p.get(row)));
                Ok(true)
            })
        }
    }
}

fn concat_arrays(call: &KernelCall<'_>, field: Arc<arrow::datatypes::Field>) -> Result<ArrayRef> {
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let lists: Vec<&ListArray> = call.args.iter().map(|a| a.values().as_list::<i32>()).collect();
    let data: Vec<_> = lists.iter().map(|l| l.values().to_data()).collect();
    let mut elements = MutableArrayData::new(data.iter().collect(), false, 0);
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let mut length = 0;
        if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
            for (i, list) in lists.iter().enumerate() {
                let at = call.args[i].index(row);
                let (from, to) = (list.offsets()[at] as usize, list.offsets()[at + 1] as usize);
                elements.try_extend(i, from, to)?;
                length += to - from;
            }
        }
        lengths.push(length);
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, make_array(elements.freeze()), nulls)?))
}

fn resolve_concat_ws(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = vec![site.take_one(0, &STR)?];
    let strings = DataType::array(DataType::String, true);
    for i in 1..site.args.len() {
        let wanted =
            if matches!(site.arg_type(i), DataType::Array(..)) { &strings } else { &DataType::String };
        types.push(site.implicit_or(i, wanted, "(\"ARRAY<STRING>\" or \"STRING\")")?);
    }
    let nullable = site.args[0].nullable || site.args[0].data_type == DataType::Null;
    Ok(Resolution { arg_types: types, return_type: DataType::String, nullable })
}

fn concat_ws(call: &KernelCall<'_>) -> Result<ArrayRef> {
    enum Part<'a> {
        One(&'a arrow::array::StringViewArray),
        List(&'a ListArray, &'a arrow::array::StringViewArray),
    }
    let parts: Vec<Part<'_>> = call.args[1..]
        .iter()
        .map(|a| match a.values().as_list_opt::<i32>() {
            Some(list) => Part::List(list, list.values().as_string_view()),
            None => Part::One(a.values().as_string_view()),
        })
        .collect();
    let separator = call.strings(0);
    // Only a null separator makes a null.
    let strict = KernelCall { args: &call.args[..1], ..*call };
    strict.each_str(|row, out| {
        let separator = separator.get(row);
        let mut first = true;
        let mut push = |s: &str| {
            if !std::mem::take(&mut first) {
                out.push_str(separator);
            }
            out.push_str(s);
        };
        for (part, arg) in parts.iter().zip(&call.args[1..]) {
            let at = arg.index(row);
            match part {
                Part::One(strings) if strings.is_valid(at) => push(strings.value(at)),
                Part::List(list, strings) if list.is_valid(at) => {
                    let (from, to) = (list.offsets()[at] as usize, list.offsets()[at + 1] as usize);
                    (from..to).filter(|i| strings.is_valid(*i)).for_each(|i| push(strings.value(i)));
                }
                _ => {}
            }
        }
        Ok(true)
    })
}

fn resolve_elt(site: &CallSite<'_>) -> Result<Resolution> {
    let index = site.take_one(0, &INT)?;
    let binary = site.args[1..].iter().all(|a| a.data_type == DataType::Binary);
    let t = if binary { DataType::Binary } else { DataType::String };
    let mut types = vec![index];
    for i in 1..site.args.len() {
        let wrong = || {
            Error::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                .with("paramIndex", "second...")
                .with("requiredType", "\"STRING\" or \"BINARY\"")
                .with("inputSql", format!("\"{}\"", site.args[i].sql))
                .with("inputType", format!("\"{}\"", site.arg_type(i).sql()))
                .at(site.span)
        };
        types.push(site.implicit(i, &t).map_err(|_| wrong())?);
    }
    site.returns_null(types, t)
}

fn elt(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let n = call.values::<Int32Type>(0);
    let index = call.args[0].values();
    let null = call.all_null();
    let sources: Vec<&dyn Array> =
        call.args[1..].iter().map(|a| a.values().as_ref()).chain([null.as_ref()]).collect();
    let inputs = call.args.len() - 1;
    let mut picks = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if index.is_null(call.args[0].index(row)) {
            picks.push((inputs, 0));
            continue;
        }
        match usize::try_from(n.get(row)) {
            Ok(i) if (1..=inputs).contains(&i) => picks.push((i - 1, call.args[i].index(row))),
            _ if call.ctx.ansi => {
                return Err(Error::new("INVALID_ARRAY_INDEX")
                    .with("indexValue", n.get(row).to_string())
                    .with("arraySize", inputs.to_string()));
            }
            _ => picks.push((inputs, 0)),
        }
    }
    Ok(interleave(&sources, &picks)?)
}
