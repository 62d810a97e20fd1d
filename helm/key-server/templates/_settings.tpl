{{/*
The service's settings as environment variables. settings.json is made from the service's own schema: each
setting is the value of the same name, a secret one is read from a file of a Secret that exists. What the release
makes itself is not there when the self-test runs, so it belongs in the Deployment alone.
*/}}
{{- define "key-server.environment" -}}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := index $.Values $setting.name }}
{{- $variable := $setting.name | snakecase | upper }}
{{- if $setting.secret }}
{{- if $value.name }}
- name: {{ $variable }}_FILE
  value: /run/secrets/key-server/{{ $setting.name }}
{{- end }}
{{- else if ne (toString $value) "" }}
- name: {{ $variable }}
  value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The Secrets that settings refer to, as the sources of one projected volume; empty when there are none. */}}
{{- define "key-server.secretSources" -}}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := index $.Values $setting.name }}
{{- if and $setting.secret $value.name }}
- secret:
    name: {{ $value.name }}
    items:
      - key: {{ $value.key }}
        path: {{ $setting.name }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The volumes that such a container mounts. */}}
{{- define "key-server.volumes" -}}
{{- with include "key-server.secretSources" . }}
volumes:
  - name: secrets
    projected:
      defaultMode: 288 # 0440, which not every reader of YAML takes for octal
      sources: {{- . | trim | nindent 8 }}
{{- end }}
{{- end -}}
