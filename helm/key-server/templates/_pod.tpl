{{/* What every pod of the chart has. */}}
{{- define "key-server.pod" -}}
automountServiceAccountToken: {{ .token | default false }}
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
  {{- if and .Values.sendBufferBytes (semverCompare ">=1.32.0-0" .Capabilities.KubeVersion.Version) }}
  sysctls:
    - name: net.ipv4.tcp_wmem
      value: "4096 16384 {{ int64 .Values.sendBufferBytes }}"
  {{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
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
{{- end -}}

{{/* What every container of the chart has. */}}
{{- define "key-server.container" -}}
image: {{ include "key-server.image" . | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- with .Values.resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
{{- end -}}

{{/* A container with the service's settings: the server's and the self-test's. */}}
{{- define "key-server.configuredContainer" -}}
{{ include "key-server.container" . }}
env: {{- include "key-server.environment" . | trim | nindent 2 }}
{{- with include "key-server.volumeMounts" . | trim }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "key-server.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- with .Values.image.digest -}}@{{ . }}{{- end -}}
{{- end -}}

{{- define "key-server.probe" -}}
httpGet:
  path: {{ .path | quote }}
  port: http
  {{- if eq .scheme "https" }}
  scheme: HTTPS
  {{- end }}
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end -}}
