//! Who is calling, and who answers: one that demands a client certificate answers the API server that shows it and nobody else,
//! and the API server believes nobody else's answers.
//!
//! Each demand is met, or not, twice: by a validating and by a mutating webhook. What cannot be called fails closed.

use crate::{
    objects::{compliant, dry, pod, pods, privileged},
    stage::{BETRAYED, IMPOSTOR, MISNAMED, SHOWN, STRANGER, Stage, UNSHOWN, mutated, stage, validated},
};
use anyhow::Result;

#[test]
fn the_certificate_of_the_api_server_is_let_in() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let answer = api.post(&dry(&pods(&validated(SHOWN))), &pod("a", &compliant("app")))?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let answer = api.post(&dry(&pods(&validated(SHOWN))), &pod("a", &privileged("app")))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let answer = api.post(&dry(&pods(&mutated(SHOWN))), &pod("a", &compliant("app")))?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let shown = stage.instance(SHOWN)?;
    for phase in ["validate", "mutate"] {
        assert!(shown.metric(&answered(phase))? >= 1.0, "/{phase} was not asked");
    }
    Ok(())
}

#[test]
fn a_certificate_with_another_name_is_refused() -> Result<()> {
    assert_nobody_is_let_in(&*stage()?, MISNAMED)
}

#[test]
fn a_certificate_of_another_authority_is_refused_although_that_has_the_same_name() -> Result<()> {
    assert_nobody_is_let_in(&*stage()?, STRANGER)
}

#[test]
fn no_certificate_is_refused() -> Result<()> {
    assert_nobody_is_let_in(&*stage()?, UNSHOWN)
}

#[test]
fn an_impostor_is_not_believed_and_what_it_admits_is_refused() -> Result<()> {
    let stage = stage()?;
    let answer = stage.plane.connect()?.post(&dry(&pods(BETRAYED)), &pod("a", &compliant("app")))?;
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.message().contains("failed calling webhook \"impostor.portcullis.dev\""), "{}", answer.message());
    assert!(answer.message().contains("x509: certificate signed by unknown authority"), "{}", answer.message());
    assert_eq!(stage.instance(IMPOSTOR)?.metric(&answered("validate"))?, 0.0);
    Ok(())
}

/// Neither webhook is called, so that what would have been admitted is not; the handshake is where it ends.
fn assert_nobody_is_let_in(stage: &Stage, name: &str) -> Result<()> {
    let mut api = stage.plane.connect()?;
    let portcullis = stage.instance(name)?;
    for namespace in [validated(name), mutated(name)] {
        let before = portcullis.metric("portcullis_tls_handshake_failures_total")?;
        let answer = api.post(&dry(&pods(&namespace)), &pod("a", &compliant("app")))?;
        assert_eq!(answer.status, 500, "{}", answer.body);
        let failure = format!("failed calling webhook \"{name}.portcullis.dev\"");
        assert!(answer.message().contains(&failure), "{}", answer.message());
        assert!(portcullis.metric("portcullis_tls_handshake_failures_total")? > before, "{}", answer.message());
    }
    for phase in ["validate", "mutate"] {
        assert_eq!(portcullis.metric(&answered(phase))?, 0.0, "/{phase} was asked");
    }
    Ok(())
}

fn answered(phase: &str) -> String {
    format!("portcullis_request_duration_seconds_count{{phase=\"{phase}\"}}")
}
