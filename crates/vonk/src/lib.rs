//! What users import: sessions and queries; wires everything below together.
//!
//! ```
//! let session = vonk::Session::builder().config("spark.master", "local[2]").build()?;
//! let mut answer = session.run("SELECT 1 + 1 AS two")?;
//! assert_eq!(answer.schema().catalog_string(), "struct<two:int>");
//! assert_eq!(answer.rows_as_text()?, ["2"]);
//! # Ok::<(), vonk::Error>(())
//! ```
//!
//! A [`Session`] holds settings, a catalog and a way to run queries; [`Session::run`] runs one statement and gives an
//! [`Answer`], whose rows are read batch by batch while the query runs. [`Session::sql`], [`Session::table`] and [`Session::read`]
//! give a [`DataFrame`], from which others are made by calls: `docs/dataframe.md`.
//!
//! Must not know: terminals, network protocols.

mod answer;
mod catalog;
mod commands;
mod dataframe;
mod dates;
mod executor;
pub mod functions;
mod kept;
mod memory;
mod metadata;
mod opener;
mod pipeline;
mod prepared;
pub mod provider;
mod samples;
mod session;
mod settings;
mod substitution;
pub mod udf;

pub use answer::{Answer, AnswerPart, Profile};
pub use dataframe::{
    Column, DataFrame, DataFrameNaFunctions, DataFrameReader, DataFrameStatFunctions, DataFrameWriter,
    DataFrameWriterV2, Fill, GroupedData, How, IntoColumn, IntoColumns, IntoCondition, IntoOperand,
    IntoSortColumn, IntoSortColumns, IntoType, Observation, SaveMode, SortColumn, ToLiteral, Window,
    WindowSpec,
};
pub use executor::{Executor, MemoryUse};
pub use metadata::{TableEntry, TableKind};
pub use prepared::{Prepared, PreparedParameter, StatementKind};
pub use session::{Control, Session, SessionBuilder};
pub use vonk_analyzer::Parameters;
pub use vonk_cluster::standalone;
pub use vonk_cluster::{Progress, QueryReport, StageProgress};
/// Settings.
pub use vonk_conf as conf;
pub use vonk_conf::Conf;
pub use vonk_error::{
    CallContext, CancelFlag, Error, ErrorKind, QueryContext, Result, SqlContext, working_for,
};
pub use vonk_sources::tpch::generate as generate_tpch;
pub use vonk_sql::{ClassifiedToken, TokenClass, classify, is_complete, keywords, split_statements};
pub use vonk_types::{DataType, EvalContext, Literal, ScalarValue, StructField, StructType, text};
