#!/bin/sh
# As the official image: drop root, and listen without a password inside the container's network.
set -eu
chown redis /data
exec gosu redis "$@" --protected-mode no --bind 0.0.0.0
