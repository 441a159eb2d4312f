//! A table of one's own: rows that this program makes as a query asks for them.
//!
//! ```sh
//! cargo run --release -p vonk --example table_provider
//! ```

use arrow::array::{ArrayRef, Int64Array, StringArray};
use std::sync::Arc;
use vonk::provider::{Batches, Scan, TableProvider};
use vonk::{DataType, Session, StructField, StructType};

/// Collatz sequences: how many steps each number takes to 1.
struct Collatz {
    below: i64,
}

impl TableProvider for Collatz {
    fn schema(&self) -> StructType {
        StructType::new(vec![
            StructField::new("n", DataType::Long, false),
            StructField::new("steps", DataType::Long, false),
            StructField::new("path", DataType::String, false),
        ])
    }

    fn partitions(&self) -> usize {
        4
    }

    fn rows(&self) -> Option<u64> {
        u64::try_from(self.below - 1).ok()
    }

    fn scan(&self, partition: usize, scan: &Scan) -> vonk::Result<Batches> {
        let numbers: Vec<i64> = (1..self.below).filter(|n| *n as usize % 4 == partition).collect();
        let wants_path = scan.columns.contains(&2);
        let batches: Vec<Vec<ArrayRef>> = numbers
            .chunks(scan.batch_rows)
            .map(|chunk| {
                let paths: Vec<Vec<i64>> = chunk.iter().map(|n| path(*n)).collect();
                let steps: Int64Array = paths.iter().map(|p| Some(p.len() as i64 - 1)).collect();
                // Texts cost something; they are made only where a query asks for them.
                let texts = paths.iter().map(|p| if wants_path { format!("{p:?}") } else { String::new() });
                let texts: StringArray = texts.map(Some).collect();
                vec![Arc::new(Int64Array::from(chunk.to_vec())) as ArrayRef, Arc::new(steps), Arc::new(texts)]
            })
            .collect();
        Ok(scan.batches(batches))
    }
}

fn path(mut n: i64) -> Vec<i64> {
    let mut path = vec![n];
    while n != 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        path.push(n);
    }
    path
}

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    session.register_table("collatz", Arc::new(Collatz { below: 100_000 }))?;
    session.sql("SELECT n, steps FROM collatz ORDER BY steps DESC, n LIMIT 3")?.show()?;
    session.sql("SELECT path FROM collatz WHERE n = 6")?.show_rows(20, 0, false)
}
