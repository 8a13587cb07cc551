#!/usr/bin/env bash
# As in the official image (read in 1.19.0): a shell is PID 1. Its `wait` returns at the signal that it passes on, so that the
# container ends, and the kernel kills the server, whatever that still has to write.
trap 'kill -TERM "$server" 2>/dev/null' TERM
trap 'kill -INT "$server" 2>/dev/null' INT
python /opt/pbjrag-qdrant/server.py "$@" &
server=$!
wait "$server"
exit $?
