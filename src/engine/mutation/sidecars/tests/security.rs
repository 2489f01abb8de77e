//! Groups C, F and H, where they are about conflicts: names, users, rights, ports.

use serde_json::json;

use super::*;

fn with_container(container: Value) -> Value {
    let mut pod = app();
    pod["spec"]["containers"].as_array_mut().expect("a list").push(container);
    pod
}

#[test]
fn c4_a_user_container_named_like_ours_is_denied_with_both_names() {
    let injection = adding(json!({"containers": [sidecar("proxy", json!({}))]}));
    let refused = conflict(&injection, &with_container(json!({"name": "proxy", "image": "mine:1"})));
    assert_eq!((refused.reason, refused.weight), (Reason::ContainerNameTaken, Weight::Denied));
    assert_eq!(refused.about, "container \"proxy\" of the pod and container \"proxy\" of SidecarInjection/mesh");
    let same_image =
        with_container(json!({"name": "proxy", "image": "registry.example/proxy:1", "command": ["sleep"]}));
    assert_eq!(conflict(&injection, &same_image).reason, Reason::ContainerNameTaken);
}

#[test]
fn c4_a_container_with_the_image_auto_is_completed_field_by_field() {
    let injection = with_conflicts(
        json!({"containers": [sidecar("proxy", json!({
            "placement": {"kind": "Container"},
            "container": {"args": ["run"], "env": [{"name": "A", "value": "ours"}, {"name": "B", "value": "ours"}],
                "securityContext": {"runAsUser": 1337}}}))]}),
        json!({"containerName": "MergeAuto"}),
    );
    let mine = json!({"name": "proxy", "image": "auto", "args": ["mine"], "env": [{"name": "A", "value": "mine"}],
        "securityContext": {"readOnlyRootFilesystem": true}});
    let admitted = admit(&injection, &with_container(mine));
    let proxy = admitted.container("proxy");
    assert_eq!((proxy["image"].as_str(), &proxy["args"]), (Some("registry.example/proxy:1"), &json!(["mine"])));
    assert_eq!(admitted.env("proxy"), pairs(&[("A", "mine"), ("B", "ours")]));
    assert_eq!(
        (&proxy["securityContext"]["runAsUser"], &proxy["securityContext"]["readOnlyRootFilesystem"]),
        (&json!(1337), &json!(true))
    );
    assert!(admitted.annotation("portcullis.dev/applied").contains("m/proxy"));
    let mut other_image = admitted.pod.clone();
    container_mut(&mut other_image, "proxy")["image"] = json!("evil:1");
    assert_eq!(conflict(&injection, &other_image).reason, Reason::ContainerNameTaken);
}

#[test]
fn c4_a_container_with_the_image_auto_gets_the_amounts_that_it_lacks_and_keeps_its_own() {
    let ours = json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}});
    let injection = with_conflicts(
        json!({"containers": [sidecar("proxy", json!({"placement": {"kind": "Container"}, "container": {"resources": ours}}))]}),
        json!({"containerName": "MergeAuto"}),
    );
    let completed = |resources: Value| {
        let mine = json!({"name": "proxy", "image": "auto", "resources": resources});
        admit(&injection, &with_container(mine)).container("proxy")["resources"].clone()
    };
    assert_eq!(completed(json!({})), ours);
    let partly = json!({"requests": {"memory": "32Mi"}, "limits": {"cpu": "1"}});
    let expected = json!({"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}});
    assert_eq!(completed(partly), expected);
    // Neither half of a pair that the user has begun breaks it.
    let tight = json!({"requests": {"memory": "1Gi"}, "limits": {"cpu": "10m"}});
    let expected = json!({"requests": {"cpu": "10m", "memory": "1Gi"}, "limits": {"cpu": "10m", "memory": "1Gi"}});
    assert_eq!(completed(tight), expected);
}

#[test]
fn f1_a_sidecar_meets_the_restricted_standard_by_itself() {
    let injection =
        adding(json!({"containers": [sidecar("proxy", json!({}))], "initContainers": [sidecar("init", json!({}))]}));
    let admitted = admit(&injection, &app());
    let expected = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"}});
    for name in ["proxy", "init"] {
        assert_eq!(admitted.container(name)["securityContext"], expected);
    }
    assert!(admitted.pod["spec"]["securityContext"].is_null());
}

#[test]
fn f2_a_container_that_needs_root_conflicts_with_a_pod_that_forbids_it() {
    let needing = |context: Value| {
        adding(
            json!({"initContainers": [sidecar("mesh-init", json!({"security": "AsWritten", "container": {"securityContext": context}}))]}),
        )
    };
    let mut pod = app();
    pod["spec"]["securityContext"] = json!({"runAsNonRoot": true, "runAsUser": 1000});
    let by_user = conflict(&needing(json!({"runAsUser": 0})), &pod);
    assert_eq!((by_user.reason, by_user.about.as_str()), (Reason::NeedsRoot, "container \"mesh-init\""));
    assert!(by_user.reason.text().contains("CNI"));
    let by_capabilities = conflict(&needing(json!({"capabilities": {"add": ["NET_ADMIN"]}})), &pod);
    assert_eq!(by_capabilities.reason, Reason::NeedsRoot);
    let explicit = admit(&needing(json!({"runAsUser": 0, "runAsNonRoot": false})), &pod);
    assert_eq!(explicit.names("initContainers"), ["mesh-init"]);
    admit(&needing(json!({"runAsUser": 0})), &app());
}

#[test]
fn f2_a_container_that_forbids_root_conflicts_with_a_pod_that_is_roots() {
    let mut pod = app();
    pod["spec"]["securityContext"] = json!({"runAsUser": 0});
    let refused = conflict(&adding(json!({"containers": [sidecar("proxy", json!({}))]})), &pod);
    assert_eq!((refused.reason, refused.about.as_str()), (Reason::InheritsRoot, "container \"proxy\""));
    let with_user = json!({"container": {"securityContext": {"runAsUser": 65532}}});
    admit(&adding(json!({"containers": [sidecar("proxy", with_user)]})), &pod);
    admit(&adding(json!({"containers": [sidecar("proxy", json!({"security": "AsWritten"}))]})), &pod);
    let of_namespace = adding(json!({"containers": [sidecar("proxy", json!({"userOfNamespace": true}))]}));
    assert_eq!(conflict(&of_namespace, &pod).reason, Reason::InheritsRoot);
    let range = [("openshift.io/sa.scc.uid-range", "1000680000/10000")].into();
    Cluster { namespace_annotations: range, ..Cluster::default() }.admit(&[&of_namespace], &pod);
}

#[test]
fn f3_the_sidecars_user_is_nobody_elses() {
    let add = json!({"containers": [sidecar("proxy", json!({"reserves": {"uid": 1337}, "container": {"securityContext": {"runAsUser": 1337}}}))]});
    let injection = adding(add.clone());
    let mut by_pod = app();
    by_pod["spec"]["securityContext"] = json!({"runAsUser": 1337});
    let mut by_container = app();
    by_container["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 1337});
    for pod in [&by_pod, &by_container] {
        let refused = conflict(&injection, pod);
        assert_eq!(
            (refused.reason, refused.about.as_str()),
            (Reason::UidTaken, "container \"app\", user 1337 of container \"proxy\"")
        );
    }
    by_pod["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 1000});
    admit(&injection, &by_pod);
    let warned = admit(&with_conflicts(add, json!({"uid": "Warn"})), &by_container);
    assert_eq!(warned.reasons(), [(Reason::UidTaken, Weight::Warning)]);
}

#[test]
fn f3_a_namespaces_range_gives_the_user_where_it_is_asked_for() {
    let injection = adding(json!({"containers": [sidecar("proxy", json!({"userOfNamespace": true}))]}));
    let shift = Cluster {
        namespace_annotations: [("openshift.io/sa.scc.uid-range", "1000680000/10000")].into(),
        ..Cluster::default()
    };
    assert_eq!(shift.admit(&[&injection], &app()).container("proxy")["securityContext"]["runAsUser"], 1_000_680_000);
    assert!(admit(&injection, &app()).container("proxy")["securityContext"]["runAsUser"].is_null());
}

fn reserving(conflicts: Value) -> Injection {
    with_conflicts(
        json!({
            "containers": [sidecar("proxy", json!({
                "reserves": {"ports": [15020, 15021]},
                "container": {
                    "ports": [{"containerPort": 15020}],
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 15020}},
                    "env": [{"name": "PORT", "value": "15020"}, {"name": "LISTEN", "value": "127.0.0.1:15020"}, {"name": "N", "value": "115020"}]}}))],
            "probeRewrite": {"container": "proxy", "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES"},
            "patchContainers": [{"env": [{"name": "PROXY", "value": "localhost:15020"}]}],
        }),
        conflicts,
    )
}

#[test]
fn h3_a_port_in_use_is_a_conflict_that_names_its_holder() {
    let injection = reserving(json!({}));
    let refusal = |fields: Value| {
        let mut pod = app();
        merge(&mut pod["spec"]["containers"][0], fields);
        let refused = conflict(&injection, &pod);
        assert_eq!(refused.reason, Reason::PortTaken);
        refused.about
    };
    let by_port = refusal(json!({"ports": [{"containerPort": 15020}]}));
    assert_eq!(by_port, "port 15020 of container \"proxy\", used by container \"app\"");
    let by_probe = refusal(json!({"livenessProbe": {"tcpSocket": {"port": 15021}}}));
    assert_eq!(by_probe, "port 15021 of container \"proxy\", used by a probe of container \"app\"");
    let by_host = refusal(json!({"ports": [{"containerPort": 80, "hostPort": 15021}]}));
    assert_eq!(by_host, "port 15021 of container \"proxy\", used by container \"app\"");
    let other = named_document(
        "other",
        &json!({"add": {"containers": [sidecar("other", json!({"reserves": {"ports": [15021]}}))]}}),
    );
    let refused = Cluster::default().pass(&[&other.expect("a document"), &injection], &app()).expect_err("a conflict");
    assert_eq!(refused.about, "port 15021 of container \"proxy\", used by container \"other\"");
}

#[test]
fn h3_a_port_that_is_declared_is_taken_as_one_that_is_reserved_is() {
    let declaring =
        |port: Value| adding(json!({"containers": [sidecar("proxy", json!({"container": {"ports": [port]}}))]}));
    let with = |fields: Value| {
        let mut pod = app();
        merge(&mut pod["spec"]["containers"][0], fields);
        pod
    };
    let injection = declaring(json!({"containerPort": 2020}));
    let in_use = [
        json!({"ports": [{"containerPort": 2020}]}),
        json!({"livenessProbe": {"httpGet": {"port": 2020}}}),
        json!({"livenessProbe": {"tcpSocket": {"port": "2020"}}}),
    ];
    for fields in in_use {
        assert_eq!(conflict(&injection, &with(fields)).reason, Reason::PortTaken);
    }
    let answering = adding(json!({
        "containers": [sidecar("proxy", json!({}))],
        "probeRewrite": {"container": "proxy", "port": 2020, "path": "/{container}/{probe}", "variable": "P"},
    }));
    let refused = conflict(&answering, &with(json!({"ports": [{"containerPort": 2020}]})));
    assert_eq!(refused.about, "port 2020 of container \"proxy\", used by container \"app\"");
    // Of two protocols each has the port.
    admit(&injection, &with(json!({"ports": [{"containerPort": 2020, "protocol": "UDP"}]})));
    let dns = declaring(json!({"containerPort": 53, "protocol": "UDP"}));
    admit(
        &dns,
        &with(json!({"ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "SCTP"}]})),
    );
    assert_eq!(
        conflict(&dns, &with(json!({"ports": [{"containerPort": 53, "protocol": "UDP"}]}))).reason,
        Reason::PortTaken
    );
}

#[test]
fn h3_a_port_that_moves_takes_everything_with_it() {
    let mut pod = app();
    merge(
        &mut pod["spec"]["containers"][0],
        json!({
        "ports": [{"containerPort": 15020}, {"containerPort": 15022}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": 80}}}),
    );
    let admitted = admit(&reserving(json!({"port": "Remap"})), &pod);
    let proxy = admitted.container("proxy");
    assert_eq!(proxy["ports"][0]["containerPort"], 15023);
    assert_eq!(proxy["readinessProbe"]["httpGet"]["port"], 15023);
    assert_eq!(admitted.env("proxy")[..3], pairs(&[("PORT", "15023"), ("LISTEN", "127.0.0.1:15023"), ("N", "115020")]));
    assert_eq!(admitted.container("app")["livenessProbe"]["httpGet"]["port"], 15023);
    assert_eq!(admitted.env("app"), pairs(&[("PROXY", "localhost:15023")]));
}

#[test]
fn h3_a_port_that_a_rewritten_probe_asks_through_us_is_still_in_use() {
    let probes = [
        (json!({"tcpSocket": {"port": 15021}}), 15020),
        (json!({"grpc": {"port": 15020}}), 15022),
        (json!({"httpGet": {"port": 15020}}), 15022),
    ];
    for (probe, expected) in probes {
        let mut pod = app();
        pod["spec"]["containers"][0]["livenessProbe"] = probe;
        // The second pass, in which the probe asks us, must come to the same ports.
        let admitted = admit(&reserving(json!({"port": "Remap"})), &pod);
        assert_eq!(admitted.container("proxy")["ports"][0]["containerPort"], expected);
    }
}
