//! How a configuration is other than it should be, and who made it so.
//!
//! Labels and annotations of others are no difference. Everything that decides whether, when and how we are asked is, and so is
//! who owns the configuration: with another owner it would outlive us.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::clock;
use super::super::place::FIELD_MANAGER;
use super::configuration::{FORM, KEPT_SINCE};
use super::field::at;

/// The paths of the fields that are other than they should be, in order; none if all is well.
pub(super) fn differences(desired: &Value, found: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    compare("webhooks", at(desired, &["webhooks"]), at(found, &["webhooks"]), &mut paths);
    compare("metadata.ownerReferences", &owners(desired), &owners(found), &mut paths);
    paths
}

/// Whether pods may have been let by while these fields were so. With authorities that are not ours nobody is believed, so
/// that everything fails as it should.
pub(super) fn lets_pods_by(differences: &[String]) -> bool {
    differences.iter().any(|path| path.starts_with("webhooks") && !path.ends_with(".caBundle"))
}

fn owners(configuration: &Value) -> Value {
    at(configuration, &["metadata", "ownerReferences"]).clone()
}

fn compare(path: &str, desired: &Value, found: &Value, paths: &mut Vec<String>) {
    match (desired, found) {
        (Value::Object(desired), Value::Object(found)) => compare_objects(path, desired, found, paths),
        (Value::Array(desired), Value::Array(found)) if are_alike(desired, found) => {
            for (desired, found) in desired.iter().zip(found) {
                let place = at(desired, &["name"])
                    .as_str()
                    .map_or_else(|| format!("{path}[]"), |name| format!("{path}[{name}]"));
                compare(&place, desired, found, paths);
            }
        }
        _ if desired == found => {}
        _ => paths.push(path.to_owned()),
    }
}

/// Lists of the same things in the same order, so that it makes sense to say in what the things differ.
fn are_alike(desired: &[Value], found: &[Value]) -> bool {
    desired.len() == found.len()
        && desired
            .iter()
            .zip(found)
            .all(|(desired, found)| at(desired, &["name"]) == at(found, &["name"]) && desired.is_object())
}

fn compare_objects(path: &str, desired: &Map<String, Value>, found: &Map<String, Value>, paths: &mut Vec<String>) {
    for (field, value) in desired {
        compare(&format!("{path}.{field}"), value, found.get(field).unwrap_or(&Value::Null), paths);
    }
    paths.extend(found.keys().filter(|field| !desired.contains_key(*field)).map(|field| format!("{path}.{field}")));
}

/// Somebody who has written an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) name: String,
    pub(super) time: Option<SystemTime>,
}

/// Who wrote a configuration last, us aside, as far as the API server tells.
pub(super) fn last_writer(configuration: &Value) -> Option<Writer> {
    let others = entries(configuration).into_iter().filter(|entry| entry.manager != FIELD_MANAGER);
    others.map(|entry| Writer { time: clock::parse(&entry.time), name: entry.manager }).max_by_key(|writer| writer.time)
}

/// The form of a configuration in a few digits: all of its webhooks but the authorities, which change more often. It tells
/// whether anything was changed by chance, and does not withstand somebody who means to deceive.
pub(super) fn form(configuration: &Value) -> String {
    let mut webhooks = at(configuration, &["webhooks"]).clone();
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        if let Some(client) = webhook.get_mut("clientConfig").and_then(Value::as_object_mut) {
            client.remove("caBundle");
        }
    }
    // FNV-1a over JSON whose keys are sorted.
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", webhooks.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// Whether a configuration is as another replica wrote it last, one that was started when this one was, or later. During a
/// rolling update the newer form stays, however many replicas still want the older one.
pub(super) fn is_of_a_later_replica(configuration: &Value, started: SystemTime) -> bool {
    let since = at(configuration, &["metadata", "annotations", KEPT_SINCE]).as_str().and_then(clock::parse);
    since.is_some_and(|since| since >= started) && is_of_a_replica(configuration)
}

/// Whether a configuration is as one of us wrote it last.
pub(super) fn is_of_a_replica(configuration: &Value) -> bool {
    let ours = entries(configuration).into_iter().filter(|entry| entry.manager == FIELD_MANAGER);
    let written = ours.filter_map(|entry| clock::parse(&entry.time)).max();
    let written_by_others = last_writer(configuration).and_then(|writer| writer.time);
    let is_intact = *at(configuration, &["metadata", "annotations", FORM]) == form(configuration);
    is_intact && written > written_by_others
}

fn entries(configuration: &Value) -> Vec<Entry> {
    Vec::deserialize(at(configuration, &["metadata", "managedFields"])).unwrap_or_default()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    manager: String,
    time: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration() -> Value {
        json!({
            "metadata": {"ownerReferences": [{"kind": "ClusterRole", "name": "a", "uid": "1"}]},
            "webhooks": [
                {"name": "a", "failurePolicy": "Fail", "objectSelector": {}, "clientConfig": {"caBundle": "x"}, "matchConditions": []},
                {"name": "b", "failurePolicy": "Fail", "rules": [{"operations": ["CREATE"]}]},
            ],
        })
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut found = configuration();
        change(&mut found);
        differences(&configuration(), &found)
    }

    #[test]
    fn what_others_may_add_is_no_difference() {
        let found = changed(|found| {
            found["metadata"]["labels"] = json!({"team": "a"});
            found["metadata"]["resourceVersion"] = json!("7");
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn every_weakening_is_named_by_its_path() {
        assert_eq!(
            changed(|found| found["webhooks"][0]["failurePolicy"] = json!("Ignore")),
            ["webhooks[a].failurePolicy"]
        );
        assert_eq!(
            changed(|found| found["webhooks"][0]["objectSelector"] = json!({"matchLabels": {"a": "b"}})),
            ["webhooks[a].objectSelector.matchLabels"]
        );
        assert_eq!(
            changed(|found| found["webhooks"][1]["rules"][0]["operations"] = json!([])),
            ["webhooks[b].rules[].operations"]
        );
        assert_eq!(
            changed(|found| found["webhooks"][0]["matchConditions"] = json!([{"name": "never", "expression": "false"}])),
            ["webhooks[a].matchConditions"]
        );
        assert_eq!(changed(|found| found["webhooks"] = json!([])), ["webhooks"]);
        assert_eq!(changed(|found| found["webhooks"][0]["name"] = json!("c")), ["webhooks"]);
        assert_eq!(changed(|found| found["metadata"]["ownerReferences"] = json!([])), ["metadata.ownerReferences"]);
    }

    #[test]
    fn other_authorities_alone_let_nothing_by() {
        let other = changed(|found| found["webhooks"][0]["clientConfig"]["caBundle"] = json!("y"));
        assert_eq!(
            (other.as_slice(), lets_pods_by(&other)),
            (&["webhooks[a].clientConfig.caBundle".to_owned()][..], false)
        );
        assert!(!lets_pods_by(&changed(|found| found["metadata"]["ownerReferences"] = json!([]))));
        assert!(lets_pods_by(&changed(|found| found["webhooks"][0]["clientConfig"]["url"] = json!("https://a"))));
    }

    #[test]
    fn only_what_a_later_replica_wrote_last_is_its_own() {
        let found = |since: &str, by_others: &str| {
            let mut found = configuration();
            found["metadata"] = json!({"annotations": {KEPT_SINCE: since, FORM: form(&found)}, "managedFields": [
                {"manager": "portcullis", "time": "2026-11-21T09:00:00Z"},
                {"manager": "kubectl-edit", "time": by_others},
            ]});
            found
        };
        let started = clock::parse("2026-11-21T08:30:00Z").expect("a time");
        let (before, after) = ("2026-11-21T08:00:00Z", "2026-11-21T09:30:00Z");
        assert!(is_of_a_later_replica(&found(after, before), started));
        assert!(!is_of_a_later_replica(&found(before, before), started), "an earlier replica");
        assert!(is_of_a_replica(&found(before, before)));
        assert!(!is_of_a_later_replica(&found(after, after), started), "changed by somebody else since");
        assert!(!is_of_a_replica(&found(after, after)));
        assert!(!is_of_a_later_replica(&json!({}), started));
        // Whoever only takes something away leaves no trace of himself.
        let mut shorter = found(after, before);
        shorter["webhooks"].as_array_mut().expect("a list").remove(0);
        assert!(!is_of_a_later_replica(&shorter, started));
        let mut otherwise_trusted = found(after, before);
        otherwise_trusted["webhooks"][0]["clientConfig"]["caBundle"] = json!("y");
        assert!(is_of_a_later_replica(&otherwise_trusted, started));
    }

    #[test]
    fn the_last_writer_is_somebody_else() {
        let found = json!({"metadata": {"managedFields": [
            {"manager": "portcullis", "time": "2026-11-21T09:00:00Z"},
            {"manager": "kubectl-edit", "time": "2026-11-21T08:00:00Z"},
            {"manager": "older", "time": "2026-11-21T07:00:00Z"},
        ]}});
        let expected = Writer { name: "kubectl-edit".to_owned(), time: clock::parse("2026-11-21T08:00:00Z") };
        assert_eq!(last_writer(&found), Some(expected));
        assert_eq!(last_writer(&json!({})), None);
    }
}
