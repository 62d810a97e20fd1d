{{/* What the schema can't say, with what to do about it. */}}
{{- define "key-server.checks" -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]*$" (include "key-server.fullname" .)) -}}
{{- fail (printf "the name of a service begins with a letter and has no dots, unlike %s: give the release another name, or set fullnameOverride" (include "key-server.fullname" .)) -}}
{{- end -}}
{{- if not (has .Values.host (list "" "0.0.0.0" "::")) -}}
{{- fail (printf "host must be empty, 0.0.0.0 or ::, not %q: a pod is called, and asked for its health, at an address of its own" .Values.host) -}}
{{- end -}}
{{- if lt (int64 .Values.srvPort) 1024 -}}
{{- fail (printf "srvPort must be 1024 or more, not %d: the pods do not run as root. For clients, any port is possible: --set service.port=%d" (int64 .Values.srvPort) (int64 .Values.srvPort)) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int64 .Values.autoscaling.minReplicas) (int64 .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas (%d) must not be more than autoscaling.maxReplicas (%d)" (int64 .Values.autoscaling.minReplicas) (int64 .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- $bytes := include "key-server.bytes" $limit -}}
{{- if and $bytes (lt (float64 $bytes) 83886080.0) -}}
{{- fail (printf "resources.limits.memory must be 80Mi or more, not %v: Node and its heap do not fit into less under load" $limit) -}}
{{- end -}}
{{- if and .Values.salt.from (gt (int64 .Values.maxSize) 16320) -}}
{{- fail (printf "maxSize must be 16320 or less with salt.from, not %d: HKDF (RFC 5869) makes no more bytes of one key" (int64 .Values.maxSize)) -}}
{{- end -}}
{{- if and .Values.auth.apiKeys.name .Values.rotation.admin -}}
{{- fail "rotation.admin must be false with auth.apiKeys: there, an API key with the scope admin rotates" -}}
{{- end -}}
{{- if and .Values.auth.metrics (not .Values.auth.apiKeys.name) -}}
{{- fail "auth.metrics needs auth.apiKeys.name, the name of a Secret that has the API keys" -}}
{{- end -}}
{{- if and .Values.rateLimit.store.name (not .Values.rateLimit.address) (not .Values.rateLimit.client) -}}
{{- fail "rateLimit.store needs rateLimit.address or rateLimit.client: without them nothing is limited" -}}
{{- end -}}
{{- if and .Values.rateLimit.client (not .Values.auth.apiKeys.name) -}}
{{- fail "rateLimit.client needs auth.apiKeys.name, the name of a Secret that has the API keys: without them nobody knows a client" -}}
{{- end -}}
{{- if and .Values.auth.metrics .Values.serviceMonitor.enabled (not .Values.serviceMonitor.authorization) -}}
{{- fail "serviceMonitor.authorization must name the Secret with an API key of the scope metrics, as auth.metrics asks for one: {credentials: {name: NAME, key: KEY}}" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) -}}
{{- range $value, $secret := dict "webhooks.urls" .Values.webhooks.urls "rateLimit.store" .Values.rateLimit.store -}}
{{- if $secret.name -}}
{{- fail (printf "networkPolicy.egress must let the pods reach what %s names, and DNS for its name" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.unique.enabled -}}
{{- include "key-server.uniqueChecks" . -}}
{{- end -}}
{{- end -}}

{{- define "key-server.uniqueChecks" -}}
{{- $store := .Values.unique.store -}}
{{- if eq $store "file" -}}
{{- $instead := "the volume of unique.store=file is for one pod; unique.store=kubernetes and postgres serve any number" -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail (printf "autoscaling.enabled must be false: %s" $instead) -}}
{{- end -}}
{{- if gt (int64 .Values.replicaCount) 1 -}}
{{- fail (printf "replicaCount must be 1, not %d: %s" (int64 .Values.replicaCount) $instead) -}}
{{- end -}}
{{- else if eq $store "kubernetes" -}}
{{- if eq (include "key-server.serviceAccountName" .) "default" -}}
{{- fail "serviceAccount.name must be given or serviceAccount.create be true: with unique.store=kubernetes, the account may change the store's Secret, and default is the account of every pod" -}}
{{- end -}}
{{- else -}}
{{- if not .Values.unique.postgres.name -}}
{{- fail "unique.postgres.name must be the name of a Secret that has the database's URL: kubectl create secret generic NAME --from-file=store, a file that holds postgres://user:password@host/database" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) -}}
{{- fail "networkPolicy.egress must let the pods reach PostgreSQL, and DNS for its name: with unique.store=postgres they need both" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The bytes of a quantity such as 128Mi; empty for what is none, which Kubernetes then refuses. */}}
{{- define "key-server.bytes" -}}
{{- $text := kindIs "float64" . | ternary (. | int64) . | toString -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?" $text -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := trimPrefix $number $text -}}
{{- if and $number (hasKey $units $unit) -}}
{{- mulf $number (get $units $unit) -}}
{{- end -}}
{{- end -}}
