//! Exemptions, by upstream's configuration file: users, runtime classes and namespaces; each leaves its trace.

use crate::{
    harness::{Answer, Api},
    objects::{deployment, deployments, dry, plain, pod, pods, privileged},
    stage::{EXCUSED, EXEMPT_RUNTIME_CLASS, STRICT, Stage, WARNED, stage},
};
use anyhow::Result;
use serde_json::json;

#[test]
fn an_exempt_user_may_create_what_is_refused_to_others() -> Result<()> {
    let stage = stage()?;
    let bad = pod("by-user", &privileged("app"));
    assert_eq!(stage.plane.connect()?.post(&dry(&pods(STRICT)), &bad)?.status, 403);
    let answer = stage.connect_exempt()?.post(&dry(&pods(STRICT)), &bad)?;
    assert_exempt(&stage, &answer, "user")?;
    let answer = stage.connect_exempt()?.post(&dry(&deployments(WARNED)), &deployment("by-user", &plain("app")))?;
    assert_exempt(&stage, &answer, "user")
}

#[test]
fn a_pod_of_an_exempt_runtime_class_is_admitted() -> Result<()> {
    let stage = stage()?;
    let mut api: Api = stage.plane.connect()?;
    let mut bad = pod("by-class", &privileged("app"));
    assert_eq!(api.post(&dry(&pods(STRICT)), &bad)?.status, 403);
    bad["spec"]["runtimeClassName"] = json!(EXEMPT_RUNTIME_CLASS);
    let answer = api.post(&dry(&pods(STRICT)), &bad)?;
    assert_exempt(&stage, &answer, "runtimeClass")
}

#[test]
fn an_exempt_namespace_is_left_alone_whatever_its_labels_say() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let answer = api.post(&dry(&pods(EXCUSED)), &pod("a", &privileged("app")))?;
    assert_exempt(&stage, &answer, "namespace")?;
    let answer = api.post(&dry(&deployments(EXCUSED)), &deployment("a", &privileged("app")))?;
    assert_exempt(&stage, &answer, "namespace")
}

/// Admitted in silence, and in the audit log as exempt by this.
fn assert_exempt(stage: &Stage, answer: &Answer, by: &str) -> Result<()> {
    assert_eq!((answer.status, &answer.warnings), (201, &vec![]), "{}", answer.body);
    let annotations = stage.log()?.annotations(&answer.audit_id)?;
    assert_eq!(annotations["portcullis.portcullis.dev/exempt"], by, "{annotations}");
    Ok(())
}
