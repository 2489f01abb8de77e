//! What the pods of this run may say: fields, and for each what may stand there, as JSON.
//!
//! Absent, null, zero and the default itself are all among the values, since defaulting tells them apart.

/// A field and its values.
pub type Row = (&'static str, &'static [&'static str]);

const SWITCH: &[&str] = &["true", "false", "null"];

/// Of a pod that mirrors one of a kubelet's own.
pub const MIRROR: &str = r#"{"kubernetes.io/config.mirror":"m"}"#;

pub const METADATA: &[Row] = &[
    ("labels", &["{}", r#"{"app":"a"}"#, "null"]),
    ("annotations", &["{}", r#"{"example.com/note":""}"#, "null", r#"{"kubernetes.io/limit-ranger":"said"}"#, MIRROR]),
    ("finalizers", &["[]", r#"["example.com/wait"]"#]),
    ("ownerReferences", &["[]", r#"[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"u"}]"#]),
];

pub const POD: &[Row] = &[
    ("restartPolicy", &[r#""Always""#, r#""OnFailure""#, r#""Never""#, r#""""#, "null"]),
    ("terminationGracePeriodSeconds", &["0", "30", "-5", "7", "null"]),
    ("activeDeadlineSeconds", &["600", "null"]),
    ("dnsPolicy", &[r#""""#, r#""ClusterFirst""#, r#""Default""#, r#""ClusterFirstWithHostNet""#]),
    ("nodeSelector", &["{}", r#"{"disk":"ssd"}"#, "null"]),
    ("serviceAccountName", &[r#""""#, r#""default""#, r#""puller""#, r#""quiet""#]),
    ("serviceAccount", &[r#""""#, r#""puller""#, r#""quiet""#]),
    ("automountServiceAccountToken", SWITCH),
    ("nodeName", &[r#""""#, r#""node-1""#]),
    ("hostNetwork", SWITCH),
    ("hostPID", SWITCH),
    ("hostIPC", SWITCH),
    ("shareProcessNamespace", SWITCH),
    ("imagePullSecrets", &["[]", r#"[{"name":"own"}]"#, "null"]),
    ("hostname", &[r#""""#, r#""web""#]),
    ("subdomain", &[r#""""#, r#""sub""#]),
    ("setHostnameAsFQDN", SWITCH),
    ("schedulerName", &[r#""""#, r#""other""#]),
    ("priorityClassName", &[r#""""#, r#""steady""#, r#""high""#, r#""system-node-critical""#]),
    ("priority", &["0", "null"]),
    ("preemptionPolicy", &[r#""PreemptLowerPriority""#, "null"]),
    ("tolerations", TOLERATIONS),
    (
        "hostAliases",
        &["[]", r#"[{"ip":"10.0.0.1","hostnames":[]},{"ip":"10.0.0.2","hostnames":["a"]},{"ip":"10.0.0.3"}]"#],
    ),
    ("dnsConfig", DNS),
    ("readinessGates", &["[]", r#"[{"conditionType":"example.com/ready"}]"#]),
    ("runtimeClassName", &[r#""plain""#, "null"]),
    ("enableServiceLinks", SWITCH),
    ("topologySpreadConstraints", SPREAD),
    ("os", &[r#"{"name":"linux"}"#, "null"]),
    ("hostUsers", &["true", "null"]),
    ("schedulingGates", &["[]", r#"[{"name":"example.com/wait"}]"#]),
    (
        "resourceClaims",
        &["[]", r#"[{"name":"gpu","resourceClaimName":"one"}]"#, r#"[{"name":"gpu","resourceClaimTemplateName":"t"}]"#],
    ),
    ("resources", POD_RESOURCES),
    ("affinity", AFFINITY),
    ("securityContext", &["{}", "null"]),
    ("ephemeralContainers", &["[]", "null"]),
];

const TOLERATIONS: &[&str] = &[
    "[]",
    "null",
    r#"[{"operator":"Exists"}]"#,
    r#"[{"key":"","operator":"Exists","effect":"NoExecute","tolerationSeconds":0}]"#,
    r#"[{"key":"node.kubernetes.io/not-ready","operator":"Exists"}]"#,
    r#"[{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}]"#,
    r#"[{"key":"spot","value":"","effect":""},{"key":"gpu","operator":"Equal","value":"a","effect":"NoSchedule"}]"#,
    r#"[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoSchedule"}]"#,
];

const DNS: &[&str] = &[
    "{}",
    r#"{"nameservers":["10.0.0.1"],"searches":[],"options":[]}"#,
    r#"{"searches":["a.example"],"options":[{"name":"ndots","value":"2"},{"name":"debug","value":""},{"name":"edns0"}]}"#,
];

const SPREAD: &[&str] = &[
    "[]",
    r#"[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}]"#,
    r#"[{"maxSkew":2,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{},"matchExpressions":[{"key":"a","operator":"Exists","values":[]}]}}]"#,
    r#"[{"maxSkew":1,"minDomains":2,"topologyKey":"host","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"a"}},"nodeAffinityPolicy":"Ignore","nodeTaintsPolicy":"Honor","matchLabelKeys":["version"]}]"#,
    r#"[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{},"matchLabelKeys":[]}]"#,
];

const POD_RESOURCES: &[&str] = &[
    "{}",
    r#"{"limits":{},"requests":{}}"#,
    r#"{"limits":{"cpu":"64.0","memory":"1024Gi"}}"#,
    r#"{"requests":{"cpu":32,"memory":"512.5Gi"},"limits":{"cpu":"64000m"}}"#,
    r#"{"requests":{"memory":"1e12"}}"#,
];

const AFFINITY: &[&str] = &[
    "{}",
    r#"{"nodeAffinity":{},"podAffinity":{},"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[]}}"#,
    r#"{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"Exists","values":[]}],"matchFields":[]},{}]}}}"#,
    r#"{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1},{"weight":2,"preference":{"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}}]}}"#,
    r#"{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{"matchLabels":{"a":"b"}},"namespaces":[],"namespaceSelector":{}}]}}"#,
    r#"{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":100,"podAffinityTerm":{"topologyKey":"host","labelSelector":{},"namespaces":["x"],"matchLabelKeys":[]}}]}}"#,
    r#"{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["app"],"mismatchLabelKeys":["tier"]}]}}"#,
];

pub const POD_SECURITY: &[Row] = &[
    ("seLinuxOptions", SELINUX),
    ("runAsUser", &["0", "1000", "null"]),
    ("runAsGroup", &["0", "1000"]),
    ("runAsNonRoot", SWITCH),
    ("supplementalGroups", &["[]", "[0,5]"]),
    ("supplementalGroupsPolicy", &[r#""Merge""#]),
    ("fsGroup", &["0", "2000"]),
    ("fsGroupChangePolicy", &[r#""OnRootMismatch""#]),
    ("sysctls", &["[]", r#"[{"name":"net.ipv4.tcp_syncookies"},{"name":"kernel.shm_rmid_forced","value":"1"}]"#]),
    ("seccompProfile", SECCOMP),
    ("appArmorProfile", SECCOMP),
    ("seLinuxChangePolicy", &[r#""MountOption""#]),
];

const SELINUX: &[&str] = &["{}", r#"{"level":"s0:c1,c2"}"#, r#"{"user":"","role":"r","type":"t","level":""}"#, "null"];
const SECCOMP: &[&str] = &[
    r#"{"type":"RuntimeDefault"}"#,
    r#"{"type":"Localhost","localhostProfile":"p"}"#,
    "null",
    r#"{"type":"Unconfined"}"#,
];

pub const CONTAINER: &[Row] = &[
    ("command", &["[]", r#"["run",""]"#, "null"]),
    ("args", &["[]", r#"["$(A)"]"#]),
    ("workingDir", &[r#""""#, r#""/w""#]),
    ("ports", &["[]", "null"]),
    ("envFrom", ENV_FROM),
    ("resizePolicy", &["[]", r#"[{"resourceName":"cpu","restartPolicy":"NotRequired"}]"#]),
    ("terminationMessagePath", &[r#""""#, r#""/dev/other""#, "null"]),
    ("terminationMessagePolicy", &[r#""""#, r#""FallbackToLogsOnError""#]),
    ("imagePullPolicy", &[r#""""#, r#""Never""#, r#""IfNotPresent""#, "null"]),
    ("securityContext", &["{}", "null"]),
    ("stdin", SWITCH),
    ("stdinOnce", SWITCH),
    ("tty", SWITCH),
    ("volumeMounts", &["[]", "null"]),
    ("volumeDevices", &["[]"]),
];

/// Those of containers that run as long as the pod.
pub const LASTING_CONTAINER: &[Row] = &[
    ("livenessProbe", PROBE),
    ("readinessProbe", PROBE),
    ("startupProbe", PROBE),
    ("lifecycle.postStart", HANDLER),
    ("lifecycle.preStop", HANDLER),
];

const ENV_FROM: &[&str] = &[
    "[]",
    r#"[{"configMapRef":{"name":"m"}},{"prefix":"","secretRef":{"name":"s","optional":false}}]"#,
    r#"[{"prefix":"P_","configMapRef":{"name":"m","optional":true}}]"#,
];

pub const IMAGES: &[&str] = &[
    "app",
    "app:latest",
    "app:1",
    "app:LATEST",
    "host:5000/app",
    "host:5000/app:1",
    "localhost/app",
    "HOST.example/app:latest",
    "App",
    "Shop/app:latest",
    "library/app:",
    "a__b/c--d",
    "a___b/c",
    "app:.hidden",
    "docker.io/app",
    "app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "app:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "app@sha256:0123",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "-app",
    "app//x",
    "[::1]:5000/app",
    "a.b/c",
    "$(IMAGE)",
];

pub const CONTAINER_SECURITY: &[Row] = &[
    ("capabilities", &["{}", r#"{"add":[],"drop":["ALL"]}"#, r#"{"add":["NET_ADMIN"],"drop":[]}"#, "null"]),
    ("privileged", &["false", "null"]),
    ("seLinuxOptions", SELINUX),
    ("runAsUser", &["0", "1000"]),
    ("runAsGroup", &["0"]),
    ("runAsNonRoot", SWITCH),
    ("readOnlyRootFilesystem", SWITCH),
    ("allowPrivilegeEscalation", SWITCH),
    ("procMount", &[r#""Default""#]),
    ("seccompProfile", SECCOMP),
    ("appArmorProfile", SECCOMP),
];

pub const PORTS: &[Row] = &[
    ("name", &[r#""""#, "null"]),
    ("hostPort", &["0", "null"]),
    ("protocol", &[r#""""#, r#""UDP""#, r#""SCTP""#]),
    ("hostIP", &[r#""""#, r#""127.0.0.1""#]),
];

pub const MOUNTS: &[Row] = &[
    ("readOnly", SWITCH),
    ("recursiveReadOnly", &[r#""Disabled""#, "null"]),
    ("subPath", &[r#""""#, r#""a/b""#]),
    ("subPathExpr", &[r#""""#]),
    ("mountPropagation", &[r#""None""#, r#""HostToContainer""#]),
];

/// Values of environment variables, but for their names.
pub const VARIABLES: &[&str] = &[
    "{}",
    r#"{"value":""}"#,
    r#"{"value":"$(A)/x"}"#,
    r#"{"value":null}"#,
    r#"{"value":"","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}"#,
    r#"{"valueFrom":{"fieldRef":{"apiVersion":"","fieldPath":"status.hostIP"}}}"#,
    r#"{"valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.labels['a']"}}}"#,
    r#"{"valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}"#,
    r#"{"valueFrom":{"resourceFieldRef":{"containerName":"","resource":"requests.cpu","divisor":"0.001"}}}"#,
    r#"{"valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1024Ki"}}}"#,
    r#"{"valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}}"#,
    r#"{"valueFrom":{"secretKeyRef":{"name":"s","key":"k","optional":false}}}"#,
    r#"{"valueFrom":{"fileKeyRef":{"volumeName":"files","path":"p","key":"k"}}}"#,
    r#"{"valueFrom":{"fileKeyRef":{"volumeName":"files","path":"p","key":"k","optional":true}}}"#,
];

const PROBE: &[&str] = &[
    r#"{"httpGet":{"port":80}}"#,
    r#"{"httpGet":{"port":"web","path":"","scheme":"","host":""},"timeoutSeconds":0,"initialDelaySeconds":0}"#,
    r#"{"httpGet":{"port":80,"path":"/live","scheme":"HTTPS","httpHeaders":[{"name":"X","value":""},{"name":"Y"}]},"periodSeconds":3}"#,
    r#"{"httpGet":{"port":1,"httpHeaders":[]},"failureThreshold":0,"successThreshold":0,"periodSeconds":0}"#,
    r#"{"tcpSocket":{"port":80,"host":""},"initialDelaySeconds":5,"failureThreshold":9}"#,
    r#"{"tcpSocket":{"port":"web","host":"10.0.0.1"},"timeoutSeconds":null}"#,
    r#"{"exec":{"command":["true"]},"successThreshold":1}"#,
    r#"{"grpc":{"port":80}}"#,
    r#"{"grpc":{"port":80,"service":""},"timeoutSeconds":4}"#,
    r#"{"grpc":{"port":80,"service":"s"}}"#,
    "null",
];

const HANDLER: &[&str] = &[
    r#"{"exec":{"command":["true"]}}"#,
    r#"{"httpGet":{"port":80}}"#,
    r#"{"httpGet":{"port":"web","path":"/x","scheme":"","host":"h"}}"#,
    r#"{"tcpSocket":{"port":80}}"#,
    r#"{"sleep":{"seconds":5}}"#,
    r#"{"sleep":{}}"#,
    "null",
];

/// Amounts of one resource each, the least first. Where one is a number in JSON too, it is now and then written as one.
pub const CPU: &[&str] = &[
    "0", "0.0", "0.0001", "1m", "1001u", "10m", "0.1", "100m", "1e-1", "0.100", "200000u", "0.25", "250.5m", "0.5",
    ".5", "500m", "1", "+1", "01", "1.", "1000m", "1.5", "1500m", "1.500", "2", "2000m", "2e0", "1e1", "0.012k",
];
pub const MEMORY: &[&str] = &[
    "1000",
    "1k",
    "1e3",
    "1E3",
    "1024",
    "1Ki",
    "1.5Ki",
    "64M",
    "64e6",
    "64Mi",
    "65536Ki",
    "128974848",
    "129e6",
    "129M",
    "123Mi",
    "1e9",
    "1G",
    "1000000000",
    "1Gi",
    "1024Mi",
    "1.Gi",
    "1.5Gi",
    "1610612736",
    "2T",
];
pub const STORAGE: &[&str] = &["1", "500M", "0.5G", "1Gi", "1.25Gi"];
pub const GPUS: &[&str] = &["0", "1", "01", "2", "3e0"];
