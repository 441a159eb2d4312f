"""The ADBC driver against a server: python adbc.py URI. Ends with 0 if all is as it should be."""

import datetime as dt
import decimal
import sys
import threading

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import pandas
import polars
import pyarrow as pa

URI = sys.argv[1]
DECIMAL = decimal.Decimal
TYPES = [
    ("true", pa.bool_(), True),
    ("1Y", pa.int8(), 1),
    ("2S", pa.int16(), 2),
    ("3", pa.int32(), 3),
    ("4L", pa.int64(), 4),
    ("1.5F", pa.float32(), 1.5),
    ("2.5D", pa.float64(), 2.5),
    ("1.25", pa.decimal128(3, 2), DECIMAL("1.25")),
    ("CAST('12345678901234567890.12' AS DECIMAL(38,2))", pa.decimal128(38, 2), DECIMAL("12345678901234567890.12")),
    ("'é\U0001f600'", pa.string(), "é\U0001f600"),
    ("X'00FF'", pa.binary(), b"\x00\xff"),
    ("DATE'1582-10-15'", pa.date32(), dt.date(1582, 10, 15)),
    (
        "TIMESTAMP'2024-01-02 03:04:05.123456Z'",
        pa.timestamp("us", "UTC"),
        dt.datetime(2024, 1, 2, 3, 4, 5, 123456, dt.timezone.utc),
    ),
    ("TIMESTAMP_NTZ'2024-01-02 03:04:05.123456'", pa.timestamp("us"), dt.datetime(2024, 1, 2, 3, 4, 5, 123456)),
    # pyarrow has no value for months alone, so they come as part of an interval that has one.
    ("INTERVAL '1-2' YEAR TO MONTH", pa.month_day_nano_interval(), pa.MonthDayNano([14, 0, 0])),
    ("INTERVAL '1 02:03:04.5' DAY TO SECOND", pa.duration("us"), dt.timedelta(days=1, seconds=7384, milliseconds=500)),
    ("make_interval(1, 2, 3, 4, 5, 6, 7.5)", pa.month_day_nano_interval(), pa.MonthDayNano([14, 25, 18367500000000])),
    ("array(1, null, 3)", None, [1, None, 3]),
    ("array(array('a'), array(null))", None, [["a"], [None]]),
    ("map('k', 1.5, 'l', null)", None, [("k", DECIMAL("1.5")), ("l", None)]),
    ("struct(1 AS a, array(struct('x' AS b)) AS c)", None, {"a": 1, "c": [{"b": "x"}]}),
]


def one(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetch_arrow_table()


def check_types(cursor):
    for text, arrow, value in TYPES:
        column = one(cursor, f"SELECT {text} AS x")["x"]
        assert arrow is None or column.type == arrow, (text, column.type)
        assert column.to_pylist() == [value], (text, column.to_pylist())
        nulls = one(cursor, f"SELECT if(id = 1, {text}, null) AS x FROM range(3) ORDER BY id")["x"]
        assert nulls.to_pylist() == [None, value, None], (text, nulls.to_pylist())
        if arrow is None:
            arrow = column.type
        # There and back, as a parameter.
        back = one_arrow(cursor, "SELECT ? AS x", pa.table({"0": pa.array([value], type=arrow)}))
        assert back.to_pylist() == [value], (text, back.to_pylist())
        back = one_arrow(cursor, f"SELECT ? IS NULL AND coalesce(?, {text}) IS NOT NULL AS x",
                         pa.table({"0": pa.array([None], type=arrow), "1": pa.array([None], type=arrow)}))
        assert back.to_pylist() == [True], text
    check_intervals(cursor)
    assert one(cursor, "SELECT null AS x")["x"].to_pylist() == [None]


def check_intervals(cursor):
    """Months in Python's libraries, nested, and as values of parameters that are wanted as months."""
    months, text = pa.MonthDayNano([14, 0, 0]), "INTERVAL '1-2' YEAR TO MONTH"
    field = cursor.adbc_execute_schema(f"SELECT {text} AS x").field("x")
    assert field.metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"INTERVAL YEAR TO MONTH", field.metadata
    nested = one(cursor, f"SELECT array({text}, null) AS x, struct({text} AS m) AS y, map('k', {text}) AS z").to_pylist()
    assert nested == [{"x": [months, None], "y": {"m": months}, "z": [("k", months)]}], nested
    cursor.execute(f"SELECT {text} AS x")
    assert cursor.fetchall() == [(months,)]
    assert one(cursor, f"SELECT {text} AS x").to_pandas()["x"][0] == pandas.DateOffset(months=14, days=0, nanoseconds=0)
    values = pa.table({"0": pa.array([months], pa.month_day_nano_interval())})
    assert one_arrow(cursor, f"SELECT {text} = ? AS x", values).to_pylist() == [True]
    assert one_arrow(cursor, "SELECT DATE'2024-01-31' + coalesce(?, INTERVAL '0' MONTH) AS x", values).to_pylist() == [dt.date(2025, 3, 31)]


def one_arrow(cursor, sql, table):
    cursor.adbc_statement.set_sql_query(sql)
    cursor.adbc_statement.prepare()
    cursor.adbc_statement.bind_stream(table.to_reader())
    handle, _ = cursor.adbc_statement.execute_query()
    return pa.RecordBatchReader._import_from_c(handle.address).read_all()["x"]


def check_frames(connection, cursor):
    sql = "SELECT id, CAST(id AS STRING) AS s, id % 3 = 0 AS b FROM range(1000) ORDER BY id"
    frame = pandas.read_sql(sql, connection)
    assert frame["id"].sum() == 499500 and frame["s"][7] == "7" and frame["b"].sum() == 334
    frame = polars.read_database(sql, connection)
    assert frame["id"].sum() == 499500 and frame["s"][7] == "7" and frame["b"].sum() == 334
    cursor.execute("SELECT count(*) FROM samples.tpch.lineitem WHERE l_quantity > ?", (49,))
    assert cursor.fetchone()[0] > 0
    big = one(cursor, "SELECT id FROM range(2000000)")
    assert big.num_rows == 2000000 and sum(big["id"].to_pylist()) == 1999999000000


def check_updates(cursor):
    cursor.execute("CREATE TABLE adbc_t (i INT, s STRING, p DECIMAL(10,2), d DATE) USING parquet")
    cursor.executemany(
        "INSERT INTO adbc_t VALUES (?, ?, ?, ?)",
        [(1, "a", DECIMAL("1.50"), dt.date(2024, 1, 1)), (2, None, None, None)],
    )
    cursor.execute("SELECT * FROM adbc_t ORDER BY i")
    assert cursor.fetchall() == [(1, "a", DECIMAL("1.50"), dt.date(2024, 1, 1)), (2, None, None, None)]
    table = pa.table({"i": pa.array([3, 4], pa.int32()), "s": ["c", None]})
    assert cursor.adbc_ingest("adbc_t", table, mode="append") == 2
    assert cursor.adbc_ingest("adbc_new", table, mode="create") == 2
    assert cursor.adbc_ingest("adbc_new", table, mode="replace") == 2
    assert cursor.adbc_ingest("adbc_temp", table, mode="create", temporary=True) == 2
    for name, rows in [("adbc_t", 4), ("adbc_new", 2), ("adbc_temp", 2)]:
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchone() == (rows,), name
    assert polars.DataFrame({"x": [1, 2, 3]}).write_database("polars_t", cursor._conn, engine="adbc") == 3


def check_metadata(connection):
    assert connection.adbc_get_info()["vendor_name"] == "Vonk"
    assert {"TABLE", "VIEW"} <= set(connection.adbc_get_table_types())
    objects = connection.adbc_get_objects(catalog_filter="samples", depth="all").read_all().to_pylist()
    tables = objects[0]["catalog_db_schemas"][0]["db_schema_tables"]
    nation = next(t for t in tables if t["table_name"] == "nation")
    assert [c["column_name"] for c in nation["table_columns"]] == [
        "n_nationkey", "n_name", "n_regionkey", "n_comment"
    ]
    schema = connection.adbc_get_table_schema("nation", catalog_filter="samples", db_schema_filter="tpch")
    assert schema.field("n_name").type == pa.string()


def check_errors(cursor):
    try:
        cursor.execute("SELECT nope FROM range(1)")
        raise AssertionError("no error")
    except adbc_driver_manager.ProgrammingError as e:
        details = dict(e.details)
        assert details[b"x-vonk-sqlstate" if b"x-vonk-sqlstate" in details else "x-vonk-sqlstate"] == b"42703", details
        assert "UNRESOLVED_COLUMN.WITH_SUGGESTION" in str(e)
    try:
        cursor.execute("SELECT 1 / (id - 900000) FROM range(1000000)")
        cursor.fetch_arrow_table()
        raise AssertionError("no error")
    except (adbc_driver_manager.Error, OSError, pa.ArrowException) as e:
        assert "DIVIDE_BY_ZERO" in str(e), e
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)


def check_cancel(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT a.id FROM range(1000000) a, range(1000000) b")
        timer = threading.Timer(0.5, cursor.adbc_cancel)
        timer.start()
        try:
            while cursor.fetchmany(100000):
                pass
            raise AssertionError("it ended")
        except (adbc_driver_manager.Error, OSError, pa.ArrowException) as e:
            assert "cancel" in str(e).lower(), e


def check_settings(connection, cursor):
    cursor.execute("SET spark.sql.session.timeZone = Asia/Tokyo")
    cursor.execute("SELECT current_timezone()")
    assert cursor.fetchone() == ("Asia/Tokyo",)
    connection.adbc_connection.set_options(**{"adbc.connection.catalog": "samples"})
    cursor.execute("SELECT current_catalog()")
    assert cursor.fetchone() == ("samples",)


def main():
    options = dict(argument.split("=", 1) for argument in sys.argv[2:])
    with flightsql.connect(URI, db_kwargs=options, autocommit=True) as connection:
        with connection.cursor() as cursor:
            for check in (check_types, check_updates, check_errors):
                check(cursor)
                print(check.__name__, "ok", flush=True)
            check_frames(connection, cursor)
            check_metadata(connection)
            print("frames, metadata ok", flush=True)
        check_cancel(connection)
        print("cancel ok", flush=True)
        with connection.cursor() as cursor:
            check_settings(connection, cursor)
    print("all ok")


if __name__ == "__main__":
    main()
