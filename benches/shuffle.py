#!/usr/bin/env python3
"""A wide table through a shuffle between executor processes, with the limits of the machine beside it.

    python benches/shuffle.py --data DIR [--vonk target/release/vonk] [--master 'local-cluster[2,1,2g]'] [--conf k=v ...]

DIR holds TPC-H tables as `vonk generate tpch` writes them (scale 10: lineitem is about 10 GB in memory). All columns of lineitem are
distributed round robin over 64 partitions and hashed on the other side, so that every byte is read. Prints the seconds with and without the
shuffle, the bytes of the rows that went through it, peak resident memory of the executors and the driver, and for comparison the speed of
writing a file and of plain TCP over loopback, measured in the same minutes.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = """l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag l_linestatus
l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment""".split()


def status(pid, field):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(p) for p in out.split()]


def disk_speed(folder, megabytes=2048):
    block = os.urandom(1 << 20)
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        begun = time.time()
        for _ in range(megabytes):
            f.write(block)
        f.flush()
        os.fsync(f.fileno())
        return megabytes / (time.time() - begun)


def tcp_speed(megabytes=4096):
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    other, _ = server.accept()

    def send():
        block = bytes(1 << 20)
        for _ in range(megabytes):
            client.sendall(block)
        client.close()

    threading.Thread(target=send).start()
    buffer, total, begun = bytearray(1 << 20), 0, time.time()
    while n := other.recv_into(buffer):
        total += n
    return total / (1 << 20) / (time.time() - begun)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--data", type=pathlib.Path, required=True)
    args.add_argument("--vonk", default=str(ROOT / "target/release/vonk"))
    args.add_argument("--master", default="local-cluster[2,1,2g]")
    args.add_argument("--conf", action="append", default=[])
    args = args.parse_args()
    folder = tempfile.mkdtemp(prefix="vonk-shuffle-")
    command = [args.vonk, "sql", "--protocol", "jsonl", "--master", args.master]
    for c in [f"spark.local.dir={folder}", "spark.ui.enabled=true", "spark.ui.port=14040", *args.conf]:
        command += ["--conf", c]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(sql):
        process.stdin.write(json.dumps({"sql": sql}) + "\n")
        begun = time.time()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise SystemExit(answer["error"]["message"])
        return answer["rows"], time.time() - begun

    peak, stop = {}, threading.Event()

    def watch():
        while not stop.is_set():
            for pid in children(process.pid):
                peak[pid] = max(peak.get(pid, 0), status(pid, "VmHWM"))
            stop.wait(0.2)

    threading.Thread(target=watch).start()
    ask(f"CREATE TEMPORARY VIEW lineitem AS SELECT * FROM parquet.`{args.data}/lineitem.parquet`")
    hashed = f"SELECT count(*), sum(xxhash64({', '.join(COLUMNS)}) % 1000003)"
    plain, without = ask(f"{hashed} FROM lineitem")
    rows, seconds = ask(f"{hashed} FROM (SELECT /*+ REPARTITION(64) */ * FROM lineitem)")
    api = "http://127.0.0.1:14040/api/v1/applications"
    application = json.load(urllib.request.urlopen(api))[0]["id"]
    stages = json.load(urllib.request.urlopen(f"{api}/{application}/stages"))
    moved = max(s["outputBytes"] for s in stages)
    stop.set()
    process.stdin.close()
    process.wait()
    megabytes = moved / (1 << 20)
    print(f"{rows[0]} (without the shuffle: {plain[0]})")
    print(f"{megabytes:.0f} MB of rows in {seconds:.1f} s, {without:.1f} s of it without the shuffle: {megabytes / max(seconds - without, 0.001):.0f} MB/s")
    print("peak MB:", ", ".join(f"executor {p // 1024}" for p in peak.values()))
    print(f"this machine: writes a file at {disk_speed(folder):.0f} MB/s with fsync, plain TCP over loopback {tcp_speed():.0f} MB/s")
    left = os.listdir(folder)
    print("left on disk:", left or "nothing")
    os.rmdir(folder) if not left else None


main()
