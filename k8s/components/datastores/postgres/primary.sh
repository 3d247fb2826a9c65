#!/usr/bin/env bash
# Sets up a new primary: the image runs it once, on an empty data folder.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set migrate_password="$PULSE_MIGRATE_PASSWORD" --set serve_password="$PULSE_SERVE_PASSWORD" \
    --file "${PULSE_SCRIPTS:-/etc/pulse}/logins.sql"

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set password="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE pulse_replica LOGIN REPLICATION PASSWORD :'password';
SQL

echo "host replication pulse_replica all scram-sha-256" >> "$PGDATA/pg_hba.conf"
