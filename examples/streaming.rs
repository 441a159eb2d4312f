//! A result that never stands in memory as a whole: batches as a stream, on tokio.
//!
//! ```sh
//! cargo run --release -p vonk --example streaming
//! ```

use futures::StreamExt;
use vonk::Session;

#[tokio::main]
async fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let numbers = session.sql("SELECT id, sha2(string(id), 256) AS hash FROM range(3000000)")?;
    let mut batches = numbers.to_stream()?;
    let (mut rows, mut found) = (0, None);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        if rows > 2_000_000 {
            found = Some(batch.num_columns());
            break; // Dropping the stream cancels the query.
        }
    }
    drop(batches);
    println!("stopped after two million rows or a little more; a batch has {found:?} columns");
    println!("{} rows in all", session.range(0, 3_000_000)?.count_async().await?);
    Ok(())
}
