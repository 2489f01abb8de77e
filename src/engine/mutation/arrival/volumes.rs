//! Defaults of volumes, and how they are written.

use super::containers::pull_policy;
use super::shapes::{LABEL_SELECTOR, NAMED, RESOURCE_FIELD, RESOURCES};
use super::written::Rule::{AllObjects, Always, Amount, Object, Objects, Omitted};
use super::written::Shape;
use super::{NO_TEXT, at, each, fill, fill_absent};
use crate::engine::mutation::Node;

/// `0644`.
const MODE: &str = "420";

pub(super) fn complete(volume: &mut Node<'_>) {
    if volume.members().all(|(key, _)| key == "name") {
        volume.set("emptyDir", "{}");
    }
    at(volume, &["hostPath"], |path| fill_absent(path, "type", NO_TEXT));
    at(volume, &["secret"], |secret| fill_absent(secret, "defaultMode", MODE));
    at(volume, &["configMap"], |map| fill_absent(map, "defaultMode", MODE));
    at(volume, &["downwardAPI"], |files| {
        fill_absent(files, "defaultMode", MODE);
        each(files, "items", complete_file);
    });
    at(volume, &["projected"], |projected| {
        fill_absent(projected, "defaultMode", MODE);
        each(projected, "sources", |source| {
            at(source, &["downwardAPI"], |files| each(files, "items", complete_file));
            at(source, &["serviceAccountToken"], |token| fill_absent(token, "expirationSeconds", "3600"));
        });
    });
    at(volume, &["image"], |image| {
        let policy = pull_policy(&image.string_at("reference").unwrap_or_default());
        fill(image, "pullPolicy", NO_TEXT, policy);
    });
    at(volume, &["ephemeral", "volumeClaimTemplate"], |claim| {
        if let Some(spec) = claim.member("spec") {
            fill_absent(spec, "volumeMode", r#""Filesystem""#);
        }
    });
    complete_old_kinds(volume);
}

fn complete_file(file: &mut Node<'_>) {
    at(file, &["fieldRef"], |field| fill(field, "apiVersion", NO_TEXT, r#""v1""#));
}

/// Kinds that CSI drivers have replaced, and that the API still takes.
fn complete_old_kinds(volume: &mut Node<'_>) {
    at(volume, &["iscsi"], |disk| fill(disk, "iscsiInterface", NO_TEXT, r#""default""#));
    at(volume, &["rbd"], |disk| {
        fill(disk, "pool", NO_TEXT, r#""rbd""#);
        fill(disk, "user", NO_TEXT, r#""admin""#);
        fill(disk, "keyring", NO_TEXT, r#""/etc/ceph/keyring""#);
    });
    at(volume, &["scaleIO"], |disk| {
        fill(disk, "storageMode", NO_TEXT, r#""ThinProvisioned""#);
        fill(disk, "fsType", NO_TEXT, r#""xfs""#);
    });
    at(volume, &["azureDisk"], |disk| {
        fill_absent(disk, "cachingMode", r#""ReadWrite""#);
        fill_absent(disk, "fsType", r#""ext4""#);
        fill_absent(disk, "readOnly", "false");
        fill_absent(disk, "kind", r#""Shared""#);
    });
}

pub(super) const VOLUME: Shape = &[
    (&["emptyDir"], Object(&[(&["medium"], Omitted), (&["sizeLimit"], Amount)])),
    (&["persistentVolumeClaim"], Object(&[(&["readOnly"], Omitted)])),
    (&["configMap"], Object(FILES_OF_A_MAP)),
    (&["secret"], Object(&[(&["secretName", "items"], Omitted)])),
    (&["downwardAPI"], Object(&[(&["items"], Objects(FILE))])),
    (&["projected"], Object(PROJECTED)),
    (&["csi"], Object(&[(&["volumeAttributes"], Omitted), (&["nodePublishSecretRef"], Object(NAMED))])),
    (&["ephemeral"], Object(&[(&["volumeClaimTemplate"], Object(CLAIM))])),
    (&["image"], Object(&[(&["reference"], Omitted)])),
    (&["nfs", "glusterfs", "azureFile"], Object(&[(&["readOnly"], Omitted)])),
    (&["gitRepo"], Object(&[(&["revision", "directory"], Omitted)])),
    (&["gcePersistentDisk", "awsElasticBlockStore"], Object(&[(&["fsType", "partition", "readOnly"], Omitted)])),
    (&["portworxVolume", "photonPersistentDisk"], Object(&[(&["fsType", "readOnly"], Omitted)])),
    (&["flocker"], Object(&[(&["datasetName", "datasetUUID"], Omitted)])),
    (&["fc"], Object(&[(&["targetWWNs", "fsType", "readOnly", "wwids"], Omitted)])),
    (&["vsphereVolume"], Object(&[(&["fsType", "storagePolicyName", "storagePolicyID"], Omitted)])),
    (&["quobyte"], Object(&[(&["readOnly", "user", "group", "tenant"], Omitted)])),
    (&["flexVolume"], Object(&[(&["fsType", "readOnly", "options"], Omitted), (&["secretRef"], Object(NAMED))])),
    (&["cinder", "rbd"], Object(&[(&["fsType", "readOnly"], Omitted), (&["secretRef"], Object(NAMED))])),
    (&["cephfs"], Object(&[(&["path", "user", "secretFile", "readOnly"], Omitted), (&["secretRef"], Object(NAMED))])),
    (
        &["scaleIO"],
        Object(&[
            (&["sslEnabled", "protectionDomain", "storagePool", "volumeName", "readOnly"], Omitted),
            (&["secretRef"], Object(NAMED)),
        ]),
    ),
    (
        &["storageos"],
        Object(&[(&["volumeName", "volumeNamespace", "fsType", "readOnly"], Omitted), (&["secretRef"], Object(NAMED))]),
    ),
    (
        &["iscsi"],
        Object(&[
            (&["lun"], Always("0")),
            (&["fsType", "readOnly", "portals", "chapAuthDiscovery", "chapAuthSession"], Omitted),
            (&["secretRef"], Object(NAMED)),
        ]),
    ),
];

const FILES_OF_A_MAP: Shape = &[(&["name", "items"], Omitted)];
const FILE: Shape = &[(&["resourceFieldRef"], Object(RESOURCE_FIELD))];

const PROJECTED: Shape = &[(
    &["sources"],
    AllObjects(&[
        (&["configMap", "secret"], Object(FILES_OF_A_MAP)),
        (&["downwardAPI"], Object(&[(&["items"], Objects(FILE))])),
        (&["serviceAccountToken"], Object(&[(&["audience"], Omitted)])),
        (&["clusterTrustBundle"], Object(&[(&["labelSelector"], Object(LABEL_SELECTOR))])),
        (
            &["podCertificate"],
            Object(&[(&["credentialBundlePath", "keyPath", "certificateChainPath", "userAnnotations"], Omitted)]),
        ),
    ]),
)];

const CLAIM: Shape = &[
    (&["metadata"], Always("{}")),
    (&["metadata"], Object(&[(&["labels", "annotations", "finalizers", "ownerReferences"], Omitted)])),
    (
        &["spec"],
        Object(&[
            (&["accessModes", "volumeName"], Omitted),
            (&["selector"], Object(LABEL_SELECTOR)),
            (&["resources"], Always("{}")),
            (&["resources"], Object(RESOURCES)),
        ]),
    ),
];
