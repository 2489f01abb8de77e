//! A document's parts as compiled: checked, completed, and rendered as far as they do not depend on the pod.

use serde_json::Value;

use super::super::document::{
    ContainerSelection, Fallback, HandlerKind, HandlerName, MountEdit, Names, OnExisting, Origin, PodParts, Position,
};
use super::super::resources::SidecarResources;
use super::super::tree::Node;
use super::meaning::is_same;

/// What a revision adds.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// In an order in which each comes after all that it has to come after.
    pub(super) items: Vec<Item>,
    pub(super) volumes: Vec<Volume>,
    pub(super) patches: Vec<Patch>,
    pub(super) probes: Option<ProbeRewrite>,
    pub(super) pod: PodParts,
}

/// A container that is added.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    /// Where the document has it.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) order: Constraints,
    /// The container but for what depends on the pod.
    pub(super) json: String,
    /// Whether that violates no standard, whatever pod it is in.
    pub(super) is_harmless: bool,
    /// The same, without what Windows does not know.
    pub(super) windows: String,
    pub(super) value: Value,
    /// Variables whose values come from elsewhere; before the container's own, so that those can refer to them.
    pub(super) env: Vec<Derived>,
    /// On which it listens.
    pub(super) ports: Vec<Port>,
    pub(super) uid: Option<i64>,
    pub(super) rights: Rights,
    pub(super) takes_user_of_namespace: bool,
    pub(super) resources: SidecarResources,
    pub(super) enforces_resources: bool,
}

/// A port that a container listens on, or that is kept for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    /// Such as `TCP`; none if it is any.
    pub(super) protocol: Option<String>,
}

impl Port {
    /// Whether two containers of a pod cannot have both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let is_other = self.protocol.is_some() && other.protocol.is_some() && self.protocol != other.protocol;
        self.number == other.number && !is_other
    }
}

/// In which list it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain init container.
    Init,
    Native,
    Container {
        may_block_job: bool,
    },
    Auto {
        fallback: Fallback,
        may_block_job: bool,
    },
}

/// What it needs, and a pod may forbid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rights {
    pub(super) user: Option<i64>,
    pub(super) non_root: Option<bool>,
    pub(super) adds_capabilities: bool,
}

/// Where it has to be among the others of its list; own items included that inherit from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Constraints {
    pub(super) first: bool,
    pub(super) last: bool,
    /// `before: ["*"]`: as early as the rest allows.
    pub(super) early: bool,
    /// `after: ["*"]`: as late as the rest allows.
    pub(super) late: bool,
    /// Patterns other than `*`.
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// A variable whose value comes from elsewhere.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) name: String,
    pub(super) from: Origin,
    pub(super) default: Option<String>,
}

#[derive(Debug)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) json: String,
    pub(super) value: Value,
    pub(super) is_safe_to_evict: bool,
}

/// Edits to containers that are there.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) select: ContainerSelection,
    pub(super) env: Vec<Variable>,
    pub(super) mounts: Vec<Mount>,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: VariableValue,
    pub(super) position: Position,
    pub(super) on_existing: OnExisting,
    pub(super) unless_contains: Option<String>,
    pub(super) separator: String,
}

#[derive(Debug)]
pub(super) enum VariableValue {
    Literal(String),
    /// The JSON of an EnvVarSource.
    Source(Value),
    Derived(Derived),
}

impl VariableValue {
    /// Whether a variable has this value, as far as it is known without the pod.
    pub(super) fn may_be(&self, variable: &Node<'_>) -> bool {
        match self {
            Self::Literal(text) => variable.string_at("value").unwrap_or_default() == text.as_str(),
            Self::Derived(_) => variable.get("valueFrom").is_none(),
            Self::Source(source) => variable.get("valueFrom").is_some_and(|found| {
                serde_json::from_str(&found.to_json()).is_ok_and(|found: Value| is_same(&found, source))
            }),
        }
    }
}

#[derive(Debug)]
pub(super) struct Mount {
    pub(super) volume: String,
    /// As written, and normalised.
    pub(super) path: String,
    pub(super) value: Value,
    pub(super) fails_if_taken: bool,
}

impl Mount {
    pub(super) fn of(edit: &MountEdit) -> Self {
        let text = |key: &str| edit.mount.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            volume: text("name").to_owned(),
            path: normalised(text("mountPath")),
            value: edit.mount.clone(),
            fails_if_taken: edit.on_existing == OnExisting::Fail,
        }
    }
}

#[derive(Debug)]
pub(super) struct ProbeRewrite {
    pub(super) container: String,
    pub(super) port: u16,
    pub(super) path: String,
    pub(super) variable: String,
    pub(super) kinds: Vec<HandlerKind>,
    pub(super) handlers: Vec<HandlerName>,
    pub(super) containers: Names,
}

impl Parts {
    pub(super) fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }

    pub(super) fn volume(&self, name: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == name)
    }

    /// Whether containers of ours too get this variable or mount by an edit.
    pub(super) fn edits_ours(&self, list: &str, name: &str) -> bool {
        let mut patches = self.patches.iter().filter(|patch| patch.select.injected);
        patches.any(|patch| match list {
            "env" => patch.env.iter().any(|edit| edit.name == name),
            _ => patch.mounts.iter().any(|mount| mount.path == normalised(name)),
        })
    }

    /// The ports that containers listen on, and which container does.
    pub(super) fn ports(&self) -> Vec<(&Port, &str)> {
        self.items.iter().flat_map(|item| item.ports.iter().map(|port| (port, item.name.as_str()))).collect()
    }
}

/// A path as the kernel resolves it, but for links: `/tmp/` and `//tmp` are `/tmp`.
pub(super) fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}
