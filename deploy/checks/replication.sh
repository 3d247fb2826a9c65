#!/usr/bin/env bash
# Runs the scripts that set up the primary and its replica, without containers: with PostgreSQL's programs of the
# folder $1. The logins may do what they must and nothing more, and what is written to one server is read on the other.
set -euo pipefail

# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
    exec unshare --user --map-user=65534 --map-group=65534 bash "$0" "$@"
fi

scripts="$(cd "$(dirname "$0")/../../k8s/components/datastores/postgres" && pwd)"
migrations="$(cd "$(dirname "$0")/../../migrations" && pwd)"
work="$(mktemp -d)"
export PATH="$1:$PATH" LC_ALL=C.UTF-8
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
    pg_ctl -D "$work/replica" -m immediate stop >/dev/null 2>&1 || true
    pg_ctl -D "$work/primary" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT

start() { # folder, port, more options
    pg_ctl -D "$work/$1" -l "$work/$1.log" -w -o "-p $2 -k $work -c listen_addresses=127.0.0.1 -c fsync=off $3" start >/dev/null ||
        { cat "$work/$1.log"; return 1; }
}

as() { # login, port, statements
    PGPASSWORD="$1" psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
        --host 127.0.0.1 --port "$2" --username "$1" --dbname pulse --command "$3"
}

expect() { # what, wanted, got
    [ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; exit 1; }
}

primary="$(free_port)"
initdb --pgdata "$work/primary" --username postgres --auth-host scram-sha-256 --auth-local trust --encoding UTF8 >/dev/null
start primary "$primary" "-c wal_level=replica"
createdb --host "$work" --port "$primary" --username postgres pulse
PGDATA="$work/primary" PGHOST="$work" PGPORT="$primary" POSTGRES_USER=postgres POSTGRES_DB=pulse \
    PULSE_MIGRATE_PASSWORD=pulse_migrate PULSE_SERVE_PASSWORD=pulse_serve REPLICATION_PASSWORD=pulse_replica \
    PULSE_SCRIPTS="$scripts" bash "$scripts/primary.sh" >/dev/null
pg_ctl -D "$work/primary" reload >/dev/null

# What `pulse migrate up` begins with, by the login that migrates.
as pulse_migrate "$primary" "BEGIN; $(cat "$migrations/bootstrap.sql") COMMIT"
as pulse_migrate "$primary" "SET ROLE pulse_owner; CREATE TABLE platform.probe (n int); GRANT SELECT, INSERT ON platform.probe TO pulse_app"

replica="$(free_port)"
PGDATA="$work/replica" PRIMARY_HOST=127.0.0.1 PGPORT="$primary" PGPASSWORD=pulse_replica \
    bash "$scripts/replica.sh" true
start replica "$replica" "-c hot_standby_feedback=on"

# With this, a commit returns when the replica shows it.
psql --no-psqlrc --quiet --host "$work" --port "$primary" --username postgres --dbname pulse \
    --command "ALTER SYSTEM SET synchronous_standby_names = 'replica'" --command "SELECT pg_reload_conf()" >/dev/null
until [ "$(as pulse_serve "$primary" "SHOW synchronous_standby_names")" = replica ]; do :; done
PGOPTIONS="-c synchronous_commit=remote_apply" as pulse_serve "$primary" "SET ROLE pulse_app; INSERT INTO platform.probe VALUES (7)"
expect "the replica" "7 t" "$(as pulse_serve "$replica" "SET ROLE pulse_app; SELECT n || ' ' || left(pg_is_in_recovery()::text, 1) FROM platform.probe")"

for role in pulse_owner pulse_lookup pulse_readonly postgres; do
    refusal="$(as pulse_serve "$primary" "SET ROLE $role" 2>&1 || true)"
    expect "pulse_serve becoming $role" "ERROR:  permission denied to set role \"$role\"" "$refusal"
done
expect "pulse_serve by itself" "ERROR:  permission denied for schema platform" \
    "$(as pulse_serve "$primary" "SELECT FROM platform.probe" 2>&1 | head -n 1)"
