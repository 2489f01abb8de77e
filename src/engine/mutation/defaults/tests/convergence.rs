//! Random pods and random documents: the second pass over what the API server has completed gives no patch, the pod stays one that the API
//! takes, and nothing that the user wrote is lost.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::{LimitRange, World, arrived, compiled, pass, world};
use crate::engine::mutation::Node;
use crate::engine::mutation::check::{self, Harmless, Standard};
use crate::engine::mutation::resources::{QosClass, Requirements, class_of};
use crate::engine::pod_security::{Level, LevelVersion};

fn object(fields: Vec<(&'static str, Option<Value>)>) -> Value {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<String, Value>>())
}

fn maybe(values: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    prop::option::of(select(values))
}

fn resources() -> impl Strategy<Value = Value> {
    let amount = || maybe(vec![json!("100m"), json!("0.5"), json!(1), json!("2")]);
    let bytes = || maybe(vec![json!("32Mi"), json!("64Mi"), json!(1e9), json!("1.5Gi")]);
    let gpu = maybe(vec![json!("1")]);
    (amount(), amount(), bytes(), bytes(), gpu).prop_map(|(cpu, cpu_limit, memory, memory_limit, gpu)| {
        let mut resources = json!({
            "requests": object(vec![("cpu", cpu), ("memory", memory)]),
            "limits": object(vec![("cpu", cpu_limit), ("memory", memory_limit), ("nvidia.com/gpu", gpu)]),
        });
        // The API takes no request above its limit.
        let written = Requirements::written_in(&Node::new(json!({"resources": resources}).to_string()));
        for (resource, limit) in &written.limits {
            if written.requests.get(resource).is_some_and(|request| request > limit) {
                resources["requests"][resource] = resources["limits"][resource].clone();
            }
        }
        resources
    })
}

fn security() -> impl Strategy<Value = Value> {
    let flag = || maybe(vec![json!(true), json!(false)]);
    let names = || maybe(vec![json!(["NET_RAW"]), json!(["ALL"]), json!(["SYS_ADMIN", "MKNOD"])]);
    (flag(), flag(), maybe(vec![json!(0), json!(1000)]), names(), names(), maybe(vec![json!({"type": "Unconfined"})]))
        .prop_map(|(non_root, read_only, user, add, drop, seccomp)| {
            let capabilities = (add.is_some() || drop.is_some()).then(|| object(vec![("add", add), ("drop", drop)]));
            object(vec![
                ("runAsNonRoot", non_root),
                ("readOnlyRootFilesystem", read_only),
                ("runAsUser", user),
                ("capabilities", capabilities),
                ("seccompProfile", seccomp),
            ])
        })
}

fn container(prefix: &'static str) -> impl Strategy<Value = Value> {
    let probe = maybe(vec![
        json!({"httpGet": {"port": 80}}),
        json!({"tcpSocket": {"port": "web"}, "terminationGracePeriodSeconds": 3}),
    ]);
    let mounts = maybe(vec![json!([{"name": "v", "mountPath": "/tmp/"}]), json!([{"name": "v", "mountPath": "/var"}])]);
    (0..1000_u32, resources(), prop::option::of(security()), probe, mounts).prop_map(
        move |(number, resources, security, probe, mounts)| {
            object(vec![
                ("name", Some(json!(format!("{prefix}{number}")))),
                ("image", Some(json!("i"))),
                ("resources", Some(resources)),
                ("securityContext", security),
                ("livenessProbe", probe.filter(|_| prefix == "c")),
                ("volumeMounts", mounts),
                ("future", Some(json!({"x": [1]}))),
            ])
        },
    )
}

fn pod() -> impl Strategy<Value = Value> {
    let tolerations = maybe(vec![json!([{"operator": "Exists"}]), json!([{"key": "spot", "operator": "Exists"}])]);
    let term = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]});
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term, {"matchExpressions": []}]}});
    (
        prop::collection::vec(container("c"), 1..4),
        prop::collection::vec(container("i"), 0..3),
        prop::option::of(security()),
        tolerations,
        maybe(vec![json!({"nodeAffinity": required})]),
        maybe(vec![json!("high"), json!("")]),
        maybe(vec![json!({"requests": {"cpu": "1"}}), json!({"limits": {"cpu": "4", "memory": "4Gi"}})]),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(mut containers, mut inits, security, tolerations, affinity, class, own, (has_native, is_host))| {
                for (index, container) in containers.iter_mut().chain(&mut inits).enumerate() {
                    container["name"] = json!(format!("n{index}"));
                }
                if let (true, Some(init)) = (has_native, inits.first_mut()) {
                    init["restartPolicy"] = json!("Always");
                }
                let owner = json!([{"kind": "ReplicaSet", "name": "w", "controller": true}]);
                let spec = object(vec![
                    ("containers", Some(json!(containers))),
                    ("initContainers", Some(json!(inits))),
                    ("volumes", Some(json!([{"name": "v"}]))),
                    (
                        "securityContext",
                        security.map(|mut context| {
                            if let Some(members) = context.as_object_mut() {
                                members.retain(|field, _| field != "readOnlyRootFilesystem" && field != "capabilities");
                            }
                            context
                        }),
                    ),
                    ("tolerations", tolerations),
                    ("affinity", affinity),
                    ("priorityClassName", class),
                    ("resources", own),
                    ("hostNetwork", is_host.then_some(json!(true))),
                ]);
                json!({"metadata": {"labels": {"pod-template-hash": "5d"}, "ownerReferences": owner}, "spec": spec})
            },
        )
}

fn amounts() -> impl Strategy<Value = Value> {
    let request = maybe(vec![json!("100m"), json!("1"), json!({"fromLimit": "0.5"})]);
    let limit = maybe(vec![json!("1"), json!({"fromRequest": 2, "round": "7m"}), json!("4")]);
    let memory = maybe(vec![json!({"fromRequest": "1.5"}), json!("2Gi")]);
    (request, limit, memory).prop_map(|(request, limit, memory)| {
        let is_cycle = request.as_ref().is_some_and(Value::is_object) && limit.as_ref().is_some_and(Value::is_object);
        json!({
            "requests": object(vec![("cpu", request.filter(|_| !is_cycle)), ("memory", Some(json!("48Mi")))]),
            "limits": object(vec![("cpu", limit), ("memory", memory)]),
        })
    })
}

fn document() -> impl Strategy<Value = Value> {
    let parts = vec!["resources", "security", "probes", "scheduling", "dns", "pod"];
    let above = select(vec!["RaiseLimit", "OmitLimit"]);
    let skip = subsequence(vec!["PodLevelResources", "ExtendedResources"], 0..=2);
    let root = select(vec!["WhenUserIsKnown", "Always"]);
    (subsequence(parts, 1..=6), amounts(), amounts(), above, skip, root, any::<(bool, bool, bool)>()).prop_map(
        |(parts, containers, inits, above, skip, root, (guaranteed, drop_all, has_names))| {
            let names = if has_names { json!({"exclude": ["n1"]}) } else { json!({}) };
            let whole = json!({
                "resources": {"containers": containers, "initContainers": inits, "requestAboveDefaultLimit": above,
                              "skipWhen": skip, "guaranteed": guaranteed, "names": names},
                "security": {"containers": names, "seccompProfile": "RuntimeDefault", "runAsNonRoot": root, "denyPrivilegeEscalation": true,
                             "capabilities": {"dropAll": drop_all, "drop": ["NET_RAW", "MKNOD"]},
                             "readOnlyRootFilesystem": {"writable": [{"path": "/tmp", "safeToEvict": true}, {"path": "/var/run"}]},
                             "automountServiceAccountToken": {}},
                "probes": {"readinessFromLiveness": true},
                "scheduling": {"tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
                               "requiredNodeAffinity": [{"key": "arch", "operator": "In", "values": ["amd64"]}],
                               "topologySpread": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
                               "priorityClassName": "batch"},
                "dns": {"options": {"ndots": "2"}},
                "pod": {"labels": {"team": "x"}, "annotations": {"a/b": "c"}, "imagePullSecrets": ["s"]},
            });
            let chosen = parts.into_iter().map(|part| (part.to_owned(), whole[part].clone()));
            Value::Object(chosen.collect())
        },
    )
}

fn limit_range() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(select(vec![
        r#"[{"type":"Container","min":{"cpu":"50m"},"max":{"cpu":"3"},"maxLimitRequestRatio":{"cpu":"4"}}]"#,
        r#"[{"type":"Container","default":{"memory":"1Gi"},"defaultRequest":{"memory":"10Mi"}}]"#,
    ]))
}

/// What is in the one is in the other: members by their names, elements by their order.
fn holds(more: &Value, less: &Value) -> bool {
    match (more, less) {
        (Value::Object(more), Value::Object(less)) => {
            less.iter().all(|(key, value)| more.get(key).is_some_and(|found| holds(found, value)))
        }
        (Value::Array(more), Value::Array(less)) => {
            let mut rest = more.iter();
            less.iter().all(|wanted| rest.any(|found| holds(found, wanted)))
        }
        (more, less) => more == less,
    }
}

/// Without what the defaults are to replace: the number of no priority class, and the token that the plugin has mounted.
fn without_plugins(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let Some(spec) = pod["spec"].as_object_mut() else { return pod };
    for field in ["priority", "preemptionPolicy", "priorityClassName"] {
        spec.remove(field);
    }
    for list in ["volumes", "containers", "initContainers"] {
        for item in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(mounts) = item.get_mut("volumeMounts").and_then(Value::as_array_mut) {
                mounts.retain(|mount| mount["name"] == "v");
            }
        }
    }
    let is_tokens = |volume: &Value| volume["name"].as_str().is_some_and(|name| name.starts_with("kube-api-access-"));
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.retain(|volume| !is_tokens(volume));
    }
    pod
}

/// Requests above their limits, which the LimitRanger itself can bring about.
fn broken_pairs(pod: &Value) -> Vec<String> {
    let lists = ["containers", "initContainers"].into_iter().filter_map(|list| pod["spec"][list].as_array());
    let mut broken = Vec::new();
    for container in lists.flatten() {
        let found = Requirements::written_in(&Node::new(container.to_string()));
        let above = found.limits.iter().filter(|(resource, limit)| found.requests[*resource] > **limit);
        broken.extend(above.map(|(resource, _)| format!("{} {resource}", container["name"])));
    }
    broken
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_went_through_once_gives_no_patch(pod in pod(), spec in document(), limits in limit_range()) {
        let defaults = compiled(&spec);
        let world = World { limit_ranges: limits.into_iter().map(|limits| LimitRange { name: "l", limits }).collect(), ..world() };
        let first = arrived(&pod, &world);
        let (outcome, patch) = pass(&defaults, &first, &world, &[]).expect("warnings alone");
        let next = arrived(&outcome.pod, &world);
        let (again, second) = pass(&defaults, &next, &world, &[]).expect("warnings alone");
        prop_assert!(second.is_none(), "{:?} after {:?}\n{}", second, patch, again.pod);
        prop_assert!(holds(&outcome.pod, &without_plugins(&first)), "{:?} takes something from {first}", patch);
        let (class, before) = (class_of(&Node::new(next.to_string())), class_of(&Node::new(first.to_string())));
        prop_assert!(before != QosClass::Guaranteed || class == QosClass::Guaranteed, "{patch:?}");
        let original = Node::new(first.to_string());
        let mut result = original.clone();
        for field in ["metadata", "spec"] {
            result.set(field, outcome.pod[field].to_string());
        }
        let harmless = Harmless::default();
        let enforced = LevelVersion { level: Level::Restricted, ..LevelVersion::default() };
        let standard = Standard::new(enforced, &harmless).accepting(&original);
        let fault = check::fault(&|| original.clone(), &result, &standard);
        prop_assert!(fault.is_none(), "{:?} by {:?}", fault, patch);
        prop_assert!(broken_pairs(&next).iter().all(|pair| broken_pairs(&first).contains(pair)), "{patch:?}");
    }

    #[test]
    fn a_template_that_went_through_once_gives_no_patch(pod in pod(), spec in document()) {
        let defaults = compiled(&spec);
        let world = World { is_template: true, ..world() };
        let (outcome, patch) = pass(&defaults, &pod, &world, &[]).expect("warnings alone");
        let (_, second) = pass(&defaults, &outcome.pod, &world, &[]).expect("warnings alone");
        prop_assert!(second.is_none(), "{:?} after {:?}", second, patch);
        prop_assert!(holds(&outcome.pod, &pod) || pod["spec"]["priorityClassName"] == "", "{:?}", patch);
    }
}
