#!/bin/sh
# Starts everything once without its settings. It loads its code, which fills the compile cache, and ends.
set -eu
app=$(CDPATH='' cd -P "$(dirname "$0")/../.." && pwd)
for main in "$app"/services/*/src/main.ts "$app/infra/src/prepare-main.ts"; do
  node "$main" >/dev/null && { echo "$main started without its settings" >&2; exit 1; }
done
node "$app/packages/cli/src/main.ts" --help >/dev/null
[ -n "$(ls -A "$NODE_COMPILE_CACHE")" ] || { echo 'the compile cache stayed empty' >&2; exit 1; }
