//! Tables, views and files by name.

use crate::analyzer::Binder;
use crate::env::{CteTarget, Env, ViewFrame, ViewText};
use crate::expr::search_path;
use crate::relation::Relation;
use crate::scope::{Field, Scope, quoted_name};
use std::rc::Rc;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, LogicalPlan, Scan};
use vonk_plan::unresolved::{Plan, TableRef};
use vonk_plan::{Relation as CatalogRelation, TableName, TableSource};

/// Views nested deeper than this are taken for a circle.
const MAX_VIEW_DEPTH: usize = 100;

/// A name in FROM: common table expression, view, table, or a file by format and path.
pub(crate) fn table(b: &Binder<'_>, t: &TableRef, env: &Env<'_>) -> Result<Relation> {
    let span = env.span(t.name.span);
    let parts = &t.name.parts;
    if t.as_of.is_some() {
        return Err(Error::new("UNSUPPORTED_FEATURE.TIME_TRAVEL")
            .with("relationId", quoted_name(parts))
            .at(span));
    }
    if let [name] = parts.as_slice()
        && let Some(cte) = env.cte(|n| b.session.same_name(n, name))
    {
        let relation = match &cte.target {
            CteTarget::Relation(r) => r,
            CteTarget::WorkingTable(r, used) => {
                used.set(true);
                r
            }
            CteTarget::Refused => return Err(Error::new("INVALID_RECURSIVE_CTE")),
        };
        let r = relation.renewed(b.ids, None);
        return Ok(Relation { plan: r.plan, scope: r.scope.requalified([name.clone()]) });
    }
    match find(b, parts, env)? {
        Some(CatalogRelation::Table { name, source }) => Ok(scan(b, name.to_string(), source, &name.parts)),
        Some(CatalogRelation::View { name, plan, text, column_names, database }) => {
            view(b, name, &plan, text, column_names.as_deref(), database, span, env)
        }
        None => {
            if let [format, path] = parts.as_slice()
                && let Some(source) = b.analyzer.catalog.files(format, path)?
            {
                return Ok(scan(b, format!("{format}.`{path}`"), source, &[]));
            }
            Err(not_found(b, parts, span))
        }
    }
}

fn find(b: &Binder<'_>, parts: &[String], env: &Env<'_>) -> Result<Option<CatalogRelation>> {
    let catalog = b.analyzer.catalog;
    // Names within a persistent view are looked up where it was made.
    if let ([name], Some(database)) = (parts, env.view.as_ref().and_then(|v| v.database.clone()))
        && let Some(found) = catalog.relation(&[database, name.clone()])?
    {
        return Ok(Some(found));
    }
    catalog.relation(parts)
}

fn not_found(b: &Binder<'_>, parts: &[String], span: Span) -> Error {
    let (catalog, database) = b.analyzer.catalog.current();
    if parts.len() > 3 {
        return Error::new("REQUIRES_SINGLE_PART_NAMESPACE")
            .with("sessionCatalog", catalog)
            .with("identifier", quoted_name(parts));
    }
    Error::new("TABLE_OR_VIEW_NOT_FOUND")
        .with("relationName", quoted_name(parts))
        .with("searchPath", search_path(&catalog, &database))
        .at(span)
}

/// A scan of all columns of a source.
fn scan(b: &Binder<'_>, name: String, source: Arc<dyn TableSource>, qualifier: &[String]) -> Relation {
    let fields = &source.schema().fields;
    let columns: Vec<(Column, usize)> = fields
        .iter()
        .enumerate()
        .map(|(i, f)| (b.ids.column(f.name.clone(), f.data_type.clone(), f.nullable), i))
        .collect();
    let scope = Scope::qualified(columns.iter().map(|(c, _)| c.clone()), qualifier.to_vec());
    let plan = LogicalPlan::Scan(Scan { name, source, columns, filters: Vec::new(), limit: None });
    Relation::new(plan, scope)
}

/// A view: its query, resolved anew.
#[allow(clippy::too_many_arguments)]
fn view(
    b: &Binder<'_>,
    name: TableName,
    plan: &Plan,
    text: Arc<str>,
    column_names: Option<&[String]>,
    database: Option<String>,
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let source = b.ids.source();
    b.views.borrow_mut().push(ViewText { source, name: name.to_string(), text });
    let frame = ViewFrame { source, name: name.clone(), database, parent: env.view.clone() };
    if frame.depth() > MAX_VIEW_DEPTH || is_within(&name, env) {
        return Err(Error::new("VIEW_EXCEED_MAX_NESTED_DEPTH")
            .with("viewName", name.quoted())
            .with("maxNestedDepth", MAX_VIEW_DEPTH.to_string())
            .at(span));
    }
    let inner = Env { ctes: None, outer: None, view: Some(Rc::new(frame)) };
    let r = b.relation(plan, &inner)?.exact();
    let r = match column_names {
        Some(names) => r.renamed(b.ids, names),
        None => r,
    };
    // To the outside all columns are the view's own.
    let qualifier: Arc<[String]> = name.parts.into();
    let fields = r.scope.fields.into_iter().map(|f| Field::qualified(f.column, qualifier.clone())).collect();
    Ok(Relation { plan: r.plan, scope: Scope::new(fields) })
}

fn is_within(name: &TableName, env: &Env<'_>) -> bool {
    let mut frame = env.view.clone();
    while let Some(f) = frame {
        if f.name == *name {
            return true;
        }
        frame = f.parent.clone();
    }
    false
}

/// `spark.read.format(…).load(paths)`.
pub(crate) fn file(
    b: &Binder<'_>,
    format: &str,
    paths: &[String],
    options: &[(String, String)],
    span: Span,
) -> Result<Relation> {
    let _ = options;
    let mut relations = Vec::with_capacity(paths.len());
    for path in paths {
        let Some(source) = b.analyzer.catalog.files(format, path)? else {
            return Err(Error::new("DATA_SOURCE_NOT_FOUND").with("provider", format).at(span));
        };
        relations.push(scan(b, format!("{format}.`{path}`"), source, &[]));
    }
    super::set_ops::union_all(b, relations, span)
}
