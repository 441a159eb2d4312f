//! What programs ask of the catalog and have it do (Spark: `spark.catalog`), by names as SQL writes them.
//!
//! Must not know: how statements are carried out. Whatever changes something is the statement that does so.

use crate::session::Session;
use vonk_error::Result;
use vonk_plan::unresolved::Name;

/// A name as SQL writes it, and nothing else.
fn parsed(name: &str) -> Result<Name> {
    vonk_sql::parse_name(name, &Default::default()).map_err(|e| e.in_text(name))
}

impl Session {
    /// Whether there is a table or view of a name.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// session.range(0, 3)?.create_or_replace_temp_view("three")?;
    /// assert!(session.table_exists("three")? && session.table_exists("samples.tpch.nation")?);
    /// assert!(session.drop_temp_view("three") && !session.table_exists("three")?);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn table_exists(&self, name: &str) -> Result<bool> {
        Ok(self.catalog().find(&parsed(name)?.parts)?.is_some())
    }

    /// Whether there is a database of a name.
    pub fn database_exists(&self, name: &str) -> Result<bool> {
        match self.catalog().database_of(&parsed(name)?.parts) {
            Ok(_) => Ok(true),
            Err(e) if matches!(e.condition(), "SCHEMA_NOT_FOUND" | "CATALOG_NOT_FOUND") => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Whether there is a function of a name, built in or created.
    pub fn function_exists(&self, name: &str) -> Result<bool> {
        let name = parsed(name)?;
        let full = match name.parts.as_slice() {
            [one] => format!("{}.{}.{}", self.current_catalog(), self.current_database(), one),
            [database, one] => format!("{}.{database}.{one}", self.current_catalog()),
            parts => parts.join("."),
        };
        let is_it = |known: &String| {
            known.eq_ignore_ascii_case(&full)
                || (name.parts.len() == 1 && known.eq_ignore_ascii_case(name.last()))
        };
        Ok(self.function_names().iter().any(is_it))
    }

    /// The database that names without one are looked up in, from now on.
    pub fn set_current_database(&self, name: &str) -> Result<()> {
        self.catalog().use_database(&parsed(name)?.parts)
    }

    /// Has the rows of a table or view kept (`CACHE LAZY TABLE`), for all sessions that see it.
    pub fn cache_table(&self, name: &str) -> Result<()> {
        parsed(name)?;
        self.run(&format!("CACHE LAZY TABLE {name}")).map(drop)
    }

    /// Has them kept no longer.
    pub fn uncache_table(&self, name: &str) -> Result<()> {
        parsed(name)?;
        self.run(&format!("UNCACHE TABLE {name}")).map(drop)
    }

    /// Whether the rows of a table or view are kept by its name.
    pub fn is_cached(&self, name: &str) -> Result<bool> {
        let catalog = self.catalog();
        match catalog.kept_name(&parsed(name)?.parts)? {
            Some(kept) => Ok(catalog.kept(&kept).is_some()),
            // The table that is not there says so.
            None => self.table(name).map(|_| false),
        }
    }

    /// Has no table's rows kept any longer.
    pub fn clear_cache(&self) -> Result<()> {
        self.run("CLEAR CACHE").map(drop)
    }

    /// Has the files of a table listed anew, and what is kept of it computed anew.
    pub fn refresh_table(&self, name: &str) -> Result<()> {
        parsed(name)?;
        self.run(&format!("REFRESH TABLE {name}")).map(drop)
    }

    /// Drops a view of the session; whether there was one.
    pub fn drop_temp_view(&self, name: &str) -> bool {
        self.catalog().drop_view(&[name.to_string()])
    }

    /// Drops a view of all sessions; whether there was one.
    pub fn drop_global_temp_view(&self, name: &str) -> bool {
        self.catalog().drop_view(&[vonk_catalog::GLOBAL_TEMP.to_string(), name.to_string()])
    }
}
