//! Leaving: unready at once, closing answers, nothing cut that is under way.

use std::time::Duration;

use portcullis::serve::Limits;

use crate::client::{Client, admin, eventually};
use crate::harness::{Setting, review};

#[test]
fn a_request_under_way_is_answered_and_the_connection_closed() {
    let mut server = Setting::default().start();
    let mut idle = server.client();
    assert_eq!(idle.post("/validate", &review("u", "default", false)).status, 200);
    let mut busy = server.client();
    busy.send("/validate", &review("busy", "slow", false));
    eventually("one is in flight", || server.metrics.render(true).contains("requests_in_flight 1\n"));
    server.stop();
    assert!(idle.is_closed());
    eventually("nothing is accepted", || Client::connect(server.address, &server.trust).is_err());
    server.lookups.add_permits(1);
    let answer = busy.answer();
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.json()["response"]["uid"], "busy");
    assert!(busy.is_closed());
    server.join();
}

#[test]
fn during_the_drain_delay_connections_are_accepted_and_readiness_is_off() {
    let limits = Limits { farewell: Duration::from_millis(100), ..Limits::default() };
    let mut server = Setting { limits, drain_delay: Duration::from_secs(3600), ..Setting::default() }.start();
    server.stop();
    eventually("not ready", || admin(server.admin, "/readyz").0 == 503);
    assert!(admin(server.admin, "/readyz").1.contains("stopping"));
    assert_eq!(admin(server.admin, "/livez").0, 200);
    let answer = server.client().post("/validate", &review("u", "default", false));
    assert_eq!((answer.status, answer.header("connection")), (200, None));
    // The hour is not waited for: the thread ends with the process.
    std::mem::forget(server);
}

#[test]
fn at_the_end_of_the_drain_delay_answers_say_that_the_connection_closes() {
    let delay = Duration::from_secs(3600);
    let limits = Limits { farewell: delay, ..Limits::default() };
    let mut server = Setting { limits, drain_delay: delay, ..Setting::default() }.start();
    server.stop();
    eventually("answers say so", || {
        let mut client = server.client();
        let answer = client.post("/validate", &review("u", "default", false));
        assert_eq!(answer.status, 200);
        answer.header("connection") == Some("close") && client.is_closed()
    });
    assert_eq!(
        server.client().post("/validate", &review("u", "default", false)).status,
        200,
        "others are still let in"
    );
    std::mem::forget(server);
}

#[test]
fn what_is_still_under_way_after_the_grace_is_cut() {
    let limits = Limits { grace: Duration::from_millis(200), ..Limits::default() };
    let mut server = Setting { limits, ..Setting::default() }.start();
    let mut busy = server.client();
    busy.send("/validate?timeout=30s", &review("busy", "slow", false));
    eventually("one is in flight", || server.metrics.render(true).contains("requests_in_flight 1\n"));
    server.stop();
    server.join();
    assert!(busy.is_closed());
}
