#!/bin/sh
# As the official image's, with the checks that docker-compose.yml asks for.
mariadb --user=healthcheck --password=healthcheck --skip-column-names --execute \
    "SELECT 1 FROM information_schema.engines WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')" \
    | grep -q 1
