//! Every bound of the server, with its reason.

use std::time::Duration;

/// What a server allows and waits for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body. An object has at most 3 MiB in the API server, and an update carries two.
    pub body: usize,
    /// Bytes of all bodies that are being collected or judged, but for those that came in one piece.
    pub all_bodies: usize,
    /// From accepting a connection to the end of its handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// From an answer to the next request. Go's client closes idle connections after 90 s; closing first would race with
    /// requests that are under way.
    pub idle: Duration,
    /// Time to answer when the request says nothing of it: what webhooks get by default.
    pub timeout: Duration,
    /// The most time that a request may ask for: what webhooks get at most.
    pub longest_timeout: Duration,
    /// Connections that are served. An API server holds one for each request that it has under way.
    pub connections: usize,
    /// Connections beyond these that are told so (503, Retry-After) before they are closed; then none is accepted at all.
    pub surplus_connections: usize,
    /// Requests under way; more are refused with 429 and Retry-After.
    pub in_flight: usize,
    /// After an answer that left a body unread: time to read it off, so that closing does not destroy the answer.
    pub linger: Duration,
    /// The last part of the drain delay, in which every answer says `Connection: close`: connections in use then move
    /// elsewhere between two requests, and only those are left to be closed on which nothing came all that time. It is long,
    /// for the API server does not try a call again that meets the closing of its connection, and a machine that has stalled
    /// for a second or two sends all that has waited at once.
    pub farewell: Duration,
    /// Time for requests under way once nothing is accepted any more.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            all_bodies: 128 << 20,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            timeout: Duration::from_secs(10),
            longest_timeout: Duration::from_secs(30),
            connections: 4096,
            surplus_connections: 256,
            in_flight: 1024,
            linger: Duration::from_secs(1),
            farewell: Duration::from_secs(8),
            grace: Duration::from_secs(30),
        }
    }
}
