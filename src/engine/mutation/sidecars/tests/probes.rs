//! H1 and H2: probes and hooks through the sidecar.

use serde_json::json;

use super::*;

fn mesh() -> Injection {
    adding(json!({
        "containers": [sidecar("proxy", json!({"container": {"readinessProbe": {"httpGet": {"path": "/ready", "port": 15021}}}}))],
        "probeRewrite": {"container": "proxy", "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES"},
    }))
}

fn originals(admitted: &Admitted) -> Value {
    let env = admitted.env("proxy");
    let (_, text) = env.iter().find(|(name, _)| name == "PROBES").expect("the variable");
    serde_json::from_str(text).expect("JSON")
}

fn one(fields: Value) -> Value {
    let mut pod = app();
    merge(&mut pod["spec"]["containers"][0], fields);
    pod
}

#[test]
fn h1_every_kind_of_probe_is_rewritten_and_remembered_to_the_letter() {
    let named = json!({"port": "web", "path": "/x?a=b&c", "scheme": "HTTPS", "host": "h", "httpHeaders": [{"name": "H", "value": "$(V)"}]});
    let pod = one(json!({
        "ports": [{"name": "web", "containerPort": 8443}],
        "livenessProbe": {"httpGet": named, "timeoutSeconds": 7},
        "readinessProbe": {"tcpSocket": {"port": 5432}, "periodSeconds": 3},
        "startupProbe": {"grpc": {"port": 9000, "service": "s"}},
    }));
    let admitted = admit(&mesh(), &pod);
    let app = admitted.container("app");
    let rewritten = |probe: &str| json!({"path": format!("/health/app/{probe}"), "port": 15020});
    assert_eq!(app["livenessProbe"], json!({"httpGet": rewritten("livenessProbe"), "timeoutSeconds": 7}));
    assert_eq!(app["readinessProbe"], json!({"httpGet": rewritten("readinessProbe"), "periodSeconds": 3}));
    assert_eq!(app["startupProbe"], json!({"httpGet": rewritten("startupProbe")}));
    let escaped = json!({"port": "web", "path": "/x?a=b&c", "scheme": "HTTPS", "host": "h", "httpHeaders": [{"name": "H", "value": "$$(V)"}]});
    assert_eq!(
        originals(&admitted),
        json!({
            "/health/app/livenessProbe": {"httpGet": escaped, "port": 8443, "timeoutSeconds": 7},
            "/health/app/readinessProbe": {"tcpSocket": {"port": 5432}},
            "/health/app/startupProbe": {"grpc": {"port": 9000, "service": "s"}},
        })
    );
    assert_eq!(admitted.container("proxy")["readinessProbe"]["httpGet"]["path"], "/ready");
}

#[test]
fn h1_commands_stay_and_so_does_a_probe_of_a_port_that_nobody_names() {
    let pod = one(json!({
        "livenessProbe": {"exec": {"command": ["true"]}},
        "readinessProbe": {"httpGet": {"path": "/", "port": "nobody"}},
        "lifecycle": {"preStop": {"exec": {"command": ["true"]}}, "postStart": {"sleep": {"seconds": 1}}},
    }));
    let admitted = admit(&mesh(), &pod);
    for field in ["livenessProbe", "readinessProbe", "lifecycle"] {
        assert_eq!(admitted.container("app")[field], pod["spec"]["containers"][0][field], "{field}");
    }
    assert_eq!(admitted.reasons(), [(Reason::NamedPortMissing, Weight::Warning)]);
    assert_eq!(admitted.env("proxy"), pairs(&[]));
}

#[test]
fn h2_equal_probes_of_two_containers_have_paths_of_their_own() {
    let probe = json!({"httpGet": {"path": "/", "port": "web"}, "timeoutSeconds": 5});
    let container = |name: &str, port: u16| {
        json!({"name": name, "image": "i:1", "ports": [{"name": "web", "containerPort": port}],
        "livenessProbe": probe, "lifecycle": {"preStop": {"httpGet": {"path": "/stop", "port": "web"}}}})
    };
    let mut native = container("cache", 8003);
    native["restartPolicy"] = json!("Always");
    let plain = json!({"name": "migrate", "image": "i:1"});
    let pod =
        pod(json!({"containers": [container("one", 8001), container("two", 8002)], "initContainers": [native, plain]}));
    let admitted = admit(&mesh(), &pod);
    let originals = originals(&admitted);
    let paths: Vec<_> = originals.as_object().expect("a map").keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/health/cache/livenessProbe",
            "/health/cache/preStop",
            "/health/one/livenessProbe",
            "/health/one/preStop",
            "/health/two/livenessProbe",
            "/health/two/preStop"
        ]
    );
    for (name, port) in [("one", 8001), ("two", 8002), ("cache", 8003)] {
        let container = admitted.container(name);
        assert_eq!(container["livenessProbe"]["timeoutSeconds"], 5);
        assert_eq!(container["lifecycle"]["preStop"]["httpGet"]["path"], format!("/health/{name}/preStop"));
        assert_eq!(originals[format!("/health/{name}/livenessProbe")]["port"], port);
    }
}

#[test]
fn h2_what_holds_up_the_sidecar_that_would_answer_it_stays() {
    let cache = json!({"name": "cache", "image": "i:1", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 6379}},
        "lifecycle": {"postStart": {"httpGet": {"path": "/warm", "port": 6379}}}, "livenessProbe": {"tcpSocket": {"port": 6379}}});
    let mut pod = app();
    pod["spec"]["initContainers"] = json!([cache]);
    let placed = |placement: Value| {
        adding(json!({
            "containers": [sidecar("proxy", json!({"placement": placement}))],
            "probeRewrite": {"container": "proxy", "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES"},
        }))
    };
    // Neither a native sidecar behind it, nor a plain one, starts before the startup probe has succeeded.
    for placement in [json!({}), json!({"kind": "Container"})] {
        let admitted = admit(&placed(placement), &pod);
        let kept = admitted.container("cache");
        assert_eq!(kept["startupProbe"], cache["startupProbe"]);
        assert_eq!(kept["lifecycle"], cache["lifecycle"]);
        assert_eq!(kept["livenessProbe"]["httpGet"]["path"], "/health/cache/livenessProbe");
        let told = (Reason::ProbeTooEarly, Weight::Warning);
        assert_eq!(admitted.reasons(), [told, told]);
    }
    let admitted = admit(&placed(json!({"order": {"before": ["*"]}})), &pod);
    assert_eq!(admitted.container("cache")["startupProbe"]["httpGet"]["path"], "/health/cache/startupProbe");
    assert_eq!(admitted.reasons(), []);
}

#[test]
fn m9_the_probes_of_another_mesh_stay_unless_they_are_asked_for_by_name() {
    let mut pod = app();
    let istio = json!({"name": "istio-proxy", "image": "i:1", "restartPolicy": "Always", "startupProbe": {"httpGet": {"path": "/", "port": 15021}}});
    pod["spec"]["initContainers"] = json!([istio]);
    let admitted = admit(&mesh(), &pod);
    assert_eq!(admitted.container("istio-proxy"), &istio);
}
