#!/usr/bin/env bash
# Starts a streaming replica. An empty data folder is first filled from the primary, by way of a folder beside it,
# so that a copy that breaks off is never taken for a whole one.
set -euo pipefail

slot="pulse_replica"
copy="$PGDATA.incomplete"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$copy"
    mkdir -p "$(dirname "$PGDATA")"
    connection="host=$PRIMARY_HOST user=pulse_replica dbname=postgres application_name=replica"
    # The slot may be there from an earlier copy that broke off.
    if ! pg_basebackup --dbname "$connection" --pgdata "$copy" --write-recovery-conf --wal-method stream \
        --checkpoint fast --create-slot --slot "$slot"; then
        rm -rf "$copy"
        pg_basebackup --dbname "$connection" --pgdata "$copy" --write-recovery-conf --wal-method stream \
            --checkpoint fast --slot "$slot"
    fi
    chmod 0700 "$copy"
    mv "$copy" "$PGDATA"
fi

exec "$@"
