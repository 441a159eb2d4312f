//! Files and tables.

use crate::{check, condition, letters, session};
use vonk::functions::*;
use vonk::{SaveMode, Session};

const LETTERS: [&str; 4] = ["0\t0\ta", "1\t2\tb", "2\t4\ta", "3\t6\tb"];
const COLUMNS: &str = "struct<id:bigint,v:bigint,k:string>";

#[test]
fn folders() {
    let s = session();
    let df = letters(&s);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letters").to_string_lossy().into_owned();
    df.write().parquet(&path).unwrap();
    check(s.read().parquet([path.as_str()]), COLUMNS, &LETTERS);
    assert_eq!(condition(df.write().save(&path)), "PATH_ALREADY_EXISTS");
    df.write().mode(SaveMode::Ignore).save(&path).unwrap();
    check(s.read().load([path.as_str()]), COLUMNS, &LETTERS);
    df.write().mode(SaveMode::Append).save(&path).unwrap();
    assert_eq!(s.read().load([path.as_str()]).unwrap().count().unwrap(), 8);
    df.limit(1).unwrap().write().mode(SaveMode::Overwrite).option("compression", "zstd").save(&path).unwrap();
    assert_eq!(s.read().load([path.as_str()]).unwrap().count().unwrap(), 1);
    assert_eq!(s.read().load([path.as_str(), path.as_str()]).unwrap().count().unwrap(), 2);
}

#[test]
fn folders_of_partitions() {
    let s = session();
    let df = letters(&s);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("by_v").to_string_lossy().into_owned();
    df.write().partition_by(["v"]).save(&path).unwrap();
    assert!(std::path::Path::new(&path).join("v=4").is_dir());
    check(
        s.read().parquet([path.as_str()]),
        "struct<id:bigint,k:string,v:int>",
        &["0\ta\t0", "1\tb\t2", "2\ta\t4", "3\tb\t6"],
    );
    assert_eq!(
        condition(df.write().mode(SaveMode::Append).partition_by(["zz"]).save(&path)),
        "COLUMN_NOT_DEFINED_IN_TABLE"
    );
    assert_eq!(
        condition(df.write().mode(SaveMode::Append).partition_by(["id", "v", "k"]).save(&path)),
        "ALL_PARTITION_COLUMNS_NOT_ALLOWED"
    );
}

#[test]
fn schemas_that_are_asked_for() {
    let s = session();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letters").to_string_lossy().into_owned();
    letters(&s).write().parquet(&path).unwrap();
    let read = s.read().schema_ddl("k STRING, extra INT, id DOUBLE").unwrap();
    check(
        read.load([path.as_str()]),
        "struct<k:string,extra:int,id:double>",
        &["a\tNULL\t0.0", "b\tNULL\t1.0", "a\tNULL\t2.0", "b\tNULL\t3.0"],
    );
    assert_eq!(condition(s.read().schema_ddl("k WHAT").map(drop)), "UNSUPPORTED_DATATYPE");
    assert_eq!(condition(s.read().load(["/nowhere/at/all"])), "PATH_NOT_FOUND");
    assert_eq!(condition(s.read().format("csv").load([path.as_str()])), "_UNSUPPORTED_IN_VONK");
    assert_eq!(condition(s.read().format("nonsense").load([path.as_str()])), "DATA_SOURCE_NOT_FOUND");
    assert_eq!(condition(s.read().load([] as [&str; 0])), "UNABLE_TO_INFER_SCHEMA");
}

fn with_warehouse(folder: &tempfile::TempDir) -> Session {
    let warehouse = folder.path().join("warehouse").to_string_lossy().into_owned();
    Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.sql.warehouse.dir", &warehouse)
        .build()
        .unwrap()
}

#[test]
fn tables() {
    let folder = tempfile::tempdir().unwrap();
    let s = with_warehouse(&folder);
    let df = letters(&s);
    df.write().save_as_table("t").unwrap();
    check(s.table("t"), COLUMNS, &LETTERS);
    assert_eq!(condition(df.write().save_as_table("t")), "TABLE_OR_VIEW_ALREADY_EXISTS");
    df.write().mode(SaveMode::Ignore).save_as_table("t").unwrap();
    // By name, whatever their order.
    let turned = df.select(("k", "v", "id")).unwrap();
    turned.write().mode(SaveMode::Append).save_as_table("t").unwrap();
    assert_eq!(s.table("t").unwrap().filter("k IN ('a', 'b')").unwrap().count().unwrap(), 8);
    // By position.
    df.select((col("v"), col("id"), lit("c"))).unwrap().write().insert_into("t").unwrap();
    assert_eq!(s.table("t").unwrap().filter("k = 'c'").unwrap().count().unwrap(), 4);
    df.write().mode(SaveMode::Overwrite).insert_into("t").unwrap();
    check(s.table("t"), COLUMNS, &LETTERS);
    df.limit(1).unwrap().write().mode(SaveMode::Overwrite).partition_by(["k"]).save_as_table("t").unwrap();
    assert_eq!(s.table("t").unwrap().count().unwrap(), 1);
    assert_eq!(condition(df.write().insert_into("nowhere")), "TABLE_OR_VIEW_NOT_FOUND");
    assert_eq!(condition(df.write().partition_by(["k"]).insert_into("t")), "_ILLEGAL_ARGUMENT");
}
