//! Resources as documents write them: literal, taken from the other side, or in proportion to the pod's own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::Names;

/// A Kubernetes quantity as it is written: a string or a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct QuantityText(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl From<Written> for QuantityText {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self(text),
            Written::Number(number) => Self(number.to_string()),
        }
    }
}

/// Requests and limits by resource name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resources {
    pub requests: BTreeMap<String, Amount>,
    pub limits: BTreeMap<String, Amount>,
}

/// How much of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    Quantity(QuantityText),
    Derived(Derived),
}

/// What a CustomResourceDefinition can only leave open: strings or numbers, or objects too.
macro_rules! open_schema {
    ($($type:ident $description:literal,)*) => { $(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"description": $description})
            }
        }
    )* };
}

open_schema! {
    QuantityText "A quantity, such as 100m or 64Mi.",
    Ratio "A positive number, such as 2 or 0.5.",
    Amount "A quantity, or what it follows from: fromRequest, fromLimit or percent, with min, max and round.",
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl<'de> Visitor<'de> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity, or what it follows from (fromRequest, fromLimit, percent)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        Ok(Amount::Quantity(QuantityText(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
        Derived::deserialize(MapAccessDeserializer::new(map)).map(Amount::Derived)
    }
}

/// An amount that follows from another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Derived {
    /// So many times the request of the same resource. For a limit.
    pub from_request: Option<Ratio>,
    /// So many times the limit of the same resource. For a request.
    pub from_limit: Option<Ratio>,
    /// So many percent of what the pod's containers ask for, see [`Proportion`]. For a request of a sidecar or, of the sum of the plain
    /// containers, of an init container in `PodDefaults`.
    pub percent: Option<Ratio>,
    pub min: Option<QuantityText>,
    pub max: Option<QuantityText>,
    /// The result is rounded up to a multiple of this.
    pub round: Option<QuantityText>,
}

/// A positive decimal number, kept exact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Ratio(pub String);

impl From<Written> for Ratio {
    fn from(written: Written) -> Self {
        Self(QuantityText::from(written).0)
    }
}

/// What a sidecar's percentages are of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Proportion {
    pub of: Of,
    /// Which containers count; what is injected by us never does.
    pub containers: Names,
    /// Whether the pod's own native sidecars count.
    pub native_sidecars: bool,
    /// What happens where no container that counts asks for the resource.
    pub on_unknown: OnUnknown,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Of {
    #[default]
    Sum,
    Max,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnUnknown {
    /// `min`, which must be given then.
    #[default]
    UseMin,
    Omit,
    Skip,
}
