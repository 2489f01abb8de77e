//! Facts of the cluster that one pod needs: what is asked for, what is kept, and what becomes of a pod where a fact is not to be had.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::mutation::document::Document;
use crate::engine::mutation::{Active, Documents, Labels, ServiceAccounts, Surroundings};
use crate::engine::object::StringMap;
use crate::engine::pod_security::{Configuration, LevelVersion};
use crate::engine::{
    Carried, Facts, Needed, ObjectKind, Operation, Phase, Request, Resource, ServiceAccountName, Snapshot, Unlisted,
    Verdict, decide, json as decoder, needed,
};

const NEEDS_API: &str = "needs-api";
const UID_RANGE: &str = "openshift.io/sa.scc.uid-range";

fn document(kind: &str, spec: Value) -> Arc<Active> {
    let document = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "d"}, "spec": spec});
    let document = Document::read(&document.to_string()).expect("a document");
    Arc::new(Active::compile(&document).expect("no flaws"))
}

/// No token for pods of the namespaces that say so, unless their service account has the label.
fn without_tokens() -> Arc<Active> {
    let unless = json!({"matchExpressions": [{"key": NEEDS_API, "operator": "In", "values": ["true"]}]});
    let security = json!({"automountServiceAccountToken": {"unlessServiceAccount": unless}});
    let namespaces = json!({"matchLabels": {"tokens": "no"}});
    document("PodDefaults", json!({"match": {"namespaceSelector": namespaces}, "security": security}))
}

/// A sidecar as the namespace's first user.
fn as_user_of_namespace() -> Arc<Active> {
    let proxy = json!({"container": {"name": "proxy", "image": "proxy:1"}, "userOfNamespace": true});
    document("SidecarInjection", json!({"mode": "Always", "add": {"containers": [proxy]}}))
}

fn snapshot(documents: Vec<Arc<Active>>) -> Snapshot {
    let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
    let mut snapshot = rules.with_documents(Arc::new(Documents::new(documents)));
    let labels = [("tokens".into(), "no".into())].into_iter().collect();
    snapshot.insert_namespace("shop", &labels);
    snapshot.insert_namespace("other", &StringMap::default());
    snapshot
}

/// The same, knowing the service account `web` of `shop` by this label.
fn knowing(mut snapshot: Snapshot, label: &str) -> Snapshot {
    let mut service_accounts = ServiceAccounts::keeping(snapshot.documents().asks().service_account_labels.clone());
    service_accounts.put("shop", "web", Arc::new(labelled(label)));
    snapshot.surroundings = Arc::new(Surroundings { service_accounts, ..Surroundings::default() });
    snapshot
}

fn labelled(value: &str) -> Labels {
    [(NEEDS_API.into(), value.into())].into()
}

/// A sidecar for pods whose service account has the label, which is looked for in finished pods.
fn for_some_accounts(verify: &str) -> Arc<Active> {
    let selector = json!({"matchLabels": {NEEDS_API: "true"}});
    let container = json!({"container": {"name": "proxy", "image": "proxy:1"}, "placement": {"kind": "Container"}});
    let spec = json!({"mode": "Always", "match": {"serviceAccountSelector": selector, "namespaceSelector": {"matchLabels": {"tokens": "no"}}},
        "add": {"containers": [container]}, "failure": {"verify": verify}});
    document("SidecarInjection", spec)
}

/// Asks about a pod in a namespace, with what is to be done about it.
fn asked<T>(namespace: &str, act: impl FnOnce(&Request<'_>) -> T) -> T {
    asked_in(Phase::Mutate, namespace, act)
}

fn asked_in<T>(phase: Phase, namespace: &str, act: impl FnOnce(&Request<'_>) -> T) -> T {
    let containers = json!([{"name": "app", "image": "app:1"}]);
    let pod = json!({"metadata": {"name": "web"}, "spec": {"serviceAccountName": "web", "containers": containers}});
    let text = pod.to_string();
    let object = match phase {
        Phase::Mutate => Carried::Unread(crate::engine::Unread::of(&text)),
        Phase::Validate => Carried::Object(Box::new(decoder::from_slice(text.as_bytes()).expect("an object"))),
    };
    let review = format!(r#"{{"request":{{"object":{text}}}}}"#);
    let request = Request {
        phase,
        uid: "u".into(),
        operation: Operation::Create,
        kind: ObjectKind { group: "".into(), kind: "Pod".into() },
        resource: Resource { group: "".into(), resource: "pods".into() },
        subresource: "".into(),
        name: "web".into(),
        namespace: namespace.into(),
        username: "somebody".into(),
        dry_run: false,
        object,
        old_object: Carried::Absent,
        review: review.as_bytes(),
    };
    act(&request)
}

fn lacks(snapshot: &Snapshot, namespace: &str, expected: &Needed<'_>) {
    asked(namespace, |request| assert_eq!(needed(request, snapshot), *expected));
}

fn decided(snapshot: &Snapshot, facts: &Facts) -> Verdict {
    asked("shop", |request| decide(request, snapshot, facts))
}

fn operations(verdict: &Verdict) -> String {
    verdict.patch().map(|patch| patch.json().to_owned()).unwrap_or_default()
}

fn web(namespace: &str) -> ServiceAccountName<'_> {
    ServiceAccountName { namespace, name: "web".to_owned() }
}

#[test]
fn a_service_account_is_needed_where_it_is_unknown_and_a_document_that_may_apply_asks_for_it() {
    let unknowing = snapshot(vec![without_tokens()]);
    lacks(&unknowing, "shop", &Needed::ServiceAccount(web("shop")));
    lacks(&unknowing, "other", &Needed::Nothing);
    lacks(&unknowing, "unheard-of", &Needed::ServiceAccountAndNamespace(web("unheard-of")));
    lacks(&knowing(unknowing, "false"), "shop", &Needed::Nothing);
    lacks(&snapshot(vec![as_user_of_namespace()]), "shop", &Needed::Nothing);
    lacks(&snapshot(vec![as_user_of_namespace()]), "unheard-of", &Needed::Namespace("unheard-of"));
}

#[test]
fn labels_of_service_accounts_count_as_they_are_known_or_read() {
    let unknowing = snapshot(vec![without_tokens()]);
    let read = |label: &str| Facts { service_account: Some(labelled(label)), ..Facts::default() };
    let known = |label: &str| knowing(unknowing.clone(), label);
    for (snapshot, facts) in [(known("false"), Facts::default()), (unknowing.clone(), read("false"))] {
        let verdict = decided(&snapshot, &facts);
        assert!(operations(&verdict).contains("automountServiceAccountToken"), "{verdict:?}");
    }
    for (snapshot, facts) in [(known("true"), Facts::default()), (unknowing.clone(), read("true"))] {
        let verdict = decided(&snapshot, &facts);
        assert_eq!((operations(&verdict).as_str(), verdict.warnings().len()), ("", 0));
    }
}

#[test]
fn a_pod_whose_service_account_cannot_be_read_keeps_its_token_and_is_told() {
    let verdict = decided(&snapshot(vec![without_tokens()]), &Facts::default());
    assert_eq!((verdict.is_allowed(), operations(&verdict).as_str()), (true, ""));
    assert!(verdict.warnings()[0].contains("service_account_unknown"), "{:?}", verdict.warnings());
}

#[test]
fn what_was_kept_for_other_documents_is_not_taken_for_all_there_is() {
    let kept_for_nobody = knowing(snapshot(vec![as_user_of_namespace()]), "true");
    let mut later = snapshot(vec![without_tokens()]);
    later.surroundings = kept_for_nobody.surroundings;
    lacks(&later, "shop", &Needed::ServiceAccount(web("shop")));
}

#[test]
fn what_is_too_old_is_read_live() {
    let old = knowing(snapshot(vec![without_tokens()]), "true").without_what_ages();
    lacks(&old, "shop", &Needed::ServiceAccountAndNamespace(web("shop")));
}

#[test]
fn f3_the_user_comes_from_the_annotation_of_the_namespace_which_alone_is_kept() {
    let mut snapshot = snapshot(vec![as_user_of_namespace()]);
    snapshot.surroundings = Arc::new(Surroundings { has_native_sidecars: true, ..Surroundings::default() });
    let annotated = |range: &'static str| [(UID_RANGE.into(), range.into()), ("note".into(), "x".into())];
    let labels = StringMap::default();
    assert!(snapshot.insert_annotated_namespace("shop", &labels, &annotated("1000680000/10000").into_iter().collect()));
    let verdict = decided(&snapshot, &Facts::default());
    assert!(operations(&verdict).contains(r#""runAsUser":1000680000"#), "{verdict:?}");
    let only = [(UID_RANGE.into(), "1000680000/10000".into())].into_iter().collect();
    assert!(!snapshot.insert_annotated_namespace("shop", &labels, &only), "nobody asks for the other annotation");
    assert!(snapshot.insert_annotated_namespace("shop", &labels, &annotated("7/9").into_iter().collect()));

    let read = snapshot.compile(&labels, &annotated("42-99").into_iter().collect());
    snapshot.remove_namespace("shop");
    let verdict = decided(&snapshot, &Facts { namespace: Some(read), ..Facts::default() });
    assert!(operations(&verdict).contains(r#""runAsUser":42"#), "{verdict:?}");
}

#[test]
fn a_document_is_for_the_pods_of_the_service_accounts_that_it_selects() {
    let unknowing = snapshot(vec![for_some_accounts("Off")]);
    lacks(&unknowing, "shop", &Needed::ServiceAccount(web("shop")));
    lacks(&unknowing, "other", &Needed::Nothing);
    let read = |label: &str| Facts { service_account: Some(labelled(label)), ..Facts::default() };
    for (label, is_for_it) in [("true", true), ("false", false)] {
        for (snapshot, facts) in
            [(knowing(unknowing.clone(), label), Facts::default()), (unknowing.clone(), read(label))]
        {
            let verdict = decided(&snapshot, &facts);
            assert_eq!(operations(&verdict).contains("proxy:1"), is_for_it, "{verdict:?}");
            assert_eq!(verdict.warnings().len(), 0, "{verdict:?}");
        }
    }
    let verdict = decided(&unknowing, &Facts::default());
    assert_eq!((verdict.is_allowed(), operations(&verdict).as_str()), (true, ""));
    assert!(verdict.warnings()[0].contains("service_account_unknown"), "{:?}", verdict.warnings());
}

#[test]
fn a_finished_pod_is_looked_at_by_its_service_account_too_as_it_is_known_or_read() {
    let lacks = |snapshot: &Snapshot, namespace: &str, expected: &Needed<'_>| {
        asked_in(Phase::Validate, namespace, |request| assert_eq!(needed(request, snapshot), *expected));
    };
    let unknowing = snapshot(vec![for_some_accounts("Deny")]);
    lacks(&unknowing, "shop", &Needed::ServiceAccount(web("shop")));
    lacks(&unknowing, "other", &Needed::Nothing);
    lacks(&unknowing, "unheard-of", &Needed::ServiceAccountAndNamespace(web("unheard-of")));
    lacks(&knowing(unknowing.clone(), "true"), "shop", &Needed::Nothing);
    lacks(&snapshot(vec![for_some_accounts("Off")]), "shop", &Needed::Nothing);
    lacks(&snapshot(vec![without_tokens()]), "unheard-of", &Needed::Namespace("unheard-of"));
    let is_allowed = |label: &str| {
        let facts = Facts { service_account: Some(labelled(label)), ..Facts::default() };
        asked_in(Phase::Validate, "shop", |request| decide(request, &unknowing, &facts).is_allowed())
    };
    assert_eq!((is_allowed("true"), is_allowed("false")), (false, true), "the pod lacks the sidecar");
}
