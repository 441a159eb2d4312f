//! Values of Rust as rows, and rows as values of Rust.
//!
//! ```sh
//! cargo run --release -p vonk --example rust_structs
//! ```

use serde::{Deserialize, Serialize};
use vonk::Session;
use vonk::functions::{avg, col, count};

#[derive(Serialize)]
struct Reading {
    sensor: String,
    celsius: Option<f64>,
    tags: Vec<String>,
}

#[derive(Deserialize, Debug)]
struct Summary {
    sensor: String,
    readings: i64,
    mean: Option<f64>,
}

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let reading = |sensor: &str, celsius, tags: &[&str]| Reading {
        sensor: sensor.to_string(),
        celsius,
        tags: tags.iter().map(|t| t.to_string()).collect(),
    };
    let readings = session.create_dataframe_from(&[
        reading("roof", Some(18.5), &["outside"]),
        reading("roof", Some(21.5), &["outside", "sunny"]),
        reading("cellar", None, &[]),
    ])?;
    readings.print_schema();

    let summaries: Vec<Summary> = readings
        .group_by("sensor")
        .agg((count("*").alias("readings"), avg("celsius").alias("mean")))?
        .order_by(col("sensor"))?
        .collect_as()?;
    for s in summaries {
        println!("{}: {} readings, mean {:?}", s.sensor, s.readings, s.mean);
    }
    Ok(())
}
