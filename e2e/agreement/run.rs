//! One run: requests in rounds, the labels of namespaces changed in between, both sides asked, differences shown.

use crate::{
    answer::{Difference, Log, Said},
    generate::random::Random,
    harness::Api,
    order,
    request::Request,
    settings::{say, setting},
    stage::{BUILT_IN, EXEMPT_USER, Stage, WITH_PORTCULLIS},
    workers::share,
};
use anyhow::Result;
use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
    sync::{Mutex, PoisonError},
};

const REQUESTS: u64 = 2_400;
const SEED: u64 = 20_261_121;
/// After so many requests the labels of the namespaces change.
const ROUND: u64 = 800;
const IN_FLIGHT: usize = 16;
/// The differences that are shown; the others are counted.
const SHOWN: usize = 10;
/// What Portcullis has answered.
const ANSWERED: &str = "portcullis_request_duration_seconds_count{phase=\"validate\"}";

/// What came of the requests.
#[derive(Default)]
struct Tally {
    requests: u64,
    other_verdicts: u64,
    other_texts: u64,
    /// Those in which admission had its say, as the built-in plugin's side tells.
    judged: u64,
    denied: u64,
    warned: u64,
    annotated: u64,
    exempt: u64,
    /// Label changes that were tried on the pods that exist, and would hit some.
    tried: u64,
    sorts: BTreeMap<&'static str, Sort>,
    shown: usize,
}

#[derive(Default)]
struct Sort {
    requests: u64,
    judged: u64,
    denied: u64,
}

/// Runs everything and returns what is wrong.
pub fn run() -> Result<Vec<String>> {
    let (requests, seed) = (setting("N", REQUESTS)?, setting("SEED", SEED)?);
    let mut stage = Stage::start(seed)?;
    let mut logs = [BUILT_IN, WITH_PORTCULLIS].map(|server| {
        let log = stage.plane.api_servers[server].audit_log.as_ref();
        Log::new(log.map(|log| log.file().to_owned()).unwrap_or_default())
    });
    let mut tally = Tally::default();
    let mut answered = 0.0;
    for first in (0..requests).step_by(usize::try_from(ROUND)?) {
        if first > 0 {
            stage.relabel(&mut Random::of_case(!seed, first))?;
        }
        let before = stage.portcullis.metric(ANSWERED)?;
        let mut said = ask(&stage, seed, first..requests.min(first + ROUND))?;
        answered += stage.portcullis.metric(ANSWERED)? - before;
        for (side, log) in logs.iter_mut().enumerate() {
            let annotations = log.read_on(said.iter().map(|(_, said)| said[side].audit_id.as_str()))?;
            said.iter_mut().try_for_each(|(_, said)| said[side].annotate(&annotations))?;
        }
        for (index, [upstream, ours]) in &said {
            tally.count(&Request::make(seed, *index, &stage.existing), upstream, ours);
        }
    }
    let mut complaints = order::complaints(&mut stage)?;
    complaints.extend(tally.close(seed, answered));
    Ok(complaints)
}

/// Sends the requests to both servers, a few at a time, and returns what each said, in the order of the requests.
fn ask(stage: &Stage, seed: u64, indices: Range<u64>) -> Result<Vec<(u64, [Said; 2])>> {
    let said = Mutex::new(Vec::new());
    let begin = || Ok((connect(stage, None)?, connect(stage, Some(EXEMPT_USER))?));
    share(indices, IN_FLIGHT, begin, |(somebody, exempt), index| {
        let request = Request::make(seed, index, &stage.existing);
        let [first, second] = if request.by_exempt_user { exempt } else { somebody };
        let pair = [Said::new(&request.send(first)?), Said::new(&request.send(second)?)];
        said.lock().unwrap_or_else(PoisonError::into_inner).push((index, pair));
        Ok(ControlFlow::Continue(()))
    })?;
    let mut said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    said.sort_by_key(|(index, _)| *index);
    Ok(said)
}

/// Connections to the built-in plugin's server and to that of Portcullis.
fn connect(stage: &Stage, user: Option<&str>) -> Result<[Api; 2]> {
    let connect = |server: usize| -> Result<Api> {
        let api = stage.plane.api_servers[server].connect()?;
        Ok(match user {
            Some(user) => api.impersonate(user),
            None => api,
        })
    };
    Ok([connect(BUILT_IN)?, connect(WITH_PORTCULLIS)?])
}

impl Tally {
    fn count(&mut self, request: &Request, upstream: &Said, ours: &Said) {
        self.requests += 1;
        self.judged += u64::from(upstream.was_judged);
        self.denied += u64::from(upstream.is_denied);
        self.warned += u64::from(upstream.has_warning("would violate PodSecurity"));
        self.annotated += u64::from(upstream.is_annotated("audit-violations"));
        self.exempt += u64::from(upstream.is_annotated("exempt"));
        self.tried += u64::from(upstream.has_warning("existing pods in namespace"));
        let sort = self.sorts.entry(request.sort).or_default();
        sort.requests += 1;
        sort.judged += u64::from(upstream.was_judged);
        sort.denied += u64::from(upstream.is_denied);
        let Some(difference) = upstream.differs(ours) else { return };
        match difference {
            Difference::Verdict => self.other_verdicts += 1,
            Difference::Text => self.other_texts += 1,
        }
        self.shown += 1;
        if self.shown <= SHOWN {
            say(&format!(
                "\nanother {difference:?}\n  request   {request}\n  built in  {upstream}\n  ours      {ours}"
            ));
        }
    }

    /// Prints the sums, and returns what is wrong with them.
    fn close(self, seed: u64, answered: f64) -> Vec<String> {
        let Self { requests, other_verdicts, other_texts, judged, denied, warned, annotated, exempt, tried, .. } = self;
        let mut complaints = Vec::new();
        for (name, Sort { requests, judged, denied }) in &self.sorts {
            say(&format!("  {name:22} {requests:6} sent, {judged:6} as far as admission, {denied:6} denied"));
            if *requests >= 20 && judged * 3 < *requests {
                complaints.push(format!("{name}: only {judged} of {requests} came as far as admission"));
            }
        }
        say(&format!(
            "seed {seed}; {judged} requests came as far as admission ({answered} reviews), {denied} were denied, {warned} drew \
             warnings, {annotated} left audit violations, {exempt} were exempt, {tried} would hit pods that exist"
        ));
        for (what, count, least) in [
            ("came as far as admission", judged, requests * 6 / 10),
            ("were denied", denied, requests / 8),
            ("drew warnings", warned, requests / 20),
            ("left audit violations", annotated, requests / 20),
            ("were exempt", exempt, requests / 100),
            ("would hit pods that exist", tried, requests / 100),
        ] {
            if count < least {
                complaints.push(format!("only {count} of {requests} requests {what}; {least} are the least"));
            }
        }
        if answered < judged as f64 {
            complaints.push(format!("Portcullis was asked about {answered} requests, and {judged} were judged"));
        }
        let sum = format!("{requests} requests, {other_verdicts} other verdicts, {other_texts} other texts");
        say(&sum);
        if other_verdicts + other_texts > 0 {
            complaints.push(sum);
        }
        complaints
    }
}
