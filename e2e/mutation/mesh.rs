//! A mesh beside another mesh: every case in which a pod comes back, with the API server's own defaults and plugins in between.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::harness::{Api, until};
use crate::other::Other;
use crate::stage::{SOON, Stage, container, create, items, names, until_pod, with_stage};

/// By this the other webhook knows a pod that it has changed.
const SEEN: &str = "other.example.com/seen";

/// A document for all pods of one namespace.
fn document(namespace: &str, spec: Value) -> String {
    let mut spec = spec;
    spec["mode"] = json!("Always");
    spec["match"] = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}});
    let metadata = json!({"name": "mesh"});
    json!({"apiVersion": "portcullis.dev/v1", "kind": "SidecarInjection", "metadata": metadata, "spec": spec})
        .to_string()
}

/// What most meshes add.
fn mesh() -> Value {
    json!({"add": {
        "initContainers": [{
            "container": {"name": "mesh-init", "image": "mesh-init:1"},
            "placement": {"order": {"after": ["istio-proxy"]}},
        }],
        "containers": [{
            "container": {
                "name": "mesh-proxy", "image": "mesh-proxy:1",
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 15021}},
                "volumeMounts": [{"name": "agent", "mountPath": "/agent", "readOnly": false}],
            },
            "placement": {"kind": "Native", "order": {"after": ["mesh-init"], "before": ["*"]}},
            "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "0.5", "memory": "64Mi"}},
        }],
        "volumes": [{"volume": {"name": "agent", "emptyDir": {"sizeLimit": "0.5Gi"}}}],
        "probeRewrite": {
            "container": "mesh-proxy", "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES",
        },
        "patchContainers": [{
            "env": [{"name": "MESH", "value": "on", "position": "First"}],
            "mounts": [{"mount": {"name": "agent", "mountPath": "/agent"}}],
        }],
    }})
}

fn probed(name: &str) -> Value {
    let env = [json!({"name": "URL", "value": "http://$(MESH)"})];
    json!({"name": name, "image": "app:1", "env": env, "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}})
}

fn pod(name: &str) -> Value {
    let spec = json!({"automountServiceAccountToken": false, "containers": [probed("app")]});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
}

/// Puts the stage up: the namespace, the other webhook, the document; and waits until both are asked.
fn with_both(
    namespace: &str,
    spec: Value,
    change: fn(&Value) -> Vec<Value>,
    act: impl FnOnce(&Stage, &mut Api) -> Result<()>,
) -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace(namespace, &[])?;
        let _other = Other::start(&stage.plane, &[namespace], move |pod| once(pod, change))?;
        stage.apply(&document(namespace, spec), 1.0)?;
        until_pod(&mut api, namespace, &pod("a"), |pod| {
            is_seen(pod) && pod.to_string().contains("portcullis.dev/applied")
        })?;
        act(stage, &mut api)
    })
}

/// The change and the mark, where the mark is not yet. We are called first, so there are annotations.
fn once(pod: &Value, change: fn(&Value) -> Vec<Value>) -> Vec<Value> {
    if is_seen(pod) || !pod["metadata"]["annotations"].is_object() {
        return Vec::new();
    }
    let mut operations = change(pod);
    let path = format!("/metadata/annotations/{}", SEEN.replace('/', "~1"));
    operations.push(json!({"op": "add", "path": path, "value": "true"}));
    operations
}

fn is_seen(pod: &Value) -> bool {
    pod["metadata"]["annotations"][SEEN] == "true"
}

fn count(container: &Value, list: &str, name: &str) -> usize {
    container[list].as_array().into_iter().flatten().filter(|item| item["name"] == name).count()
}

#[test]
fn c1_a_second_mesh_and_its_container_get_each_edit_once_and_the_order_holds() -> Result<()> {
    with_both("c1", mesh(), insert_mesh, |_, api| {
        let tried = api.post("/api/v1/namespaces/c1/pods?dryRun=All", &pod("b"))?.done()?;
        let stored = create(api, "c1", &pod("b"))?;
        assert_eq!(stored["spec"], tried["spec"], "a dry run shows what comes");
        assert_eq!(names(&stored, "initContainers"), ["istio-proxy", "mesh-init", "mesh-proxy"], "{stored}");
        assert_eq!(container(&stored, "istio-proxy")["readinessProbe"]["httpGet"]["path"], "/", "theirs stays");
        let variable =
            container(&stored, "mesh-proxy")["env"].as_array().into_iter().flatten().find(|it| it["name"] == "PROBES");
        let originals: Value = serde_json::from_str(variable.and_then(|it| it["value"].as_str()).unwrap_or_default())?;
        for name in ["app", "extra"] {
            let found = container(&stored, name);
            let path = format!("/health/{name}/livenessProbe");
            assert_eq!(found["livenessProbe"]["httpGet"]["path"], json!(path), "{stored}");
            assert_eq!(found["livenessProbe"]["httpGet"]["port"], 15020);
            assert_eq!(originals[&path]["httpGet"]["path"], "/live", "{originals}");
            assert_eq!((count(found, "env", "MESH"), count(found, "volumeMounts", "agent")), (1, 1), "{found}");
            assert_eq!(found["env"][0]["name"], "MESH", "before those that refer to it");
        }
        Ok(())
    })
}

fn insert_mesh(_: &Value) -> Vec<Value> {
    let proxy = json!({
        "name": "istio-proxy", "image": "i:1", "restartPolicy": "Always",
        "readinessProbe": {"httpGet": {"path": "/", "port": 1}},
    });
    vec![
        json!({"op": "add", "path": "/spec/initContainers/0", "value": proxy}),
        json!({"op": "add", "path": "/spec/containers/-", "value": probed("extra")}),
    ]
}

#[test]
fn c2_what_the_cluster_and_others_change_in_our_containers_is_left_to_them() -> Result<()> {
    with_both("c2", mesh(), tune_proxy, |_, api| {
        let limits = json!([{"type": "Container", "default": {"ephemeral-storage": "2Gi"}, "defaultRequest": {"memory": "32Mi"}}]);
        let range = json!({"metadata": {"name": "limits"}, "spec": {"limits": limits}});
        api.post("/api/v1/namespaces/c2/limitranges", &range)?.done()?;
        let is_limited = |pod: &Value| {
            container(pod, "mesh-proxy")["resources"]["limits"]["ephemeral-storage"] == "2Gi"
                && container(pod, "app")["resources"]["limits"]["ephemeral-storage"] == "2Gi"
        };
        let stored = until_pod(api, "c2", &pod("a"), is_limited)?;
        let proxy = container(&stored, "mesh-proxy");
        assert_eq!(proxy["resources"]["requests"]["cpu"], "700m", "{proxy}");
        assert_eq!(proxy["resources"]["limits"]["cpu"], "3500m", "{proxy}");
        assert_eq!(proxy["imagePullPolicy"], "Always");
        assert_eq!(proxy["readinessProbe"]["httpGet"]["path"], "/app-health/mesh-proxy/readyz");
        assert_eq!(stored["metadata"]["annotations"]["vpaObservedContainers"], "app");
        assert_eq!(names(&stored, "initContainers"), ["mesh-init", "mesh-proxy"], "{stored}");
        assert_eq!(names(&stored, "volumes"), ["agent"], "{stored}");
        Ok(())
    })
}

fn place(pod: &Value, name: &str) -> usize {
    items(pod, "initContainers").position(|container| container["name"] == name).unwrap_or_default()
}

fn tune_proxy(pod: &Value) -> Vec<Value> {
    let at = format!("/spec/initContainers/{}", place(pod, "mesh-proxy"));
    let replace = |path: &str, value: Value| json!({"op": "replace", "path": format!("{at}/{path}"), "value": value});
    vec![
        replace("resources/requests/cpu", json!("700m")),
        replace("resources/limits/cpu", json!("3500m")),
        replace("imagePullPolicy", json!("Always")),
        replace("readinessProbe/httpGet", json!({"path": "/app-health/mesh-proxy/readyz", "port": 15020})),
        json!({"op": "add", "path": "/metadata/annotations/vpaObservedContainers", "value": "app"}),
    ]
}

#[test]
fn c2_enforced_resources_alone_are_set_back() -> Result<()> {
    let mut enforced = mesh();
    enforced["add"]["containers"][0]["enforceResources"] = json!(true);
    with_both("c2-enforced", enforced, tune_proxy, |_, api| {
        let stored = create(api, "c2-enforced", &pod("b"))?;
        let proxy = container(&stored, "mesh-proxy");
        assert_eq!(proxy["resources"]["requests"]["cpu"], "100m", "{proxy}");
        assert_eq!(proxy["resources"]["limits"]["cpu"], "500m", "{proxy}");
        assert_eq!(proxy["imagePullPolicy"], "Always", "what is no resource stays");
        Ok(())
    })
}

#[test]
fn c3_two_that_insist_on_the_same_place_end_with_each_container_once() -> Result<()> {
    let mut first = mesh();
    first["add"]["initContainers"][0]["placement"] = json!({"order": {"first": true}});
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("c3", &[])?;
        let _other = Other::start(&stage.plane, &["c3"], insist_on_first)?;
        stage.apply(&document("c3", first), 1.0)?;
        let has_both = |pod: &Value| !container(pod, "istio-init").is_null() && !container(pod, "mesh-init").is_null();
        let stored = until_pod(&mut api, "c3", &pod("a"), has_both)?;
        let mut found = names(&stored, "initContainers");
        found.sort_unstable();
        assert_eq!(found, ["istio-init", "mesh-init", "mesh-proxy"], "{stored}");
        Ok(())
    })
}

/// Puts its container before all others, however often it is asked.
fn insist_on_first(pod: &Value) -> Vec<Value> {
    let found = items(pod, "initContainers").position(|container| container["name"] == "istio-init");
    let init = json!({"name": "istio-init", "image": "i:1"});
    let insert = json!({"op": "add", "path": "/spec/initContainers/0", "value": init});
    match found {
        Some(0) => Vec::new(),
        Some(place) => vec![json!({"op": "remove", "path": format!("/spec/initContainers/{place}")}), insert],
        None if pod["spec"]["initContainers"].is_array() => vec![insert],
        None => vec![json!({"op": "add", "path": "/spec/initContainers", "value": [init]})],
    }
}

#[test]
fn c4_a_container_that_its_user_began_is_completed_once() -> Result<()> {
    let mut merging = mesh();
    merging["conflicts"] = json!({"containerName": "MergeAuto"});
    with_both("c4", merging, add_extra, |_, api| {
        let mut begun = pod("b");
        let own = json!({"name": "mesh-proxy", "image": "auto", "restartPolicy": "Always", "env": [{"name": "MINE", "value": "1"}]});
        begun["spec"]["initContainers"] = json!([own]);
        let stored = create(api, "c4", &begun)?;
        let proxy = container(&stored, "mesh-proxy");
        assert_eq!(proxy["image"], "mesh-proxy:1", "{stored}");
        assert_eq!((count(proxy, "env", "MINE"), count(proxy, "env", "PROBES")), (1, 1), "{proxy}");
        assert_eq!(count(proxy, "volumeMounts", "agent"), 1, "{proxy}");
        assert_eq!(names(&stored, "initContainers"), ["mesh-init", "mesh-proxy"], "{stored}");
        Ok(())
    })
}

fn add_extra(_: &Value) -> Vec<Value> {
    vec![json!({"op": "add", "path": "/spec/containers/-", "value": probed("extra")})]
}

#[test]
fn c5_a_claim_that_somebody_made_up_changes_nothing() -> Result<()> {
    with_both("c5", mesh(), add_extra, |_, api| {
        let expected = create(api, "c5", &pod("plain"))?;
        let claims = [r#"{"mesh":{"parts":["c/app","e/app/URL","c/mesh-proxy"]}}"#, r#"{"mesh":"#, "[1,2]"];
        for (number, claim) in claims.into_iter().enumerate() {
            let mut spoofed = pod(&format!("spoofed-{number}"));
            spoofed["metadata"]["annotations"] = json!({"portcullis.dev/applied": claim});
            let answer = api.post("/api/v1/namespaces/c5/pods", &spoofed)?;
            assert!(
                answer.warnings.iter().any(|warning| warning.contains("stale_claim_ignored")),
                "{:?}",
                answer.warnings
            );
            assert_eq!(answer.done()?["spec"], expected["spec"], "{claim}");
        }
        Ok(())
    })
}

/// Two revisions whose parts have their names.
fn revisions(default: &str, weight: u8) -> Value {
    let revision = |name: &str, weight: u8| {
        let mut add = mesh()["add"].take();
        add["initContainers"][0]["container"]["name"] = json!(format!("init-{name}"));
        add["containers"][0]["container"]["image"] = json!(format!("mesh-proxy:{name}"));
        add["containers"][0]["placement"]["order"] = json!({"before": ["*"]});
        add["volumes"][0]["volume"]["name"] = json!(format!("agent-{name}"));
        add["containers"][0]["container"]["volumeMounts"][0]["name"] = json!(format!("agent-{name}"));
        add["patchContainers"][0]["mounts"][0]["mount"]["name"] = json!(format!("agent-{name}"));
        add["patchContainers"][0]["env"] = json!([{"name": "REVISION", "value": name, "onExisting": "Replace"}]);
        add["probeRewrite"]["path"] = json!(format!("/{name}/{{container}}/{{probe}}"));
        json!({"name": name, "weight": weight, "add": add})
    };
    json!({"revisions": {"default": default, "items": [revision("v24", 0), revision("v25", weight)]}})
}

#[test]
fn c6_a_copy_of_a_pod_with_an_old_revision_has_only_the_new_one() -> Result<()> {
    with_both("c6", revisions("v24", 0), add_extra, |stage, api| {
        let old = create(api, "c6", &pod("old"))?;
        assert!(old["spec"].to_string().contains("v24"), "{old}");
        stage.apply(&document("c6", revisions("v25", 0)), 1.0)?;
        until_pod(api, "c6", &pod("a"), |pod| pod["spec"].to_string().contains("init-v25"))?;
        let mut copy =
            json!({"metadata": {"name": "copy", "annotations": old["metadata"]["annotations"]}, "spec": old["spec"]});
        copy["spec"]["nodeName"] = json!("node");
        let proxy = place(&copy, "mesh-proxy");
        if let Some(env) = copy["spec"]["initContainers"][proxy]["env"].as_array_mut() {
            env.push(json!({"name": "MINE", "value": "1"}));
        }
        let stored = create(api, "c6", &copy)?;
        assert!(!stored["spec"].to_string().contains("v24"), "{stored}");
        // Nothing is said of their order.
        let added: BTreeSet<_> = names(&stored, "initContainers").into_iter().collect();
        assert_eq!(added, ["init-v25", "mesh-proxy"].into(), "{stored}");
        assert_eq!(names(&stored, "volumes"), ["agent-v25"], "{stored}");
        let proxy = container(&stored, "mesh-proxy");
        assert_eq!((count(proxy, "env", "MINE"), count(proxy, "env", "PROBES")), (1, 1), "{proxy}");
        assert!(proxy["env"].to_string().contains("/live"), "the original probes are known: {proxy}");
        for name in ["app", "extra"] {
            let path = format!("/v25/{name}/livenessProbe");
            assert_eq!(container(&stored, name)["livenessProbe"]["httpGet"]["path"], json!(path));
        }
        Ok(())
    })
}

#[test]
fn c8_both_passes_of_an_admission_choose_the_same_revision() -> Result<()> {
    with_both("c8", revisions("v24", 50), add_extra, |_, api| {
        let mut chosen = [0, 0];
        for number in 0..24 {
            let mut owned = pod(&format!("b-{number}"));
            let owner = format!("w-{number}");
            owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner, "uid": owner, "controller": true}]);
            let stored = api.post("/api/v1/namespaces/c8/pods?dryRun=All", &owned)?.done()?;
            let text = stored["spec"].to_string();
            let has = ["v24", "v25"].map(|name| usize::from(text.contains(name)));
            assert_eq!(has.iter().sum::<usize>(), 1, "{stored}");
            assert_eq!(count(container(&stored, "extra"), "env", "REVISION"), 1, "{stored}");
            chosen = [chosen[0] + has[0], chosen[1] + has[1]];
        }
        assert!(chosen.iter().all(|chosen| *chosen > 0), "{chosen:?}");
        Ok(())
    })
}

#[test]
fn what_is_applied_twice_does_not_change_though_another_webhook_has_its_say() -> Result<()> {
    // A probe that was rewritten would be set back by whoever applies it again, which the API server refuses.
    let mut plain = mesh();
    plain["add"]["probeRewrite"] = Value::Null;
    with_both("twice", plain, insert_mesh, |stage, api| {
        let kubectl = stage.plane.kubectl()?;
        let mut alone = pod("alone");
        alone["metadata"]["namespace"] = json!("twice");
        let arguments = ["apply", "--server-side", "-f", "-"];
        let path = "/api/v1/namespaces/twice/pods/alone";
        kubectl.run_with_input(&arguments, &alone.to_string())?;
        let first = until(SOON, || Ok(Some(api.get(path)?).filter(|answer| answer.status == 200)))?.done()?;
        let again = kubectl.run_with_input(&arguments, &alone.to_string())?;
        anyhow::ensure!(again.succeeded, "{}", again.stderr);
        let second = api.get(path)?.done()?;
        assert_eq!(second["spec"], first["spec"]);
        assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"], "nothing was written");
        let said = kubectl.run_with_input(&["diff", "--server-side", "-f", "-"], &alone.to_string())?;
        anyhow::ensure!(said.succeeded, "{}{}", said.stdout, said.stderr);
        Ok(())
    })
}
