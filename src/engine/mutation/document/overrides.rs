//! Overrides of a `SidecarInjection`: which of its fields pods may set, and to what.

use schemars::JsonSchema;
use serde::Deserialize;

use super::QuantityText;

/// What pods may set otherwise, by annotations.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overrides {
    /// The beginning of the annotations' keys, such as `logs.portcullis.dev/`.
    pub prefix: String,
    /// What becomes of a pod with a key of this prefix that is none of the fields, or a value that is out of bounds.
    #[serde(default)]
    pub on_invalid: OnInvalidOverride,
    pub fields: Vec<OverrideField>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnInvalidOverride {
    #[default]
    Deny,
    /// The override is left out, with a warning.
    Warn,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OverrideField {
    /// What follows the prefix.
    pub key: String,
    /// The container that it is about, of those that the document adds.
    pub container: String,
    pub set: OverrideTarget,
    pub r#type: OverrideType,
}

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OverrideTarget {
    Image,
    /// The request of a resource, such as `cpu`.
    Request(String),
    Limit(String),
    /// A variable.
    Env(String),
}

/// Which values are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum OverrideType {
    Quantity {
        min: Option<QuantityText>,
        max: Option<QuantityText>,
    },
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Enum {
        values: Vec<String>,
    },
    Boolean {},
    /// An image reference that one of these patterns matches, `*` for any text without `/`… and `**` for any.
    Image {
        allow: Vec<String>,
    },
    /// Printable text of at most so many characters.
    Text {
        max_length: usize,
    },
}
