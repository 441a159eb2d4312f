//! Writes files: one per task, or one per task and value of the partition columns.
//!
//! Files are written under hidden names (a leading dot) unique to the attempt, so that no reader takes a half-written or
//! uncommitted file for data. The driver's commit gives those of the winning attempts their names. An attempt that fails deletes what it wrote.

use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use hashbrown::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use vonk_error::{Error, Result, Span};
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::RowPosition;
use vonk_physical::Write;
use vonk_shuffle::partition::Split;
use vonk_sources::commit::{hidden_name, partition_folder};
use vonk_sources::{FileWriter, OpenWrite, WrittenFile};
use vonk_types::{CastMode, DataType, StructType};

/// Files open at once: writers hold a row group each in memory.
const OPEN_FILES: usize = 32;

/// What the operator puts out: path, rows and bytes of each file.
pub(crate) fn files_schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    let field = |name, t| Field::new(name, t, true);
    let schema = SCHEMA.get_or_init(|| {
        Arc::new(Schema::new(vec![
            field("path", ArrowType::Utf8View),
            field("rows", ArrowType::Int64),
            field("bytes", ArrowType::Int64),
        ]))
    });
    schema.clone()
}

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, plan: &Write) -> Result<BoxedOperator> {
    let fields = plan.table_schema.fields.iter().enumerate();
    let fields = fields.filter(|(i, _)| !plan.partition_by.contains(i)).map(|(_, f)| f.clone());
    let file_schema = StructType::new(fields.collect::<Vec<_>>());
    let columns = (0..plan.table_schema.fields.len()).filter(|i| !plan.partition_by.contains(i)).collect();
    let text = |i: &usize| BoundExpr::Cast {
        expr: Box::new(BoundExpr::column(*i, plan.table_schema.fields[*i].data_type.clone())),
        to: DataType::String,
        mode: CastMode::Ansi,
        span: Span::NONE,
    };
    let texts: Vec<BoundExpr> = plan.partition_by.iter().map(text).collect();
    Ok(Box::new(WriteOperator {
        keys: EvaluatorSet::new(&texts, &cx.query.env)?,
        unique: unique(cx),
        arrow: file_schema.to_arrow_schema(),
        file_schema,
        columns,
        plan: plan.clone(),
        input: Some(build::operator(cx, &plan.input)?),
        cx: cx.clone(),
        open: HashMap::new(),
        uses: 0,
        next: 0,
        files: Vec::new(),
        begun: Vec::new(),
        done: false,
    }))
}

/// A part of file names that no other attempt, job or process has: as `part-00003-<this>`.
fn unique(cx: &TaskContext) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let random = RandomState::new();
    let high = random.hash_one((now, std::process::id(), cx.partition));
    let low = random.hash_one((cx.attempt, high));
    let hex = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

struct OpenFile {
    writer: Box<dyn FileWriter>,
    used: u64,
}

struct WriteOperator {
    cx: TaskContext,
    plan: Write,
    unique: String,
    /// The partition columns as text.
    keys: EvaluatorSet,
    /// Columns in the files: all but those that make folders.
    columns: Vec<usize>,
    file_schema: StructType,
    arrow: SchemaRef,
    input: Option<BoxedOperator>,
    /// Files by folder below the table's.
    open: HashMap<String, OpenFile>,
    uses: u64,
    next: u32,
    files: Vec<WrittenFile>,
    /// All files this attempt has begun: deleted unless it ends well.
    begun: Vec<String>,
    done: bool,
}

impl Operator for WriteOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut input) = self.input.take() else { return Ok(None) };
        while let Some(batch) = input.next()? {
            self.cx.check_cancelled()?;
            self.write(&batch)?;
        }
        // A table without rows still is a table: the first task leaves a file that has the schema.
        if self.begun.is_empty() && self.cx.partition == 0 && self.plan.partition_by.is_empty() {
            self.append("", &RecordBatch::new_empty(self.arrow.clone()))?;
        }
        for (_, file) in std::mem::take(&mut self.open) {
            self.files.push(file.writer.finish()?);
        }
        self.done = true;
        let files = std::mem::take(&mut self.files);
        if files.is_empty() {
            return Ok(None);
        }
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from_iter_values(files.iter().map(|f| f.path.as_str()))),
            Arc::new(Int64Array::from_iter_values(files.iter().map(|f| number(f.rows)))),
            Arc::new(Int64Array::from_iter_values(files.iter().map(|f| number(f.bytes)))),
        ];
        Ok(Some(RecordBatch::try_new(files_schema(), columns)?))
    }
}

impl WriteOperator {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|i| batch.column(*i).clone()).collect();
        let data = crate::batch::with_rows(&self.arrow, columns, batch.num_rows())?;
        if self.plan.partition_by.is_empty() {
            return self.append("", &data);
        }
        let texts = self.keys.evaluate_arrays(batch, RowPosition::default())?;
        let names = self.plan.partition_by.iter().map(|i| self.plan.table_schema.fields[*i].name.as_ref());
        let keys: Vec<(&str, &StringViewArray)> =
            names.zip(texts.iter().map(|t| t.as_string_view())).collect();
        // Rows of a batch by their folder; neighbours usually share it.
        let mut folders: Vec<String> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut ids = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            if row > 0 && keys.iter().all(|(_, k)| same(k, row, row - 1)) {
                ids.push(ids[row - 1]);
                continue;
            }
            let folder = partition_folder(&keys, row);
            let id = *known.entry_ref(folder.as_str()).or_insert_with(|| {
                folders.push(folder.clone());
                folders.len() as u32 - 1
            });
            ids.push(id);
        }
        for (id, part) in Split::new(&ids, folders.len() as u32).batches(&data)? {
            self.append(&folders[id as usize], &part)?;
        }
        Ok(())
    }

    fn append(&mut self, folder: &str, batch: &RecordBatch) -> Result<()> {
        self.uses += 1;
        if let Some(file) = self.open.get_mut(folder) {
            file.used = self.uses;
            return file.writer.write(batch);
        }
        if self.open.len() >= OPEN_FILES {
            let oldest = self.open.iter().min_by_key(|(_, f)| f.used).map(|(k, _)| k.clone());
            if let Some(file) = oldest.and_then(|k| self.open.remove(&k)) {
                self.files.push(file.writer.finish()?);
            }
        }
        let mut file = OpenFile { writer: self.create(folder)?, used: self.uses };
        file.writer.write(batch)?;
        self.open.insert(folder.to_string(), file);
        Ok(())
    }

    fn create(&mut self, folder: &str) -> Result<Box<dyn FileWriter>> {
        let factory = self.cx.exec.formats.writer(&self.plan.format)?;
        let table: PathBuf = vonk_sources::files::local_path(&self.plan.path)?;
        let folder = table.join(folder);
        make_folder(&table, &folder)
            .map_err(|e| Error::io(format!("cannot make the folder {}", folder.display()), e))?;
        let name = format!(
            "part-{:05}-{}.c{:03}.{}",
            self.cx.partition,
            self.unique,
            self.next,
            factory.extension()
        );
        self.next += 1;
        let path = folder.join(hidden_name(&name)).to_string_lossy().into_owned();
        self.begun.push(path.clone());
        factory.open(OpenWrite { path: &path, schema: &self.file_schema, options: &self.plan.options })
    }
}

impl Drop for WriteOperator {
    fn drop(&mut self) {
        if !self.done {
            self.open.clear();
            for path in &self.begun {
                // Hidden from readers, so a file that cannot be deleted does no harm.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// Makes a folder and those between it and `root`, which is there for as long as anyone wants the files: an attempt that was given up, and
/// learns of it late, must not make it again.
fn make_folder(root: &Path, folder: &Path) -> std::io::Result<()> {
    if folder == root || folder.is_dir() {
        return std::fs::metadata(folder).map(|_| ());
    }
    if let Some(parent) = folder.parent() {
        make_folder(root, parent)?;
    }
    match std::fs::create_dir(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

/// Whether two rows of a column are equal.
fn same(values: &StringViewArray, a: usize, b: usize) -> bool {
    match (values.is_valid(a), values.is_valid(b)) {
        (true, true) => values.value(a) == values.value(b),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{batch_of, node, run, values};
    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::Int64Type;
    use vonk_physical::PhysicalPlan;
    use vonk_physical::WriteMode;
    use vonk_types::StructField;

    fn plan(path: &str, rows: i32, partition_by: Vec<usize>) -> PhysicalPlan {
        let numbers = Int32Array::from_iter_values(0..rows);
        let keys = Int32Array::from_iter((0..rows).map(|i| (i % 3 > 0).then_some(i % 3)));
        let fields = ["n", "k"].map(|n| StructField::new(n, DataType::Int, true));
        PhysicalPlan::Write(Write {
            format: "parquet".into(),
            path: path.into(),
            partition_by,
            table_schema: StructType::new(fields.to_vec()),
            mode: WriteMode::Append,
            options: vec![],
            input: Box::new(values(batch_of(vec![Arc::new(numbers), Arc::new(keys)]))),
        })
    }

    /// Folders below the table, and rows of the files in them.
    fn written(rows: i32, partition_by: Vec<usize>) -> Vec<(String, i64)> {
        let dir = std::env::temp_dir().join(format!(
            "vonk-write-{}-{rows}-{}",
            std::process::id(),
            partition_by.len()
        ));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.to_string_lossy().into_owned();
        let types = [DataType::String, DataType::Long, DataType::Long];
        let files = run(node(&types, plan(&path, rows, partition_by))).unwrap();
        let paths = files.column(0).as_string_view();
        let counts = files.column(1).as_primitive::<Int64Type>();
        let mut out = vec![];
        for i in 0..files.num_rows() {
            let file = PathBuf::from(paths.value(i));
            assert!(file.file_name().unwrap().to_string_lossy().starts_with(".part-00000-"));
            assert!(std::fs::metadata(&file).unwrap().len() > 0);
            let folder = file.parent().unwrap().strip_prefix(&dir).unwrap();
            out.push((folder.to_string_lossy().into_owned(), counts.value(i)));
        }
        std::fs::remove_dir_all(dir).unwrap();
        out.sort();
        out
    }

    #[test]
    fn a_file_for_the_task_or_one_for_each_folder() {
        assert_eq!(written(5000, vec![]), [(String::new(), 5000)]);
        assert_eq!(written(0, vec![]), [(String::new(), 0)]);
        let folders = [("k=1", 1000), ("k=2", 1000), ("k=__HIVE_DEFAULT_PARTITION__", 1000)];
        assert_eq!(written(3000, vec![1]), folders.map(|(f, n)| (f.to_string(), n)));
    }
}
