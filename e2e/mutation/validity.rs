//! Whatever document we take is good for the API server, and what we refuse it would have refused: two judges of the same parts.

use std::{env, sync::Arc};

use anyhow::{Result, ensure};
use portcullis::engine::mutation::document::{Document, Flaw};
use portcullis::engine::mutation::{Active, Documents, Rules, World, mutate};
use portcullis::engine::pod_security::{Level, LevelVersion};
use serde_json::{Value, json};

use crate::harness::Api;
use crate::rich::{self, Variant};
use crate::stage::{pods, with_stage};

/// Of so many variants one is looked at, and of so many that are taken one is carried out: `VARIANTS=all` looks at all.
const EVERY: usize = 3;
const EVERY_TAKEN: usize = 7;

/// What we refuse and the API server takes: pods that never start, or that say something that is not so.
const STRICTER: [&str; 9] = [
    "must be an image reference",       // never pulled
    "is there twice; say once what it", // of two variables the last counts
    "0 is root",                        // never started
    "must be the name of a profile",    // never found
    "is no name of a Secret",           // never found
    "must have a name and one source",  // an emptyDir that nobody wrote
    "must have one of clusterTrust",    // a source without anything
    "or leave it out",                  // an empty text for a default
    "must be given",                    // what the published types demand, beyond validation
];

#[test]
fn a_document_is_taken_where_the_api_server_takes_its_parts_and_refused_where_it_does_not() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("judged", &[])?;
        let injections = rich::variants(&rich::injection(), &places(&rich::injection()));
        let defaults = rich::variants(&rich::defaults(), &OF_DEFAULTS.map(str::to_owned));
        ensure!(injections.len() > 2000 && defaults.len() > 200, "{} {}", injections.len(), defaults.len());
        let every = if env::var_os("VARIANTS").is_some_and(|value| value == "all") { 1 } else { EVERY };
        let mut disagreements = Vec::new();
        for variant in injections.iter().step_by(every) {
            let pod = rich::pod_with_injection(&variant.spec);
            disagreements.extend(compare(&mut api, "SidecarInjection", variant, &pod)?);
        }
        for variant in defaults.iter().step_by(every) {
            let pod = rich::pod_with_defaults(&variant.spec);
            disagreements.extend(compare(&mut api, "PodDefaults", variant, &pod)?);
        }
        assert!(disagreements.is_empty(), "{} of them:\n{}", disagreements.len(), disagreements.join("\n"));
        Ok(())
    })
}

const OF_DEFAULTS: [&str; 5] = [
    "/scheduling/tolerations",
    "/scheduling/requiredNodeAffinity",
    "/scheduling/topologySpread",
    "/pod/labels",
    "/pod/annotations",
];

/// Where there are parts of Kubernetes in the rich injection.
fn places(spec: &Value) -> Vec<String> {
    let fixed = [
        "/add/initContainers/0/container",
        "/add/containers/0/container",
        "/add/patchContainers/0/env/0/valueFrom",
        "/add/patchContainers/0/env/1/valueFrom",
        "/add/patchContainers/0/mounts/0/mount",
        "/add/pod/labels",
        "/add/pod/annotations",
        "/add/pod/imagePullSecrets/0",
    ];
    let count = spec["add"]["volumes"].as_array().map_or(0, Vec::len);
    let volumes = (0..count).map(|index| format!("/add/volumes/{index}/volume"));
    fixed.into_iter().map(str::to_owned).chain(volumes).collect()
}

/// What one judge says and the other does not.
fn compare(api: &mut Api, kind: &str, variant: &Variant, pod: &Value) -> Result<Option<String>> {
    let path = format!("{}?dryRun=All&fieldValidation=Strict", pods("judged"));
    let theirs = api.post(&path, pod)?;
    let is_taken = theirs.status == 201;
    ensure!(is_taken || [400, 422].contains(&theirs.status), "{}: {}", variant.at, theirs.body);
    Ok(match compiled(kind, &variant.spec) {
        Ok(document) if is_taken && variant.number.is_multiple_of(EVERY_TAKEN) => {
            carried_out(api, document)?.map(|said| format!("{}: {said}", variant.at))
        }
        Ok(_) if !is_taken => Some(format!("taken {}: {}", variant.at, theirs.message())),
        Err(flaws) if is_taken => {
            let mut beyond = flaws.iter().filter(|flaw| !STRICTER.iter().any(|text| flaw.problem.contains(text)));
            beyond.next().map(|flaw| format!("refused {}: {flaw}", variant.at))
        }
        _ => None,
    })
}

fn compiled(kind: &str, spec: &Value) -> Result<Active, Vec<Flaw>> {
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "rich"}, "spec": spec});
    let document = Document::read(&json.to_string())?;
    Active::compile(&document)
}

/// What the API server has against a bare pod on which the document was carried out.
fn carried_out(api: &mut Api, document: Active) -> Result<Option<String>> {
    let documents = Documents::new(vec![Arc::new(document)]);
    let candidates = documents.candidates(|_| None);
    let world = World { namespace: "judged", has_native_sidecars: true, ..World::default() };
    let enforced = LevelVersion { level: Level::Privileged, ..LevelVersion::default() };
    let bare = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "app", "image": "app:1"}], "terminationGracePeriodSeconds": 30},
    });
    let bare = bare.to_string();
    let mutated = mutate(
        portcullis::engine::Unread::of(&bare),
        Rules { documents: &documents, candidates: &candidates, world: &world, enforced },
    );
    ensure!(mutated.patch.is_some(), "{:?}", mutated.notes);
    let pod: Value = serde_json::from_str(&mutated.pod.to_json())?;
    let answer = api.post(&format!("{}?dryRun=All", pods("judged")), &pod)?;
    Ok((answer.status != 201).then(|| format!("carried out: {}", answer.message())))
}
