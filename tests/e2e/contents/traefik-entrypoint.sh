#!/bin/sh
# As the entrypoint of the official image behaves: flags, and words that are commands of traefik, are given to traefik;
# anything else is a command of its own.
set -e
case $1 in -*) set -- traefik "$@" ;; esac
if [ "$1" != traefik ] && traefik "$1" --help >/dev/null 2>&1; then
    set -- traefik "$@"
fi
exec "$@"
