//! Installing Portcullis, in each of the three forms: kustomize, Helm and `portcullis render`.
//!
//! They are the same objects; a real API server accepts them; what they allow is what Portcullis uses, no less and no more;
//! and nothing is left of them afterwards.

#[path = "installation/forms.rs"]
mod forms;
#[path = "installation/grants.rs"]
mod grants;
mod harness;
#[path = "installation/lifecycle.rs"]
mod lifecycle;
#[path = "installation/rights.rs"]
mod rights;
#[path = "installation/running.rs"]
mod running;
#[path = "installation/stage.rs"]
mod stage;
