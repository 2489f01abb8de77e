//! Checks what pods may set otherwise: what it is about is there in every revision, and its type fits.

use serde_json::Value;

use super::flaws::Flaws;
use crate::engine::mutation::document::{OverrideField, OverrideTarget, OverrideType, QuantityText, SidecarInjection};
use crate::engine::mutation::schema::STANDARD;
use crate::engine::mutation::sidecars::overrides::{Field, Overrides, Rule};
use crate::engine::mutation::sidecars::parts::Item;
use crate::engine::object::Quantity;

/// Compiles the overrides of a document whose revisions have these items.
pub(super) fn compile(document: &SidecarInjection, items: &[&Item], flaws: &mut Flaws) -> Option<Overrides> {
    let written = document.overrides.as_ref()?;
    let path = "spec.overrides";
    if !written.prefix.ends_with('/') || written.prefix.len() < 2 {
        flaws.add(format!("{path}.prefix"), "must be the beginning of annotation keys up to the `/`");
    }
    let mut fields: Vec<Field> = Vec::with_capacity(written.fields.len());
    for (index, field) in written.fields.iter().enumerate() {
        let at = format!("{path}.fields[{index}]");
        if field.key.is_empty() || field.key.contains('/') || fields.iter().any(|other| other.key == field.key) {
            flaws.add(format!("{at}.key"), format!("{:?} is no key, or is there twice", field.key));
        }
        target_is_there(field, items, &at, flaws);
        let rule = rule(&field.r#type, &at, flaws);
        fields.push(Field {
            key: field.key.clone(),
            container: field.container.clone(),
            target: field.set.clone(),
            rule,
        });
    }
    let enablement = &document.enablement;
    let other_keys = enablement.pod_annotations.iter().chain(&enablement.pod_labels).cloned().collect();
    Some(Overrides { prefix: written.prefix.clone(), on_invalid: written.on_invalid, fields, other_keys })
}

fn target_is_there(field: &OverrideField, items: &[&Item], at: &str, flaws: &mut Flaws) {
    let named: Vec<_> = items.iter().filter(|item| item.name == field.container).collect();
    if named.is_empty() {
        let problem = format!("{:?} is none of the containers that the document adds", field.container);
        flaws.add(format!("{at}.container"), problem);
    }
    let fits = match (&field.set, &field.r#type) {
        (OverrideTarget::Image, kind) => matches!(kind, OverrideType::Image { .. }),
        (OverrideTarget::Request(_) | OverrideTarget::Limit(_), kind) => matches!(kind, OverrideType::Quantity { .. }),
        (OverrideTarget::Env(_), kind) => !matches!(kind, OverrideType::Image { .. }),
    };
    if !fits {
        let instead = "an image is of type Image, a request or limit of type Quantity, a variable of any other";
        flaws.add(format!("{at}.type"), format!("does not fit what is set: {instead}"));
    }
    if let OverrideTarget::Request(resource) | OverrideTarget::Limit(resource) = &field.set
        && !STANDARD.contains(&resource.as_str())
    {
        let problem = format!("{resource:?} cannot be set by pods: must be one of {}", STANDARD.join(", "));
        flaws.add(format!("{at}.set"), problem);
    }
    if let OverrideTarget::Env(name) = &field.set
        && named.iter().any(|item| is_from_elsewhere(item, name))
    {
        flaws.add(format!("{at}.set.env"), format!("{name:?} has a value from elsewhere, which no text replaces"));
    }
}

fn is_from_elsewhere(item: &Item, name: &str) -> bool {
    let variables = item.value.get("env").and_then(Value::as_array).into_iter().flatten();
    let is_sourced = |variable: &Value| {
        variable.get("name").is_some_and(|found| found == name) && variable.get("valueFrom").is_some()
    };
    variables.into_iter().any(is_sourced) || item.env.iter().any(|derived| derived.name == name)
}

fn rule(written: &OverrideType, at: &str, flaws: &mut Flaws) -> Rule {
    match written {
        OverrideType::Quantity { min, max } => {
            let min = quantity(min.as_ref(), "min", at, flaws);
            let max = quantity(max.as_ref(), "max", at, flaws);
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                flaws.add(format!("{at}.type.quantity"), "`min` is above `max`");
            }
            Rule::Quantity { min, max }
        }
        OverrideType::Integer { min, max } => {
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                flaws.add(format!("{at}.type.integer"), "`min` is above `max`");
            }
            Rule::Integer { min: min.unwrap_or(i64::MIN), max: max.unwrap_or(i64::MAX) }
        }
        OverrideType::Enum { values } => {
            if values.is_empty() {
                flaws.add(format!("{at}.type.enum.values"), "allows nothing; list the values");
            }
            Rule::Enum(values.clone())
        }
        OverrideType::Boolean {} => Rule::Enum(vec!["true".to_owned(), "false".to_owned()]),
        OverrideType::Image { allow } => {
            if allow.is_empty() {
                let instead = "list patterns such as `registry.example.com/team/*`";
                flaws.add(format!("{at}.type.image.allow"), format!("allows nothing; {instead}"));
            }
            Rule::Image(allow.clone())
        }
        OverrideType::Text { max_length } => Rule::Text(*max_length),
    }
}

fn quantity(text: Option<&QuantityText>, field: &str, at: &str, flaws: &mut Flaws) -> Option<Quantity> {
    match Quantity::parse(&text?.0) {
        Ok(quantity) => Some(quantity),
        Err(error) => {
            flaws.add(format!("{at}.type.quantity.{field}"), error.to_string());
            None
        }
    }
}
