//! Reads what mutation needs of a cluster's objects from their JSON, whoever had it from where.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::surroundings::RuntimeClass;
use crate::engine::object::{StringMap, Text};

/// The `spec.limits` of a LimitRange, as JSON.
///
/// # Errors
/// It is no LimitRange.
pub fn limits_of(object: &str) -> Result<Box<str>, serde_json::Error> {
    #[derive(Deserialize)]
    struct LimitRange<'a> {
        #[serde(borrow, default)]
        spec: Option<Spec<'a>>,
    }
    #[derive(Deserialize)]
    struct Spec<'a> {
        #[serde(borrow, default)]
        limits: Option<&'a RawValue>,
    }
    let range: LimitRange<'_> = serde_json::from_str(object)?;
    Ok(range.spec.and_then(|spec| spec.limits).map_or("[]", RawValue::get).into())
}

/// The value and the preemption policy of a PriorityClass.
///
/// # Errors
/// It is no PriorityClass.
pub fn priority_of(object: &str) -> Result<(i32, Box<str>), serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PriorityClass<'a> {
        #[serde(default)]
        value: i32,
        #[serde(borrow, default)]
        preemption_policy: Text<'a>,
    }
    let class: PriorityClass<'_> = serde_json::from_str(object)?;
    let policy = match &*class.preemption_policy {
        "" => "PreemptLowerPriority",
        policy => policy,
    };
    Ok((class.value, policy.into()))
}

impl RuntimeClass {
    /// Reads it from the JSON of a RuntimeClass.
    ///
    /// # Errors
    /// It is none.
    pub fn read(object: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Class<'a> {
            #[serde(borrow, default)]
            overhead: Option<Overhead<'a>>,
            #[serde(borrow, default)]
            scheduling: Option<Scheduling<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Overhead<'a> {
            #[serde(borrow, default)]
            pod_fixed: Option<&'a RawValue>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Scheduling<'a> {
            #[serde(borrow)]
            node_selector: StringMap<'a>,
        }
        let class: Class<'_> = serde_json::from_str(object)?;
        let scheduling = class.scheduling.unwrap_or_default();
        let selector = scheduling.node_selector.iter().map(|(key, value)| (key.into(), value.into()));
        Ok(Self {
            overhead: class.overhead.and_then(|overhead| overhead.pod_fixed).map(|fixed| fixed.get().into()),
            node_selector: selector.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_runtime_class_gives_to_its_pods() {
        let class = RuntimeClass::read(
            r#"{"handler":"kata","overhead":{"podFixed":{"cpu":"250m"}},
                "scheduling":{"nodeSelector":{"kata":"yes"},"tolerations":[{"operator":"Exists"}]}}"#,
        )
        .expect("a class");
        assert_eq!(class.overhead.as_deref(), Some(r#"{"cpu":"250m"}"#));
        assert_eq!(class.node_selector, [("kata".into(), "yes".into())].into());
        assert_eq!(RuntimeClass::read(r#"{"handler":"runc","scheduling":null}"#).ok(), Some(RuntimeClass::default()));
    }

    #[test]
    fn reads_limits_and_priorities_and_fills_in_what_the_api_defaults() {
        assert_eq!(limits_of(r#"{"spec":{"limits":[{"type":"Pod"}]}}"#).ok().as_deref(), Some(r#"[{"type":"Pod"}]"#));
        assert_eq!(limits_of(r#"{"spec":{}}"#).ok().as_deref(), Some("[]"));
        assert_eq!(priority_of(r#"{"value":7}"#).ok(), Some((7, "PreemptLowerPriority".into())));
        assert!(priority_of(r#"{"value":"high"}"#).is_err());
    }
}
