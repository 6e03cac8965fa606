#!/bin/bash
# The image's health check: whether the server of this container is ready. Bases have no curl; bash opens the socket.
exec 3<>"/dev/tcp/127.0.0.1/${ATROUS_PORT:-8080}" || exit 1
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 3 _ status _ <&3
[ "$status" = 200 ]
