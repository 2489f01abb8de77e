//! What Go's types say about the members of a pod when they are written: of those that nothing is said of, nothing becomes of them.
//!
//! Source: the JSON tags of core/v1/types.go and meta/v1/types.go of k8s.io/api and k8s.io/apimachinery v0.37.1. Left out are members
//! that validation wants to be set.

use super::written::Rule::{Always, Amount, Amounts, Object, Objects, Omitted};
use super::written::Shape;

pub(super) const POD: Shape = &[(&["metadata"], Object(METADATA)), (&["spec"], Object(SPEC))];

const METADATA: Shape =
    &[(&["name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences"], Omitted)];

const SPEC: Shape = &[
    (
        &["nodeSelector", "serviceAccountName", "serviceAccount", "nodeName", "hostNetwork", "hostPID", "hostIPC"],
        Omitted,
    ),
    (&["hostname", "subdomain", "priorityClassName", "readinessGates", "schedulingGates", "resourceClaims"], Omitted),
    (&["volumes"], Objects(super::volumes::VOLUME)),
    (&["initContainers", "containers", "ephemeralContainers"], Objects(CONTAINER)),
    (&["imagePullSecrets"], Objects(NAMED)),
    (&["tolerations"], Objects(&[(&["key", "operator", "value", "effect"], Omitted)])),
    (&["hostAliases"], Objects(&[(&["hostnames"], Omitted)])),
    (
        &["topologySpreadConstraints"],
        Objects(&[(&["labelSelector"], Object(LABEL_SELECTOR)), (&["matchLabelKeys"], Omitted)]),
    ),
    (&["securityContext"], Object(POD_SECURITY_CONTEXT)),
    (&["affinity"], Object(AFFINITY)),
    (&["dnsConfig"], Object(&[(&["nameservers", "searches"], Omitted), (&["options"], Objects(NAMED))])),
    (&["overhead"], Amounts),
    (&["resources"], Object(RESOURCES)),
];

/// What has a name that may be empty.
pub(super) const NAMED: Shape = &[(&["name"], Omitted)];

const CONTAINER: Shape = &[
    (&["image", "command", "args", "workingDir", "resizePolicy", "volumeDevices"], Omitted),
    (&["stdin", "stdinOnce", "tty", "targetContainerName"], Omitted),
    (&["ports"], Objects(&[(&["name", "hostPort", "hostIP"], Omitted)])),
    (&["envFrom"], Objects(&[(&["prefix"], Omitted), (&["configMapRef", "secretRef"], Object(NAMED))])),
    (&["env"], Objects(&[(&["value"], Omitted), (&["valueFrom"], Object(VALUE_FROM))])),
    (&["resources"], Always("{}")),
    (&["resources"], Object(RESOURCES)),
    (&["restartPolicyRules"], Objects(&[(&["exitCodes"], Object(&[(&["values"], Omitted)]))])),
    (&["volumeMounts"], Objects(&[(&["readOnly", "subPath", "subPathExpr", "bindMountOptions"], Omitted)])),
    (&["livenessProbe", "readinessProbe", "startupProbe"], Object(PROBE)),
    (&["lifecycle"], Object(&[(&["postStart", "preStop"], Object(HANDLER))])),
    (&["securityContext"], Object(SECURITY_CONTEXT)),
];

pub(super) const RESOURCES: Shape =
    &[(&["limits", "requests"], Amounts), (&["claims"], Objects(&[(&["request"], Omitted)]))];

const VALUE_FROM: Shape =
    &[(&["configMapKeyRef", "secretKeyRef"], Object(NAMED)), (&["resourceFieldRef"], Object(RESOURCE_FIELD))];

pub(super) const RESOURCE_FIELD: Shape =
    &[(&["containerName"], Omitted), (&["divisor"], Always(r#""0""#)), (&["divisor"], Amount)];

const PROBE: Shape = &[
    (&["initialDelaySeconds"], Omitted),
    (&["exec"], Object(EXEC)),
    (&["httpGet"], Object(HTTP_GET)),
    (&["tcpSocket"], Object(TCP_SOCKET)),
];

const HANDLER: Shape = &[
    (&["exec"], Object(EXEC)),
    (&["httpGet"], Object(HTTP_GET)),
    (&["tcpSocket"], Object(TCP_SOCKET)),
    (&["sleep"], Object(&[(&["seconds"], Always("0"))])),
];

const EXEC: Shape = &[(&["command"], Omitted)];
const TCP_SOCKET: Shape = &[(&["host"], Omitted)];
const HTTP_GET: Shape = &[(&["host"], Omitted), (&["httpHeaders"], Objects(&[(&["value"], Always(r#""""#))]))];

const SECURITY_CONTEXT: Shape =
    &[(&["capabilities"], Object(&[(&["add", "drop"], Omitted)])), (&["seLinuxOptions"], Object(SELINUX_OPTIONS))];

const POD_SECURITY_CONTEXT: Shape = &[
    (&["seLinuxOptions"], Object(SELINUX_OPTIONS)),
    (&["supplementalGroups"], Omitted),
    (&["sysctls"], Objects(&[(&["value"], Always(r#""""#))])),
];

const SELINUX_OPTIONS: Shape = &[(&["user", "role", "type", "level"], Omitted)];

const AFFINITY: Shape =
    &[(&["nodeAffinity"], Object(NODE_AFFINITY)), (&["podAffinity", "podAntiAffinity"], Object(POD_AFFINITY))];

const NODE_AFFINITY: Shape = &[
    (&["requiredDuringSchedulingIgnoredDuringExecution"], Object(&[(&["nodeSelectorTerms"], Objects(NODE_TERM))])),
    (
        &["preferredDuringSchedulingIgnoredDuringExecution"],
        Objects(&[(&["preference"], Always("{}")), (&["preference"], Object(NODE_TERM))]),
    ),
];

const NODE_TERM: Shape = &[(&["matchExpressions", "matchFields"], Objects(VALUES))];
const VALUES: Shape = &[(&["values"], Omitted)];

const POD_AFFINITY: Shape = &[
    (&["requiredDuringSchedulingIgnoredDuringExecution"], Objects(POD_TERM)),
    (&["preferredDuringSchedulingIgnoredDuringExecution"], Objects(&[(&["podAffinityTerm"], Object(POD_TERM))])),
];

const POD_TERM: Shape = &[
    (&["namespaces", "matchLabelKeys", "mismatchLabelKeys"], Omitted),
    (&["labelSelector", "namespaceSelector"], Object(LABEL_SELECTOR)),
];

pub(super) const LABEL_SELECTOR: Shape = &[(&["matchLabels"], Omitted), (&["matchExpressions"], Objects(VALUES))];
