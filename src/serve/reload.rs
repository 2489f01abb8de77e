//! TLS material from files, read again when their content changes; unusable new content leaves the old in use and shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::tls::{Clients, Identity, Tls, TlsError};
use crate::telemetry::Metrics;

/// Where TLS material lies.
#[derive(Debug, Clone)]
pub enum Files {
    /// What is served.
    Identity { certificate: PathBuf, key: PathBuf },
    /// Who may call.
    Clients { authority: PathBuf, names: Vec<String> },
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Unusable(#[from] TlsError),
}

impl Files {
    /// Uses these files as they are now.
    ///
    /// # Errors
    /// A file is unreadable, or what they hold cannot be used.
    pub fn load(&self, tls: &Tls, metrics: &Metrics) -> Result<(), FilesError> {
        self.apply(self.read()?, tls, metrics)
    }

    /// The files' content.
    fn read(&self) -> Result<Vec<Vec<u8>>, FilesError> {
        self.paths()
            .into_iter()
            .map(|path| std::fs::read(path).map_err(|error| FilesError::Unreadable { path: path.to_owned(), error }))
            .collect()
    }

    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Identity { certificate, key } => vec![certificate, key],
            Self::Clients { authority, .. } => vec![authority],
        }
    }

    fn apply(&self, content: Vec<Vec<u8>>, tls: &Tls, metrics: &Metrics) -> Result<(), FilesError> {
        let mut content = content.into_iter();
        let mut next = || content.next().unwrap_or_default();
        match self {
            Self::Identity { .. } => {
                let identity = Identity::from_pem(&next(), &next())?;
                let expiry = identity.expiry()?;
                tls.serve(identity)?;
                metrics.certificate_expiry.store(expiry, Ordering::Relaxed);
            }
            Self::Clients { names, .. } => tls.admit(Clients { authorities: next(), names: names.clone() })?,
        }
        Ok(())
    }

    fn failed<'m>(&self, metrics: &'m Metrics) -> &'m AtomicI64 {
        match self {
            Self::Identity { .. } => &metrics.certificate_reload_failed.serving,
            Self::Clients { .. } => &metrics.certificate_reload_failed.clients,
        }
    }
}

/// Looks at the files every `interval`, for ever. Content is compared, not times: a mounted Secret changes by a swapped link.
pub async fn watch(files: Files, tls: Arc<Tls>, metrics: Arc<Metrics>, interval: Duration) {
    let mut used = None;
    let mut last_problem = String::new();
    let name = files.paths().first().map(|path| path.display().to_string()).unwrap_or_default();
    loop {
        let problem = match files.read() {
            Ok(content) if used.as_ref() == Some(&content) => None,
            Ok(content) => files.apply(content.clone(), &tls, &metrics).map_or_else(
                |error| Some(error.to_string()),
                |()| {
                    // The first look only learns what is in use since the start.
                    if used.replace(content).is_some() {
                        metrics.certificate_reloads.fetch_add(1, Ordering::Relaxed);
                        tracing::info!(file = name, "TLS files reloaded");
                    }
                    None
                },
            ),
            Err(error) => Some(error.to_string()),
        };
        files.failed(&metrics).store(i64::from(problem.is_some()), Ordering::Relaxed);
        let problem = problem.unwrap_or_default();
        if !problem.is_empty() && problem != last_problem {
            tracing::error!(error = problem, "cannot use the TLS files; the old ones stay in use");
        }
        last_problem = problem;
        sleep(interval).await;
    }
}
