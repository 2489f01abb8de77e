//! The answer to one request. Its fields are private and it has no default: only the engine can make one that allows.

use super::mutation::{Note, Patch};
use super::pod_security::{Evaluation, LevelVersion};

/// What is answered, and everything that is to be said, recorded or counted about it. Owned, never borrowed from the body.
#[derive(Debug)]
pub struct Verdict {
    denial: Option<Status>,
    warnings: Vec<String>,
    annotations: Vec<Annotation>,
    judgements: Vec<Judgement>,
    events: Vec<Event>,
    notes: Vec<Note>,
    patch: Option<Patch>,
}

/// Why a request is denied, in the terms of `metav1.Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code that the client sees.
    pub code: u16,
    /// `metav1.StatusReason`.
    pub reason: &'static str,
    pub message: String,
    pub details: Details,
}

/// `metav1.StatusDetails`; empty for a status that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    pub name: String,
    pub group: String,
    pub kind: String,
    pub causes: Vec<Cause>,
}

/// `metav1.StatusCause`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `metav1.CauseType`; empty where there is none.
    pub reason: &'static str,
    pub message: String,
    /// The path of the field; empty where there is none.
    pub field: String,
}

/// An audit annotation; the API server puts the webhook's name before its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Annotation {
    EnforcePolicy(LevelVersion),
    AuditViolations(String),
    Exempt(Exempt),
    Error(String),
    /// In audit mode: the denial that was not carried out.
    WouldDeny(String),
    /// What the documents that are for a pod came to.
    Mutation(String),
    /// In audit mode: how many operations the patch had that was not answered.
    WouldPatch(usize),
}

impl Annotation {
    pub fn key(&self) -> &'static str {
        match self {
            Self::EnforcePolicy(_) => "enforce-policy",
            Self::AuditViolations(_) => "audit-violations",
            Self::Exempt(_) => "exempt",
            Self::Error(_) => "error",
            Self::WouldDeny(_) => "would-deny",
            Self::Mutation(_) => "mutation",
            Self::WouldPatch(_) => "would-patch",
        }
    }

    pub fn value(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::EnforcePolicy(policy) => policy.to_string().into(),
            Self::Exempt(exempt) => exempt.name().into(),
            Self::AuditViolations(text) | Self::Error(text) | Self::WouldDeny(text) | Self::Mutation(text) => {
                text.into()
            }
            Self::WouldPatch(operations) => format!("{operations} operations").into(),
        }
    }
}

/// What made a request exempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exempt {
    Namespace,
    User,
    RuntimeClass,
}

impl Exempt {
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::User => "user",
            Self::RuntimeClass => "runtimeClass",
        }
    }
}

/// The modes of Pod Security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyMode {
    Enforce,
    Audit,
    Warn,
}

impl PolicyMode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Warn => "warn",
        }
    }
}

/// A policy that the pod violates, in one mode: the typed form of a denial, a warning or an audit annotation.
#[derive(Debug, Clone)]
pub struct Judgement {
    pub mode: PolicyMode,
    pub policy: LevelVersion,
    pub evaluation: Evaluation,
}

/// Something to count, as upstream's `metrics.Recorder` would be told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Evaluation {
        allowed: bool,
        policy: LevelVersion,
        mode: PolicyMode,
    },
    Exemption,
    Error {
        /// Whether it kept the request from being evaluated.
        fatal: bool,
    },
}

impl Verdict {
    pub fn is_allowed(&self) -> bool {
        self.denial.is_none()
    }

    /// Why it is denied; none if it is allowed.
    pub fn denial(&self) -> Option<&Status> {
        self.denial.as_ref()
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// The policies that are violated, in the order enforce, audit, warn.
    pub fn judgements(&self) -> &[Judgement] {
        &self.judgements
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What the documents that are for a pod came to, in order.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What is to be changed in the object; none of a denial.
    pub fn patch(&self) -> Option<&Patch> {
        self.patch.as_ref()
    }

    /// The answer where deciding came to no end: a denial with code 500, or in audit mode an admission that says so.
    pub fn for_panic(mode: super::Mode) -> Self {
        let message =
            "Internal error occurred: the decision was interrupted by a fault of Portcullis; please report it";
        let status =
            Status { code: 500, reason: "InternalError", message: message.to_owned(), details: Details::default() };
        let mut verdict = Self::allow();
        verdict.events.push(Event::Error { fatal: true });
        verdict.annotate(Annotation::Error(status.message.clone()));
        if mode == super::Mode::Enforce {
            verdict.deny(status);
        }
        verdict
    }

    pub(super) fn allow() -> Self {
        let (warnings, annotations, judgements, events, notes) = Default::default();
        Self { denial: None, warnings, annotations, judgements, events, notes, patch: None }
    }

    pub(super) fn deny(&mut self, status: Status) {
        self.denial = Some(status);
    }

    pub(super) fn change(&mut self, patch: Patch) {
        self.patch = Some(patch);
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn annotate(&mut self, annotation: Annotation) {
        self.annotations.push(annotation);
    }

    pub(super) fn note(&mut self, notes: Vec<Note>) {
        self.notes = notes;
    }

    pub(super) fn judge(&mut self, judgement: Judgement) {
        self.judgements.push(judgement);
    }

    pub(super) fn count(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The same verdict under which nothing is denied or changed: the denial becomes a warning and an audit annotation, the patch an
    /// audit annotation.
    pub(super) fn without_effect(mut self) -> Self {
        if let Some(patch) = self.patch.take() {
            self.annotate(Annotation::WouldPatch(patch.operations()));
        }
        if let Some(status) = self.denial.take() {
            self.warnings.insert(0, format!("would be denied: {}", status.message));
            self.annotate(Annotation::WouldDeny(status.message));
        }
        self
    }
}
