//! Whether a configuration is left to another replica that wants it otherwise: whoever knows of documents is right, and whoever was
//! started later.
//!
//! Nobody gives way for ever: one that has ended for good has its say no longer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::configuration::{Registration, Which};
use super::difference::{form, is_of_a_later_replica, is_of_a_replica};

/// How long a replica leaves the configurations to one that was started later and wants them otherwise: an update of all
/// replicas takes no longer, and one that ended for good has its say no longer.
const LONGEST: Duration = Duration::from_secs(600);

/// How long one that knows of no documents leaves them to any other that does: all replicas are told within moments.
const LONGEST_ABOUT_DOCUMENTS: Duration = Duration::from_secs(5);

/// Why a configuration is other than it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is as it was to be until now: it is we who know of other documents.
    OurDocuments,
    /// One of us wrote it for other documents.
    TheirDocuments,
    Otherwise,
}

#[derive(Debug, Default)]
pub(super) struct Deference {
    /// When this replica was started, by the API server's clock.
    started: Option<SystemTime>,
    /// Since when the configurations are left to another replica.
    since: Option<Instant>,
    /// By kind: the form that each configuration was last to have. Documents that come and go change what that is.
    forms: BTreeMap<&'static str, String>,
}

impl Deference {
    /// Takes the first time that is told for the time of our start.
    pub(super) fn is_started(&mut self, now: Option<SystemTime>) {
        self.started = self.started.or(now);
    }

    pub(super) fn started(&self) -> Option<SystemTime> {
        self.started
    }

    /// The configuration is to have this form, and has it as far as it depends on us.
    pub(super) fn wants(&mut self, which: Which, form: String) {
        self.forms.insert(which.kind(), form);
    }

    /// Everything is as it is to be.
    pub(super) fn ends(&mut self) {
        self.since = None;
    }

    /// Why what was found is other than what is desired.
    pub(super) fn cause(&self, registration: &Registration, which: Which, desired: &Value, found: &Value) -> Cause {
        let (wanted, found_form) = (form(desired), form(found));
        let for_others = || registration.for_other_documents(which, desired).map(|other| form(&other));
        if self.forms.get(which.kind()).is_some_and(|last| *last != wanted && *last == found_form) {
            Cause::OurDocuments
        } else if is_of_a_replica(found) && for_others() == Some(found_form) {
            Cause::TheirDocuments
        } else {
            Cause::Otherwise
        }
    }

    /// Whether it is left to one that knows of other documents.
    pub(super) fn is_about_documents(&mut self, now: Instant) -> bool {
        self.lasts_less_than(LONGEST_ABOUT_DOCUMENTS, now)
    }

    /// Whether it is left to one that was started later, if it was one that wrote what was found.
    pub(super) fn is_to_a_later_replica(&mut self, found: &Value, now: Instant) -> bool {
        let is_later = self.started.is_some_and(|started| is_of_a_later_replica(found, started));
        is_later && self.lasts_less_than(LONGEST, now)
    }

    /// Begins it, unless it has begun.
    fn lasts_less_than(&mut self, longest: Duration, now: Instant) -> bool {
        now.saturating_duration_since(*self.since.get_or_insert(now)) < longest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::configuration::{FORM, KEPT_SINCE, Owner};
    use super::super::field::put;
    use super::*;
    use crate::cluster::clock;
    use crate::cluster::release::Release;
    use crate::engine::mutation::Documents;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{Snapshot, Unlisted};

    const SECOND: Duration = Duration::from_secs(1);

    fn registration() -> Registration {
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unknown);
        Registration::new(Release::new("portcullis", "portcullis-system", 443).expect("names"), &[], &rules)
    }

    /// What is registered where no documents are known.
    fn without_documents() -> Value {
        let owner = Owner { name: "portcullis".to_owned(), uid: "1".to_owned() };
        registration().document(Which::Mutating, &owner, "authorities", &Documents::default())
    }

    /// What is registered where some are.
    fn with_documents() -> Value {
        registration().for_other_documents(Which::Mutating, &without_documents()).expect("another configuration")
    }

    /// The same as a replica wrote it that was started then.
    fn written(mut configuration: Value, started: SystemTime) -> Value {
        let form = form(&configuration);
        let entry = json!({"manager": "portcullis", "time": "2026-11-21T07:30:00Z"});
        put(&mut configuration, &["metadata", "annotations"], json!({KEPT_SINCE: clock::text(started), FORM: form}));
        put(&mut configuration, &["metadata", "managedFields"], json!([entry]));
        configuration
    }

    fn cause(deference: &Deference, found: &Value) -> Cause {
        deference.cause(&registration(), Which::Mutating, &without_documents(), found)
    }

    #[test]
    fn what_we_wanted_until_now_is_other_for_our_documents() {
        let mut deference = Deference::default();
        deference.wants(Which::Mutating, form(&with_documents()));
        assert_eq!(cause(&deference, &with_documents()), Cause::OurDocuments);
    }

    #[test]
    fn what_a_replica_wrote_for_documents_is_other_for_theirs_and_what_anybody_else_wrote_is_not() {
        let mut deference = Deference::default();
        deference.wants(Which::Mutating, form(&without_documents()));
        assert_eq!(cause(&deference, &written(with_documents(), SystemTime::UNIX_EPOCH)), Cause::TheirDocuments);
        assert_eq!(cause(&deference, &with_documents()), Cause::Otherwise, "nobody of us wrote it");
        let mut weakened = without_documents();
        put(&mut weakened, &["webhooks"], json!([]));
        assert_eq!(cause(&deference, &written(weakened, SystemTime::UNIX_EPOCH)), Cause::Otherwise);
    }

    #[test]
    fn a_later_replica_has_its_way_for_ten_minutes_and_an_earlier_one_never() {
        let (start, now) = (SystemTime::UNIX_EPOCH + 100 * SECOND, Instant::now());
        let mut deference = Deference::default();
        deference.is_started(Some(start));
        assert!(!deference.is_to_a_later_replica(&written(with_documents(), start - SECOND), now));
        let later = written(with_documents(), start + SECOND);
        assert!(deference.is_to_a_later_replica(&later, now));
        assert!(deference.is_to_a_later_replica(&later, now + LONGEST - SECOND));
        assert!(!deference.is_to_a_later_replica(&later, now + LONGEST));
        deference.ends();
        assert!(deference.is_to_a_later_replica(&later, now + LONGEST), "all was well in between");
    }

    #[test]
    fn whoever_knows_of_documents_has_his_way_for_moments() {
        let (mut deference, now) = (Deference::default(), Instant::now());
        assert!(deference.is_about_documents(now) && deference.is_about_documents(now + 4 * SECOND));
        assert!(!deference.is_about_documents(now + LONGEST_ABOUT_DOCUMENTS));
    }

    #[test]
    fn the_first_time_that_is_told_is_that_of_the_start() {
        let mut deference = Deference::default();
        for (told, started) in [(None, None), (Some(7), Some(7)), (Some(9), Some(7))] {
            let at = |seconds: Option<u32>| seconds.map(|seconds| SystemTime::UNIX_EPOCH + SECOND * seconds);
            deference.is_started(at(told));
            assert_eq!(deference.started(), at(started));
        }
    }
}
