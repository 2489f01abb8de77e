//! Names of resources that containers ask for, and amounts of them.
//!
//! Source: `ValidateContainerResourceName`, `ValidateResourceQuantityValue` and `IsHugePageResourceValueDivisible`.

use super::grammar::Grammar;
use super::nearest;
use crate::engine::object::Quantity;

/// What every node has, in any amount.
pub(in crate::engine::mutation) const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

const HUGE_PAGES: &str = "hugepages-";

/// What is wrong with the name of a resource; nothing if a container may ask for it.
pub(in crate::engine::mutation) fn flaw_of_resource(name: &str) -> Option<String> {
    if STANDARD.contains(&name) || page_size(name).is_some() {
        return None;
    }
    let is_qualified = Grammar::QualifiedName.accepts(name) && name.contains('/');
    let is_native = name.contains("kubernetes.io/");
    if is_qualified && (is_native || !name.starts_with("requests.")) {
        return None;
    }
    let meant = nearest(name, STANDARD).map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
    Some(format!(
        "is no resource: write one of {}, {HUGE_PAGES}SIZE, or an extended one as domain/name{meant}",
        STANDARD.join(", ")
    ))
}

/// What is wrong with an amount of a resource.
pub(in crate::engine::mutation) fn flaw_of_amount(name: &str, amount: Quantity) -> Option<String> {
    if let Some(size) = page_size(name) {
        let is_whole = amount.is_whole() && amount.is_multiple_of(size);
        return (!is_whole).then(|| format!("is {amount}, which is no multiple of the page's size, {size}"));
    }
    let is_extended = name.contains('/') && !name.contains("kubernetes.io/");
    (is_extended && !amount.is_whole())
        .then(|| format!("is {amount}; of an extended resource there are whole ones only"))
}

/// Whether this is a kind of huge pages, which need CPU or memory beside them.
pub(in crate::engine::mutation) fn is_huge_pages(name: &str) -> bool {
    name.starts_with(HUGE_PAGES)
}

fn page_size(name: &str) -> Option<Quantity> {
    let size = Quantity::parse(name.strip_prefix(HUGE_PAGES)?).ok()?;
    (size.is_whole() && !size.is_zero() && !size.is_negative()).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_that_no_container_may_ask_for_are_refused() {
        for name in ["cpu", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu", "example.kubernetes.io/a"] {
            assert_eq!(flaw_of_resource(name), None, "{name}");
        }
        for name in ["", "cpus", "pods", "storage", "hugepages-", "hugepages-0", "a/b/c", "requests.example.com/a"] {
            assert!(flaw_of_resource(name).is_some(), "{name}");
        }
        assert!(flaw_of_resource("memroy").is_some_and(|flaw| flaw.ends_with("did you mean memory?")));
    }

    #[test]
    fn amounts_are_whole_where_they_have_to_be() {
        let flaw = |name: &str, amount: &str| flaw_of_amount(name, Quantity::parse(amount).expect("a quantity"));
        assert_eq!(flaw("cpu", "1m"), None);
        assert_eq!(flaw("nvidia.com/gpu", "2"), None);
        assert!(flaw("nvidia.com/gpu", "0.5").is_some());
        assert_eq!(flaw("hugepages-2Mi", "4Mi"), None);
        assert!(flaw("hugepages-2Mi", "3Mi").is_some());
    }
}
