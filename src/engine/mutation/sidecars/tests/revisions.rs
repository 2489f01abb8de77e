//! C8: which revision a pod gets, and that it stays.

use serde_json::json;

use super::*;

fn canary(stable: u8, canary: u8) -> Injection {
    let item = |name: &str, weight: u8| {
        json!({"name": name, "weight": weight,
        "add": {"containers": [sidecar("proxy", json!({"container": {"image": format!("proxy:{name}")}}))]}})
    };
    document(&json!({"revisions": {"default": "v25", "label": "mesh.example/rev", "items": [item("v25", stable), item("v26", canary)]}}))
        .expect("a document without flaws")
}

fn of_owner(name: &str) -> Value {
    let mut pod = app();
    let owner = json!([{"kind": "StatefulSet", "name": name, "uid": format!("uid-{name}"), "controller": true}]);
    merge(&mut pod, json!({"metadata": {"ownerReferences": owner}}));
    pod
}

fn image(pod: &Value) -> &str {
    container(pod, "proxy")["image"].as_str().expect("an image")
}

#[test]
fn c8_workloads_are_split_by_weight_and_each_stays_where_it_is() {
    let injection = canary(90, 10);
    let count = (0..1000).filter(|number| {
        let pod = of_owner(&format!("owner-{number}"));
        let once = Cluster::default().pass(&[&injection], &pod).expect("no conflict").pod;
        let again = Cluster::default().pass(&[&injection], &pod).expect("no conflict").pod;
        assert_eq!(once, again);
        image(&once) == "proxy:v26"
    });
    let count = count.count();
    // Three standard deviations of 1000 draws at one in ten.
    assert!((72..=128).contains(&count), "{count}");
}

#[test]
fn c8_both_passes_of_an_admission_have_the_same_revision_though_weights_change() {
    for number in 0..20 {
        let pod = of_owner(&format!("owner-{number}"));
        let first = admit(&canary(90, 10), &pod);
        let second = readmit(&canary(0, 100), &first.pod);
        assert_eq!(image(&second.pod), image(&first.pod));
        let anew = admit(&canary(0, 100), &pod);
        assert_eq!(image(&anew.pod), "proxy:v26");
    }
}

#[test]
fn c6_a_copy_of_the_same_name_leaves_a_revision_that_nobody_gets_any_more() {
    let item = |name: &str| json!({"name": name, "add": {"containers": [sidecar("proxy", json!({"container": {"image": format!("proxy:{name}")}}))]}});
    let at = |default: &str| {
        document(&json!({"revisions": {"default": default, "items": [item("v25"), item("v26")]}})).expect("a document")
    };
    let old = admit(&at("v25"), &app());
    assert_eq!(image(&old.pod), "proxy:v25");
    assert_eq!(image(&readmit(&at("v26"), &old.pod).pod), "proxy:v26");
}

#[test]
fn c8_a_label_wins() {
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"labels": {"mesh.example/rev": "v26"}}}));
    assert_eq!(image(&admit(&canary(100, 0), &pod).pod), "proxy:v26");
    let cluster = Cluster { namespace_labels: [("mesh.example/rev", "v26")].into(), ..Cluster::default() };
    assert_eq!(image(&cluster.admit(&[&canary(100, 0)], &app()).pod), "proxy:v26");
    merge(&mut pod, json!({"metadata": {"labels": {"mesh.example/rev": "v99"}}}));
    let unknown = admit(&canary(100, 0), &pod);
    assert_eq!(
        (image(&unknown.pod), unknown.reasons()),
        ("proxy:v25", vec![(Reason::UnknownRevision, Weight::Warning)])
    );
}

#[test]
fn a12_all_replica_sets_of_a_deployment_have_the_same_revision() {
    let of_set = |name: &str, uid: &str| {
        let mut pod = app();
        let owner = json!([{"kind": "ReplicaSet", "name": name, "uid": uid, "controller": true}]);
        merge(&mut pod, json!({"metadata": {"ownerReferences": owner}}));
        image(&admit(&canary(50, 50), &pod).pod).to_owned()
    };
    for number in 0..20 {
        let (one, other) = (format!("web{number}-6d4cf56db6"), format!("web{number}-7f9c8b6d5c"));
        assert_eq!(of_set(&one, "a"), of_set(&other, "b"));
    }
}
