#!/bin/sh
# Hive Router as a peer of the bench: hive.sh PORT SUPERGRAPH DEDUP. It reads its settings from its working folder.
set -eu
folder="$(mktemp -d)"
cat >"$folder/router.config.yaml" <<SETTINGS
supergraph: { source: file, path: $2 }
http: { host: 127.0.0.1, port: $1 }
log: { level: error }
traffic_shaping: { all: { dedupe_enabled: $3 } }
SETTINGS
cd "$folder"
exec hive_router
