//! The metrics of real requests, and the page that describes them all.

use std::fmt::Write;

use portcullis::telemetry::TABLE;

use crate::client::{admin, eventually};
use crate::harness::{Setting, review};

#[test]
fn requests_are_counted_as_upstream_and_as_we_do() {
    let server = Setting::default().start();
    let mut client = server.client();
    client.post("/validate", &review("u", "default", true));
    client.post("/validate", &review("u", "default", false));
    client.post("/validate", b"nonsense");
    client.post("/elsewhere", b"nonsense");
    let lines = [
        r#"portcullis_requests_total{phase="validate",operation="create",outcome="denied",code="403"} 1"#,
        r#"portcullis_requests_total{phase="validate",operation="create",outcome="allowed",code="200"} 1"#,
        r#"portcullis_requests_total{phase="validate",operation="none",outcome="refused",code="400"} 1"#,
        r#"portcullis_requests_total{phase="other",operation="none",outcome="refused",code="404"} 1"#,
        r#"portcullis_request_duration_seconds_count{phase="validate"} 3"#,
        r#"pod_security_evaluations_total{decision="deny",policy_level="restricted",policy_version="latest",mode="enforce",request_operation="create",resource="pod",subresource=""} 1"#,
        r#"pod_security_evaluations_total{decision="allow",policy_level="restricted",policy_version="latest",mode="enforce",request_operation="create",resource="pod",subresource=""} 1"#,
        "portcullis_connections 1",
        "portcullis_connections_total 1",
        "portcullis_ready 1",
    ];
    eventually("all are counted", || {
        let text = admin(server.admin, "/metrics").1;
        lines.iter().all(|line| text.lines().any(|shown| shown == *line))
    });
}

/// `UPDATE_DOCS=1 cargo test --test serve` writes the page.
#[test]
fn the_page_of_metrics_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/metrics.md");
    let mut page = HEAD.to_owned();
    for metric in TABLE {
        let labels =
            if metric.labels.is_empty() { "–".to_owned() } else { format!("`{}`", metric.labels.join("`, `")) };
        writeln!(page, "| `{}` | {} | {labels} | {} |", metric.name, metric.kind.name(), metric.help).expect("a line");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).expect("a writable page");
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(current, page, "run UPDATE_DOCS=1 cargo test --test serve, and read what changed");
}

const HEAD: &str = "# Metrics

`GET /metrics` on the admin port, in Prometheus' text format. This page is made from the table in
`src/telemetry/table.rs`; a test holds the two together.

The three `pod_security_*` counters are those of upstream's Pod Security admission, with its names, labels and zeros; a
subresource that Kubernetes does not have is counted as `other`, so that no client can make series at will.

| metric | kind | labels | what it says |
|---|---|---|---|
";
