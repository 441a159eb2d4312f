#!/usr/bin/env bash
# Installs the drivers that tests/clients.rs runs, into target/clients: Python's from PyPI, Java's from Maven Central. Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
folder=target/clients
jdbc=18.3.0
mkdir -p "$folder"
# An environment, and what is installed into it.
environment() {
    local name=$1
    shift
    [ ! -f "$folder/$name/complete" ] || return 0
    python3 -m venv "$folder/$name"
    "$folder/$name/bin/pip" install --quiet "$@"
    touch "$folder/$name/complete"
}
environment venv adbc-driver-flightsql==1.13.0 adbc-driver-manager==1.13.0 pyarrow pandas polars
# Of its own, for it wants an older SQLAlchemy than others do.
environment alchemy flightsql-dbapi==0.2.2 pyarrow pandas
jar="$folder/flight-sql-jdbc-driver-$jdbc.jar"
if [ ! -f "$jar" ] && command -v mvn >/dev/null; then
    mvn --quiet --batch-mode dependency:copy -Dartifact="org.apache.arrow:flight-sql-jdbc-driver:$jdbc" -DoutputDirectory="$PWD/$folder"
fi
