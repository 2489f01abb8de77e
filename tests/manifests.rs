//! What can be said of the manifests without a cluster: alerts, our own standard, names and versions.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis::manifest::{Documents, parse};
use portcullis::telemetry::{Kind, Metric, TABLE};
use serde_json::Value;

/// Every way to render that changes the pods, or what is there beside them.
const WAYS: [&[&str]; 6] = [
    &[],
    &["--mode=audit"],
    &["--high-availability"],
    &["--certificates=given"],
    &["--certificates=cert-manager", "--alerts=prometheus-rule"],
    &["--release=gate", "--namespace=gate", "--replicas=2", "--image=example/portcullis:1"],
];

#[test]
fn alerts_name_only_metrics_and_labels_that_are_rendered() {
    let rules = rules();
    assert!(rules.len() >= 10, "the rules are read wrong: {rules:?}");
    for rule in rules {
        let expression = rule["expr"].as_str().expect("an expression");
        let named = metrics_in(expression);
        assert!(!named.is_empty(), "{expression} names no metric of ours");
        for (name, labels) in named {
            let metric = metric(&name).unwrap_or_else(|| panic!("{name} is not rendered ({expression})"));
            for label in labels {
                assert!(metric.labels.contains(&label.as_str()), "{name} has no label {label} ({expression})");
            }
        }
    }
}

#[test]
fn every_alert_says_what_is_wrong_and_what_it_means() {
    let rules = rules();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule["alert"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), rules.len(), "two alerts have one name");
    for rule in &rules {
        let severity = rule["labels"]["severity"].as_str().expect("a severity");
        assert!(["info", "warning", "critical"].contains(&severity), "{rule}");
        for text in ["summary", "description"] {
            assert!(rule["annotations"][text].as_str().is_some_and(|text| text.ends_with('.')), "{text} of {rule}");
        }
    }
}

/// `UPDATE_MANIFESTS=1 cargo test --test manifests` writes the file.
#[test]
fn the_definitions_are_those_of_the_types_that_read_documents() {
    let path = folder().join("base/custom-resource-definitions.yaml");
    let mut text = "# Made from the types that read documents; see tests/manifests.rs.\n".to_owned();
    for (index, definition) in portcullis::engine::mutation::document::definitions().iter().enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        text.push_str(&serde_json::to_string_pretty(definition).expect("JSON"));
        text.push('\n');
    }
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, &text).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(&path).expect("the definitions");
    assert_eq!(written, text, "run UPDATE_MANIFESTS=1 cargo test --test manifests");
}

/// `UPDATE_MANIFESTS=1 cargo test --test manifests` writes the file.
#[test]
fn the_prometheus_rule_has_the_same_alerts() {
    let path = folder().join("components/prometheus-rule/prometheus-rule.yaml");
    let alerts = read("base/alerts.yaml");
    let (_, rules) = alerts.split_once("  portcullis.rules.yaml: |\n").expect("a file of rules");
    let mut text = RULE_HEAD.to_owned();
    for line in rules.lines() {
        // A level of indentation less: the rules stand under `spec`, and not under a key of `data`.
        text.push_str(line.strip_prefix("  ").unwrap_or(line));
        text.push('\n');
    }
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, &text).expect("a writable file");
    }
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(current, text, "run UPDATE_MANIFESTS=1 cargo test --test manifests, and read what changed");
    assert_eq!(objects(&text)[0]["spec"]["groups"], objects(&rules_text())[0]["groups"]);
}

#[test]
fn our_own_pods_pass_our_own_restricted_standard() {
    for way in WAYS {
        let mut check = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["check", "--level=restricted", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        check.stdin.take().expect("a pipe").write_all(rendered(way).as_bytes()).expect("it reads");
        let output = check.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{way:?}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn every_object_says_what_it_belongs_to_and_none_is_kept_by_portcullis_itself() {
    for way in WAYS {
        let release = if way.contains(&"--release=gate") { "gate" } else { "portcullis" };
        let objects = objects(&rendered(way));
        assert!(objects.len() >= 12, "{}", objects.len());
        for object in objects {
            let labels = &object["metadata"]["labels"];
            assert_eq!(labels["app.kubernetes.io/name"], "portcullis", "{object}");
            let kind = object["kind"].as_str().expect("a kind");
            // All releases share the definitions.
            let instance = (kind != "CustomResourceDefinition").then_some(release);
            assert_eq!(labels["app.kubernetes.io/instance"].as_str(), instance, "{object}");
            assert!(kind != "Secret" && !kind.ends_with("WebhookConfiguration"), "{object}");
        }
    }
}

#[test]
fn whatever_holds_a_port_agrees_about_it() {
    let all = objects(&rendered(&[]));
    let of = |kind: &str| all.iter().find(|object| object["kind"] == kind).expect("an object of this kind");
    let ports = |list: &Value, key: &str| -> Vec<String> {
        list.as_array().expect("ports").iter().map(|port| port[key].to_string()).collect()
    };
    let container = &of("Deployment")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(ports(&container["ports"], "containerPort"), ["8443", "8444"]);
    assert_eq!(ports(&of("Service")["spec"]["ports"], "targetPort"), ports(&container["ports"], "name"));
    assert_eq!(ports(&of("NetworkPolicy")["spec"]["ingress"][0]["ports"], "port"), ["8443", "8444"]);
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = &objects(&read("chart/Chart.yaml"))[0];
    assert_eq!((&chart["version"], &chart["appVersion"]), (&env!("CARGO_PKG_VERSION").into(), &chart["version"]));
}

const RULE_HEAD: &str =
    "# Made from base/alerts.yaml, and held to be the same by a test: UPDATE_MANIFESTS=1 cargo test --test manifests
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: portcullis-alerts
  namespace: portcullis-system
  labels: {app.kubernetes.io/name: portcullis, app.kubernetes.io/instance: portcullis}
spec:
";

fn rules() -> Vec<Value> {
    let groups = objects(&rules_text())[0]["groups"].take();
    groups
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules").clone())
        .collect()
}

/// The file of rules, as Prometheus reads it.
fn rules_text() -> String {
    objects(&read("base/alerts.yaml"))[0]["data"]["portcullis.rules.yaml"].as_str().expect("a file of rules").to_owned()
}

/// The metrics of ours in an expression, each with the labels by which it is selected.
fn metrics_in(expression: &str) -> Vec<(String, Vec<String>)> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = Vec::new();
    for prefix in ["portcullis_", "pod_security_"] {
        for (at, _) in expression.match_indices(prefix) {
            let rest = &expression[at..];
            let (name, behind) = rest.split_at(rest.find(|character| !is_of_name(character)).unwrap_or(rest.len()));
            let selector = behind.strip_prefix('{').and_then(|behind| behind.split_once('}')).map(|(inside, _)| inside);
            let label = |pair: &str| {
                pair.trim().split(|character| !is_of_name(character)).next().unwrap_or_default().to_owned()
            };
            found
                .push((name.to_owned(), selector.map(|text| text.split(',').map(label).collect()).unwrap_or_default()));
        }
    }
    found
}

/// The metric of a series: a histogram renders three.
fn metric(series: &str) -> Option<&'static Metric> {
    static METRICS: [Metric; TABLE.len()] = TABLE;
    let is_it = |metric: &&Metric| match metric.kind {
        Kind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| series.strip_suffix(end) == Some(metric.name))
        }
        Kind::Counter | Kind::Gauge => series == metric.name,
    };
    METRICS.iter().find(is_it)
}

fn rendered(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("render").args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn objects(text: &str) -> Vec<Value> {
    let documents = Documents::new(text.as_bytes()).map(|document| parse(&document.expect("text")).expect("YAML"));
    let value = |node: portcullis::manifest::Node| {
        let mut json = Vec::new();
        node.write_json(&mut json);
        serde_json::from_slice(&json).expect("JSON")
    };
    documents.filter(|node| !node.is_null()).map(value).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).expect("a readable file")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}

/// The documents on the page that says everything.
fn documents_on_the_page() -> Vec<String> {
    let page = folder().join("../docs/reference/documents.md");
    let text = std::fs::read_to_string(page).expect("the page");
    text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

#[test]
fn the_page_of_documents_leaves_no_field_out_and_its_documents_are_good() {
    let page = documents_on_the_page();
    let mut named = BTreeSet::new();
    for text in &page {
        for document in Documents::new(text.as_bytes()) {
            let mut json = Vec::new();
            parse(&document.expect("a document")).expect("YAML").write_json(&mut json);
            let document = String::from_utf8(json).expect("UTF-8");
            let read = portcullis::engine::mutation::document::Document::read(&document).expect("a document of ours");
            portcullis::engine::mutation::Active::compile(&read).expect("no flaws");
            keys(&serde_json::from_str(&document).expect("JSON"), &mut named);
        }
    }
    let mut fields = BTreeSet::new();
    for definition in portcullis::engine::mutation::document::definitions() {
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        properties(schema, &mut fields);
    }
    assert!(fields.len() > 100, "the definitions are read wrong: {fields:?}");
    let missing: Vec<_> = fields.difference(&named).collect();
    assert!(missing.is_empty(), "docs/reference/documents.md does not show {missing:?}");
}

/// Every key that stands anywhere in a value.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        found.insert(key.clone());
        keys(inner, found);
    }
    value.as_array().into_iter().flatten().for_each(|inner| keys(inner, found));
}

/// Every field that a schema names.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        properties(inner, found);
    }
    for inner in [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|inner| inner.is_object()) {
        properties(inner, found);
    }
}
