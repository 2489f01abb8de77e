//! What whoever is followed hears, and how often the API server is asked, however its watches end. Pauses pass at once, and are counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::super::collection::{Collection, Keeper};
use super::super::namespaces::Namespaces;
use super::super::objects::Named;
use super::super::place::Place;
use super::super::single::Single;
use super::super::state::State;
use super::server::{Reply, Server};
use super::{Followed, Follower, Time};
use crate::engine::mutation::Documents;
use crate::engine::pod_security::{Configuration, LevelVersion};
use crate::engine::{Snapshot, Unlisted};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const LIST: &str = r#"{"metadata":{"resourceVersion":"7"},"items":[]}"#;

/// Time that passes when it is told to.
#[derive(Clone)]
struct Told {
    origin: Instant,
    passed: Arc<Mutex<Duration>>,
}

impl Told {
    fn new() -> Self {
        Self { origin: Instant::now(), passed: Arc::default() }
    }

    fn passed(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, duration: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }
}

impl Time for Told {
    fn now(&self) -> Instant {
        self.origin + self.passed()
    }

    async fn pass(&self, pause: Duration) {
        self.advance(pause);
    }
}

/// A keeper that notes everything.
#[derive(Default)]
struct Notes {
    /// The version of each object that is there.
    held: BTreeMap<String, u64>,
    /// The versions of what a watch told, in order.
    told: Vec<u64>,
    is_listing: bool,
    lists: usize,
    too_old: usize,
}

impl Notes {
    fn read(&mut self, object: &str) -> Result<(String, u64), serde_json::Error> {
        let Named { metadata } = serde_json::from_str(object)?;
        let version = metadata.resource_version.parse().expect("a version");
        if !self.is_listing {
            self.told.push(version);
        }
        Ok((metadata.name.to_string(), version))
    }
}

impl Keeper for Notes {
    fn clear(&mut self) {
        self.held.clear();
        self.is_listing = true;
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let (name, version) = self.read(object)?;
        self.held.insert(name, version);
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let (name, _) = self.read(object)?;
        self.held.remove(&name);
        Ok(())
    }

    fn publish(&mut self) {
        self.lists += usize::from(std::mem::take(&mut self.is_listing));
    }

    fn is_too_old(&mut self) {
        self.too_old += 1;
    }
}

fn collection(server: &Server) -> Collection<Notes> {
    let (condition, _) = watch::channel("not listed".to_owned());
    Collection::new(server.access.clone(), "/api/v1/things", Notes::default(), condition)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Follows until so much time has passed, which takes no more turns than there are tenths of a second in it.
async fn follow_for<F: Followed>(follower: &mut Follower<F, Told>, duration: Duration) {
    for _ in 0..duration.as_millis() / 100 {
        let pause = follower.turn().await;
        follower.rest(pause).await;
        if follower.time.passed() >= duration {
            return;
        }
    }
    panic!("{:?} have passed, and not {duration:?}", follower.time.passed());
}

/// How many pauses there are in a time, at most: each is at least half as long as the longest, once it has grown.
fn most_pauses(duration: Duration, longest: Duration) -> usize {
    let growing = 8;
    growing + usize::try_from((duration.as_millis() * 2).div_ceil(longest.as_millis())).expect("a number")
}

#[test]
fn a_server_that_closes_each_watch_at_once_is_asked_ever_less_often_and_listed_now_and_then() {
    block_on(async {
        let server = Server::start(|asked| Reply::ok(if asked.is_watch { "" } else { LIST })).await;
        let mut follower = Follower::new(server.access.clone(), collection(&server), Told::new());
        follow_for(&mut follower, TEN_MINUTES).await;
        let (lists, watches) = server.counts();
        assert!((120..=most_pauses(TEN_MINUTES, Duration::from_secs(5))).contains(&watches), "{watches} watches");
        assert!((16..=21).contains(&lists), "{lists} lists");
        let notes = &follower.followed.keeper;
        assert_eq!((notes.lists, notes.too_old), (lists, 0), "each list proves what the watches do not");
    });
}

#[test]
fn namespaces_whose_watches_are_closed_at_once_are_asked_for_each_second_at_least() {
    block_on(async {
        let server = Server::start(|asked| Reply::ok(if asked.is_watch { "" } else { LIST })).await;
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
        let documents = Arc::new(Documents::default());
        let rules = rules.with_documents(documents.clone());
        let state = State::new(server.access.clone(), rules, TEN_MINUTES * 3, Arc::default());
        let (_publish, documents) = watch::channel(documents);
        let namespaces = Namespaces::new(Arc::new(state), documents);
        let mut follower = Follower::new(server.access.clone(), namespaces, Told::new());
        follow_for(&mut follower, TEN_MINUTES).await;
        let (lists, watches) = server.counts();
        assert!((600..=most_pauses(TEN_MINUTES, Duration::from_secs(1))).contains(&watches), "{watches} watches");
        assert!((18..=21).contains(&lists), "{lists} lists");
    });
}

#[test]
fn a_single_object_whose_watches_are_closed_after_their_beginning_is_asked_for_ever_less_often() {
    block_on(async {
        let added = r#"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"5"}}}"#;
        let server = Server::start(move |_| Reply::ok(format!("{added}\n"))).await;
        let wake = Arc::new(Notify::new());
        let single = Single { place: Place::new("/api/v1/things", "a"), wake: wake.clone() };
        let mut follower = Follower::new(server.access.clone(), single, Told::new());
        follow_for(&mut follower, TEN_MINUTES).await;
        let (lists, watches) = server.counts();
        assert!((120..=most_pauses(TEN_MINUTES, Duration::from_secs(5))).contains(&watches), "{watches} watches");
        assert_eq!(lists, 0);
        wake.notified().await;
    });
}

#[test]
fn whatever_else_leads_to_nothing_is_asked_ever_less_often_too() {
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#;
    let after_an_event =
        format!(r#"{{"type":"ADDED","object":{{"metadata":{{"name":"a","resourceVersion":"8"}}}}}}{}{gone}"#, "\n");
    let replies = [
        Reply::refused(500),
        Reply::refused(403),
        Reply::refused(404),
        Reply::refused(410),
        Reply::ok(format!("{gone}\n")),
        Reply::ok(format!("{after_an_event}\n")),
        Reply::ok("nonsense\n"),
        Reply::ok("half a li"),
        Reply::Broken(String::new()),
    ];
    for reply in replies {
        let answer = reply.clone();
        let (lists, watches) = block_on(async {
            let server =
                Server::start(move |asked| if asked.is_watch { answer.clone() } else { Reply::ok(LIST) }).await;
            let mut follower = Follower::new(server.access.clone(), collection(&server), Told::new());
            follow_for(&mut follower, TEN_MINUTES).await;
            server.counts()
        });
        let most = most_pauses(TEN_MINUTES, Duration::from_secs(5));
        assert!(watches <= most && lists <= most, "{lists} lists and {watches} watches, of {reply:?}");
    }
}

#[test]
fn a_watch_that_lived_is_followed_by_the_next_at_once() {
    block_on(async {
        let time = Told::new();
        let clock = time.clone();
        let server = Server::start(move |asked| {
            clock.advance(if asked.is_watch { Duration::from_secs(10) } else { Duration::ZERO });
            Reply::ok(if asked.is_watch { "" } else { LIST })
        })
        .await;
        let mut follower = Follower::new(server.access.clone(), collection(&server), time);
        follow_for(&mut follower, TEN_MINUTES).await;
        assert_eq!(server.counts(), (1, 60));
    });
}

#[test]
fn a_watch_that_told_something_is_followed_by_the_next_after_the_shortest_pause() {
    block_on(async {
        let version = AtomicU64::new(7);
        let server = Server::start(move |asked| {
            let version = version.fetch_add(1, Ordering::Relaxed);
            let bookmark =
                format!(r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{version}"}}}}}}"#);
            // The first are as closed early as ever.
            Reply::ok(if !asked.is_watch {
                LIST.to_owned()
            } else if version < 20 {
                String::new()
            } else {
                bookmark + "\n"
            })
        })
        .await;
        let mut follower = Follower::new(server.access.clone(), collection(&server), Told::new());
        let mut pauses = Vec::new();
        for _ in 0..30 {
            let pause = follower.turn().await;
            pauses.push(pause);
            follower.rest(pause).await;
        }
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(1)), "{pauses:?}");
        assert!(pauses.iter().skip(20).all(|pause| *pause <= Duration::from_millis(100)), "{pauses:?}");
    });
}

#[test]
fn what_nothing_is_heard_of_for_a_minute_is_too_old() {
    block_on(async {
        let server = Server::start(|asked| if asked.is_watch { Reply::refused(500) } else { Reply::ok(LIST) }).await;
        let mut follower = Follower::new(server.access.clone(), collection(&server), Told::new());
        follow_for(&mut follower, Duration::from_secs(54)).await;
        assert_eq!(follower.followed.keeper.too_old, 0);
        follow_for(&mut follower, Duration::from_secs(80)).await;
        assert!(follower.followed.keeper.too_old > 0);
    });
}

/// What happens to seven things: the version says which of them, and whether it goes.
fn happening(version: u64) -> (&'static str, String, String) {
    let name = format!("thing-{}", version % 7);
    let object = format!(r#"{{"metadata":{{"name":"{name}","resourceVersion":"{version}"}}}}"#);
    (if version.is_multiple_of(5) { "DELETED" } else { "MODIFIED" }, name, object)
}

/// What is there at a version.
fn things(version: u64) -> BTreeMap<String, (u64, String)> {
    let mut things = BTreeMap::new();
    for version in 1..=version {
        let (what, name, object) = happening(version);
        match what {
            "DELETED" => drop(things.remove(&name)),
            _ => drop(things.insert(name, (version, object))),
        }
    }
    things
}

fn events(versions: impl Iterator<Item = u64>) -> String {
    let event = |(what, _, object): (&str, String, String)| format!("{{\"type\":\"{what}\",\"object\":{object}}}\n");
    versions.map(|version| event(happening(version))).collect()
}

#[test]
fn nothing_is_lost_and_nothing_told_twice_however_watches_end() {
    const LAST: u64 = 300;
    let questions = AtomicU64::new(0);
    let answer = move |asked: &super::server::Asked| {
        let turn = questions.fetch_add(1, Ordering::Relaxed);
        let reached = LAST.min(5 + turn * 3);
        if !asked.is_watch {
            let items: Vec<String> = things(reached).into_values().map(|(_, object)| object).collect();
            let head = format!(r#"{{"metadata":{{"resourceVersion":"{reached}"}}"#);
            return Reply::ok(format!("{head},\"items\":[{}]}}", items.join(",")));
        }
        let (since, next) = (asked.since, asked.since + 1..=reached);
        let half = |text: String| text[..text.len() / 2].to_owned();
        match turn % 9 {
            0 => Reply::ok(""),
            1 => Reply::ok(events(next.take(1))),
            2 => Reply::ok(events(next.clone().take(2)) + &half(events(next.skip(2).take(1)))),
            3 => Reply::Broken(events(next.take(2))),
            4 => Reply::Broken(half(events(next.take(1)))),
            5 => Reply::refused(503),
            6 => Reply::ok(events(next.take(3)) + r#"{"type":"ERROR","object":{"code":500}}"# + "\n"),
            7 if since.is_multiple_of(2) => Reply::refused(410),
            _ => Reply::ok(events(next)),
        }
    };
    block_on(async {
        let server = Server::start(answer).await;
        let mut follower = Follower::new(server.access.clone(), collection(&server), Told::new());
        let last = LAST.to_string();
        for _ in 0..1000 {
            let pause = follower.turn().await;
            follower.rest(pause).await;
            let known = follower.since.parse().unwrap_or_default();
            let expected: BTreeMap<String, u64> =
                things(known).into_iter().map(|(name, (version, _))| (name, version)).collect();
            assert!(known == 0 || follower.followed.keeper.held == expected, "at {known}");
            if follower.since == last {
                break;
            }
        }
        let Notes { told, lists, .. } = &follower.followed.keeper;
        assert_eq!(follower.since, last);
        assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
        assert!(*lists > 1 && told.len() > 100, "{lists} lists, {} events", told.len());
    });
}

/// Something that is outdated once it is told so.
struct Outdating(Collection<Notes>, watch::Receiver<bool>);

impl Followed for Outdating {
    const LONGEST_PAUSE: Duration = Duration::from_secs(5);
    const LONGEST_WATCH: Duration = Duration::from_secs(600);

    fn name(&self) -> &str {
        self.0.name()
    }

    async fn list(&mut self) -> Result<String, super::ClusterError> {
        self.0.list().await
    }

    fn changes<'q>(&'q self, since: &'q str) -> super::Question<'q> {
        self.0.changes(since)
    }

    fn tell(&mut self, line: &[u8]) -> Result<String, super::ClusterError> {
        self.0.tell(line)
    }

    fn failed(&mut self, failure: &super::Failure<'_>) {
        self.0.failed(failure);
    }

    fn outdated(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut told = self.1.clone();
        async move { drop(told.wait_for(|is_outdated| *is_outdated).await) }
    }
}

#[test]
fn a_watch_and_a_pause_end_at_once_when_what_is_held_is_outdated() {
    block_on(async {
        let (tell, told) = watch::channel(false);
        let tell = Arc::new(tell);
        let teller = tell.clone();
        let server = Server::start(move |asked| {
            if asked.is_watch {
                teller.send_replace(true);
            }
            if asked.is_watch { Reply::Hanging(String::new()) } else { Reply::ok(LIST) }
        })
        .await;
        let outdating = Outdating(collection(&server), told);
        let mut follower = Follower::new(server.access.clone(), outdating, super::Real);
        assert_eq!(follower.turn().await, Duration::ZERO, "a list");
        assert_eq!(follower.turn().await, Duration::ZERO, "a watch that hangs");
        follower.rest(TEN_MINUTES).await;
        assert_eq!(server.counts(), (1, 1));
    });
}
