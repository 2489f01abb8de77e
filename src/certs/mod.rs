//! Certificates that Portcullis makes: authorities, leaves that they sign, and when each is replaced by which.
//!
//! Nobody who trusts the authorities that are handed out, a little late as clients are, ever meets a leaf that he cannot verify:
//! an authority signs only once it is known to be trusted, and is trusted for as long as anything that it signed can be served.
//! Time is an argument, so that it is the API server's: it is the API server that verifies.
//!
//! Read `renewal` first: it says what is made when. `kept` is what one replica does with what all replicas share.

mod authority;
mod encoding;
mod error;
mod kept;
mod leaf;
mod material;
mod renewal;
mod self_made;
mod serving;
mod settled;
#[cfg(test)]
mod simulation;
mod verify;

pub use authority::Authority;
pub use encoding::{authority_pem, certificates, expiry};
pub use error::CertificateError;
pub use kept::{Clock, Kept, Turn};
pub use leaf::Leaf;
pub use material::{Found, Material, distrusted_before};
pub use renewal::{Lifetimes, Terms, Why};
pub use self_made::{SelfMade, self_made};
pub use serving::{Offer, Serving};
pub use settled::Settled;
