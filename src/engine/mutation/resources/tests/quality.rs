//! What a sidecar does to the class of a pod.

use serde_json::json;

use super::{Case, ContainerPlace, both, one_container};
use crate::engine::mutation::Weight;
use crate::engine::mutation::document::OnConflict;

fn uneven() -> serde_json::Value {
    json!({"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}})
}

#[test]
fn e1_a_guaranteed_pod_stays_one() {
    let spec = json!({
        "containers": [{"name": "a", "resources": both("1", "1Gi")}, {"name": "b", "resources": both("500m", "64Mi")}],
        "initContainers": [{"name": "i", "resources": both("100m", "64Mi")}],
    });
    let had = Case::new(spec.clone(), json!({"resources": uneven()})).had();
    assert_eq!(had.resources, both("50m", "32Mi"));
    assert_eq!(had.codes(), ["effective_requests"]);
    let had = Case::new(spec.clone(), json!({"resources": uneven(), "qos": "PreserveFromLimits"})).had();
    assert_eq!(had.resources, both("200m", "64Mi"));
    let one_side =
        json!({"resources": {"limits": {"cpu": "10m"}, "requests": {"memory": "1Mi", "ephemeral-storage": "1Gi"}}});
    let had = Case::new(spec.clone(), one_side).at(ContainerPlace::Init { index: 1 }).had();
    assert_eq!(had.resources["requests"], json!({"cpu": "10m", "memory": "1Mi", "ephemeral-storage": "1Gi"}));
    assert_eq!(had.resources["limits"], json!({"cpu": "10m", "memory": "1Mi"}));
    let none = Case::new(spec.clone(), json!({"resources": {"requests": {"cpu": "10m"}}})).conflict();
    assert_eq!(none.reason.code(), "qos_would_change");
    assert_eq!(none.about, r#"container "sidecar", which asks for no memory"#);
    let had = Case::new(spec, json!({"resources": uneven(), "qos": "AllowDowngrade"})).had();
    assert_eq!(had.resources, uneven());
    assert!(had.codes().contains(&"qos_would_change"));
}

#[test]
fn e1_an_init_container_that_says_nothing_gets_what_the_pod_has_to_spare() {
    let spec = || {
        json!({
            "containers": [{"name": "a", "resources": both("1", "1Gi")}, {"name": "b", "resources": both("500m", "64Mi")}],
            "initContainers": [{"name": "agent", "restartPolicy": "Always", "resources": both("200m", "32Mi")}],
        })
    };
    let nothing = || json!({"container": {"name": "sidecar"}});
    let first = Case::new(spec(), nothing()).at(ContainerPlace::Init { index: 0 }).had();
    assert_eq!(first.resources, both("1700m", "1120Mi"), "alone, it may have what all will have");
    let beside = Case::new(spec(), nothing()).at(ContainerPlace::Init { index: 1 }).had();
    assert_eq!(beside.resources, both("1500m", "1088Mi"), "beside the native sidecar");
    assert!(beside.codes().is_empty(), "the pod does not grow, and cores are not kept: {:?}", beside.codes());
    let limits = json!([{"type": "Container", "max": {"cpu": "600m"}}]);
    let clamped = Case::new(spec(), nothing()).at(ContainerPlace::Init { index: 1 }).under(limits).had();
    assert_eq!(clamped.resources, both("600m", "1088Mi"));
    let mut again = spec();
    again["containers"].as_array_mut().expect("a list").push(json!({"name": "ours", "resources": both("1", "1Gi")}));
    let mut again = Case::new(again, nothing()).at(ContainerPlace::Init { index: 1 });
    again.ours = vec!["ours".to_owned()];
    assert_eq!(again.had().resources, both("1500m", "1088Mi"), "what is ours does not count");
    let half = json!({"resources": {"requests": {"cpu": "10m"}}});
    let half = Case::new(spec(), half).at(ContainerPlace::Init { index: 1 }).had();
    assert_eq!(half.resources, both("10m", "1088Mi"));
    let burstable = one_container(json!({"requests": {"cpu": "1"}}));
    assert!(Case::new(burstable, nothing()).at(ContainerPlace::Init { index: 0 }).had().resources.is_null());
    let lasting = Case::new(spec(), nothing()).at(ContainerPlace::Container).conflict();
    assert_eq!(lasting.reason.code(), "qos_would_change");
}

#[test]
fn e1_what_is_ours_already_does_not_make_a_guaranteed_pod_less() {
    let spec =
        json!({"containers": [{"name": "a", "resources": both("1", "1Gi")}, {"name": "sidecar"}, {"name": "ours"}]});
    let mut case = Case::new(spec, json!({"resources": uneven()}));
    case.ours = vec!["ours".to_owned()];
    assert_eq!(case.had().resources, both("50m", "32Mi"));
}

#[test]
fn e2_a_best_effort_pod_becomes_burstable_unless_the_document_is_strict() {
    let spec = || one_container(json!({}));
    let had = Case::new(spec(), json!({"resources": uneven()})).had();
    assert_eq!(had.resources, uneven());
    assert!(had.codes().contains(&"qos_best_effort_to_burstable"));
    let had = Case::new(spec(), json!({"resources": uneven(), "qos": "Strict"})).had();
    assert_eq!((had.resources.is_null(), had.codes().is_empty()), (true, true));
    let strict = Case::new(spec(), json!({"resources": uneven(), "qos": "Strict"}));
    let conflict = strict.under(json!([{"type": "Container", "max": {"cpu": "1"}}])).conflict();
    assert_eq!(conflict.reason.code(), "qos_would_change");
    let denied = Case::new(spec(), json!({"resources": uneven(), "qos": "Deny"})).conflict();
    assert_eq!((denied.reason.code(), denied.weight), ("qos_would_change", Weight::Denied));
}

#[test]
fn a_burstable_pod_takes_what_the_document_says() {
    let had =
        Case::new(one_container(json!({"requests": {"cpu": "1"}})), json!({"resources": uneven(), "qos": "Deny"}))
            .had();
    assert_eq!(had.resources, uneven());
}

#[test]
fn e8_the_growth_of_the_pod_is_reported() {
    let spec = json!({"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]});
    let sidecar = json!({"resources": {"requests": {"cpu": "300m"}, "limits": {"memory": "64Mi"}}});
    let had = Case::new(spec.clone(), sidecar.clone()).at(ContainerPlace::Init { index: 0 }).had();
    assert_eq!(had.about("effective_requests"), r#"container "sidecar", cpu +0, memory +64Mi"#);
    let had = Case::new(spec.clone(), sidecar).had();
    assert_eq!(had.about("effective_requests"), r#"container "sidecar", cpu +300m, memory +64Mi"#);
    let within = json!({"resources": {"requests": {"cpu": "300m"}}});
    let had = Case::new(spec, within).at(ContainerPlace::Init { index: 0 }).had();
    assert_eq!(had.codes(), Vec::<&str>::new());
}

#[test]
fn e10_whole_cpus_in_a_guaranteed_pod_are_warned_of() {
    let had = Case::new(one_container(both("1", "1Gi")), json!({"resources": both("1000m", "64Mi")})).had();
    assert!(had.notes.iter().any(|note| note.reason.code() == "integral_cpu" && note.weight == Weight::Warning));
}

#[test]
fn a_conflict_that_is_a_mere_warning_lets_the_sidecar_in() {
    let mut case = Case::new(one_container(both("1", "1Gi")), json!({"resources": {"requests": {"cpu": "10m"}}}));
    case.on_conflict = OnConflict::Warn;
    let had = case.had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "10m"}}));
    assert!(had.notes.iter().any(|note| note.weight == Weight::Warning));
}

#[test]
fn what_else_the_containers_resources_say_stays() {
    let container =
        json!({"name": "s", "resources": {"requests": {"cpu": 0.5}, "claims": [{"name": "c"}], "future": 1}});
    let had = Case::new(one_container(json!({})), json!({"container": container})).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "500m"}, "claims": [{"name": "c"}], "future": 1}));
}
