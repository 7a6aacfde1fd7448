#!/bin/sh
# Checks a file of transformed events against the taxonomy: scripts/validate_events.sh FILE [--config DIR] [--json]
# Lists every violation with line and path. Exit code: 0 nothing wrong, 1 violations, 2 wrong usage.
set -eu
root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
exec "$root/backfill" taxonomy validate "$@"
