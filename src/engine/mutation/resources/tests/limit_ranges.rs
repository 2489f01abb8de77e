//! Sidecars under LimitRanges.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Case, ContainerPlace, both, one_container};
use crate::engine::mutation::document::LimitRangeSafety;
use crate::engine::mutation::resources::limit_range::{Bounds, Pair};
use crate::engine::object::{Quantity, Ratio};

fn narrow() -> Value {
    json!([{"type": "Container", "max": {"cpu": "200m"}, "min": {"cpu": "50m"},
            "maxLimitRequestRatio": {"cpu": "2"}, "defaultRequest": {"cpu": "100m"}}])
}

fn burstable() -> Value {
    one_container(json!({"requests": {"cpu": "100m", "memory": "1Mi"}, "limits": {"cpu": "200m"}}))
}

fn wide() -> Value {
    json!({"resources": {"requests": {"cpu": "20m"}, "limits": {"cpu": "400m"}}})
}

#[test]
fn e5_a_sidecar_is_brought_within_the_limit_range() {
    let had = Case::new(burstable(), wide()).under(narrow()).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}));
    assert_eq!(had.about("limit_range_clamped"), r#"container "sidecar", cpu, LimitRange "first""#);
}

#[test]
fn e5_several_limit_ranges_are_taken_together() {
    let other =
        json!([{"type": "Container", "max": {"cpu": "150m"}, "min": {"cpu": "10m"}, "default": {"cpu": "120m"}}]);
    let had = Case::new(burstable(), wide()).under(narrow()).under(other).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "75m"}, "limits": {"cpu": "150m"}}));
    assert_eq!(had.about("limit_range_clamped"), r#"container "sidecar", cpu, LimitRanges "first" and "second""#);
    let higher = json!([{"type": "Container", "min": {"cpu": "300m"}}]);
    let of_memory = json!([{"type": "Container", "max": {"memory": "1Gi"}}]);
    let conflict = Case::new(burstable(), wide()).under(narrow()).under(of_memory).under(higher).conflict();
    let about = r#"container "sidecar", cpu, LimitRanges "first" and "third""#;
    assert_eq!((conflict.reason.code(), &*conflict.about), ("limit_range_infeasible", about));
}

#[test]
fn e5_a_guaranteed_pod_stays_one_within_the_limit_range() {
    let memory = json!([{"type": "Container", "max": {"memory": "64Mi"}}]);
    let sidecar = json!({"resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"cpu": "400m"}}});
    let had = Case::new(one_container(both("1", "1Gi")), sidecar).under(narrow()).under(memory).had();
    assert_eq!(had.resources, both("50m", "64Mi"));
}

#[test]
fn e5_the_pods_maximum_counts_the_sum() {
    let pod = || json!([{"type": "Pod", "max": {"cpu": "300m"}}]);
    let had = Case::new(burstable(), wide()).under(pod()).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "20m"}, "limits": {"cpu": "100m"}}));
    let early = Case::new(burstable(), wide()).at(ContainerPlace::Init { index: 0 }).under(pod()).had();
    assert_eq!(early.resources["limits"], json!({"cpu": "300m"}), "it runs alone");
    let minimum = json!([{"type": "Container", "min": {"cpu": "150m"}}]);
    let conflict = Case::new(burstable(), wide()).under(pod()).under(minimum).conflict();
    assert_eq!(conflict.reason.code(), "limit_range_infeasible");
}

#[test]
fn a_document_can_refuse_to_be_clamped() {
    let mut case = Case::new(burstable(), wide()).under(narrow());
    case.limit_range = LimitRangeSafety::Deny;
    let wide = json!([{"type": "Container", "max": {"cpu": "1"}}]);
    let conflict = case.under(wide).conflict();
    assert_eq!(conflict.reason.code(), "limit_range_infeasible");
    assert_eq!(conflict.about, r#"container "sidecar", cpu, LimitRange "first""#);
}

#[test]
fn what_the_limit_ranger_sets_itself_is_left_to_it() {
    let defaults =
        json!([{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "10m"}}]);
    let had = Case::new(burstable(), json!({"resources": {"requests": {"cpu": "20m"}}})).under(defaults.clone()).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "20m"}}));
    // A request above the default limit would be refused, so the limit is said.
    let bounded = json!([{"type": "Container", "max": {"cpu": "4"}, "default": {"cpu": "1"}}]);
    let had = Case::new(burstable(), json!({"resources": {"requests": {"cpu": "2"}}})).under(bounded).had();
    assert_eq!(had.resources, json!({"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}));
}

#[test]
fn where_nothing_says_how_much_a_ratio_cannot_be_kept() {
    let ratio = json!([{"type": "Container", "maxLimitRequestRatio": {"memory": "2"}}]);
    let conflict = Case::new(burstable(), wide()).under(ratio).conflict();
    assert_eq!(conflict.about, r#"container "sidecar", memory, LimitRange "first""#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_nearest_pair_is_within_the_bounds_and_a_pair_within_them_stays(
        min in prop::option::of(0..50_i64), max in prop::option::of(0..50_i64), ratio in prop::option::of(1..40_i64),
        request in prop::option::of(0..60_i64), more in prop::option::of(0..30_i64),
    ) {
        let milli = |amount: i64| Quantity::parse(&format!("{amount}m")).expect("a quantity");
        let bounds = Bounds {
            min: min.map(milli),
            max: max.map(milli),
            ratio: ratio.map(|tenths| Ratio::parse(&format!("{}.{}", tenths / 10 + 1, tenths % 10)).expect("a ratio")),
            ..Bounds::default()
        };
        let limit = more.map(|more| milli(request.unwrap_or(0) + more));
        let pair = Pair { request: request.map(milli), limit };
        let found = bounds.nearest(pair, Quantity::MILLI);
        if bounds.allow(pair) {
            prop_assert_eq!(found, Some(pair));
        }
        if let Some(found) = found {
            prop_assert!(bounds.allow(found));
            prop_assert!(found.limit.is_none_or(|limit| found.request.is_none_or(|request| request <= limit)));
            prop_assert!(!pair.is_equal() || found.is_equal());
        }
    }
}
