#!/bin/sh
# Runs a command with the secrets that are mounted as files, where there are any.
set -eu
read_secret() {
  if [ -f "/run/secrets/$2" ]; then
    value="$(cat "/run/secrets/$2")"
    if [ -n "$value" ]; then export "$1=$value"; fi
  fi
}
read_secret PGPASSWORD db_password
read_secret COLDSTART_SECRET_KEY secret_key
exec "$@"
