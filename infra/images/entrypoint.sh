#!/bin/sh
# What a container runs: a service by its name, `prepare`, or `backfill` with what it is to do. Also `backfill` on PATH.
set -eu
app=$(CDPATH='' cd -P "$(dirname "$(readlink -f "$0")")/../.." && pwd)

# Secrets come as files: NAME_FILE says where NAME is. Services read salt and audit key from theirs by themselves.
SECRETS='DATABASE_URL|CHECKPOINT_DATABASE_URL|REDIS_URL|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|BACKFILL_TOKEN(_[A-Z_]+)?'
for name in $(env | sed -nE "s/^($SECRETS)_FILE=.*/\1/p"); do
  file=$(printenv "${name}_FILE")
  value=$(cat "$file") || { echo "${name}_FILE names a file that cannot be read: $file" >&2; exit 1; }
  export "$name=$value"
done

[ "${0##*/}" = backfill ] && set -- backfill "$@"
command=${1-}
[ $# -eq 0 ] || shift
case $command in
  api | transformer | importer | verifier | rollback)
    # The limits of infra/src/node-env.ts; what the container says itself has the last word.
    export NODE_OPTIONS="--max-old-space-size=512 --max-semi-space-size=2 ${NODE_OPTIONS-}"
    exec node "$app/services/$command/src/main.ts" "$@"
    ;;
  prepare) exec node "$app/infra/src/prepare-main.ts" "$@" ;;
  backfill)
    if [ "${1-}" = up ]; then
      echo 'There is no embedded stack in an image: docker compose up, or ./backfill up where the repository is.' >&2
      exit 1
    fi
    exec node "$app/packages/cli/src/main.ts" "$@"
    ;;
  *)
    echo 'usage: api | transformer | importer | verifier | rollback | prepare | backfill COMMAND...' >&2
    exit 2
    ;;
esac
