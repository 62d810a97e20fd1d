#!/usr/bin/env bash
# Builds the image for amd64 and arm64 with Docker's buildx, pushes it, starts each of the two and asks it for a key.
# usage: scripts/image.sh [REPOSITORY:TAG]     (default: localhost:5000/key-server:latest)
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:-localhost:5000/key-server:latest}
platforms=(linux/amd64 linux/arm64)

docker buildx build --platform "$(IFS=,; echo "${platforms[*]}")" --sbom=true --provenance=mode=max \
  --build-arg "REVISION=$(git rev-parse HEAD)" --tag "$image" --push .

container=
trap '[ -z "$container" ] || docker rm --force "$container" >/dev/null' EXIT
for platform in "${platforms[@]}"; do
  container=$(docker run --detach --pull always --platform "$platform" --publish 127.0.0.1::1123 "$image")
  key=$(curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors "http://$(docker port "$container" 1123)/key/16?format=hex") ||
    { echo "$platform does not answer; it says:" >&2; docker logs "$container" >&2; exit 1; }
  [[ $key =~ ^[0-9a-f]{32}$ ]] || { echo "$platform answers '$key', not 32 hex digits" >&2; exit 1; }
  echo "$platform answers a key"
  docker rm --force "$container" >/dev/null
  container=
done
