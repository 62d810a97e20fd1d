{{- define "key-server.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "key-server.labels" -}}
{{ include "key-server.podLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What a selector selects. The name is the Prometheus job of every release, so nothing overrides it. */}}
{{- define "key-server.podLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "key-server.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "key-server.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "key-server.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- with .Values.image.digest -}}@{{ . }}{{- end -}}
{{- end -}}

{{/*
The service's settings as environment variables. settings.json is made from the service's own schema: each
setting is the value of the same name, a secret one is read from a file of a Secret that exists. Used by the
Deployment and by the self-test, which must see the same.
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

{{/* What the server's pods and the self-test's have in common: image, settings, Secrets, rights, limits. */}}
{{- define "key-server.container" -}}
image: {{ include "key-server.image" . | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
env: {{- include "key-server.environment" . | nindent 2 }}
{{- with .Values.resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
{{- if include "key-server.secretSources" . }}
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/key-server
    readOnly: true
{{- end }}
{{- end -}}

{{- define "key-server.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 .Values.runAsUser }}
  runAsGroup: {{ int64 .Values.runAsUser }}
  fsGroup: {{ int64 .Values.runAsUser }}
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "key-server.secretSources" . }}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources: {{- . | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "key-server.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end -}}

{{- define "key-server.servicePort" -}}
{{- .Values.service.port | default .Values.srvPort | int64 -}}
{{- end -}}
