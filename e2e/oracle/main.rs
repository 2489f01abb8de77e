//! The oracle: thousands of random pods and reviews, judged by upstream's own code and by Portcullis.
//!
//! Verdict and text have to be equal to the letter. `N` (pods; a quarter as many reviews) and `SEED` come from the
//! environment; what differs is shrunk and printed.

#![expect(unreachable_pub, reason = "nothing outside a test could reach it")]

// Clippy takes for test code what says that it is.
#[cfg(test)]
mod broken;
#[cfg(test)]
mod cells;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod run;
#[cfg(test)]
mod sayings;
#[cfg(test)]
#[path = "../settings.rs"]
mod settings;
#[cfg(test)]
mod shrink;

/// One test, as its parts feed one another: the cases that agree are those that must reach every cell and catch every fault.
#[test]
fn portcullis_says_what_upstream_says() {
    let complaints = run::run().unwrap();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
