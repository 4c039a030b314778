#!/bin/sh
# Prints the two Secrets as YAML, for `kubectl apply -f -`; nothing is written, and kubectl only
# talks to itself. The values come from files, so that no process list shows them.
#   sh deploy/kubernetes/secrets.sh DIR CA-KEY | kubectl apply -f -
# DIR holds the five files named below, CA-KEY is certs/mitmproxy-ca.pem of `openai-gateway ca create`.
set -eu
[ $# = 2 ] || { echo "usage: secrets.sh DIR CA-KEY" >&2; exit 2; }
for name in openai_api_key_production openai_api_key_staging store_url database_url metrics_token; do
    [ -s "$1/$name" ] || { echo "$1/$name: is missing or empty" >&2; exit 1; }
    set -- "$@" "--from-file=$name=$1/$name"
done
[ -s "$2" ] || { echo "$2: is missing or empty" >&2; exit 1; }
authority=$2
shift 2
made() { kubectl create secret generic "$@" -n openai-gateway --dry-run=client -o yaml; }
made openai-gateway "$@"
echo ---
made openai-gateway-authority "--from-file=mitmproxy-ca.pem=$authority"
