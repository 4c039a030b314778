#!/bin/sh
# Puts the gateway's CA into the system's trust, on Debian, RHEL and Alpine and their kin.
#   install-ca.sh [--uninstall] CA.pem       CA.pem: certs/gateway-ca.pem
# Twice is as once. ROOT=DIR works on the system that lies in DIR, as for an image: then nobody need
# be root, and the tools found there by PATH have to know it themselves.
set -eu
ROOT=${ROOT-}
name=openai-gateway-ca
usage='usage: install-ca.sh [--uninstall] CA.pem'

stop() { # stop CODE MESSAGE…
    code=$1
    shift
    printf 'install-ca.sh: %s\n' "$*" >&2
    exit "$code"
}

act=install
if [ "${1-}" = --uninstall ]; then
    act=uninstall
    shift
fi
case ${1-} in
    -h | --help) printf '%s\n' "$usage"; exit 0 ;;
    -*) stop 2 "$1: no such option; $usage" ;;
esac
[ $# = 1 ] || stop 2 "$usage"
ca=$1

# A file for one certificate that is a CA's. The key beside it must never be spread.
[ -f "$ca" ] && [ -r "$ca" ] || stop 1 "$ca: is no file that can be read"
if grep -q 'PRIVATE KEY' "$ca"; then
    stop 1 "$ca: holds a private key, which only the gateway may have; give it certs/gateway-ca.pem"
fi
count=$(grep -c -e '-----BEGIN CERTIFICATE-----' "$ca" || true)
[ "$count" != 0 ] || stop 1 "$ca: is no certificate in PEM form"
[ "$count" = 1 ] || stop 1 "$ca: holds $count certificates; give it certs/gateway-ca.pem, not the bundle"
if command -v openssl >/dev/null 2>&1; then
    told=$(openssl x509 -in "$ca" -noout -text 2>/dev/null) || stop 1 "$ca: is broken; copy it anew"
    case $told in
        *CA:TRUE*) ;;
        *) stop 1 "$ca: is a certificate, but no CA's; give it certs/gateway-ca.pem" ;;
    esac
fi

if command -v update-ca-certificates >/dev/null 2>&1; then
    folder=$ROOT/usr/local/share/ca-certificates
    update() { update-ca-certificates "$@"; }
    system=/etc/ssl/certs/ca-certificates.crt
elif command -v update-ca-trust >/dev/null 2>&1; then
    folder=$ROOT/etc/pki/ca-trust/source/anchors
    update() { update-ca-trust extract; }
    system=/etc/pki/tls/certs/ca-bundle.crt
else
    stop 1 "knows neither update-ca-certificates (Debian, Alpine: package ca-certificates)" \
        "nor update-ca-trust (RHEL); set the clients' variables instead, as docs/clients.md tells"
fi
if [ -z "$ROOT" ] && [ "$(id -u)" != 0 ]; then
    stop 1 "has to be root to change what the system trusts: sudo sh $0 …"
fi
kept=$folder/$name.crt

if [ "$act" = uninstall ]; then
    if [ ! -e "$kept" ]; then
        printf 'not installed: %s is not there\n' "$kept"
        exit 0
    fi
    # of two gateways' only the one that is meant
    cmp -s "$ca" "$kept" || stop 1 "$kept: is another certificate than $ca; give it that one"
    rm -f "$kept"
    update --fresh >/dev/null || stop 1 "removed $kept, but the system's update failed; run it by hand"
    printf 'removed %s\n' "$kept"
    exit 0
fi

if cmp -s "$ca" "$kept"; then
    printf 'installed already: %s\n' "$kept"
else
    [ ! -e "$kept" ] || printf 'replaces another certificate in %s\n' "$kept"
    mkdir -p "$folder"
    cp "$ca" "$kept.new"
    chmod 644 "$kept.new"
    mv -f "$kept.new" "$kept"
    printf 'installed %s\n' "$kept"
fi
update >/dev/null || stop 1 "copied $kept, but the system's update failed; run it by hand"
cat <<EOF
Programs that read the system's trust (curl, Go, OpenSSL) know it now. Others need:
  export SSL_CERT_FILE=$system           # Python's httpx, aiohttp, openai
  export REQUESTS_CA_BUNDLE=$system      # Python's requests
  export NODE_EXTRA_CA_CERTS=$kept
EOF
