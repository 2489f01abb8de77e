//! The serving certificate and the authorities that clients are to trust, from a Secret that all replicas share.
//!
//! Whatever happens to the Secret, a replica goes on serving what it has for as long as clients accept it. There is no leader: every
//! replica does the same, level-triggered, and the Secret's version keeps them apart.

mod given;
mod kept;
mod secret;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::access::{Access, Answer, within};
use super::error::ClusterError;
use super::place::{Deed, Place};
use super::question::{Question, is_name};
use super::release::Release;
use super::single;
use crate::certs::{CertificateError, Clock, Leaf, Terms, certificates};
use crate::telemetry::Metrics;

/// For one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the Secret, even if nothing is told of it.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// The same while there is nothing to serve with.
const SHORTEST_REST: Duration = Duration::from_millis(500);

/// Where certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// We make and replace them, in the release's own Secret.
    Kept,
    /// Somebody else does, in the Secret of this name: `tls.crt`, `tls.key` and `ca.crt`.
    Given(String),
}

/// What is known of the certificates. It is kept current until the process ends.
#[derive(Clone)]
pub struct Certificates {
    /// What is to be served; none until there is something.
    pub leaf: watch::Receiver<Option<Arc<Leaf>>>,
    /// The authorities that clients are to trust, as PEM; none until they are known.
    pub trusted: watch::Receiver<Option<Arc<str>>>,
    trouble: watch::Receiver<Option<String>>,
}

/// The authorities that the webhook configurations are known to carry, as PEM; none while nobody knows.
pub type Published = watch::Receiver<Option<Arc<str>>>;

impl Certificates {
    /// Begins to keep them, on the current runtime. Without `published` nobody says what clients are told; then they are taken to
    /// know everything after the settling time.
    pub fn keep(
        access: Access,
        release: Release,
        origin: &Origin,
        terms: Terms,
        published: Option<Published>,
        metrics: Arc<Metrics>,
    ) -> Option<Self> {
        let place = match origin {
            Origin::Kept => release.kept_certificates(),
            Origin::Given(name) => is_secret_name(name).then(|| release.secret(name))?,
        };
        let (leaf, leaf_receiver) = watch::channel(None);
        let (trusted, trusted_receiver) = watch::channel(None);
        let (trouble, trouble_receiver) = watch::channel(None);
        let rest = rest(&terms);
        let around = Around { access, release, place, published, metrics, leaf, trusted, trouble };
        let keeper = match origin {
            Origin::Kept => Keeper::Kept(Box::new(kept::Keeper::new(terms))),
            Origin::Given(_) => Keeper::Given(given::Keeper::new(&terms)),
        };
        tokio::spawn(keep(keeper, around, rest));
        Some(Self { leaf: leaf_receiver, trusted: trusted_receiver, trouble: trouble_receiver })
    }

    /// What is missing before anything can be served; nothing once there is a certificate.
    pub fn missing(&self) -> Option<String> {
        if self.leaf.borrow().is_some() {
            return None;
        }
        let because = self.trouble.borrow().as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        Some(format!("there is no certificate to serve with yet{because}"))
    }
}

/// An RFC 1123 subdomain, as the names of Secrets are.
fn is_secret_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_name)
}

/// Often enough for what is due to be done in time.
fn rest(terms: &Terms) -> Duration {
    let lifetimes = terms.lifetimes;
    let due = (lifetimes.settling / 3).min(lifetimes.leaf / 10);
    due.clamp(Duration::from_millis(200), LONGEST_REST)
}

/// What stands in the way. It is said, and what was in use stays in use.
#[derive(Debug, thiserror::Error)]
enum KeepingError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("{0}")]
    Unusable(String),
    #[error("others change it at every try to write it")]
    Contended,
    #[error("it has to be written, and is immutable; delete it, and it is there again at once")]
    Immutable,
    #[error("it is gone, and so is what the release belongs to: it is being uninstalled, and nothing is made anew")]
    Uninstalled,
}

enum Keeper {
    Kept(Box<kept::Keeper>),
    Given(given::Keeper),
}

async fn keep(mut keeper: Keeper, around: Around, rest: Duration) {
    let wake = Arc::new(Notify::new());
    tokio::spawn(single::wake(around.access.clone(), around.place.clone(), wake.clone()));
    let mut published = around.published.clone();
    loop {
        let turn = match &mut keeper {
            Keeper::Kept(keeper) => keeper.turn(&around).await,
            Keeper::Given(keeper) => keeper.turn(&around).await,
        };
        around.note(turn);
        tokio::select! {
            () = wake.notified() => {}
            () = changed(&mut published) => {}
            () = sleep(if around.leaf.borrow().is_some() { rest } else { rest.min(SHORTEST_REST) }) => {}
        }
    }
}

/// Returns when another bundle is published; never if nobody will say.
async fn changed(published: &mut Option<Published>) {
    if let Some(receiver) = published
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// What the keepers share: where the Secret is, and who is told.
struct Around {
    access: Access,
    release: Release,
    place: Place,
    published: Option<Published>,
    metrics: Arc<Metrics>,
    leaf: watch::Sender<Option<Arc<Leaf>>>,
    trusted: watch::Sender<Option<Arc<str>>>,
    trouble: watch::Sender<Option<String>>,
}

impl Around {
    async fn read(&self) -> Result<(Answer, Clock), ClusterError> {
        let question = Question::Object(&self.place, Deed::Read);
        let answer = within(PATIENCE, self.access.find(question, secret::MOST_OF_A_SECRET)).await?;
        let clock = Clock { server: answer.date.unwrap_or_else(SystemTime::now), own: Instant::now() };
        Ok((answer, clock))
    }

    async fn write(&self, deed: Deed<'_>) -> Result<(), ClusterError> {
        let written = self.access.ask(Question::Object(&self.place, deed), secret::MOST_OF_A_SECRET);
        within(PATIENCE, written).await.map(|_| ())
    }

    /// The authorities that clients are known to have been told of; none where nobody says.
    fn handed_out(&self) -> Option<Vec<Vec<u8>>> {
        let published = self.published.as_ref()?.borrow();
        Some(published.as_deref().map(|pem| certificates(pem.as_bytes())).unwrap_or_default())
    }

    /// Lets everybody know what there is.
    fn show(&self, leaf: Option<&Arc<Leaf>>, bundle: Option<String>, authority_expiry: Option<SystemTime>) {
        if let Some(bundle) = bundle {
            let differs = |shown: &Option<Arc<str>>| shown.as_deref() != Some(bundle.as_str());
            self.trusted.send_if_modified(|shown| {
                let differs = differs(shown);
                if differs {
                    *shown = Some(bundle.as_str().into());
                }
                differs
            });
        }
        let Some(leaf) = leaf else { return };
        set(&self.metrics.certificate_expiry, leaf.expiry());
        if let Some(expiry) = authority_expiry {
            set(&self.metrics.authority_expiry, expiry);
        }
        let before = self.leaf.borrow().clone();
        if before.as_ref() != Some(leaf) {
            if before.is_some() {
                self.metrics.certificate_reloads.fetch_add(1, Ordering::Relaxed);
            }
            tracing::info!(expires = httpdate::fmt_http_date(leaf.expiry()), "serving with another certificate");
            self.leaf.send_replace(Some(leaf.clone()));
        }
    }

    /// Says and remembers how a turn ended.
    fn note(&self, turn: Result<(), KeepingError>) {
        let failed = &self.metrics.certificate_reload_failed;
        failed.store(turn.is_err().into(), Ordering::Relaxed);
        let trouble = turn.err().map(|error| {
            if matches!(error, KeepingError::Cluster(_)) {
                self.metrics.cluster_errors.fetch_add(1, Ordering::Relaxed);
            }
            format!("Secret {}/{}: {error}", self.release.namespace(), self.place.name())
        });
        self.trouble.send_if_modified(|known| {
            let differs = *known != trouble;
            if let Some(trouble) = trouble.as_ref().filter(|_| differs) {
                tracing::error!(error = trouble, "certificates cannot be kept; what is in use stays in use");
            } else if differs {
                tracing::info!("certificates can be kept again");
            }
            *known = trouble;
            differs
        });
    }
}

fn set(gauge: &AtomicI64, time: SystemTime) {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    gauge.store(i64::try_from(seconds).unwrap_or(i64::MAX), Ordering::Relaxed);
}
