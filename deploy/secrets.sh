#!/bin/sh
# Makes deploy/secrets/: passwords by chance, and the two keys from the environment. What is there
# already stays. Files are for their containers' users alone: 10001 gateway, 999 redis, 65534
# prometheus and alertmanager, 472 grafana. ALERTMANAGER_WEBHOOK is where alerts go.
set -eu
: "${OPENAI_API_KEY_PRODUCTION:?the key that clients hold}"
: "${OPENAI_API_KEY_STAGING:?the key that is sent in its place}"
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

chance() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -s "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"; }

keep openai_api_key_production "$OPENAI_API_KEY_PRODUCTION"
keep openai_api_key_staging "$OPENAI_API_KEY_STAGING"
keep metrics_token "$(chance)"
keep prometheus_metrics_token "$(cat secrets/metrics_token)"
keep alertmanager_webhook "${ALERTMANAGER_WEBHOOK:-http://127.0.0.1:9/nobody-is-told-yet}"
keep grafana_admin_password "$(chance)"
keep postgres_password "$(chance)"
keep database_url "postgresql+psycopg://gateway:$(cat secrets/postgres_password)@postgres:5432/gateway"
if ! [ -s secrets/store_url ]; then
    password=$(chance) # store_url is written last: while it is missing, both are made anew
    printf 'requirepass %s\nsave ""\nmaxmemory-policy noeviction\n' "$password" >secrets/redis_conf
    keep store_url "redis://:$password@redis:6379/0"
fi
if [ "$(id -u)" = 0 ]; then
    chown 10001 secrets/openai_api_key_* secrets/metrics_token secrets/database_url secrets/store_url
    chown 999 secrets/redis_conf
    chown 65534 secrets/prometheus_metrics_token secrets/alertmanager_webhook
    chown 472 secrets/grafana_admin_password
else
    echo "run as root, or give the files to the containers' users: see deploy/README.md" >&2
fi
