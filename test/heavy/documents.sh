# shellcheck shell=bash
# What comes before the commands of a document: they are run as they stand, on a free port in place of 1123.
set -euo pipefail
state=$(mktemp -d)
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
trap 'stop_server; rm -r "$state"' EXIT
export SRV_PORT=0 HOST=127.0.0.1 DRAIN_TIME=0

# Waits until the latest server listens, and prints its port.
port() {
  for _ in $(seq 600); do
    sed -n 's/.*Starting server on port \([0-9]*\)\.\.\..*/\1/p' "$state/log" | grep . && return
    kill -0 "$(cat "$state/pid")" || break
    sleep 0.1
  done
  cat "$state/log" >&2
  return 1
}

stop_server() {
  [ -e "$state/pid" ] || return 0
  port >"$state/port"
  kill "$(cat "$state/pid")"
  wait "$(cat "$state/pid")" || true # ended by a signal
  rm "$state/pid"
}

# `npm start` goes on in another terminal, until the next one or the end.
npm() {
  case $1 in
    ci) ;; # who runs the tests has done it
    start)
      stop_server
      : >"$state/log"
      command npm "$@" >"$state/log" 2>&1 &
      echo $! >"$state/pid"
      ;;
    run) command npm "$@" ;;
    *) # It could take away the node_modules of who runs the tests.
      echo "npm $1 is not for a test" >&2
      return 1
      ;;
  esac
}

# Fails without an answer, and with one that is no success unless `refused` says so. A document that starts no server is
# about any.
curl() {
  local status=0 fail=--fail-with-body
  case " $* " in *' --fail '* | *' -f'*) fail=--fail ;; esac # curl takes one of the two
  [ -e "$state/pid" ] || npm start
  command curl $fail --max-time 60 "${@//1123/$(port)}" >"$state/answer" || status=$?
  cat "$state/answer"
  [ -s "$state/answer" ] && [ "$status" = "${refused:-0}" ]
}
