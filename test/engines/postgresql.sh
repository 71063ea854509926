#!/bin/bash
# A PostgreSQL of the tests' own: loopback, throw-away. Needs no root, and refuses it.
#   postgresql.sh start DIR PORT   prints the connection URL when it answers
#   postgresql.sh stop DIR
#   postgresql.sh crash DIR      ends it as a lost machine would, and starts it again
#   postgresql.sh installed       status 0 where it can be started here
set -euo pipefail
usage() { sed -n '2,6p' "$0" >&2; exit 2; }
verb=${1:-} dir=${2:-}
# A client alone leaves a folder here too.
bin=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 | xargs -r dirname)
[ "$verb" != installed ] || { [ -n "$bin" ]; exit; }
[ $# -ge 2 ] || usage
[ -n "$bin" ] || { echo "PostgreSQL's server is not installed: install Debian's package postgresql" >&2; exit 1; }

case $verb in
  start)
    [ $# -eq 3 ] || usage
    if [ ! -e "$dir/PG_VERSION" ]; then
      "$bin/initdb" -D "$dir" -U test --auth=trust --encoding=UTF8 --locale=C > "$dir.log" 2>&1
      # Durability is not under test here, and CI's disk is slow.
      printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" 'fsync = off' 'max_connections = 200' >> "$dir/postgresql.conf"
    fi
    "$bin/pg_ctl" -D "$dir" -o "-p $3" -l "$dir.log" -w start > /dev/null
    echo "postgresql://test@127.0.0.1:$3/postgres"
    ;;
  stop) "$bin/pg_ctl" -D "$dir" -m fast -w stop > /dev/null ;;
  crash)
    options=$(sed -n 's/^[^"]*"-D" "[^"]*" //p' "$dir/postmaster.opts" | tr -d '"')
    "$bin/pg_ctl" -D "$dir" -m immediate -w stop > /dev/null
    "$bin/pg_ctl" -D "$dir" -o "$options" -l "$dir.log" -w start > /dev/null
    ;;
  *) usage ;;
esac
