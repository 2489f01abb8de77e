//! How the API server is reached: with the pod's service account, or with a kubeconfig.
//!
//! Answers are read up to a bound. Their bodies never reach the log: kube's own readers, which would log what they cannot
//! decode, are not used.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::DATE;
use http_body_util::BodyExt;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;
use tokio::time::timeout;

use super::error::ClusterError;
use super::question::Question;

const CONNECT: Duration = Duration::from_secs(5);

/// The most of a refusal that is read, in bytes.
const MOST_OF_A_REFUSAL: usize = 64 << 10;

/// A way to the API server.
#[derive(Clone)]
pub struct Access {
    client: Client,
}

impl Access {
    /// As a pod of the cluster, with its service account; token and authority are read again when they change.
    ///
    /// # Errors
    /// Outside a cluster, or without a service account.
    pub fn in_cluster() -> Result<Self, ClusterError> {
        Self::new(Config::incluster()?)
    }

    /// With the current context of a kubeconfig.
    ///
    /// # Errors
    /// What the file lacks.
    pub async fn from_kubeconfig(path: &Path) -> Result<Self, ClusterError> {
        let explain = |why| ClusterError::Kubeconfig { path: path.to_owned(), why };
        let kubeconfig = Kubeconfig::read_from(path).map_err(explain)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Self::new(config.map_err(explain)?)
    }

    /// As kubectl would: with the current context of the files that `KUBECONFIG` names, or of `~/.kube/config`.
    ///
    /// # Errors
    /// What they lack, or that there are none.
    pub async fn from_environment() -> Result<Self, ClusterError> {
        let config = match Kubeconfig::read() {
            Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await,
            Err(error) => Err(error),
        };
        Self::new(config.map_err(ClusterError::NoKubeconfig)?)
    }

    fn new(mut config: Config) -> Result<Self, ClusterError> {
        config.connect_timeout = Some(CONNECT);
        // Whoever asks knows better how long it can wait, and when to ask again.
        config.default_retry = false;
        Ok(Self { client: Client::try_from(config).map_err(ClusterError::Client)? })
    }

    /// A way that leads nowhere; nothing is asked before it is used.
    #[cfg(test)]
    pub(super) fn to_nowhere() -> Self {
        Self::to(http::Uri::from_static("https://127.0.0.1:1"))
    }

    /// A way to whoever answers there.
    #[cfg(test)]
    pub(super) fn to(server: http::Uri) -> Self {
        Self::new(Config::new(server)).expect("a client without an authority")
    }

    /// As [`Self::ask`], where the answer may be that there is no such thing: then its status is 404.
    pub(super) async fn find(&self, question: Question<'_>, most: usize) -> Result<Answer, ClusterError> {
        let request = question.request()?.map(Body::from);
        let response = self.client.send(request).await.map_err(ClusterError::Unreachable)?;
        match response.status().as_u16() {
            404 => answer(response, MOST_OF_A_REFUSAL).await,
            _ => answer(accepted(response).await?, most).await,
        }
    }

    /// Asks, and gives the answer as it comes.
    pub(super) async fn open(&self, question: Question<'_>) -> Result<Body, ClusterError> {
        Ok(self.send(question).await?.into_body())
    }

    /// Asks, and reads an answer of at most this many bytes, with what its head says.
    pub(super) async fn ask(&self, question: Question<'_>, most: usize) -> Result<Answer, ClusterError> {
        answer(self.send(question).await?, most).await
    }

    async fn send(&self, question: Question<'_>) -> Result<http::Response<Body>, ClusterError> {
        let request = question.request()?.map(Body::from);
        let response = self.client.send(request).await.map_err(ClusterError::Unreachable)?;
        accepted(response).await
    }

    /// Asks, and reads an answer of at most this many bytes.
    pub(super) async fn read(&self, question: Question<'_>, most: usize) -> Result<Bytes, ClusterError> {
        collect(self.open(question).await?, most).await
    }
}

/// An answer of the API server.
#[derive(Debug)]
pub(super) struct Answer {
    /// 200, 201 if something was created, or 404 where that is asked for.
    pub(super) status: u16,
    /// What time it is by the API server's clock, to the second.
    pub(super) date: Option<SystemTime>,
    pub(super) text: Bytes,
}

/// What we read of a Status.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
}

async fn accepted(response: http::Response<Body>) -> Result<http::Response<Body>, ClusterError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = collect(response.into_body(), MOST_OF_A_REFUSAL).await.unwrap_or_default();
    let message = serde_json::from_slice::<Refusal>(&text).map(|refusal| refusal.message).unwrap_or_default();
    Err(ClusterError::Refused { code: status.as_u16(), message })
}

async fn answer(response: http::Response<Body>, most: usize) -> Result<Answer, ClusterError> {
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    Ok(Answer { status: response.status().as_u16(), date, text: collect(response.into_body(), most).await? })
}

async fn collect(mut body: Body, most: usize) -> Result<Bytes, ClusterError> {
    let mut text = BytesMut::new();
    while let Some(bytes) = next(&mut body).await? {
        if text.len() + bytes.len() > most {
            return Err(ClusterError::TooLarge(most));
        }
        text.extend_from_slice(&bytes);
    }
    Ok(text.freeze())
}

/// The next bytes of an answer; none at its end.
pub(super) async fn next(body: &mut Body) -> Result<Option<Bytes>, ClusterError> {
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| ClusterError::Broken(error.into()))?.into_data() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(_trailers) => {}
        }
    }
    Ok(None)
}

/// The answer, unless it does not come in time.
pub(super) async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    timeout(patience, answer).await.unwrap_or(Err(ClusterError::Late))
}
