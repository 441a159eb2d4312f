//! Tables that this program makes.

use crate::{check, condition, message, session};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use parking_lot::Mutex;
use std::sync::Arc;
use vonk::functions::*;
use vonk::provider::{Batches, Scan, TableProvider};
use vonk::{DataType, StructField, StructType};

/// `n` from 0 to below 100, in four partitions, with its text; remembers what it was asked.
#[derive(Default)]
struct Numbers {
    asked: Mutex<Vec<Scan>>,
    wrong: bool,
}

impl TableProvider for Numbers {
    fn schema(&self) -> StructType {
        StructType::new(vec![
            StructField::new("n", DataType::Long, false),
            StructField::new("text", DataType::String, true),
        ])
    }

    fn partitions(&self) -> usize {
        4
    }

    fn rows(&self) -> Option<u64> {
        Some(100)
    }

    fn scan(&self, partition: usize, scan: &Scan) -> vonk::Result<Batches> {
        self.asked.lock().push(scan.clone());
        let first = partition as i64 * 25;
        let n: Vec<i64> = (first..first + 25).collect();
        let text: ArrayRef =
            Arc::new(StringArray::from(n.iter().map(|n| format!("no {n}")).collect::<Vec<_>>()));
        let n: ArrayRef = Arc::new(Int64Array::from(n));
        let columns = if self.wrong { vec![text.clone(), text] } else { vec![n, text] };
        Ok(scan.batches([columns]))
    }
}

#[test]
fn rows_of_a_provider() {
    let s = session();
    let numbers = Arc::new(Numbers::default());
    s.register_table("numbers", numbers.clone()).unwrap();
    check(
        s.sql("SELECT count(*) AS c, sum(n) AS s FROM numbers"),
        "struct<c:bigint,s:bigint>",
        &["100\t4950"],
    );
    check(
        s.sql("SELECT text FROM numbers WHERE n BETWEEN 24 AND 26 AND text <> 'no 25'"),
        "struct<text:string>",
        &["no 24", "no 26"],
    );
    let asked = numbers.asked.lock().last().cloned().unwrap();
    assert!(asked.filters.iter().any(|f| f.column == 0), "{asked:?}");
    let df = s.read_provider("more", numbers.clone()).unwrap();
    check(
        df.filter(col("n").lt(2)).and_then(|d| d.select(("text", "n"))),
        "struct<text:string,n:bigint>",
        &["no 0\t0", "no 1\t1"],
    );
    numbers.asked.lock().clear();
    df.select("n").unwrap().limit(3).unwrap().collect().unwrap();
    assert!(numbers.asked.lock().iter().all(|scan| scan.columns == [0]));
    let joined = df.join_using(&s.table("numbers").unwrap(), ["n"], "inner").unwrap();
    assert_eq!(joined.count().unwrap(), 100);
}

#[test]
fn providers_that_err() {
    let s = session();
    s.register_table("wrong", Arc::new(Numbers { wrong: true, ..Numbers::default() })).unwrap();
    let error = message(s.sql("SELECT n FROM wrong").and_then(|d| d.collect()));
    assert!(error.contains("its column n is Utf8, not bigint"), "{error}");
    check(s.sql("SELECT 1 AS one"), "struct<one:int>", &["1"]);
    s.sql("DROP VIEW wrong").unwrap();
    assert_eq!(condition(s.sql("SELECT n FROM wrong")), "TABLE_OR_VIEW_NOT_FOUND");
}
