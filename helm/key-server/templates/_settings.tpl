{{/*
The service's settings as environment variables. settings.json is made from the service's own schema, and says which value
each is; a secret one, and a file that one names, is brought by a Secret that exists.
Those of unique keys are in _unique.tpl. What the release makes itself is not there when the self-test runs, which `gate` tells.
*/}}
{{- define "key-server.environment" -}}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := include "key-server.value" (list $.Values $setting.value) | fromJson }}
{{- $variable := $setting.name | snakecase | upper }}
{{- if or $setting.secret $setting.file }}
{{- if $value.it.name }}
- name: {{ $variable }}{{ if $setting.secret }}_FILE{{ end }}
  value: /run/secrets/key-server/{{ $setting.name }}
{{- end }}
{{- else if ne (toString $value.it) "" }}
- name: {{ $variable }}
  value: {{ if kindIs "float64" $value.it }}{{ int64 $value.it | quote }}{{ else }}{{ $value.it | quote }}{{ end }}
{{- end }}
{{- end }}
{{- range $name := keys (include "key-server.tlsSecrets" . | fromJson) | sortAlpha }}
- name: {{ $name | snakecase | upper }}
  value: /run/secrets/key-server/{{ $name }}
{{- end }}
{{ include "key-server.uniqueEnvironment" . }}
{{- end -}}

{{/* The value at a place such as `rotation.every`, as the `it` of some JSON. */}}
{{- define "key-server.value" -}}
{{- $value := first . -}}
{{- range splitList "." (last .) -}}{{- $value = index $value . -}}{{- end -}}
{{- dict "it" $value | toJson -}}
{{- end -}}

{{/* The settings of TLS, with the Secret's name and the key in it, as JSON. */}}
{{- define "key-server.tlsSecrets" -}}
{{- $secrets := dict -}}
{{- with .Values.tls.secretName -}}
{{- $secrets = dict "tlsCert" (dict "name" . "key" "tls.crt") "tlsKey" (dict "name" . "key" "tls.key") -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{- define "key-server.scheme" -}}
{{ ternary "https" "http" (ne .Values.tls.secretName "") }}
{{- end -}}

{{/* The Secrets that settings refer to, as the sources of one projected volume; empty when there are none. */}}
{{- define "key-server.secretSources" -}}
{{- $secrets := merge (include "key-server.uniqueSecrets" . | fromJson) (include "key-server.tlsSecrets" . | fromJson) }}
{{- range $setting := .Files.Get "settings.json" | fromJsonArray }}
{{- $value := include "key-server.value" (list $.Values $setting.value) | fromJson }}
{{- if and (or $setting.secret $setting.file) $value.it.name }}
{{- $_ := set $secrets $setting.name $value.it }}
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
