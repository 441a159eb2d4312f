//! What a dotted name stands for: lambda parameter, column, function without parentheses, alias to the left, column of an
//! enclosing query, session variable; in this order, Spark's.

use super::{Clause, Inside, Walk};
use crate::build;
use crate::env::Frame;
use crate::scope::{Field, Found};
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::{ColumnRef, Name};
use vonk_types::data_type::quote_if_needed;

impl Walk<'_> {
    /// Resolves a name.
    pub(super) fn name(&mut self, n: &Name, span: Span) -> Result<Typed> {
        if let Some(t) = self.lambda_name(n, span)? {
            return Ok(t);
        }
        if let Some(t) = self.column_name(n, span)? {
            return Ok(t);
        }
        if let [only] = n.parts.as_slice()
            && let Some(t) = self.bare_function(only, span)?
        {
            return Ok(t);
        }
        if let Some(t) = self.alias_name(n, span)? {
            return Ok(t);
        }
        if let Some(t) = self.outer_name(n, span)? {
            return Ok(t);
        }
        if let Some(t) = self.variable(n, span)? {
            return Ok(t);
        }
        let scopes = &self.scopes[..self.scopes.len().min(1)];
        let at = Name { parts: n.parts.clone(), span };
        Err(crate::scope::unresolved(scopes, &at))
    }

    /// A column by its identity. Unlike a name it never means another one, and is not found where it is no longer.
    pub(super) fn column_ref(&mut self, c: &ColumnRef, span: Span) -> Result<Typed> {
        let id = ColumnId(c.id);
        let made = self.b.shadowed.borrow().get(&id).copied();
        if made.is_some_and(|made| c.seen_in.is_some_and(|seen| seen < made)) {
            return Err(crate::resolved::ambiguous_reference(c));
        }
        if let Some(field) = self.scopes.iter().find_map(|s| s.field(id)) {
            let sql = self.column_text(field, &field.column.name);
            return Ok(Typed::new(Expr::Column(field.column.clone()), sql, span));
        }
        let mut frame = self.env.outer;
        while let Some(f) = frame {
            if let Some(field) = f.scopes.iter().find_map(|s| s.field(id)) {
                f.note(&field.column);
                let text = format!("outer({})", field.sql());
                return Ok(Typed::new(Expr::OuterColumn(field.column.clone()), text, span));
            }
            frame = f.parent;
        }
        Err(self.missing(c))
    }

    fn missing(&self, c: &ColumnRef) -> Error {
        let fields = || self.scopes.iter().flat_map(|s| &s.fields);
        let input: Vec<String> = fields().map(|f| format!("\"{}\"", f.column.name)).collect();
        let same = fields().any(|f| self.s().same_name(&f.column.name, &c.name));
        let condition = if same {
            "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_APPEAR_IN_OPERATION"
        } else {
            "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT"
        };
        let missing = format!("\"{}\"", c.name);
        let error = Error::new(condition)
            .with("missingAttributes", missing.as_str())
            .with("input", input.join(", "))
            .with("operator", format!("!{}", self.clause.operator()));
        if same { error.with("operation", missing) } else { error }
    }

    /// A session variable, or fields of one.
    fn variable(&self, n: &Name, span: Span) -> Result<Option<Typed>> {
        for used in (1..=n.parts.len()).rev() {
            let Some(value) = self.b.analyzer.variables.get(&n.parts[..used]) else { continue };
            let shown = crate::naming::value(self.s(), &value);
            let text = format!("variablereference(system.session.{}={shown})", n.parts[used - 1]);
            let base = Typed::new(Expr::Literal(value), text, span);
            return self.fields_of(base, &n.parts[used..], span).map(Some);
        }
        Ok(None)
    }

    fn lambda_name(&mut self, n: &Name, span: Span) -> Result<Option<Typed>> {
        let s = self.s();
        let found = self.lambdas.iter().rev().find(|(name, _)| s.same_name(name, &n.parts[0]));
        let Some((_, column)) = found else { return Ok(None) };
        let base = Typed::new(Expr::LambdaParam(column.clone()), "namedlambdavariable()", span);
        self.fields_of(base, &n.parts[1..], span).map(Some)
    }

    fn column_name(&mut self, n: &Name, span: Span) -> Result<Option<Typed>> {
        let s = self.s();
        let count = self.scopes.len();
        let reverse = self.inside == Inside::Aggregate;
        for k in 0..count {
            let k = if reverse { count - 1 - k } else { k };
            let found = match self.scopes[k].resolve(s, &n.parts, span) {
                // ORDER BY takes an ambiguous name for an unknown one.
                Err(_) if self.clause == Clause::Sort => None,
                other => other?,
            };
            let Some(found) = found else { continue };
            if k > 0 && !reverse {
                self.named.insert(found.field.column.id, Name { parts: n.parts.clone(), span });
            }
            let Found { field, used } = found;
            let base = Expr::Column(field.column.clone());
            let sql = self.column_text(field, &n.parts[used - 1]);
            let base = Typed::new(base, sql, span);
            return self.fields_of(base, &n.parts[used..], span).map(Some);
        }
        Ok(None)
    }

    /// The text of a column: its name as it was written.
    pub(super) fn column_text(&self, field: &Field, written: &str) -> String {
        if self.qualified { field.sql() } else { written.to_string() }
    }

    fn fields_of(&self, mut base: Typed, fields: &[String], span: Span) -> Result<Typed> {
        for f in fields {
            base = build::field(self.s(), base, f, span)?;
        }
        Ok(base)
    }

    fn alias_name(&mut self, n: &Name, span: Span) -> Result<Option<Typed>> {
        let Some(aliases) = self.aliases else { return Ok(None) };
        let Some(alias) = aliases.find(self.s(), &n.parts[0]) else { return Ok(None) };
        if alias.matches > 1 {
            return Err(Error::new("AMBIGUOUS_LATERAL_COLUMN_ALIAS")
                .with("name", crate::scope::quoted_name(&n.parts))
                .with("n", alias.matches.to_string())
                .at(span));
        }
        let name = quote_if_needed(&n.parts[0]);
        if alias.generated {
            let base = Typed::new(Expr::Column(alias.column.clone()), n.parts[0].as_str(), span);
            return self.fields_of(base, &n.parts[1..], span).map(Some);
        }
        let text = format!("lateralAliasReference({name})");
        if self.inside != Inside::Nothing {
            // Refused by the call that it stands in, which knows its own text.
            self.lateral = Some(crate::scope::quoted_name(&n.parts[..1]));
        }
        let base = Typed::new(Expr::Column(alias.column.clone()), text, span);
        self.fields_of(base, &n.parts[1..], span).map(Some)
    }

    fn outer_name(&mut self, n: &Name, span: Span) -> Result<Option<Typed>> {
        let s = self.s();
        let mut passed: Vec<&Frame<'_>> = Vec::new();
        let mut frame = self.env.outer;
        while let Some(f) = frame {
            passed.push(f);
            for scope in f.scopes {
                let Some(found) = scope.resolve(s, &n.parts, span)? else { continue };
                let Found { field, used } = found;
                passed.iter().for_each(|p| p.note(&field.column));
                let base = Typed::new(
                    Expr::OuterColumn(field.column.clone()),
                    format!("outer({})", field.sql()),
                    span,
                );
                return self.fields_of(base, &n.parts[used..], span).map(Some);
            }
            frame = f.parent;
        }
        Ok(None)
    }

    /// `current_date`, `current_user` and their kin: functions that are called without parentheses.
    fn bare_function(&mut self, name: &str, span: Span) -> Result<Option<Typed>> {
        const BARE: [&str; 7] = [
            "current_date",
            "current_timestamp",
            "current_time",
            "current_user",
            "user",
            "session_user",
            "grouping__id",
        ];
        let lower = name.to_ascii_lowercase();
        if !BARE.contains(&lower.as_str()) {
            return Ok(None);
        }
        if lower == "grouping__id" {
            return self.grouping_id(&[], Some(name), span).map(Some);
        }
        if self.s().registry().get(&lower).is_none() {
            return Ok(None);
        }
        let call = vonk_plan::unresolved::FunctionCall::plain(Name::of(lower), Vec::new());
        self.function(&call, span).map(Some)
    }
}
