//! Who may connect: the authorities of their certificates from a file that is read again when it changes, and their names.
//!
//! Unusable new content leaves the old in use and shows: a torn file neither opens the door nor shuts it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::tls::{Clients, Tls, TlsError};
use crate::telemetry::Metrics;

/// Where the authorities of the clients' certificates lie (PEM), and the names of which such a certificate must carry one.
#[derive(Debug, Clone)]
pub struct ClientFile {
    pub authority: PathBuf,
    /// Any certificate of the authorities will do if empty.
    pub names: Vec<String>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientFileError {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Unusable(#[from] TlsError),
}

impl ClientFile {
    /// The clients by the file as it is now; whether its content can be used shows when it is.
    ///
    /// # Errors
    /// The file is unreadable.
    pub fn load(&self) -> Result<Clients, ClientFileError> {
        let authorities = std::fs::read(&self.authority)
            .map_err(|error| ClientFileError::Unreadable { path: self.authority.clone(), error })?;
        Ok(Clients { authorities, names: self.names.clone() })
    }

    /// Looks at the file every `interval`, for ever, and lets `tls` have what it holds once that has changed.
    pub async fn watch(self, tls: Arc<Tls>, metrics: Arc<Metrics>, interval: Duration) {
        let mut used = Vec::new();
        let mut last_problem = String::new();
        loop {
            let problem = self.look(&tls, &mut used).err().map(|error| error.to_string()).unwrap_or_default();
            metrics.client_authority_reload_failed.store(i64::from(!problem.is_empty()), Ordering::Relaxed);
            if !problem.is_empty() && problem != last_problem {
                tracing::error!(error = problem, "cannot use the client CA file; what it held before stays in use");
            }
            last_problem = problem;
            sleep(interval).await;
        }
    }

    /// `used` is the content that was taken into use last.
    fn look(&self, tls: &Tls, used: &mut Vec<u8>) -> Result<(), ClientFileError> {
        let clients = self.load()?;
        let content = clients.authorities.clone();
        if content != *used {
            tls.replace_clients(clients)?;
            // The first look only learns what is in use since the start.
            if !used.is_empty() {
                tracing::info!(file = %self.authority.display(), "client CA file reloaded");
            }
            *used = content;
        }
        Ok(())
    }
}
