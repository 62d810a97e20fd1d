{{/*
Unique keys: their settings, and what the release makes for them. `gate` is set for the self-test, which runs before
any of that is there: it gets a throw-away secret in place of the release's own, and no store but a setting's text.
*/}}
{{- define "key-server.uniqueEnvironment" -}}
- name: UNIQUE
  value: {{ .Values.unique.enabled | quote }}
{{- if .Values.unique.enabled }}
{{- if eq .Values.unique.store "file" }}
- name: STORE
  value: {{ include "key-server.storeFolder" . }}/key-server.db
{{- else if eq .Values.unique.store "kubernetes" }}
- name: STORE
  value: kubernetes:{{ include "key-server.storeName" . }}
{{- end }}
{{- range $name := keys (include "key-server.uniqueSecrets" . | fromJson) | sortAlpha }}
- name: {{ $name | snakecase | upper }}_FILE
  value: /run/secrets/key-server/{{ $name }}
{{- end }}
{{- if and .gate (not .Values.unique.secret.name) }}
- name: KEYSPACE_SECRET
  value: in the place of a secret that is not made yet
{{- end }}
{{- end }}
{{- end -}}

{{/* Each setting of unique keys that is read from a Secret, with the Secret's name and the key in it, as JSON. */}}
{{- define "key-server.uniqueSecrets" -}}
{{- $secrets := dict -}}
{{- with .Values.unique -}}
{{- if .enabled -}}
{{- if eq .store "postgres" -}}{{- $_ := set $secrets "store" .postgres -}}{{- end -}}
{{- if .oldSecret.name -}}{{- $_ := set $secrets "keyspaceOldSecret" .oldSecret -}}{{- end -}}
{{- if .secret.name -}}
{{- $_ := set $secrets "keyspaceSecret" .secret -}}
{{- else if not $.gate -}}
{{- $_ := set $secrets "keyspaceSecret" (dict "name" (include "key-server.secretName" $) "key" "keyspace-secret") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* The store that the release makes itself; empty when it makes none. */}}
{{- define "key-server.madeStore" -}}
{{- if and .Values.unique.enabled (ne .Values.unique.store "postgres") -}}{{ .Values.unique.store }}{{- end -}}
{{- end -}}

{{- define "key-server.storeName" -}}
{{ include "key-server.fullname" . }}-store
{{- end -}}

{{- define "key-server.secretName" -}}
{{ include "key-server.fullname" . }}-keyspace
{{- end -}}

{{- define "key-server.storeFolder" -}}
/app/data
{{- end -}}

{{/* What stays when the release is removed, as kubectl names it. */}}
{{- define "key-server.kept" -}}
{{- $kept := list -}}
{{- if and .Values.unique.enabled (not .Values.unique.secret.name) -}}
{{- $kept = append $kept (printf "secret/%s" (include "key-server.secretName" .)) -}}
{{- end -}}
{{- with include "key-server.madeStore" . -}}
{{- $kept = append $kept (printf "%s/%s" (ternary "pvc" "secret" (eq . "file")) (include "key-server.storeName" $)) -}}
{{- end -}}
{{- join ", " $kept -}}
{{- end -}}

{{/*
Metadata of what is made once, where it is not there yet, and stays: without it, keys would come again. As a hook it is no
part of the release, whose objects helm empties or replaces in a rollback or by --force; after the self-test, so that one
that fails leaves nothing behind.
*/}}
{{- define "key-server.keptMetadata" -}}
{{- $root := first . -}}
name: {{ last . }}
namespace: {{ $root.Release.Namespace }}
labels: {{- include "key-server.labels" $root | nindent 2 }}
annotations:
  helm.sh/resource-policy: keep
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: "1"
  helm.sh/hook-delete-policy: hook-failed
{{- end -}}
