//! Partition columns: values that stand in the names of folders, `year=2024/city=Delft`, as Hive and Spark lay tables out.

use crate::commit;
use crate::files::{self, DataFile};
use std::path::Path;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::cast::cast_array;
use vonk_types::{CastMode, DataType, EvalContext, Literal, StructField};

/// The partition columns of a table and their values in each of its files, as text; `None` is null.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partitions {
    pub columns: Vec<StructField>,
    pub values: Vec<Vec<Option<String>>>,
}

/// Names and values of the folders between a table's root and a file.
fn folders(root: &Path, file: &DataFile) -> Vec<(String, Option<String>)> {
    let relative = Path::new(&file.path).strip_prefix(root).ok().and_then(Path::parent);
    let parts = relative.map(|r| r.to_string_lossy().into_owned()).unwrap_or_default();
    parts.split('/').filter_map(commit::folder_part).collect()
}

impl Partitions {
    /// The partition columns of files below a path: those of the catalog, or what the folders' names say.
    pub fn find(path: &str, files: &[DataFile], known: Option<&[StructField]>) -> Result<Partitions> {
        let root = files::local_path(path)?;
        let found: Vec<Vec<(String, Option<String>)>> = files.iter().map(|f| folders(&root, f)).collect();
        let names: Vec<String> = match (known, found.first()) {
            (Some(fields), _) => fields.iter().map(|f| f.name.to_string()).collect(),
            (None, Some(first)) => first.iter().map(|(n, _)| n.clone()).collect(),
            (None, None) => vec![],
        };
        let same = |f: &Vec<(String, Option<String>)>| f.iter().map(|(n, _)| n).eq(names.iter());
        if names.is_empty() || (known.is_none() && !found.iter().all(same)) {
            return Ok(Partitions::default());
        }
        let value = |f: &[(String, Option<String>)], name: &String| {
            f.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.clone())
        };
        let values: Vec<Vec<Option<String>>> =
            found.iter().map(|f| names.iter().map(|n| value(f, n)).collect()).collect();
        let columns = match known {
            Some(fields) => fields.to_vec(),
            None => names
                .iter()
                .enumerate()
                .map(|(i, n)| StructField::new(n.as_str(), inferred(values.iter().map(|v| &v[i])), true))
                .collect(),
        };
        Ok(Partitions { columns, values })
    }
}

/// The narrowest of Spark's types for partition values that holds all of them.
fn inferred<'a>(values: impl Iterator<Item = &'a Option<String>> + Clone) -> DataType {
    let all = |fits: &dyn Fn(&str) -> bool| {
        let mut present = values.clone().flatten().peekable();
        present.peek().is_some() && present.all(|v| fits(v))
    };
    if all(&|v| v.parse::<i32>().is_ok()) {
        DataType::Int
    } else if all(&|v| v.parse::<i64>().is_ok()) {
        DataType::Long
    } else if all(&|v| v.parse::<f64>().is_ok_and(f64::is_finite)) {
        DataType::Double
    } else if all(&|v| v.len() == 10 && vonk_types::datetime::parse_date(v).is_some()) {
        DataType::Date
    } else {
        DataType::String
    }
}

/// A partition value in its column's type.
pub(crate) fn literal(text: Option<&str>, t: &DataType, ctx: &EvalContext) -> Result<Literal> {
    let Some(text) = text else { return Ok(Literal::null(t.clone())) };
    let value = Literal::string(text).to_array(1)?;
    Literal::from_array(&cast_array(&value, &DataType::String, t, CastMode::Try, ctx)?, 0, t.clone())
}

/// The values of one file, shared by what decodes it: for each column that is read, its value if it is a partition column.
pub(crate) type Constants = Arc<[Option<Literal>]>;
