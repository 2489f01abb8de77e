//! Classes and effective requests, case by case as upstream's functions have them.

use serde_json::{Value, json};

use super::both;
use crate::engine::mutation::Node;
use crate::engine::mutation::resources::{ContainerPlace, Load, QosClass, Side, class_of};
use crate::engine::object::Quantity;

fn class(spec: &Value) -> QosClass {
    class_of(&Node::new(json!({"spec": spec}).to_string()))
}

#[test]
fn the_class_is_upstreams() {
    use QosClass::{BestEffort, Burstable, Guaranteed};
    let full = both("1", "1Gi");
    let limits_only = json!({"limits": {"cpu": "500m", "memory": "1Gi"}});
    let spelled =
        json!({"requests": {"cpu": "0.5", "memory": 1_073_741_824}, "limits": {"cpu": "500m", "memory": "1Gi"}});
    let cases = [
        (json!({"containers": [{"resources": full}]}), Guaranteed),
        (json!({"containers": [{"resources": spelled}]}), Guaranteed),
        (json!({"containers": [{"resources": limits_only}]}), Guaranteed),
        (json!({"containers": [{"resources": full}, {}]}), Burstable),
        (json!({"containers": [{"resources": full}], "initContainers": [{}]}), Burstable),
        (json!({"containers": [{"resources": full}], "initContainers": [{"resources": full}]}), Guaranteed),
        (json!({"containers": [{"resources": full}], "ephemeralContainers": [{}]}), Guaranteed),
        (json!({"containers": [{}, {"resources": {}}]}), BestEffort),
        (json!({"containers": [{"resources": {"requests": {"cpu": "0"}}}]}), BestEffort),
        (json!({"containers": [{"resources": {"requests": {"ephemeral-storage": "1Gi"}}}]}), BestEffort),
        (json!({"containers": [{"resources": {"limits": {"cpu": "1"}}}]}), Burstable),
        (json!({"containers": []}), BestEffort),
        (json!({"containers": [{}], "resources": full}), Guaranteed),
        (json!({"containers": [{"resources": full}], "resources": {"requests": {"cpu": "2"}}}), Burstable),
        (json!({"containers": [{"resources": full}], "resources": {}}), Guaranteed),
        (json!({"containers": [{}], "resources": limits_only}), Guaranteed),
        (json!({"containers": [{"resources": {"requests": {"cpu": "1m"}}}], "resources": limits_only}), Burstable),
    ];
    for (spec, expected) in cases {
        assert_eq!(class(&spec), expected, "{spec}");
    }
}

fn cpu(load: &Load) -> Quantity {
    load.total().get("cpu").copied().unwrap_or_default()
}

#[test]
fn e8_a_plain_init_container_costs_nothing_beside_larger_ones_and_a_native_one_adds_up() {
    let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
    let pod = json!({"spec": {
        "initContainers": [
            {"name": "early", "resources": asks("900m")},
            {"name": "native", "restartPolicy": "Always", "resources": asks("100m")},
            {"name": "late", "resources": asks("450m")},
        ],
        "containers": [{"name": "a", "resources": asks("300m")}, {"name": "b", "resources": {"limits": {"cpu": "200m"}}}],
    }});
    let load = Load::of(&Node::new(pod.to_string()), Side::Requests, |_| false);
    let quantity = |text: &str| Quantity::parse(text).expect("a quantity");
    // 900m while `early` runs, 550m while `late` does, 600m after.
    assert_eq!(cpu(&load), quantity("900m"));
    let list = |text: &str| [("cpu".to_owned(), quantity(text))].into();
    let growth = |place, text: &str| load.growth(place, &list(text)).remove("cpu").expect("cpu");
    assert_eq!(growth(ContainerPlace::Init { index: 0 }, "800m"), Quantity::ZERO);
    assert_eq!(growth(ContainerPlace::Init { index: 3 }, "850m"), quantity("50m"), "beside the native sidecar");
    assert_eq!(growth(ContainerPlace::Container, "200m"), Quantity::ZERO);
    assert_eq!(growth(ContainerPlace::Native { index: 0 }, "200m"), quantity("200m"), "beside `early`");
    assert_eq!(growth(ContainerPlace::Native { index: 1 }, "200m"), Quantity::ZERO);
    assert_eq!(load.room(ContainerPlace::Container, "cpu", quantity("1")), Some(quantity("400m")));
    assert_eq!(load.room(ContainerPlace::Native { index: 0 }, "cpu", quantity("1")), Some(quantity("100m")));
    assert_eq!(load.room(ContainerPlace::Native { index: 0 }, "cpu", quantity("800m")), None);
}
