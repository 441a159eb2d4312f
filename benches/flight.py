#!/usr/bin/env python3
"""Measures `vonk server`: needs the drivers of crates/vonk-flight/tests/clients/install.sh and a built `vonk`.

    python benches/flight.py stream       100 million rows to ADBC, against a bare Flight server with the same batches; resident memory
    python benches/flight.py first        first row of samples.tpch.lineitem at scale 1, and of Parquet files (--data FOLDER, of `vonk generate tpch`)
    python benches/flight.py load         200 clients, a third of whose statements are dropped or cancelled, for --seconds 300
    python benches/flight.py beside       small statements alone, and beside a long one of another client and of the same
    python benches/flight.py stall        others, while the reader of a sort of 50 million rows stalls for --seconds after its first batch (with a
                                          limit of memory: --conf spark.vonk.memory.limit=512m)

--vonk PATH names the program (default: target/release/vonk), --master where it runs, --conf KEY=VALUE a setting of it; --rows, --clients and
--seconds make it shorter. Each ends with 1 where a bar is missed.
"""

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa
import pyarrow.flight as flight


class Server:
    """A `vonk server` of its own. Its executors are its children (local-cluster) or not to be seen from here (vonk://)."""

    def __init__(self, options, *conf):
        self.dir = tempfile.TemporaryDirectory()
        self.log = open(f"{self.dir.name}/log", "w+")
        self.status_port = free_port()
        conf = [f"spark.sql.warehouse.dir={self.dir.name}/warehouse", "spark.ui.enabled=true", f"spark.ui.port={self.status_port}",
                *conf, *options.conf]
        command = [options.vonk, "server", "--port", "0", *(part for setting in conf for part in ("--conf", setting))]
        if options.master:
            command += ["--master", options.master]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        told = self.process.stdout.readline().split()
        if not told:
            sys.exit(f"the server did not start: {open(self.log.name).read()}")
        self.uri = told[-1]

    def executors(self):
        """Process numbers of executors that are its children."""
        children = []
        for entry in os.listdir("/proc"):
            try:
                # The name of a process may have spaces in it; the number of its parent comes second after it.
                parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1]) if entry.isdigit() else 0
            except OSError:
                continue
            if parent == self.process.pid:
                children.append(int(entry))
        return children

    def resident(self, field="VmRSS"):
        """Megabytes of the server."""
        return resident(self.process.pid, field)

    def tasks(self):
        """How many tasks run or wait for their readers, as the status tells."""
        secret = os.environ.get("VONK_AUTHENTICATE_SECRET")
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}

        def get(path):
            request = urllib.request.Request(f"http://127.0.0.1:{self.status_port}/api/v1/applications{path}", headers=headers)
            return json.load(urllib.request.urlopen(request))

        executors = get(f"/{get('')[0]['id']}/executors")
        return sum(e["activeTasks"] + e["parkedTasks"] for e in executors if e["isActive"])

    def threads(self):
        return int(re.search(r"Threads:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read())[1])

    def stop(self):
        self.process.terminate()
        begun = time.time()
        code = self.process.wait(60)
        print(f"stopped with {code} after {time.time() - begun:.1f} s")

    def connect(self):
        return flightsql.connect(self.uri, autocommit=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def resident(pid, field="VmRSS"):
    status = open(f"/proc/{pid}/status").read()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


class Bare(flight.FlightServerBase):
    """Serves the batches of one stream from memory, over and over until so many rows are out."""

    def __init__(self, batches, rows):
        super().__init__("grpc://127.0.0.1:0")
        self.batches, self.rows = batches, rows

    def do_get(self, context, ticket):
        def stream():
            left, i = self.rows, 0
            while left > 0:
                batch = self.batches[i % len(self.batches)]
                left -= batch.num_rows
                i += 1
                yield batch

        return flight.GeneratorStream(self.batches[0].schema, stream())


def read(reader):
    rows = 0
    for batch in reader:
        rows += batch.num_rows
    return rows


def stream(options):
    server = Server(options, f"spark.vonk.server.endpoints={options.endpoints}")
    sql = f"SELECT id, id * 2 AS a, CAST(id AS DOUBLE) AS b FROM range({options.rows})"
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, id * 2 AS a, CAST(id AS DOUBLE) AS b FROM range({min(options.rows, 1 << 20)})")
        sample = cursor.fetch_arrow_table().to_batches()
        best = 0
        for _ in range(3):
            begun = time.time()
            cursor.execute(sql)
            rows = read(cursor.fetch_record_batch())
            assert rows == options.rows, rows
            best = max(best, rows / (time.time() - begun))
    peak = server.resident("VmHWM")
    server.stop()
    bare = Bare(sample, options.rows)
    client = flight.connect(f"grpc://127.0.0.1:{bare.port}")
    best_bare = 0
    for _ in range(3):
        begun = time.time()
        rows = read(chunk.data for chunk in client.do_get(flight.Ticket(b"x")))
        best_bare = max(best_bare, rows / (time.time() - begun))
    bare.shutdown()
    print(f"vonk {best / 1e6:.1f} M rows/s, bare server {best_bare / 1e6:.1f} M rows/s: {best / best_bare:.2f}; peak {peak:.0f} MB resident")
    return best >= best_bare / 2 and peak < 500


def first(options):
    server = Server(options, "spark.vonk.samples.tpch.scale=1")
    well = True
    tables = ["samples.tpch.lineitem"]
    if options.data:
        tables.append(f"parquet.`{os.path.abspath(options.data)}/lineitem.parquet`")
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
        for table in tables:
            times = []
            for _ in range(7):
                begun = time.time()
                cursor.execute(f"SELECT * FROM {table}")
                reader = cursor.fetch_record_batch()
                assert reader.read_next_batch().num_rows > 0
                times.append(1000 * (time.time() - begun))
                del reader
                cursor.adbc_cancel()
            print(f"{table}: first rows after {', '.join(f'{t:.0f}' for t in times)} ms")
            well &= statistics.median(times) < 100
    server.stop()
    return well


LONG = ("SELECT l_returnflag, l_linestatus, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), count(DISTINCT l_partkey) "
        "FROM samples.tpch.lineitem GROUP BY ALL")
SMALL = [
    "SELECT 1",
    "SELECT id FROM range(100)",
    "SELECT n_name FROM samples.tpch.nation WHERE n_regionkey = 1 ORDER BY n_name",
    "SELECT r_name, count(*) FROM samples.tpch.nation JOIN samples.tpch.region ON n_regionkey = r_regionkey GROUP BY r_name",
]


def beside(options):
    server = Server(options, "spark.vonk.samples.tpch.scale=10")

    def small(connection):
        """Milliseconds of each statement: median and the slowest tenth's fastest."""
        columns = []
        for sql in SMALL:
            times = []
            for _ in range(options.rounds):
                begun = time.time()
                with connection.cursor() as cursor:
                    cursor.execute(sql)
                    assert cursor.fetch_arrow_table().num_rows > 0
                times.append(1000 * (time.time() - begun))
            times.sort()
            columns.append(f"{statistics.median(times):.0f}/{times[len(times) * 9 // 10]:.0f}")
        return "  ".join(f"{c:>11}" for c in columns)

    done = []

    def long(connection, until):
        while not until.is_set():
            with connection.cursor() as cursor:
                cursor.execute(LONG)
                cursor.fetch_arrow_table()
                done.append(time.time())

    with server.connect() as one, server.connect() as other:
        small(one)
        print("alone                ", small(one), flush=True)
        for what, connection in [("beside another's     ", other), ("beside one's own     ", one)]:
            until = threading.Event()
            thread = threading.Thread(target=long, args=(connection, until))
            begun = time.time()
            done.clear()
            thread.start()
            time.sleep(1)
            print(what, small(one), f" ({len(done)} long ones in {time.time() - begun:.0f} s)", flush=True)
            until.set()
            thread.join()
    server.stop()
    return True


QUERIES = [
    ("SELECT 1", 1),
    ("SELECT count(*) FROM samples.tpch.lineitem", 1),
    ("SELECT l_returnflag, sum(l_quantity) FROM samples.tpch.lineitem GROUP BY l_returnflag", 3),
    ("SELECT * FROM samples.tpch.orders WHERE o_orderkey < 1000", None),
    ("SELECT id, uuid() AS u FROM range(50000)", 50000),
    ("SELECT * FROM samples.tpch.customer ORDER BY c_acctbal LIMIT 10", 10),
    ("SELECT a.id FROM range(1000) a JOIN range(1000) b ON a.id = b.id", 1000),
]
ENDLESS = "SELECT a.id FROM range(1000000) a, range(1000000) b"
# The rows of a task on an executor come when it has ended: so these end, but there are many.
MANY_TASKS = "SELECT id, uuid() FROM range(0, 1000000000, 1, 10000)"


def stall(options):
    server = Server(options)
    rows = min(options.rows, 50_000_000)
    times, peak = [], 0
    with server.connect() as slow, server.connect() as quick, slow.cursor() as stalled:
        begun = time.time()
        stalled.execute(f"SELECT hash(id) AS h, id, CAST(id AS STRING) AS s FROM range({rows}) ORDER BY h")
        reader = stalled.fetch_record_batch()
        read_rows = reader.read_next_batch().num_rows
        print(f"first rows of the sort after {time.time() - begun:.1f} s", flush=True)
        until = time.time() + options.seconds
        while time.time() < until:
            for sql, expected in QUERIES:
                begun = time.time()
                with quick.cursor() as cursor:
                    cursor.execute(sql)
                    found = cursor.fetch_arrow_table().num_rows
                assert expected is None or found == expected, (sql, found)
                times.append(1000 * (time.time() - begun))
                peak = max(peak, server.resident())
        tasks = server.tasks()
        begun = time.time()
        read_rows += read(reader)
        print(f"others: {len(times)} statements, median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms; resident {peak:.0f} MB at most "
              f"(ever {server.resident('VmHWM'):.0f}); {tasks} tasks alive meanwhile; the rest of the sort in {time.time() - begun:.1f} s")
    server.stop()
    return read_rows == rows


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.done, self.given_up, self.errors = 0, 0, []

    def add(self, done=0, given_up=0, error=None):
        with self.lock:
            self.done += done
            self.given_up += given_up
            if error is not None:
                self.errors.append(error)


def one_client(server, tally, until, seed, endless):
    rng = random.Random(seed)
    connection = server.connect()
    while time.time() < until:
        kind = rng.random()
        try:
            with connection.cursor() as cursor:
                if kind < 0.67:
                    sql, rows = rng.choice(QUERIES)
                    cursor.execute(sql)
                    found = cursor.fetch_arrow_table().num_rows
                    assert rows is None or found == rows, (sql, found)
                    tally.add(done=1)
                elif kind < 0.85:
                    # Dropped in the middle.
                    cursor.execute(endless if rng.random() < 0.5 else "SELECT id FROM range(5000000)")
                    cursor.fetch_record_batch().read_next_batch()
                    tally.add(given_up=1)
                else:
                    cursor.execute(endless)
                    reader = cursor.fetch_record_batch()
                    reader.read_next_batch()
                    cursor.adbc_cancel()
                    tally.add(given_up=1)
            if kind > 0.97:
                # The whole connection.
                connection.close()
                connection = server.connect()
        except Exception as e:  # Whatever it is, it is counted.
            tally.add(error=f"{type(e).__name__}: {e}")
    connection.close()


def load(options):
    server = Server(options)
    warm = Tally()
    endless = MANY_TASKS if options.master and not options.master.startswith("local[") else ENDLESS
    one_client(server, warm, time.time() + min(5, options.seconds), 0, endless)
    before = server.resident()
    executors_before = [resident(pid) for pid in server.executors()]
    tally = Tally()
    until = time.time() + options.seconds
    clients = [threading.Thread(target=one_client, args=(server, tally, until, i, endless)) for i in range(options.clients)]
    for client in clients:
        client.start()
    peak = 0
    while time.time() < until:
        time.sleep(1)
        peak = max(peak, server.resident())
    busy = server.threads()
    for client in clients:
        client.join()
    time.sleep(options.rest)
    after, executors = server.resident(), [resident(pid) for pid in server.executors()]
    tasks = server.tasks()
    cpu = lambda: sum(int(n) for n in open(f"/proc/{server.process.pid}/stat").read().split()[13:15])
    ticks = cpu()
    time.sleep(2)
    idle = cpu() - ticks
    print(f"{tally.done} read, {tally.given_up} given up, {len(tally.errors)} errors; resident {before:.0f} MB before, {peak:.0f} at most, "
          f"{after:.0f} after; {busy} threads under load; {idle} ticks of CPU in 2 s of rest; {tasks} tasks left")
    if executors:
        text = lambda all: ", ".join(f"{mb:.0f}" for mb in all)
        print(f"executors: resident {text(executors_before)} MB before, {text(executors)} after")
    for error in tally.errors[:5]:
        print("  ", error)
    server.stop()
    back = after < before + options.slack and sum(executors) <= sum(executors_before) + options.slack * len(executors)
    return not tally.errors and tally.done > 0 and back and idle < 20 and tasks == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measures = {"stream": stream, "first": first, "load": load, "beside": beside, "stall": stall}
    parser.add_argument("what", choices=measures)
    parser.add_argument("--vonk", default="target/release/vonk")
    parser.add_argument("--master")
    parser.add_argument("--conf", action="append", default=[])
    parser.add_argument("--data")
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--endpoints", type=int, default=4)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--slack", type=float, default=100, help="megabytes that the server, and each executor, may keep beyond what it began with")
    parser.add_argument("--rest", type=float, default=25, help="seconds after which memory is to be back")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    sys.exit(0 if measures[options.what](options) else 1)


if __name__ == "__main__":
    main()
