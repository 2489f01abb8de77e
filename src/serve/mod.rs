//! Sockets, TLS, HTTP/1.1, limits, drain and the admin port; knows nothing of policies.
