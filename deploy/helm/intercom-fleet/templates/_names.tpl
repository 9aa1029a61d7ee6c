{{/* Also the name of the pods, hence of the workers. */}}
{{- define "fleet.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "fleet.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "fleet.labels" -}}
{{ include "fleet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The workers' configuration: one connection for each workspace, one line for each. */}}
{{- define "fleet.config" -}}
{{- with .Values.http }}
http: {{ toJson . }}
{{- end }}
connections:
{{- range .Values.workspaces }}
{{- $token := dict }}
{{- if not (hasKey . "access_token_env") }}
{{- $token = dict "access_token_file" (printf "/tokens/%s" .name) }}
{{- end }}
  - {{ toJson (merge (deepCopy .) $token) }}
{{- end }}
{{- end -}}
