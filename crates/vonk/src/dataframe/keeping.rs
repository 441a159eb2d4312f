//! What outlives a query: rows that are kept, and views.

use super::DataFrame;
use crate::kept::KeptSource;
use crate::pipeline::Pipeline;
use crate::session::Control;
use std::sync::Arc;
use vonk_catalog::TemporaryView;
use vonk_error::{Error, Result};
use vonk_plan::LogicalPlan;

impl DataFrame {
    /// The same rows, computed once and then kept, in memory or on disk, as long as this or a DataFrame made of it lives (Spark: `cache`,
    /// `persist`). They are computed by the first query that asks for them; what is lost with an executor is computed again.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[2]").build()?;
    /// let squares = session.sql("SELECT id, id * id AS square FROM range(1000)")?.cache()?;
    /// assert_eq!(squares.count()?, 1000); // Computed here,
    /// assert_eq!(squares.filter("square > 100")?.count()?, 989); // and just read here.
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn cache(&self) -> Result<DataFrame> {
        if self.kept_source().is_some_and(|k| k.is_kept()) {
            return Ok(self.clone());
        }
        let control = Control::default();
        let cx = Pipeline::new(&self.session, "", &control)?;
        let plan = self.resolved.whole_plan();
        let source = Arc::new(KeptSource::new(&cx, "rows", plan, &self.resolved.analyzed().texts)?);
        let scan = Arc::new(source.scan_as(plan.output()));
        let resolved = cx.with_analyzer(|a| a.over(&self.resolved, scan));
        Ok(DataFrame::new(self.session.clone(), resolved))
    }

    /// The same as [`cache`](Self::cache): in memory, and on disk where memory is short.
    pub fn persist(&self) -> Result<DataFrame> {
        self.cache()
    }

    /// As [`cache`](Self::cache), computed here and now unless it is lazy (Spark: `localCheckpoint`). What is made of it does not look at what
    /// it was made of.
    pub fn local_checkpoint(&self, eager: bool) -> Result<DataFrame> {
        let kept = self.cache()?;
        if eager {
            kept.count()?;
        }
        Ok(kept)
    }

    /// Keeps the rows of a DataFrame that [`cache`](Self::cache) gave no longer; they are computed by each query that asks for them, again.
    /// Without effect on others.
    pub fn unpersist(&self) {
        if let Some(kept) = self.kept_source() {
            kept.release();
        }
    }

    /// Whether its rows are kept.
    pub fn is_cached(&self) -> bool {
        self.kept_source().is_some_and(|k| k.is_kept())
    }

    fn kept_source(&self) -> Option<&KeptSource> {
        match self.resolved.whole_plan().as_ref() {
            LogicalPlan::Scan(s) => s.source.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// Makes it a view of the session, replacing one of the name.
    pub fn create_or_replace_temp_view(&self, name: &str) -> Result<()> {
        self.make_view(name, false, true)
    }

    /// Makes it a view of the session; an error if there is one of the name.
    pub fn create_temp_view(&self, name: &str) -> Result<()> {
        self.make_view(name, false, false)
    }

    /// Makes it a view of all sessions of this process, in the database `global_temp`, replacing one of the name.
    pub fn create_or_replace_global_temp_view(&self, name: &str) -> Result<()> {
        self.make_view(name, true, true)
    }

    /// Makes it a view of all sessions of this process; an error if there is one of the name.
    pub fn create_global_temp_view(&self, name: &str) -> Result<()> {
        self.make_view(name, true, false)
    }

    fn make_view(&self, name: &str, global: bool, replace: bool) -> Result<()> {
        let parsed = vonk_sql::parse_name(name, &Default::default())
            .map_err(|_| Error::new("_LEGACY_ERROR_TEMP_1321").with("viewName", name))?;
        let [name] = parsed.parts.as_slice() else {
            return Err(Error::new("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS")
                .with("actualName", crate::commands::quoted(&parsed.parts)));
        };
        let (_, database) = vonk_plan::Catalog::current(self.session.catalog());
        let view = TemporaryView::Query {
            plan: Arc::new(self.input()),
            text: Arc::from(""),
            query_text: Arc::from(""),
            column_names: None,
            comments: vec![None; self.resolved.columns().len()],
            database,
        };
        self.session.catalog().put_view(name, view, global, replace)
    }
}
