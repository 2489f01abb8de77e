//! Golden bytes of answers, and what becomes of bodies that are wrong.

use super::*;
use crate::engine::pod_security::{Configuration, LevelVersion};
use crate::engine::{Facts, Phase, Request, Snapshot, Unlisted, decide};

fn answer(body: &str) -> Result<String, BadReview> {
    let snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unlabelled);
    let request = decode(Phase::Validate, body.as_bytes())?;
    let verdict = decide(&request, &snapshot, &Facts::default());
    Ok(String::from_utf8(encode(&request.uid, &verdict)).unwrap())
}

fn review(object: &str) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u-1","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"name":"web","namespace":"shop","operation":"CREATE","userInfo":{{"username":"dev"}},"object":{object},"oldObject":null,"dryRun":false}}}}"#
    )
}

const GOOD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}"#;

#[test]
fn an_admission_is_these_bytes() {
    assert_eq!(
        answer(&review(GOOD)).unwrap(),
        concat!(
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"u-1","allowed":true,"#,
            r#""auditAnnotations":{"enforce-policy":"restricted:latest"}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_denial_is_these_bytes() {
    let object = r#"{"apiVersion":"v1","kind":"Pod","spec":{"hostNetwork":true}}"#;
    assert_eq!(
        answer(&review(object)).unwrap(),
        concat!(
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"u-1","allowed":false,"#,
            r#""status":{"metadata":{},"status":"Failure","message":"pods \"web\" is forbidden: violates PodSecurity "#,
            r#"\"restricted:latest\": host namespaces (hostNetwork=true)","reason":"Forbidden","details":{"name":"web","#,
            r#""kind":"pods"},"code":403},"auditAnnotations":{"enforce-policy":"restricted:latest","audit-violations":"#,
            r#""would violate PodSecurity \"restricted:latest\": host namespaces (hostNetwork=true)"}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_uid_with_quotes_comes_back_as_it_came() {
    let body = review(GOOD).replace("u-1", r#"a\"b\\\u00e9"#);
    assert!(answer(&body).unwrap().contains(r#""uid":"a\"b\\é","allowed":true"#));
}

#[test]
fn an_object_that_does_not_decode_is_denied_with_the_uid() {
    for object in [
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":"none"}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"hostNetwork":"yes"}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"ports":[{"hostPort":99999999999}]}]}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"hostPID":true,"hostPID":false}}"#,
        r#"{"apiVersion":"v2","kind":"Pod","spec":{}}"#,
        "[]",
        "5",
    ] {
        let answer = answer(&review(object)).unwrap();
        assert!(
            answer.contains(r#""uid":"u-1","allowed":false"#) && answer.contains(r#""code":400"#),
            "{object}: {answer}"
        );
        assert!(answer.contains("failed to decode object"), "{object}: {answer}");
    }
}

#[test]
fn an_object_that_hides_its_kind_is_what_the_request_says_it_is() {
    for object in [r#"{"spec":{"hostPID":true}}"#, r#"{"kind":"Pod","spec":{"hostPID":true}}"#] {
        let answer = answer(&review(object)).unwrap();
        assert!(answer.contains("host namespaces (hostPID=true)"), "{object}: {answer}");
    }
}

#[test]
fn nulls_are_zero_values_as_in_go() {
    let object =
        r#"{"apiVersion":"v1","kind":"Pod","metadata":null,"spec":{"containers":[null],"volumes":[null],"os":null}}"#;
    let answer = answer(&review(object)).unwrap();
    assert!(answer.contains(r#"pod or container \"\" must set securityContext.runAsNonRoot=true"#), "{answer}");
    assert!(answer.contains(r#"volume \"\" uses restricted volume type \"unknown\""#), "{answer}");
}

#[test]
fn bodies_that_are_no_review_say_why() {
    let good = review(GOOD);
    for (body, expected) in [
        (String::new(), "the body is empty"),
        (" \n".to_owned(), "the body is empty"),
        (good[..good.len() / 2].to_owned(), "EOF while parsing"),
        ("hello".to_owned(), "expected value at line 1 column 1"),
        (good.replace("k8s.io/v1", "k8s.io/v1beta1"), "got \"AdmissionReview\" of \"admission.k8s.io/v1beta1\""),
        (r#"{"apiVersion":"v1","kind":"Pod"}"#.to_owned(), "got \"Pod\" of \"v1\""),
        (r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{}}"#.to_owned(), "has no request"),
        (good.replace("u-1", ""), "has no uid"),
        (good.replace("CREATE", "PATCH"), "\"PATCH\" is none of"),
        (good.replace(r#""uid":"u-1""#, r#""uid":"u-1","uid":"u-2""#), "duplicate field `uid`"),
        (format!("{good} trailing"), "trailing characters"),
    ] {
        let error = answer(&body).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_body_of_bad_utf_8_is_refused() {
    let mut body = review(GOOD).into_bytes();
    let at = body.windows(3).position(|window| window == b"web").unwrap();
    body[at] = 0xff;
    assert!(matches!(decode(Phase::Validate, &body), Err(BadReview::Malformed(_))));
}

#[test]
fn nesting_of_any_depth_is_an_answer_and_not_a_crash() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let unread = GOOD.replace(r#""metadata":{"#, &format!(r#""metadata":{{"managedFields":{},"#, deep(100_000)));
    assert!(answer(&review(&unread)).unwrap().contains("\"allowed\":true"));
    let read = GOOD.replace(r#""containers":["#, &format!(r#""containers":[{},"#, deep(100_000)));
    assert!(
        answer(&review(&read)).is_ok_and(|answer| answer.contains("\"code\":400")) || answer(&review(&read)).is_err()
    );
}

/// Good reviews of the mutate phase: as the API server writes them, and otherwise.
fn good_reviews() -> Vec<String> {
    let pod = r#"{"kind":"Pod","metadata":{"name":"web","labels":{"a":"b"},"annotations":null,"managedFields":[{"f:\"}":{}}]},"spec":{"containers":[{"name":"}"}]}}"#;
    let body = review(pod);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&body).unwrap()).unwrap();
    vec![
        body.replace("\"web\",\"namespace", "\"w\\u0065b\",\"namespace"),
        body.replace("\"dryRun\":false", "\"dryRun\":null,\"requestSubResource\":\"status\",\"subResource\":null"),
        body.replace(r#"{"username":"dev"}"#, "null").replace(r#""kind":{"group""#, r#""kind":{"extra":[1],"group""#),
        body.replace(r#""oldObject":null"#, &format!(r#""oldObject":{pod}"#)),
        review("null"),
        review(r#"{"metadata":null,"spec":null}"#),
        pretty,
        body,
    ]
}

#[test]
fn the_mutate_phase_reads_a_review_in_one_pass_as_the_slower_way_does() {
    for body in good_reviews() {
        let envelope = sketch::envelope(&body).expect("what the API server may write");
        assert!(envelope.request.is_some(), "{body}");
        let quick = decode(Phase::Mutate, body.as_bytes()).unwrap();
        let slow = decode::decode_in_parts(Phase::Mutate, body.as_bytes()).unwrap();
        assert_eq!(format!("{quick:?}"), format!("{:?}", Request { review: body.as_bytes(), ..slow }), "{body}");
    }
}

#[test]
fn what_the_mutate_phase_cannot_read_in_one_pass_is_read_or_refused_by_the_slower_way() {
    for body in good_reviews() {
        for at in 0..body.len() {
            for byte in [b'"', b'}', b'n', b'7', b' '] {
                let mut changed = body.clone().into_bytes();
                changed[at] = byte;
                let Ok(text) = str::from_utf8(&changed) else { continue };
                let (quick, slow) = (decode(Phase::Mutate, &changed), decode::decode_in_parts(Phase::Mutate, &changed));
                match (sketch::envelope(text), slow) {
                    (Err(_), slow) => assert_eq!(quick.is_ok(), slow.is_ok(), "{text}"),
                    // What is passed over is not checked, so more is read in one pass, and never otherwise.
                    (Ok(_), Ok(slow)) => {
                        assert_eq!(
                            format!("{:?}", quick.ok()),
                            format!("{:?}", Some(Request { review: &changed, ..slow })),
                            "{text}"
                        );
                    }
                    (Ok(_), Err(_)) => {}
                }
            }
        }
    }
}

#[test]
fn the_mutate_phase_refuses_a_member_that_is_there_twice() {
    let body = review(r#"{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[]}}"#);
    for (once, twice) in [
        (r#""uid":"u-1""#, r#""uid":"u-1","uid":"u-2""#),
        (r#""version":"v1""#, r#""version":"v1","version":"v2""#),
        (r#""username":"dev""#, r#""username":"dev","username":"root""#),
        (r#""object":"#, r#""object":{"spec":{}},"object":"#),
    ] {
        let body = body.replacen(once, twice, 1);
        assert!(sketch::envelope(&body).is_err(), "{body}");
        assert!(matches!(decode(Phase::Mutate, body.as_bytes()), Err(BadReview::Malformed(_))), "{body}");
    }
    for (once, twice) in [
        (r#""labels":"#, r#""labels":{"b":"c"},"labels":"#),
        (r#""metadata":"#, r#""metadata":{"name":"x"},"metadata":"#),
        (r#""spec":"#, r#""spec":{"hostPID":true},"spec":"#),
    ] {
        assert!(sketch::envelope(&body.replacen(once, twice, 1)).is_err(), "{twice}");
    }
}
