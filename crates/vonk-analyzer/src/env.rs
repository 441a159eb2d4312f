//! What surrounds a relation while it is resolved: common table expressions, enclosing queries, the view it stands in.

use crate::relation::Relation;
use crate::scope::Scope;
use crate::select::Calls;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use vonk_error::{SourceId, Span};
use vonk_plan::logical::Column;

/// The surroundings. Cheap to copy with a part changed.
#[derive(Clone, Default)]
pub(crate) struct Env<'e> {
    /// Common table expressions in sight, innermost first.
    pub ctes: Option<Rc<CteNode>>,
    /// The enclosing query, for correlated names.
    pub outer: Option<&'e Frame<'e>>,
    /// The view being expanded.
    pub view: Option<Rc<ViewFrame>>,
}

impl<'e> Env<'e> {
    /// The same within a query whose rows these scopes describe.
    pub fn within<'f>(&self, frame: &'f Frame<'f>) -> Env<'f> {
        Env { ctes: self.ctes.clone(), outer: Some(frame), view: self.view.clone() }
    }

    /// A span as it is to stand in the resolved plan: pointing into the text of the view, unless it names its text itself.
    pub fn span(&self, span: Span) -> Span {
        match &self.view {
            Some(v) if !span.is_none() && span.source == SourceId::default() => {
                Span { source: v.source, ..span }
            }
            _ => span,
        }
    }

    /// The common table expression of a name.
    pub fn cte(&self, same: impl Fn(&str) -> bool) -> Option<Rc<CteNode>> {
        let mut node = self.ctes.clone();
        while let Some(n) = node {
            if same(&n.name) {
                return Some(n);
            }
            node = n.next.clone();
        }
        None
    }
}

/// A common table expression.
pub(crate) struct CteNode {
    /// Name.
    pub name: String,
    /// What references stand for.
    pub target: CteTarget,
    /// The one defined before.
    pub next: Option<Rc<CteNode>>,
}

/// What a name of a common table expression stands for.
pub(crate) enum CteTarget {
    /// Its relation; references rename its columns.
    Relation(Relation),
    /// Within the step of the recursive one itself: the round before; whether it was referred to.
    WorkingTable(Relation, Cell<bool>),
    /// Within a recursive one itself, where it must not refer to itself.
    Refused,
}

/// The query around a subquery or a lateral relation.
pub(crate) struct Frame<'e> {
    /// What its names are looked up in, in order.
    pub scopes: &'e [&'e Scope],
    /// The query around that.
    pub parent: Option<&'e Frame<'e>>,
    /// Its columns (and those of queries around it) that were referred to from within.
    pub used: RefCell<Vec<Column>>,
    /// Where aggregates over its columns are collected, if they may be called from within (HAVING).
    pub calls: Option<&'e Calls>,
}

impl<'e> Frame<'e> {
    /// A frame that nothing refers to yet.
    pub fn new(scopes: &'e [&'e Scope], parent: Option<&'e Frame<'e>>) -> Frame<'e> {
        Frame { scopes, parent, used: RefCell::default(), calls: None }
    }

    /// Notes a reference to a column.
    pub fn note(&self, column: &Column) {
        let mut used = self.used.borrow_mut();
        if !used.contains(column) {
            used.push(column.clone());
        }
    }
}

/// A view under expansion.
pub(crate) struct ViewFrame {
    /// How spans name its text.
    pub source: SourceId,
    /// Full name.
    pub name: vonk_plan::TableName,
    /// Where its one-part names are looked up.
    pub database: Option<String>,
    /// The view around it.
    pub parent: Option<Rc<ViewFrame>>,
}

impl ViewFrame {
    /// How deep views are nested.
    pub fn depth(&self) -> usize {
        1 + self.parent.as_ref().map_or(0, |p| p.depth())
    }
}

/// A text that spans may point into: a view's, or a statement's that became part of another.
#[derive(Debug, Clone)]
pub(crate) struct ViewText {
    /// How spans name it.
    pub source: SourceId,
    /// The view's name; empty for a statement.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}
