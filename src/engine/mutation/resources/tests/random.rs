//! Random sidecars in random pods: the class is kept, bounds hold, and what a pod has of its own covers what its containers ask for.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Case, ContainerPlace, both};
use crate::engine::mutation::document::OnConflict;
use crate::engine::mutation::resources::{
    LimitRanges, Load, Pair, PodLevelResources, QosClass, Requirements, Side, class_of,
};
use crate::engine::mutation::{LimitRange, Node};

fn amounts() -> impl Strategy<Value = Value> {
    let one_side = json!({"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}});
    select(vec![
        json!({}),
        both("1", "1Gi"),
        both("250m", "64Mi"),
        one_side,
        json!({"requests": {"cpu": "1", "memory": "10Mi"}}),
    ])
}

fn pod() -> impl Strategy<Value = Value> {
    let own = select(vec![
        Value::Null,
        both("4", "4Gi"),
        json!({"limits": {"cpu": "4", "memory": "4Gi"}}),
        json!({"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}),
    ]);
    let containers = prop::collection::vec(amounts(), 1..4);
    let inits = prop::collection::vec((amounts(), any::<bool>()), 0..3);
    (containers, inits, own, any::<bool>()).prop_map(|(containers, inits, own, is_even)| {
        let resources = |resources: &Value| if is_even { both("250m", "64Mi") } else { resources.clone() };
        let containers = containers.iter().enumerate();
        let containers: Vec<Value> = containers
            .map(|(index, found)| json!({"name": format!("c{index}"), "resources": resources(found)}))
            .collect();
        let inits = inits.iter().enumerate().map(|(index, (found, is_native))| {
            let mut init = json!({"name": format!("i{index}"), "resources": resources(found)});
            if *is_native {
                init["restartPolicy"] = json!("Always");
            }
            init
        });
        json!({"containers": containers, "initContainers": inits.collect::<Vec<_>>(), "resources": own})
    })
}

fn sidecar() -> impl Strategy<Value = Value> {
    let request = select(vec![json!("20m"), json!("1"), json!({"percent": 10, "min": "10m", "round": "5m"})]);
    let limit = select(vec![Value::Null, json!("2"), json!({"fromRequest": 3})]);
    let memory = select(vec![json!({}), json!({"memory": "33Mi"})]);
    let qos = select(vec!["Preserve", "PreserveFromLimits", "Strict"]);
    (request, limit, memory, qos, select(vec!["Extend", "Fit"])).prop_map(|(request, limit, memory, qos, pod_level)| {
        let mut requests = memory;
        requests["cpu"] = request;
        let limits = if limit.is_null() { json!({}) } else { json!({"cpu": limit}) };
        json!({"resources": {"requests": requests, "limits": limits}, "qos": qos, "podLevel": pod_level})
    })
}

fn limits() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(select(vec![
        json!([{"type": "Container", "min": {"cpu": "50m"}, "max": {"cpu": "1500m"}, "maxLimitRequestRatio": {"cpu": "2"}}]),
        json!([{"type": "Container", "max": {"memory": "1Gi"}}, {"type": "Pod", "max": {"cpu": "5"}}]),
    ]))
}

/// The pod with the sidecar in its place.
fn with_sidecar(pod: &Value, resources: &Value, place: ContainerPlace) -> Value {
    let mut pod = pod.clone();
    let mut sidecar = json!({"name": "sidecar", "resources": resources});
    let (list, index) = match place {
        ContainerPlace::Container => ("containers", usize::MAX),
        ContainerPlace::Init { index } => ("initContainers", index),
        ContainerPlace::Native { index } => {
            sidecar["restartPolicy"] = json!("Always");
            ("initContainers", index)
        }
    };
    let list = pod["spec"][list].as_array_mut().expect("a list");
    list.insert(index.min(list.len()), sidecar);
    pod
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_sidecar_keeps_what_the_pod_was(
        pod in pod(), sidecar in sidecar(), limits in limits(), kind in 0..3, index in 0..3_usize,
    ) {
        let place = [ContainerPlace::Container, ContainerPlace::Native { index }, ContainerPlace::Init { index }][kind as usize];
        let mut case = Case::new(pod, sidecar).at(place);
        case.limit_ranges.extend(limits);
        case.on_conflict = OnConflict::Deny;
        let Ok(had) = case.run() else { return Ok(()) };
        let before = Node::new(case.pod.to_string());
        let after = with_sidecar(&had.pod, &had.resources, place);
        let tree = Node::new(after.to_string());
        if class_of(&before) == QosClass::Guaranteed {
            prop_assert_eq!(class_of(&tree), QosClass::Guaranteed, "{}", after);
        }
        if let Some(own) = PodLevelResources::of(&tree) {
            let requests = own.defaulted().requests;
            for (resource, asked) in Load::of(&tree, Side::Requests, |_| false).total() {
                let was = Load::of(&before, Side::Requests, |_| false).total().remove(&resource).unwrap_or_default();
                prop_assert!(requests.get(&resource).is_none_or(|most| asked <= *most || asked == was), "{after}");
            }
        }
        let texts: Vec<String> = case.limit_ranges.iter().map(Value::to_string).collect();
        let ranges = LimitRanges::read(&texts.iter().map(|limits| LimitRange { name: "l", limits }).collect::<Vec<_>>());
        let filled = ranges.filled(&Requirements::written_in(&Node::new(json!({"resources": had.resources}).to_string())));
        for (resource, bounds) in &ranges.containers {
            prop_assert!(bounds.allow(Pair::of(&filled, resource)), "{filled:?}");
        }
        for resource in filled.limits.keys() {
            prop_assert!(filled.requests[resource] <= filled.limits[resource], "{filled:?}");
        }
    }
}
