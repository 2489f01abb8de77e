//! Bad input, each with its declared outcome, through a real API server: nothing that a pod says makes our patch one that it cannot carry out.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::documents::pod;
use crate::harness::Api;
use crate::stage::{container, create, items, names, pods, until_pod, with_stage};

/// A shipper that pods may change in every way that there is.
const OPEN: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: open}
spec:
  enablement: {podLabels: [open.example.com/inject]}
  overrides:
    prefix: open.example.com/
    fields:
      - {key: cpu, container: shipper, set: {request: cpu}, type: {quantity: {min: 5m, max: "2"}}}
      - {key: memory, container: shipper, set: {limit: memory}, type: {quantity: {}}}
      - {key: workers, container: shipper, set: {env: WORKERS}, type: {integer: {}}}
      - {key: level, container: shipper, set: {env: LEVEL}, type: {enum: {values: [info, debug]}}}
      - {key: title, container: shipper, set: {env: TITLE}, type: {text: {maxLength: 64}}}
      - {key: image, container: shipper, set: image, type: {image: {allow: ["registry.example.com/**"]}}}
  add:
    containers:
      - container:
          name: shipper
          image: registry.example.com/shipper:1
          ports: [{name: admin, containerPort: 2020}]
          volumeMounts: [{name: app-logs, mountPath: /var/log/app}]
        placement: {kind: Native}
        reserves: {ports: [2020]}
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 64Mi}}
    volumes:
      - volume: {name: app-logs, emptyDir: {}}
    patchContainers:
      - mounts: [{mount: {name: app-logs, mountPath: /var/log/app}}]
"#;

const OPEN_LABEL: (&str, &str) = ("open.example.com/inject", "true");

/// Values that no field of ours takes.
const HOSTILE: [(&str, &str); 21] = [
    ("cpu", "abc"),
    ("cpu", "-1"),
    ("cpu", "1e99"),
    ("cpu", "99999999999999999999999999"),
    ("cpu", "300m\n  image: evil"),
    ("cpu", "10MiB"),
    ("cpu", "1 core"),
    ("cpu", "&anchor 100m"),
    ("cpu", "*anchor"),
    ("memory", "64 Mi"),
    ("memory", "64mb"),
    ("memory", "0x40"),
    ("memory", "1Gi\"}},{\"name\":\"evil"),
    ("workers", "9223372036854775808"),
    ("workers", "1_000"),
    ("level", "info\n"),
    ("level", "\"info\""),
    ("title", "a\nb"),
    ("image", "registry.example.com/a b"),
    ("image", "evil.example.com/a"),
    ("unheard-of", "1"),
];

/// Values that are taken as they are, whatever a reader of YAML or of templates would make of them; and what the variable holds.
const ODD: [(&str, &str, &str, &str); 6] = [
    ("title", "\"quoted\": {braces} [brackets]", "TITLE", "\"quoted\": {braces} [brackets]"),
    ("title", "*anchor &anchor !!str", "TITLE", "*anchor &anchor !!str"),
    ("title", "$(LEVEL) ${{ x }}", "TITLE", "$$(LEVEL) $${{ x }}"),
    ("title", "ünï © 日本", "TITLE", "ünï © 日本"),
    ("workers", "-9223372036854775808", "WORKERS", "-9223372036854775808"),
    ("level", "debug", "LEVEL", "debug"),
];

fn asking(name: &str) -> Value {
    pod(name, Some(OPEN_LABEL))
}

fn with_annotation(name: &str, key: &str, value: &str) -> Value {
    let mut pod = asking(name);
    pod["metadata"]["annotations"] = json!({key: value});
    pod
}

fn is_injected(pod: &Value) -> bool {
    names(pod, "initContainers") == ["shipper"] && items(pod, "volumes").any(|volume| volume["name"] == "app-logs")
}

fn dry(api: &mut Api, namespace: &str, pod: &Value) -> Result<crate::harness::Answer> {
    let answer = api.post(&format!("{}?dryRun=All", pods(namespace)), pod)?;
    ensure!(answer.status < 500, "{}", answer.body);
    Ok(answer)
}

#[test]
fn overrides_that_say_more_than_a_value_are_refused_and_odd_ones_stay_texts() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("overridden", &[])?;
        stage.apply(OPEN, 1.0)?;
        until_pod(&mut api, "overridden", &asking("a"), is_injected)?;
        for (key, value) in HOSTILE {
            let key = format!("open.example.com/{key}");
            let answer = dry(&mut api, "overridden", &with_annotation("a", &key, value))?;
            assert_eq!(answer.status, 403, "{key}: {value:?}: {}", answer.body);
            assert!(answer.message().contains(&key) && answer.message().contains("override"), "{}", answer.message());
        }
        for (key, value, variable, held) in ODD {
            let pod = with_annotation("a", &format!("open.example.com/{key}"), value);
            let stored = dry(&mut api, "overridden", &pod)?.done()?;
            let env = container(&stored, "shipper")["env"].as_array().cloned().unwrap_or_default();
            assert_eq!(env, [json!({"name": variable, "value": held})], "{key}: {value:?}");
        }
        Ok(())
    })
}

#[test]
fn a_status_that_somebody_made_up_changes_nothing_and_one_too_large_is_the_pods_own_fault() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("spoofed", &[])?;
        stage.apply(OPEN, 1.0)?;
        let honest = until_pod(&mut api, "spoofed", &asking("a"), is_injected)?;
        let spoofs = [
            r#"{"open":{"digest":"0","for":"0","parts":["c/app","c/shipper","v/app-logs"]}}"#.to_owned(),
            r#"{"open":{"parts":"c/app"},"other":[1]}"#.to_owned(),
            "{\"open\": [".to_owned(),
            "\"\n- &a *a\u{2028}".to_owned(),
            "[".repeat(20_000),
            format!(r#"{{"open":{{"parts":["{}"]}}}}"#, "x".repeat(200_000)),
        ];
        for spoof in spoofs {
            let spoof_start: String = spoof.chars().take(40).collect();
            let stored = dry(&mut api, "spoofed", &with_annotation("a", "portcullis.dev/applied", &spoof))?.done()?;
            assert!(is_injected(&stored), "{spoof_start}: {stored}");
            assert_eq!(names(&stored, "containers"), ["app"], "{spoof_start}");
            let written = |pod: &Value| pod["metadata"]["annotations"]["portcullis.dev/applied"].clone();
            assert_eq!(written(&stored)["open"], written(&honest)["open"], "{spoof_start}");
        }
        // The API server takes 256 KiB of annotations, and says so itself of what we leave alone.
        let huge = "x".repeat(1 << 20);
        let ours = dry(&mut api, "spoofed", &with_annotation("a", "portcullis.dev/applied", &huge))?;
        assert!(is_injected(&ours.body), "ours stands in its place: {}", ours.message());
        let theirs = dry(&mut api, "spoofed", &with_annotation("a", "a", &huge))?;
        assert_eq!(theirs.status, 422, "{}", theirs.message());
        assert!(theirs.message().contains("metadata.annotations: Too long"), "{}", theirs.message());
        Ok(())
    })
}

#[test]
fn what_collides_with_a_pod_has_the_outcome_that_the_document_declares() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("colliding", &[])?;
        let mut named = asking("a");
        named["spec"]["containers"][0]["name"] = json!("shipper");
        let mut volume = asking("a");
        volume["spec"]["volumes"] = json!([{"name": "app-logs", "hostPath": {"path": "/a"}}]);
        let mut port = asking("a");
        port["spec"]["containers"][0]["ports"] = json!([{"name": "admin", "containerPort": 2020}]);
        let mut mount = asking("a");
        mount["spec"]["volumes"] = json!([{"name": "mine", "emptyDir": {}}]);
        mount["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "mine", "mountPath": "/var/log/app/"}]);
        let outcomes = |document: &str, expected: &[(&Value, u16, &str)]| -> Result<()> {
            let mut api = stage.plane.connect()?;
            stage.apply(document, 1.0)?;
            until_pod(&mut api, "colliding", &asking("a"), is_injected)?;
            for (pod, status, reason) in expected {
                let answer = dry(&mut api, "colliding", pod)?;
                assert_eq!(answer.status, *status, "{reason}: {}", answer.body);
                let said = format!("{} {}", answer.message(), answer.warnings.join(" "));
                assert!(said.contains(reason), "{reason}: {said}");
            }
            stage.clear()
        };
        outcomes(
            OPEN,
            &[
                (&named, 403, "container_name_taken"),
                (&volume, 403, "volume_name_taken"),
                (&port, 403, "port_taken"),
                (&mount, 201, ""),
            ],
        )?;
        let conflicts = "spec:\n  conflicts: {containerName: Skip, volumeName: Rename, port: Remap}\n";
        outcomes(
            &OPEN.replace("spec:\n", conflicts),
            &[(&named, 201, "container_name_taken"), (&volume, 201, ""), (&port, 201, "")],
        )?;
        stage.apply(&OPEN.replace("spec:\n", conflicts), 1.0)?;
        let renamed = until_pod(&mut api, "colliding", &volume, |pod| names(pod, "initContainers") == ["shipper"])?;
        assert_eq!(names(&renamed, "volumes").len(), 3, "theirs, ours under another name, the token's: {renamed}");
        let moved = create(&mut api, "colliding", &port)?;
        assert_ne!(container(&moved, "shipper")["ports"][0]["containerPort"], 2020, "{moved}");
        Ok(())
    })
}

#[test]
fn a_pod_at_the_limit_of_its_annotations_gets_no_more_of_them() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("annotated", &[])?;
        let full = with_annotation("a", "a", &"x".repeat((256 << 10) - 1));
        let bare = dry(&mut api, "annotated", &full)?;
        assert_eq!(bare.status, 201, "the most that there may be: {}", bare.message());
        stage.apply(OPEN, 1.0)?;
        until_pod(&mut api, "annotated", &asking("a"), is_injected)?;
        let answer = dry(&mut api, "annotated", &full)?;
        assert!(is_injected(&answer.body), "what is only a hint is left out: {}", answer.body);
        stage.clear()?;
        let annotated = format!("{OPEN}    pod: {{annotations: {{example.com/a: b}}}}\n");
        stage.apply(&annotated, 1.0)?;
        until_pod(&mut api, "annotated", &asking("a"), is_injected)?;
        let answer = dry(&mut api, "annotated", &full)?;
        assert_eq!((answer.status, is_injected(&answer.body)), (201, false), "{}", answer.message());
        assert!(answer.warnings.iter().any(|text| text.contains("annotations")), "{:?}", answer.warnings);
        stage.clear()?;
        stage.apply(&annotated.replace("spec:\n", "spec:\n  failure: {onSelfCheck: Deny}\n"), 1.0)?;
        let refused = until_pod(&mut api, "annotated", &full, |answer| answer["code"] == 403)?;
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("annotations")), "{refused}");
        Ok(())
    })
}

#[test]
fn a_pod_at_the_limit_of_what_can_be_stored_is_stored_with_us_as_without_us() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("large", &[])?;
        let of_size = |label, size: usize| {
            let mut pod = pod("large", label);
            pod["spec"]["containers"][0]["args"] = (0..16).map(|_| json!("x".repeat(size / 16))).collect();
            pod
        };
        // The largest that is stored while nobody adds anything, to 2 KiB.
        let (mut stored, mut refused) = (1_usize << 20, 2_usize << 20);
        while refused - stored > 2048 {
            let middle = stored.midpoint(refused);
            let answer = api.post(&pods("large"), &of_size(Some(OPEN_LABEL), middle))?;
            if answer.status == 201 {
                stored = middle;
                delete(&mut api)?;
            } else {
                refused = middle;
            }
        }
        let pad = format!("          env: [{{name: PAD, value: {}}}]\n          ports:", "x".repeat(24 << 10));
        stage.apply(&OPEN.replace("          ports:", &pad), 1.0)?;
        until_pod(&mut api, "large", &asking("a"), is_injected)?;
        for below in [0, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10] {
            let answer = api.post(&pods("large"), &of_size(Some(OPEN_LABEL), stored - below))?;
            assert_eq!(answer.status, 201, "{below} bytes below the most: {}", answer.message());
            let is_told = answer.warnings.iter().any(|text| text.contains("too_large"));
            assert!(is_injected(&answer.body) != is_told, "{below}: {:?}", answer.warnings);
            assert!(below < (256 << 10) || is_injected(&answer.body), "{below}: there is room");
            delete(&mut api)?;
        }
        // What is refused without us is refused in the same words with us.
        for size in [refused + (64 << 10), (3 << 20) - (64 << 10), (3 << 20) + (64 << 10)] {
            let alone = api.post(&pods("large"), &of_size(None, size))?;
            let asking = api.post(&pods("large"), &of_size(Some(OPEN_LABEL), size))?;
            let words = |text: &str| text.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
            assert_eq!((asking.status, words(asking.message())), (alone.status, words(alone.message())), "{size}");
            assert_ne!(alone.status, 201, "{size}");
        }
        Ok(())
    })
}

fn delete(api: &mut Api) -> Result<()> {
    api.delete(&format!("{}/large?gracePeriodSeconds=0", pods("large")))?.done().map(drop)
}
