//! Holds every check against its page, `docs/checks/<id>.md`, and all of them against what is true of any check.
//!
//! A page is documentation, specification and test at once; [`page`] says how one is written.
//! `UPDATE_VERDICTS=1 cargo test --test checks` writes the verdicts that the checks give into the pages: read the
//! difference before you keep it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, also in the functions that its tests share"
)]

mod draft;
mod judge;
mod page;
mod pages;
mod path;
mod properties;
mod registry;
