//! Every bound, made small: what is answered when it is reached, and that the server goes on.

use std::time::Duration;

use portcullis::serve::Limits;

use crate::client::{Client, eventually};
use crate::harness::{Running, Setting, review};

const SHORT: Duration = Duration::from_millis(300);
const HOUR: Duration = Duration::from_secs(3600);

fn with(change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits::default();
    change(&mut limits);
    Setting { limits, ..Setting::default() }.start()
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_even_while_it_is_being_sent() {
    let server = with(|_| {});
    let mut client = server.client();
    client.send("/validate", &vec![b' '; 10 << 20]);
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    assert!(answer.body.contains("8388608 bytes"), "{answer:?}");
    assert!(client.is_closed());
}

#[test]
fn a_chunked_body_is_refused_when_it_becomes_too_large() {
    let server = with(|limits| limits.body = 1000);
    let mut client = server.client();
    let head =
        "POST /validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("258\r\n{}\r\n", " ".repeat(600));
    client.write(format!("{head}{chunk}{chunk}").as_bytes()).expect("a request is sent");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    assert!(client.is_closed());
}

#[test]
fn large_bodies_share_a_room() {
    let server = with(|limits| limits.all_bodies = 100_000);
    let mut client = server.client();
    client.send("/validate", &vec![b' '; 300_000]);
    let answer = client.answer();
    let again = (answer.header("retry-after"), answer.header("connection"));
    assert_eq!((answer.status, again), (429, (Some("1"), Some("close"))));
    assert_eq!(server.client().post("/validate", &review("u", "default", false)).status, 200);
}

#[test]
fn a_review_without_a_decision_is_told_to_try_again_at_its_deadline() {
    let server = with(|_| {});
    let mut client = server.client();
    let answer = client.post("/validate?timeout=300ms", &review("u", "slow", false));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert!(answer.header("connection").is_none());
    assert_eq!(client.post("/validate", &review("u", "default", false)).status, 200, "the connection goes on");
}

#[test]
fn a_deadline_that_a_request_does_not_name_or_names_too_late_is_ours() {
    let server = with(|limits| (limits.timeout, limits.longest_timeout) = (SHORT, SHORT));
    for path in ["/validate", "/validate?timeout=soon", "/validate?timeout=0s", "/validate?timeout=1h"] {
        assert_eq!(server.client().post(path, &review("u", "slow", false)).status, 503, "{path}");
    }
}

#[test]
fn a_body_that_never_comes_ends_the_connection_at_the_deadline() {
    let server = with(|limits| limits.timeout = SHORT);
    let mut client = server.client();
    let head = "POST /validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    client.write(head.as_bytes()).expect("a head");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    assert!(client.is_closed());
}

#[test]
fn a_slow_head_is_cut_while_an_idle_connection_stays() {
    let server = with(|limits| (limits.head, limits.idle) = (SHORT, HOUR));
    let mut idle = server.client();
    assert_eq!(idle.post("/validate", &review("u", "default", false)).status, 200);
    let mut fresh = server.client();
    let mut slow = server.client();
    slow.write(b"POST /validate HTTP/1.1\r\nHos").expect("half a head");
    assert!(slow.is_closed());
    for client in [&mut idle, &mut fresh] {
        assert_eq!(client.post("/validate", &review("u", "default", false)).status, 200);
    }
}

#[test]
fn an_idle_connection_is_closed_in_the_end() {
    let server = with(|limits| limits.idle = SHORT);
    let mut client = server.client();
    assert_eq!(client.post("/validate", &review("u", "default", false)).status, 200);
    assert!(client.is_closed());
    assert!(server.client().is_closed(), "one that never asked anything, too");
}

#[test]
fn a_handshake_that_does_not_end_is_cut() {
    let server = with(|limits| limits.handshake = SHORT);
    let tcp = std::net::TcpStream::connect(server.address).expect("a connection");
    let mut tcp = tcp;
    assert_eq!(std::io::Read::read(&mut tcp, &mut [0]).expect("an end"), 0);
    eventually("the failure is counted", || server.metrics.render(true).contains("handshake_failures_total 1\n"));
}

#[test]
fn more_requests_than_allowed_are_told_to_try_again() {
    let server = with(|limits| limits.in_flight = 1);
    let mut first = server.client();
    first.send("/validate", &review("first", "slow", false));
    eventually("one is in flight", || server.metrics.render(true).contains("requests_in_flight 1\n"));
    let mut second = server.client();
    let answer = second.post("/validate", &review("second", "default", false));
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    server.lookups.add_permits(1);
    assert_eq!(first.answer().json()["response"]["uid"], "first");
    eventually("it has left", || server.metrics.render(true).contains("requests_in_flight 0\n"));
    assert_eq!(second.post("/validate", &review("second", "default", false)).status, 200);
}

#[test]
fn surplus_connections_are_told_so_and_beyond_them_nobody_is_let_in() {
    let server = with(|limits| (limits.connections, limits.surplus_connections) = (1, 1));
    let mut served = server.client();
    assert_eq!(served.post("/validate", &review("u", "default", false)).status, 200);
    let mut surplus = server.client();
    let waiting = std::thread::spawn({
        let (address, trust) = (server.address, server.trust.clone());
        move || {
            Client::connect(address, &trust).map(|mut client| client.post("/validate", &review("u", "default", false)))
        }
    });
    let answer = surplus.post("/validate", &review("u", "default", false));
    let again = (answer.header("retry-after"), answer.header("connection"));
    assert_eq!((answer.status, again), (503, (Some("1"), Some("close"))));
    drop((surplus, served));
    // Whether it finds one or no connection before it, it is let in and answered.
    let status = waiting.join().expect("a client").expect("a connection").status;
    assert!([200, 503].contains(&status), "{status}");
}
