//! Values of the wrong type where a type is due: what Go's decoder refuses, and what it takes although it looks wrong.
//!
//! Only fields that a check reads: in a real cluster the API server has refused the others long before.

use super::{containers::any_container, edit::put, random::Random};
use serde_json::Value;

const IN_POD: &[(&str, &str)] = &[
    ("metadata.annotations", r#"["a"]"#),
    ("metadata.annotations.x", "1"),
    ("metadata", "[]"),
    ("metadata", "\"x\""),
    ("metadata", "null"),
    ("spec", "[]"),
    ("spec", "true"),
    ("spec", "null"),
    ("spec.hostNetwork", "\"true\""),
    ("spec.hostPID", "1"),
    ("spec.hostIPC", "[]"),
    ("spec.hostUsers", "\"false\""),
    ("spec.os", "\"windows\""),
    ("spec.os.name", "1"),
    ("spec.volumes", "{}"),
    ("spec.volumes", "[[]]"),
    ("spec.volumes", r#"[{"name":1}]"#),
    ("spec.volumes", r#"[{"name":"v","hostPath":"/"}]"#),
    ("spec.volumes", r#"[{"name":"v","emptyDir":[]}]"#),
    ("spec.containers", "{}"),
    ("spec.containers", "\"\""),
    ("spec.containers", "[1]"),
    ("spec.initContainers", "[[]]"),
    ("spec.ephemeralContainers", "[\"x\"]"),
    ("spec.securityContext", "[]"),
    ("spec.securityContext", "false"),
    ("spec.securityContext.sysctls", "{}"),
    ("spec.securityContext.sysctls", "[\"kernel.msgmax\"]"),
    ("spec.securityContext.sysctls", r#"[{"name":1}]"#),
    ("spec.securityContext.runAsUser", "0.0"),
    ("spec.securityContext.runAsUser", "1e3"),
    ("spec.securityContext.runAsUser", "9223372036854775808"),
    ("spec.securityContext.runAsNonRoot", "\"true\""),
    ("spec.securityContext.seccompProfile", "\"RuntimeDefault\""),
    ("spec.securityContext.seLinuxOptions", "\"spc_t\""),
];

const IN_CONTAINER: &[(&str, &str)] = &[
    ("name", "1"),
    ("name", "[]"),
    ("image", "{}"),
    ("ports", "{}"),
    ("ports", "[80]"),
    ("ports", r#"[{"hostPort":"80"}]"#),
    ("ports", r#"[{"hostPort":80.5}]"#),
    ("ports", r#"[{"hostPort":80.0}]"#),
    ("ports", r#"[{"hostPort":2147483648}]"#),
    ("ports", r#"[{"hostPort":-2147483648}]"#),
    ("securityContext", "[]"),
    ("securityContext.privileged", "\"true\""),
    ("securityContext.privileged", "1"),
    ("securityContext.procMount", "true"),
    ("securityContext.procMount", "{}"),
    ("securityContext.runAsUser", "\"0\""),
    ("securityContext.runAsUser", "-9223372036854775809"),
    ("securityContext.allowPrivilegeEscalation", "0"),
    ("securityContext.capabilities", "[\"ALL\"]"),
    ("securityContext.capabilities.add", "\"ALL\""),
    ("securityContext.capabilities.add", "[1]"),
    ("securityContext.capabilities.drop", r#"[null,"ALL"]"#),
    ("securityContext.capabilities.drop", r#"{"0":"ALL"}"#),
    ("securityContext.seccompProfile.type", "[]"),
    ("securityContext.appArmorProfile.type", "0"),
    ("securityContext.seLinuxOptions.type", "{}"),
    ("securityContext.windowsOptions.hostProcess", "\"true\""),
    ("livenessProbe", "[]"),
    ("livenessProbe.httpGet.host", "1"),
    ("startupProbe.tcpSocket", "\"x\""),
    ("lifecycle", "\"x\""),
    ("lifecycle.preStop.httpGet.host", "[]"),
    ("lifecycle.postStart", "1"),
];

/// Puts a value of a wrong type into `{metadata, spec}`.
pub fn spoil(pod: &mut Value, random: &mut Random) {
    let in_pod = random.percent(50);
    let &(path, text) = random.pick(if in_pod { IN_POD } else { IN_CONTAINER });
    let value = serde_json::from_str(text).ok();
    if in_pod {
        put(pod, path, value);
    } else if let Some(container) = pod.get_mut("spec").and_then(|spec| any_container(spec, random)) {
        put(container, path, value);
    }
}
