//! Years of several replicas in a few seconds: at every moment every API server can verify every replica that serves.
//!
//! Time goes by in steps of a second, with lifetimes to match. Replicas read through API servers whose clocks differ, and write
//! with what they read a while ago; API servers hear of the configurations late; replicas are killed and started; the Secret is
//! deleted, garbled, or said to be distrusted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::*;

const HOST: &str = "portcullis.portcullis-system.svc";
const LIFETIMES: Lifetimes = Lifetimes {
    authority: Duration::from_secs(1200),
    leaf: Duration::from_secs(240),
    settling: Duration::from_secs(40),
};
/// How late an API server hears of a configuration, at most: an eighth of the settling time.
const LAG: usize = 5;
const START: u64 = 1_800_000_000;

type Data = BTreeMap<String, Vec<u8>>;

/// Small, and the same for the same seed.
struct Chance(u64);

impl Chance {
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

struct Replica {
    kept: Kept,
    /// What it read, and when it will write what came of it.
    turn: Option<(Turn, u64, Clock)>,
}

struct World {
    chance: Chance,
    now: u64,
    origin: Instant,
    secret: Option<Data>,
    version: u64,
    distrusted_before: Option<SystemTime>,
    /// What the configurations carry, the last seconds of it.
    bundles: Vec<String>,
    replicas: Vec<Replica>,
    is_registered: bool,
    authorities_made: usize,
    leaves_made: usize,
}

impl World {
    fn new(seed: u64, is_registered: bool) -> Self {
        let mut world = Self {
            chance: Chance(seed),
            now: START,
            origin: Instant::now(),
            secret: None,
            version: 0,
            distrusted_before: None,
            bundles: Vec::new(),
            replicas: Vec::new(),
            is_registered,
            authorities_made: 0,
            leaves_made: 0,
        };
        world.replicas = (0..3).map(|_| replica()).collect();
        world
    }

    /// By the clock of one of two API servers; one is a few seconds behind.
    fn clock(&self, server: u64) -> Clock {
        let server = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now - server * 7);
        Clock { server, own: self.origin + Duration::from_secs(self.now - START) }
    }

    fn step(&mut self) {
        self.now += 1;
        for index in 0..self.replicas.len() {
            if self.replicas[index].turn.is_some() {
                if self.chance.one_in(2) {
                    self.finish(index);
                }
            } else if self.chance.one_in(3) {
                self.begin(index);
            }
        }
        let bundle = self.bundles.last().cloned().unwrap_or_default();
        self.bundles.push(bundle);
        self.reconcile();
        self.verify();
    }

    fn begin(&mut self, index: usize) {
        let server = self.chance.below(2);
        let clock = self.clock(server);
        let found = self.secret.as_ref().map(|data| Found::read(data, self.distrusted_before));
        let told = self.bundles.last().map(|bundle| certificates(bundle.as_bytes())).unwrap_or_default();
        let turn = self.replicas[index].kept.turn(found, self.is_registered.then_some(&*told), clock).expect("a turn");
        self.replicas[index].turn = Some((turn, self.version, clock));
    }

    fn finish(&mut self, index: usize) {
        let Some((turn, version, clock)) = self.replicas[index].turn.take() else { return };
        if turn.must_write {
            if version != self.version {
                return;
            }
            self.secret = Some(turn.material.data().into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
            self.version += 1;
            self.authorities_made += usize::from(turn.authority.is_some());
            self.leaves_made += usize::from(turn.leaf.is_some());
        }
        self.replicas[index].kept.adopt(turn.material, clock);
    }

    /// Any replica puts into the configurations what it holds.
    fn reconcile(&mut self) {
        let index = usize::try_from(self.chance.below(3)).expect("a small number");
        if let Some(bundle) = self.replicas[index].kept.bundle() {
            *self.bundles.last_mut().expect("a bundle") = bundle;
        }
    }

    fn verify(&self) {
        for lag in [1, LAG - 1] {
            let Some(bundle) = self.bundles.len().checked_sub(1 + lag).and_then(|at| self.bundles.get(at)) else {
                continue;
            };
            let trusted = certificates(bundle.as_bytes());
            if trusted.is_empty() || self.now < START + 20 {
                continue;
            }
            let trusted: Vec<&[u8]> = trusted.iter().map(Vec::as_slice).collect();
            for (index, replica) in self.replicas.iter().enumerate() {
                let Some(leaf) = replica.kept.served() else { continue };
                let clock = self.clock(u64::from(lag == 1)).server;
                let verified = leaf.verify_any(&trusted, HOST, clock);
                let second = self.now - START;
                assert_eq!(verified, Ok(()), "second {second}: replica {index}, API server late by {lag} s");
            }
        }
    }

    fn restart(&mut self) {
        let index = usize::try_from(self.chance.below(3)).expect("a small number");
        self.replicas[index] = replica();
    }

    fn is_served_by_all(&self) -> bool {
        self.replicas.iter().all(|replica| replica.kept.served().is_some())
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.step();
        }
    }
}

fn terms() -> Terms {
    Terms { host: HOST.to_owned(), names: vec!["further.example".to_owned()], lifetimes: LIFETIMES }
}

fn replica() -> Replica {
    Replica { kept: Kept::new(terms()), turn: None }
}

#[test]
fn everybody_is_verified_through_many_generations() {
    for (seed, is_registered) in [(1, true), (2, false)] {
        let mut world = World::new(seed, is_registered);
        world.run(4000);
        assert!(world.is_served_by_all());
        let (authorities, leaves) = (world.authorities_made, world.leaves_made);
        assert!((6..=8).contains(&authorities), "{authorities} authorities: one at the start, and one every 600 s");
        assert!((20..=30).contains(&leaves), "{leaves} leaves: one every 160 s or so");
    }
}

#[test]
fn everybody_is_verified_whatever_happens_to_replicas_and_to_the_secret() {
    for (seed, is_registered) in [(11, true), (12, false)] {
        let mut world = World::new(seed, is_registered);
        world.run(100);
        for _ in 0..3000 {
            world.step();
            if world.chance.one_in(120) && world.is_served_by_all() {
                world.restart();
            }
            if world.chance.one_in(150) && world.is_served_by_all() {
                world.version += 1;
                if world.chance.one_in(2) {
                    world.secret = None;
                } else if let Some(data) = &mut world.secret {
                    let key =
                        *["tls.crt", "tls.key", "ca.crt", "ca.key"].get(world.chance.below(4) as usize).expect("a key");
                    data.insert(key.to_owned(), b"garbled".to_vec());
                }
            }
        }
        world.run(200);
        assert!(world.is_served_by_all());
        assert!(world.authorities_made < 12, "{} authorities", world.authorities_made);
    }
}

#[test]
fn what_is_distrusted_goes_without_anybody_noticing() {
    let mut world = World::new(21, true);
    world.run(300);
    let old = certificates(world.bundles.last().expect("a bundle").as_bytes());
    world.distrusted_before = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(world.now));
    world.version += 1;
    world.run(250);
    let new = certificates(world.bundles.last().expect("a bundle").as_bytes());
    assert!(!new.is_empty() && new.iter().all(|authority| !old.contains(authority)));
    assert_eq!(world.authorities_made, 2);
}

#[test]
fn a_distrust_from_the_future_waits_for_it() {
    let mut world = World::new(22, true);
    world.run(60);
    world.distrusted_before = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(world.now + 100));
    world.run(60);
    assert_eq!(world.authorities_made, 1);
    world.run(400);
    assert_eq!(world.authorities_made, 2);
}
