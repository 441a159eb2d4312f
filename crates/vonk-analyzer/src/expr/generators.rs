//! Generators: as an item of a select list, in FROM, in LATERAL VIEW.

use super::functions::{called_as, positional};
use super::{Clause, Inside, Walk};
use crate::call::{self, GeneratorCall};
use crate::select;
use crate::typed::{Typed, quoted};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Function, GeneratorFunction};
use vonk_plan::logical::{Column, Expr};
use vonk_plan::unresolved::{self, ExprKind, FunctionCall, Name};

/// A resolved generator: what a Generate node needs.
pub(crate) struct Generator {
    /// Canonical name.
    pub function: Arc<str>,
    /// Arguments, cast.
    pub args: Vec<Expr>,
    /// Keeps rows that make nothing.
    pub outer: bool,
    /// What it makes, with default names.
    pub columns: Vec<Column>,
}

impl Walk<'_> {
    /// If an item of the select list is a call of a generator: the call, and the names given by AS.
    pub fn as_generator<'e>(
        &self,
        e: &'e unresolved::Expr,
    ) -> Option<(Arc<GeneratorFunction>, &'e FunctionCall, &'e [String])> {
        let (call, names) = match &e.kind {
            ExprKind::Function(call) => (call, [].as_slice()),
            ExprKind::Alias { expr, names } => match &expr.kind {
                ExprKind::Function(call) => (call, names.as_slice()),
                _ => return None,
            },
            _ => return None,
        };
        match self.find_function(&call.name, Span::NONE) {
            Ok(Function::Generator(f)) => Some((f, call.as_ref(), names)),
            _ => None,
        }
    }

    /// A generator as an item of the select list; its columns, named.
    pub fn generator_item(
        &mut self,
        f: &GeneratorFunction,
        call: &FunctionCall,
        names: &[String],
        span: Span,
    ) -> Result<Vec<Column>> {
        let was = std::mem::replace(&mut self.inside, Inside::Generator);
        let made = self.generator_call(f, &call.name, &call.args, span);
        self.inside = was;
        let made = made?;
        if self.nested.take().is_some() {
            return Err(nested(&made.sql));
        }
        if let Some(alias) = self.lateral.take() {
            return Err(Error::new("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GENERATOR")
                .with("lca", alias)
                .with("generatorExpr", quoted(&made.sql))
                .at(span));
        }
        let generator = self.generator(f, made, f.outer, names, span)?;
        let columns = generator.columns.clone();
        let Some(calls) = self.calls else {
            return vonk_error::internal_err!("a generator outside of a select list");
        };
        calls.generators.borrow_mut().push(select::GeneratorCall {
            function: generator.function,
            args: generator.args,
            outer: generator.outer,
            columns: generator.columns,
        });
        Ok(columns)
    }

    fn generator_call(
        &mut self,
        f: &GeneratorFunction,
        name: &Name,
        args: &[unresolved::Expr],
        span: Span,
    ) -> Result<GeneratorCall> {
        let args = positional(&called_as(name), args, span)?;
        let args = self.arguments(&args)?.into_iter().map(|(t, _)| t).collect();
        call::generator(self.s(), f, &called_as(name), args, span)
    }

    fn generator(
        &self,
        f: &GeneratorFunction,
        made: GeneratorCall,
        outer: bool,
        names: &[String],
        span: Span,
    ) -> Result<Generator> {
        let fields = &made.columns.fields;
        if !names.is_empty() && names.len() != fields.len() {
            return Err(alias_mismatch(fields.len(), names, span));
        }
        let columns = fields.iter().enumerate().map(|(i, field)| {
            let name = names.get(i).map_or_else(|| field.name.clone(), |n| n.as_str().into());
            self.b.ids.column(name, field.data_type.clone(), field.nullable || outer)
        });
        let columns = columns.collect();
        Ok(Generator { function: f.name.into(), args: made.args, outer, columns })
    }

    /// A generator in FROM or LATERAL VIEW.
    pub fn table_generator(
        &mut self,
        f: &GeneratorFunction,
        name: &Name,
        args: &[unresolved::Expr],
        outer: bool,
        names: &[String],
        span: Span,
    ) -> Result<Generator> {
        let made = self.generator_call(f, name, args, span)?;
        if self.nested.take().is_some() {
            return Err(nested(&made.sql));
        }
        self.generator(f, made, outer || f.outer, names, span)
    }

    /// A generator within an expression: an error, which the whole expression's text completes.
    pub(super) fn nested_generator(
        &mut self,
        f: &GeneratorFunction,
        called_as: &str,
        call: &FunctionCall,
        span: Span,
    ) -> Result<Typed> {
        let args: Vec<Typed> = self.arguments(&call.args)?.into_iter().map(|(t, _)| t).collect();
        let texts: Vec<&str> = args.iter().map(|t| t.sql.as_str()).collect();
        let text = format!("{called_as}({})", texts.join(", "));
        let already = self.nested.is_some();
        let made = match call::generator(self.s(), f, called_as, args, span) {
            Ok(m) => m,
            Err(_) if already => return Err(nested(&text)),
            Err(e) => return Err(e),
        };
        match self.clause {
            Clause::Select => {}
            Clause::GroupBy => {
                return Err(Error::new("UNSUPPORTED_EXPR_FOR_OPERATOR")
                    .with("operator", "Aggregate")
                    .with("invalidExprSqls", quoted(&made.sql))
                    .at(span));
            }
            Clause::Values => {
                return Err(Error::new("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE")
                    .with("expr", quoted(&made.sql))
                    .at(span));
            }
            Clause::Generate => {}
            other => {
                return Err(Error::new("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT")
                    .with("plan", format!("'{} {}", other.operator(), made.sql)));
            }
        }
        self.nested = Some(made.sql.clone());
        let (data_type, nullable) = match made.columns.fields.first() {
            Some(c) => (c.data_type.clone(), c.nullable),
            None => (vonk_types::DataType::Null, true),
        };
        let column = self.b.ids.column("generated", data_type, nullable);
        Ok(Typed::new(Expr::Column(column), made.sql, span))
    }

    /// The error for a generator that was met within the expression of this text, if one was.
    pub fn refuse_nested(&mut self, sql: &str) -> Result<()> {
        match self.nested.take() {
            Some(_) => Err(nested(sql)),
            None => Ok(()),
        }
    }
}

fn nested(sql: &str) -> Error {
    Error::new("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS").with("expression", quoted(sql))
}

/// Spark's error for a wrong number of column aliases.
pub(crate) fn alias_mismatch(columns: usize, names: &[String], span: Span) -> Error {
    Error::new("UDTF_ALIAS_NUMBER_MISMATCH")
        .with("aliasesSize", columns.to_string())
        .with("aliasesNames", names.join(","))
        .at(span)
}
