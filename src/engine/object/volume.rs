//! A volume: its name and which sources it sets, each source one bit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Text;

/// The volume sources that Pod Security knows: those that the restricted standard allows, then the others, in the order in
/// which upstream looks for them (`policy/check_restrictedVolumes.go`).
const SOURCES: [&str; 30] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];
const ALLOWED: u32 = (1 << 9) - 1;

#[derive(Debug, Default)]
pub struct Volume<'a> {
    pub name: Text<'a>,
    set: u32,
}

/// A volume source by its field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub &'static str);

impl Source {
    pub const HOST_PATH: Self = Self("hostPath");
    /// No source that we know is set. (The API server turns a volume without any into an emptyDir before it asks.)
    pub const UNKNOWN: Self = Self("unknown");
}

impl Volume<'_> {
    /// Whether a source is set that the restricted standard allows.
    pub fn has_allowed_source(&self) -> bool {
        self.set & ALLOWED != 0
    }

    pub fn has(&self, source: Source) -> bool {
        SOURCES.iter().position(|name| *name == source.0).is_some_and(|bit| self.set & (1 << bit) != 0)
    }

    /// The first source that is set and that the restricted standard does not allow.
    pub fn restricted_source(&self) -> Source {
        let bit = (self.set & !ALLOWED).trailing_zeros() as usize;
        SOURCES.get(bit).map_or(Source::UNKNOWN, |name| Source(name))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Volume<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VolumeVisitor)
    }
}

struct VolumeVisitor;

impl<'de> Visitor<'de> for VolumeVisitor {
    type Value = Volume<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a volume")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Volume<'de>, A::Error> {
        let mut volume = Volume::default();
        while let Some(key) = fields.next_key::<Text<'de>>()? {
            if &*key == "name" {
                volume.name = fields.next_value()?;
            } else if let Some(bit) = SOURCES.iter().position(|name| *name == &*key) {
                if fields.next_value::<Option<AnyObject>>()?.is_some() {
                    volume.set |= 1 << bit;
                }
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(volume)
    }
}

/// A source's own fields, none of which matter; but an object they must be.
struct AnyObject;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyObjectVisitor)
    }
}

struct AnyObjectVisitor;

impl<'de> Visitor<'de> for AnyObjectVisitor {
    type Value = AnyObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a volume source")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<AnyObject, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(AnyObject)
    }
}
