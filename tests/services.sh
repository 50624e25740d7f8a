# shellcheck shell=bash
# A private PostgreSQL, a private Redis, a Python that reads calendars, and for root Postfix, for one run of the tests. Sourced by `tests/run`.
#
#   services_require   finds the programs, installs them where it may, or says what to install and fails
#   services_start     starts both servers on free ports of 127.0.0.1, with all their files in one temporary folder
#   services_describe  prints their names and versions
#   services_stop      stops both and removes that folder; safe to call at any time, and more than once
#
# After `services_start`, these are exported: MYCAREER_TEST_POSTGRES_URL and MYCAREER_TEST_REDIS_URL; for tests that must
# stop or empty a server of their own, MYCAREER_TEST_POSTGRES_BIN (the folder of its programs), MYCAREER_TEST_POSTGRES_USER
# (whom to run them as; empty for whoever runs the tests) and MYCAREER_TEST_REDIS_SERVER (the program); and
# MYCAREER_TEST_PYTHON, an interpreter that has the packages of `python_packages`. MYCAREER_TEST_POSTFIX is the program
# `postfix`, where root runs the tests: nobody else can start one.

# When set, both servers keep what they are told as their own defaults have it: `everysec` is Redis's word for its default.
services_durable=""

services_folder=""
# Where the files of PostgreSQL are: in memory where there is enough of it. Each test has a database of its own, and a file
# system on a disk takes longer to make its files than PostgreSQL to fill them.
postgres_data=""
services_user=""
postgres_bin=""
redis_server=""
postfix=""

# A second implementation of iCalendar, which reads what the system writes.
python_packages=(icalendar==7.3.2 recurring-ical-events==3.8.2)

services_require() {
  if ! services_find; then
    services_install
    services_find || services_explain_and_fail
  fi
}

services_describe() {
  local postgres redis
  postgres=$("$postgres_bin/postgres" --version | grep -oE '[0-9]+(\.[0-9]+)*' | head -n 1)
  redis=$("$redis_server" --version | grep -oE 'v=[0-9.]+' | cut -c 3-)
  printf 'PostgreSQL %s and Redis %s' "$postgres" "$redis"
}

services_start() {
  services_make_folder
  postgres_start && redis_start && python_start || return 1
  if [[ $EUID -eq 0 ]]; then
    MYCAREER_TEST_POSTFIX=$postfix
    export MYCAREER_TEST_POSTFIX
  fi
}

services_stop() {
  [[ -n "$services_folder" ]] || return 0
  if [[ -f "$postgres_data/postmaster.pid" ]]; then
    as_services_user "$postgres_bin/pg_ctl" stop --pgdata "$postgres_data" --mode immediate --wait --silent ||
      printf 'PostgreSQL could not be stopped; its files are in %s.\n' "$postgres_data" >&2
  fi
  if [[ -s "$services_folder/redis/redis.pid" ]]; then
    stop_process "$(<"$services_folder/redis/redis.pid")"
  fi
  rm -rf -- "$services_folder" "$postgres_data"
  services_folder="" postgres_data=""
}

# --- Finding and installing -------------------------------------------------------------------------------------------

services_find() {
  postgres_find && redis_find && python_find && postfix_find
}

# The newest folder that has both `initdb` and `postgres`: distributions keep them out of the PATH.
postgres_find() {
  local folder
  while IFS= read -r folder; do
    if [[ -x "$folder/initdb" && -x "$folder/postgres" && -x "$folder/pg_ctl" ]]; then
      postgres_bin=$folder
      return 0
    fi
  done < <(postgres_candidates)
  return 1
}

postgres_candidates() {
  local initdb
  printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin |
    sort --version-sort --reverse
  if command -v pg_config >/dev/null; then pg_config --bindir; fi
  if initdb=$(command -v initdb); then dirname -- "$(realpath -- "$initdb")"; fi
}

redis_find() {
  redis_server=$(command -v redis-server)
}

postfix_find() {
  [[ $EUID -ne 0 ]] || postfix=$(PATH=$PATH:/usr/sbin command -v postfix)
}

python_find() {
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1
}

services_install() {
  [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null || return 0
  printf 'Installing PostgreSQL, Redis, Python and Postfix with apt-get.\n'
  local log
  log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive apt_get_install postgresql redis-server python3-venv postfix >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
  fi
  rm -f -- "$log"
}

apt_get_install() {
  apt-get update && apt-get install --yes --no-install-recommends "$@"
}

services_explain_and_fail() {
  postgres_find || printf 'PostgreSQL is missing: install it so that initdb, postgres and pg_ctl can be found.\n' >&2
  redis_find || printf 'Redis is missing: install it so that redis-server can be found.\n' >&2
  python_find || printf 'Python is missing: install python3 with its modules venv and ensurepip.\n' >&2
  postfix_find || printf 'Postfix is missing: install it so that postfix can be found.\n' >&2
  cat >&2 <<'TEXT'
The tests run against them, in private copies that they start and remove themselves.
  Debian, Ubuntu   sudo apt-get install postgresql redis-server python3-venv postfix
  Fedora           sudo dnf install postgresql-server redis python3 postfix
  macOS            brew install postgresql redis python
TEXT
  return 1
}

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

postgres_start() {
  local data password=$services_folder/postgres.password port
  postgres_make_folder
  data=$postgres_data
  (umask 077 && random_word >"$password")
  services_own "$password"
  # `password` and not `scram-sha-256`: the tests open thousands of connections, and each would derive its key anew.
  services_log postgres.log as_services_user "$postgres_bin/initdb" --pgdata "$data" --username mycareer \
    --pwfile "$password" --auth password --encoding UTF8 --locale C --no-sync || return 1

  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if services_log postgres.log as_services_user "$postgres_bin/pg_ctl" start --pgdata "$data" --wait --timeout 60 \
      --log "$data/server.log" --options "$(postgres_options "$port")"; then
      MYCAREER_TEST_POSTGRES_URL="postgres://mycareer:$(<"$password")@127.0.0.1:$port/postgres"
      MYCAREER_TEST_POSTGRES_BIN=$postgres_bin MYCAREER_TEST_POSTGRES_USER=$services_user
      export MYCAREER_TEST_POSTGRES_URL MYCAREER_TEST_POSTGRES_BIN MYCAREER_TEST_POSTGRES_USER
      return 0
    fi
  done
  printf 'PostgreSQL did not start:\n' >&2
  tail -n 20 "$services_folder/postgres.log" "$data/server.log" >&2
  return 1
}

postgres_make_folder() {
  local free=0
  if [[ -z "$services_durable" && -w /dev/shm ]]; then
    free=$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail -n 1)
  fi
  if ((${free:-0} >= 8)); then
    postgres_data=$(mktemp -d /dev/shm/mycareer-tests.XXXXXX)
    services_own "$postgres_data"
  else
    postgres_data=$services_folder/postgres
    services_mkdir "$postgres_data"
  fi
}

postgres_options() {
  local option options
  options=("port=$1" listen_addresses=127.0.0.1 "unix_socket_directories=$postgres_data" max_connections=300)
  # Nothing that tests write outlives the run, so nothing of it needs to reach the disk.
  if [[ -z "$services_durable" ]]; then
    options+=(fsync=off synchronous_commit=off full_page_writes=off wal_level=minimal max_wal_senders=0 autovacuum_naptime=10s)
  fi
  for option in "${options[@]}"; do printf -- '-c %s ' "$option"; done
}

# --- Redis ------------------------------------------------------------------------------------------------------------

redis_start() {
  local data=$services_folder/redis port
  services_mkdir "$data"
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if services_log redis.log as_services_user "$redis_server" --port "$port" --bind 127.0.0.1 --dir "$data" \
      --daemonize yes --pidfile "$data/redis.pid" --logfile "$data/server.log" --databases 16 \
      --appendonly yes --appendfsync "${services_durable:-no}" --save '' --maxmemory-policy noeviction && redis_answers "$port"; then
      MYCAREER_TEST_REDIS_URL="redis://127.0.0.1:$port/"
      MYCAREER_TEST_REDIS_SERVER=$redis_server
      export MYCAREER_TEST_REDIS_URL MYCAREER_TEST_REDIS_SERVER
      return 0
    fi
  done
  printf 'Redis did not start:\n' >&2
  tail -n 20 "$services_folder/redis.log" "$data/server.log" >&2
  return 1
}

redis_answers() {
  local answer
  for _ in {1..100}; do
    if { exec 9<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; then
      printf 'PING\r\n' >&9
      IFS= read -r -t 2 answer <&9
      exec 9>&-
      [[ $answer == +PONG* ]] && return 0
    fi
    sleep 0.1
  done
  return 1
}

# --- Python -----------------------------------------------------------------------------------------------------------

# The packages come from PyPI, or from wherever pip is set up to find them.
python_start() {
  local folder=$services_folder/python
  if services_log python.log python3 -m venv "$folder" &&
    services_log python.log "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${python_packages[@]}"; then
    MYCAREER_TEST_PYTHON=$folder/bin/python
    export MYCAREER_TEST_PYTHON
    return 0
  fi
  printf 'The Python packages %s could not be installed:\n' "${python_packages[*]}" >&2
  tail -n 20 "$services_folder/python.log" >&2
  return 1
}

# --- Parts of both ----------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root, and Redis has no need to. The user they run as must get to their files, so these are
# never under a TMPDIR that is root's own.
services_make_folder() {
  if [[ $EUID -ne 0 ]]; then
    services_folder=$(mktemp -d "${TMPDIR:-/tmp}/mycareer-tests.XXXXXX")
    return
  fi
  services_folder=$(mktemp -d /tmp/mycareer-tests.XXXXXX)
  chmod 0711 "$services_folder"
  services_user=nobody
  if id -u postgres >/dev/null 2>&1; then services_user=postgres; fi
}

as_services_user() {
  if [[ -n "$services_user" ]]; then
    (cd / && exec runuser -u "$services_user" -- "$@")
  else
    "$@"
  fi
}

services_mkdir() {
  mkdir -m 0700 -- "$1"
  services_own "$1"
}

services_own() {
  if [[ -n "$services_user" ]]; then chown "$services_user" "$1"; fi
}

# services_log FILE COMMAND...: what the command prints is only of interest when it fails.
services_log() {
  local file=$services_folder/$1
  shift
  "$@" >>"$file" 2>&1 </dev/null
}

# Below the range that the system hands out to outgoing connections, so that none takes the port before its server does.
free_port() {
  local port
  while true; do
    port=$((15000 + RANDOM % 15000))
    if ! (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return 0
    fi
  done
}

random_word() {
  od -An -N 16 -t x1 /dev/urandom | tr -d ' \n'
}

# Asks, waits ten seconds, insists.
stop_process() {
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}
