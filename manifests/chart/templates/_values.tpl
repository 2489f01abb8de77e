{{/* The components that the values ask for, in the order in which they are applied, separated by blanks. */}}
{{- define "portcullis.components" -}}
{{- if eq .Values.mode "audit" }} audit{{ end -}}
{{- if .Values.highAvailability }} high-availability{{ end -}}
{{- if eq .Values.certificates.source "given" }} given-certificate{{ end -}}
{{- if eq .Values.certificates.source "cert-manager" }} cert-manager{{ end -}}
{{- if .Values.configuration }} configuration{{ end -}}
{{- if eq .Values.alerts "prometheusRule" }} prometheus-rule{{ end -}}
{{- end -}}

{{/* The reference of the image. */}}
{{- define "portcullis.image" -}}
{{- .Values.image.repository -}}
{{- if .Values.image.tag }}:{{ .Values.image.tag }}{{ else if not .Values.image.digest }}:{{ .Chart.AppVersion }}{{ end -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ end -}}
{{- end -}}

{{/* Sets in the Deployment what the values say. Takes root and deployment. */}}
{{- define "portcullis.deploy" -}}
{{- $values := .root.Values -}}
{{- $pod := .deployment.spec.template.spec -}}
{{- $container := first $pod.containers -}}
{{- if $values.replicas -}}{{- $_ := set .deployment.spec "replicas" (int $values.replicas) -}}{{- end -}}
{{- $_ := set $container "image" (include "portcullis.image" .root) -}}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy -}}
{{- if ne .root.Release.Name "portcullis" -}}
  {{- $_ := set $container "args" (append $container.args (printf "--release=%s" .root.Release.Name)) -}}
{{- end -}}
{{- $_ := set $container "args" (concat $container.args $values.arguments) -}}
{{- if $values.resources -}}{{- $_ := set $container "resources" $values.resources -}}{{- end -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" -}}
  {{- $value := get $values $key -}}
  {{- if $value -}}{{- $_ := set $pod $key $value -}}{{- end -}}
{{- end -}}
{{- with $values.image.pullSecrets -}}
  {{- $secrets := list -}}
  {{- range . -}}{{- $secrets = append $secrets (dict "name" .) -}}{{- end -}}
  {{- $_ := set $pod "imagePullSecrets" $secrets -}}
{{- end -}}
{{- with $values.configuration -}}
  {{- $_ := set $.deployment.spec.template.metadata.annotations "portcullis.dev/configuration" (adler32sum .) -}}
{{- end -}}
{{- range $key, $value := $values.podAnnotations -}}
  {{- $_ := set $.deployment.spec.template.metadata.annotations $key $value -}}
{{- end -}}
{{- end -}}

{{/* What no schema can say. */}}
{{- define "portcullis.refuse" -}}
{{- if or (eq .Release.Namespace "default") (hasPrefix "kube-" .Release.Namespace) -}}
  {{- fail (printf "%s is the system's namespace, and its labels would be changed: give Portcullis one of its own, --namespace portcullis-system" .Release.Namespace) -}}
{{- end -}}
{{- if and .Values.certificates.secret (ne .Values.certificates.source "given") -}}
  {{- fail "certificates.secret names the Secret of certificates.source=given: set both, or neither" -}}
{{- end -}}
{{- end -}}
