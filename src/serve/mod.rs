//! Sockets, TLS, HTTP/1.1, limits, drain and the admin port; knows nothing of policies: [`Backend`] stands between.
//!
//! Every wait, buffer and count has a bound, a fault costs one request, and what is answered is in `docs/reference/http.md`.

mod accept;
mod admin;
mod answer;
mod backend;
mod body;
mod catch;
mod client_file;
mod connection;
mod drain;
mod handler;
mod limits;
mod progress;
mod reload;
mod route;
mod server;
mod tls;

pub use backend::Backend;
pub use client_file::{ClientFile, ClientFileError};
pub use limits::Limits;
pub use reload::{Files, watch};
pub use server::{Listeners, Server};
pub use tls::{Clients, Identity, Tls, TlsError};
