#!/bin/sh
# `make run`: checks the configuration, prints the exports that a staging host needs, then becomes
# the gateway, in the foreground.
set -eu
cd "$(dirname "$0")/.."
bin=${VENV:-.venv}/bin
listen=127.0.0.1
port=8080

if [ -f .env ]; then
    set -a
    . ./.env
    set +a
fi

if ! "$bin/openai-gateway" config check; then
    [ -z "${OPENAI_GATEWAY_CONFIG-}" ] && [ ! -e gateway.yaml ] || exit 1
    cat >&2 <<'END'

The gateway needs the production key that clients hold, to know it, and the staging key that
leaves in its place. Give both, here or in .env (see .env.example), then run `make run` again:
  export OPENAI_API_KEY_PRODUCTION=…
  export OPENAI_API_KEY_STAGING=…
Or name them in a gateway.yaml, which can do without the production key itself:
gateway.example.yaml shows how, `openai-gateway fingerprint` makes what stands for it.
END
    exit 1
fi

quoted() { # $1 as one word of a shell
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

certs=$(cd "$(dirname "${OPENAI_GATEWAY_CONFIG:-./gateway.yaml}")" && pwd)/certs
bundle=$(quoted "$certs/ca-bundle.pem")

cat <<END

A staging host needs (elsewhere than here: this host's address, and copies of the two files):
  export HTTPS_PROXY=http://$listen:$port
  export SSL_CERT_FILE=$bundle
  export REQUESTS_CA_BUNDLE=$bundle
  export CURL_CA_BUNDLE=$bundle
  export NODE_EXTRA_CA_CERTS=$(quoted "$certs/gateway-ca.pem")

The gateway runs on $listen:$port; Ctrl-C ends it.
END
exec "$bin/mitmdump" -s addons/gateway.py --listen-host "$listen" --listen-port "$port"
