//! The table of changes: where each check looks, and what may and may not stand there.
//!
//! A row names a place and values on both sides of the line, with the spellings that are nearly right. A change that no
//! row makes is a change that the comparison cannot judge, so a new check means new rows.

/// Where a row's path starts.
#[derive(Clone, Copy)]
pub enum Site {
    /// `spec`
    Pod,
    /// `spec.securityContext`
    PodSecurity,
    /// a container of any of the three lists
    Container,
    /// the `securityContext` of such a container
    ContainerSecurity,
    /// the `securityContext` of the pod or of a container
    Security,
}

/// What a row writes.
#[derive(Clone, Copy)]
pub enum Values {
    /// One of these, written as JSON; the empty text takes the field away.
    One(&'static [&'static str]),
    /// A list of up to four of these, written as JSON, repeats and all.
    Several(&'static [&'static str]),
    /// One of these texts, seldom an odd one.
    Text(&'static [&'static str]),
    /// A list of up to four of these texts, seldom an odd one among them.
    Texts(&'static [&'static str]),
}

pub struct Tweak {
    pub site: Site,
    pub path: &'static str,
    pub values: Values,
}

use Site::{Container, ContainerSecurity, Pod, PodSecurity, Security};
use Values::{One, Several, Text, Texts};

const fn row(site: Site, path: &'static str, values: Values) -> Tweak {
    Tweak { site, path, values }
}

const SWITCH: Values = One(&["true", "true", "true", "false", "null", ""]);
const OBJECT: Values = One(&["{}", "null", ""]);
const HOST: Values = Text(&["", "127.0.0.1", "localhost", "example.com", "10.0.0.1", "::1", "10.0.0.9"]);

pub const TWEAKS: &[Tweak] = &[
    // appArmorProfile (its annotations are in pod.rs)
    row(
        Security,
        "appArmorProfile.type",
        Text(&["RuntimeDefault", "Localhost", "Unconfined", "", "runtimedefault", "Runtime/Default"]),
    ),
    row(Security, "appArmorProfile", OBJECT),
    row(
        Security,
        "appArmorProfile",
        One(&[r#"{"localhostProfile":"x"}"#, r#"{"type":"Localhost","localhostProfile":"x"}"#]),
    ),
    // capabilities_baseline, capabilities_restricted
    row(
        ContainerSecurity,
        "capabilities.add",
        Texts(&[
            "AUDIT_WRITE",
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "FSETID",
            "KILL",
            "MKNOD",
            "NET_BIND_SERVICE",
            "SETFCAP",
            "SETGID",
            "SETPCAP",
            "SETUID",
            "SYS_CHROOT",
        ]),
    ),
    row(ContainerSecurity, "capabilities.add", Texts(&["NET_BIND_SERVICE", "CHOWN", "KILL", "NET_BIND_SERVICE"])),
    row(
        ContainerSecurity,
        "capabilities.add",
        Texts(&[
            "NET_ADMIN",
            "SYS_ADMIN",
            "NET_RAW",
            "ALL",
            "all",
            "CAP_CHOWN",
            "chown",
            "CAP_NET_BIND_SERVICE",
            "net_bind_service",
            "",
            "NET_BIND_SERVICE",
            "CHOWN",
        ]),
    ),
    row(ContainerSecurity, "capabilities.drop", Texts(&["ALL", "all", "KILL", "CAP_ALL", "NET_RAW", "", "ALL "])),
    row(ContainerSecurity, "capabilities.drop", One(&[r#"["ALL"]"#, r#"["KILL","ALL"]"#, "[]", "null", ""])),
    row(ContainerSecurity, "capabilities", OBJECT),
    // hostNamespaces
    row(Pod, "hostNetwork", SWITCH),
    row(Pod, "hostPID", SWITCH),
    row(Pod, "hostIPC", SWITCH),
    // hostPathVolumes (more of volumes is in pod.rs)
    row(
        Pod,
        "volumes",
        Several(&[
            r#"{"name":"v","hostPath":{"path":"/"}}"#,
            r#"{"name":"w","hostPath":{}}"#,
            r#"{"name":"v","hostPath":{},"emptyDir":{}}"#,
            r#"{"name":"v","hostPath":null}"#,
            r#"{"name":"v","emptyDir":{}}"#,
        ]),
    ),
    row(Pod, "volumes", One(&[r#"[{"name":"v","hostPath":{"path":"/var/run/docker.sock"}}]"#])),
    // hostPorts: as texts, 443 sorts before 80, and 100 before 9
    row(
        Container,
        "ports",
        Several(&[
            r#"{"hostPort":80}"#,
            r#"{"hostPort":443}"#,
            r#"{"hostPort":8080}"#,
            r#"{"hostPort":9}"#,
            r#"{"hostPort":10}"#,
            r#"{"hostPort":100}"#,
            r#"{"hostPort":0}"#,
            r#"{"hostPort":-1}"#,
            r#"{"hostPort":null}"#,
            r#"{"containerPort":80}"#,
            r#"{"hostPort":2147483647,"protocol":"UDP","hostIP":"127.0.0.1"}"#,
            "{}",
            "null",
        ]),
    ),
    // hostProbesAndHostLifecycle
    row(Container, "livenessProbe.httpGet.host", HOST),
    row(Container, "livenessProbe.tcpSocket.host", HOST),
    row(Container, "readinessProbe.httpGet.host", HOST),
    row(Container, "readinessProbe.tcpSocket.host", HOST),
    row(Container, "startupProbe.httpGet.host", HOST),
    row(Container, "startupProbe.tcpSocket.host", HOST),
    row(Container, "lifecycle.postStart.httpGet.host", HOST),
    row(Container, "lifecycle.postStart.tcpSocket.host", HOST),
    row(Container, "lifecycle.preStop.httpGet.host", HOST),
    row(Container, "lifecycle.preStop.tcpSocket.host", HOST),
    row(
        Container,
        "livenessProbe",
        One(&[
            r#"{"grpc":{"port":1,"service":"example.com"}}"#,
            r#"{"exec":{"command":["host"]}}"#,
            r#"{"httpGet":{"port":"http","httpHeaders":[{"name":"Host","value":"example.com"}]}}"#,
            r#"{"httpGet":null}"#,
            "{}",
            "null",
        ]),
    ),
    row(
        Container,
        "lifecycle",
        One(&[
            r#"{"preStop":{"sleep":{"seconds":5}}}"#,
            r#"{"postStart":{"exec":{}}}"#,
            r#"{"preStop":null,"stopSignal":"SIGTERM"}"#,
            "{}",
            "null",
        ]),
    ),
    // privileged (twice, as at baseline nothing else denies so little)
    row(ContainerSecurity, "privileged", SWITCH),
    row(ContainerSecurity, "privileged", SWITCH),
    // procMount, procMount_restricted, and what a user namespace relaxes
    row(ContainerSecurity, "procMount", Text(&["Default", "Unmasked", "", "default", "unmasked", "Unmasked"])),
    row(ContainerSecurity, "procMount", One(&["null", "\"Unmasked\""])),
    row(Pod, "hostUsers", One(&["false", "false", "true", "null", ""])),
    // seLinuxOptions
    row(
        Security,
        "seLinuxOptions.type",
        Text(&[
            "",
            "container_t",
            "container_init_t",
            "container_kvm_t",
            "container_engine_t",
            "container_engine_t",
            "spc_t",
            "Container_t",
        ]),
    ),
    row(Security, "seLinuxOptions.user", Text(&["", "system_u", "u"])),
    row(Security, "seLinuxOptions.role", Text(&["", "system_r", "r"])),
    row(Security, "seLinuxOptions.level", Text(&["", "s0:c1,c2"])),
    row(Security, "seLinuxOptions", OBJECT),
    // seccompProfile_baseline from v1.19, seccompProfile_restricted (the annotations are in pod.rs)
    row(
        Security,
        "seccompProfile.type",
        Text(&["RuntimeDefault", "Localhost", "Unconfined", "Unconfined", "", "runtime/default", "localhost"]),
    ),
    row(Security, "seccompProfile", OBJECT),
    // sysctls
    row(
        PodSecurity,
        "sysctls",
        Several(&[
            r#"{"name":"kernel.shm_rmid_forced","value":"1"}"#,
            r#"{"name":"net.ipv4.ip_local_port_range"}"#,
            r#"{"name":"net.ipv4.tcp_syncookies"}"#,
            r#"{"name":"net.ipv4.ping_group_range"}"#,
            r#"{"name":"net.ipv4.ip_unprivileged_port_start"}"#,
        ]),
    ),
    row(
        PodSecurity,
        "sysctls",
        Several(&[
            r#"{"name":"net.ipv4.ip_local_reserved_ports"}"#,
            r#"{"name":"net.ipv4.tcp_keepalive_time"}"#,
            r#"{"name":"net.ipv4.tcp_fin_timeout"}"#,
            r#"{"name":"net.ipv4.tcp_keepalive_intvl"}"#,
            r#"{"name":"net.ipv4.tcp_keepalive_probes"}"#,
            r#"{"name":"net.ipv4.tcp_rmem"}"#,
            r#"{"name":"net.ipv4.tcp_wmem"}"#,
            r#"{"name":"net.ipv4.tcp_slow_start_after_idle"}"#,
            r#"{"name":"net.ipv4.tcp_notsent_lowat"}"#,
        ]),
    ),
    row(
        PodSecurity,
        "sysctls",
        Several(&[
            r#"{"name":"kernel.msgmax","value":"0"}"#,
            r#"{"name":"net/ipv4/tcp_syncookies"}"#,
            r#"{"name":"net.ipv4.tcp_rmem "}"#,
            r#"{"name":"NET.ipv4.tcp_syncookies"}"#,
            r#"{"name":""}"#,
            "{}",
            "null",
            r#"{"name":"a\"\n\u200b"}"#,
            r#"{"name":"net.ipv4.tcp_syncookies"}"#,
        ]),
    ),
    // windowsHostProcess, and what os.name relaxes
    row(Security, "windowsOptions.hostProcess", SWITCH),
    row(Security, "windowsOptions.hostProcess", SWITCH),
    row(Security, "windowsOptions", One(&[r#"{"runAsUserName":"ContainerAdministrator"}"#, "{}", "null"])),
    row(Pod, "os.name", Text(&["windows", "windows", "linux", "Windows", ""])),
    row(Pod, "os", OBJECT),
    // allowPrivilegeEscalation
    row(ContainerSecurity, "allowPrivilegeEscalation", SWITCH),
    // runAsNonRoot, runAsUser
    row(Security, "runAsNonRoot", SWITCH),
    row(Security, "runAsUser", One(&["0", "0", "1", "1000", "-1", "9223372036854775807", "null"])),
    row(Security, "runAsUser", One(&["0"])),
    // whole security contexts away, or empty
    row(Pod, "securityContext", OBJECT),
    row(Container, "securityContext", OBJECT),
    // what no check looks at
    row(Security, "runAsGroup", One(&["0"])),
    row(PodSecurity, "fsGroup", One(&["0"])),
    row(PodSecurity, "supplementalGroups", One(&["[0]"])),
    row(ContainerSecurity, "readOnlyRootFilesystem", SWITCH),
    row(Pod, "shareProcessNamespace", SWITCH),
    row(Pod, "automountServiceAccountToken", SWITCH),
    row(Container, "restartPolicy", One(&["\"Always\""])),
    row(Container, "volumeMounts", One(&[r#"[{"name":"v","mountPath":"/x","mountPropagation":"Bidirectional"}]"#])),
    row(Container, "unknownField", One(&["true", r#"{"securityContext":{"privileged":true}}"#])),
];

/// A field of the pod that relaxes checks of other fields, from some version on.
pub struct Relaxation {
    pub path: &'static str,
    pub value: &'static str,
    /// The paths of the rows above that it relaxes.
    pub relaxes: &'static [&'static str],
}

pub const RELAXATIONS: &[Relaxation] = &[
    Relaxation { path: "hostUsers", value: "false", relaxes: &["procMount", "runAsUser", "runAsNonRoot"] },
    Relaxation {
        path: "os.name",
        value: "\"windows\"",
        relaxes: &[
            "allowPrivilegeEscalation",
            "capabilities.add",
            "capabilities.drop",
            "seccompProfile.type",
            "seccompProfile",
        ],
    },
];

/// Volume sources that the restricted level takes, and one wrong word for each that it does not.
pub const ALLOWED_VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
pub const FORBIDDEN_VOLUMES: &[&str] = &[
    "hostPath",
    "hostPath",
    "hostPath",
    "hostPath",
    "hostPath",
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];
pub const UNKNOWN_VOLUMES: &[&str] = &["hostpath", "downwardApi", "scaleIo", "storageOS", "newSource", "CSI", "Secret"];

/// Annotation keys of the two profile checks: before the container's name, and whole.
pub const APP_ARMOR_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
pub const SECCOMP_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub const OTHER_KEYS: &[&str] = &[
    "container.apparmor.security.beta.kubernetes.io",
    "apparmor.security.beta.kubernetes.io/pod",
    "Container.apparmor.security.beta.kubernetes.io/a",
    "container.seccomp.security.alpha.kubernetes.io/pod",
    "example.com/note",
];
pub const PROFILES: &[&str] = &[
    "",
    "runtime/default",
    "docker/default",
    "localhost/",
    "localhost/x",
    "localhost",
    "unconfined",
    "Runtime/default",
    "runtime/default ",
    "Localhost/x",
];
