#!/usr/bin/env bash
# Pushes the image and the chart of a version to an OCI registry that docker is logged in to.
# usage: scripts/release.sh REGISTRY/OWNER vVERSION
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${1:?registry and owner} tag=${2:?version}
version=$(sed -n 's/^version: //p' helm/key-server/Chart.yaml)
[ "$tag" = "v$version" ] || { echo "the chart's version is $version, the tag's ${tag#v}: make them the same" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bash scripts/image.sh "${registry,,}/key-server:$version"
helm package helm/key-server --destination "$folder"
helm push "$folder/key-server-$version.tgz" "oci://${registry,,}/charts"
