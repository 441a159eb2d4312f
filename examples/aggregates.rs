//! An aggregate function in Rust. Its states are merged between tasks, and go to disk when memory is short.
//!
//! ```sh
//! cargo run --release -p vonk --example aggregates
//! ```

use serde::{Deserialize, Serialize};
use vonk::Session;
use vonk::udf::Aggregator;

/// The least-squares line through points.
struct Line;

#[derive(Serialize, Deserialize, Default)]
struct Sums {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Aggregator for Line {
    type Input = (f64, f64);
    type State = Sums;
    type Output = Option<String>;

    fn zero(&self) -> Sums {
        Sums::default()
    }

    fn reduce(&self, s: Sums, (x, y): (f64, f64)) -> Sums {
        Sums { n: s.n + 1.0, x: s.x + x, y: s.y + y, xx: s.xx + x * x, xy: s.xy + x * y }
    }

    fn merge(&self, a: Sums, b: Sums) -> Sums {
        Sums { n: a.n + b.n, x: a.x + b.x, y: a.y + b.y, xx: a.xx + b.xx, xy: a.xy + b.xy }
    }

    fn finish(&self, s: Sums) -> Option<String> {
        let width = s.n * s.xx - s.x * s.x;
        if width == 0.0 {
            return None;
        }
        let slope = (s.n * s.xy - s.x * s.y) / width;
        Some(format!("y = {:.2} x + {:.2}", slope, (s.y - slope * s.x) / s.n))
    }
}

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    session.udf().register_aggregator("line", Line)?;
    session
        .sql(
            "SELECT l_returnflag, line(double(l_quantity), double(l_extendedprice)) AS price_by_quantity
             FROM samples.tpch.lineitem GROUP BY l_returnflag ORDER BY l_returnflag",
        )?
        .show_rows(20, 0, false)
}
