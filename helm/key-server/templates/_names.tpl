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

{{/* For pods that no Service, budget or policy of the release selects. */}}
{{- define "key-server.selfTestLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-self-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "key-server.testLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "key-server.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "key-server.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "key-server.servicePort" -}}
{{- .Values.service.port | default .Values.srvPort | int64 -}}
{{- end -}}
