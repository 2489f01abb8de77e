//! Counts allocations per decision, which no noise changes: a gate against copies creeping onto the path of a request. And the bytes
//! that are held of what a cluster may have much of.

#[path = "../benches/webhook/bodies.rs"]
#[allow(dead_code, reason = "the benches use all of it")]
mod bodies;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use portcullis::engine::mutation::document::Document;
use portcullis::engine::mutation::{Active, Documents, Interned, ServiceAccounts, Surroundings};
use portcullis::engine::object::StringMap;
use portcullis::engine::pod_security::{Configuration, LevelVersion};
use portcullis::engine::{Facts, Needed, Phase, Snapshot, Unlisted, decide, needed};
use portcullis::review;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread has asked for and not given back.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[allow(unsafe_code, reason = "an allocator is unsafe to implement; this one passes every call on")]
// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        HELD.with(|held| held.set(held.get().wrapping_add(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get().wrapping_sub(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        HELD.with(|held| held.set(held.get().wrapping_add(size).wrapping_sub(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations of one review from bytes to bytes, once everything that happens only once has happened.
fn allocations(phase: Phase, body: &[u8], documents: Vec<Arc<Active>>) -> usize {
    let snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unlabelled);
    let mut snapshot = snapshot.with_documents(Arc::new(Documents::new(documents)));
    snapshot.surroundings = Arc::new(Surroundings { has_native_sidecars: true, ..Surroundings::default() });
    let mut count = 0;
    for _ in 0..3 {
        let before = COUNT.with(Cell::get);
        let request = review::decode(phase, body).expect("a review");
        assert_eq!(needed(&request, &snapshot), Needed::Nothing);
        let verdict = decide(&request, &snapshot, &Facts::default());
        assert!(verdict.is_allowed(), "{:?}", verdict.denial());
        assert!(!review::encode(&request.uid, &verdict).is_empty());
        count = COUNT.with(Cell::get) - before;
    }
    count
}

/// A sidecar for every pod, in three operations: a label, a container, and the annotation that tells of both.
fn sidecar() -> Arc<Active> {
    let text = r#"{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"shipper"},"spec":{"mode":"Always","add":{
        "containers":[{"container":{"name":"shipper","image":"registry.example.com/shipper:1","resources":{"requests":{"cpu":"10m"}}}}],
        "pod":{"labels":{"shipper":"true"}}}}}"#;
    Arc::new(Active::compile(&Document::read(text).expect("a document")).expect("no flaws"))
}

/// What a decision may cost. Lower it when you can; raising it needs a reason in the commit.
#[test]
fn a_decision_allocates_little() {
    let (small, big) = (bodies::create(bodies::SMALL), bodies::create(bodies::BIG));
    for (name, phase, body, documents, most) in [
        ("validate, two containers", Phase::Validate, &small, vec![], 15),
        ("mutate, two containers", Phase::Mutate, &small, vec![], 1),
        // Debug builds look at the whole pod too, which is most of it.
        ("mutate, two containers and a sidecar", Phase::Mutate, &small, vec![sidecar()], 115),
        ("mutate, ten containers and a sidecar", Phase::Mutate, &big, vec![sidecar()], 330),
        ("validate, ten containers", Phase::Validate, &big, vec![], 33),
    ] {
        let count = allocations(phase, body, documents);
        println!("{name}: {count} allocations");
        assert!((1..=most).contains(&count), "{name}: {count} allocations, at most {most}");
    }
}

/// Ten thousand service accounts, with labels that nobody asks for and one of a few values of one that somebody does.
fn accounts() -> (ServiceAccounts, Interned<portcullis::engine::mutation::Labels>) {
    let mut accounts = ServiceAccounts::keeping(["needs-api".into()].into());
    let mut interned = Interned::default();
    for number in 0..10_000 {
        let value = ["true", "false", "sometimes"][number % 3];
        let team = format!("team-{number}-with-a-name-of-some-length");
        let labels: StringMap<'_> =
            [("needs-api".into(), value.into()), ("team".into(), team.as_str().into())].into_iter().collect();
        let kept = interned.keep(accounts.kept_of(&labels));
        accounts.put(&format!("namespace-{}", number / 10), &format!("service-account-{number}"), kept);
    }
    (accounts, interned)
}

#[test]
fn ten_thousand_service_accounts_are_held_in_little_and_a_change_copies_little() {
    let before = HELD.with(Cell::get);
    let (mut accounts, mut interned) = accounts();
    let held = HELD.with(Cell::get) - before;
    assert_eq!(accounts.len(), 10_000);
    println!("{held} bytes");
    assert!(held < 1_500_000, "{held} bytes");

    let published = accounts.clone();
    let labels = interned.keep([("needs-api".into(), "never".into())].into());
    let before = HELD.with(Cell::get);
    assert!(accounts.put("namespace-7", "service-account-77", Arc::clone(&labels)));
    let copied = HELD.with(Cell::get) - before;
    println!("{copied} bytes for a change");
    assert!(copied < 20_000, "{copied} bytes");
    assert_eq!((published.len(), accounts.len()), (10_000, 10_000));
}
