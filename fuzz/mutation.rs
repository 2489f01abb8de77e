//! What must hold of mutation for any pod and any value of an override. The fuzz target and `tests/fuzz.rs` call the same.

use std::sync::{Arc, OnceLock};

use portcullis::engine::Unread;
use portcullis::engine::mutation::document::Document;
use portcullis::engine::mutation::{Active, Documents, Rules, World, mutate};
use portcullis::engine::pod_security::{Level, LevelVersion};
use portcullis::manifest::{Documents as Texts, objects, parse};
use serde_json::{Value, json};

const READY_MADE: [&str; 10] = [
    include_str!("../policies/adapter/policy.yaml"),
    include_str!("../policies/ambassador/policy.yaml"),
    include_str!("../policies/edge/policy.yaml"),
    include_str!("../policies/gpu/policy.yaml"),
    include_str!("../policies/guaranteed-qos/policy.yaml"),
    include_str!("../policies/log-shipper/policy.yaml"),
    include_str!("../policies/mesh-proxy/policy.yaml"),
    include_str!("../policies/resource-defaults/policy.yaml"),
    include_str!("../policies/restricted-defaults/policy.yaml"),
    include_str!("../policies/wait-for/policy.yaml"),
];

/// Every kind of override, and every kind of edit that the ready-made documents do not show.
const OPEN: &str = "\
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: open}
spec:
  conflicts: {containerName: Skip, volumeName: Rename, port: Remap, uid: Warn, order: Warn, other: Warn}
  overrides:
    prefix: open.example.com/
    onInvalid: Warn
    fields:
      - {key: cpu, container: open, set: {request: cpu}, type: {quantity: {min: 5m, max: '2'}}}
      - {key: memory, container: open, set: {limit: memory}, type: {quantity: {}}}
      - {key: workers, container: open, set: {env: WORKERS}, type: {integer: {}}}
      - {key: level, container: open, set: {env: LEVEL}, type: {enum: {values: [info, debug]}}}
      - {key: title, container: open, set: {env: TITLE}, type: {text: {maxLength: 4096}}}
      - {key: image, container: open, set: image, type: {image: {allow: ['**']}}}
  add:
    containers:
      - container:
          name: open
          image: registry.example.com/open:1
          ports: [{name: open, containerPort: 2020}]
          volumeMounts: [{name: open, mountPath: /open}]
        env: [{name: TEAM, from: {podLabel: team}, default: none}]
        reserves: {ports: [2020], uid: 4040}
        resources: {requests: {cpu: {percent: 10, min: 10m}, memory: 16Mi}}
    volumes:
      - volume: {name: open, emptyDir: {}}
    patchContainers:
      - select: {initContainers: true}
        env:
          - {name: FIRST, value: '1', position: First}
          - {name: PATH, value: /open, onExisting: Append, separator: ':'}
        mounts: [{mount: {name: open, mountPath: /open}}]
    probeRewrite: {container: open, port: 2020, path: '/{container}/{probe}', variable: PROBES}
    pod: {labels: {open: yes-it-is}, defaultContainer: true, terminationGracePeriodAtLeast: 40, imagePullSecrets: [pull]}
";

/// The overrides of [`OPEN`].
const KEYS: [&str; 6] = ["cpu", "memory", "workers", "level", "title", "image"];

/// The input is a pod's JSON and, behind the last line end, the value of all overrides. Nothing panics; the same input gives the same
/// bytes; a patch, applied by an independent reader of RFC 6902, gives the result; and a second pass over that changes nothing.
pub fn a_pod_is_mutated(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (pod, value) = text.rsplit_once('\n').unwrap_or((&text, ""));
    for set in sets() {
        let _ = carried_out(pod, set);
    }
    // A reader that keeps the last of two members of a name would see another pod than one that keeps the first.
    let Ok(mut pod) = serde_json::from_str::<Value>(pod) else { return };
    if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.extend(KEYS.map(|key| (format!("open.example.com/{key}"), json!(value))));
    }
    let text = pod.to_string();
    for set in sets() {
        let (result, patch) = carried_out(&text, set);
        let Some(patch) = patch else { continue };
        assert_eq!(carried_out(&text, set).1.as_ref(), Some(&patch));
        let mut patched = pod.clone();
        let operations: json_patch::Patch = serde_json::from_str(&patch).expect("operations");
        json_patch::patch(&mut patched, &operations).expect("a patch that applies");
        assert_eq!(patched, serde_json::from_str::<Value>(&result).expect("a pod that is JSON"));
        let (again, patch) = carried_out(&result, set);
        assert_eq!(patch, None, "{pod}\nbecomes\n{result}\nand then\n{again}");
    }
}

/// The pod as it would be, and the patch that leads there.
fn carried_out(pod: &str, documents: &Documents) -> (String, Option<String>) {
    let candidates = documents.candidates(|_| None);
    let world = World { namespace: "fuzzed", has_native_sidecars: true, ..World::default() };
    let enforced = LevelVersion { level: Level::Privileged, ..LevelVersion::default() };
    let mutated = mutate(Unread::of(pod), Rules { documents, candidates: &candidates, world: &world, enforced });
    (mutated.pod.to_json().into_owned(), mutated.patch.as_ref().map(|patch| patch.json().to_owned()))
}

/// Each file of documents by itself, for whatever pod; and the ready-made ones together.
fn sets() -> &'static [Documents] {
    static SETS: OnceLock<Vec<Documents>> = OnceLock::new();
    SETS.get_or_init(|| {
        let each = READY_MADE.into_iter().chain([OPEN]).map(compiled);
        let together = READY_MADE.into_iter().flat_map(compiled).collect();
        each.chain([together]).map(Documents::new).collect()
    })
}

fn compiled(text: &str) -> Vec<Arc<Active>> {
    let mut active = Vec::new();
    for text in Texts::new(text.as_bytes()) {
        let text = text.expect("a text");
        for object in objects(&text, parse(&text).expect("YAML")) {
            let mut json = Vec::new();
            object.expect("an object").node.write_json(&mut json);
            let mut document: Value = serde_json::from_slice(&json).expect("JSON");
            document["spec"]["mode"] = json!("Always");
            document["spec"]["match"] = json!({});
            let document = Document::read(&document.to_string()).expect("a document");
            active.push(Arc::new(Active::compile(&document).expect("no flaws")));
        }
    }
    active
}
