//! Sidecars in proportion to the pod's own containers, and what documents cannot say.

use serde_json::{Value, json};

use super::{Case, one_container};
use crate::engine::mutation::document::{LimitRangeSafety, OnConflict, Sidecar};
use crate::engine::mutation::resources::SidecarResources;
use crate::engine::object::Quantity;

fn percent(more: Value) -> Value {
    let mut sidecar = json!({"resources": {
        "requests": {"cpu": {"percent": 5, "min": "10m", "max": "500m", "round": "5m"}, "memory": {"percent": 5, "min": "32Mi"}},
        "limits": {"cpu": {"fromRequest": 4}, "memory": {"fromRequest": 1}},
    }});
    more.as_object().expect("an object").iter().for_each(|(key, value)| sidecar[key] = value.clone());
    sidecar
}

fn several() -> Value {
    json!({
        "initContainers": [
            {"name": "heavy", "resources": {"requests": {"cpu": "8"}}},
            {"name": "agent", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
        ],
        "containers": [
            {"name": "a", "resources": {"limits": {"cpu": "1010m", "nvidia.com/gpu": "1"}}},
            {"name": "b"},
            {"name": "c", "resources": {"requests": {"cpu": "1"}}},
            {"name": "istio-proxy", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}},
            {"name": "ours", "resources": {"requests": {"cpu": "7"}}},
        ],
    })
}

fn had(more: Value) -> Value {
    let mut case = Case::new(several(), percent(more));
    case.ours = vec!["ours".to_owned()];
    case.had().resources
}

#[test]
fn e4_a_sum_counts_what_is_asked_for_and_leaves_ours_out() {
    let without = json!({"containers": {"exclude": ["istio-*"]}});
    // 5 % of 2010m are 100.5m, which the next multiple of 5m is above.
    let resources = had(json!({"proportion": without}));
    assert_eq!(resources["requests"], json!({"cpu": "105m", "memory": "32Mi"}));
    assert_eq!(resources["limits"], json!({"cpu": "420m", "memory": "32Mi"}));
    assert_eq!(had(json!({}))["requests"]["cpu"], "155m");
    assert_eq!(had(json!({"proportion": {"nativeSidecars": true}}))["requests"]["cpu"], "205m");
    assert_eq!(had(json!({"proportion": {"of": "Max"}}))["requests"]["cpu"], "55m");
    assert_eq!(had(json!({}))["requests"]["memory"], "53687092", "1Gi is 53687091.2 times 20");
}

#[test]
fn e4_where_nobody_asks_the_document_says_what_happens() {
    let spec = || one_container(json!({"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}));
    let had = Case::new(spec(), percent(json!({}))).had();
    assert_eq!(had.resources["requests"], json!({"cpu": "10m", "memory": "32Mi"}));
    assert!(had.codes().contains(&"no_amount_known"));
    let had = Case::new(spec(), percent(json!({"proportion": {"onUnknown": "Omit"}}))).had();
    assert!(had.resources.is_null());
    let skipped = Case::new(spec(), percent(json!({"proportion": {"onUnknown": "Skip"}}))).conflict();
    assert_eq!(skipped.reason.code(), "no_amount_known");
}

#[test]
fn e7_an_override_changes_one_amount_and_never_makes_a_broken_pair() {
    let sidecar: Sidecar = serde_json::from_value(json!({"container": {"name": "s"}, "resources": {
        "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}}))
    .expect("a sidecar");
    let compiled =
        SidecarResources::compile("p", &sidecar, LimitRangeSafety::Clamp, OnConflict::Deny).expect("no flaw");
    let quantity = |text| Quantity::parse(text).expect("a quantity");
    let raised = compiled.clone().with_request("cpu", quantity("300m"));
    let pod = crate::engine::mutation::Node::new(r#"{"spec":{"containers":[]}}"#);
    let world = crate::engine::mutation::World::default();
    let mut plan = crate::engine::mutation::Plan {
        pod,
        world: &world,
        own_containers: Vec::new(),
        notes: Vec::new(),
        reserved: Default::default(),
    };
    let mut resources = |sidecar: &SidecarResources| {
        let json = super::for_sidecar(&mut plan, "d", sidecar, super::ContainerPlace::Container).expect("no conflict");
        serde_json::from_str::<Value>(&json.expect("resources")).expect("JSON")
    };
    assert_eq!(
        resources(&raised),
        json!({"requests": {"cpu": "300m", "memory": "64Mi"}, "limits": {"cpu": "300m", "memory": "64Mi"}})
    );
    let lowered = json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}});
    assert_eq!(resources(&compiled.clone().with_limit("cpu", quantity("50m"))), lowered);
    assert_eq!(resources(&compiled.with_limit("cpu", quantity("150m")))["limits"]["cpu"], "150m");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let flaws = |resources: Value| {
        let sidecar: Sidecar =
            serde_json::from_value(json!({"container": {"name": "s"}, "resources": resources})).expect("a sidecar");
        let compiled =
            SidecarResources::compile("spec.add.containers[0]", &sidecar, LimitRangeSafety::Clamp, OnConflict::Deny);
        compiled.expect_err("flaws").iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let cases = [
        (json!({"requests": {"cpu": "300m\n image: evil"}}), "requests.cpu: \"300m\\n image: evil\" is no quantity"),
        (json!({"requests": {"cpu": "1e99"}}), "requests.cpu: \"1e99\" is more than any resource can be"),
        (json!({"requests": {"cpu": "-1"}}), "requests.cpu: must not be negative"),
        (json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}), "limits.cpu: is 1, below the request of 2"),
        (json!({"requests": {"cpu": {"percent": 5}}}), "requests.cpu.min: must be given"),
        (json!({"limits": {"cpu": {"percent": 5}}}), "limits.cpu.percent: there is nothing here"),
        (json!({"limits": {"cpu": {"fromLimit": 1}}}), "limits.cpu.fromLimit: is for requests"),
        (json!({"limits": {"cpu": {"fromRequest": "0.5"}}}), "limits.cpu.fromRequest: below 1"),
        (json!({"limits": {"cpu": {"fromRequest": 1, "percent": 2}}}), "limits.cpu: must have one of"),
        (json!({"limits": {"cpu": {}}}), "limits.cpu: must have one of"),
        (
            json!({"requests": {"cpu": {"fromLimit": 1}}, "limits": {"cpu": {"fromRequest": 2}}}),
            "limits.cpu: follows from",
        ),
        (json!({"requests": {"nvidia.com/gpu": {"percent": 5, "min": 1}}}), "requests[nvidia.com/gpu]: of a resource"),
        (json!({"requests": {"nvidia.com/gpu": 1}}), "requests[nvidia.com/gpu]: needs a limit"),
        (json!({"requests": {"cpu": {"percent": 5, "min": "2", "max": "1"}}}), "requests.cpu.max: is 1, below min, 2"),
        (
            json!({"requests": {"cpu": {"percent": 0, "min": "2"}}}),
            "requests.cpu.percent: \"0\" is no positive decimal",
        ),
        (
            json!({"requests": {"cpu": {"percent": 1, "min": "2", "round": 0}}}),
            "requests.cpu.round: must be above zero",
        ),
    ];
    for (resources, expected) in cases {
        let found = flaws(resources);
        assert!(found.starts_with(&format!("spec.add.containers[0].resources.{expected}")), "{found}");
    }
}
