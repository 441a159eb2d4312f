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

#[test]
fn tables_by_verbs() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = folder.path().to_string_lossy().into_owned();
    let s =
        Session::builder().master("local[2]").config("spark.sql.warehouse.dir", &warehouse).build().unwrap();
    let df = letters(&s);
    let written = || s.table("t").unwrap().select(count("*")).unwrap().collect_text().unwrap();
    assert_eq!(condition(df.write_to("t").append()), "TABLE_OR_VIEW_NOT_FOUND");
    assert_eq!(condition(df.write_to("t").replace()), "TABLE_OR_VIEW_NOT_FOUND");
    df.write_to("t").using("parquet").table_property("a", "b").create().unwrap();
    assert_eq!(condition(df.write_to("t").create()), "TABLE_OR_VIEW_ALREADY_EXISTS");
    // By name.
    df.select(("k", "v", "id")).unwrap().write_to("t").append().unwrap();
    assert_eq!(written(), ["8"]);
    df.write_to("t").overwrite_partitions().unwrap();
    assert_eq!(written(), ["4"]);
    df.limit(1).unwrap().write_to("t").replace().unwrap();
    assert_eq!(written(), ["1"]);
    df.write_to("t").partitioned_by(["k"]).create_or_replace().unwrap();
    check(s.table("t"), "struct<id:bigint,v:bigint,k:string>", &["0\t0\ta", "1\t2\tb", "2\t4\ta", "3\t6\tb"]);
    assert_eq!(condition(df.write_to("t").overwrite_partitions()), "_UNSUPPORTED_IN_VONK");
}

#[test]
fn the_catalog_by_calls() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = folder.path().to_string_lossy().into_owned();
    let s =
        Session::builder().master("local[2]").config("spark.sql.warehouse.dir", &warehouse).build().unwrap();
    letters(&s).create_temp_view("tv").unwrap();
    letters(&s).create_global_temp_view("gv_of_calls").unwrap();
    assert!(s.table_exists("tv").unwrap() && s.table_exists("global_temp.gv_of_calls").unwrap());
    assert!(!s.table_exists("nope").unwrap());
    assert!(s.function_exists("sum").unwrap() && !s.function_exists("nope").unwrap());
    assert!(s.database_exists("default").unwrap() && !s.database_exists("x").unwrap());
    assert_eq!(condition(s.set_current_database("nope")), "SCHEMA_NOT_FOUND");
    assert_eq!(condition(s.is_cached("nope")), "TABLE_OR_VIEW_NOT_FOUND");
    assert!(!s.is_cached("tv").unwrap());
    s.cache_table("tv").unwrap();
    assert!(s.is_cached("tv").unwrap());
    s.uncache_table("tv").unwrap();
    assert!(!s.is_cached("tv").unwrap());
    s.cache_table("tv").unwrap();
    s.clear_cache().unwrap();
    assert!(!s.is_cached("tv").unwrap());
    s.refresh_table("tv").unwrap();
    assert!(s.drop_temp_view("tv") && !s.drop_temp_view("tv"));
    assert!(s.drop_global_temp_view("gv_of_calls") && !s.drop_global_temp_view("gv_of_calls"));
    assert_eq!(condition(s.cache_table("tv; DROP TABLE x")), "PARSE_SYNTAX_ERROR");
}
