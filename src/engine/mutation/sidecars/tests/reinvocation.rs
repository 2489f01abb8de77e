//! Group C: other injectors, defaults and copies of pods that were injected before.

use serde_json::json;

use super::simulation::as_the_api_server_stores;
use super::*;

/// A mesh as most are: an init container, a native proxy, probes, variables and a mount for the app.
fn mesh() -> Injection {
    adding(json!({
        "initContainers": [sidecar("mesh-init", json!({"placement": {"order": {"after": ["istio-proxy"]}}}))],
        "containers": [sidecar("mesh-proxy", json!({
            "placement": {"order": {"after": ["mesh-init"], "before": ["*"]}},
            "container": {
                "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 15021}},
                "volumeMounts": [{"name": "agent", "mountPath": "/agent", "readOnly": false}],
                "resources": {"limits": {"cpu": "0.5", "memory": "64Mi"}, "requests": {"cpu": "100m"}}}}))],
        "volumes": [{"volume": {"name": "agent", "emptyDir": {"sizeLimit": "0.5Gi"}}}],
        "probeRewrite": {"container": "mesh-proxy", "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES"},
        "patchContainers": [{"env": [{"name": "MESH", "value": "on"}], "mounts": [{"mount": {"name": "agent", "mountPath": "/agent"}}]}],
        "pod": {"labels": {"mesh": "on"}},
    }))
}

fn probed(name: &str) -> Value {
    json!({"name": name, "image": "i:1", "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}})
}

#[test]
fn c1_the_second_pass_brings_in_what_others_added_and_nothing_else() {
    let first = admit(&mesh(), &pod(json!({"containers": [probed("app")]})));
    assert_eq!(first.names("initContainers"), ["mesh-init", "mesh-proxy"]);
    let mut changed = as_the_api_server_stores(&first.pod);
    let istio = json!({"name": "istio-proxy", "image": "i:1", "restartPolicy": "Always", "readinessProbe": {"httpGet": {"path": "/", "port": 1}}});
    changed["spec"]["initContainers"].as_array_mut().expect("a list").insert(0, istio.clone());
    changed["spec"]["containers"].as_array_mut().expect("a list").push(probed("extra"));
    let before = changed.clone();
    let second = Cluster::default().admit(&[&mesh()], &changed);
    assert_eq!(second.names("initContainers"), ["istio-proxy", "mesh-init", "mesh-proxy"]);
    assert_eq!(second.container("istio-proxy"), &istio);
    assert_eq!(second.container("app"), container(&before, "app"));
    assert_eq!(second.env("extra"), pairs(&[("MESH", "on")]));
    assert_eq!(second.container("extra")["livenessProbe"]["httpGet"]["path"], "/health/extra/livenessProbe");
    let originals: Value = serde_json::from_str(&second.env("mesh-proxy")[1].1).expect("JSON");
    for name in ["app", "extra"] {
        assert_eq!(originals[format!("/health/{name}/livenessProbe")]["httpGet"]["path"], "/live");
    }
    let allowed =
        ["/spec/containers/1/", "/spec/initContainers/2/env/1/value", "/metadata/annotations/portcullis.dev~1applied"];
    for operation in &second.operations {
        let path = operation["path"].as_str().expect("a path");
        assert!(allowed.iter().any(|allowed| path.starts_with(allowed)), "{operation}");
    }
}

#[test]
fn c2_what_the_cluster_changes_in_our_containers_is_left_to_it() {
    let first = admit(&mesh(), &app());
    let mut stored = as_the_api_server_stores(&first.pod);
    let proxy = container_mut(&mut stored, "mesh-proxy");
    proxy["resources"] = json!({"requests": {"cpu": "700m", "memory": "80Mi", "ephemeral-storage": "1Gi"},
        "limits": {"cpu": "3500m", "memory": "80Mi", "ephemeral-storage": "2Gi"}});
    proxy["imagePullPolicy"] = json!("Always");
    proxy["readinessProbe"]["httpGet"] =
        json!({"path": "/app-health/mesh-proxy/readyz", "port": 15020, "scheme": "HTTP"});
    stored["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] = json!("512Mi");
    stored["metadata"]["annotations"]["vpaObservedContainers"] = json!("app");
    let second = Cluster::default().pass(&[&mesh()], &stored).expect("no conflict");
    assert_eq!(second.operations, Vec::<Value>::new());
}

#[test]
fn c2_enforced_resources_alone_are_set_back() {
    let injection = adding(json!({"containers": [sidecar("proxy", json!({"enforceResources": true,
        "container": {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}}}))]}));
    let first = admit(&injection, &app());
    let mut stored = as_the_api_server_stores(&first.pod);
    container_mut(&mut stored, "proxy")["resources"] =
        json!({"requests": {"cpu": "0.1", "memory": "1Gi"}, "limits": {"cpu": "2"}});
    let second = Cluster::default().pass(&[&injection], &stored).expect("no conflict");
    assert_eq!(
        second.operations,
        [json!({"op": "replace", "path": "/spec/initContainers/0/resources/limits/cpu", "value": "1"})]
    );
}

#[test]
fn c5_a_claim_that_somebody_made_up_changes_nothing() {
    let key = "portcullis.dev/applied";
    let claims = [
        r#"{"mesh":{"parts":["c/app","v/data","e/app/MINE","t/app//data","c/mesh-init","c/mesh-proxy"]}}"#.to_owned(),
        "{\"mesh\":".to_owned(),
        "[1,2]".to_owned(),
        r#"{"mesh":7,"other":{"parts":[]}}"#.to_owned(),
        format!("{{\"mesh\":{{\"parts\":[\"{}\"]}}}}", "x".repeat(1024 * 1024)),
        "[".repeat(10_000),
    ];
    let mut plain = app();
    merge(&mut plain["spec"], json!({"volumes": [{"name": "data", "emptyDir": {}}]}));
    merge(
        &mut plain["spec"]["containers"][0],
        json!({"env": [{"name": "MINE", "value": "1"}], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
    );
    let expected = admit(&mesh(), &plain);
    for claim in claims {
        let mut pod = plain.clone();
        merge(&mut pod, json!({"metadata": {"annotations": {key: claim}}}));
        let admitted = admit(&mesh(), &pod);
        assert_eq!(admitted.pod["spec"], expected.pod["spec"], "{claim:.80}");
        let is_told = admitted.reasons().iter().all(|found| *found == (Reason::StaleClaimIgnored, Weight::Warning));
        assert!(is_told, "{:?}", admitted.reasons());
        assert!(admitted.annotation(key).len() < 2048 + 64);
    }
}

#[test]
fn c5_a_claim_that_cannot_be_read_is_told_of() {
    for claim in ["{", "7", "[]", r#"{"mesh":7}"#, r#"{"mesh":{"parts":"c/app"}}"#, r#"{"mesh":{"parts":[1]}}"#] {
        let mut pod = app();
        merge(&mut pod, json!({"metadata": {"annotations": {"portcullis.dev/applied": claim}}}));
        assert_eq!(admit(&mesh(), &pod).reasons(), [(Reason::StaleClaimIgnored, Weight::Warning)], "{claim}");
    }
    let mut pod = app();
    let of_another = r#"{"other":7}"#;
    merge(&mut pod, json!({"metadata": {"annotations": {"portcullis.dev/applied": of_another}}}));
    assert_eq!(admit(&mesh(), &pod).reasons(), []);
}

fn revision(name: &str, port: u16) -> Value {
    json!({
        "initContainers": [sidecar(&format!("init-{name}"), json!({"placement": {"order": {"first": true}}}))],
        "containers": [sidecar("mesh-proxy", json!({"placement": {"order": {"before": ["*"]}}, "container": {
            "image": format!("registry.example/proxy:{name}"), "args": [name],
            "env": [{"name": format!("ENV_{name}"), "value": "1"}],
            "resources": {"requests": {"cpu": if name == "v24" { "100m" } else { "200m" }}}}}))],
        "volumes": [{"volume": {"name": format!("volume-{name}"), "emptyDir": {}}}, {"volume": {"name": "shared", "emptyDir": {"sizeLimit": format!("{port}")}}}],
        "probeRewrite": {"container": "mesh-proxy", "port": port, "path": format!("/{name}/{{container}}/{{probe}}"), "variable": "PROBES"},
        "patchContainers": [{"env": [{"name": "REVISION", "value": name, "onExisting": "Replace"}, {"name": format!("ONLY_{name}"), "value": name}],
            "mounts": [{"mount": {"name": format!("volume-{name}"), "mountPath": format!("/{name}")}},
                       {"mount": {"name": format!("volume-{name}"), "mountPath": "/both"}}]}],
    })
}

fn with_default(default: &str) -> Injection {
    let items: Vec<_> =
        [("v24", 1), ("v25", 2)].map(|(name, port)| json!({"name": name, "add": revision(name, port)})).into();
    document(&json!({"revisions": {"default": default, "items": items}})).expect("a document without flaws")
}

/// The manifest of a pod that ran, as a user applies it again.
fn copied(pod: &Value) -> Value {
    let mut copy = as_the_api_server_stores(pod);
    merge(&mut copy, json!({"metadata": {"name": "copy", "generateName": null}, "spec": {"nodeName": "node-1"}}));
    copy
}

#[test]
fn c6_a_copy_of_a_pod_with_an_old_revision_has_only_the_new_one() {
    let original = pod(json!({"containers": [probed("app")]}));
    let old = admit(&with_default("v24"), &original);
    let mut copy = copied(&old.pod);
    let proxy = container_mut(&mut copy, "mesh-proxy");
    proxy["env"].as_array_mut().expect("a list").push(json!({"name": "MINE", "value": "1"}));
    let updated = Cluster::default().pass(&[&with_default("v25")], &copy).expect("no conflict");
    let text = updated.pod.to_string();
    assert!(!text.contains("v24"), "{:#}", updated.pod);
    assert_eq!(updated.names("initContainers"), ["init-v25", "mesh-proxy"]);
    assert_eq!(updated.names("volumes"), ["shared", "kube-api-access-7x2zq", "volume-v25"]);
    let env: Vec<_> = updated.env("mesh-proxy").into_iter().map(|(name, _)| name).collect();
    assert_eq!(env, ["ENV_v25", "PROBES", "MINE"]);
    assert_eq!(updated.container("mesh-proxy")["resources"]["requests"]["cpu"], "200m");
    assert_eq!(updated.env("app"), pairs(&[("REVISION", "v25"), ("ONLY_v25", "v25")]));
    assert_eq!(updated.container("app")["livenessProbe"]["httpGet"]["path"], "/v25/app/livenessProbe");
    let mounts = updated.container("app")["volumeMounts"].as_array().cloned().unwrap_or_default();
    assert!(mounts.contains(&json!({"name": "volume-v25", "mountPath": "/both"})), "{mounts:?}");
    let probes: Value = serde_json::from_str(&updated.env("mesh-proxy")[1].1).expect("JSON");
    assert_eq!(probes["/v25/app/livenessProbe"]["httpGet"]["path"], "/live");
    let again =
        Cluster::default().pass(&[&with_default("v25")], &as_the_api_server_stores(&updated.pod)).expect("no conflict");
    assert_eq!(again.operations, Vec::<Value>::new());
}

#[test]
fn c6_a_changed_document_finds_its_containers_again() {
    let with = |image: &str, variable: &str| {
        adding(json!({
            "containers": [sidecar("proxy", json!({"container": {"image": format!("registry.example/proxy{image}"), "env": [{"name": variable, "value": "1"}]}}))],
            "volumes": [{"volume": {"name": format!("v-{}", variable.to_lowercase()), "emptyDir": {}}}],
        }))
    };
    let old = admit(&with(":1", "OLD"), &app());
    let copy = copied(&old.pod);
    let digest = format!("@sha256:{}", "2".repeat(64));
    let updated = Cluster::default().pass(&[&with(&digest, "NEW")], &copy).expect("no conflict");
    assert_eq!(updated.container("proxy")["image"], format!("registry.example/proxy{digest}"));
    assert_eq!(updated.env("proxy"), pairs(&[("NEW", "1")]));
    assert_eq!(updated.names("volumes"), ["kube-api-access-7x2zq", "v-new"]);
}

#[test]
fn c7_a_copy_without_the_sidecar_has_no_probe_that_leads_nowhere() {
    let injected = admit(&mesh(), &pod(json!({"containers": [probed("app")]})));
    let mut copy = copied(&injected.pod);
    copy["spec"]["initContainers"] = json!([]);
    let text = copy.to_string();
    let mut tree = Node::new(text.as_str());
    let left = mesh().uninject(&mut tree);
    let result: Value = serde_json::from_str(&tree.to_json()).expect("JSON");
    assert_eq!(left, [(Reason::ProbeLost, "livenessProbe of container \"app\"".to_owned())]);
    assert!(container(&result, "app")["livenessProbe"].is_null());
    assert!(!result.to_string().contains("mesh") && !result.to_string().contains("agent"), "{result:#}");
}

/// A pod as it is stored, with every image behind another registry.
fn mirrored(pod: &Value, registry: &str) -> Value {
    let mut pod = as_the_api_server_stores(pod);
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().expect("a list") {
            let image = container["image"].as_str().expect("an image");
            container["image"] = json!(image.replace("registry.example", registry));
        }
    }
    pod
}

fn with_mirror(mirrors: Value) -> Injection {
    document(&json!({"imageMirrors": mirrors, "add": {
        "initContainers": [sidecar("init", json!({}))],
        "containers": [sidecar("proxy", json!({"container": {"args": ["-v"]}}))]}}))
    .expect("a document without flaws")
}

#[test]
fn an_image_behind_a_declared_mirror_is_ours_and_stays_there() {
    let injection = with_mirror(json!(["mirror.local/cache"]));
    for registry in ["mirror.local/cache", "mirror.local/cache/registry.example"] {
        let stored = mirrored(&admit(&injection, &app()).pod, registry);
        let second = Cluster::default().pass(&[&injection], &stored).expect("no conflict");
        assert_eq!((second.operations, second.notes), (Vec::new(), Vec::new()), "{registry}");
        assert_eq!(injection.missing(&Node::new(stored.to_string()), &[]), Vec::<String>::new());
        // Neither does it need an annotation to be known.
        let mut bare = stored.clone();
        bare["metadata"]["annotations"] = json!({});
        assert_eq!(Cluster::default().pass(&[&injection], &bare).expect("no conflict").pod["spec"], stored["spec"]);
    }
}

#[test]
fn an_image_behind_a_registry_that_nobody_declared_is_made_ours_again_and_missed_if_it_stays() {
    let injection = with_mirror(json!(["mirror.local/cache"]));
    let admitted = admit(&injection, &app());
    for registry in ["evil.example", "mirror.local", "mirror.local.evil/cache", "evil.example/registry.example"] {
        let stored = mirrored(&admitted.pod, registry);
        assert_eq!(injection.missing(&Node::new(stored.to_string()), &[]).len(), 2, "{registry}");
        let second = Cluster::default().pass(&[&injection], &stored).expect("no conflict");
        assert_eq!(second.container("proxy")["image"], "registry.example/proxy:1");
        assert_eq!(injection.missing(&Node::new(second.pod.to_string()), &[]), Vec::<String>::new());
        let mut bare = stored.clone();
        bare["metadata"]["annotations"] = json!({});
        assert_eq!(conflict(&injection, &bare).reason, Reason::ContainerNameTaken, "{registry}");
    }
}

#[test]
fn c6_a_copy_from_before_the_document_moved_to_another_registry_is_brought_over() {
    let at = |registry: &str| {
        let image = format!("{registry}/proxy:1");
        adding(json!({"containers": [sidecar("proxy", json!({"container": {"image": image}}))]}))
    };
    let copy = copied(&admit(&at("old.example/team"), &app()).pod);
    let updated = Cluster::default().pass(&[&at("new.example")], &copy).expect("no conflict");
    assert_eq!((updated.names("initContainers"), updated.reasons()), (vec!["proxy"], Vec::new()));
    assert_eq!(updated.container("proxy")["image"], "new.example/proxy:1");
    assert_eq!(at("new.example").missing(&Node::new(updated.pod.to_string()), &[]), Vec::<String>::new());
}

#[test]
fn i3_an_image_that_an_override_allows_is_not_missed_and_no_other_passes() {
    let field = json!({"key": "image", "container": "proxy", "set": "image", "type": {"image": {"allow": ["registry.example/proxy-*:*"]}}});
    let injection = document(
        &json!({"overrides": {"prefix": "mesh.example/", "fields": [field]}, "imageMirrors": ["mirror.local"],
        "add": {"containers": [sidecar("proxy", json!({}))]}}),
    )
    .expect("a document without flaws");
    let with = |image: &str| {
        let mut pod = admit(&injection, &app()).pod;
        container_mut(&mut pod, "proxy")["image"] = json!(image);
        injection.missing(&Node::new(pod.to_string()), &[]).is_empty()
    };
    for good in [
        "registry.example/proxy:2",
        "registry.example/proxy-debug:1",
        "mirror.local/registry.example/proxy-debug:1",
        "mirror.local/proxy-debug:1",
    ] {
        assert!(with(good), "{good}");
    }
    for bad in ["evil.example/proxy-debug:1", "pause:3", "mirror.local/evil/proxy-debug:1", "registry.example/other:1"]
    {
        assert!(!with(bad), "{bad}");
    }
}

#[test]
fn i3_a_sidecar_that_somebody_removed_or_replaced_is_missed() {
    let admitted = admit(&mesh(), &app());
    let missing = |pod: &Value| mesh().missing(&Node::new(pod.to_string()), &[]);
    assert_eq!(missing(&as_the_api_server_stores(&admitted.pod)), Vec::<String>::new());
    let all = [
        "container \"mesh-init\"",
        "container \"mesh-proxy\"",
        "volume \"agent\"",
        "variable \"MESH\"",
        "mount \"/agent\"",
    ];
    assert_eq!(missing(&app()), all);
    let mut joined = admitted.pod.clone();
    joined["spec"]["containers"].as_array_mut().expect("a list").push(probed("late"));
    assert_eq!(missing(&joined), Vec::<String>::new(), "one that came after us");
    for (list, key) in [("env", "MESH"), ("volumeMounts", "/agent")] {
        let mut stripped = admitted.pod.clone();
        container_mut(&mut stripped, "app")[list] = json!([]);
        assert_eq!(missing(&stripped).len(), 1, "{key}");
        assert!(missing(&stripped)[0].contains(key));
    }
    let mut replaced = admitted.pod.clone();
    container_mut(&mut replaced, "mesh-proxy")["command"] = json!(["sleep"]);
    assert_eq!(missing(&replaced), ["container \"mesh-proxy\""]);
    let mut ending = admitted.pod.clone();
    container_mut(&mut ending, "mesh-proxy").as_object_mut().expect("a container").remove("restartPolicy");
    assert_eq!(missing(&ending), ["container \"mesh-proxy\""], "it would keep the others from starting");
}

#[test]
fn c9_what_autoscalers_and_others_write_beside_is_kept() {
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"annotations": {"vpaObservedContainers": "app", "vpaUpdates": "x"}}}));
    let admitted = admit(&mesh(), &pod);
    assert_eq!(admitted.annotation("vpaObservedContainers"), "app");
    assert_eq!(admitted.annotation("vpaUpdates"), "x");
}

#[test]
fn c10_the_same_pod_gives_the_same_bytes() {
    let pod = pod(json!({"containers": [probed("app"), probed("two")]}));
    let all: Vec<_> =
        (0..3).map(|_| Cluster::default().pass(&[&mesh()], &pod).expect("no conflict").operations).collect();
    assert!(all.windows(2).all(|pair| serde_json::to_string(&pair[0]).ok() == serde_json::to_string(&pair[1]).ok()));
}
