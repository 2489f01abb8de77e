//! Defaults of containers, of every list.

use super::{NO_TEXT, at, each, fill, fill_absent};
use crate::engine::mutation::Node;

pub(super) fn complete(container: &mut Node<'_>) {
    let policy = pull_policy(&container.string_at("image").unwrap_or_default());
    fill(container, "imagePullPolicy", NO_TEXT, policy);
    fill(container, "terminationMessagePath", NO_TEXT, r#""/dev/termination-log""#);
    fill(container, "terminationMessagePolicy", NO_TEXT, r#""File""#);
    each(container, "ports", |port| fill(port, "protocol", NO_TEXT, r#""TCP""#));
    each(container, "env", |variable| {
        at(variable, &["valueFrom", "fieldRef"], |field| fill(field, "apiVersion", NO_TEXT, r#""v1""#));
        at(variable, &["valueFrom", "fileKeyRef"], |key| fill_absent(key, "optional", "false"));
    });
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

/// `Always` for the tag `latest`, said or not; an image that is no reference has no tag.
pub(super) fn pull_policy(image: &str) -> &'static str {
    if super::image::is_latest(image) { r#""Always""# } else { r#""IfNotPresent""# }
}
