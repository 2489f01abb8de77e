//! The serving certificate from files, read again when their content changes; unusable new content leaves the old in use and
//! shows.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::tls::{Clients, Identity, Tls, TlsError};
use crate::telemetry::Metrics;

/// Where the serving certificate and its key lie.
#[derive(Debug, Clone)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The files' content at one time.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
enum FilesError {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Unusable(#[from] TlsError),
}

impl Files {
    fn read(&self) -> Result<Content, FilesError> {
        let read =
            |path: &PathBuf| std::fs::read(path).map_err(|error| FilesError::Unreadable { path: path.clone(), error });
        Ok(Content { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// TLS from these files as they are now, for these clients or for whoever comes.
    ///
    /// # Errors
    /// A file is unreadable, or what they hold cannot be used.
    pub fn load(
        &self,
        clients: Option<Clients>,
        metrics: &Metrics,
    ) -> Result<Tls, Box<dyn std::error::Error + Send + Sync>> {
        let content = self.read()?;
        let identity = Identity::from_pem(&content.certificate, &content.key)?;
        metrics.certificate_expiry.store(identity.expiry()?, Ordering::Relaxed);
        Ok(Tls::new(identity, clients)?)
    }

    fn replace(tls: &Tls, content: &Content) -> Result<i64, TlsError> {
        let identity = Identity::from_pem(&content.certificate, &content.key)?;
        let expiry = identity.expiry()?;
        tls.replace(identity)?;
        Ok(expiry)
    }
}

/// Looks at the files now and then every `interval`, for ever. Content is compared, not times: a mounted Secret changes by a swapped
/// link.
pub fn watch(
    files: Files,
    tls: Arc<Tls>,
    metrics: Arc<Metrics>,
    interval: Duration,
) -> impl Future<Output = ()> + Send {
    // Whatever was loaded, this is in use from now on.
    let used = files.read().ok().filter(|content| Files::replace(&tls, content).is_ok());
    keep_looking(files, used, tls, metrics, interval)
}

async fn keep_looking(
    files: Files,
    mut used: Option<Content>,
    tls: Arc<Tls>,
    metrics: Arc<Metrics>,
    interval: Duration,
) {
    let mut last_problem = String::new();
    loop {
        let problem = match files.read() {
            Err(error) => Some(error.to_string()),
            Ok(content) if used.as_ref() == Some(&content) => None,
            Ok(content) => match Files::replace(&tls, &content) {
                Err(error) => Some(error.to_string()),
                Ok(expiry) => {
                    metrics.certificate_expiry.store(expiry, Ordering::Relaxed);
                    metrics.certificate_reloads.fetch_add(1, Ordering::Relaxed);
                    tracing::info!(certificate = %files.certificate.display(), expires = expiry, "TLS files reloaded");
                    used = Some(content);
                    None
                }
            },
        };
        metrics.certificate_reload_failed.store(i64::from(problem.is_some()), Ordering::Relaxed);
        let problem = problem.unwrap_or_default();
        if !problem.is_empty() && problem != last_problem {
            tracing::error!(error = problem, "cannot use the TLS files; the old ones stay in use");
        }
        last_problem = problem;
        sleep(interval).await;
    }
}
