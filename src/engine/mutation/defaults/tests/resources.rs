//! Requests and limits.

use serde_json::{Value, json};

use super::{LimitRange, World, run, run_in, run_online, run_template, world};
use crate::engine::mutation::Weight;

fn asks(cpu: &str, memory: &str) -> Value {
    json!({"requests": {"cpu": cpu, "memory": memory}})
}

fn defaults(more: Value) -> Value {
    let mut resources = json!({"containers": asks("200m", "64Mi"), "initContainers": asks("10m", "32Mi")});
    resources["containers"]["limits"] = json!({"cpu": "500m", "memory": {"fromRequest": 2}});
    more.as_object().expect("an object").iter().for_each(|(key, value)| resources[key] = value.clone());
    json!({"resources": resources})
}

fn one(resources: Value) -> Value {
    json!({"containers": [{"name": "app", "image": "a:1", "resources": resources}]})
}

#[test]
fn what_is_unset_is_set_and_what_is_set_stays() {
    let spec = json!({
        "containers": [{"name": "a", "image": "a"}, {"name": "b", "image": "b", "resources": {"requests": {"memory": "1073741824"}}}],
        "initContainers": [{"name": "i", "image": "i"}],
    });
    let outcome = run_online(defaults(json!({})), spec);
    let all = json!({"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}});
    assert_eq!(outcome.container(0)["resources"], all);
    assert_eq!(
        outcome.container(1)["resources"],
        json!({"requests": {"cpu": "200m", "memory": "1073741824"}, "limits": {"cpu": "500m", "memory": "2Gi"}})
    );
    assert_eq!(outcome.spec()["initContainers"][0]["resources"], asks("10m", "32Mi"));
    assert!(outcome.codes().is_empty(), "a Burstable pod stays one");
    let best_effort = run_online(defaults(json!({})), one(json!({})));
    assert_eq!(best_effort.codes(), ["qos_best_effort_to_burstable"]);
}

#[test]
fn e6_a_request_above_the_default_limit_does_what_the_document_says() {
    let run = |above: &str| {
        let spec = defaults(json!({"requestAboveDefaultLimit": above}));
        run_in(&spec, &json!({"spec": one(json!({"requests": {"cpu": "2"}}))}), &world(), &[])
    };
    let raised = run("RaiseLimit").expect("no conflict");
    assert_eq!(raised.container(0)["resources"]["limits"]["cpu"], "2");
    let omitted = run("OmitLimit").expect("no conflict");
    assert_eq!(omitted.container(0)["resources"]["limits"], json!({"memory": "128Mi"}));
    let denied = run("Deny").expect_err("a conflict");
    assert_eq!((denied.reason.code(), denied.weight), ("request_above_default_limit", Weight::Denied));
    assert_eq!(denied.about, r#"container "app", cpu"#);
}

#[test]
fn e6_a_limit_of_a_template_is_the_request_too() {
    let outcome = run_template(defaults(json!({})), json!({"spec": one(json!({"limits": {"cpu": "100m"}}))}));
    assert_eq!(outcome.container(0)["resources"]["requests"]["cpu"], "100m");
    assert_eq!(outcome.container(0)["resources"]["limits"]["cpu"], "100m");
    let low = run(defaults(json!({})), one(json!({"limits": {"cpu": "300m"}})));
    assert_eq!(low.container(0)["resources"]["requests"]["cpu"], "300m", "as the API server would have it");
}

#[test]
fn e9_containers_with_other_resources_get_cpu_and_memory_and_nothing_else() {
    let huge = json!({"requests": {"hugepages-2Mi": "4Mi"}, "limits": {"hugepages-2Mi": "4Mi"}});
    let outcome = run_online(defaults(json!({})), one(huge));
    assert_eq!(
        outcome.container(0)["resources"]["requests"],
        json!({"hugepages-2Mi": "4Mi", "cpu": "200m", "memory": "64Mi"})
    );
    let storage = run_online(defaults(json!({})), one(json!({"requests": {"ephemeral-storage": "1Gi"}})));
    assert_eq!(storage.container(0)["resources"]["limits"], json!({"cpu": "500m", "memory": "128Mi"}));
}

#[test]
fn init_containers_can_be_in_proportion_to_the_containers() {
    let spec = json!({"resources": {
        "containers": asks("200m", "64Mi"),
        "initContainers": {"requests": {"cpu": {"percent": 50, "min": "20m"}, "ephemeral-storage": {"percent": 1}}},
    }});
    let pod = json!({"containers": [{"name": "a"}, {"name": "b", "resources": {"requests": {"cpu": "1"}}}],
                     "initContainers": [{"name": "i"}]});
    let outcome = run(spec, pod);
    assert_eq!(outcome.spec()["initContainers"][0]["resources"], json!({"requests": {"cpu": "600m"}}));
}

#[test]
fn pods_and_containers_are_left_alone_as_the_document_says() {
    let skip = |what: &str| defaults(json!({"skipWhen": [what]}));
    let gpu = json!({"limits": {"nvidia.com/gpu": 1}});
    assert_eq!(run(skip("ExtendedResources"), one(gpu.clone())).container(0)["resources"], gpu);
    assert_eq!(run(defaults(json!({})), one(gpu)).container(0)["resources"]["requests"]["cpu"], "200m");
    let watched = json!({"metadata": {"annotations": {"vpaObservedContainers": "app"}}, "spec": one(json!({}))});
    let outcome = run_in(&skip("VpaManaged"), &watched, &world(), &[]).expect("no conflict");
    assert_eq!(outcome.pod, watched);
    let mut own = one(json!({}));
    own["resources"] = json!({"requests": {"cpu": "1"}});
    assert_eq!(run(skip("PodLevelResources"), own.clone()).spec(), &own);
    let outcome = run(defaults(json!({})), own.clone());
    assert_eq!(outcome.container(0)["resources"]["requests"]["cpu"], "200m", "it fits in");
}

#[test]
fn a_pods_own_resources_are_never_overrun_and_its_class_stays() {
    for own in [json!({"requests": {"cpu": "100m"}}), json!({"limits": {"cpu": "1", "memory": "1Gi"}})] {
        let mut spec = one(json!({}));
        spec["resources"] = own;
        let outcome = run(defaults(json!({})), spec.clone());
        assert_eq!(outcome.spec(), &spec);
        assert_eq!(outcome.codes(), ["pod_level_does_not_fit"]);
    }
}

#[test]
fn guaranteed_pods_are_made_of_what_there_is() {
    let spec = |more: Value| {
        let mut spec = defaults(json!({"guaranteed": true}));
        more.as_object().expect("an object").iter().for_each(|(key, value)| spec[key] = value.clone());
        spec
    };
    let pod = json!({
        "containers": [{"name": "a"}, {"name": "b", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}],
        "initContainers": [{"name": "i", "resources": {"limits": {"cpu": "0.5", "memory": "1Gi"}}}],
    });
    let outcome = run_online(spec(json!({})), pod);
    let both = |cpu: &str, memory: &str| json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}});
    assert_eq!(outcome.container(0)["resources"], both("200m", "64Mi"));
    assert_eq!(outcome.container(1)["resources"], both("1", "1Gi"));
    assert!(!outcome.codes().contains(&"not_guaranteed"));
    let uneven = one(json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}));
    let outcome = run_online(spec(json!({})), uneven.clone());
    assert!(outcome.notes.iter().any(|note| note.reason.code() == "not_guaranteed" && note.weight == Weight::Warning));
    let denied = run_in(&spec(json!({"onConflict": "Deny"})), &json!({"spec": uneven}), &world(), &[]);
    assert_eq!(denied.expect_err("a conflict").weight, Weight::Denied);
}

#[test]
fn defaults_stay_within_the_limit_range() {
    let limits =
        r#"[{"type":"Container","max":{"cpu":"300m"},"maxLimitRequestRatio":{"memory":"1"},"min":{"cpu":"250m"}}]"#;
    let world = World { limit_ranges: vec![LimitRange { name: "narrow", limits }], ..world() };
    let run = |resources: Value| {
        run_in(&defaults(json!({})), &json!({"spec": one(resources)}), &world, &[]).expect("no conflict")
    };
    let outcome = run(json!({}));
    assert_eq!(
        outcome.container(0)["resources"],
        json!({"requests": {"cpu": "250m", "memory": "128Mi"}, "limits": {"cpu": "300m", "memory": "128Mi"}})
    );
    let fixed = run(json!({"requests": {"cpu": "50m"}}));
    assert_eq!(
        fixed.container(0)["resources"]["limits"],
        json!({"memory": "128Mi"}),
        "the user's request is out of bounds"
    );
    let about = |code: &str| -> Vec<String> {
        fixed.notes.iter().filter(|note| note.reason.code() == code).map(|note| note.about.clone()).collect()
    };
    assert_eq!(about("limit_range_infeasible"), [r#"container "app", cpu, LimitRange "narrow""#]);
    let world = World {
        limit_ranges: vec![LimitRange { name: "pods", limits: r#"[{"type":"Pod","max":{"cpu":"1"}}]"# }],
        ..world
    };
    let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}});
    let outcome = run_in(&defaults(json!({})), &pod, &world, &[]).expect("no conflict");
    assert_eq!((outcome.pod == pod, outcome.codes()), (true, vec!["limit_range_infeasible"]), "three times 500m");
    assert_eq!(outcome.notes[0].about, r#"pod, LimitRange "pods""#);
}

#[test]
fn what_is_ours_or_not_named_is_left_alone() {
    let spec = defaults(json!({"names": {"exclude": ["istio-*"]}}));
    let pod = json!({"spec": {"containers": [{"name": "ours"}, {"name": "istio-proxy"}, {"name": "app"}]}});
    let outcome = run_in(&spec, &pod, &world(), &["ours"]).expect("no conflict");
    assert_eq!(
        (outcome.container(0), outcome.container(1)),
        (&json!({"name": "ours"}), &json!({"name": "istio-proxy"}))
    );
    assert_eq!(outcome.container(2)["resources"]["requests"]["cpu"], "200m");
}

#[test]
fn a_users_spelling_is_never_rewritten() {
    let resources = json!({"requests": {"cpu": 0.5, "memory": "1.5Gi"}, "limits": {"cpu": "1000m", "memory": 2e9}});
    assert_eq!(run(defaults(json!({})), one(resources.clone())).container(0)["resources"], resources);
}
