//! Follows a part of the cluster for ever: lists it where it must, then watches it, in one watch after another.
//!
//! A watch goes on from the version that the last one reached; where that cannot be, everything is listed anew. What led to nothing is
//! asked again after a pause, however it ended: an API server, or a proxy before it, that closes every watch at once is not hurried.

mod pace;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;

use std::future::{Future, pending};
use std::time::{Duration, Instant};

use kube::client::Body;

use super::access::{self, Access, within};
use super::error::ClusterError;
use super::lines::Lines;
use super::question::Question;
use pace::{Pace, Real, Time};

/// For a page of a list, and for a watch to begin.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of a page.
pub(super) const MOST_OF_A_PAGE: usize = 16 << 20;

/// A watch that has lasted for so long went well, whatever it told. They are agreed to last ten seconds at least.
const LIVED: Duration = Duration::from_secs(5);

/// Watches that are closed early and tell nothing prove nothing: after so long of them everything is listed anew.
const UNPROVEN: Duration = Duration::from_secs(30);

/// What is followed, and whoever is told of it.
pub(super) trait Followed: Send {
    /// The longest pause before the API server is asked again.
    const LONGEST_PAUSE: Duration;

    /// Longer than agreed; a watch that lasts for longer hangs.
    const LONGEST_WATCH: Duration;

    /// What it is called in the log.
    fn name(&self) -> &str;

    /// Whether everything is to be listed before it can be watched. `since` is the version that is known, empty if none is.
    fn must_list(&self, since: &str, _now: Instant) -> bool {
        since.is_empty()
    }

    /// Lists everything; gives the list's version. Not needed where a watch begins with all there is.
    fn list(&mut self) -> impl Future<Output = Result<String, ClusterError>> + Send {
        async { Ok(String::new()) }
    }

    /// The watch of what happened after this version.
    fn changes<'q>(&'q self, since: &'q str) -> Question<'q>;

    /// A watch has begun.
    fn begins(&mut self) {}

    /// Takes in a line of a watch; gives the version that it reaches, empty if it says nothing of that.
    ///
    /// # Errors
    /// An ERROR, by which the API server ends a watch that cannot go on; and what is no event.
    fn tell(&mut self, line: &[u8]) -> Result<String, ClusterError>;

    /// Everything up to this version that came at once has been told.
    fn has_told(&mut self, _since: &str) {}

    /// A list or a watch ended as it should.
    fn went_well(&mut self) {}

    /// A list or a watch failed.
    fn failed(&mut self, failure: &Failure<'_>);

    /// Ends once what is held must be listed anew, which cuts a watch and a pause short.
    fn outdated(&self) -> impl Future<Output = ()> + Send + use<Self> {
        pending()
    }
}

/// What went wrong.
pub(super) struct Failure<'f> {
    pub(super) doing: Doing,
    pub(super) error: &'f ClusterError,
    /// For how long nothing has been proven of what is held.
    pub(super) unheard_for: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Listing,
    Watching,
}

/// Follows it for ever.
pub(super) async fn follow(access: Access, followed: impl Followed) {
    let mut follower = Follower::new(access, followed, Real);
    loop {
        let pause = follower.turn().await;
        follower.rest(pause).await;
    }
}

struct Follower<F, T> {
    access: Access,
    followed: F,
    time: T,
    pace: Pace,
    /// The version that is known; empty if none is.
    since: String,
    /// When something was last proven of what is held.
    heard: Instant,
}

/// How a watch ended that did not fail.
enum Ended {
    Closed,
    Outdated,
}

impl<F: Followed, T: Time> Follower<F, T> {
    fn new(access: Access, followed: F, time: T) -> Self {
        let heard = time.now();
        Self { access, followed, time, pace: Pace::up_to(F::LONGEST_PAUSE), since: String::new(), heard }
    }

    /// Lists or watches, once; gives the pause that is due then.
    async fn turn(&mut self) -> Duration {
        if self.followed.must_list(&self.since, self.time.now()) { self.list().await } else { self.watch().await }
    }

    async fn rest(&self, pause: Duration) {
        if !pause.is_zero() {
            tokio::select! {
                () = self.time.pass(pause) => {}
                () = self.followed.outdated() => {}
            }
        }
    }

    async fn list(&mut self) -> Duration {
        match self.followed.list().await {
            Ok(version) => {
                self.since = version;
                self.heard = self.time.now();
                self.followed.went_well();
                // One that took so long that it is to be made again is no reason for haste.
                let is_in_vain = self.followed.must_list(&self.since, self.heard);
                if is_in_vain { self.pace.pause() } else { Duration::ZERO }
            }
            Err(error) => self.fails(Doing::Listing, &error),
        }
    }

    async fn watch(&mut self) -> Duration {
        let (begun, before) = (self.time.now(), self.since.clone());
        let ended = self.open().await;
        let now = self.time.now();
        let has_lived = now.saturating_duration_since(begun) >= LIVED;
        let has_told = self.since != before;
        if has_told || has_lived && ended.is_ok() {
            self.heard = now;
        }
        let is_lost = ended.as_ref().is_err_and(ClusterError::is_from_nowhere);
        if (has_told || has_lived) && !is_lost {
            self.pace.reset();
        }
        match ended {
            Ok(Ended::Closed) if !has_lived => self.is_closed_early(has_told),
            Ok(Ended::Closed | Ended::Outdated) => {
                self.followed.went_well();
                Duration::ZERO
            }
            Err(error) => self.fails(Doing::Watching, &error),
        }
    }

    fn is_closed_early(&mut self, has_told: bool) -> Duration {
        self.followed.went_well();
        let pause = self.pace.pause();
        if !has_told && self.pace.is_now_slowest() {
            tracing::warn!(
                followed = self.followed.name(),
                "watches are closed as soon as they begin, and tell nothing"
            );
        }
        if self.unheard_for() > UNPROVEN {
            self.since.clear();
        }
        pause
    }

    fn fails(&mut self, doing: Doing, error: &ClusterError) -> Duration {
        self.followed.failed(&Failure { doing, error, unheard_for: self.unheard_for() });
        if error.is_from_nowhere() || error.is_absent() {
            self.since.clear();
        }
        self.pace.pause()
    }

    fn unheard_for(&self) -> Duration {
        self.time.now().saturating_duration_since(self.heard)
    }

    /// A watch from its beginning to its end.
    async fn open(&mut self) -> Result<Ended, ClusterError> {
        let mut body = within(PATIENCE, self.access.open(self.followed.changes(&self.since))).await?;
        self.followed.begins();
        let outdated = self.followed.outdated();
        tokio::select! {
            heard = within(F::LONGEST_WATCH, self.hear(&mut body)) => heard.map(|()| Ended::Closed),
            () = outdated => Ok(Ended::Outdated),
        }
    }

    async fn hear(&mut self, body: &mut Body) -> Result<(), ClusterError> {
        let mut lines = Lines::default();
        while let Some(bytes) = access::next(body).await? {
            lines.push(&bytes);
            let told = self.tell(&mut lines);
            // What came before a line that cannot be read is true all the same.
            self.followed.has_told(&self.since);
            told?;
        }
        Ok(())
    }

    fn tell(&mut self, lines: &mut Lines) -> Result<(), ClusterError> {
        while let Some(line) = lines.next()? {
            let version = self.followed.tell(&line)?;
            if !version.is_empty() {
                self.since = version;
            }
        }
        Ok(())
    }
}
