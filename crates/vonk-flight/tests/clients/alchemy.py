"""SQLAlchemy through flightsql-dbapi against a server: python alchemy.py PORT [USER PASSWORD]. Ends with 0 if all is as it should be."""

import sys

import flightsql.sqlalchemy  # noqa: F401 (registers the dialect)
import sqlalchemy as sa
from flightsql import FlightSQLClient

port, login = sys.argv[1], sys.argv[2:]

# The client alone. Where it is told no token it sends `Bearer None`.
known = {"user": login[0], "password": login[1]} if login else {}
client = FlightSQLClient(host="127.0.0.1", port=int(port), insecure=True, **known)
info = client.execute("SELECT 1 AS a, 'x' AS b")
assert client.do_get(info.endpoints[0].ticket).read_all().to_pylist() == [{"a": 1, "b": "x"}]

user = ":".join(login) if login else "any:one"
engine = sa.create_engine(f"datafusion+flightsql://{user}@127.0.0.1:{port}?insecure=True")
nation = sa.table("nation", sa.column("n_name"), sa.column("n_nationkey"), schema=sa.sql.quoted_name("samples.tpch", quote=False))
with engine.connect() as connection:
    # The driver sends no parameters: constants are written into the statement.
    query = sa.select(nation.c.n_name).where(nation.c.n_nationkey < sa.literal_column("2")).order_by(nation.c.n_name)
    assert connection.execute(query).fetchall() == [("ALGERIA",), ("ARGENTINA",)]
    try:
        connection.execute(sa.text("SELECT 1 / 0")).fetchall()
        raise AssertionError("an error was expected")
    except Exception as e:
        assert "DIVIDE_BY_ZERO" in str(e), e
tables = sa.inspect(engine).get_table_names(schema="tpch")
assert "lineitem" in tables and "region" in tables, tables
print("all ok")
