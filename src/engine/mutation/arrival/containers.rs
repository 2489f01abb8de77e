//! Defaults of containers, of every list.

use super::{NO_TEXT, at, each, fill, fill_absent};
use crate::engine::mutation::{Node, quoted};
use crate::engine::object::Quantity;

pub(super) fn complete(container: &mut Node<'_>) {
    let policy = pull_policy(&container.string_at("image").unwrap_or_default());
    fill(container, "imagePullPolicy", NO_TEXT, policy);
    fill(container, "terminationMessagePath", NO_TEXT, r#""/dev/termination-log""#);
    fill(container, "terminationMessagePolicy", NO_TEXT, r#""File""#);
    each(container, "ports", |port| fill(port, "protocol", NO_TEXT, r#""TCP""#));
    // No default, but how Go writes what it has read: an empty struct stays, an empty value does not.
    fill_absent(container, "resources", "{}");
    each(container, "env", |variable| {
        if variable.get("value").is_some_and(|value| value.to_json() == NO_TEXT) {
            variable.remove("value");
        }
        at(variable, &["valueFrom", "fieldRef"], |field| fill(field, "apiVersion", NO_TEXT, r#""v1""#));
        at(variable, &["valueFrom", "fileKeyRef"], |key| fill_absent(key, "optional", "false"));
    });
    for side in ["limits", "requests"] {
        at(container, &["resources", side], round_up);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        at(container, &[probe], complete_probe);
    }
    for hook in ["postStart", "preStop"] {
        at(container, &["lifecycle", hook, "httpGet"], complete_http);
    }
}

fn complete_probe(probe: &mut Node<'_>) {
    for (field, value) in
        [("timeoutSeconds", "1"), ("periodSeconds", "10"), ("successThreshold", "1"), ("failureThreshold", "3")]
    {
        fill(probe, field, "0", value);
    }
    at(probe, &["httpGet"], complete_http);
    at(probe, &["grpc"], |grpc| fill_absent(grpc, "service", NO_TEXT));
}

fn complete_http(action: &mut Node<'_>) {
    fill(action, "path", NO_TEXT, r#""/""#);
    fill(action, "scheme", NO_TEXT, r#""HTTP""#);
}

/// Amounts go up to thousandths (`SetDefaults_ResourceList`).
pub(super) fn round_up(list: &mut Node<'_>) {
    let rounded: Vec<(String, String)> = list
        .members()
        .filter_map(|(resource, amount)| {
            let amount = Quantity::parse(&amount.scalar()?).ok()?;
            let rounded = amount.rounded_up(Quantity::MILLI).ok()?;
            (rounded != amount).then(|| (resource.to_owned(), rounded.written_for(resource)))
        })
        .collect();
    for (resource, amount) in rounded {
        list.set(&resource, quoted(&amount));
    }
}

/// `Always` for the tag `latest`, said or not; an image that is no reference has no tag.
pub(super) fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let is_reference = !image.is_empty() && image.bytes().all(|byte| byte.is_ascii_graphic());
    let is_latest = tag == Some("latest") || (tag.is_none() && digest.is_none());
    if is_reference && is_latest { r#""Always""# } else { r#""IfNotPresent""# }
}
