//! CACHE, UNCACHE, REFRESH, ANALYZE: accepted for names that exist. Sources keep what they know of files by the files' own
//! identity, so there is nothing to refresh; tables are not kept in memory yet.

use super::{done, not_found};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use std::sync::Arc;
use vonk_catalog::TemporaryView;
use vonk_error::Result;
use vonk_plan::Catalog;
use vonk_plan::unresolved::{Name, Plan};

/// Nothing to do for a relation that exists.
pub(super) fn known(cx: &Pipeline<'_>, name: &Name, if_exists: bool) -> Result<Answer> {
    if !if_exists && cx.session.catalog().find(&name.parts)?.is_none() {
        return Err(not_found(cx, name));
    }
    done(cx)
}

/// `CACHE TABLE name [AS query]`: the query becomes a temporary view.
pub(super) fn cache(cx: &Pipeline<'_>, name: &Name, query: Option<&Plan>) -> Result<Answer> {
    let Some(query) = query else { return known(cx, name, false) };
    cx.analyze(query)?;
    let catalog = cx.session.catalog();
    let view = TemporaryView::Query {
        plan: Arc::new(query.clone()),
        text: cx.text.clone(),
        query_text: cx.text.clone(),
        column_names: None,
        comments: vec![],
        database: catalog.current().1,
    };
    catalog.put_view(name.last(), view, false, false).map_err(|e| e.at(name.span))?;
    done(cx)
}
