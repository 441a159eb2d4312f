#!/usr/bin/env python3
"""Fills the golden files of this folder with Apache Spark's answers (README.md describes the files).

    python sql-tests/regenerate.py [--check] [--oracle spark_oracle.py] [--tpch DIR] [FILE.slt | FOLDER ...]

Reads each file's authored part (comments, SQL, sort mode), asks the oracle, and writes the expected part in place.
Running it twice changes nothing. It knows nothing of Vonk: an answer of Vonk can never become an expectation.
"""
import argparse
import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TPCH_TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
TEST_DIR = "$__TEST_DIR__"
SORT_MODES = ("rowsort", "nosort")


# ---- escaping: a row or a parameter becomes one line -------------------------------------------------------------


def escape(text):
    """One line for any text: see "Escapes" in README.md. `unescape` undoes it."""
    if text == "":
        return "\\e"
    out = []
    last = len(text) - 1
    for at, c in enumerate(text):
        edge = at in (0, last)
        if c == "\\":
            out.append("\\\\")
        elif c == "\n":
            out.append("\\n")
        elif c == "\r":
            out.append("\\r")
        elif c == "\t":
            out.append("\\t" if edge else c)
        elif c == " ":
            out.append("\\s" if edge else c)
        elif ord(c) < 32 or 127 <= ord(c) < 160 or ord(c) in (0xAD, 0x2028, 0x2029, 0xFEFF) or 0x200B <= ord(c) <= 0x200F:
            out.append("\\u{%x}" % ord(c))
        else:
            out.append(c)
    return "".join(out)


# ---- the authored part of a file -----------------------------------------------------------------------------------


class Comment:
    """Lines starting with `#`; `joined` if the next record follows without an empty line."""

    def __init__(self, lines, joined):
        self.lines, self.joined = lines, joined


class Query:
    def __init__(self, sql, mode):
        self.sql, self.mode = sql, mode


def parse(text):
    """The comments and queries of a file; expected results are dropped."""
    lines = text.split("\n")
    items, at = [], 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("#"):
            start = at
            while at < len(lines) and lines[at].startswith("#"):
                at += 1
            items.append(Comment(lines[start:at], at < len(lines) and bool(lines[at].strip())))
        elif re.match(r"query( |$)", line):
            at = parse_record(lines, at, items)
        else:
            at = parse_bare(lines, at, items)
    return items


def parse_record(lines, at, items):
    """A record with a header, as this script writes it."""
    words = lines[at].split()
    is_error = words[1:2] == ["error"]
    mode = next((w for w in words[2:] if w in SORT_MODES), None)
    at += 1
    start = at
    while at < len(lines) and lines[at] and lines[at] != "----":
        at += 1
    items.append(Query("\n".join(lines[start:at]), mode))
    if at < len(lines) and lines[at] == "----":
        at += 1
        while at < len(lines):
            ends = not lines[at] and (not is_error or at + 1 >= len(lines) or not lines[at + 1])
            at += 1
            if ends:
                break
    return at


def parse_bare(lines, at, items):
    """SQL without a header, as people write it: statements end with `;` at a line's end or with an empty line."""
    sql = []

    def flush():
        if sql:
            items.append(Query("\n".join(sql), None))
            sql.clear()

    while at < len(lines) and lines[at].strip() and (sql or not lines[at].startswith("#")):
        line = lines[at].rstrip()
        if line.endswith(";"):
            sql.append(line[:-1].rstrip())
            flush()
        else:
            sql.append(line)
        at += 1
    flush()
    return at


def default_mode(sql):
    """`nosort` if the statement itself orders its result (ORDER BY outside parentheses, or a DESCRIBE)."""
    bare = re.sub(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", " ", sql, flags=re.S)
    depth, top = 0, []
    for c in bare:
        depth += (c == "(") - (c == ")")
        if depth == 0:
            top.append(c)
    top = "".join(top)
    if re.match(r"\s*(DESC|DESCRIBE|EXPLAIN)\b", top, re.I):
        return "nosort"
    return "nosort" if re.search(r"\bORDER\s+BY\b", top, re.I) else "rowsort"


# ---- the expected part -----------------------------------------------------------------------------------------------


def render_query(query, answer, test_dir):
    def hide(text):
        return text.replace("file:" + test_dir, "file:" + TEST_DIR).replace(test_dir, TEST_DIR)

    error = answer.get("error")
    if error is not None:
        out = ["query error", *query.sql.split("\n"), "----"]
        out.append(f"[{error['condition']}] SQLSTATE: {error['sqlState']}")
        for name, value in sorted(error["params"].items()):
            value = hide(value)
            if "\n" in value or re.search(r"#\d", value):
                continue  # a plan, a stack or a message: not the same in two runs
            out.append(name + ":" + (" " + escape(value) if value else ""))
        return out + ["", ""]
    mode = query.mode or default_mode(query.sql)
    rows = sorted(answer["rows"]) if mode == "rowsort" else answer["rows"]
    return [f"query T {mode}", *query.sql.split("\n"), "----", escape(answer["schema"]),
            *(escape(hide(r)) for r in rows), ""]


class Oracle:
    """The oracle's process: one request, one answer."""

    def __init__(self, script):
        self.process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the oracle ended at {request}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def fill(path, oracle, tpch):
    """The file's text with Spark's answers."""
    items = parse(path.read_text(encoding="utf-8"))
    oracle.ask(reset=True)
    if any(line.strip() == "# tpch" for i in items if isinstance(i, Comment) for line in i.lines):
        if tpch is None:
            sys.exit(f"{path}: needs --tpch DIR")
        for table in TPCH_TABLES:
            at = tpch / f"{table}.parquet"
            at = at if at.exists() else tpch / table
            answer = oracle.ask(sql=f"CREATE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{at}')")
            if "error" in answer:
                sys.exit(f"{table}: {answer['error']['message']}")
    test_dir = tempfile.mkdtemp(prefix="golden-")
    out = []
    try:
        for item in items:
            if isinstance(item, Comment):
                out += item.lines + ([] if item.joined else [""])
                continue
            answer = oracle.ask(sql=item.sql.replace(TEST_DIR, test_dir))
            error = answer.get("error")
            if error is not None and not (error["condition"] and error["sqlState"]):
                print(f"{path}: an error without condition: {item.sql}\n  {error['message'][:300]}", file=sys.stderr)
            out += render_query(item, answer, test_dir)
    finally:
        shutil.rmtree(test_dir, ignore_errors=True)
    return "\n".join(out).rstrip("\n") + "\n"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("paths", nargs="*", type=pathlib.Path, help="files or folders; default: all of sql-tests")
    args.add_argument("--oracle", type=pathlib.Path, default=HERE.parent.parent / "shared/oracle/spark_oracle.py")
    args.add_argument("--tpch", type=pathlib.Path, help="folder with <table>.parquet or <table>/ at scale 0.01")
    args.add_argument("--check", action="store_true", help="print differences, write nothing, exit 1 if there are any")
    options = args.parse_args()
    files = []
    for path in options.paths or [HERE]:
        files += sorted(path.rglob("*.slt")) if path.is_dir() else [path]
    if not options.oracle.exists():
        args.error(f"no oracle at {options.oracle}: give --oracle")
    oracle = Oracle(options.oracle.resolve())
    tpch = options.tpch.resolve() if options.tpch else None
    changed = 0
    for path in files:
        old = path.read_text(encoding="utf-8")
        new = fill(path, oracle, tpch)
        if old == new:
            continue
        changed += 1
        if options.check:
            name = os.path.relpath(path)
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, name + " (Spark)"))
        else:
            path.write_text(new, encoding="utf-8")
    oracle.close()
    print(f"{len(files)} files, {changed} changed", file=sys.stderr)
    sys.exit(1 if options.check and changed else 0)


if __name__ == "__main__":
    main()
