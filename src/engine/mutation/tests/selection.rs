//! The table of [`crate::engine::mutation::selection`], row by row, and that the index leaves out nothing that the table lets in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::engine::mutation::document::{
    Enablement, LabelSelector, Match, Mode, OnInvalid, OperatingSystem, Requirement, SelectorOperator,
};
use crate::engine::mutation::{Decision, Node, Outcome, Reason, Relevance, Selection, World, is_like};

const KEY: &str = "logs.portcullis.dev/inject";

fn selection(mode: Mode) -> Selection {
    let keys = || vec![KEY.to_owned()];
    let enablement = Enablement {
        pod_labels: keys(),
        pod_annotations: keys(),
        namespace_labels: keys(),
        on_invalid: OnInvalid::Deny,
    };
    Selection { mode, enablement, ..Selection::default() }
}

fn pod(label: Option<&str>, annotation: Option<&str>) -> Value {
    let mut pod = json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app"}]}});
    if let Some(label) = label {
        pod["metadata"]["labels"] = json!({KEY: label});
    }
    if let Some(annotation) = annotation {
        pod["metadata"]["annotations"] = json!({KEY: annotation});
    }
    pod
}

fn decide(selection: &Selection, pod: &Value, namespace: Option<&str>) -> Decision {
    let world = World {
        namespace: "team-a",
        namespace_labels: namespace.map(|value| (KEY, value)).into_iter().collect(),
        ..World::default()
    };
    selection.decide(&Node::new(pod.to_string()), &world)
}

fn row(selection: &Selection, pod: &Value, namespace: Option<&str>) -> (Outcome, Reason) {
    let decision = decide(selection, pod, namespace);
    (decision.outcome, decision.reason)
}

#[test]
fn a1_the_namespace_s_label_is_enough() {
    let row = row(&selection(Mode::OptIn), &pod(None, None), Some("true"));
    assert_eq!(row, (Outcome::Applies, Reason::NamespaceLabel));
}

#[test]
fn a2_the_pod_s_label_wins_over_its_namespace_s() {
    for mode in [Mode::OptIn, Mode::OptOut] {
        let row = row(&selection(mode), &pod(Some("false"), None), Some("true"));
        assert_eq!(row, (Outcome::Passes, Reason::PodOptOut));
    }
}

#[test]
fn a3_the_pod_s_label_wins_over_its_annotation_with_a_warning() {
    let decision = decide(&selection(Mode::OptIn), &pod(Some("true"), Some("false")), None);
    assert_eq!((decision.outcome, decision.reason), (Outcome::Applies, Reason::PodLabel));
    assert_eq!(decision.warning, Some((Reason::LabelAnnotationDisagree, KEY.to_owned())));
    let agreed = decide(&selection(Mode::OptIn), &pod(Some("true"), Some("true")), None);
    assert_eq!(agreed.warning, None);
}

#[test]
fn a4_any_other_value_is_invalid_and_the_empty_one_too() {
    for value in ["yes", "True", "", " true", "1", "\n"] {
        let decision = decide(&selection(Mode::OptIn), &pod(Some(value), None), None);
        assert_eq!(
            (decision.outcome, decision.reason, &*decision.about),
            (Outcome::Denies, Reason::InvalidChoice, KEY)
        );
        let mut lenient = selection(Mode::OptIn);
        lenient.enablement.on_invalid = OnInvalid::SkipWithWarning;
        let decision = decide(&lenient, &pod(None, Some(value)), None);
        assert_eq!((decision.outcome, decision.warning.is_some()), (Outcome::Passes, true));
    }
}

#[test]
fn a5_always_means_always_and_who_objects_is_told_so() {
    let decision = decide(&selection(Mode::Always), &pod(Some("false"), None), Some("false"));
    assert_eq!((decision.outcome, decision.reason), (Outcome::Applies, Reason::Always));
    assert_eq!(decision.warning, Some((Reason::OptOutIgnored, KEY.to_owned())));
}

#[test]
fn a6_a_pod_on_the_host_s_network_is_passed_over_unless_allowed() {
    let mut pod = pod(Some("true"), None);
    pod["spec"]["hostNetwork"] = json!(true);
    assert_eq!(row(&selection(Mode::OptIn), &pod, None), (Outcome::Passes, Reason::HostNetwork));
    let mut allowing = selection(Mode::OptIn);
    allowing.guards.host_network = crate::engine::mutation::document::Guard::Allow;
    assert_eq!(row(&allowing, &pod, None).0, Outcome::Applies);
}

#[test]
fn a7_a_mirror_pod_is_never_touched() {
    let mut pod = pod(Some("true"), None);
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    let mut selection = selection(Mode::Always);
    selection.guards.host_network = crate::engine::mutation::document::Guard::Allow;
    assert_eq!(row(&selection, &pod, None), (Outcome::Passes, Reason::MirrorPod));
}

#[test]
fn a8_windows_pods_are_passed_over_unless_asked_for() {
    let by_field = json!({"os": {"name": "windows"}});
    let by_selector = json!({"nodeSelector": {"kubernetes.io/os": "windows"}});
    for spec in [by_field, by_selector] {
        let mut pod = pod(Some("true"), None);
        pod["spec"] = spec;
        assert_eq!(row(&selection(Mode::OptIn), &pod, None), (Outcome::Passes, Reason::OperatingSystem));
        let mut windows = selection(Mode::OptIn);
        windows.r#match.os = vec![OperatingSystem::Windows];
        assert_eq!(row(&windows, &pod, None).0, Outcome::Applies);
    }
}

#[test]
fn a9_the_namespace_is_that_of_the_request() {
    let mut selection = selection(Mode::Always);
    selection.r#match.namespace_selector = LabelSelector {
        match_labels: BTreeMap::from([(KEY.to_owned(), "true".to_owned())]),
        ..LabelSelector::default()
    };
    assert_eq!(row(&selection, &pod(None, None), Some("true")).0, Outcome::Applies);
    assert_eq!(row(&selection, &pod(None, None), None), (Outcome::Passes, Reason::NoMatch));
}

#[test]
fn a_pod_matches_by_what_it_holds() {
    let mut pod = pod(None, None);
    pod["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet"}, {"kind": "Job", "controller": true}]);
    pod["spec"]["volumes"] = json!([{"name": "logs"}]);
    pod["spec"]["containers"][0]["resources"] = json!({"limits": {"nvidia.com/gpu": 1}});
    let matches = |wanted: Match| {
        let selection = Selection { mode: Mode::Always, r#match: wanted, ..Selection::default() };
        row(&selection, &pod, None).0 == Outcome::Applies
    };
    let names = |name: &str| vec![name.to_owned()];
    assert!(matches(Match { volumes: names("logs"), containers: names("app"), ..Match::default() }));
    assert!(!matches(Match { volumes: names("other"), ..Match::default() }));
    assert!(matches(Match { resources: names("nvidia.com/gpu"), ..Match::default() }));
    assert!(!matches(Match { resources: names("amd.com/gpu"), ..Match::default() }));
    let kinds = |include: &[&str], exclude: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        crate::engine::mutation::document::Names { include: owned(include), exclude: owned(exclude) }
    };
    assert!(matches(Match { owner_kinds: kinds(&["Job"], &[]), ..Match::default() }));
    assert!(!matches(Match { owner_kinds: kinds(&[], &["J*b"]), ..Match::default() }));
}

#[test]
fn whoever_asks_why_is_told_which_field_leaves_the_pod_out() {
    let about = |wanted: Match| {
        let selection = Selection { mode: Mode::Always, r#match: wanted, ..Selection::default() };
        decide(&selection, &pod(None, None), None).about
    };
    let one = || vec!["one".to_owned()];
    let labels =
        LabelSelector { match_labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]), ..Default::default() };
    let kinds = crate::engine::mutation::document::Names { include: one(), exclude: Vec::new() };
    assert_eq!(about(Match { pod_selector: labels.clone(), ..Match::default() }), "match.podSelector");
    assert_eq!(about(Match { namespace_selector: labels, ..Match::default() }), "match.namespaceSelector");
    assert_eq!(about(Match { owner_kinds: kinds, ..Match::default() }), "match.ownerKinds");
    assert_eq!(about(Match { containers: one(), ..Match::default() }), "match.containers");
    assert_eq!(about(Match { volumes: one(), ..Match::default() }), "match.volumes");
    assert_eq!(about(Match { resources: one(), ..Match::default() }), "match.resources");
    let nobody = Selection { mode: Mode::OptIn, ..Selection::default() };
    assert_eq!(decide(&nobody, &pod(None, None), None).about, "pod, as enablement names no label to ask by");
    assert_eq!(decide(&selection(Mode::OptIn), &pod(None, None), None).about, "pod");
}

#[test]
fn stars_stand_for_any_text() {
    for (pattern, name) in
        [("*", ""), ("a*", "abc"), ("*c", "abc"), ("a*c", "abc"), ("a*b*c", "a-b-b-c"), ("abc", "abc")]
    {
        assert!(is_like(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("", "a"), ("a*", "ba"), ("a*a", "a"), ("a*b*c", "a-c-b"), ("abc", "abcd")] {
        assert!(!is_like(pattern, name), "{pattern} {name}");
    }
}

fn maybe_choice() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("true")), Just(Some("false")), Just(Some("?"))]
}

#[test]
fn an_account_matches_by_its_labels_and_one_that_nobody_knows_does_not() {
    let mut by_account = selection(Mode::Always);
    by_account.r#match.service_account_selector.match_labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let decide = |selection: &Selection, labels: Option<&[(&'static str, &'static str)]>| {
        let service_account_labels = labels.map(|labels| labels.iter().copied().collect());
        let world = World { namespace: "team-a", service_account_labels, ..World::default() };
        let Decision { outcome, reason, warning, .. } =
            selection.decide(&Node::new(pod(None, None).to_string()), &world);
        (outcome, reason, warning.map(|(reason, _)| reason))
    };
    let no_match = (Outcome::Passes, Reason::NoMatch, None);
    assert_eq!(decide(&by_account, Some(&[("team", "a")])), (Outcome::Applies, Reason::Always, None));
    assert_eq!(decide(&by_account, Some(&[("team", "b")])), no_match);
    assert_eq!(decide(&by_account, Some(&[])), no_match);
    let unknown = (Outcome::Passes, Reason::NoMatch, Some(Reason::ServiceAccountUnknown));
    assert_eq!(decide(&by_account, None), unknown);
    // Neither is one without a label known, so that it is not among those that lack it.
    by_account.r#match.service_account_selector = LabelSelector {
        match_expressions: vec![Requirement {
            key: "team".to_owned(),
            operator: SelectorOperator::DoesNotExist,
            values: Vec::new(),
        }],
        ..LabelSelector::default()
    };
    assert_eq!(decide(&by_account, Some(&[])), (Outcome::Applies, Reason::Always, None));
    assert_eq!(decide(&by_account, None), unknown);
    // Whom the document is not for anyway is not told.
    by_account.mode = Mode::OptIn;
    assert_eq!(decide(&by_account, None), (Outcome::Passes, Reason::OptedOutByDefault, None));
    assert_eq!(decide(&selection(Mode::Always), None), (Outcome::Applies, Reason::Always, None));
}

proptest! {
    #[test]
    fn what_a_namespace_rules_out_the_table_rules_out_too(
        mode in prop_oneof![Just(Mode::Always), Just(Mode::OptOut), Just(Mode::OptIn), Just(Mode::Disabled)],
        label in maybe_choice(),
        annotation in maybe_choice(),
        namespace in maybe_choice(),
        is_selected_by_namespace in any::<bool>(),
        is_selected_by_label in any::<bool>(),
    ) {
        let mut selection = selection(mode);
        let only_true = || LabelSelector {
            match_labels: BTreeMap::from([(KEY.to_owned(), "true".to_owned())]),
            ..LabelSelector::default()
        };
        if is_selected_by_namespace {
            selection.r#match.namespace_selector = only_true();
        }
        if is_selected_by_label {
            selection.r#match.pod_selector = only_true();
        }
        let is_possible = match selection.relevance(|key| namespace.filter(|_| key == KEY)) {
            Relevance::Never => false,
            Relevance::Always => true,
            Relevance::WithLabel(key, value) => key == KEY && label == Some(value),
            Relevance::WithAnyKey(_) => label.is_some() || annotation.is_some(),
        };
        let decision = decide(&selection, &pod(label, annotation), namespace);
        let says_something = decision.outcome != Outcome::Passes || decision.warning.is_some();
        prop_assert!(is_possible || !says_something, "{decision:?}");
    }
}
