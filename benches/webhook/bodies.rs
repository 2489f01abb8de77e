//! AdmissionReviews in the bytes that the kube-apiserver sends: Go's field order, compact, one newline at the end.
//!
//! The fragments under `templates/` are laid out for reading; [`compact`] takes the layout away again. Every body has
//! the same uid, name and namespace.

/// The uid of the request in every body made here.
pub const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

const REVIEW: &str = include_str!("templates/review.json");
const POD: &str = include_str!("templates/pod.json");
const CONTAINER: &str = include_str!("templates/container.json");
const MANAGED_CONTAINER: &str = include_str!("templates/managed_container.json");

/// What sets one pod apart from another: how large it is, and whether the restricted level refuses it.
#[derive(Clone, Copy)]
pub struct Shape {
    containers: usize,
    variables: usize,
    blobs: usize,
    refused: bool,
}

/// 8.7 KB as a review: two containers, as most pods behind a Service are.
pub const SMALL: Shape = Shape { containers: 2, variables: 1, blobs: 0, refused: false };

/// 60 KB as a review: ten containers, 23 KB of managed fields, annotations full of escapes.
pub const BIG: Shape = Shape { containers: 10, variables: 17, blobs: 6, refused: false };

/// The small pod, privileged and on the host's network.
pub const REFUSED: Shape = Shape { refused: true, ..SMALL };

/// The review that asks whether a pod of this shape may be created.
pub fn create(shape: Shape) -> Vec<u8> {
    review("CREATE", &pod(shape), "null")
}

/// The review that asks whether the image of a pod's first container may change: both pods are in it.
pub fn update(shape: Shape) -> Vec<u8> {
    let old = pod(shape);
    let new = old.replacen("payments/api@sha256:9b3c", "payments/api@sha256:0a1b", 1);
    review("UPDATE", &new, &old)
}

fn review(operation: &str, object: &str, old_object: &str) -> Vec<u8> {
    let options = if operation == "CREATE" { "CreateOptions" } else { "UpdateOptions" };
    let text = REVIEW
        .replace("$OPERATION", operation)
        .replace("$OPTIONS", options)
        .replace("$OBJECT", object)
        .replace("$OLD_OBJECT", old_object);
    let mut body = compact(&text).into_bytes();
    body.push(b'\n');
    body
}

fn pod(shape: Shape) -> String {
    let containers: Vec<String> = (0..shape.containers).map(|index| container(index, shape)).collect();
    let managed: Vec<String> = (0..shape.containers).map(|index| managed_container(index, shape)).collect();
    POD.replace("$ANNOTATIONS", &annotations(shape.blobs))
        .replace("$HOST_NETWORK", if shape.refused { "\"hostNetwork\": true," } else { "" })
        .replace("$CONTAINERS", &containers.join(","))
        .replace("$MANAGED_CONTAINERS", &managed.join(","))
}

fn container(index: usize, shape: Shape) -> String {
    let environment: Vec<String> = (0..shape.variables).map(|number| variable(index, number)).collect();
    let privileged = shape.refused && index == 0;
    CONTAINER
        .replace("$INDEX", &index.to_string())
        .replace("$HTTP_PORT", &(8080 + index).to_string())
        .replace("$METRICS_PORT", &(9090 + index).to_string())
        .replace("$PRIVILEGED", if privileged { "\"privileged\": true," } else { "" })
        .replace("$ENVIRONMENT", &environment.join(","))
}

fn managed_container(index: usize, shape: Shape) -> String {
    let environment: Vec<String> = (0..shape.variables).map(|number| managed_variable(index, number)).collect();
    MANAGED_CONTAINER.replace("$INDEX", &index.to_string()).replace("$ENVIRONMENT", &environment.join(","))
}

/// An environment variable of a container: three in five are literals, one comes from a Secret, one from the pod.
fn variable(container: usize, number: usize) -> String {
    let name = variable_name(container, number);
    match number % 5 {
        3 => format!(
            r#"{{"name":"{name}","valueFrom":{{"secretKeyRef":{{"name":"app{container}-credentials","key":"key-{number}","optional":false}}}}}}"#
        ),
        4 => format!(
            r#"{{"name":"{name}","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}}}}}}"#
        ),
        _ => format!(
            r#"{{"name":"{name}","value":"value-{number}-https://service-{number}.payments.svc.cluster.local:8443/v1"}}"#
        ),
    }
}

fn managed_variable(container: usize, number: usize) -> String {
    let name = variable_name(container, number);
    let source = match number % 5 {
        3 => r#""f:valueFrom":{"f:secretKeyRef":{}}"#,
        4 => r#""f:valueFrom":{"f:fieldRef":{}}"#,
        _ => r#""f:value":{}"#,
    };
    format!(r#""k:{{\"name\":\"{name}\"}}":{{".":{{}},"f:name":{{}},{source}}}"#)
}

fn variable_name(container: usize, number: usize) -> String {
    let source = match number % 5 {
        3 => "SECRET",
        4 => "POD",
        _ => "SETTING",
    };
    format!("APP{container}_{source}_{number}")
}

/// Annotations that hold JSON, as tools like to leave behind: every quote and backslash in them is escaped twice.
fn annotations(count: usize) -> String {
    let sentence = r#"The quick brown fox \\\"jumps\\\" over the lazy dog. "#.repeat(6);
    (0..count)
        .map(|number| {
            format!(
                r#""example.com/blob-{number}":"{{\"k\": {number}, \"text\": \"{sentence}\", \"path\": \"C:\\\\temp\\\\x\"}}","#
            )
        })
        .collect()
}

/// JSON without the blanks and newlines that stand outside its strings.
fn compact(text: &str) -> String {
    let mut within = false;
    let mut escaped = false;
    text.chars()
        .filter(|&letter| {
            let keep = within || !letter.is_ascii_whitespace();
            within ^= letter == '"' && !escaped;
            escaped = within && letter == '\\' && !escaped;
            keep
        })
        .collect()
}
