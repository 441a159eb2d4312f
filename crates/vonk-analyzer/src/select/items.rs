//! The select list.

use super::Context;
use super::calls::Aliases;
use crate::expr::{Clause, Item, Walk};
use crate::scope::{Field, Scope};
use crate::typed::Typed;
use std::collections::HashSet;
use vonk_error::{Error, Result};
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::{self, ExprKind};

/// A column of the select list.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// What it computes.
    pub typed: Typed,
    /// What it becomes.
    pub field: Field,
    /// As it was written; `None` for what a star stood for.
    pub position: Option<usize>,
    /// An alias that expressions to the right may use.
    pub alias: bool,
    /// Made by a generator.
    pub generated: bool,
    /// Contains an aggregate.
    pub aggregated: bool,
    /// Contains a window call.
    pub windowed: bool,
}

impl<'c> Context<'c> {
    /// Resolves the select list.
    pub(super) fn outputs(&self, scopes: &[&Scope]) -> Result<Vec<Output>> {
        let mut aliases = Aliases::default();
        let mut taken = HashSet::new();
        let mut outputs: Vec<Output> = Vec::new();
        let items = self.walk(scopes, Clause::Select).expand(&self.sel.projection)?;
        let mut written =
            self.sel.projection.iter().enumerate().filter(|(_, e)| !matches!(e.kind, ExprKind::Star(_)));
        for item in items {
            match item {
                Item::Field(f, span) => {
                    let typed = Typed::column(&f.column, span);
                    outputs.push(self.output(typed, f.column.name.to_string(), Some(f), &mut taken));
                }
                Item::Part(typed, name) => outputs.push(self.output(typed, name, None, &mut taken)),
                Item::Written(e) => {
                    let position = written.next().map(|(i, _)| i);
                    let first = outputs.len();
                    let mut walk = self.walk(scopes, Clause::Select);
                    walk.aliases = Some(&aliases);
                    self.item(e, &mut walk, &mut outputs, &mut taken)?;
                    for o in &mut outputs[first..] {
                        o.position = position;
                        if o.alias {
                            aliases.add(&o.field.column.name, &o.field.column, o.generated);
                        }
                    }
                }
            }
        }
        self.mark(&mut outputs);
        Ok(outputs)
    }

    fn item(
        &self,
        e: &unresolved::Expr,
        walk: &mut Walk<'_>,
        outputs: &mut Vec<Output>,
        taken: &mut HashSet<vonk_plan::ColumnId>,
    ) -> Result<()> {
        let span = self.env.span(e.span);
        if let Some((f, call, names)) = walk.as_generator(e) {
            for column in walk.generator_item(&f, call, names, span)? {
                taken.insert(column.id);
                outputs.push(Output {
                    typed: Typed::column(&column, span),
                    field: Field::plain(column),
                    position: None,
                    alias: true,
                    generated: true,
                    aggregated: false,
                    windowed: false,
                });
            }
            return Ok(());
        }
        let (inner, alias) = match &e.kind {
            ExprKind::Alias { expr, names } => match names.as_slice() {
                [name] => (expr.as_ref(), Some(name.clone())),
                many => {
                    let t = walk.expr(expr)?;
                    return Err(Error::new("MULTI_ALIAS_WITHOUT_GENERATOR")
                        .with("expr", t.quoted())
                        .with("names", many.join(", "))
                        .at(span));
                }
            },
            _ => (e, None),
        };
        let typed = walk.expr(inner)?;
        walk.refuse_nested(&typed.sql)?;
        let field = match (&typed.expr, &inner.kind) {
            (Expr::Column(c), ExprKind::Name(_) | ExprKind::Column(_)) => {
                walk.scopes.iter().find_map(|s| s.field(c.id)).cloned()
            }
            _ => None,
        };
        let is_alias = alias.is_some();
        let name = alias.unwrap_or_else(|| generated_name(inner, &typed));
        // An alias is a new column to Spark, even of a plain one.
        let field = if is_alias {
            field.filter(|f| *f.column.name == *name).map(|f| Field::plain(f.column))
        } else {
            field
        };
        let mut output = self.output(typed, name, field, taken);
        output.alias = is_alias;
        outputs.push(output);
        Ok(())
    }

    /// An output column. A plain column passes through with its identity, unless its name differs or it is there already.
    fn output(
        &self,
        typed: Typed,
        name: String,
        field: Option<Field>,
        taken: &mut HashSet<vonk_plan::ColumnId>,
    ) -> Output {
        let fresh = |t: &Typed| self.b.ids.column(name.as_str(), t.data_type(), t.nullable());
        let field = match field {
            Some(f) if *f.column.name == *name && taken.insert(f.column.id) => f,
            Some(f) => Field { column: fresh(&typed), qualifier: f.qualifier, identity: f.identity },
            None => Field::plain(fresh(&typed)),
        };
        Output {
            typed,
            field,
            position: None,
            alias: false,
            generated: false,
            aggregated: false,
            windowed: false,
        }
    }

    /// Notes which outputs contain aggregates and window calls, directly or through aliases.
    fn mark(&self, outputs: &mut [Output]) {
        let aggregates: HashSet<_> = self.calls.aggregates.borrow().list.iter().map(|(_, c)| c.id).collect();
        let mut aggregates = aggregates;
        let mut windows: HashSet<_> = HashSet::new();
        let calls = self.calls.windows.borrow();
        let mut windowed_aggregates: HashSet<_> = HashSet::new();
        for w in calls.iter() {
            windows.insert(w.column.id);
            if w.exprs().any(|e| e.any(&|e| matches!(e, Expr::Column(c) if aggregates.contains(&c.id)))) {
                windowed_aggregates.insert(w.column.id);
            }
        }
        aggregates.extend(windowed_aggregates);
        for g in self.calls.generators.borrow().iter() {
            if g.args.iter().any(|e| e.any(&|e| matches!(e, Expr::Column(c) if aggregates.contains(&c.id)))) {
                aggregates.extend(g.columns.iter().map(|c| c.id));
            }
        }
        for o in outputs {
            o.typed.expr.visit(&mut |e| {
                if let Expr::Column(c) = e {
                    o.aggregated |= aggregates.contains(&c.id);
                    o.windowed |= windows.contains(&c.id);
                }
            });
            if o.aggregated {
                aggregates.insert(o.field.column.id);
            }
            if o.windowed {
                windows.insert(o.field.column.id);
            }
        }
    }
}

/// The name Spark gives an item without alias.
pub(crate) fn generated_name(e: &unresolved::Expr, typed: &Typed) -> String {
    match &e.kind {
        // A function called without parentheses (`current_date`) has its text as name, any other name its last part.
        ExprKind::Name(n) if n.parts.len() > 1 || !typed.sql.ends_with("()") => n.last().to_string(),
        ExprKind::Cast { expr, .. } => match &expr.kind {
            ExprKind::Name(n) if n.parts.len() > 1 || !typed.sql.contains("() AS ") => n.last().to_string(),
            _ => typed.sql.clone(),
        },
        _ => typed.sql.clone(),
    }
}
