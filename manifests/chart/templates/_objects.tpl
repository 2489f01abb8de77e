{{/*
The manifests are the files of base/ and components/, put together as kustomize does: resources, then patches. Here are the
parts of that; manifests.yaml calls them. Objects are changed in place, so most of these print nothing.
*/}}

{{/* Adds the objects of a folder's kustomization to .objects.list, and patches. Takes root, folder and objects. */}}
{{- define "portcullis.add" -}}
{{- $kustomization := .root.Files.Get (printf "%s/kustomization.yaml" .folder) | fromYaml -}}
{{- range $kustomization.resources -}}
  {{- range (printf "\n%s" ($.root.Files.Get (printf "%s/%s" $.folder .)) | splitList "\n---\n") -}}
    {{- $_ := set $.objects "list" (append $.objects.list (fromYaml .)) -}}
  {{- end -}}
{{- end -}}
{{- range $kustomization.components -}}
  {{- include "portcullis.add" (dict "root" $.root "folder" (printf "components/%s" (base .)) "objects" $.objects) -}}
{{- end -}}
{{- range $kustomization.patches -}}
  {{- $text := $.root.Files.Get (printf "%s/%s" $.folder .path) -}}
  {{- if .target -}}
    {{- include "portcullis.patch" (dict "objects" $.objects "target" .target "operations" (fromYamlArray $text)) -}}
  {{- else -}}
    {{- include "portcullis.delete" (dict "objects" $.objects "target" (fromYaml $text)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Applies a JSON patch to the objects that its target names. Takes objects, target and operations. */}}
{{- define "portcullis.patch" -}}
{{- range $object := .objects.list -}}
  {{- if and (eq $object.kind $.target.kind) (or (not $.target.name) (eq $object.metadata.name (default "" $.target.name))) -}}
    {{- range $.operations -}}
      {{- include "portcullis.operation" (dict "at" $object "path" (trimPrefix "/" .path | splitList "/") "operation" .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/*
One operation of RFC 6902: add a key or behind a list's end, replace, remove. Takes at, path and operation. A list is never
changed in place: whoever holds it sets the new one.
*/}}
{{- define "portcullis.operation" -}}
{{- $key := first .path -}}
{{- $rest := rest .path -}}
{{- if kindIs "slice" .at -}}
  {{- include "portcullis.operation" (dict "at" (index .at (int $key)) "path" $rest "operation" .operation) -}}
{{- else if not $rest -}}
  {{- if eq .operation.op "remove" -}}{{- $_ := unset .at $key -}}{{- else -}}{{- $_ := set .at $key .operation.value -}}{{- end -}}
{{- else if and (eq (len $rest) 1) (kindIs "slice" (get .at $key)) -}}
  {{- $list := get .at $key -}}
  {{- if eq (first $rest) "-" -}}
    {{- $_ := set .at $key (append $list .operation.value) -}}
  {{- else -}}
    {{- $index := int (first $rest) -}}
    {{- $value := ternary list (list .operation.value) (eq .operation.op "remove") -}}
    {{- $_ := set .at $key (concat (slice $list 0 $index) $value (slice $list (add1 $index))) -}}
  {{- end -}}
{{- else -}}
  {{- include "portcullis.operation" (dict "at" (get .at $key) "path" $rest "operation" .operation) -}}
{{- end -}}
{{- end -}}

{{/* Leaves out the object that a `$patch: delete` names. Takes objects and target. */}}
{{- define "portcullis.delete" -}}
{{- $kept := list -}}
{{- range .objects.list -}}
  {{- if not (and (eq .kind $.target.kind) (eq .metadata.name $.target.metadata.name)) -}}{{- $kept = append $kept . -}}{{- end -}}
{{- end -}}
{{- $_ := set .objects "list" $kept -}}
{{- end -}}

{{/*
Gives the objects their names: the namespace is `portcullis-system` in the files, and everything else is called `portcullis`, or
that with an ending behind a hyphen or a dot. The label that says what application this is stays, and so does the group of the
documents, portcullis.dev. Takes root and map.
*/}}
{{- define "portcullis.name" -}}
{{- range $key, $value := .map -}}
  {{- if kindIs "map" $value -}}
    {{- include "portcullis.name" (dict "root" $.root "map" $value) -}}
  {{- else if kindIs "slice" $value -}}
    {{- $named := list -}}
    {{- range $value -}}
      {{- if kindIs "map" . -}}{{- include "portcullis.name" (dict "root" $.root "map" .) -}}{{- end -}}
      {{- if kindIs "string" . -}}
        {{- $named = append $named (include "portcullis.named" (dict "root" $.root "text" .)) -}}
      {{- else -}}
        {{- $named = append $named . -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set $.map $key $named -}}
  {{- else if and (kindIs "string" $value) (ne $key "app.kubernetes.io/name") -}}
    {{- $_ := set $.map $key (include "portcullis.named" (dict "root" $.root "text" $value)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* A text with its names put in; the value of a flag counts as a text of its own. Takes root and text. */}}
{{- define "portcullis.named" -}}
{{- $flag := regexFind "^--[^=]+=" .text -}}
{{- $name := trimPrefix $flag .text -}}
{{- if eq $name "portcullis-system" -}}
  {{- $name = .root.Release.Namespace -}}
{{- else if and (eq $name "portcullis-tls") .root.Values.certificates.secret -}}
  {{- $name = .root.Values.certificates.secret -}}
{{- else if and (regexMatch "^portcullis($|[.-])" $name) (ne $name "portcullis.dev") -}}
  {{- $ending := trimPrefix "portcullis" $name | replace ".portcullis-system" (printf ".%s" .root.Release.Namespace) -}}
  {{- $name = printf "%s%s" .root.Release.Name $ending -}}
{{- end -}}
{{- printf "%s%s" $flag $name -}}
{{- end -}}
