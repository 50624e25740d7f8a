#!/usr/bin/env bash
# What the tests of signing in with the university stand on: an OpenID Connect provider in Node.js, and a browser.
#
#   tests/university.sh   finds node, npm, chromium and chromedriver, installs them where it may, and gets the packages of
#                         the provider; or says what to install, and fails
#
# `tests/run` calls it when it runs everything, and the tests themselves when they need it; several may at once. It changes
# nothing when all is there.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/oidc" || exit 1

oldest_node=20

main() {
  exec 9<.
  flock 9
  if ! programs_found; then
    programs_install
    programs_found || programs_explain_and_fail
  fi
  packages_current && return
  if ! npm ci --no-progress >&2; then
    printf 'npm could not get the packages of tests/oidc/package-lock.json; see above.\n' >&2
    return 1
  fi
}

programs_found() {
  local program
  for program in node npm chromium chromedriver; do
    command -v "$program" >/dev/null || return 1
  done
  (($(node --print 'process.versions.node.split(".")[0]') >= oldest_node))
}

programs_install() {
  local wanted=() log
  [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null || return 0
  command -v node >/dev/null || wanted+=(nodejs)
  command -v npm >/dev/null || wanted+=(npm)
  command -v chromium >/dev/null || wanted+=(chromium)
  command -v chromedriver >/dev/null || wanted+=(chromium-driver)
  ((${#wanted[@]})) || return 0
  printf 'Installing %s with apt-get.\n' "${wanted[*]}" >&2
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${wanted[@]}"; } \
    >"$log" 2>&1 </dev/null 9<&-; then
    tail -n 20 "$log" >&2
  fi
  rm -f -- "$log"
}

programs_explain_and_fail() {
  cat >&2 <<TEXT
The tests of signing in with the university need Node.js $oldest_node or later with npm, and Chromium with ChromeDriver.
  Debian, Ubuntu   sudo apt-get install nodejs npm chromium chromium-driver
TEXT
  return 1
}

packages_current() {
  [[ node_modules/.package-lock.json -nt package-lock.json ]]
}

main
