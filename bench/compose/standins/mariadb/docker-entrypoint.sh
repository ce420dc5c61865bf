#!/bin/sh
# As the official image: the first start makes the database and its user; arguments are options.
set -eu
case "$1" in -*) set -- mariadbd "$@" ;; esac
chown mysql:mysql /var/lib/mysql
if [ ! -d /var/lib/mysql/mysql ]; then
    gosu mysql mariadb-install-db --datadir=/var/lib/mysql --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null
    gosu mysql "$@" --skip-networking &
    until mariadb-admin ping --silent; do sleep 0.5; done
    mariadb <<SQL
CREATE DATABASE \`$MARIADB_DATABASE\`;
CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON \`$(echo "$MARIADB_DATABASE" | sed 's/_/\\_/g')\`.* TO '$MARIADB_USER'@'%';
CREATE USER healthcheck@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('healthcheck');
DELETE FROM mysql.global_priv WHERE User = '';
ALTER USER root@localhost IDENTIFIED BY '$(head -c 24 /dev/urandom | base64)';
FLUSH PRIVILEGES;
SHUTDOWN;
SQL
    wait
fi
exec gosu mysql "$@"
