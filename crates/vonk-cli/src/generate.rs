//! `vonk generate`.

use crate::options::{Data, GenerateOptions};
use std::process::ExitCode;

/// Writes the data, telling of each file on standard error.
pub fn run(options: &GenerateOptions) -> vonk::Result<ExitCode> {
    let Data::Tpch { scale, output } = &options.data;
    let begun = std::time::Instant::now();
    vonk::generate_tpch(*scale, output, &mut |file| {
        eprintln!("{}: {} rows, {:.1} MB", file.path, file.rows, file.bytes as f64 / 1e6);
    })?;
    eprintln!("done in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}
