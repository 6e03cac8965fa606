#!/bin/bash
# The image's health check: whether the server of this container is ready. Bases have no curl; bash opens the socket, and
# where the server speaks TLS (--tls-cert) OpenSSL does, which is there if TLS works. It is its own server: nobody has to
# vouch for it.
port=${ATROUS_PORT:-8080} status=
request() { printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n'; }
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
request >&3
read -r -t 2 _ status _ <&3
if [ -z "$status" ] && command -v openssl >/dev/null; then
    read -r _ status _ < <(request | timeout 2 openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null)
fi
[ "$status" = 200 ]
