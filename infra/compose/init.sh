#!/bin/sh
# Makes what infra/compose.yaml needs and no repository may hold: secrets, and a configuration to change.
#
#   infra/compose/init.sh [DIRECTORY]     default: $BACKFILL_COMPOSE_DIR, else .backfill-compose in the repository
#
# What is there already stays as it is: a lost salt or audit key could never be made again.
set -eu
umask 077
root=$(CDPATH='' cd -P "$(dirname "$0")/../.." && pwd)
dir=${1:-${BACKFILL_COMPOSE_DIR:-$root/.backfill-compose}}

random() { # bytes: as hexadecimal digits
  od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}
secret() { # name value: a file of the secrets, unless there is one
  # Containers read it under accounts of their own. The directory keeps everybody else out.
  [ -e "$dir/secrets/$1" ] || { printf '%s\n' "$2" >"$dir/secrets/$1.new" && chmod 444 "$dir/secrets/$1.new" && mv "$dir/secrets/$1.new" "$dir/secrets/$1"; }
}
value() { cat "$dir/secrets/$1"; }

mkdir -p "$dir/secrets"
chmod 700 "$dir" "$dir/secrets"

secret postgres-password "$(random 24)"
secret database-url "postgres://backfill:$(value postgres-password)@postgres:5432/backfill"
secret redis-password "$(random 24)"
secret valkey.conf "requirepass $(value redis-password)"
secret redis-url "redis://default:$(value redis-password)@valkey:6379"
secret s3-access-key "BF$(random 9)"
secret s3-secret-key "$(random 20)"
secret s3.env "ROOT_ACCESS_KEY_ID=$(value s3-access-key)
ROOT_SECRET_ACCESS_KEY=$(value s3-secret-key)"
secret analytics-salt "$(random 32)"
secret audit-key "$(random 32)"
secret grafana-password "$(random 12)"
for role in viewer submitter operator data-engineering-lead product-analytics-manager data-privacy-officer \
  legal-counsel-privacy product-owner; do
  secret "token-$role" "bf_$(random 24)"
done

if [ ! -e "$dir/config" ]; then
  # The example is for servers on 127.0.0.1. Here they are the neighbours of that name, on this machine all the same, and
  # the S3 server says nothing about replication: the volume behind it is here too.
  rm -rf "$dir/config.new"
  cp -R "$root/examples/config" "$dir/config.new"
  policy=$dir/config.new/policy.yaml
  sed -e 's/^  hosts: \[\]$/  hosts: [postgres, valkey, s3]/' -e 's/^  loopback: true$/  loopback: false/' \
    -e 's/^  vouched_buckets: \[\]$/  vouched_buckets: [analytics-raw, analytics-backfill]/' \
    "$root/examples/config/policy.yaml" >"$policy"
  for line in 'hosts: [postgres, valkey, s3]' 'loopback: false' 'vouched_buckets: [analytics-raw, analytics-backfill]'; do
    grep -qF "  $line" "$policy" || { echo "the example policy has changed: it takes no '$line'" >&2; exit 1; }
  done
  # Nothing secret, and read under the containers' account.
  chmod -R a+rX "$dir/config.new"
  mv "$dir/config.new" "$dir/config"
fi
echo "$dir has the secrets and the configuration. Keep a copy of secrets/analytics-salt and secrets/audit-key elsewhere."
