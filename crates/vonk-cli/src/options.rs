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
    /// Be the master of a standalone cluster.
    Master(MasterOptions),
    /// Be a worker of a standalone cluster.
    Worker(WorkerOptions),
    /// Run a file of statements or a program on a standalone cluster.
    Submit(SubmitOptions),
    /// Serve statements over Arrow Flight SQL: for JDBC, ADBC and other drivers.
    Server(ServerCommand),
}

/// Options of `vonk server`, or what it does beside serving.
#[derive(Args)]
pub struct ServerCommand {
    /// What to do; without, serve.
    #[command(subcommand)]
    pub command: Option<ServerTask>,
    /// How to serve.
    #[command(flatten)]
    pub options: ServerOptions,
}

/// What `vonk server` does beside serving.
#[derive(Subcommand)]
pub enum ServerTask {
    /// Read a password from standard input and print its hash for the file of users.
    HashPassword,
}

/// Options of `vonk server`.
#[derive(Args)]
pub struct ServerOptions {
    /// Interface to listen on. Others than the loopback need users or certificates of clients.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 32010)]
    pub port: u16,
    /// Where to run: `local`, `local[N]`, `local[*]`, `local-cluster[EXECUTORS,CORES,MEMORY]`, `vonk://HOST:PORT`.
    #[arg(long, value_name = "URL")]
    pub master: Option<String>,
    /// Memory that operators may hold together, as `512m` or `2g`; beyond it they spill to disk.
    #[arg(long, value_name = "BYTES")]
    pub memory: Option<String>,
    /// File of users: lines of NAME:HASH, as `vonk server hash-password` prints the hash.
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// Refuse statements that change tables, views, databases, functions or files.
    #[arg(long)]
    pub read_only: bool,
    /// Certificate of the server, in PEM, with those that vouch for it.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Clients must show certificates that these vouch for, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
    /// A setting, as `spark.vonk.server.maxSessions=100`; may be repeated.
    #[arg(short = 'c', long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
}

/// Options of `vonk master`.
#[derive(Args)]
pub struct MasterOptions {
    /// Interface to listen on. Others than the loopback need a secret.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 7077)]
    pub port: u16,
    /// Port of the status API; 0 takes a free one. [default: 8080, or the next that is free]
    #[arg(long)]
    pub webui_port: Option<u16>,
    /// Folder in which the master writes down what must survive it. Without, a restarted master knows nothing.
    #[arg(long, value_name = "DIR")]
    pub recovery_dir: Option<PathBuf>,
    /// A setting, as `spark.worker.timeout=60`; may be repeated.
    #[arg(long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
}

/// Options of `vonk worker`.
#[derive(Args)]
pub struct WorkerOptions {
    /// The master, `vonk://HOST:PORT`.
    #[arg(value_name = "MASTER_URL")]
    pub master: String,
    /// Interface on which it and its executors listen, by which others reach them. Others than the loopback need a secret.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Cores to lend; all of the machine's by default.
    #[arg(long)]
    pub cores: Option<u32>,
    /// Memory to lend, as `512m` or `8g`.
    #[arg(long, value_name = "BYTES", default_value = "1g")]
    pub memory: String,
    /// Folder of all that it and its executors keep; no other worker may use it.
    #[arg(long, value_name = "DIR", default_value = "work")]
    pub work_dir: PathBuf,
    /// Port of the status API; 0 takes a free one. [default: 8081, or the next that is free]
    #[arg(long)]
    pub webui_port: Option<u16>,
    /// A setting, as `spark.shuffle.service.enabled=true`; may be repeated.
    #[arg(long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
}

/// Where a submitted driver runs.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeployMode {
    /// Here.
    Client,
    /// On a worker.
    Cluster,
}

/// Options of `vonk submit`.
#[derive(Args)]
pub struct SubmitOptions {
    /// The master, `vonk://HOST:PORT`.
    #[arg(long, value_name = "URL")]
    pub master: String,
    /// Where the driver runs.
    #[arg(long, value_enum, default_value = "client")]
    pub deploy_mode: DeployMode,
    /// Start the driver again when it fails (deploy mode `cluster`).
    #[arg(long)]
    pub supervise: bool,
    /// Wait until the driver has ended (deploy mode `cluster`).
    #[arg(long)]
    pub wait: bool,
    /// Name of the application.
    #[arg(long)]
    pub name: Option<String>,
    /// Cores of the driver (deploy mode `cluster`).
    #[arg(long, default_value_t = 1)]
    pub driver_cores: u32,
    /// Memory of the driver (deploy mode `cluster`).
    #[arg(long, value_name = "BYTES", default_value = "512m")]
    pub driver_memory: String,
    /// Cores of an executor.
    #[arg(long)]
    pub executor_cores: Option<u32>,
    /// Memory of an executor.
    #[arg(long, value_name = "BYTES")]
    pub executor_memory: Option<String>,
    /// Cores of all executors together.
    #[arg(long)]
    pub total_executor_cores: Option<u32>,
    /// How is this driver or application?
    #[arg(long, value_name = "ID", conflicts_with_all = ["kill", "program"])]
    pub status: Option<String>,
    /// End this driver or application.
    #[arg(long, value_name = "ID", conflicts_with = "program")]
    pub kill: Option<String>,
    /// A setting, as `spark.sql.ansi.enabled=false`; may be repeated.
    #[arg(long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
    /// A file of statements (`.sql`), or a program and its arguments.
    #[arg(value_name = "FILE", trailing_var_arg = true, allow_hyphen_values = true)]
    pub program: Vec<String>,
}

impl SubmitOptions {
    /// Whether the driver runs on a worker.
    pub fn cluster_mode(&self) -> bool {
        self.deploy_mode == DeployMode::Cluster
    }
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
    /// A file of statements to run first; then the shell, or what -e and -f say.
    #[arg(short = 'i', long = "init", value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// How results are printed; a table on a terminal, else tab-separated values.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// A machine-readable session on standard input and output.
    #[arg(long, value_enum, conflicts_with_all = ["execute", "file", "init", "format"])]
    pub protocol: Option<Protocol>,
    /// Where to run: `local`, `local[N]`, `local[*]`, `local-cluster[EXECUTORS,CORES,MEMORY]`, `vonk://HOST:PORT`.
    #[arg(long, value_name = "URL")]
    pub master: Option<String>,
    /// Memory that operators may hold together, as `512m` or `2g`; beyond it they spill to disk.
    #[arg(long, value_name = "BYTES")]
    pub memory: Option<String>,
    /// The database to use, as `shop` or `samples.tpch`.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<String>,
    /// A setting, as `spark.sql.ansi.enabled=false`; may be repeated.
    #[arg(short = 'c', long = "conf", value_name = "KEY=VALUE")]
    pub conf: Vec<String>,
    /// A setting, as of Hive: `${hiveconf:KEY}` in statements stands for it; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub hiveconf: Vec<String>,
    /// A variable: `${KEY}` and `${hivevar:KEY}` in statements stand for it; may be repeated.
    #[arg(short = 'd', long = "define", visible_alias = "hivevar", value_name = "KEY=VALUE")]
    pub define: Vec<String>,
    /// Nothing but prompts and results: no banner, no times, no progress bar.
    #[arg(short = 'S', long)]
    pub silent: bool,
    /// Print each statement before it runs.
    #[arg(short = 'v', long, visible_alias = "echo")]
    pub verbose: bool,
    /// No colours; nor are there any with NO_COLOR set, or where the output is no terminal.
    #[arg(long)]
    pub no_color: bool,
    /// Do not run ~/.vonkrc, which the shell runs first.
    #[arg(short = 'X', long)]
    pub no_rc: bool,
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
        let given = [("--conf", &self.conf), ("--hiveconf", &self.hiveconf), ("--define", &self.define)];
        for (option, settings) in given {
            for setting in settings {
                let Some((key, value)) = setting.split_once('=') else {
                    return Err(Error::new("_INVALID_ARGUMENT")
                        .with("argument", format!("{option} {setting}"))
                        .with("expected", "KEY=VALUE"));
                };
                builder = builder.config(key.trim(), value.trim());
            }
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
