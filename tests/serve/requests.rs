//! What is answered to reviews and to what is none.

use crate::client::{Answer, Client, admin};
use crate::harness::{Setting, review};

#[test]
fn judges_reviews_one_after_another_on_one_connection() {
    let server = Setting::default().start();
    let mut client = server.client();
    let denied = client.post("/validate?timeout=10s", &review("one", "default", true));
    assert_eq!((denied.status, denied.header("content-type")), (200, Some("application/json")));
    let response = &denied.json()["response"];
    assert_eq!((&response["uid"], &response["allowed"]), (&"one".into(), &false.into()));
    assert_eq!(response["status"]["code"], 403);
    let allowed = client.post("/validate", &review("two", "default", false));
    assert_eq!(allowed.json()["response"]["uid"], "two");
    assert_eq!(allowed.json()["response"]["allowed"], true);
    assert!(allowed.json()["request"].is_null() && allowed.header("connection").is_none());
}

#[test]
fn the_mutate_phase_proposes_nothing_and_refuses_nothing() {
    let server = Setting::default().start();
    let response = server.client().post("/mutate", &review("one", "default", true)).json();
    assert_eq!(response["response"], serde_json::json!({"uid": "one", "allowed": true}));
}

#[test]
fn a_body_in_pieces_is_the_same_body() {
    let server = Setting::default().start();
    let mut client = server.client();
    let body = review("pieces", "default", true);
    let head = format!(
        "POST /validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.write(head.as_bytes()).expect("a head");
    for piece in body.chunks(100) {
        client.write(piece).expect("a piece");
    }
    assert_eq!(client.answer().json()["response"]["uid"], "pieces");
    let mut chunked =
        b"POST /validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for piece in body.chunks(100) {
        chunked.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    client.write(&chunked).expect("a chunked request");
    assert_eq!(client.answer().json()["response"]["uid"], "pieces");
}

#[test]
fn a_request_that_is_misdirected_is_told_where_to_go_and_the_connection_goes_on() {
    let server = Setting::default().start();
    let mut client = server.client();
    let json = "Content-Type: application/json";
    let cases = [
        ("POST /", json, 404, None),
        ("POST /validate/", json, 404, None),
        ("GET /metrics", json, 404, None),
        ("GET /validate", json, 405, Some("POST")),
        ("PUT /mutate", json, 405, Some("POST")),
        ("POST /validate", "Content-Type: text/plain", 415, None),
        ("POST /validate", "X-Nothing: said", 415, None),
    ];
    for (line, header, status, allow) in cases {
        let answer = raw(&mut client, line, header, b"{}");
        assert_eq!((answer.status, answer.header("allow")), (status, allow), "{line} {header}: {answer:?}");
        assert!(answer.body.ends_with('\n') && answer.header("retry-after").is_none(), "{answer:?}");
    }
    let charset = "Content-Type: application/json; charset=utf-8";
    assert_eq!(raw(&mut client, "POST /validate", charset, &review("last", "default", false)).status, 200);
}

#[test]
fn what_is_no_review_is_refused_with_the_reason_in_plain_text() {
    let server = Setting::default().start();
    let mut client = server.client();
    let good = String::from_utf8(review("u", "default", false)).expect("text");
    let truncated = &good.as_bytes()[..good.len() / 2];
    let old = good.replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1");
    let cases: [(&[u8], &str); 9] = [
        (b"", "empty"),
        (b"  \n", "empty"),
        (truncated, "no AdmissionReview"),
        (b"hello", "no AdmissionReview"),
        (b"[]", "no AdmissionReview"),
        (old.as_bytes(), "v1beta1"),
        (br#"{"apiVersion":"v1","kind":"Pod"}"#, "Pod"),
        (br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#, "no request"),
        (b"\xff\xfe{}", "no AdmissionReview"),
    ];
    for (body, part) in cases {
        let answer = client.post("/validate", body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains(part), "{part:?} is not in {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let deep = "[".repeat(200_000);
    assert_eq!(client.post("/validate", deep.as_bytes()).status, 400);
    assert_eq!(client.post("/validate", good.as_bytes()).status, 200, "the connection goes on");
}

#[test]
fn the_admin_port_answers_in_the_clear_and_says_what_is_missing() {
    let ready = Setting::default().start();
    assert_eq!(admin(ready.admin, "/livez"), (200, "ok\n".to_owned()));
    assert_eq!(admin(ready.admin, "/readyz"), (200, "ok\n".to_owned()));
    assert_eq!(admin(ready.admin, "/validate").0, 404);
    let missing = vec!["namespaces have not been listed".to_owned(), "no policies yet".to_owned()];
    let unready = Setting { missing, ..Setting::default() }.start();
    let text = "not ready: namespaces have not been listed; no policies yet\n".to_owned();
    assert_eq!(admin(unready.admin, "/readyz"), (503, text));
    assert_eq!(admin(unready.admin, "/livez").0, 200);
    assert!(admin(unready.admin, "/metrics").1.contains("\nportcullis_ready 0\n"));
}

fn raw(client: &mut Client, line: &str, header: &str, body: &[u8]) -> Answer {
    let head = format!("{line} HTTP/1.1\r\nHost: h\r\n{header}\r\nContent-Length: {}\r\n\r\n", body.len());
    client.write(&[head.as_bytes(), body].concat()).expect("a request is sent");
    client.answer()
}
