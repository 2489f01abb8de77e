//! I4: a document that changes while pods are being created. Each pod has all of one version of it, and says of which.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, pod};
use crate::harness::Api;
use crate::stage::{container, pods, until_pod, with_stage};

const DOCUMENT: &str = "/apis/portcullis.dev/v1/sidecarinjections/log-shipper";

/// The versions of the document; each says which it is wherever it can.
const VERSIONS: [&str; 2] = ["one", "two"];

#[test]
fn i4_every_pod_has_one_version_of_a_document_that_changes_all_the_time() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("changing", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "changing", &pod("a", Some(SHIP)), is_shipping)?;
        let mut writer = stage.plane.connect()?;
        write(&mut writer, VERSIONS[0])?;
        until_pod(&mut api, "changing", &pod("a", Some(SHIP)), |pod| version(pod).is_ok())?;
        let is_over = AtomicBool::new(false);
        let digests = thread::scope(|scope| {
            let changes = scope.spawn(|| {
                for version in VERSIONS.iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    write(&mut writer, version)?;
                }
                Ok::<_, anyhow::Error>(())
            });
            let created = create_many(&mut api);
            is_over.store(true, Ordering::Relaxed);
            changes.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
            created
        })?;
        ensure!(digests.len() == VERSIONS.len(), "only one version was ever in force: {digests:?}");
        let [one, two] = VERSIONS.map(|version| &digests[version]);
        assert_eq!((one.len(), two.len()), (1, 1), "a digest for each version, and no other");
        assert_ne!(one, two);
        Ok(())
    })
}

/// Creates pods until both versions were seen a few times; gives the digests that they recorded, by version.
fn create_many(api: &mut Api) -> Result<BTreeMap<String, Vec<String>>> {
    let mut digests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let path = format!("{}?dryRun=All", pods("changing"));
    for _ in 0..300 {
        let created = api.post(&path, &pod("a", Some(SHIP)))?.done()?;
        let (version, digest) = version(&created).with_context(|| created.to_string())?;
        let known = digests.entry(version).or_default();
        if !known.contains(&digest) {
            known.push(digest);
        }
    }
    Ok(digests)
}

/// The version that a pod has in every place, and the digest that it recorded.
fn version(pod: &Value) -> Result<(String, String)> {
    let value = |container: &Value| container["env"][0]["value"].as_str().unwrap_or_default().to_owned();
    let image = container(pod, "log-shipper")["image"].as_str().unwrap_or_default();
    let version = image.strip_prefix("fluent-bit:").unwrap_or_default().to_owned();
    let said =
        [value(container(pod, "app")), pod["metadata"]["labels"]["version"].as_str().unwrap_or_default().to_owned()];
    ensure!(said.iter().all(|said| *said == version), "{version:?} and {said:?}");
    let applied = pod["metadata"]["annotations"]["portcullis.dev/applied"].as_str().context("nothing is recorded")?;
    let applied: Value = serde_json::from_str(applied)?;
    let digest = applied["log-shipper"]["digest"].as_str().context("no digest is recorded")?;
    Ok((version, digest.to_owned()))
}

/// Replaces the document by this version of it.
fn write(api: &mut Api, version: &str) -> Result<()> {
    let mut document = api.get(DOCUMENT)?.done()?;
    let add = &mut document["spec"]["add"];
    add["containers"][0]["container"]["image"] = json!(format!("fluent-bit:{version}"));
    add["patchContainers"][0]["env"][0]["value"] = json!(version);
    add["pod"] = json!({"labels": {"version": version}});
    api.put(DOCUMENT, &document)?.done().map(drop)
}
