//! Security contexts and tokens.

use serde_json::{Value, json};

use super::{World, arrived, run, run_in, run_online, world};
use crate::engine::mutation::{LabelSet, Weight};

fn security(security: Value) -> Value {
    json!({"security": security})
}

fn one(context: Value) -> Value {
    json!({"containers": [{"name": "app", "image": "a:1", "securityContext": context}]})
}

fn context(defaults: Value, own: Value) -> Value {
    run(security(defaults), one(own)).container(0)["securityContext"].clone()
}

#[test]
fn f4_run_as_non_root_looks_at_what_is_effective() {
    let known = json!({"runAsNonRoot": "WhenUserIsKnown"});
    assert_eq!(context(known.clone(), json!({"runAsUser": 7})), json!({"runAsUser": 7, "runAsNonRoot": true}));
    let root = run(security(known.clone()), one(json!({"runAsUser": 0})));
    assert_eq!(root.container(0)["securityContext"], json!({"runAsUser": 0}));
    assert_eq!((root.codes(), root.notes[0].weight), (vec!["runs_as_root"], Weight::Warning));
    let unknown = run(security(known.clone()), one(json!({})));
    assert_eq!(unknown.container(0)["securityContext"], json!({}));
    assert_eq!((unknown.codes(), unknown.notes[0].weight), (vec!["user_unknown"], Weight::Warning));
    assert_eq!(context(json!({"runAsNonRoot": "Always"}), json!({})), json!({"runAsNonRoot": true}));
    let mut said = one(json!({"runAsNonRoot": true}));
    said["securityContext"] = json!({"runAsNonRoot": false});
    assert_eq!(run(security(known.clone()), said.clone()).spec(), &said);
    let mut by_pod = one(json!({"privileged": false}));
    by_pod["securityContext"] = json!({"runAsUser": 1000});
    let outcome = run_online(security(known.clone()), by_pod);
    assert_eq!(outcome.container(0)["securityContext"], json!({"privileged": false}));
    assert_eq!(outcome.spec()["securityContext"], json!({"runAsUser": 1000, "runAsNonRoot": true}));
    let denying = json!({"security": known, "onConflict": "Deny"});
    let denied =
        run_in(&denying, &json!({"spec": one(json!({"runAsUser": 0}))}), &world(), &[]).expect_err("a conflict");
    assert_eq!(denied.weight, Weight::Denied);
}

#[test]
fn f4_the_pod_is_not_touched_where_one_container_is_root() {
    let pod = json!({"securityContext": {"runAsUser": 1000}, "containers": [{"name": "a"}, {"name": "root", "securityContext": {"runAsUser": 0}}]});
    let outcome = run(security(json!({"runAsNonRoot": "Always"})), pod);
    assert_eq!(outcome.spec()["securityContext"], json!({"runAsUser": 1000}));
    assert_eq!(outcome.container(0)["securityContext"], json!({"runAsNonRoot": true}));
    assert_eq!(outcome.container(1)["securityContext"], json!({"runAsUser": 0}));
}

#[test]
fn f5_escalation_is_denied_where_the_api_allows_that() {
    let deny = || json!({"denyPrivilegeEscalation": true});
    assert_eq!(context(deny(), json!({})), json!({"allowPrivilegeEscalation": false}));
    for own in [
        json!({"privileged": true}),
        json!({"capabilities": {"add": ["SYS_ADMIN"]}}),
        json!({"capabilities": {"add": ["CAP_SYS_ADMIN"]}}),
        json!({"allowPrivilegeEscalation": true}),
    ] {
        assert_eq!(context(deny(), own.clone()), own);
    }
}

#[test]
fn f5_capabilities_are_appended_and_what_is_added_stays() {
    let all = || json!({"capabilities": {"dropAll": true}});
    assert_eq!(context(all(), json!({})), json!({"capabilities": {"drop": ["ALL"]}}));
    assert_eq!(
        context(all(), json!({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["MKNOD"]}})),
        json!({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["MKNOD", "ALL"]}})
    );
    for own in [
        json!({"capabilities": {"drop": ["ALL"]}}),
        json!({"privileged": true}),
        json!({"capabilities": {"add": ["ALL"]}}),
    ] {
        assert_eq!(context(all(), own.clone()), own);
    }
    let some = json!({"capabilities": {"drop": ["NET_RAW", "MKNOD"]}});
    assert_eq!(
        context(some, json!({"capabilities": {"add": ["NET_RAW"]}})),
        json!({"capabilities": {"add": ["NET_RAW"], "drop": ["MKNOD"]}})
    );
}

#[test]
fn f8_the_seccomp_profile_is_the_pods_unless_somebody_has_one() {
    let defaults = || json!({"seccompProfile": "RuntimeDefault"});
    let outcome = run_online(security(defaults()), one(json!({})));
    assert_eq!(outcome.spec()["securityContext"], json!({"seccompProfile": {"type": "RuntimeDefault"}}));
    assert_eq!(outcome.container(0)["securityContext"], json!({}));
    let own = one(json!({"seccompProfile": {"type": "Unconfined"}}));
    assert_eq!(run(security(defaults()), own.clone()).spec(), &own);
    let named = json!({"seccompProfile": "RuntimeDefault", "containers": {"include": ["app"]}});
    let outcome = run(security(named), json!({"containers": [{"name": "app"}, {"name": "other"}]}));
    assert_eq!(outcome.container(0)["securityContext"], json!({"seccompProfile": {"type": "RuntimeDefault"}}));
    assert_eq!(outcome.spec().get("securityContext"), None);
    let key = "seccomp.security.alpha.kubernetes.io/pod";
    for (profile, is_left_alone) in [("unconfined", true), ("localhost/p.json", true), ("runtime/default", false)] {
        let pod = json!({"metadata": {"annotations": {key: profile}}, "spec": one(json!({}))});
        let outcome = run_in(&security(defaults()), &pod, &world(), &[]).expect("no conflict");
        assert_eq!(outcome.pod == pod, is_left_alone, "{profile}");
    }
}

#[test]
fn a8_a_windows_pod_gets_nothing_that_linux_alone_has() {
    let defaults = || {
        security(json!({
            "seccompProfile": "RuntimeDefault", "runAsNonRoot": "Always", "denyPrivilegeEscalation": true,
            "capabilities": {"dropAll": true}, "readOnlyRootFilesystem": {"writable": [{"path": "/tmp"}]},
        }))
    };
    for os in [json!({"os": {"name": "windows"}}), json!({"nodeSelector": {"kubernetes.io/os": "windows"}})] {
        let mut pod = one(json!({}));
        os.as_object().expect("an object").iter().for_each(|(key, value)| pod[key] = value.clone());
        assert_eq!(run(defaults(), pod.clone()).spec(), &pod);
    }
}

#[test]
fn no_token_is_mounted_where_nobody_asked_for_one() {
    let defaults = security(json!({"automountServiceAccountToken": {}}));
    let outcome =
        run_online(defaults.clone(), json!({"containers": [{"name": "a", "image": "a"}], "volumes": [{"name": "v"}]}));
    assert_eq!(outcome.spec()["automountServiceAccountToken"], false);
    assert_eq!(outcome.container(0)["volumeMounts"], json!([]));
    assert_eq!(outcome.spec()["volumes"], json!([{"name": "v", "emptyDir": {}}]));
    let said = json!({"automountServiceAccountToken": true, "containers": [{"name": "a"}]});
    assert_eq!(run(defaults.clone(), said.clone()).spec(), &said);
    let used = json!({"containers": [{"name": "a", "volumeMounts": [{"name": "kube-api-access-1", "mountPath": "/elsewhere"}]}],
                      "volumes": [{"name": "kube-api-access-1", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]});
    let outcome = run(defaults, used.clone());
    assert_eq!((&outcome.spec()["volumes"], outcome.container(0)), (&used["volumes"], &used["containers"][0]));
}

#[test]
fn service_accounts_can_be_excused_by_their_labels() {
    let defaults = security(
        json!({"automountServiceAccountToken": {"unlessServiceAccount": {"matchLabels": {"needs-api": "true"}}}}),
    );
    let pod = arrived(&json!({"spec": {"containers": [{"name": "a", "image": "a"}]}}), &world());
    let run = |labels: Option<LabelSet<'static>>| {
        let world = World { service_account_labels: labels, ..world() };
        run_in(&defaults, &pod, &world, &[]).expect("no conflict")
    };
    assert_eq!(run(Some([("needs-api", "true")].into())).pod, pod);
    assert_eq!(run(Some(LabelSet::default())).spec()["automountServiceAccountToken"], false);
    let unknown = run(None);
    assert_eq!((unknown.pod == pod, unknown.codes()), (true, vec!["service_account_unknown"]));
}
