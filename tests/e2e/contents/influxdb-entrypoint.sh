#!/bin/bash
# As the entrypoint of the official image behaves, but for what that one sets up at the first start when asked to by
# variables: whoever asks is told at once that it would not happen here.
set -e
if [ "${1:0:1}" = - ]; then
    set -- influxd "$@"
fi
if [ "$1" = influxd ]; then
    for variable in INFLUXDB_DB INFLUXDB_INIT_PWD "${!INFLUXDB_ADMIN_@}" "${!INFLUXDB_USER@}" "${!INFLUXDB_READ_@}" \
        "${!INFLUXDB_WRITE_@}"; do
        if [ -n "${!variable}" ]; then
            echo "This image does not set InfluxDB up as $variable asks the official one to." >&2
            exit 1
        fi
    done
fi
exec "$@"
