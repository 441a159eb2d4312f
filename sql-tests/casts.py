#!/usr/bin/env python3
"""Asks Apache Spark about casts of every type to every type, and records the answers in crates/vonk-types/tests/casts.tsv.

    python sql-tests/casts.py --oracle spark_oracle.py

One line per mode and pair of types: mode (ansi or legacy), source, target, then `value=>answer` per value, tab-separated.
A value is the text that is cast to the source type first (hexadecimal for binary). An answer is the cell as spark-sql prints it
(hexadecimal for binary), or `!CONDITION|param=value|…`. A pair that Spark refuses has the single cell `-`. `try_cast` is not
recorded where it is what follows from the ANSI answer (null for an error); elsewhere its mode is `try`.
"""
import argparse
import json
import pathlib
import subprocess
import sys

OUT = pathlib.Path(__file__).resolve().parent.parent / "crates/vonk-types/tests/casts.tsv"

NUMBERS = ["0", "1", "-1", "127", "128", "-129", "32768", "2147483648", "9223372036854775807", "9223372036854775808", "1.5", "-1.9",
           ".5", "5.", ".", "-", "+7", " 12 ", "1e3", "1E-3", "-1.5e10", "1e39", "1e400", "123456.789", "0.0000001", "999.995",
           "99999999999999999999.5", "12345678901234567890123456789012345678", "123456789012345678901234567890123456789",
           "NaN", "inf", "-Infinity", "+nan", "1d", "2.5F", "0x10", "0x1p3", "1_0", "", " ", "abc", "1 2", "--1"]
BOOLS = ["true", "T", "yes", "n", "0", " False ", "tru", "on"]
TIMES = ["2020-02-29", "2021-02-29", "2020", "2020-1", "2020-1-2", " 2020-01-02 ", "2020-01-02 03:04:05", "2020-01-02T03:04:05.678",
         "2020-01-02 3:4:5.6", "2020-01-02 03:04", "2020-01-02 03", "2020-01-02 03:", "2020-01-02 24:00:00", "2020-01-02 03:60:00",
         "2020-01-02 03:04:05Z", "2020-01-02 03:04:05 +01:00", "2020-01-02 03:04:05-1:30", "2020-01-02 03:04:05 UTC+2",
         "2020-01-02 03:04:05 Asia/Kolkata", "2020-01-02 03:04:05 PST", "2020-01-02 03:04:05 Nowhere", "2020-01-02 03:04:05.1234567890",
         "2020-01-02x", "2020-01-02 x", "2020-13-01", "2020-00-10", "2020-01-32", "20200102", "202-01-01", "12345-06-07",
         "+12345-06-07", "1234567-01-01", "2020-03-08 02:30:00", "2020-11-01 01:30:00", "1883-11-10 12:00:00", "2500-07-01 00:00:00",
         "9999-12-31 23:59:59.999999", "epoch", "T12:00:00x", "2020-01-02 03:04:05 +19:00", "2020-01-02 03:04:05+0130"]
SPANS = ["1-2", "-1-2", "1-12", "178956970-7", "178956970-8", "5", "-5", "99999999999", "interval '1-2' year to month",
         "INTERVAL -'3' MONTH", "interval '3' year", "1 02:03:04.5", "-1 02:03:04.123456789", "1 24:00:00", "1 02", "1 02:03", "02:03",
         "02:03:04", "03:04.5", "10.5", "1 2:3:4", "106751991 04:00:54.775807", "106751992 00:00:00", "interval '1 02' day to hour",
         "INTERVAL '10' SECOND", "1 year 2 months", "interval 1 day -2 hours", "1.5 seconds", "-.5 second", ". second", "5. seconds",
         "1.5 days", "2 weeks 3 milliseconds 4 microseconds", "1 fortnight", "1 day 1 day", "- 1 day", "1day", "interval",
         "999999999999 years", "0.1234567891 seconds"]
YM = ["1-2", "-1-2", "0-0", "10-11", "178956970-7", "-178956970-8"]
DT = ["1 02:03:04.5", "-1 02:03:04.000001", "0 00:00:00", "300 00:00:00", "106751991 04:00:54.775807", "-106751991 04:00:54.775808"]
SOURCES = {
    "void": ["NULL"],
    "boolean": ["true", "false"],
    "tinyint": ["0", "1", "-1", "127", "-128"],
    "smallint": ["0", "65", "300", "-129", "32767", "-32768"],
    "int": ["0", "1", "-1", "12345", "123456", "2147483647", "-2147483648"],
    "bigint": ["0", "5", "-1", "123456789012", "16777217", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
    "float": ["0", "-0.0", "1.5", "-2.5", "0.1", "127.9", "-128.9", "16777217", "1e10", "3.4028235e38", "1.4E-45", "1.0E-5",
              "8589934592", "NaN", "Infinity"],
    "double": ["0", "-0.0", "1.5", "-2.5", "0.1", "2.675", "0.125", "127.99", "-128.99", "128", "1e10", "1e20", "1e-7", "123456.789",
               "999.995", "9.223372036854775807E18", "2147483647.9", "-2147483648.9", "2147483648", "1e38", "1e23", "NaN", "-Infinity",
               "1.7976931348623157E308", "4.9E-324", "1577865600.123456"],
    "decimal(5,2)": ["0", "1.50", "-1.55", "0.05", "127.99", "999.99", "-999.99"],
    "decimal(10,0)": ["0", "7", "9999999999", "-2147483649"],
    "decimal(18,6)": ["0", "0.000001", "123456.789012", "-999999999999.999999", "2147483647.999999", "0.5", "-0.5"],
    "decimal(20,0)": ["1", "9223372036854775807", "9223372036854775808", "-99999999999999999999", "70000"],
    "decimal(38,18)": ["0", "12345678901234567890.123456789012345678", "-0.000000000000000001", "99999999999999999999.999999999999999999",
                       "0.0000001", "1577865600.123456789", "127.000000000000000001"],
    "string": None,
    "binary": ["", "41", "C3A9", "FF00"],
    "date": ["1970-01-01", "2020-02-29", "1969-12-31", "9999-12-31", "1900-01-01", "2020-03-08"],
    "timestamp": ["1970-01-01 00:00:00Z", "2020-01-01 00:00:00", "1969-12-31 15:59:59.999999", "2020-07-01 12:34:56.789",
                  "9999-12-31 23:59:59", "1900-01-01 00:00:00", "2020-11-01 01:30:00", "1970-01-01 00:01:40Z"],
    "timestamp_ntz": ["1970-01-01 00:00:00", "2020-03-08 02:30:00", "2020-11-01 01:30:00", "1969-12-31 23:59:59.5",
                      "9999-12-31 23:59:59.999999", "1900-01-01 00:00:00"],
    "interval year to month": YM,
    "interval year": ["1", "-1", "178956970"],
    "interval month": ["1", "-25", "2147483647"],
    "interval day to second": DT,
    "interval day to minute": ["1 02:03", "-1 02:03"],
    "interval hour to second": ["26:03:04.5", "-00:00:01"],
    "interval day": ["1", "-128", "999"],
    "interval minute": ["90", "-90"],
    "interval second": ["90.5", "-0.000001", "3000000000"],
    "interval": ["1 year 2 days 3.5 seconds", "0 days", "-1 months -1 hours"],
}
TARGETS = [t for t in SOURCES] + ["decimal(2,1)", "decimal(38,0)", "decimal(38,37)", "interval hour to minute"]


def texts_for(target):
    if target == "boolean":
        return BOOLS + NUMBERS[:3]
    if target in ("date", "timestamp", "timestamp_ntz"):
        return TIMES
    if target.startswith("interval"):
        return SPANS
    if target in ("string", "binary", "void"):
        return ["", "abc", "héllo"]
    return NUMBERS


def quote(s):
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"


def expression(function, source, value, target):
    if source == "void":
        v = "NULL"
    elif source == "string":
        v = quote(value)
    elif source == "binary":
        v = f"X'{value}'"
    else:
        v = f"CAST({quote(value)} AS {source})"
    e = f"{function}({v} AS {target})"
    return f"hex({e})" if target == "binary" else e


def ask(oracle, statements):
    requests = "".join(json.dumps({"sql": s}) + "\n" for s in statements)
    done = subprocess.run([sys.executable, oracle], input=requests, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(statements):
        sys.exit(f"{len(answers)} answers to {len(statements)} statements")
    return answers


def cell(answer):
    if "error" not in answer:
        return answer["rows"][0]
    e = answer["error"]
    params = [f"{k}={v}" for k, v in sorted(e["params"].items()) if k not in ("ansiConfig", "config")]
    return "|".join(["!" + str(e["condition"])] + params)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--oracle", required=True)
    oracle = a.parse_args().oracle
    pairs = [(s, t) for s in SOURCES for t in TARGETS if s != t]
    modes = [("ansi", "cast", "true"), ("try", "try_cast", "true"), ("legacy", "cast", "false")]
    found = {}
    for mode, function, ansi in modes:
        setting = f"SET spark.sql.ansi.enabled={ansi}"
        values = {p: SOURCES[p[0]] or texts_for(p[1]) for p in pairs}
        # All values of a pair at once; one by one where that fails.
        whole = [f"SELECT {', '.join(expression(function, s, v, t) for v in values[s, t])}" for s, t in pairs]
        single = []
        for pair, answer in zip(pairs, ask(oracle, [setting] + whole)[1:]):
            if "error" not in answer:
                found[mode, pair] = answer["rows"][0].split("\t")
            elif str(answer["error"]["condition"]).startswith("DATATYPE_MISMATCH"):
                found[mode, pair] = None
            else:
                single += [(pair, v) for v in values[pair]]
        statements = [f"SELECT {expression(function, s, v, t)}" for (s, t), v in single]
        for (pair, _), answer in zip(single, ask(oracle, [setting] + statements)[1:]):
            found.setdefault((mode, pair), []).append(cell(answer))
    lines = []
    for mode, _, _ in modes:
        for pair in pairs:
            cells = found[mode, pair]
            values = SOURCES[pair[0]] or texts_for(pair[1])
            if cells is not None:
                assert len(cells) == len(values), (mode, pair, cells)
            if mode == "try":
                ansi = found["ansi", pair]
                expected = ansi and [("NULL" if c.startswith("!") else c) for c in ansi]
                if cells == expected:
                    continue
            answers = ["-"] if cells is None else [f"{v}=>{c}" for v, c in zip(values, cells)]
            lines.append("\t".join([mode, *pair, *answers]))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(lines), "lines")


main()
