//! CACHE, UNCACHE, CLEAR CACHE, REFRESH, and what changes of tables mean to rows that are kept.

use super::{done, not_found};
use crate::answer::Answer;
use crate::kept::KeptSource;
use crate::pipeline::Pipeline;
use std::sync::Arc;
use vonk_catalog::{KeptName, TableId, TemporaryView};
use vonk_error::Result;
use vonk_plan::Catalog;
use vonk_plan::source::TableSource;
use vonk_plan::unresolved::{Expr, ExprKind, Name, Plan, Select, Star, TableRef};

/// Nothing to do for a relation that exists.
pub(super) fn known(cx: &Pipeline<'_>, name: &Name, if_exists: bool) -> Result<Answer> {
    if !if_exists && cx.session.catalog().find(&name.parts)?.is_none() {
        return Err(not_found(cx, name));
    }
    done(cx)
}

/// `CACHE [LAZY] TABLE name [AS query]`: the query becomes a temporary view. Unless it is lazy, the rows are there when this is done.
pub(super) fn cache(cx: &Pipeline<'_>, name: &Name, query: Option<&Plan>, lazy: bool) -> Result<Answer> {
    let catalog = cx.session.catalog();
    if let Some(query) = query {
        cx.analyze(query)?;
        let view = TemporaryView::Query {
            plan: Arc::new(query.clone()),
            text: cx.text.clone(),
            query_text: cx.text.clone(),
            column_names: None,
            comments: vec![],
            database: catalog.current().1,
        };
        catalog.put_view(name.last(), view, false, false).map_err(|e| e.at(name.span))?;
    }
    let kept = keep(cx, name, lazy);
    // What was not kept is no view either.
    if kept.is_err() && query.is_some() {
        catalog.drop_view(&name.parts);
    }
    kept?;
    done(cx)
}

/// Keeps the rows of a relation from here on.
fn keep(cx: &Pipeline<'_>, name: &Name, lazy: bool) -> Result<()> {
    let catalog = cx.session.catalog();
    let Some(kept) = catalog.kept_name(&name.parts)? else { return Err(not_found(cx, name)) };
    if catalog.kept(&kept).is_some() {
        return Ok(());
    }
    catalog.keep(kept.clone(), source(cx, name)?);
    let filled = if lazy { Ok(()) } else { fill(cx, name) };
    if filled.is_err() {
        catalog.forget_kept(&kept);
    }
    filled
}

/// The query of a relation as one whose rows are kept.
fn source(cx: &Pipeline<'_>, name: &Name) -> Result<Arc<dyn TableSource>> {
    let (plan, texts) = cx.analyze(&Plan::Table(TableRef::plain(name.clone())))?;
    Ok(Arc::new(KeptSource::new(cx, &name.to_string(), &plan, &texts)?))
}

/// Has all rows computed.
fn fill(cx: &Pipeline<'_>, name: &Name) -> Result<()> {
    let star = Expr::made(ExprKind::Star(Star::default()));
    let count = Expr::call("count", vec![star], name.span);
    let select = Select::plain(vec![count], Plan::Table(TableRef::plain(name.clone())), name.span);
    cx.answer(&Plan::Select(Box::new(select)))?.collect().map(drop)
}

/// `UNCACHE TABLE [IF EXISTS] name`. Of a relation that is not kept there is nothing to say.
pub(super) fn uncache(cx: &Pipeline<'_>, name: &Name, if_exists: bool) -> Result<Answer> {
    let catalog = cx.session.catalog();
    match catalog.kept_name(&name.parts)? {
        Some(kept) => {
            release(catalog.kept(&kept).as_ref());
            catalog.forget_kept(&kept);
            done(cx)
        }
        None => known(cx, name, if_exists),
    }
}

/// `CLEAR CACHE`.
pub(super) fn clear(cx: &Pipeline<'_>) -> Result<Answer> {
    for (name, source) in cx.session.catalog().all_kept() {
        release(Some(&source));
        cx.session.catalog().forget_kept(&name);
    }
    done(cx)
}

/// Plans that have it still compute its rows.
fn release(source: Option<&Arc<dyn TableSource>>) {
    if let Some(kept) = source.and_then(|s| s.as_any().downcast_ref::<KeptSource>()) {
        kept.release();
    }
}

/// A table or view is not what it was: what is kept of it, and of all that reads it, is computed anew when it is asked for next. What
/// cannot be any more, and another session's temporary views, are no longer kept.
pub(super) fn changed(cx: &Pipeline<'_>, name: &Name) {
    let catalog = cx.session.catalog();
    let id: TableId = catalog.table_id(&name.parts);
    let full = id.name().to_string();
    let concerned = |(kept, source): &(KeptName, Arc<dyn TableSource>)| {
        let reads = source.as_any().downcast_ref::<KeptSource>().is_some_and(|k| k.reads(&full));
        reads || *kept == KeptName::Table(id.clone())
    };
    let concerned: Vec<_> = catalog.all_kept().into_iter().filter(concerned).collect();
    // All of them go before one comes back, for one may be made of another.
    for (kept, old) in &concerned {
        catalog.forget_kept(kept);
        release(Some(old));
    }
    for (kept, _) in concerned {
        let again = catalog.name_here(&kept).map(|parts| Name { parts, span: name.span });
        if let Some(Ok(new)) = again.map(|n| source(cx, &n)) {
            catalog.keep(kept, new);
        }
    }
}
