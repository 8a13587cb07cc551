#!/bin/sh
# As the official image's: `docker run haproxy -c -f ...` and `docker run haproxy haproxy ...` both work, and HAProxy runs as
# master and worker in the foreground, so that SIGUSR2 reloads it and SIGUSR1 stops it gently.
set -e
if [ "${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
