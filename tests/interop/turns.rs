//! Taking turns with another injector, as the API server has webhooks do: one after the other, then once more each. Whoever is first, in
//! the end every probe leads to what it asked at first, and both have what they want.

use serde_json::{Map, Value, json};

use crate::names;
use crate::stage::Stage;

const PORT: u64 = 15020;

/// What istio does in a webhook: its proxy and its init container come first of all, whatever was first before, and probes of the
/// others are sent to its agent, which is told what they were.
fn istio(pod: &mut Value) {
    let mut probers = Map::new();
    for container in pod["spec"]["containers"].as_array_mut().expect("containers") {
        let name = container["name"].as_str().expect("a name").to_owned();
        for (probe, word) in [("livenessProbe", "livez"), ("readinessProbe", "readyz")] {
            if container[probe]["httpGet"]["port"].as_u64().is_some_and(|port| port != PORT) {
                let path = format!("/app-health/{name}/{word}");
                let rewritten = json!({"path": path, "port": PORT});
                let original = std::mem::replace(&mut container[probe]["httpGet"], rewritten);
                probers.insert(path, json!({"httpGet": original}));
            }
        }
    }
    if !pod["spec"]["initContainers"].is_array() {
        pod["spec"]["initContainers"] = json!([]);
    }
    let inits = pod["spec"]["initContainers"].as_array_mut().expect("a list");
    let before = inits.iter().find(|container| container["name"] == "istio-proxy");
    let before = before.and_then(|proxy| proxy["env"][0]["value"].as_str()).unwrap_or("{}");
    let mut known: Map<String, Value> = serde_json::from_str(before).expect("JSON");
    known.extend(probers);
    inits.retain(|container| !container["name"].as_str().is_some_and(|name| name.starts_with("istio-")));
    let env = json!([{"name": "ISTIO_KUBE_APP_PROBERS", "value": Value::Object(known).to_string()}]);
    inits.insert(0, json!({"name": "istio-proxy", "image": "proxyv2:1", "restartPolicy": "Always", "env": env}));
    inits.insert(0, json!({"name": "istio-init", "image": "proxyv2:1"}));
}

/// What a probe asks in the end, past everybody who answers in another's place.
fn asked(pod: &Value, mut action: Value) -> Value {
    let inits = pod["spec"]["initContainers"].as_array().expect("init containers");
    let variables = inits.iter().flat_map(|container| container["env"].as_array().into_iter().flatten());
    let known =
        variables.filter_map(|variable| serde_json::from_str::<Map<String, Value>>(variable["value"].as_str()?).ok());
    let known: Map<String, Value> = known.flatten().collect();
    for _ in 0..5 {
        match action["path"].as_str().and_then(|path| known.get(path)) {
            Some(original) => action = original["httpGet"].clone(),
            None => return action,
        }
    }
    panic!("they ask each other: {known:#?}")
}

fn ours(stage: &Stage, pod: &mut Value) {
    *pod = stage.completed(&stage.mutate(&stage.completed(pod)).result);
}

fn app() -> Value {
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": 8080}});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"},
        "spec": {"containers": [
            {"name": "app", "image": "app:1", "livenessProbe": probe("/live"), "readinessProbe": probe("/ready")},
            {"name": "second", "image": "second:1", "livenessProbe": probe("/second")},
        ]},
    })
}

#[test]
fn in_either_order_each_probe_leads_to_what_it_asked() {
    let stage = Stage::named(&["gateway"]);
    for is_first in [true, false] {
        let mut pod = app();
        for _ in 0..2 {
            if is_first {
                ours(&stage, &mut pod);
            }
            istio(&mut pod);
            if !is_first {
                ours(&stage, &mut pod);
            }
        }
        // Both are asked once more after the last change, and there is nothing left to do.
        assert_eq!(stage.mutate(&pod).operations, json!([]), "{is_first}");
        let order = names(&pod["spec"]["initContainers"]);
        let place = |name: &str| order.iter().position(|found| *found == name).expect(name);
        assert!(place("istio-proxy") < place("gateway") && place("gateway-init") < place("gateway"), "{order:?}");
        assert_eq!(stage.lacks(&pod), [] as [String; 0]);
        for (container, probe, path) in
            [(0, "livenessProbe", "/live"), (0, "readinessProbe", "/ready"), (1, "livenessProbe", "/second")]
        {
            let action = pod["spec"]["containers"][container][probe]["httpGet"].clone();
            assert_ne!(action["port"], 8080, "somebody has rewritten it");
            let asked = asked(&pod, action);
            assert_eq!((&asked["path"], &asked["port"]), (&json!(path), &json!(8080)), "{is_first}");
        }
    }
}
