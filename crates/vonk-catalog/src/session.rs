//! One session's view of the catalogs.

use crate::definition::{TableDefinition, TableKind, TemporaryView};
use crate::variables::Variables;
use crate::warehouse::Warehouse;
use crate::{DEFAULT_DATABASE, GLOBAL_TEMP, SPARK_CATALOG};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_error::{Error, Result};
use vonk_plan::catalog::{Catalog, Relation, TableName, UserFunction};
use vonk_plan::source::TableSource;
use vonk_plan::unresolved;

/// Turns definitions into data and texts into plans. Implemented where formats and SQL are known.
pub trait Opener: Send + Sync {
    /// The data of a table.
    fn table(&self, definition: &TableDefinition) -> Result<Arc<dyn TableSource>>;
    /// Files as a table; `None` if `format` is not a file format.
    fn files(&self, format: &str, path: &str) -> Result<Option<Arc<dyn TableSource>>>;
    /// The query of a persistent view.
    fn view(&self, text: &str) -> Result<unresolved::Plan>;
}

/// A catalog of tables that are always there.
pub trait StaticCatalog: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;
    /// Its databases.
    fn databases(&self) -> Vec<String>;
    /// Tables of a database, sorted.
    fn tables(&self, database: &str) -> Vec<String>;
    /// A table's data.
    fn table(&self, database: &str, table: &str) -> Result<Option<Arc<dyn TableSource>>>;
}

/// A table's full name, lower case where the catalog holds it so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId {
    /// Catalog.
    pub catalog: String,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
}

impl TableId {
    /// As a name.
    pub fn name(&self) -> TableName {
        TableName::new([&self.catalog, &self.database, &self.table])
    }
}

/// What a name stands for.
pub enum Found {
    /// A temporary view.
    Temporary(TemporaryView),
    /// A global temporary view.
    Global(TemporaryView),
    /// A table or view of the warehouse.
    Table(TableId, TableDefinition),
    /// A table of a static catalog.
    Static(TableId, Arc<dyn TableSource>),
}

struct State {
    catalog: String,
    database: String,
    views: BTreeMap<String, TemporaryView>,
    variables: Variables,
    /// Temporary functions in SQL.
    functions: Functions,
}

impl Default for State {
    /// Nothing of its own, in the default database.
    fn default() -> Self {
        State {
            catalog: SPARK_CATALOG.to_string(),
            database: DEFAULT_DATABASE.to_string(),
            views: BTreeMap::new(),
            variables: Variables::default(),
            functions: Functions::new(),
        }
    }
}

/// Functions in SQL: temporary ones by name, others by database and name.
type Functions = BTreeMap<(Option<String>, String), Arc<UserFunction>>;

/// What all sessions of an application see (Spark's `SharedState`).
struct SharedState {
    warehouse: Arc<Warehouse>,
    statics: Vec<Arc<dyn StaticCatalog>>,
    opener: Arc<dyn Opener>,
    global_views: RwLock<BTreeMap<String, TemporaryView>>,
    /// Functions of databases. Locked after a session's own state where both are.
    functions: RwLock<Functions>,
    /// What stands for relations whose rows are kept.
    kept: RwLock<BTreeMap<KeptName, Arc<dyn TableSource>>>,
    /// Number of the next session.
    sessions: AtomicU64,
}

/// A relation whose rows are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptName {
    /// A temporary view: of the session of a number, or a global one.
    View(Option<u64>, String),
    /// A table or persistent view.
    Table(TableId),
}

/// The catalogs as one session sees them: what it shares with others, and what is its own. Cheap to make.
pub struct SessionCatalog {
    number: u64,
    shared: Arc<SharedState>,
    state: RwLock<State>,
}

impl SessionCatalog {
    /// The first session of an application, which uses the default database.
    pub fn new(
        warehouse: Arc<Warehouse>,
        statics: Vec<Arc<dyn StaticCatalog>>,
        opener: Arc<dyn Opener>,
    ) -> Self {
        let (global_views, functions, kept) = (RwLock::default(), RwLock::default(), RwLock::default());
        let sessions = AtomicU64::new(1);
        let shared = SharedState { warehouse, statics, opener, global_views, functions, kept, sessions };
        SessionCatalog { number: 0, shared: Arc::new(shared), state: RwLock::default() }
    }

    /// Another session's, over the same catalogs, global temporary views and functions of databases; without temporary views, variables
    /// and temporary functions, in the default database (Spark: `SparkSession.newSession`).
    pub fn new_session(&self) -> Self {
        let number = self.shared.sessions.fetch_add(1, Ordering::Relaxed);
        SessionCatalog { number, shared: self.shared.clone(), state: RwLock::default() }
    }

    /// The warehouse.
    pub fn warehouse(&self) -> &Arc<Warehouse> {
        &self.shared.warehouse
    }

    /// What turns definitions into data.
    pub fn opener(&self) -> &Arc<dyn Opener> {
        &self.shared.opener
    }

    /// All catalogs, sorted by name.
    pub fn catalogs(&self) -> Vec<String> {
        let mut names: Vec<String> = self.shared.statics.iter().map(|c| c.name().to_string()).collect();
        names.push(SPARK_CATALOG.to_string());
        names.sort();
        names
    }

    fn static_catalog(&self, name: &str) -> Option<&Arc<dyn StaticCatalog>> {
        self.shared.statics.iter().find(|c| c.name().eq_ignore_ascii_case(name))
    }

    /// Databases of a catalog, sorted.
    pub fn databases(&self, catalog: &str) -> Result<Vec<String>> {
        if catalog.eq_ignore_ascii_case(SPARK_CATALOG) {
            return self.shared.warehouse.databases();
        }
        match self.static_catalog(catalog) {
            Some(c) => Ok(c.databases()),
            None => Err(Error::new("CATALOG_NOT_FOUND").with("catalogName", format!("`{catalog}`"))),
        }
    }

    /// Whether a database exists.
    pub fn has_database(&self, catalog: &str, database: &str) -> Result<bool> {
        if catalog.eq_ignore_ascii_case(SPARK_CATALOG) {
            return Ok(self.shared.warehouse.database(database)?.is_some());
        }
        Ok(self.databases(catalog)?.iter().any(|d| d.eq_ignore_ascii_case(database)))
    }

    /// Tables and persistent views of a database, sorted; an error if there is no such database.
    pub fn tables(&self, catalog: &str, database: &str) -> Result<Vec<String>> {
        if !self.has_database(catalog, database)? {
            return Err(schema_not_found(catalog, database));
        }
        match self.static_catalog(catalog) {
            Some(c) => Ok(c.tables(&database.to_lowercase())),
            None => self.shared.warehouse.tables(database),
        }
    }

    /// Catalog and database of a name of up to two parts: `db`, `catalog.db`, `catalog` where it is one.
    pub fn database_of(&self, name: &[String]) -> Result<(String, String)> {
        let (catalog, database) = match name {
            [] => return Ok(self.current()),
            [d] => (self.state.read().catalog.clone(), d.clone()),
            [c, d] => (c.clone(), d.clone()),
            _ => {
                let parts: Vec<String> =
                    name.iter().map(|p| vonk_types::data_type::quote_identifier(p)).collect();
                return Err(Error::new("SCHEMA_NOT_FOUND").with("schemaName", parts.join(".")));
            }
        };
        if self.has_database(&catalog, &database)? {
            return Ok((catalog.to_lowercase(), database.to_lowercase()));
        }
        Err(schema_not_found(&catalog, &database))
    }

    /// `USE`.
    pub fn use_database(&self, name: &[String]) -> Result<()> {
        if let [c] = name {
            if self.static_catalog(c).is_some() || c.eq_ignore_ascii_case(SPARK_CATALOG) {
                return self.use_catalog(c);
            }
        }
        let (catalog, database) = self.database_of(name)?;
        let mut state = self.state.write();
        (state.catalog, state.database) = (catalog, database);
        Ok(())
    }

    /// `SET CATALOG`.
    pub fn use_catalog(&self, catalog: &str) -> Result<()> {
        let databases = self.databases(catalog)?;
        let first = if catalog.eq_ignore_ascii_case(SPARK_CATALOG) {
            DEFAULT_DATABASE.to_string()
        } else {
            databases.first().cloned().unwrap_or_default()
        };
        let mut state = self.state.write();
        (state.catalog, state.database) = (catalog.to_lowercase(), first);
        Ok(())
    }

    /// The full name that a possibly partial name of a table would have; does not ask whether it exists.
    pub fn table_id(&self, name: &[String]) -> TableId {
        let state = self.state.read();
        let (catalog, database, table) = match name {
            [t] => (state.catalog.clone(), state.database.clone(), t.clone()),
            [d, t] => (state.catalog.clone(), d.clone(), t.clone()),
            [c, d, t] => (c.clone(), d.clone(), t.clone()),
            other => (String::new(), String::new(), other.join(".")),
        };
        TableId {
            catalog: catalog.to_lowercase(),
            database: database.to_lowercase(),
            table: table.to_lowercase(),
        }
    }

    /// What a name stands for, temporary views first.
    pub fn find(&self, name: &[String]) -> Result<Option<Found>> {
        if let [view] = name {
            if let Some(v) = self.state.read().views.get(&view.to_lowercase()) {
                return Ok(Some(Found::Temporary(v.clone())));
            }
        }
        if let [database, view] = name {
            if database.eq_ignore_ascii_case(GLOBAL_TEMP) {
                let found = self.shared.global_views.read().get(&view.to_lowercase()).cloned();
                return Ok(found.map(Found::Global));
            }
            // `tpch.lineitem` where the current catalog has no database `tpch`, but a static one has.
            let current = self.state.read().catalog.clone();
            if !self.has_database(&current, database)? {
                return Ok(None);
            }
        }
        let id = self.table_id(name);
        if id.catalog == SPARK_CATALOG {
            let found = self.shared.warehouse.table(&id.database, &id.table)?;
            return Ok(found.map(|d| Found::Table(id, d)));
        }
        match self.static_catalog(&id.catalog) {
            Some(c) => Ok(c.table(&id.database, &id.table)?.map(|s| Found::Static(id, s))),
            None => Ok(None),
        }
    }

    /// Adds a temporary view.
    pub fn put_view(&self, name: &str, view: TemporaryView, global: bool, replace: bool) -> Result<()> {
        let key = name.to_lowercase();
        if replace {
            self.forget_kept(&KeptName::View((!global).then_some(self.number), key.clone()));
        }
        let exists =
            || Error::new("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS").with("relationName", format!("`{name}`"));
        if global {
            let mut views = self.shared.global_views.write();
            if !replace && views.contains_key(&key) {
                return Err(exists());
            }
            views.insert(key, view);
        } else {
            let views = &mut self.state.write().views;
            if !replace && views.contains_key(&key) {
                return Err(exists());
            }
            views.insert(key, view);
        }
        Ok(())
    }

    /// The name under which the rows of a relation are kept, if there is one of the name.
    pub fn kept_name(&self, name: &[String]) -> Result<Option<KeptName>> {
        Ok(self.find(name)?.map(|found| self.name_of_kept(name, &found)))
    }

    fn name_of_kept(&self, name: &[String], found: &Found) -> KeptName {
        let last = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        match found {
            Found::Temporary(_) => KeptName::View(Some(self.number), last),
            Found::Global(_) => KeptName::View(None, last),
            Found::Table(id, _) | Found::Static(id, _) => KeptName::Table(id.clone()),
        }
    }

    /// Puts a source in the place of a relation.
    pub fn keep(&self, name: KeptName, source: Arc<dyn TableSource>) {
        let replaced = self.shared.kept.write().insert(name, source);
        // It lets go of its rows, which is no work for those who hold a lock.
        drop(replaced);
    }

    /// What stands in the place of a relation.
    pub fn kept(&self, name: &KeptName) -> Option<Arc<dyn TableSource>> {
        self.shared.kept.read().get(name).cloned()
    }

    /// Gives a relation its place back; `false` if it had it.
    pub fn forget_kept(&self, name: &KeptName) -> bool {
        let source = self.shared.kept.write().remove(name);
        source.is_some()
    }

    /// All relations in whose place others stand, of all sessions.
    pub fn all_kept(&self) -> Vec<(KeptName, Arc<dyn TableSource>)> {
        self.shared.kept.read().iter().map(|(n, s)| (n.clone(), s.clone())).collect()
    }

    /// How this session would call a relation that is kept; `None` for another session's temporary view.
    pub fn name_here(&self, name: &KeptName) -> Option<Vec<String>> {
        match name {
            KeptName::View(Some(session), _) if *session != self.number => None,
            KeptName::View(Some(_), view) => Some(vec![view.clone()]),
            KeptName::View(None, view) => Some(vec![GLOBAL_TEMP.to_string(), view.clone()]),
            KeptName::Table(id) => Some(vec![id.catalog.clone(), id.database.clone(), id.table.clone()]),
        }
    }

    /// Forgets a temporary view, and the rows of it that are kept; `false` if there is none.
    pub fn drop_view(&self, name: &[String]) -> bool {
        match name {
            [v] => self.forget_kept(&KeptName::View(Some(self.number), v.to_lowercase())),
            [d, v] if d.eq_ignore_ascii_case(GLOBAL_TEMP) => {
                self.forget_kept(&KeptName::View(None, v.to_lowercase()))
            }
            _ => false,
        };
        match name {
            [v] => self.state.write().views.remove(&v.to_lowercase()).is_some(),
            [d, v] if d.eq_ignore_ascii_case(GLOBAL_TEMP) => {
                self.shared.global_views.write().remove(&v.to_lowercase()).is_some()
            }
            _ => false,
        }
    }

    /// Names of temporary views, sorted.
    pub fn temporary_views(&self) -> Vec<String> {
        self.state.read().views.keys().cloned().collect()
    }

    /// Names of global temporary views, sorted.
    pub fn global_temporary_views(&self) -> Vec<String> {
        self.shared.global_views.read().keys().cloned().collect()
    }

    /// Adds a function; `false` if one of the name is there and is not to be replaced.
    pub fn put_function(&self, function: UserFunction, replace: bool) -> bool {
        let key = function_key(&function.name.parts, DEFAULT_DATABASE);
        self.functions_with(&key, |functions| {
            if !replace && functions.contains_key(&key) {
                return false;
            }
            functions.insert(key.clone(), Arc::new(function));
            true
        })
    }

    /// Forgets a function; `false` if there is none.
    pub fn drop_function(&self, name: &[String], temporary: bool) -> bool {
        let database = self.state.read().database.clone();
        let key = match (temporary, name) {
            (true, _) => (None, name.last().map(|n| n.to_lowercase()).unwrap_or_default()),
            (false, [f]) => (Some(database), f.to_lowercase()),
            (false, parts) => function_key(parts, &database),
        };
        self.functions_with(&key, |functions| functions.remove(&key).is_some())
    }

    /// Changes the functions among which one of this key is.
    fn functions_with<T>(
        &self,
        key: &(Option<String>, String),
        change: impl FnOnce(&mut Functions) -> T,
    ) -> T {
        match key.0 {
            None => change(&mut self.state.write().functions),
            Some(_) => change(&mut self.shared.functions.write()),
        }
    }

    /// All functions in SQL, temporary ones first.
    pub fn functions(&self) -> Vec<Arc<UserFunction>> {
        let mut all: Vec<_> = self.state.read().functions.values().cloned().collect();
        all.extend(self.shared.functions.read().values().cloned());
        all
    }

    /// Reads the session's variables.
    pub fn variables<T>(&self, f: impl FnOnce(&Variables) -> T) -> T {
        f(&self.state.read().variables)
    }

    /// Changes the session's variables.
    pub fn variables_mut<T>(&self, f: impl FnOnce(&mut Variables) -> T) -> T {
        f(&mut self.state.write().variables)
    }

    fn temporary(&self, name: TableName, view: TemporaryView) -> Relation {
        match view {
            TemporaryView::Source(source) => Relation::Table { name, source },
            TemporaryView::Query { plan, text, column_names, database, .. } => {
                Relation::View { name, plan, text, column_names, database: Some(database) }
            }
        }
    }
}

/// Where a function of this name is kept: one part is a temporary one's.
fn function_key(name: &[String], database: &str) -> (Option<String>, String) {
    match name {
        [f] => (None, f.to_lowercase()),
        [.., d, f] => (Some(d.to_lowercase()), f.to_lowercase()),
        [] => (Some(database.to_string()), String::new()),
    }
}

/// Spark's error for a database that is not there.
fn schema_not_found(catalog: &str, database: &str) -> Error {
    let quote = vonk_types::data_type::quote_identifier;
    Error::new("SCHEMA_NOT_FOUND").with("schemaName", format!("{}.{}", quote(catalog), quote(database)))
}

impl Drop for SessionCatalog {
    /// The rows of its temporary views are kept for nobody.
    fn drop(&mut self) {
        let number = self.number;
        let mut kept = self.shared.kept.write();
        let others = |name: &KeptName| !matches!(name, KeptName::View(Some(n), _) if *n == number);
        let (stay, gone) = std::mem::take(&mut *kept).into_iter().partition(|(name, _)| others(name));
        *kept = stay;
        drop(kept);
        let _: BTreeMap<_, _> = gone;
    }
}

impl Catalog for SessionCatalog {
    fn relation(&self, name: &[String]) -> Result<Option<Relation>> {
        let found = self.find(name)?;
        if let Some(source) = found.as_ref().and_then(|f| self.kept(&self.name_of_kept(name, f))) {
            let name = match found {
                Some(Found::Table(id, _) | Found::Static(id, _)) => id.name(),
                _ => TableName::new(name.to_vec()),
            };
            return Ok(Some(Relation::Table { name, source }));
        }
        Ok(match found {
            None => None,
            Some(Found::Temporary(view)) => Some(self.temporary(TableName::new(name.to_vec()), view)),
            Some(Found::Global(view)) => Some(self.temporary(TableName::new(name.to_vec()), view)),
            Some(Found::Static(id, source)) => Some(Relation::Table { name: id.name(), source }),
            Some(Found::Table(id, definition)) => Some(match &definition.kind {
                TableKind::View { text, database, column_names } => Relation::View {
                    name: id.name(),
                    plan: Arc::new(self.shared.opener.view(text)?),
                    text: text.as_str().into(),
                    column_names: column_names.clone(),
                    database: Some(database.clone()),
                },
                _ => Relation::Table { name: id.name(), source: self.shared.opener.table(&definition)? },
            }),
        })
    }

    fn files(&self, format: &str, path: &str) -> Result<Option<Arc<dyn TableSource>>> {
        self.shared.opener.files(format, path)
    }

    fn function(&self, name: &[String]) -> Result<Option<Arc<UserFunction>>> {
        let state = self.state.read();
        let lower: Vec<String> = name.iter().map(|p| p.to_lowercase()).collect();
        let keys = match lower.as_slice() {
            [f] => vec![(None, f.clone()), (Some(state.database.clone()), f.clone())],
            [q, f] if q == "session" => vec![(None, f.clone())],
            [c, q, f] if c == "system" && q == "session" => vec![(None, f.clone())],
            other => vec![function_key(other, &state.database)],
        };
        let shared = self.shared.functions.read();
        Ok(keys.iter().find_map(|k| state.functions.get(k).or_else(|| shared.get(k)).cloned()))
    }

    fn current(&self) -> (String, String) {
        let state = self.state.read();
        (state.catalog.clone(), state.database.clone())
    }
}
