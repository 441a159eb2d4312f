//! Stars: in select lists and in argument lists.

use super::Walk;
use crate::build;
use crate::scope::{Field, quoted_name};
use crate::typed::Typed;
use std::collections::HashSet;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, Expr};
use vonk_plan::unresolved::{self, ExprKind, LikeKind, Name, Star};
use vonk_types::data_type::{quote_identifier, quote_if_needed};
use vonk_types::{DataType, Literal, StructField, StructType};

/// An element of a select list after stars are expanded.
pub(crate) enum Item<'e> {
    /// As written.
    Written(&'e unresolved::Expr),
    /// A column that a star stands for.
    Field(Field, Span),
    /// A field of a struct (or a struct with fewer fields) that a star stands for, with its name.
    Part(Typed, String),
}

impl Walk<'_> {
    /// The select list with its stars expanded.
    pub fn expand<'e>(&mut self, list: &'e [unresolved::Expr]) -> Result<Vec<Item<'e>>> {
        let mut out = Vec::with_capacity(list.len());
        for e in list {
            match &e.kind {
                ExprKind::Star(star) => out.extend(self.star(star, self.at(e.span))?),
                _ => out.push(Item::Written(e)),
            }
        }
        Ok(out)
    }

    /// Arguments of a call, with their aliases or names; stars among them stand for all their columns.
    pub fn arguments(&mut self, list: &[unresolved::Expr]) -> Result<Vec<(Typed, Option<String>)>> {
        let mut out = Vec::with_capacity(list.len());
        for e in list {
            match &e.kind {
                ExprKind::Star(star) => {
                    for item in self.star(star, self.at(e.span))? {
                        out.push(self.item_argument(item)?);
                    }
                }
                ExprKind::Alias { expr, names } => {
                    let t = self.expr(expr)?;
                    let name = names.first().cloned();
                    let sql = match &name {
                        Some(n) => format!("{} AS {}", t.sql, quote_if_needed(n)),
                        None => t.sql.clone(),
                    };
                    out.push((t.named(sql), name));
                }
                ExprKind::Name(n) => {
                    let t = self.expr(e)?;
                    let is_named = matches!(
                        t.expr,
                        Expr::Column(_) | Expr::OuterColumn(_) | Expr::Field { .. } | Expr::LambdaParam(_)
                    );
                    out.push((t, is_named.then(|| n.last().to_string())));
                }
                ExprKind::Column(c) => out.push((self.expr(e)?, Some(c.name.clone()))),
                _ => out.push((self.expr(e)?, None)),
            }
        }
        Ok(out)
    }

    fn item_argument(&mut self, item: Item<'_>) -> Result<(Typed, Option<String>)> {
        Ok(match item {
            Item::Written(e) => (self.expr(e)?, None),
            Item::Field(f, span) => {
                let name = f.column.name.to_string();
                let sql = self.column_text(&f, &f.column.name);
                (Typed::new(Expr::Column(f.column), sql, span), Some(name))
            }
            Item::Part(t, name) => (t, Some(name)),
        })
    }

    /// The columns of a relation whose names match a pattern.
    fn matching(&self, pattern: &str, qualifier: Option<&Name>, span: Span) -> Result<Vec<Item<'static>>> {
        let s = self.s();
        let Some(scope) = self.scopes.first() else {
            return Err(super::star_misuse(self.clause.operator(), span));
        };
        let fields: Vec<Field> = match qualifier {
            None => scope.fields.clone(),
            Some(q) => scope.star(s, &q.parts).into_iter().cloned().collect(),
        };
        let case = if s.case_sensitive { "" } else { "(?i)" };
        let pattern = format!("{case}^(?:{pattern})$");
        let mut out = Vec::new();
        for f in fields {
            let text = |t: &str| Typed::new(Expr::Literal(Literal::string(t)), t, span);
            let matches = build::like(s, LikeKind::RLike, text(&f.column.name), text(&pattern), None, span)?;
            if crate::fold::fold(s, &matches.expr)? == Literal::boolean(true) {
                out.push(Item::Field(f, span));
            }
        }
        Ok(out)
    }

    fn star(&mut self, star: &Star, span: Span) -> Result<Vec<Item<'static>>> {
        if let Some(pattern) = &star.regex {
            return self.matching(pattern, star.qualifier.as_ref(), span);
        }
        let scope = self.scopes.first().copied();
        let Some(scope) = scope else {
            return Err(super::star_misuse(self.clause.operator(), span));
        };
        let s = self.s();
        let Some(q) = &star.qualifier else {
            // The column of windows of time is no column of the input.
            let windows = self.calls.and_then(|c| c.time_window.borrow().as_ref().map(|(_, c)| c.id));
            let shown = |f: &&Field| Some(f.column.id) != windows;
            let fields: Vec<Field> = scope.fields.iter().filter(shown).cloned().collect();
            return self.without(fields, &star.except, span);
        };
        let fields: Vec<Field> = scope.star(s, &q.parts).into_iter().cloned().collect();
        if !fields.is_empty() {
            return self.without(fields, &star.except, span);
        }
        // A struct column, or one of an enclosing query.
        let found = scope.resolve(s, &q.parts, span)?.is_some();
        if !found {
            let mut all: Vec<String> =
                scope.fields.iter().map(|f| quote_identifier(&f.column.name)).collect();
            all.sort();
            return Err(Error::new("CANNOT_RESOLVE_STAR_EXPAND")
                .with("targetString", quoted_name(&q.parts))
                .with("columns", all.join(", "))
                .at(span));
        }
        let base = self.name(q, span)?;
        let DataType::Struct(fields) = base.data_type() else {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1050")
                .with("attributes", format!("List({})", q.last()))
                .at(span));
        };
        self.struct_star(base, &fields, &star.except, span)
    }

    fn struct_star(
        &mut self,
        base: Typed,
        fields: &StructType,
        except: &[Name],
        span: Span,
    ) -> Result<Vec<Item<'static>>> {
        let s = self.s();
        let mut out = Vec::new();
        for f in fields.fields.iter() {
            let inner: Vec<&Name> =
                except.iter().filter(|n| n.parts.first().is_some_and(|p| s.same_name(p, &f.name))).collect();
            if inner.iter().any(|n| n.parts.len() == 1) {
                continue;
            }
            let part = build::field(s, base.clone(), &f.name, span)?;
            let below: Vec<&[String]> = inner.iter().map(|n| &n.parts[1..]).collect();
            let part = if below.is_empty() { part } else { self.narrowed(part, &below, span)? };
            out.push(Item::Part(part, f.name.to_string()));
        }
        Ok(out)
    }

    /// The fields without those that EXCEPT names.
    fn without(&mut self, fields: Vec<Field>, except: &[Name], span: Span) -> Result<Vec<Item<'static>>> {
        if except.is_empty() {
            return Ok(fields.into_iter().map(|f| Item::Field(f, span)).collect());
        }
        let s = self.s();
        let scope = crate::scope::Scope::new(fields);
        let mut whole = HashSet::new();
        let mut partial: Vec<(Column, Vec<String>)> = Vec::new();
        for name in except {
            let Some(found) = scope.resolve(s, &name.parts, span)? else {
                return Err(except_unresolved(&scope.fields, name, span));
            };
            let column = found.field.column.clone();
            let rest = name.parts[found.used..].to_vec();
            let clash = whole.contains(&column.id)
                || partial.iter().any(|(c, p)| *c == column && (p.starts_with(&rest) || rest.starts_with(p)));
            if clash {
                let all: Vec<String> = except.iter().map(ToString::to_string).collect();
                return Err(Error::new("EXCEPT_OVERLAPPING_COLUMNS")
                    .with("columns", all.join(", "))
                    .at(span));
            }
            if rest.is_empty() {
                whole.insert(column.id);
            } else {
                partial.push((column, rest));
            }
        }
        let mut out = Vec::new();
        for f in scope.fields {
            if whole.contains(&f.column.id) {
                continue;
            }
            let below: Vec<&[String]> =
                partial.iter().filter(|(c, _)| *c == f.column).map(|(_, p)| p.as_slice()).collect();
            if below.is_empty() {
                out.push(Item::Field(f, span));
            } else {
                let name = f.column.name.to_string();
                let base = Typed::column(&f.column, span);
                out.push(Item::Part(self.narrowed(base, &below, span)?, name));
            }
        }
        Ok(out)
    }

    /// A struct without the fields that the paths name.
    fn narrowed(&mut self, base: Typed, without: &[&[String]], span: Span) -> Result<Typed> {
        let s = self.s();
        let DataType::Struct(fields) = base.data_type() else {
            return Err(Error::new("EXCEPT_NESTED_COLUMN_INVALID_TYPE")
                .with("columnName", quote_identifier(&base.sql))
                .with("dataType", crate::typed::quoted_type(&base.data_type()))
                .at(span));
        };
        let mut kept = Vec::new();
        let mut args = Vec::new();
        for f in fields.fields.iter() {
            let inner: Vec<&[String]> = without
                .iter()
                .copied()
                .filter(|p| p.first().is_some_and(|n| s.same_name(n, &f.name)))
                .collect();
            if inner.iter().any(|p| p.len() == 1) {
                continue;
            }
            let mut part = build::field(s, base.clone(), &f.name, span)?;
            if !inner.is_empty() {
                let below: Vec<&[String]> = inner.iter().map(|p| &p[1..]).collect();
                part = self.narrowed(part, &below, span)?;
            }
            kept.push(StructField::new(f.name.clone(), part.data_type(), part.nullable()));
            args.push(part.expr);
        }
        let data_type = DataType::Struct(StructType::new(kept));
        Ok(Typed::new(Expr::MakeStruct { args, data_type }, base.sql.clone(), span))
    }
}

fn except_unresolved(fields: &[Field], name: &Name, span: Span) -> Error {
    let all: Vec<String> = fields.iter().map(|f| quote_identifier(&f.column.name)).collect();
    Error::new("UNRESOLVED_COLUMN.WITH_SUGGESTION")
        .with("objectName", quoted_name(&name.parts))
        .with("proposal", all.join(", "))
        .at(span)
}
