#!/usr/bin/env python3
"""Measures `vonk server`: needs the drivers of crates/vonk-flight/tests/clients/install.sh and a built `vonk`.

    python benches/flight.py stream       100 million rows to ADBC, against a bare Flight server with the same batches; resident memory
    python benches/flight.py first        first row of samples.tpch.lineitem at scale 1
    python benches/flight.py load         200 clients, a third of whose statements are dropped or cancelled, for --seconds 300

--vonk PATH names the program (default: target/release/vonk), --rows, --clients and --seconds make it shorter. Each ends with 1 where a bar of the issue is missed.
"""

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa
import pyarrow.flight as flight


class Server:
    """A `vonk server` of its own."""

    def __init__(self, program, *options):
        self.dir = tempfile.TemporaryDirectory()
        self.log = open(f"{self.dir.name}/log", "w+")
        command = [program, "server", "--port", "0", "--conf", f"spark.sql.warehouse.dir={self.dir.name}/warehouse"]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.uri = self.process.stdout.readline().split()[-1]

    def resident(self, field="VmRSS"):
        """Megabytes."""
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024

    def threads(self):
        return int(re.search(r"Threads:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read())[1])

    def stop(self):
        self.process.terminate()
        begun = time.time()
        code = self.process.wait(60)
        print(f"stopped with {code} after {time.time() - begun:.1f} s")

    def connect(self):
        return flightsql.connect(self.uri, autocommit=True)


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
    server = Server(options.vonk, "--conf", f"spark.vonk.server.endpoints={options.endpoints}")
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
    server = Server(options.vonk, "--conf", "spark.vonk.samples.tpch.scale=1")
    times = []
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
        for _ in range(5):
            begun = time.time()
            cursor.execute("SELECT * FROM samples.tpch.lineitem")
            reader = cursor.fetch_record_batch()
            assert reader.read_next_batch().num_rows > 0
            times.append(1000 * (time.time() - begun))
            del reader
            cursor.adbc_cancel()
    server.stop()
    print(f"first rows after {', '.join(f'{t:.0f}' for t in times)} ms")
    return statistics.median(times) < 100


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


def one_client(server, tally, until, seed):
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
                    cursor.execute(ENDLESS if rng.random() < 0.5 else "SELECT id FROM range(5000000)")
                    cursor.fetch_record_batch().read_next_batch()
                    tally.add(given_up=1)
                else:
                    cursor.execute(ENDLESS)
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
    server = Server(options.vonk)
    warm = Tally()
    one_client(server, warm, time.time() + 5, 0)
    before = server.resident()
    tally = Tally()
    until = time.time() + options.seconds
    clients = [threading.Thread(target=one_client, args=(server, tally, until, i)) for i in range(options.clients)]
    for client in clients:
        client.start()
    peak = 0
    while time.time() < until:
        time.sleep(1)
        peak = max(peak, server.resident())
    busy = server.threads()
    for client in clients:
        client.join()
    time.sleep(25)
    after = server.resident()
    cpu = lambda: sum(int(n) for n in open(f"/proc/{server.process.pid}/stat").read().split()[13:15])
    ticks = cpu()
    time.sleep(2)
    idle = cpu() - ticks
    print(f"{tally.done} read, {tally.given_up} given up, {len(tally.errors)} errors; resident {before:.0f} MB before, {peak:.0f} at most, "
          f"{after:.0f} after; {busy} threads under load; {idle} ticks of CPU in 2 s of rest")
    for error in tally.errors[:5]:
        print("  ", error)
    server.stop()
    return not tally.errors and after < before + 100 and idle < 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["stream", "first", "load"])
    parser.add_argument("--vonk", default="target/release/vonk")
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--endpoints", type=int, default=4)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    sys.exit(0 if {"stream": stream, "first": first, "load": load}[options.what](options) else 1)


if __name__ == "__main__":
    main()
