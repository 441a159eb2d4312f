#!/usr/bin/env python3
"""TPC-H, or other queries over Parquet files, side by side: Vonk and, where their Python packages are installed, DuckDB, Polars, DataFusion
and Spark.

    python benches/tpch.py --scale 1 [--data DIR] [--vonk target/release/vonk] [--runs 3] [--queries 1,6] [--engines vonk,duckdb]
                           [--memory 512m] [--master local[2]] [--sql FOLDER]

Reads the queries from sql-tests/tpch/*.slt, so that there is one text of each; or those of FOLDER (q1.sql, q02.sql, ...), over the tables
that lie in DIR as TABLE.parquet (TPC-DS, as others generate it). Generates DIR with `vonk generate tpch` if it is not
there. Every engine runs in a process of its own, one query after the other, in the same minutes: a query runs on each engine
before the next query's turn. Prints, per query, the best of the warm runs, the ratio of Vonk to each, peak resident memory, and
whether the answers agree with the first engine that gave one (sorted rows; numbers to 8 digits or to the decimals that both show,
since engines type and round decimals differently).
"""
import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
def tables(data):
    return sorted(path.stem for path in pathlib.Path(data).glob("*.parquet"))


def queries(folder=None):
    if folder:
        text = lambda path: path.read_text().strip().rstrip(";")
        return {int(path.stem[1:]): [text(path)] for path in sorted(folder.glob("q*.sql"))}
    found = {}
    for path in sorted((ROOT / "sql-tests/tpch").glob("q*.slt")):
        text = path.read_text()
        statements = []
        for part in re.split(r"^query .*$", text, flags=re.M)[1:]:
            statements.append(part.split("\n----")[0].strip())
        found[int(path.stem[1:])] = statements
    return found


def peak_kb(pid):
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
    except (OSError, AttributeError):
        return 0


class Child:
    """An engine in a process of its own, answering JSON lines."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return {"error": "the process ended"}
        return json.loads(line)

    def peak(self):
        pids = [self.process.pid]
        children = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "pid="], capture_output=True, text=True)
        pids += [int(p) for p in children.stdout.split()]
        return sum(peak_kb(p) for p in pids)


# ---- the engines' side ------------------------------------------------------------------------------------------------


def serve(engine, data):
    """Runs inside of the child: reads {"sql"}, writes {"rows", "seconds"}."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    path = {t: f"{data}/{t}.parquet" for t in tables(data)}
    if engine == "duckdb":
        import duckdb
        db = duckdb.connect()
        for t in path:
            db.execute(f"CREATE VIEW {t} AS SELECT * FROM read_parquet('{path[t]}')")
        run = lambda sql: db.execute(sql).fetchall()
    elif engine == "polars":
        import polars as pl
        context = pl.SQLContext(**{t: pl.scan_parquet(path[t]) for t in path})
        run = lambda sql: context.execute(sql).collect(engine="streaming").rows()
    elif engine == "datafusion":
        import datafusion
        context = datafusion.SessionContext()
        for t in path:
            context.register_parquet(t, path[t])
        def run(sql):
            rows = []
            for batch in context.sql(sql).collect():
                rows += zip(*(c.to_pylist() for c in batch.columns))
            return rows
    elif engine == "spark":
        from pyspark.sql import SparkSession
        spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
                 .config("spark.driver.memory", "8g").config("spark.sql.shuffle.partitions", "4").getOrCreate())
        for t in path:
            spark.read.parquet(path[t]).createOrReplaceTempView(t)
        run = lambda sql: [tuple(r) for r in spark.sql(sql).collect()]
    for line in sys.stdin:
        begun = time.perf_counter()
        try:
            rows = []
            for sql in json.loads(line)["sql"]:
                rows = run(sql) or rows
            answer = {"seconds": time.perf_counter() - begun, "rows": [[cell(v) for v in r] for r in rows]}
        except BaseException as e:
            answer = {"error": str(e).split("\n")[0][:200]}
        out.write(json.dumps(answer) + "\n")
        out.flush()


def cell(v):
    return None if v is None else str(v)


# ---- comparing -----------------------------------------------------------------------------------------------------------


def normal(v):
    return "NULL" if v is None else v.removesuffix(" 00:00:00").removesuffix(".0")


def normal_rows(rows):
    return sorted((tuple(normal(v) for v in r) for r in rows), key=lambda r: tuple(sort_key(v) for v in r))


def sort_key(v):
    """Numbers by value, coarsely, so that rounding does not change the order."""
    try:
        return (0, float(f"{float(v):.4g}"), "")
    except ValueError:
        return (1, 0.0, v)


def equal(v, w):
    if v == w:
        return True
    try:
        x, y = float(v), float(w)
    except ValueError:
        return False
    decimals = min(len(t.partition(".")[2]) for t in (v, w)) if "e" not in (v + w).lower() else 0
    return math.isclose(x, y, rel_tol=1e-8) or ("." in v and "." in w and abs(x - y) <= 10.0**-decimals)


def same(a, b):
    return len(a) == len(b) and all(
        len(x) == len(y) and all(equal(v, w) for v, w in zip(x, y)) for x, y in zip(a, b))


class Vonk(Child):
    def __init__(self, options, data):
        command = [options.vonk, "sql", "--protocol", "jsonl", "--master", options.master]
        if options.memory:
            command += ["--memory", options.memory]
        for setting in options.conf:
            command += ["--conf", setting]
        super().__init__("vonk", command)
        for t in tables(data):
            answer = self.ask({"sql": f"CREATE TEMPORARY VIEW {t} USING parquet OPTIONS (path '{data}/{t}.parquet')"})
            if "error" in answer:
                sys.exit(f"vonk: {answer['error']['message']}")

    def run(self, statements):
        begun, rows = time.perf_counter(), []
        for sql in statements:
            answer = self.ask({"sql": sql})
            if "error" in answer:
                error = answer["error"]
                return {"error": (error["message"] if isinstance(error, dict) else error).split("\n")[0][:200]}
            rows = answer["rows"] or rows
        return {"seconds": time.perf_counter() - begun, "rows": [r.split("\t") for r in rows]}


class Peer(Child):
    def __init__(self, name, data):
        super().__init__(name, [sys.executable, __file__, "--serve", name, "--data", str(data)])

    def run(self, statements):
        # Views are Spark's TEMPORARY ones in the text; the others know them by another name.
        if self.name != "spark":
            statements = [re.sub(r"TEMPORARY VIEW", "VIEW", s) for s in statements]
        return self.ask({"sql": statements})


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--scale", default="1")
    args.add_argument("--data", type=pathlib.Path)
    args.add_argument("--vonk", default=str(ROOT / "target/release/vonk"))
    args.add_argument("--runs", type=int, default=3)
    args.add_argument("--queries", default="")
    args.add_argument("--engines", default="vonk,duckdb,polars,datafusion,spark")
    args.add_argument("--memory")
    args.add_argument("--master", default="local[*]")
    args.add_argument("--sql", type=pathlib.Path)
    args.add_argument("--conf", action="append", default=[])
    args.add_argument("--serve", help=argparse.SUPPRESS)
    options = args.parse_args()
    data = options.data or ROOT / f"bench-data/tpch-{options.scale}"
    if options.serve:
        return serve(options.serve, data)
    if not options.sql and not (data / "supplier.parquet").exists():
        subprocess.run([options.vonk, "generate", "tpch", "--scale", options.scale, "--output", str(data)], check=True)
    engines = []
    for name in options.engines.split(","):
        package = {"vonk": None, "spark": "pyspark"}.get(name, name)
        probe = [sys.executable, "-c", f"import {package}"]
        if package and subprocess.run(probe, capture_output=True).returncode != 0:
            print(f"{name}: its Python package is not installed, left out")
            continue
        engines.append(Vonk(options, data) if name == "vonk" else Peer(name, data))
    texts = queries(options.sql)
    wanted = [int(q) for q in options.queries.split(",") if q] or sorted(texts)
    times = {e.name: {} for e in engines}
    for q in wanted:
        reference, line = None, f"q{q:02}"
        for engine in engines:
            best, answer = math.inf, {}
            for _ in range(options.runs + 1):  # the first is to warm up
                answer = engine.run(texts[q])
                if "error" in answer:
                    break
                best = min(best, answer["seconds"]) if _ > 0 or options.runs == 0 else best
            if "error" in answer:
                line += f"  {engine.name} failed: {answer['error'][:60]}"
                continue
            times[engine.name][q] = best
            rows = normal_rows(answer["rows"])
            verdict = ""
            if reference is None:
                reference = (engine.name, rows)
            elif not same(rows, reference[1]):
                verdict = f" (differs from {reference[0]}: {len(rows)} rows against {len(reference[1])})"
            line += f"  {engine.name} {best * 1000:.0f} ms{verdict}"
        print(line, flush=True)
    print()
    for engine in engines:
        mine = times[engine.name]
        text = f"{engine.name}: {sum(mine.values()):.2f} s over {len(mine)} queries, peak {engine.peak() / 1024:.0f} MB"
        shared = [q for q in mine if q in times.get("vonk", {})]
        if engine.name != "vonk" and shared:
            ratios = [times["vonk"][q] / mine[q] for q in shared]
            geometric = math.exp(sum(map(math.log, ratios)) / len(ratios))
            text += f", Vonk takes {geometric:.2f} of its time (geometric mean)"
        print(text)


if __name__ == "__main__":
    main()
