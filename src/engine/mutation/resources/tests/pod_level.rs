//! Sidecars in pods that have resources of their own.

use serde_json::{Value, json};

use super::{Case, ContainerPlace, both};
use crate::engine::mutation::resources::{QosClass, class_of};
use crate::engine::mutation::{Node, Weight};

fn pod(own: Value) -> Value {
    json!({"resources": own, "containers": [{"name": "app", "resources": {"requests": {"cpu": "700m"}}}],
           "initContainers": [{"name": "heavy", "resources": {"requests": {"cpu": "900m"}}}]})
}

fn sidecar(more: Value) -> Value {
    let mut sidecar = json!({"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m"}}});
    more.as_object().expect("an object").iter().for_each(|(key, value)| sidecar[key] = value.clone());
    sidecar
}

#[test]
fn e3_the_pods_own_resources_grow_by_what_it_needs_and_stay_equal() {
    let had = Case::new(pod(both("1", "1Gi")), sidecar(json!({}))).had();
    // The native sidecar runs beside `heavy`, so that it counts in full.
    assert_eq!(had.pod["spec"]["resources"], both("1100m", "1088Mi"));
    assert_eq!(had.resources["limits"], json!({"cpu": "200m"}));
    let after = Case::new(pod(both("1", "1Gi")), sidecar(json!({}))).at(ContainerPlace::Native { index: 1 }).had();
    assert_eq!(after.pod["spec"]["resources"], both("1", "1088Mi"), "after `heavy` nothing more is needed");
    assert_eq!(class_of(&Node::new(after.pod.to_string())), QosClass::Guaranteed);
}

#[test]
fn e3_requests_that_followed_from_the_limits_are_written_down() {
    let spec = json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}, "containers": [{"name": "app"}]});
    let had = Case::new(spec.clone(), sidecar(json!({}))).had();
    assert_eq!(had.pod["spec"]["resources"], both("1100m", "1088Mi"));
    let fits = Case::new(spec, sidecar(json!({"podLevel": "Fit"}))).had();
    assert_eq!(fits.pod["spec"]["resources"], both("1", "1Gi"));
}

#[test]
fn e3_a_pod_whose_limit_is_above_its_request_grows_on_both_sides() {
    let own = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}});
    let had = Case::new(pod(own), sidecar(json!({}))).had();
    assert_eq!(had.pod["spec"]["resources"], json!({"requests": {"cpu": "1100m"}, "limits": {"cpu": "2200m"}}));
}

#[test]
fn e3_a_pod_that_has_grown_before_does_not_grow_again() {
    let mut spec = pod(both("1100m", "1088Mi"));
    spec["initContainers"]
        .as_array_mut()
        .expect("a list")
        .insert(0, json!({"name": "sidecar", "restartPolicy": "Always"}));
    let had = Case::new(spec.clone(), sidecar(json!({}))).had();
    assert_eq!(had.pod["spec"], spec);
}

#[test]
fn e3_what_has_to_fit_in_and_does_not_conflicts() {
    let large = json!({"resources": {"requests": {"cpu": "2"}}, "podLevel": "Fit"});
    let conflict = Case::new(pod(both("1", "1Gi")), large).conflict();
    assert_eq!((conflict.reason.code(), &*conflict.about), ("pod_level_does_not_fit", r#"container "sidecar", cpu"#));
    let limit = json!({"resources": {"requests": {"cpu": "1m"}, "limits": {"cpu": "2"}}, "podLevel": "Fit"});
    assert_eq!(Case::new(pod(both("1", "1Gi")), limit).conflict().weight, Weight::Denied);
    let fits = Case::new(pod(both("1", "1Gi")), sidecar(json!({"podLevel": "Fit"}))).had();
    assert_eq!(fits.pod["spec"]["resources"], both("1", "1Gi"));
}

#[test]
fn e3_omit_leaves_both_alone() {
    let had = Case::new(pod(both("1", "1Gi")), sidecar(json!({"podLevel": "Omit"}))).had();
    assert!(had.resources.is_null());
    assert_eq!(had.pod["spec"], pod(both("1", "1Gi")));
}

#[test]
fn e3_a_windows_pod_cannot_have_resources_of_its_own_so_it_is_skipped() {
    let mut spec = pod(both("1", "1Gi"));
    spec["os"] = json!({"name": "windows"});
    assert_eq!(Case::new(spec, sidecar(json!({}))).conflict().weight, Weight::Skipped);
}

#[test]
fn e3_the_pod_does_not_grow_beyond_the_namespaces_maximum() {
    let limits = json!([{"type": "Pod", "max": {"cpu": "1"}}]);
    let conflict = Case::new(pod(both("1", "1Gi")), sidecar(json!({}))).under(limits).conflict();
    assert_eq!(
        (conflict.reason.code(), &*conflict.about),
        ("limit_range_infeasible", r#"spec.resources, LimitRange "first""#)
    );
}

#[test]
fn a_plain_container_is_never_limited_to_more_than_its_pod() {
    let wide = json!({"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "4"}}});
    let had = Case::new(json!({"resources": both("1", "1Gi"), "containers": [{"name": "a"}]}), wide)
        .at(ContainerPlace::Container)
        .had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "1100m"}}));
}
