#!/bin/sh
# Restarts the memcached servers, one after the other, as after an update of their
# image, and copies the sessions back to each before the next one goes.
set -eu

for server in memcached-1 memcached-2 memcached-3; do
  docker compose up --detach --force-recreate --no-deps "$server"
  docker compose exec app \
    npx @remix/session-storage-memcache repair --copies 2
done
