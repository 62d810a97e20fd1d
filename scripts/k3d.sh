#!/usr/bin/env bash
# Starts k3s in Docker by k3d, whose node reaches the registry at localhost:5000 of this machine, installs the chart by
# the documented call, runs the cluster tests, and takes it all away. Needs docker, k3d, kubectl, helm and `npm ci`.
# usage: scripts/k3d.sh     (after scripts/image.sh)
set -euo pipefail
cd "$(dirname "$0")/.."
cluster=key-server-test
folder=$(mktemp -d)
trap 'k3d cluster delete "$cluster"; rm -rf "$folder"' EXIT

cat > "$folder/registries.yaml" <<YAML
mirrors:
  localhost:5000:
    endpoint: ["http://host.k3d.internal:5000"]
YAML
k3d cluster create "$cluster" --registry-config "$folder/registries.yaml" --kubeconfig-update-default=false \
  --wait --timeout 300s
k3d kubeconfig get "$cluster" > "$folder/kubeconfig"
export KUBECONFIG=$folder/kubeconfig

docker exec "k3d-$cluster-server-0" ctr --namespace k8s.io image pull \
  --hosts-dir /var/lib/rancher/k3s/agent/etc/containerd/certs.d localhost:5000/key-server:latest

helm package helm/key-server --destination "$folder"
(
  cd "$folder"
  helm install key-server ./key-server-0.1.0.tgz --namespace key-server --create-namespace \
    --set image.repository=localhost:5000/key-server --set image.tag=latest --set maxSize=1024 --set srvPort=1123
)
kubectl --namespace key-server rollout status deployment/key-server --timeout 180s
helm --namespace key-server test key-server --logs
helm --namespace key-server uninstall key-server

npm run test:cluster
