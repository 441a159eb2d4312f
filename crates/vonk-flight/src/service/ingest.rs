//! DoPut: updates, values of parameters, rows that are loaded.
//!
//! Rows that are loaded go into a Parquet file of their own first, batch by batch, so that a table changes only once all are there; then a
//! statement makes a table of them or appends them to one. A temporary table is a view of such files.

use super::prepared::{batches, unreadable};
use super::{Answered, Service, blocking, command, no_transaction};
use crate::sessions::{Call, ClientSession};
use crate::status::{garbage, to_status, unsupported};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::sql::{
    Command, CommandStatementIngest, DoPutPreparedStatementResult, DoPutUpdateResult, TableExistsOption,
    TableNotExistOption,
};
use futures::stream::{self, BoxStream, StreamExt};
use prost::Message;
use prost::bytes::Bytes;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonic::Streaming;
use vonk::StructType;
use vonk_error::{Error, Result};
use vonk_sources::{FileWriter, Formats, OpenWrite};
use vonk_types::data_type::quote_identifier;

impl Service {
    /// DoPut. The first message carries the command.
    pub(super) async fn put(&self, call: &Call, mut data: Streaming<FlightData>) -> Answered<Bytes> {
        let first = data.message().await?.ok_or_else(|| garbage("a stream without a message"))?;
        let descriptor =
            first.flight_descriptor.as_ref().ok_or_else(|| garbage("a stream without a command"))?;
        let command = command(&descriptor.cmd)?;
        let all: BoxStream<'static, Answered<FlightData>> = stream::iter([Ok(first)]).chain(data).boxed();
        let record_count = match command {
            Command::CommandStatementUpdate(update) => {
                no_transaction(update.transaction_id.as_deref())?;
                self.update(call, update.query.into(), VecDeque::new()).await?
            }
            Command::CommandPreparedStatementUpdate(update) => {
                self.update_prepared(call, &update.prepared_statement_handle, all).await?
            }
            Command::CommandPreparedStatementQuery(query) => {
                let handle = query.prepared_statement_handle;
                self.bind(call, &handle, all).await?;
                let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) };
                return Ok(result.encode_to_vec().into());
            }
            Command::CommandStatementIngest(ingest) => self.ingest(call, ingest, all).await?,
            other => return Err(unsupported(other.type_url())),
        };
        Ok(DoPutUpdateResult { record_count }.encode_to_vec().into())
    }

    async fn ingest(
        &self,
        call: &Call,
        ingest: CommandStatementIngest,
        data: BoxStream<'static, Answered<FlightData>>,
    ) -> Answered<i64> {
        no_transaction(ingest.transaction_id.as_deref())?;
        if self.options().read_only && !ingest.temporary {
            return Err(to_status(&Error::new("_READ_ONLY")));
        }
        let target = Target::new(call, &ingest);
        // Before gigabytes are sent for nothing.
        let plan = blocking({
            let (session, target) = (Arc::clone(call), target.clone());
            move || target.plan(&session)
        });
        let plan = plan.await?;
        let (folder, kept) = match &plan {
            Plan::TemporaryAppend(folder) => (folder.clone(), true),
            _ => (staging(call).map_err(|e| to_status(&e))?, false),
        };
        let staged = Staged { folder, keep: kept };
        let loaded = self.load(call, staged, target, plan, data).await;
        loaded.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX))
    }

    async fn load(
        &self,
        call: &Call,
        mut staged: Staged,
        target: Target,
        plan: Plan,
        data: BoxStream<'static, Answered<FlightData>>,
    ) -> Answered<u64> {
        let file =
            staged.folder.join(format!("{}.parquet", vonk_rpc::random_hex(8).map_err(|e| to_status(&e))?));
        let mut batches = batches(data);
        let mut loader: Option<Loader> = None;
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(unreadable)?;
            rows += batch.num_rows() as u64;
            let (open, path) = (loader.take(), file.clone());
            let written = blocking(move || {
                let mut loader = match open {
                    Some(loader) => loader,
                    None => Loader::open(&path, &batch.schema())?,
                };
                loader.write(&batch)?;
                Ok(loader)
            });
            loader = Some(written.await?);
        }
        let loader = match (loader, batches.schema()) {
            (Some(loader), _) => loader,
            (None, Some(schema)) => {
                let path = file.clone();
                let schema = schema.clone();
                blocking(move || Loader::open(&path, &schema)).await?
            }
            (None, None) => return Err(garbage("rows without a schema")),
        };
        let columns = blocking(move || loader.finish()).await?;
        match target.statement(&plan, &staged.folder, &columns) {
            Some(sql) => drop(self.update(call, sql.into(), VecDeque::new()).await?),
            None => staged.keep = true,
        }
        if matches!(plan, Plan::Temporary) {
            staged.keep = true;
            call.files.lock().push(staged.folder.clone());
        }
        Ok(rows)
    }
}

/// A folder that is removed unless it is to be kept.
struct Staged {
    folder: PathBuf,
    keep: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A folder for rows that are on their way, where all executors can read them.
fn staging(session: &ClientSession) -> Result<PathBuf> {
    let conf = session.engine.conf();
    let elsewhere = conf.get(&vonk_conf::MASTER).starts_with("vonk://");
    let parent =
        if elsewhere { conf.get(&vonk_conf::WAREHOUSE_DIR) } else { conf.get(&vonk_conf::LOCAL_DIR) };
    let parent = PathBuf::from(parent.strip_prefix("file:").unwrap_or(&parent));
    let folder = parent.join(format!("vonk-ingest-{}", vonk_rpc::random_hex(8)?));
    std::fs::create_dir_all(&folder)
        .map_err(|e| Error::io(format!("cannot make the folder {}", folder.display()), e))?;
    std::path::absolute(&folder).map_err(|e| Error::io(format!("cannot find {}", folder.display()), e))
}

/// What becomes of the rows.
enum Plan {
    Create,
    Replace,
    Append,
    Temporary,
    /// To the files of a temporary table.
    TemporaryAppend(PathBuf),
}

/// Where the rows go.
#[derive(Clone)]
struct Target {
    parts: Vec<String>,
    temporary: bool,
    if_exists: TableExistsOption,
    if_not_exist: TableNotExistOption,
}

impl Target {
    fn new(session: &ClientSession, ingest: &CommandStatementIngest) -> Target {
        let options = ingest.table_definition_options.unwrap_or_default();
        let given = |part: &Option<String>| part.clone().filter(|p| !p.is_empty());
        let (catalog, schema) = (given(&ingest.catalog), given(&ingest.schema));
        let mut parts = vec![ingest.table.clone()];
        if !ingest.temporary {
            match (catalog, schema) {
                (None, None) => {}
                (None, Some(schema)) => parts.insert(0, schema),
                (Some(catalog), schema) => {
                    parts.insert(0, schema.unwrap_or_else(|| session.engine.current_database()));
                    parts.insert(0, catalog);
                }
            }
        }
        Target {
            parts,
            temporary: ingest.temporary,
            if_exists: TableExistsOption::try_from(options.if_exists)
                .unwrap_or(TableExistsOption::Unspecified),
            if_not_exist: TableNotExistOption::try_from(options.if_not_exist)
                .unwrap_or(TableNotExistOption::Unspecified),
        }
    }

    fn quoted(&self) -> String {
        self.parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".")
    }

    fn plan(&self, session: &ClientSession) -> Result<Plan> {
        let exists = match session.engine.table_schema(&self.parts) {
            Ok(_) => true,
            Err(e) if e.condition() == "TABLE_OR_VIEW_NOT_FOUND" => false,
            Err(e) => return Err(e),
        };
        if !exists {
            return match (self.if_not_exist, self.temporary) {
                (TableNotExistOption::Fail, _) => Err(Error::new("TABLE_OR_VIEW_NOT_FOUND")
                    .with("relationName", self.quoted())
                    .with("searchPath", format!("[`{}`]", session.engine.current_database()))),
                (_, true) => Ok(Plan::Temporary),
                (_, false) => Ok(Plan::Create),
            };
        }
        match (self.if_exists, self.temporary) {
            (TableExistsOption::Append, true) => {
                let marker = self.marker();
                let files = session.files.lock();
                match files.iter().find(|f| f.join(&marker).exists()) {
                    Some(folder) => Ok(Plan::TemporaryAppend(folder.clone())),
                    None => Err(Error::unsupported(format!("appending to the view {}", self.quoted()))),
                }
            }
            (TableExistsOption::Append, false) => Ok(Plan::Append),
            (TableExistsOption::Replace, true) => Ok(Plan::Temporary),
            (TableExistsOption::Replace, false) => Ok(Plan::Replace),
            _ => Err(Error::new("TABLE_OR_VIEW_ALREADY_EXISTS").with("relationName", self.quoted())),
        }
    }

    /// The file that tells which temporary table a folder is.
    fn marker(&self) -> String {
        let name: String = self.parts.concat().to_lowercase().bytes().map(|b| format!("{b:02x}")).collect();
        format!("_table_{name}")
    }

    /// The statement that makes staged files rows of the target; `None` if they are that already.
    fn statement(&self, plan: &Plan, folder: &Path, columns: &StructType) -> Option<String> {
        let name = self.quoted();
        let source = format!("parquet.{}", quote_identifier(&folder.to_string_lossy()));
        Some(match plan {
            Plan::Create => format!("CREATE TABLE {name} USING parquet AS SELECT * FROM {source}"),
            Plan::Replace => {
                format!("CREATE OR REPLACE TABLE {name} USING parquet AS SELECT * FROM {source}")
            }
            Plan::Append => {
                let listed = columns.fields.iter().map(|f| quote_identifier(&f.name)).collect::<Vec<_>>();
                format!("INSERT INTO {name} ({}) SELECT * FROM {source}", listed.join(", "))
            }
            Plan::Temporary => {
                let _ = std::fs::write(folder.join(self.marker()), "");
                format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT * FROM {source}")
            }
            Plan::TemporaryAppend(_) => return None,
        })
    }
}

/// Writes batches of a client's types into a file of the engine's.
struct Loader {
    writer: Box<dyn FileWriter>,
    columns: StructType,
    engine: SchemaRef,
}

impl Loader {
    fn open(path: &Path, schema: &SchemaRef) -> Result<Loader> {
        let columns = StructType::from_arrow_fields(schema.fields())
            .map_err(|t| Error::unsupported(format!("loading columns of the Arrow type {t}")))?;
        let formats = Formats::builtin();
        let path = path.to_string_lossy();
        let open = OpenWrite { path: &path, schema: &columns, options: &[] };
        let writer = formats.writer("parquet")?.open(open)?;
        let engine = columns.to_arrow_schema();
        Ok(Loader { writer, columns, engine })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let cast = |(c, f): (&ArrayRef, &Arc<arrow::datatypes::Field>)| -> Result<ArrayRef> {
            Ok(arrow::compute::cast(c, f.data_type())?)
        };
        let columns =
            batch.columns().iter().zip(self.engine.fields()).map(cast).collect::<Result<Vec<_>>>()?;
        self.writer.write(&RecordBatch::try_new(self.engine.clone(), columns)?)
    }

    fn finish(self) -> Result<StructType> {
        self.writer.finish()?;
        Ok(self.columns)
    }
}
