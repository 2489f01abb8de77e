//! What a pod asks for as a whole, by KEP-753: native sidecars count for every container after them, plain init containers only while
//! they run.
//!
//! Source: `AggregateContainerRequests` in resource/helpers.go of k8s.io/component-helpers v0.37.1; the same in the LimitRanger.

use super::requirements::{Requirements, ResourceList, Side, add, raise};
use crate::engine::mutation::Node;
use crate::engine::object::Quantity;

/// Where a container goes, which decides what it costs the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerPlace {
    Container,
    /// A native sidecar, before the init container that has this index now.
    Native {
        index: usize,
    },
    /// A plain init container, before the init container that has this index now.
    Init {
        index: usize,
    },
}

/// One side of the containers of a pod, in their order.
#[derive(Debug, Clone, Default)]
pub struct Load {
    inits: Vec<Init>,
    containers: Vec<ResourceList>,
}

#[derive(Debug, Clone)]
struct Init {
    is_native: bool,
    amounts: ResourceList,
}

impl Load {
    /// What a pod's containers ask for or are limited to, without some of them, which stay in their places as empty ones.
    pub fn of(pod: &Node<'_>, side: Side, is_left_out: impl Fn(&str) -> bool) -> Self {
        let amounts = |container: &Node<'_>| {
            let is_out = container.string_at("name").is_some_and(|name| is_left_out(&name));
            let mut found = if is_out { Requirements::default() } else { Requirements::of_container(container) };
            std::mem::take(match side {
                Side::Requests => &mut found.requests,
                Side::Limits => &mut found.limits,
            })
        };
        let Some(spec) = pod.get("spec") else { return Self::default() };
        let init = |container: &Node<'_>| Init { is_native: is_native(container), amounts: amounts(container) };
        Self {
            inits: spec.list("initContainers").map(init).collect(),
            containers: spec.list("containers").map(amounts).collect(),
        }
    }

    /// The same with one more container.
    #[must_use]
    pub fn with(mut self, place: ContainerPlace, amounts: ResourceList) -> Self {
        let (index, is_native) = match place {
            ContainerPlace::Container => {
                self.containers.push(amounts);
                return self;
            }
            ContainerPlace::Native { index } => (index, true),
            ContainerPlace::Init { index } => (index, false),
        };
        self.inits.insert(index.min(self.inits.len()), Init { is_native, amounts });
        self
    }

    /// What that comes to for the pod.
    pub fn total(&self) -> ResourceList {
        let mut running = ResourceList::new();
        self.containers.iter().for_each(|amounts| add(&mut running, amounts));
        let (mut natives, mut starting) = (ResourceList::new(), ResourceList::new());
        for init in &self.inits {
            if init.is_native {
                add(&mut running, &init.amounts);
                add(&mut natives, &init.amounts);
                raise(&mut starting, &natives);
            } else {
                let mut now = natives.clone();
                add(&mut now, &init.amounts);
                raise(&mut starting, &now);
            }
        }
        raise(&mut running, &starting);
        running
    }

    /// What the pod needs more of each resource with this container.
    pub fn growth(&self, place: ContainerPlace, amounts: &ResourceList) -> ResourceList {
        let before = self.total();
        let after = self.clone().with(place, amounts.clone()).total();
        let grown = |(resource, total): (String, Quantity)| {
            let more = total.minus(before.get(&resource).copied().unwrap_or_default());
            (resource, more)
        };
        after.into_iter().map(grown).collect()
    }

    /// The most of a resource that one more container can have while the pod stays within `most`; negative if it cannot at all. None if
    /// the pod is beyond it without.
    pub fn room(&self, place: ContainerPlace, resource: &str, most: Quantity) -> Option<Quantity> {
        let total = |load: &Self| load.total().get(resource).copied().unwrap_or_default();
        if total(self) > most {
            return None;
        }
        // Beside a container of the size of `most`, whatever it does not run together with does not count.
        let huge = ResourceList::from([(resource.to_owned(), most)]);
        let beside = total(&self.clone().with(place, huge)).minus(most);
        Some(most.minus(beside))
    }
}

/// Whether an init container is a native sidecar.
pub(super) fn is_native(container: &Node<'_>) -> bool {
    container.string_at("restartPolicy").as_deref() == Some("Always")
}
