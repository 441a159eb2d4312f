//! `vonk master`, `vonk worker`, `vonk submit`.
//!
//! Must not know: how a cluster decides.

use crate::options::{MasterOptions, SubmitOptions, WorkerOptions};
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;
use vonk::standalone::{
    self, DriverCommand, DriverProgram, DriverStatus, KeptDrivers, MasterAddress, MasterDaemonOptions,
    Resources, SUBMITTED_VARIABLE, Security, WebPort, WorkerDaemonOptions, block_on,
};
use vonk::{Conf, Error, conf};

/// What settings need a driver that runs on a worker to reach the master there.
const SECURITY_SETTINGS: &str = "spark.ssl.";

/// The settings of `--conf`, which must be right.
pub fn settings(given: &[String]) -> vonk::Result<Conf> {
    let mut conf = Conf::new();
    for setting in given {
        let (key, value) = setting.split_once('=').ok_or_else(|| {
            Error::new("_INVALID_ARGUMENT")
                .with("argument", format!("--conf {setting}"))
                .with("expected", "KEY=VALUE")
        })?;
        conf.set(key.trim(), value.trim())?;
    }
    Ok(conf)
}

/// Bytes, as `512m` or `2g`.
fn bytes(argument: &str, text: &str) -> vonk::Result<u64> {
    let parsed = <conf::Bytes as conf::Value>::parse(text).ok().and_then(|b| u64::try_from(b.0).ok());
    parsed.filter(|b| *b > 0).ok_or_else(|| {
        Error::new("_INVALID_ARGUMENT")
            .with("argument", format!("{argument} {text}"))
            .with("expected", "a number of bytes, as 512m or 2g")
    })
}

/// The milliseconds of a setting in seconds.
fn millis(conf: &Conf, key: &conf::Key<i64>) -> u64 {
    u64::try_from(conf.get(key)).unwrap_or(0).saturating_mul(1000)
}

/// A setting that counts things.
fn count(conf: &Conf, key: &conf::Key<i32>) -> usize {
    usize::try_from(conf.get(key)).unwrap_or(0)
}

/// The port that was asked for and no other, or the usual one or one of the next: several workers may be on one machine.
fn web_port(conf: &Conf, asked: Option<u16>, usual: u16) -> WebPort {
    let others = u16::try_from(conf.get(&conf::PORT_MAX_RETRIES)).unwrap_or(0);
    asked.map_or(WebPort { first: usual, others }, WebPort::exactly)
}

/// The silence after which a worker is lost.
fn worker_timeout(conf: &Conf) -> u64 {
    millis(conf, &conf::WORKER_TIMEOUT).max(1000)
}

/// `vonk master`.
pub fn master(options: &MasterOptions) -> vonk::Result<ExitCode> {
    let conf = settings(&options.conf)?;
    let worker_timeout = worker_timeout(&conf);
    let machine = standalone::MasterOptions {
        worker_timeout,
        recovery_timeout: match millis(&conf, &conf::DEPLOY_RECOVERY_TIMEOUT) {
            0 => worker_timeout,
            timeout => timeout,
        },
        spread_out: conf.get(&conf::DEPLOY_SPREAD_OUT),
        default_cores: u32::try_from(conf.get(&conf::DEPLOY_DEFAULT_CORES)).ok().filter(|cores| *cores > 0),
        max_executor_retries: u32::try_from(conf.get(&conf::DEPLOY_MAX_EXECUTOR_RETRIES)).ok(),
        retained_applications: count(&conf, &conf::DEPLOY_RETAINED_APPLICATIONS),
        retained_drivers: count(&conf, &conf::DEPLOY_RETAINED_DRIVERS),
        ..standalone::MasterOptions::default()
    };
    standalone::run_master(MasterDaemonOptions {
        host: options.host.clone(),
        port: options.port,
        webui_port: Some(web_port(&conf, options.webui_port, 8080)),
        recovery_dir: options.recovery_dir.clone(),
        security: Security::from_conf(&conf)?,
        options: machine,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `vonk worker`.
pub fn worker(options: &WorkerOptions) -> vonk::Result<ExitCode> {
    let conf = settings(&options.conf)?;
    let here = std::thread::available_parallelism().map_or(1, |n| n.get());
    let handed_on = conf.iter().filter(|(k, _)| k.starts_with(SECURITY_SETTINGS));
    let kept_drivers = KeptDrivers {
        millis: millis(&conf, &conf::WORKER_CLEANUP_TTL),
        most: count(&conf, &conf::WORKER_RETAINED_DRIVERS),
    };
    standalone::run_worker(WorkerDaemonOptions {
        master: options.master.parse()?,
        host: options.host.clone(),
        cores: options.cores.unwrap_or(u32::try_from(here).unwrap_or(1)),
        memory: bytes("--memory", &options.memory)?,
        work_dir: options.work_dir.clone(),
        webui_port: Some(web_port(&conf, options.webui_port, 8081)),
        security: Security::from_conf(&conf)?,
        // As Spark: four reports before a worker counts as lost.
        heartbeat: worker_timeout(&conf) / 4,
        program: conf.get(&conf::EXECUTOR_PROGRAM),
        conf: handed_on.map(|(k, v)| (k.to_string(), v.to_string())).collect(),
        shuffle_service: conf.get(&conf::SHUFFLE_SERVICE),
        log_bytes: u64::try_from(conf.get(&conf::EXECUTOR_LOG_MAX_SIZE).0).unwrap_or(0).max(1),
        kept_drivers: conf.get(&conf::WORKER_CLEANUP).then_some(kept_drivers),
        retained_executors: count(&conf, &conf::WORKER_RETAINED_EXECUTORS),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `vonk submit`.
pub fn submit(options: &SubmitOptions) -> vonk::Result<ExitCode> {
    let conf = submitted_settings(options)?;
    let master: MasterAddress = options.master.parse()?;
    let security = Security::from_conf(&conf)?;
    let unknown = |id: &str| {
        let cause = "the master does not know it";
        Error::io(format!("no driver or application {id}"), cause)
    };
    if let Some(id) = &options.status {
        let status =
            block_on(standalone::submit::status(&master, &security, id))?.ok_or_else(|| unknown(id))?;
        return Ok(print(&status));
    }
    if let Some(id) = &options.kill {
        let status =
            block_on(standalone::submit::kill(&master, &security, id))?.ok_or_else(|| unknown(id))?;
        print(&status);
        return Ok(ExitCode::SUCCESS);
    }
    let Some((file, arguments)) = options.program.split_first() else {
        return Err(Error::new("_INVALID_ARGUMENT")
            .with("argument", "nothing to run")
            .with("expected", "FILE.sql or the file of a program"));
    };
    let (secrets, told): (Vec<_>, Vec<_>) = conf.iter().partition(|(k, _)| conf::is_secret(k));
    // Those of the connections go their own way.
    for (key, _) in
        secrets.iter().filter(|(k, _)| !k.starts_with("spark.authenticate") && !k.starts_with("spark.ssl"))
    {
        eprintln!(
            "{key} is not handed on: it looks like a secret, and settings can be seen; the program may find it in a file"
        );
    }
    let told: BTreeMap<String, String> =
        told.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let program = program(file, arguments)?;
    if options.cluster_mode() {
        let driver = DriverCommand { program, conf: told };
        let name = conf.get(&conf::APP_NAME);
        let resources = Resources {
            cores: options.driver_cores,
            memory: bytes("--driver-memory", &options.driver_memory)?,
        };
        let submitted =
            standalone::submit::submit(&master, &security, &name, resources, options.supervise, &driver);
        let status = block_on(submitted)?;
        println!("{}", status.id);
        if options.wait {
            let over = block_on(standalone::submit::wait(&master, &security, &status.id))?;
            return Ok(print(&over.ok_or_else(|| unknown(&status.id))?));
        }
        return Ok(ExitCode::SUCCESS);
    }
    run_here(file, program, &told, &security)
}

/// The settings of the options and of `--conf`.
fn submitted_settings(options: &SubmitOptions) -> vonk::Result<Conf> {
    let mut conf = settings(&options.conf)?;
    let mut set = |key: &str, value: &Option<String>| match value {
        Some(value) => conf.set(key, value),
        None => Ok(()),
    };
    set("spark.executor.cores", &options.executor_cores.map(|n| n.to_string()))?;
    set("spark.executor.memory", &options.executor_memory)?;
    set("spark.cores.max", &options.total_executor_cores.map(|n| n.to_string()))?;
    set("spark.master", &Some(options.master.clone()))?;
    let file = options.program.first().map(|f| Path::new(f).file_name().unwrap_or_default());
    let name = options.name.clone().or_else(|| file.map(|f| f.to_string_lossy().into_owned()));
    set("spark.app.name", &name)?;
    Ok(conf)
}

fn program(file: &str, arguments: &[String]) -> vonk::Result<DriverProgram> {
    if !file.ends_with(".sql") {
        let path = std::fs::canonicalize(file).map_err(|e| Error::io(format!("cannot find {file}"), e))?;
        let file = path.to_string_lossy().into_owned();
        return Ok(DriverProgram::Binary { file, arguments: arguments.to_vec() });
    }
    if !arguments.is_empty() {
        return Err(Error::new("_INVALID_ARGUMENT")
            .with("argument", arguments.join(" "))
            .with("expected", "no arguments after a file of statements"));
    }
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(format!("cannot read {file}"), e))?;
    Ok(DriverProgram::Sql(text))
}

/// Deploy mode `client`: this process becomes the driver, so that whoever ends it ends the driver. Returns only if that cannot be.
fn run_here(
    file: &str,
    program: DriverProgram,
    conf: &BTreeMap<String, String>,
    security: &Security,
) -> vonk::Result<ExitCode> {
    let this = std::env::current_exe().map_err(|e| Error::io("cannot find this program's file", e))?;
    let json = serde_json::to_string(conf).map_err(|e| Error::internal(e.to_string()))?;
    let mut command = match program {
        DriverProgram::Sql(_) => {
            let mut command = std::process::Command::new(this);
            command.arg("sql").arg("-f").arg(file);
            command
        }
        DriverProgram::Binary { file, arguments } => {
            let mut command = std::process::Command::new(file);
            command.args(arguments);
            command
        }
    };
    command.env(SUBMITTED_VARIABLE, json).envs(security.environment());
    Err(Error::io(format!("cannot start {file}"), command.exec()))
}

/// Says how it is; the exit code of one that ended badly.
fn print(status: &DriverStatus) -> ExitCode {
    let DriverStatus { id, name, state, worker, reason, .. } = status;
    println!("{id}\t{state}\t{name}");
    if let Some(worker) = worker {
        println!("worker\t{worker}");
    }
    if let Some(reason) = reason {
        println!("reason\t{reason}");
    }
    if status.over && !status.succeeded { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
