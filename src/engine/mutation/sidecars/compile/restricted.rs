//! Completes a container's security context to what the restricted standard demands, at container level: a pod may meet the
//! standard by its containers alone. A field that is given is kept; one that contradicts the standard is a flaw, never overwritten.
//!
//! Source: the checks of the restricted standard, `docs/checks`.

use serde_json::{Map, Value, json};

use super::flaws::Flaws;

/// Fields of a container's security context that the API server refuses for Windows pods.
pub(super) const LINUX_ONLY: [&str; 9] = [
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "seLinuxOptions",
    "seccompProfile",
];
/// The same; a Windows user is a name.
pub(super) const LINUX_USER: &str = "runAsUser";

/// Completes the security context of `container`; `path` is the container's.
pub(super) fn complete(container: &mut Map<String, Value>, path: &str, flaws: &mut Flaws) {
    let context = container.entry("securityContext").or_insert_with(|| json!({}));
    let Some(context) = context.as_object_mut() else { return };
    contradictions(context, &format!("{path}.securityContext"), flaws);
    context.entry("allowPrivilegeEscalation").or_insert(json!(false));
    context.entry("runAsNonRoot").or_insert(json!(true));
    context.entry("seccompProfile").or_insert_with(|| json!({"type": "RuntimeDefault"}));
    let capabilities = context.entry("capabilities").or_insert_with(|| json!({}));
    let dropped = capabilities.as_object_mut().map(|members| members.entry("drop").or_insert_with(|| json!([])));
    if let Some(dropped) = dropped.and_then(Value::as_array_mut)
        && !dropped.iter().any(|name| name == "ALL")
    {
        dropped.push(json!("ALL"));
    }
}

fn contradictions(context: &Map<String, Value>, path: &str, flaws: &mut Flaws) {
    let mut refuse = |field: &str, is_refused: bool, instead: &str| {
        if is_refused {
            flaws.add(format!("{path}.{field}"), format!("contradicts `security: Restricted`: {instead}"));
        }
    };
    let is = |field: &str, value: Value| context.get(field) == Some(&value);
    let or_as_written = "leave it out, or write `security: AsWritten`";
    refuse("privileged", is("privileged", json!(true)), or_as_written);
    refuse("allowPrivilegeEscalation", is("allowPrivilegeEscalation", json!(true)), or_as_written);
    refuse("runAsNonRoot", is("runAsNonRoot", json!(false)), or_as_written);
    refuse("runAsUser", is("runAsUser", json!(0)), "choose a user other than 0, or write `security: AsWritten`");
    let other_proc = context.get("procMount").is_some_and(|value| value != "Default");
    refuse("procMount", other_proc, or_as_written);
    let unconfined = context.get("seccompProfile").and_then(|profile| profile.get("type"));
    refuse("seccompProfile.type", unconfined.is_some_and(|kind| kind == "Unconfined"), "use RuntimeDefault");
    let apparmor = context.get("appArmorProfile").and_then(|profile| profile.get("type"));
    refuse("appArmorProfile.type", apparmor.is_some_and(|kind| kind == "Unconfined"), "use RuntimeDefault");
    let host_process = context.get("windowsOptions").and_then(|options| options.get("hostProcess"));
    refuse("windowsOptions.hostProcess", host_process == Some(&json!(true)), or_as_written);
    let added = context.get("capabilities").and_then(|capabilities| capabilities.get("add"));
    let is_more = |added: &Vec<Value>| added.iter().any(|name| name != "NET_BIND_SERVICE");
    let adds_more = added.and_then(Value::as_array).is_some_and(is_more);
    refuse("capabilities.add", adds_more, "only NET_BIND_SERVICE may be added; or write `security: AsWritten`");
}
