{{/*
The service's settings as environment variables. settings.json is made from the service's own schema: each
setting is the value of the same name; a secret one, and a file that one names, is brought by a Secret that exists.
Those of unique keys are in _unique.tpl. What the release makes itself is not there when the self-test runs, which `gate` tells.
*/}}
{{- define "key-server.environment" -}}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := index $.Values $setting.name }}
{{- $variable := $setting.name | snakecase | upper }}
{{- if or $setting.secret $setting.file }}
{{- if $value.name }}
- name: {{ $variable }}{{ if $setting.secret }}_FILE{{ end }}
  value: /run/secrets/key-server/{{ $setting.name }}
{{- end }}
{{- else if ne (toString $value) "" }}
- name: {{ $variable }}
  value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}
{{ include "key-server.uniqueEnvironment" . }}
{{- end -}}

{{/* The Secrets that settings refer to, as the sources of one projected volume; empty when there are none. */}}
{{- define "key-server.secretSources" -}}
{{- $secrets := include "key-server.uniqueSecrets" . | fromJson }}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := index $.Values $setting.name }}
{{- if and (or $setting.secret $setting.file) $value.name }}
{{- $_ := set $secrets $setting.name $value }}
{{- end }}
{{- end }}
{{- range $name, $value := $secrets }}
- secret:
    name: {{ $value.name }}
    items:
      - key: {{ $value.key }}
        path: {{ $name }}
{{- end }}
{{- end -}}

{{/* The volumes that such a container mounts. */}}
{{- define "key-server.volumes" -}}
{{- $secrets := include "key-server.secretSources" . }}
{{- $file := and (eq (include "key-server.madeStore" .) "file") (not .gate) }}
{{- if or $secrets $file }}
volumes:
  {{- if $secrets }}
  - name: secrets
    projected:
      defaultMode: 288 # 0440, which not every reader of YAML takes for octal
      sources: {{- $secrets | trim | nindent 8 }}
  {{- end }}
  {{- if $file }}
  - name: store
    persistentVolumeClaim:
      claimName: {{ include "key-server.storeName" . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "key-server.volumeMounts" -}}
{{- $secrets := include "key-server.secretSources" . }}
{{- $file := and (eq (include "key-server.madeStore" .) "file") (not .gate) }}
{{- if or $secrets $file }}
volumeMounts:
  {{- if $secrets }}
  - name: secrets
    mountPath: /run/secrets/key-server
    readOnly: true
  {{- end }}
  {{- if $file }}
  - name: store
    mountPath: {{ include "key-server.storeFolder" . }}
  {{- end }}
{{- end }}
{{- end -}}
