//! Forms: functions that are expressed by other expressions.

use crate::build;
use crate::naming;
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Form, FormFunction};
use vonk_types::Literal;

/// A call of a form. Each argument comes with the name it has of its own (a column's, a field's or an alias), if any, which
/// `struct` takes; the text of an argument with an alias ends in ` AS alias`. Not for `grouping`, `grouping_id`,
/// `current_catalog` and `current_database`: those need the query.
pub(crate) fn form(
    s: &Session<'_>,
    f: &FormFunction,
    called_as: &str,
    args: Vec<(Typed, Option<String>)>,
    span: Span,
) -> Result<Typed> {
    check_arity(f, called_as, args.len(), span)?;
    if f.form == Form::Struct {
        return Ok(build::struct_of(args, span));
    }
    let args: Vec<Typed> = args.into_iter().map(|(t, _)| t).collect();
    let call_text = format!("{called_as}({})", naming::list(&args));
    // `equal_null(a, b)` is written as a call, `a <=> b` as an operator.
    let word = called_as.starts_with(|c: char| c.is_ascii_alphabetic());
    let zero = |s| build::literal(s, &Literal::int(0), span);
    Ok(match (&f.form, args.as_slice()) {
        (Form::Coalesce, _) => build::coalesce(s, args, span)?.named(call_text),
        (Form::If, [c, a, b]) => build::if_then_else(s, c.clone(), a.clone(), b.clone(), span)?,
        (Form::Nvl2, [x, a, b]) => {
            let given = build::is_test(s, x.clone(), vonk_plan::unresolved::IsTest::Null, true, span)?;
            build::if_then_else(s, given, a.clone(), b.clone(), span)?.named(call_text)
        }
        (Form::NullIf, [a, b]) => build::null_if(s, a.clone(), b.clone(), span)?.named(call_text),
        (Form::NullIfZero, [x]) => build::null_if(s, x.clone(), zero(s)?, span)?.named(call_text),
        (Form::ZeroIfNull, [x]) => build::coalesce(s, vec![x.clone(), zero(s)?], span)?.named(call_text),
        (Form::When, _) => when(s, args, span)?,
        (Form::NamedStruct, _) => build::named_struct(s, args, span)?,
        (Form::Compare(op), [a, b]) => {
            let compared = build::compare(s, *op, a.clone(), b.clone(), span)?;
            if word { compared.named(call_text) } else { compared }
        }
        (Form::NotEqual, [a, b]) => {
            build::compare(s, vonk_types::CompareOp::NotEq, a.clone(), b.clone(), span)?
        }
        (Form::And, [a, b]) => build::and(s, a.clone(), b.clone(), span)?,
        (Form::Or, [a, b]) => build::or(s, a.clone(), b.clone(), span)?,
        (Form::Not, [x]) => build::not(s, x.clone(), span)?,
        (Form::IsNull, [x]) => {
            build::is_test(s, x.clone(), vonk_plan::unresolved::IsTest::Null, false, span)?
        }
        (Form::IsNotNull, [x]) => {
            build::is_test(s, x.clone(), vonk_plan::unresolved::IsTest::Null, true, span)?
        }
        (Form::In, [x, list @ ..]) => build::in_list(s, x.clone(), list.to_vec(), span)?,
        (Form::Between, [x, low, high]) => build::between(s, x.clone(), low.clone(), high.clone(), span)?,
        (Form::Cast(to), [x]) => build::cast_by_name(s, x.clone(), to, span)?,
        _ => return vonk_error::internal_err!("{} with {} arguments", f.name, args.len()),
    })
}

fn check_arity(f: &FormFunction, called_as: &str, n: usize, span: Span) -> Result<()> {
    if f.form == Form::NamedStruct && (n == 0 || n % 2 == 1) {
        return Err(Error::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with("functionName", format!("`{called_as}`"))
            .with("expectedNum", "2n (n > 0)")
            .with("actualNum", n.to_string())
            .with("docroot", "https://spark.apache.org/docs/latest"));
    }
    f.arity.check(called_as, n).map_err(|e| e.at(span))
}

/// `when(c, a, d, b, e)`.
fn when(s: &Session<'_>, args: Vec<Typed>, span: Span) -> Result<Typed> {
    let mut branches = Vec::with_capacity(args.len() / 2);
    let mut rest = args.into_iter();
    let mut otherwise = None;
    while let Some(first) = rest.next() {
        match rest.next() {
            Some(value) => branches.push((first, value)),
            None => otherwise = Some(first),
        }
    }
    build::case(s, None, branches, otherwise, span)
}
