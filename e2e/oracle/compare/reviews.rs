//! Whole admission reviews: the answer as it goes over the wire, and what is counted.

use super::{Difference, asks, metrics};
use portcullis::{
    engine::{
        ExistingPods, Facts, Namespace, Needed, Phase, Request, Snapshot, Unlisted, Verdict, decide, json, needed,
        object::{Metadata, Object},
        pod_security::Configuration,
    },
    review::{BadReview, decode, encode},
};
use serde_json::Value;
use std::{cell::RefCell, iter};

/// Compares one review; it is decided twice, with its namespace in the snapshot and with its namespace as a fact.
pub fn compare(question: &Value, upstream: &Value) -> Option<Difference> {
    if !asks(question, "review") {
        return None;
    }
    // A cluster that upstream cannot hold, as in a case that is being shrunk, or a review on which it panics.
    if upstream.get("error").or(upstream.get("crash")).is_some() {
        return None;
    }
    let configuration = match (configuration(question), upstream.get("config_error")) {
        (Ok(configuration), None) => configuration,
        (Err(_), Some(_)) => return None,
        (Ok(_), Some(error)) => return Some(Difference::verdict("configuration", &error, &"taken")),
        (Err(error), None) => return Some(Difference::verdict("configuration", &"taken", &error)),
    };
    let body = question.get("review")?.to_string();
    let request = match (decode(Phase::Validate, body.as_bytes()), upstream.get("bad_request")) {
        (Ok(request), None) => request,
        (Err(_), Some(_)) => return None,
        // The API server sends neither, and takes no answer without a uid: see docs/decisions.
        (Err(BadReview::NoUid | BadReview::UnknownOperation(_)), None) => return None,
        (Ok(_), Some(error)) => return Some(Difference::verdict("envelope", &error, &"decodes")),
        (Err(error), None) => return Some(Difference::verdict("envelope", &"decodes", &error)),
    };
    let namespaces = question.get("namespaces")?.as_array()?;
    [true, false].into_iter().find_map(|in_snapshot| {
        let mut snapshot = Snapshot::new(configuration.clone(), Unlisted::Unknown);
        if in_snapshot {
            each_namespace(namespaces, |metadata| {
                snapshot.insert_namespace(&metadata.name, &metadata.labels);
            });
        }
        let facts = facts(&request, &snapshot, namespaces, question.get("pods")?.as_array()?);
        answers(&request, &decide(&request, &snapshot, &facts), upstream)
    })
}

fn configuration(question: &Value) -> Result<Configuration, String> {
    match question.get("config") {
        None | Some(Value::Null) => Ok(Configuration::default()),
        Some(document) => Configuration::read(document).map_err(|errors| format!("{errors:?}")),
    }
}

fn each_namespace(namespaces: &[Value], mut visit: impl FnMut(&Metadata<'_>)) {
    for namespace in namespaces {
        if let Ok(object) = json::from_slice::<Object<'_>>(namespace.to_string().as_bytes()) {
            visit(&object.metadata);
        }
    }
}

/// Gathers what the request needs, with all the time in the world.
fn facts(request: &Request<'_>, snapshot: &Snapshot, namespaces: &[Value], pods: &[Value]) -> Facts {
    let mut facts = Facts::default();
    match needed(request, snapshot) {
        // There are no documents here that ask for service accounts.
        Needed::Nothing | Needed::ServiceAccount(_) | Needed::ServiceAccountAndNamespace(_) => {}
        Needed::Namespace(name) => each_namespace(namespaces, |metadata| {
            if &*metadata.name == name {
                facts.namespace = Some(Namespace::new(&metadata.labels, &snapshot.pod_security));
            }
        }),
        Needed::PodsOf(name) => {
            let of_namespace =
                pods.iter().filter(|pod| pod.pointer("/metadata/namespace").and_then(Value::as_str) == Some(name));
            let pods = of_namespace.map(|pod| pod.to_string().into_bytes().into()).collect();
            facts.existing_pods =
                ExistingPods::Listed { pods, unlisted: 0, time: RefCell::new(Box::new(iter::repeat(()))) };
        }
    }
    facts
}

fn answers(request: &Request<'_>, verdict: &Verdict, upstream: &Value) -> Option<Difference> {
    let mut theirs = upstream.get("response")?.clone();
    let encoded = encode(&request.uid, verdict);
    let mut ours = match serde_json::from_slice::<Value>(&encoded) {
        Ok(answer) => answer.get("response").cloned().unwrap_or_default(),
        Err(error) => return Some(Difference::verdict("answer", &theirs, &error)),
    };
    cut_decoding_error(&mut theirs);
    cut_decoding_error(&mut ours);
    for path in ["/allowed", "/status/code", "/status/reason"] {
        if theirs.pointer(path) != ours.pointer(path) {
            return Some(Difference::verdict(path, &theirs, &ours));
        }
    }
    if theirs != ours {
        return Some(Difference::text("answer", &theirs, &ours));
    }
    let (theirs, ours) = (metrics::upstream(upstream), metrics::ours(request, verdict));
    (theirs != ours).then(|| Difference::text("metrics", &format!("{theirs:?}"), &format!("{ours:?}")))
}

/// Cuts away what Go's decoder says of an object, behind upstream's own words that introduce it.
fn cut_decoding_error(answer: &mut Value) {
    if let Some(Value::String(error)) = answer.pointer_mut("/auditAnnotations/error") {
        for introduction in
            ["failed to decode object: ", "failed to decode old object: ", "failed to decode  old object: "]
        {
            if error.starts_with(introduction) {
                error.truncate(introduction.len());
            }
        }
    }
}
