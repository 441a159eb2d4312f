//! Kernels called on columns.

use super::Generated;
use crate::kernel::{Datum, KernelCall, RowPosition};
use crate::registry::Registry;
use crate::scalar::array::testing::{Column, context, int_column, int_lists, texts};
use vonk_error::Span;
use vonk_types::DataType;

fn run(name: &str, args: &[Column], constants: usize) -> Vec<Vec<String>> {
    let function = Registry::builtin().generator(name).unwrap().clone();
    let rows = args.iter().map(|(a, _)| a.len()).max().unwrap_or(1);
    let data: Vec<Datum> = args
        .iter()
        .enumerate()
        .map(|(i, (a, _))| if i < constants { Datum::Scalar(a.clone()) } else { Datum::Array(a.clone()) })
        .collect();
    let types: Vec<DataType> = args.iter().map(|(_, t)| t.clone()).collect();
    let call = KernelCall {
        args: &data,
        arg_types: &types,
        lambdas: &[],
        return_type: &DataType::Null,
        rows,
        ctx: &context(),
        position: RowPosition::default(),
        span: Span::NONE,
    };
    let Generated { rows, columns } = (function.kernel)(&call).unwrap();
    let mut out: Vec<Vec<String>> = vec![rows.values().iter().map(u32::to_string).collect()];
    out.extend(columns.iter().map(texts));
    out
}

#[test]
fn explode_and_stack() {
    let a = || int_lists(&[Some(&[Some(1), None]), None, Some(&[]), Some(&[Some(4)])]);
    assert_eq!(run("explode", &[a()], 0), [vec!["0", "0", "3"], vec!["1", "null", "4"]]);
    assert_eq!(
        run("posexplode", &[a()], 0),
        [vec!["0", "0", "3"], vec!["0", "1", "0"], vec!["1", "null", "4"]]
    );
    let n = int_column(&[Some(2)]);
    let x = int_column(&[Some(10), Some(20)]);
    let y = int_column(&[Some(11), None]);
    assert_eq!(
        run("stack", &[n, x.clone(), y.clone(), x], 1),
        [vec!["0", "0", "1", "1"], vec!["10", "10", "20", "20"], vec!["11", "null", "null", "null"]]
    );
}
