#!/bin/sh
# Once a week: train a new artifact on the store of the running services, and have them take it over.
#
#   17 4 * * 1  COLDSTART_DB=/srv/visits.db ARTIFACT=/srv/artifacts/shop /srv/weekly.sh
#
# ARTIFACT  what the services were started with, made by "coldstart start" or "coldstart train"; new
#           ones lie beside it, with the date in their names
# SHARE     of the traffic for the new artifact; below 1 it is an A/B test against the present one,
#           to be ended with "coldstart serve use" or "coldstart serve rollback" (1)
# KEEP      how many new ones stay to roll back to; in older ones whoever was erased since would
#           still be counted (4)
set -eu
new="$ARTIFACT-$(date +%Y-%m-%d)"
runs="$(mktemp -d)"
trap 'rm -rf "$runs"' EXIT
coldstart train --from "$COLDSTART_DB" --artifact "$ARTIFACT" --out "$new" --runs "$runs"
coldstart serve use "$new" --share "${SHARE:-1}"
for old in $(ls -d "$ARTIFACT"-20??-??-?? | sort | head -n "-${KEEP:-4}"); do
  rm -rf "$old"
done
