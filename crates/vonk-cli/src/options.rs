//! Command-line options.

use crate::output::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use vonk::{Error, Session};

/// Spark's SQL without the JVM.
#[derive(Parser)]
#[command(name = "vonk", version, about)]
pub struct Options {
    /// What to do; without, the shell.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run statements: from the command line, a file, standard input, or the shell.
    Sql(SqlOptions),
    /// Write sample data.
    Generate(GenerateOptions),
}

/// Options of `vonk sql`.
#[derive(Args, Default)]
pub struct SqlOptions {
    /// Statements to run, separated by semicolons.
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    pub execute: Vec<String>,
    /// A file of statements to run.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How results are printed; a table on a terminal, else tab-separated values.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// A machine-readable session on standard input and output.
    #[arg(long, value_enum, conflicts_with_all = ["execute", "file", "format"])]
    pub protocol: Option<Protocol>,
    /// Where to run: `local`, `local[N]`, `local[*]`, `local-cluster[EXECUTORS,CORES,MEMORY]`.
    #[arg(long, value_name = "URL")]
    pub master: Option<String>,
    /// Memory that operators may hold together, as `512m` or `2g`; beyond it they spill to disk.
    #[arg(long, value_name = "BYTES")]
    pub memory: Option<String>,
    /// A setting, as `spark.sql.ansi.enabled=false`; may be repeated.
    #[arg(long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
}

/// Protocols.
#[derive(Clone, Copy, ValueEnum)]
pub enum Protocol {
    /// One JSON object a line.
    Jsonl,
}

/// Options of `vonk generate`.
#[derive(Args)]
pub struct GenerateOptions {
    /// Which data.
    #[command(subcommand)]
    pub data: Data,
}

/// Sample data sets.
#[derive(Subcommand)]
pub enum Data {
    /// The eight tables of TPC-H as Parquet files.
    Tpch {
        /// Scale factor: 1 is about a gigabyte of raw data.
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// Folder to write to.
        #[arg(long)]
        output: PathBuf,
    },
}

impl SqlOptions {
    /// The session they ask for.
    pub fn session(&self) -> vonk::Result<Session> {
        let mut builder = Session::builder();
        for setting in &self.conf {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(Error::new("_INVALID_ARGUMENT")
                    .with("argument", format!("--conf {setting}"))
                    .with("expected", "KEY=VALUE"));
            };
            builder = builder.config(key.trim(), value.trim());
        }
        if let Some(master) = &self.master {
            builder = builder.config("spark.master", master);
        }
        if let Some(memory) = &self.memory {
            builder = builder.config("spark.vonk.memory.limit", memory);
        }
        builder.build()
    }
}
