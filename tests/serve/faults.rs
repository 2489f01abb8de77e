//! A panic is one denial with the request's uid, or in audit mode an admission that says so; never a dead server.

use portcullis::engine::Mode;
use serde_json::Value;

use crate::harness::{Fault, Setting, review, tightening};

fn answers(mode: Mode, fault: Fault) -> Vec<Value> {
    let server = Setting { mode, fault, ..Setting::default() }.start();
    let mut client = server.client();
    let body = match fault {
        Fault::Decide => tightening("the-uid"),
        Fault::Gather => review("the-uid", "unlisted", false),
        _ => review("the-uid", "default", false),
    };
    let answers: Vec<Value> = (0..2).map(|_| client.post("/validate", &body).json()["response"].clone()).collect();
    let text = server.metrics.render(true);
    assert!(text.contains("\nportcullis_panics_total 2\n"), "{text}");
    assert!(text.contains("outcome=\"failed\""), "{text}");
    assert!(text.contains("pod_security_errors_total{fatal=\"true\""), "{text}");
    answers
}

const FAULTS: [Fault; 4] = [Fault::Snapshot, Fault::Gather, Fault::Decide, Fault::Record];

#[test]
fn a_panic_wherever_it_happens_is_one_denial() {
    for fault in FAULTS {
        for answer in answers(Mode::Enforce, fault) {
            assert_eq!((&answer["uid"], &answer["allowed"]), (&"the-uid".into(), &false.into()), "{fault:?}");
            assert_eq!(answer["status"]["code"], 500, "{fault:?}");
        }
    }
}

#[test]
fn in_audit_mode_a_panic_is_allowed_and_says_so() {
    // While the snapshot itself cannot be had, its mode is not known: that fault alone still denies.
    for fault in [Fault::Gather, Fault::Decide, Fault::Record] {
        for answer in answers(Mode::Audit, fault) {
            assert_eq!((&answer["uid"], &answer["allowed"]), (&"the-uid".into(), &true.into()), "{fault:?}");
            assert!(answer["auditAnnotations"]["error"].is_string(), "{fault:?}: {answer}");
        }
    }
}

#[test]
fn without_a_fault_the_same_requests_are_allowed() {
    let server = Setting::default().start();
    for body in [tightening("the-uid"), review("the-uid", "default", false)] {
        assert_eq!(server.client().post("/validate", &body).json()["response"]["allowed"], true);
    }
}
