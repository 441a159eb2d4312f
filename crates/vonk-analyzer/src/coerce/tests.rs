//! Every pair of types, against what Spark says.

use crate::build;
use crate::session::Session;
use crate::typed::Typed;
use vonk_conf::Conf;
use vonk_error::{Result, Span};
use vonk_eval::EvalEnv;
use vonk_plan::logical::{ColumnIds, Expr};
use vonk_plan::unresolved::BinaryOp;
use vonk_types::parse::parse_data_type;
use vonk_types::{DataType, EvalContext};

fn operator(form: &str) -> BinaryOp {
    match form {
        "+" => BinaryOp::Plus,
        "-" => BinaryOp::Minus,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "%" => BinaryOp::Modulo,
        "&" => BinaryOp::BitAnd,
        "||" => BinaryOp::Concat,
        _ => BinaryOp::IntDivide,
    }
}

/// The text of a cell: the type, or the condition.
fn answer(s: &Session<'_>, form: &str, a: Typed, b: Typed) -> String {
    let typed: Result<Typed> = match form {
        "coalesce" => build::coalesce(s, vec![a, b], Span::NONE),
        "=" => build::binary(s, BinaryOp::Eq, a, b, Span::NONE),
        _ => build::binary(s, operator(form), a, b, Span::NONE),
    };
    match typed {
        Err(e) => format!("!{}", e.condition().trim_start_matches("DATATYPE_MISMATCH.")),
        Ok(t) => match (form, t.expr) {
            ("=", Expr::Compare { left, right, .. }) => {
                let (l, r) = (left.data_type().catalog_string(), right.data_type().catalog_string());
                if l == r { l } else { format!("{l} and {r}") }
            }
            (_, e) => e.data_type().catalog_string(),
        },
    }
}

fn data_type(text: &str) -> DataType {
    parse_data_type(text).unwrap_or_else(|| panic!("no type {text}"))
}

#[test]
fn pairs_of_types() {
    let conf = Conf::new();
    let ids = ColumnIds::new();
    let (mut wrong, mut cells) = (Vec::new(), 0);
    let mut block = (String::new(), Vec::new());
    for line in include_str!("../../tests/coercion.tsv").lines().filter(|l| !l.starts_with('#')) {
        let mut fields = line.split('\t');
        let head = fields.next().unwrap_or_default();
        if head.starts_with("ansi ") || head.starts_with("legacy ") {
            block = (head.to_string(), fields.map(str::to_string).collect());
            continue;
        }
        let (mode, form) = block.0.split_once(' ').unwrap_or_default();
        let env = EvalEnv::new(EvalContext { ansi: mode == "ansi", ..EvalContext::default() });
        let s = Session::new(&env, &conf);
        for (other, expected) in block.1.iter().zip(fields).filter(|(_, e)| !e.is_empty()) {
            let side = |name: &str, t: &str| Typed::column(&ids.column(name, data_type(t), true), Span::NONE);
            let got = answer(&s, form, side("a", head), side("b", other));
            cells += 1;
            if got != expected {
                wrong.push(format!("{mode}: {head} {form} {other}: {got}, Spark {expected}"));
            }
        }
    }
    assert!(cells > 9000, "{cells} cells");
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
}
