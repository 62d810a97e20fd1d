#!/bin/sh
# Prints a key of a key-server. usage: sh key.sh [URL]
# KEY_SERVER_API_KEY is an API key to send, KEY_SERVER_DEADLINE the whole seconds after which to give up (30).
set -u
export LC_ALL=C

url=${1:-http://localhost:1123/key/16}
tries=5
try_seconds=5
deadline=$(($(date +%s) + ${KEY_SERVER_DEADLINE:-30}))

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
# In a file and not an argument, which others on this machine can read.
printf %s "${KEY_SERVER_API_KEY:+Authorization: Bearer $KEY_SERVER_API_KEY}" >"$folder/authorization"

fail() {
  echo "key.sh: no key from $url: $1" >&2
  exit 1
}

# Asks once, for so many seconds at most. POST, as a proxy may repeat a GET by itself, and each takes a key of its own.
ask() {
  # Not what the try before has left.
  : | tee "$folder/head" >"$folder/body"
  curl --silent --show-error --request POST --header "@$folder/authorization" --max-time "$1" \
    --dump-header "$folder/head" --output "$folder/body" --write-out '%{http_code}' "$url" 2>"$folder/error"
}

# The seconds that Retry-After asks for: it is a number of them or a date, which GNU and BSD read differently.
retry_after() {
  value=$(tr -d '\r' <"$folder/head" | sed -n 's/^[Rr]etry-[Aa]fter: *//p' | tail -n 1)
  case $value in
    *[!0-9]*)
      at=$(date -u -d "$value" +%s 2>/dev/null || date -juf '%a, %d %b %Y %T GMT' "$value" +%s 2>/dev/null) || at=0
      now=$(date +%s)
      echo $((at > now ? at - now : 0))
      ;;
    *) echo "${value:-0}" ;;
  esac
}

try=1
backoff=200 # milliseconds
while :; do
  left=$((deadline - $(date +%s)))
  [ "$left" -gt 0 ] || fail "${reason:-no time for a try}"
  status=$(ask $((left < try_seconds ? left : try_seconds)))
  case $? in
    0) reason="$status $(cat "$folder/body")" ;;
    6 | 7 | 16 | 18 | 28 | 35 | 52 | 55 | 56 | 92) status=none reason=$(cat "$folder/error") ;; # of the connection
    *) fail "$(cat "$folder/error")" ;;
  esac
  case $status in
    200) break ;;
    none | 429 | 502 | 503 | 504) ;; # 502 and 504 come from proxies that reached no server
    *) fail "$reason" ;;
  esac
  [ "$try" -lt "$tries" ] || fail "$reason"
  # Anything from nothing to the back-off, so that those who were refused together do not come back together.
  wait=$(awk -v after="$(retry_after)" -v backoff="$backoff" -v random="$(od -An -N2 -tu2 /dev/urandom)" \
    'BEGIN { printf "%.3f", after + backoff / 1000 * random / 65536 }')
  left=$((deadline - $(date +%s)))
  [ "${wait%.*}" -lt "$left" ] || fail "$reason"
  sleep "$wait"
  try=$((try + 1))
  backoff=$((backoff * 2))
done
cat "$folder/body"
echo
