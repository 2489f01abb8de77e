//! What a document says of a sidecar's resources: the container's own `resources` first, then the proportions beside it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Amounts, CompiledAmount, Quantity, SidecarResources};
use crate::engine::mutation::document::{
    Amount, Flaw, LimitRangeSafety, OnConflict, OnUnknown, QuantityText, Resources, Sidecar,
};
use crate::engine::mutation::resources::Percentages;
use crate::engine::mutation::schema::member;
use crate::engine::mutation::{Weight, quoted};

impl SidecarResources {
    /// Compiles what the sidecar at `path` of its document says. `limit_range` and `on_conflict` are the document's.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the path of the field.
    pub fn compile(
        path: &str,
        sidecar: &Sidecar,
        limit_range: LimitRangeSafety,
        on_conflict: OnConflict,
    ) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut resources = sidecar.resources.clone();
        let others = literal(&sidecar.container, path, &mut resources, &mut flaws);
        let percentages = match sidecar.proportion.on_unknown {
            OnUnknown::UseMin => Percentages::WithMin,
            OnUnknown::Omit | OnUnknown::Skip => Percentages::Allowed,
        };
        let amounts = Amounts::compile(&resources, &format!("{path}.resources"), percentages, &mut flaws);
        if !flaws.is_empty() {
            let where_written = |flaw| where_written(flaw, &sidecar.container, path);
            return Err(flaws.into_iter().map(where_written).collect());
        }
        let mut compiled = Self {
            name: sidecar.container.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            amounts,
            proportion: sidecar.proportion.clone(),
            qos: sidecar.qos,
            pod_level: sidecar.pod_level,
            limit_range,
            weight: match on_conflict {
                OnConflict::Deny => Weight::Denied,
                OnConflict::Skip => Weight::Skipped,
                OnConflict::Warn => Weight::Warning,
            },
            others,
            ready: None,
        };
        compiled.ready = compiled.ready();
        Ok(compiled)
    }

    /// The same with a request that a pod asks for; a limit that is below it is raised to it.
    #[must_use]
    pub fn with_request(mut self, resource: &str, amount: Quantity) -> Self {
        self.amounts.requests.insert(resource.to_owned(), CompiledAmount::exactly(amount));
        self.ready = None;
        self
    }

    /// The same with a limit that a pod asks for; a request that is above it comes down to it.
    #[must_use]
    pub fn with_limit(mut self, resource: &str, amount: Quantity) -> Self {
        if let Some(request) = self.amounts.requests.get_mut(resource) {
            *request = request.at_most(amount);
        }
        self.amounts.limits.insert(resource.to_owned(), CompiledAmount::exactly(amount));
        self.ready = None;
        self
    }
}

/// The flaw with the place of the container's own amount, if that is what it is about.
fn where_written(flaw: Flaw, container: &Value, path: &str) -> Flaw {
    let own = ["requests", "limits"].iter().any(|side| {
        let amounts = container.get("resources").and_then(|resources| resources.get(side)).and_then(Value::as_object);
        let at = |resource: &str| member(&format!("{path}.resources.{side}"), resource);
        amounts.into_iter().flat_map(Map::keys).any(|resource| flaw.path == at(resource))
    });
    match flaw.path.strip_prefix(path) {
        Some(field) if own => Flaw { path: format!("{path}.container{field}"), problem: flaw.problem },
        _ => flaw,
    }
}

/// Takes what the container's own `resources` say over into `resources`, and gives their other members.
fn literal(container: &Value, path: &str, resources: &mut Resources, flaws: &mut Vec<Flaw>) -> Vec<String> {
    let mut others = Vec::new();
    let Some(written) = container.get("resources").filter(|written| !written.is_null()) else { return others };
    let path = format!("{path}.container.resources");
    let Some(members) = written.as_object() else {
        flaws.push(Flaw { path, problem: "must be an object with requests and limits".to_owned() });
        return others;
    };
    for (name, value) in members {
        match name.as_str() {
            "requests" => literal_side(value, &format!("{path}.requests"), &mut resources.requests, flaws),
            "limits" => literal_side(value, &format!("{path}.limits"), &mut resources.limits, flaws),
            other => others.push(format!("{}:{value}", quoted(other))),
        }
    }
    others
}

fn literal_side(value: &Value, path: &str, side: &mut BTreeMap<String, Amount>, flaws: &mut Vec<Flaw>) {
    let Some(amounts) = value.as_object() else {
        flaws.push(Flaw { path: path.to_owned(), problem: "must be an object of quantities".to_owned() });
        return;
    };
    for (resource, amount) in amounts {
        let text = match amount {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                let problem = "must be a quantity; proportions go to `resources` beside the container".to_owned();
                flaws.push(Flaw { path: format!("{path}.{resource}"), problem });
                continue;
            }
        };
        side.insert(resource.clone(), Amount::Quantity(QuantityText(text)));
    }
}
