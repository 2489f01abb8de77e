//! Documents that hold as much of Kubernetes as documents can, and every small thing that can be wrong with them.

use serde_json::{Map, Value, json};

/// A `SidecarInjection` spec with some of everything.
pub fn injection() -> Value {
    json!({
        "mode": "Always",
        "add": {
            "initContainers": [{"container": init(), "security": "AsWritten"}],
            "containers": [{"container": sidecar(), "security": "AsWritten", "placement": {"kind": "Native"}}],
            "volumes": volumes().as_array().into_iter().flatten().map(|volume| json!({"volume": volume})).collect::<Vec<_>>(),
            "patchContainers": [{
                "env": [
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}},
                ],
                "mounts": [{"mount": {"name": "empty", "mountPath": "/shared", "readOnly": true, "recursiveReadOnly": "IfPossible"}}],
            }],
            "pod": {
                "labels": {"example.com/a": "b"}, "annotations": {"example.com/c": "any text"},
                "imagePullSecrets": ["pull"], "terminationGracePeriodAtLeast": 45,
            },
        },
    })
}

fn init() -> Value {
    json!({
        "name": "setup", "image": "registry.example.com/setup:1", "command": ["setup"], "args": ["--all"], "workingDir": "/work",
        "envFrom": [{"prefix": "A_", "configMapRef": {"name": "c", "optional": true}}, {"secretRef": {"name": "s"}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi", "example.com/device": "2"}},
        "volumeDevices": [{"name": "claim", "devicePath": "/dev/a"}],
        "terminationMessagePath": "/dev/log", "terminationMessagePolicy": "FallbackToLogsOnError",
        "stdin": true, "stdinOnce": true, "tty": true,
    })
}

fn sidecar() -> Value {
    json!({
        "name": "side", "image": "registry.example.com/side:1", "imagePullPolicy": "IfNotPresent",
        "ports": [
            {"name": "web", "containerPort": 9100, "protocol": "TCP"},
            {"name": "dns", "containerPort": 9053, "protocol": "UDP", "hostPort": 9053, "hostIP": "127.0.0.1"},
        ],
        "env": [
            {"name": "PLAIN", "value": "a"},
            {"name": "FIELD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['app']"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"containerName": "side", "resource": "limits.cpu", "divisor": "1m"}}},
            {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/live", "port": "web", "scheme": "HTTP", "host": "localhost", "httpHeaders": [{"name": "X-A", "value": "b"}]},
            "initialDelaySeconds": 1, "timeoutSeconds": 2, "periodSeconds": 3, "successThreshold": 1, "failureThreshold": 4,
            "terminationGracePeriodSeconds": 5,
        },
        "readinessProbe": {"tcpSocket": {"port": 9100, "host": "localhost"}, "successThreshold": 2},
        "startupProbe": {"grpc": {"port": 9100, "service": "health"}},
        "lifecycle": {
            "postStart": {"exec": {"command": ["true"]}},
            "preStop": {"sleep": {"seconds": 5}},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false, "appArmorProfile": {"type": "Localhost", "localhostProfile": "p"},
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}, "privileged": false, "procMount": "Default",
            "readOnlyRootFilesystem": true, "runAsGroup": 3000, "runAsNonRoot": true, "runAsUser": 1000,
            "seLinuxOptions": {"level": "s0", "role": "r", "type": "t", "user": "u"},
            "seccompProfile": {"type": "Localhost", "localhostProfile": "p/a.json"},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "1Gi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
        "volumeMounts": [
            {"name": "empty", "mountPath": "/data", "subPath": "a/b", "mountPropagation": "None"},
            {"name": "map", "mountPath": "/map", "readOnly": true, "subPathExpr": "$(PLAIN)"},
        ],
    })
}

fn volumes() -> Value {
    json!([
        {"name": "empty", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        {"name": "map", "configMap": {"name": "c", "defaultMode": 420, "optional": true, "items": [{"key": "k", "path": "a/k", "mode": 384}]}},
        {"name": "secret", "secret": {"secretName": "s", "defaultMode": 256, "items": [{"key": "k", "path": "k"}]}},
        {"name": "told", "downwardAPI": {"defaultMode": 420, "items": [
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
            {"path": "cpu", "mode": 256, "resourceFieldRef": {"containerName": "side", "resource": "requests.memory", "divisor": "1Mi"}},
        ]}},
        {"name": "projected", "projected": {"defaultMode": 420, "sources": [
            {"secret": {"name": "s", "items": [{"key": "k", "path": "s"}]}},
            {"configMap": {"name": "c", "optional": true}},
            {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"serviceAccountToken": {"audience": "a", "expirationSeconds": 3600, "path": "token"}},
            {"clusterTrustBundle": {"name": "bundle", "path": "ca.pem", "optional": true}},
        ]}},
        {"name": "host", "hostPath": {"path": "/var/log", "type": "DirectoryOrCreate"}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "data", "readOnly": false}},
        {"name": "made", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": "1Gi"}}, "selector": {"matchLabels": {"a": "b"}},
        }}}},
        {"name": "network", "nfs": {"server": "files.example.com", "path": "/a", "readOnly": true}},
        {"name": "driver", "csi": {"driver": "csi.example.com", "fsType": "ext4", "readOnly": true, "volumeAttributes": {"a": "b"}, "nodePublishSecretRef": {"name": "s"}}},
        {"name": "ebs", "awsElasticBlockStore": {"volumeID": "v", "fsType": "ext4", "partition": 1, "readOnly": true}},
        {"name": "azure-disk", "azureDisk": {"diskName": "d", "diskURI": "https://a.blob.core.windows.net/d", "cachingMode": "None", "fsType": "ext4", "kind": "Shared", "readOnly": true}},
        {"name": "azure-file", "azureFile": {"secretName": "s", "shareName": "h", "readOnly": true}},
        {"name": "ceph", "cephfs": {"monitors": ["a"], "path": "/", "user": "u", "secretFile": "/f", "secretRef": {"name": "s"}, "readOnly": true}},
        {"name": "cinder", "cinder": {"volumeID": "v", "fsType": "ext4", "readOnly": true, "secretRef": {"name": "s"}}},
        {"name": "channel", "fc": {"targetWWNs": ["a"], "lun": 1, "fsType": "ext4", "readOnly": true}},
        {"name": "flex", "flexVolume": {"driver": "d/e", "fsType": "ext4", "secretRef": {"name": "s"}, "readOnly": true, "options": {"a": "b"}}},
        {"name": "flocker", "flocker": {"datasetName": "d"}},
        {"name": "disk", "gcePersistentDisk": {"pdName": "d", "fsType": "ext4", "partition": 1, "readOnly": true}},
        {"name": "git", "gitRepo": {"repository": "r", "revision": "v", "directory": "d"}},
        {"name": "gluster", "glusterfs": {"endpoints": "e", "path": "/p", "readOnly": true}},
        {"name": "iscsi", "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:a", "lun": 1, "iscsiInterface": "default", "fsType": "ext4", "readOnly": true, "portals": ["10.0.0.2:3260"], "chapAuthDiscovery": true, "secretRef": {"name": "s"}, "initiatorName": "iqn.2001-04.com.example:b"}},
        {"name": "photon", "photonPersistentDisk": {"pdID": "p", "fsType": "ext4"}},
        {"name": "portworx", "portworxVolume": {"volumeID": "v", "fsType": "ext4", "readOnly": true}},
        {"name": "quobyte", "quobyte": {"registry": "a:1", "volume": "v", "readOnly": true, "user": "u", "group": "g", "tenant": "t"}},
        {"name": "rbd", "rbd": {"monitors": ["m"], "image": "i", "fsType": "ext4", "pool": "p", "user": "u", "keyring": "k", "secretRef": {"name": "s"}, "readOnly": true}},
        {"name": "scale", "scaleIO": {"gateway": "g", "system": "s", "secretRef": {"name": "s"}, "sslEnabled": true, "volumeName": "v", "fsType": "xfs"}},
        {"name": "storageos", "storageos": {"volumeName": "v", "volumeNamespace": "n", "fsType": "ext4", "readOnly": true, "secretRef": {"name": "s"}}},
        {"name": "vsphere", "vsphereVolume": {"volumePath": "[a] b", "fsType": "ext4"}},
        {"name": "image", "image": {"reference": "registry.example.com/files:1", "pullPolicy": "IfNotPresent"}},
    ])
}

/// A `PodDefaults` spec with some of everything that is Kubernetes' own.
pub fn defaults() -> Value {
    json!({
        "mode": "Always",
        "scheduling": {
            "tolerations": [
                {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 60},
                {"key": "c", "operator": "Exists", "effect": "NoSchedule"},
            ],
            "requiredNodeAffinity": [{"key": "example.com/a", "operator": "In", "values": ["b"]}],
            "topologySpread": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2, "nodeTaintsPolicy": "Honor"}],
        },
        "pod": {"labels": {"example.com/a": "b"}, "annotations": {"example.com/c": "any text"}, "imagePullSecrets": ["pull"]},
    })
}

/// The pod that a cluster would be asked for by an injection, put together by hand: what is Kubernetes' own, and nothing of ours.
pub fn pod_with_injection(spec: &Value) -> Value {
    let of = |list: &str| spec["add"][list].as_array().into_iter().flatten();
    let mut sidecar = spec["add"]["containers"][0]["container"].clone();
    if let Some(sidecar) = sidecar.as_object_mut() {
        sidecar.insert("restartPolicy".to_owned(), json!("Always"));
    }
    let inits: Vec<Value> = of("initContainers").map(|init| init["container"].clone()).chain([sidecar]).collect();
    let volumes: Vec<Value> = of("volumes").map(|added| added["volume"].clone()).collect();
    let patch = &spec["add"]["patchContainers"][0];
    let mut app = json!({"name": "app", "image": "app:1"});
    app["env"] = patch["env"].clone();
    app["volumeMounts"] =
        patch["mounts"].as_array().into_iter().flatten().map(|edit| edit["mount"].clone()).collect::<Vec<_>>().into();
    let added = &spec["add"]["pod"];
    let mut metadata = json!({"name": "p"});
    let mut pod =
        json!({"containers": [app], "initContainers": inits, "volumes": volumes, "terminationGracePeriodSeconds": 45});
    carry(&mut metadata, &mut pod, added);
    json!({"metadata": metadata, "spec": pod})
}

/// The same of defaults.
pub fn pod_with_defaults(spec: &Value) -> Value {
    let scheduling = &spec["scheduling"];
    let terms = json!([{"matchExpressions": scheduling["requiredNodeAffinity"]}]);
    let mut metadata = json!({"name": "p"});
    let mut pod = json!({
        "containers": [{"name": "app", "image": "app:1"}],
        "tolerations": scheduling["tolerations"],
        "topologySpreadConstraints": scheduling["topologySpread"],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}},
    });
    carry(&mut metadata, &mut pod, &spec["pod"]);
    json!({"metadata": metadata, "spec": pod})
}

fn carry(metadata: &mut Value, pod: &mut Value, added: &Value) {
    for field in ["labels", "annotations"] {
        if !added[field].is_null() {
            metadata[field] = added[field].clone();
        }
    }
    let secrets = added["imagePullSecrets"].as_array().into_iter().flatten();
    pod["imagePullSecrets"] = secrets.map(|name| json!({"name": name})).collect::<Vec<_>>().into();
}

/// A change to a value, and where.
pub struct Variant {
    pub number: usize,
    pub at: String,
    pub spec: Value,
}

/// Every variant of `spec` with one small thing changed somewhere below these pointers.
pub fn variants(spec: &Value, below: &[String]) -> Vec<Variant> {
    let mut places = Vec::new();
    for pointer in below {
        if let Some(value) = spec.pointer(pointer) {
            collect(value, pointer, &mut places);
        }
    }
    let change = |(number, (at, value)): (usize, (String, Value))| {
        let mut changed = spec.clone();
        *changed.pointer_mut(&at).expect("a place") = value.clone();
        let text = value.to_string();
        Variant { number, at: format!("{at} = {}", text.chars().take(60).collect::<String>()), spec: changed }
    };
    places.into_iter().enumerate().map(change).collect()
}

fn collect(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    let mut put = |other: Value| {
        if other != *value {
            found.push((at.to_owned(), other));
        }
    };
    match value {
        Value::String(text) => {
            for odd in ["", " ", "x y", "Upper", "../x", "..x", "/x", "-", "a.b", "a/b", "0", "5", "ü", "a\n"] {
                put(json!(odd));
            }
            put(json!("x".repeat(64)));
            put(json!("x".repeat(260)));
            put(json!(format!("{text}s")));
            put(json!(5));
        }
        Value::Number(_) => {
            for odd in [-1_i64, 0, 1, 2, 599, 65_536, i64::from(i32::MAX), 1 << 31, 1 << 40] {
                put(json!(odd));
            }
            put(json!("5"));
            put(json!(1.5));
        }
        Value::Bool(truth) => {
            put(json!(!truth));
            put(json!("true"));
        }
        Value::Array(items) => {
            put(json!([]));
            put(json!({}));
            put(Value::Array(items.iter().chain(items.first()).cloned().collect()));
        }
        Value::Object(members) => {
            put(json!([]));
            let without =
                |gone: &String| members.iter().filter(|(key, _)| *key != gone).map(pair).collect::<Map<_, _>>();
            members.keys().for_each(|key| put(Value::Object(without(key))));
            let mut more = members.clone();
            more.insert("unheardOf".to_owned(), json!({"a": 1}));
            put(Value::Object(more));
        }
        Value::Null => {}
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            members.iter().for_each(|(key, value)| collect(value, &format!("{at}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

fn pair((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}
