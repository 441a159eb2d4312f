#!/usr/bin/env bash
# Installs the drivers that tests/clients.rs runs, into target/clients: Python's from PyPI, Java's from Maven Central. Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
folder=target/clients
jdbc=18.3.0
mkdir -p "$folder"
if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet adbc-driver-flightsql==1.13.0 adbc-driver-manager==1.13.0 pyarrow pandas polars
fi
# Of its own, for it wants an older SQLAlchemy than others do.
if [ ! -x "$folder/alchemy/bin/python" ]; then
    python3 -m venv "$folder/alchemy"
    "$folder/alchemy/bin/pip" install --quiet flightsql-dbapi==0.2.2 pyarrow
fi
jar="$folder/flight-sql-jdbc-driver-$jdbc.jar"
if [ ! -f "$jar" ] && command -v mvn >/dev/null; then
    mvn --quiet --batch-mode dependency:copy -Dartifact="org.apache.arrow:flight-sql-jdbc-driver:$jdbc" -DoutputDirectory="$PWD/$folder"
fi
