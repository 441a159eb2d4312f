//! Calls: which function a name stands for, and what may stand around it.

use super::{Clause, Inside, Walk};
use crate::call::{self, AggregateCall, AggregateExtras, CallArg, OrderKey};
use crate::scope::quoted_name;
use crate::select::GroupingCall;
use crate::typed::{Typed, quoted};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{AggregateFunction, Form, FormFunction, Function, ScalarFunction, WindowFunction};
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::{self, ExprKind, FunctionCall, Name};
use vonk_types::{DataType, Literal};

impl Walk<'_> {
    /// Resolves a call.
    pub(super) fn function(&mut self, call: &FunctionCall, span: Span) -> Result<Typed> {
        let function = match self.find_function(&call.name, span) {
            Ok(f) => f,
            Err(e) => match self.b.analyzer.catalog.function(&call.name.parts)? {
                Some(f) => return self.user_function(&f, call, span),
                None => return Err(e),
            },
        };
        let called_as = called_as(&call.name);
        let arranged;
        let call = if call::any_named(&call.args) {
            let args = positional(&called_as, &call.args, span)?;
            arranged = FunctionCall { args, ..call.clone() };
            &arranged
        } else {
            call
        };
        match function {
            Function::Aggregate(f) if call.over.is_some() => {
                self.window_aggregate(&f, &called_as, call, span)
            }
            Function::Aggregate(f) => self.aggregate(&f, &called_as, call, span),
            Function::Window(f) => self.window_function(&f, &called_as, call, span),
            Function::Generator(f) => self.nested_generator(&f, &called_as, call, span),
            Function::Scalar(f) => {
                let result = self.scalar(&f, &called_as, call, span)?;
                only_plain(call, f.name, result, span)
            }
            Function::Form(f) => {
                let result = self.form(&f, &called_as, call, span)?;
                only_plain(call, f.name, result, span)
            }
        }
    }

    /// A function whose body is SQL.
    fn user_function(
        &mut self,
        f: &vonk_plan::UserFunction,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        let refused = match (self.clause, &call.over) {
            (_, Some(_)) => Some("Window"),
            (Clause::Sort, None) => Some("Sort"),
            _ => None,
        };
        if let Some(node) = refused {
            return Err(Error::new("UNSUPPORTED_SQL_UDF_USAGE")
                .with("functionName", f.name.quoted())
                .with("nodeName", node)
                .at(span));
        }
        let arguments = call::user::arguments(f, &call.args, span)?;
        let args: Vec<Typed> = self.arguments(&arguments.all)?.into_iter().map(|(t, _)| t).collect();
        let result = call::user::value(self.b, f, args, arguments.given, span, self.env)?;
        only_plain(call, f.name.table(), result, span)
    }

    /// The function of a name, which may be qualified as built-in.
    pub(super) fn find_function(&self, name: &Name, span: Span) -> Result<Function> {
        let registry = self.s().registry();
        let parts: Vec<String> = name.parts.iter().map(|p| p.to_lowercase()).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let found = match parts.as_slice() {
            [f] | ["builtin", f] | ["system", "builtin", f] => registry.get(f),
            _ => None,
        };
        match found {
            Some(f) => Ok(f.clone()),
            None => Err(self.no_routine(name, "UNRESOLVED_ROUTINE", span)),
        }
    }

    fn no_routine(&self, name: &Name, condition: &'static str, span: Span) -> Error {
        let (catalog, database) = self.b.analyzer.catalog.current();
        if name.parts.len() > 2 && !name.parts[0].eq_ignore_ascii_case(&catalog) {
            return Error::new("REQUIRES_SINGLE_PART_NAMESPACE")
                .with("sessionCatalog", catalog)
                .with("identifier", quoted_name(&name.parts));
        }
        Error::new(condition)
            .with("routineName", quoted_name(&name.parts))
            .with("searchPath", search_path(&catalog, &database))
            .at(span)
    }

    fn scalar(
        &mut self,
        f: &Arc<ScalarFunction>,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        let lambdas = call.args.iter().any(|a| matches!(a.kind, ExprKind::Lambda { .. }));
        let args = if lambdas || f.lambda_params.is_some() {
            self.lambda_arguments(f, called_as, &call.args, span)?
        } else {
            self.arguments(&call.args)?.into_iter().map(|(t, _)| CallArg::Value(t)).collect()
        };
        call::scalar(self.s(), f, called_as, args, span)
    }

    fn form(&mut self, f: &FormFunction, called_as: &str, call: &FunctionCall, span: Span) -> Result<Typed> {
        let text = |value: String, name: &str| {
            Typed::new(Expr::Literal(Literal::string(value)), format!("{name}()"), span)
        };
        match f.form {
            Form::Grouping => {
                f.arity.check(called_as, call.args.len()).map_err(|e| e.at(span))?;
                let arg = self.expr(&call.args[0])?;
                let sql = format!("grouping({})", arg.sql);
                Ok(self.grouping_call(false, vec![arg.expr], sql, DataType::Byte, span))
            }
            Form::GroupingId => self.grouping_id(&call.args, None, span),
            Form::TimeWindow => self.time_window(call, span),
            Form::CurrentCatalog => {
                f.arity.check(called_as, call.args.len()).map_err(|e| e.at(span))?;
                Ok(text(self.b.analyzer.catalog.current().0, "current_catalog"))
            }
            Form::CurrentDatabase => {
                f.arity.check(called_as, call.args.len()).map_err(|e| e.at(span))?;
                Ok(text(self.b.analyzer.catalog.current().1, "current_schema"))
            }
            _ => {
                let args = self.arguments(&call.args)?;
                call::form(self.s(), f, called_as, args, span)
            }
        }
    }

    /// `grouping_id(…)`; `bare` is the name where it is `grouping__id` without parentheses.
    pub(super) fn grouping_id(
        &mut self,
        args: &[unresolved::Expr],
        bare: Option<&str>,
        span: Span,
    ) -> Result<Typed> {
        let args = self.exprs(args)?;
        let list: Vec<&str> = args.iter().map(|a| a.sql.as_str()).collect();
        let sql = match bare {
            Some(name) => name.to_string(),
            None => format!("grouping_id({})", list.join(", ")),
        };
        let args = args.into_iter().map(|a| a.expr).collect();
        Ok(self.grouping_call(true, args, sql, DataType::Long, span))
    }

    fn grouping_call(&mut self, id: bool, args: Vec<Expr>, sql: String, t: DataType, span: Span) -> Typed {
        let column = self.b.ids.column(sql.as_str(), t, false);
        if let Some(calls) = self.calls {
            let call = GroupingCall { id, args, column: column.clone(), span };
            calls.grouping.borrow_mut().push(call);
        }
        Typed::new(Expr::Column(column), sql, span)
    }

    fn aggregate(
        &mut self,
        f: &AggregateFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        if self.inside == Inside::Aggregate {
            return Err(Error::new("NESTED_AGGREGATE_FUNCTION").at(span));
        }
        let made = self.aggregate_call(f, called_as, call, span)?;
        if let Some(alias) = self.lateral.take() {
            return Err(Error::new("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC")
                .with("lca", alias)
                .with("aggFunc", quoted(&made.sql))
                .at(span));
        }
        if let Some(t) = self.outer_aggregate(&made, span)? {
            return Ok(t);
        }
        let Some(calls) = self.calls else {
            return Err(Error::new("UNSUPPORTED_EXPR_FOR_OPERATOR")
                .with("operator", self.clause.operator())
                .with("invalidExprSqls", quoted(&made.sql))
                .at(span));
        };
        if let Some(place) = made.expr.exprs().find_map(volatile_call) {
            return Err(Error::new("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION")
                .with("sqlExpr", quoted(&made.sql))
                .at(place));
        }
        let column = calls.aggregates.borrow_mut().add(self.b.ids, made.expr, &made.sql);
        Ok(Typed::new(Expr::Column(column), made.sql, span))
    }

    /// The call alone, its arguments resolved.
    fn aggregate_call(
        &mut self,
        f: &AggregateFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<AggregateCall> {
        let was = std::mem::replace(&mut self.inside, Inside::Aggregate);
        let result = self.aggregate_parts(f, called_as, call, span);
        self.inside = was;
        result
    }

    fn aggregate_parts(
        &mut self,
        f: &AggregateFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<AggregateCall> {
        let args = self.aggregate_arguments(called_as, call, span)?;
        let filter = match &call.filter {
            Some(e) => Some(self.filter(e, span)?),
            None => None,
        };
        let order_by = call
            .within_group
            .iter()
            .map(|k| {
                let key = self.expr(&k.expr)?;
                let nulls_first = k.nulls_first.unwrap_or(!k.descending);
                Ok(OrderKey { key, descending: k.descending, nulls_first })
            })
            .collect::<Result<Vec<_>>>()?;
        let extras =
            AggregateExtras { distinct: call.distinct, filter, order_by, ignore_nulls: call.ignore_nulls };
        call::aggregate(self.s(), f, called_as, args, extras, span)
    }

    fn aggregate_arguments(
        &mut self,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Vec<Typed>> {
        if called_as == "count" {
            match call.args.as_slice() {
                // count(*) counts rows; count(DISTINCT *) the distinct rows without nulls.
                [one] => match &one.kind {
                    ExprKind::Star(unresolved::Star { qualifier: None, except, regex: None })
                        if except.is_empty() && !call.distinct =>
                    {
                        return Ok(Vec::new());
                    }
                    ExprKind::Star(unresolved::Star { qualifier: Some(q), .. }) => {
                        let known =
                            self.scopes.first().is_some_and(|s| !s.star(self.s(), &q.parts).is_empty());
                        if known {
                            return Err(Error::new("INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT")
                                .with("tableName", quoted_name(&q.parts))
                                .at(span));
                        }
                    }
                    _ => {}
                },
                [] => {
                    return Err(Error::new("WRONG_NUM_ARGS.WITH_SUGGESTION")
                        .with("functionName", "`count`")
                        .with("expectedNum", " >= 1")
                        .with("actualNum", "0")
                        .with("legacyNum", "0")
                        .with("legacyConfKey", "\"spark.sql.legacy.allowParameterlessCount\"")
                        .with("legacyConfValue", "\"true\""));
                }
                _ => {}
            }
        }
        Ok(self.arguments(&call.args)?.into_iter().map(|(t, _)| t).collect())
    }

    /// FILTER (WHERE …).
    fn filter(&mut self, e: &unresolved::Expr, span: Span) -> Result<Typed> {
        let calls = crate::select::Calls::default();
        let outer = std::mem::replace(&mut self.inside, Inside::Nothing);
        let kept = self.calls.take();
        // Aggregates in the condition are only looked for to be refused; the borrow ends with this function.
        let result = {
            let mut inner = Walk::new(self.b, self.env, self.scopes, self.clause).collecting(&calls);
            inner.qualified = self.qualified;
            inner.lambdas = self.lambdas.clone();
            inner.expr(e)
        };
        self.calls = kept;
        self.inside = outer;
        let typed = result?;
        if let Some((_, c)) = calls.aggregates.borrow().list.first() {
            return Err(Error::new("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE")
                .with("filterExpr", typed.quoted())
                .with("aggExpr", quoted(&c.name))
                .at(span));
        }
        if let Some(w) = calls.windows.borrow().first() {
            return Err(Error::new("INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION")
                .with("filterExpr", typed.quoted())
                .with("windowExpr", quoted(&w.column.name))
                .at(span));
        }
        if !typed.expr.is_deterministic() {
            return Err(Error::new("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC")
                .with("filterExpr", typed.quoted())
                .at(span));
        }
        if typed.data_type() != DataType::Boolean {
            return Err(Error::new("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN")
                .with("filterExpr", typed.quoted())
                .at(span));
        }
        Ok(typed)
    }

    /// An aggregate over columns of the enclosing query alone, in a subquery of its HAVING, belongs to that query.
    fn outer_aggregate(&mut self, made: &AggregateCall, span: Span) -> Result<Option<Typed>> {
        let Some(frame) = self.env.outer else { return Ok(None) };
        let Some(calls) = frame.calls else { return Ok(None) };
        let (mut inner, mut outer) = (false, false);
        for e in made.expr.exprs() {
            inner |= e.any(&|e| matches!(e, Expr::Column(_) | Expr::Subquery(_)));
            outer |= e.any(&|e| matches!(e, Expr::OuterColumn(_)));
        }
        if inner || !outer {
            return Ok(None);
        }
        let expr = made.expr.clone().map_exprs(&mut |e| {
            e.transform_up(&mut |e| {
                Ok(match e {
                    Expr::OuterColumn(c) => Expr::Column(c),
                    other => other,
                })
            })
        })?;
        let column = calls.aggregates.borrow_mut().add(self.b.ids, expr, &made.sql);
        let mut used = frame.used.borrow_mut();
        let arguments: Vec<_> = made.expr.exprs().flat_map(outer_columns).collect();
        used.retain(|c| !arguments.contains(c));
        if !used.contains(&column) {
            used.push(column.clone());
        }
        Ok(Some(Typed::new(Expr::OuterColumn(column), made.sql.clone(), span)))
    }

    fn window_aggregate(
        &mut self,
        f: &AggregateFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        self.in_window(span, |walk| {
            let made = walk.aggregate_parts(f, called_as, call, span)?;
            let (spec, spec_span) = walk.window_spec(call, span)?;
            let inner = made.sql.clone();
            let distinct = made.expr.distinct;
            let over = call::over_aggregate(walk.s(), made, &spec, spec_span)?;
            if distinct {
                return Err(Error::new("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED")
                    .with("windowExpr", quoted(&over.sql))
                    .at(span));
            }
            walk.add_window(over, &spec, Some(inner), span)
        })
    }

    fn window_function(
        &mut self,
        f: &WindowFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        refuse_syntax(call, f.name, &[Syntax::Distinct, Syntax::Within, Syntax::Filter], span)?;
        if call.over.is_none() {
            let args = self.arguments(&call.args)?;
            f.arity.check(called_as, args.len()).map_err(|e| e.at(span))?;
            let texts: Vec<&str> = args.iter().map(|(t, _)| t.sql.as_str()).collect();
            return Err(Error::new("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE")
                .with("funcName", format!("\"{called_as}({})\"", texts.join(", ")))
                .at(span));
        }
        self.in_window(span, |walk| {
            let args = walk.arguments(&call.args)?.into_iter().map(|(t, _)| t).collect();
            let (spec, _) = walk.window_spec(call, span)?;
            let over = call::over_function(walk.s(), f, called_as, args, call.ignore_nulls, &spec, span)?;
            walk.add_window(over, &spec, None, span)
        })
    }
}

/// The arguments of a built-in function in the order of its parameters.
pub(super) fn positional(
    called_as: &str,
    args: &[unresolved::Expr],
    span: Span,
) -> Result<Vec<unresolved::Expr>> {
    if !call::any_named(args) {
        return Ok(args.to_vec());
    }
    let Some(parameters) = vonk_functions::parameters(called_as) else {
        return Err(Error::new("NAMED_PARAMETERS_NOT_SUPPORTED")
            .with("functionName", quoted_name(&[called_as.to_string()]))
            .at(span));
    };
    let params: Vec<call::Param> = parameters
        .iter()
        .map(|p| {
            let default = p.default.literal().map(|l| unresolved::Expr::new(ExprKind::Literal(l), span));
            call::Param { name: p.name.to_string(), default }
        })
        .collect();
    call::arranged(called_as, &params, args, span)
}

/// Scalar functions take nothing but arguments.
fn only_plain(call: &FunctionCall, name: &str, result: Typed, span: Span) -> Result<Typed> {
    refuse_syntax(call, name, &[Syntax::Distinct, Syntax::Within, Syntax::Filter, Syntax::Nulls], span)?;
    if call.over.is_some() {
        return Err(Error::new("UNSUPPORTED_EXPR_FOR_WINDOW").with("sqlExpr", result.quoted()).at(span));
    }
    Ok(result)
}

fn outer_columns(e: &Expr) -> Vec<vonk_plan::Column> {
    let mut out = Vec::new();
    e.visit(&mut |e| {
        if let Expr::OuterColumn(c) = e {
            out.push(c.clone());
        }
    });
    out
}

/// The name a function was called by, in lower case and without qualifier.
pub(crate) fn called_as(name: &Name) -> String {
    name.last().to_lowercase()
}

/// Spark's text of where routines and tables are looked for.
pub(crate) fn search_path(catalog: &str, database: &str) -> String {
    let own = quoted_name(&[catalog.to_string(), database.to_string()]);
    format!("[`system`.`builtin`, `system`.`session`, {own}]")
}

#[derive(Clone, Copy)]
enum Syntax {
    Distinct,
    Within,
    Filter,
    Nulls,
}

/// Spark's error for syntax that a function does not take.
fn refuse_syntax(call: &FunctionCall, name: &str, refused: &[Syntax], span: Span) -> Result<()> {
    for s in refused {
        let (present, syntax) = match s {
            Syntax::Distinct => (call.distinct, "DISTINCT"),
            Syntax::Within => (!call.within_group.is_empty(), "WITHIN GROUP (ORDER BY ...)"),
            Syntax::Filter => (call.filter.is_some(), "FILTER CLAUSE"),
            Syntax::Nulls => (call.ignore_nulls == Some(true), "IGNORE NULLS"),
        };
        if present {
            return Err(Error::new("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX")
                .with("prettyName", format!("`{name}`"))
                .with("syntax", syntax)
                .at(span));
        }
    }
    Ok(())
}

impl Clause {
    /// The clause's name in messages about window functions, where it cannot have them.
    pub(super) fn without_windows(self) -> Option<&'static str> {
        match self {
            Clause::Where => Some("WHERE"),
            Clause::Having => Some("HAVING"),
            _ => None,
        }
    }
}

/// Where a call in the expression was written whose value is not a matter of its arguments.
fn volatile_call(e: &Expr) -> Option<Span> {
    let mut place = None;
    e.visit(&mut |e| {
        if let Expr::Call { deterministic: false, span, .. } = e {
            place = place.or(Some(*span));
        }
    });
    place
}
