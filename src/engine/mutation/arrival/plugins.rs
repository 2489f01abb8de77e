//! What the plugins set that come before the webhooks, but for the LimitRanger.

use super::{ServiceAccount, each};
use crate::engine::mutation::plan::{PriorityClass, PriorityClasses};
use crate::engine::mutation::{Node, RuntimeClasses, quoted};

/// ServiceAccount: the account's name, its token and its pull secrets. The plugin gives the volume a random name; here it is always the same.
pub(super) fn service_account(pod: &mut Node<'_>, account: ServiceAccount<'_>) {
    if pod.at(&["metadata", "annotations", "kubernetes.io/config.mirror"]).is_some() {
        return;
    }
    let Some(spec) = pod.member("spec") else { return };
    if spec.string_at("serviceAccountName").is_none_or(|name| name.is_empty()) {
        spec.set("serviceAccountName", r#""default""#);
        spec.set("serviceAccount", r#""default""#);
    }
    let is_wanted = spec.get("automountServiceAccountToken").and_then(Node::boolean).or(account.automount_token);
    if is_wanted.unwrap_or(true) {
        mount_token(spec);
    }
    if spec.list("imagePullSecrets").next().is_none() {
        for name in account.image_pull_secrets {
            if let Some(secrets) = spec.member("imagePullSecrets") {
                secrets.push(format!(r#"{{"name":{}}}"#, quoted(name)));
            }
        }
    }
}

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_SOURCES: &str = concat!(
    r#"{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},"#,
    r#"{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}},"#,
    r#"{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}"#,
);

fn mount_token(spec: &mut Node<'_>) {
    let is_tokens = |name: &str| name.starts_with("kube-api-access-");
    let found = spec.list("volumes").filter_map(|volume| volume.string_at("name")).find(|name| is_tokens(name));
    let found = found.map(|name| name.into_owned());
    let name = quoted(found.as_deref().unwrap_or("kube-api-access-7x2zq"));
    let mut is_mounted = false;
    for list in ["initContainers", "containers"] {
        each(spec, list, |container| {
            let mut mounts = container.list("volumeMounts");
            if mounts.any(|mount| mount.string_at("mountPath").is_some_and(|path| path == TOKEN_PATH)) {
                return;
            }
            drop(mounts);
            if let Some(mounts) = container.member("volumeMounts") {
                mounts.push(format!(r#"{{"name":{name},"readOnly":true,"mountPath":"{TOKEN_PATH}"}}"#));
                is_mounted = true;
            }
        });
    }
    if found.is_none()
        && is_mounted
        && let Some(volumes) = spec.member("volumes")
    {
        volumes.push(format!(r#"{{"name":{name},"projected":{TOKEN_SOURCES}}}"#));
    }
}

/// Priority: the number and the policy of the class. There is no default class here; a class that is unknown is refused elsewhere.
pub(super) fn priority(pod: &mut Node<'_>, classes: &PriorityClasses<'_>) {
    let Some(spec) = pod.member("spec") else { return };
    let name = spec.string_at("priorityClassName").unwrap_or_default().into_owned();
    let class = match classes.get(&name) {
        Some(class) => class,
        None if name.is_empty() => PriorityClass { value: 0, preemption_policy: "PreemptLowerPriority" },
        None => return,
    };
    if spec.get("priority").is_none() {
        spec.set("priority", class.value.to_string());
    }
    if spec.get("preemptionPolicy").is_none() {
        spec.set("preemptionPolicy", quoted(class.preemption_policy));
    }
}

/// DefaultTolerationSeconds: five minutes on nodes that are not ready or not reached.
pub(super) fn toleration_seconds(pod: &mut Node<'_>) {
    let Some(spec) = pod.member("spec") else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_tolerated = spec.list("tolerations").any(|found| {
            let member = |field| found.string_at(field).unwrap_or_default();
            let (found_key, effect) = (member("key"), member("effect"));
            (found_key == key || found_key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !is_tolerated && let Some(list) = spec.member("tolerations") {
            list.push(format!(r#"{{"key":"{key}","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}"#));
        }
    }
}

/// RuntimeClass: the overhead and the node selector of the class. What does not agree with it is refused elsewhere.
pub(super) fn runtime_class(pod: &mut Node<'_>, classes: Option<&RuntimeClasses>) {
    let Some(spec) = pod.member("spec") else { return };
    let name = spec.string_at("runtimeClassName").unwrap_or_default().into_owned();
    let Some(class) = classes.and_then(|classes| classes.get(name.as_str())) else { return };
    if let (Some(overhead), None) = (&class.overhead, spec.get("overhead")) {
        spec.set("overhead", overhead.to_string());
    }
    for (key, value) in &class.node_selector {
        if spec.at(&["nodeSelector", key]).is_none()
            && let Some(selector) = spec.within(&["nodeSelector"])
        {
            selector.set(key.to_string(), quoted(value));
        }
    }
}
