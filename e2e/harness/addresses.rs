//! Loopback addresses that are this control plane's alone.
//!
//! All of 127.0.0.0/8 is local on Linux, without routes or addresses to add. A plane owns 127.0.N.0/24 for the ClusterIPs
//! of its Services and 127.1.N.0/24 for its own processes, so that planes on one machine never meet, and a webhook that
//! listens on its ClusterIP is reached as in production: through its Service, under its Service's name, over HTTP/1.1.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the ports that the kernel gives to clients, so that nobody has it by chance.
const RESERVATION_PORT: u16 = 28_255;
/// The API server gives the first 16 ClusterIPs of a range only to those who ask for them by number.
const LAST_STATIC_SERVICE: u8 = 16;

/// Two ranges of 256 loopback addresses, reserved until dropped.
pub struct Addresses {
    number: u8,
    _reservation: TcpListener,
}

impl Addresses {
    /// Takes the first ranges that no other plane on this machine has.
    pub fn reserve() -> Result<Self> {
        // A listener is the reservation: the kernel knows one holder at most, and frees it when the holder is gone.
        (1..=u8::MAX)
            .find_map(|number| {
                let reservation = TcpListener::bind((Ipv4Addr::new(127, 1, number, 255), RESERVATION_PORT)).ok()?;
                Some(Self { number, _reservation: reservation })
            })
            .context("no range of loopback addresses is free: are 255 control planes running, or is this not Linux?")
    }

    /// The range of the ClusterIPs.
    pub fn services(&self) -> String {
        format!("127.0.{}.0/24", self.number)
    }

    /// A ClusterIP that is given to nobody who does not ask for it: `host` is 2 to 16 (1 is the API server's own).
    pub fn service(&self, host: u8) -> Ipv4Addr {
        assert!((2..=LAST_STATIC_SERVICE).contains(&host), "ClusterIP {host} may be given to another Service");
        Ipv4Addr::new(127, 0, self.number, host)
    }

    /// Where a process of the plane is to listen: an address of its own, and a port that is free there.
    pub fn process(&self, host: u8) -> Result<SocketAddr> {
        free_port(Ipv4Addr::new(127, 1, self.number, host))
    }
}

/// A port on which nobody listens at `address`.
pub fn free_port(address: Ipv4Addr) -> Result<SocketAddr> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?)
}
