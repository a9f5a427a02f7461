#!/bin/busybox sh
# shellcheck shell=dash
# Alpine's busybox knows `wget -T SECONDS`; Debian's was built without it, and is lost when it meets it. So this stands
# in wget's place, and lets `timeout` do it. Flags are taken apart no further than health checks and scripts need.
seconds=
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    case $argument in
    -T)
        seconds=$1
        shift
        count=$((count - 1))
        ;;
    -T[0-9]*) seconds=${argument#-T} ;;
    *) set -- "$@" "$argument" ;;
    esac
done
if [ -n "$seconds" ]; then
    exec /bin/busybox timeout "$seconds" /bin/busybox wget "$@"
fi
exec /bin/busybox wget "$@"
