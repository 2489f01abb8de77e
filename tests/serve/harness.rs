//! A server in this process, over a world that tests can hold up or break.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis::certs::self_made;
use portcullis::engine::pod_security::{Configuration, LevelVersion};
use portcullis::engine::{ExistingPods, Facts, Mode, Needed, Snapshot, Unlisted};
use portcullis::serve::{Backend, Identity, Limits, Listeners, Server, Tls};
use portcullis::telemetry::{Decided, Metrics, Recorder};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::client::{Client, Trust};

/// Where a world breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    Snapshot,
    Gather,
    Decide,
    Record,
}

/// A world in which everything is restricted, and the namespace `slow` can only be looked up when a test lets it.
pub struct World {
    pub snapshot: Arc<Snapshot>,
    pub fault: Fault,
    /// One permit lets one lookup end.
    pub lookups: Arc<Semaphore>,
    pub missing: Vec<String>,
    recorder: Recorder,
}

impl World {
    pub fn new(mode: Mode, fault: Fault, metrics: &Arc<Metrics>) -> Self {
        let mut snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unknown);
        snapshot.mode = mode;
        for namespace in ["default", "team"] {
            snapshot.insert_namespace(namespace, &portcullis::engine::object::StringMap::default());
        }
        let recorder = Recorder::new(metrics.clone(), 0);
        Self {
            snapshot: Arc::new(snapshot),
            fault,
            lookups: Arc::new(Semaphore::new(0)),
            missing: Vec::new(),
            recorder,
        }
    }

    fn pods(&self) -> ExistingPods {
        let pod = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}}"#;
        let fault = self.fault;
        let time = std::iter::from_fn(move || {
            assert_ne!(fault, Fault::Decide, "a fault while deciding, provoked by a test");
            Some(())
        });
        ExistingPods::Listed {
            pods: vec![pod.to_vec().into(), pod.to_vec().into()],
            unlisted: 0,
            time: RefCell::new(Box::new(time)),
        }
    }
}

impl Backend for World {
    fn snapshot(&self) -> Arc<Snapshot> {
        assert_ne!(self.fault, Fault::Snapshot, "a fault of the backend, provoked by a test");
        self.snapshot.clone()
    }

    async fn gather(&self, needed: Needed<'_>, _: &Snapshot, _: Instant) -> Facts {
        assert_ne!(self.fault, Fault::Gather, "a fault of the backend, provoked by a test");
        match needed {
            Needed::Namespace("slow") => {
                self.lookups.acquire().await.expect("an open semaphore").forget();
                Facts::default()
            }
            Needed::PodsOf(_) => Facts { existing_pods: self.pods(), ..Facts::default() },
            _ => Facts::default(),
        }
    }

    fn record(&self, decided: &Decided<'_>) {
        assert_ne!(self.fault, Fault::Record, "a fault of the backend, provoked by a test");
        self.recorder.record(decided);
    }

    fn missing(&self) -> Vec<String> {
        self.missing.clone()
    }
}

/// What a test may change before its server starts.
pub struct Setting {
    pub mode: Mode,
    pub fault: Fault,
    pub limits: Limits,
    pub drain_delay: Duration,
    pub missing: Vec<String>,
    /// In place of self-made material.
    pub tls: Option<(Arc<Tls>, String)>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            fault: Fault::None,
            limits: Limits::default(),
            drain_delay: Duration::ZERO,
            missing: Vec::new(),
            tls: None,
        }
    }
}

/// A running server; stopped when dropped.
pub struct Running {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub trust: Trust,
    pub metrics: Arc<Metrics>,
    pub lookups: Arc<Semaphore>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Setting {
    pub fn start(self) -> Running {
        let metrics = Arc::new(Metrics::default());
        let (tls, authority) = self.tls.unwrap_or_else(|| {
            let made = self_made(&[]).expect("certificates");
            let identity = Identity::from_pem(&made.chain_pem, &made.key_pem).expect("an identity");
            let tls = Tls::new(identity, None).expect("usable TLS");
            (Arc::new(tls), made.authority_pem)
        });
        let mut world = World::new(self.mode, self.fault, &metrics);
        world.missing = self.missing;
        let lookups = world.lookups.clone();
        let server = Server {
            backend: Arc::new(world),
            metrics: metrics.clone(),
            tls,
            limits: self.limits,
            drain_delay: self.drain_delay,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let bind = || TcpListener::bind(("127.0.0.1", 0));
                let listeners =
                    Listeners { reviews: bind().await.expect("a port"), admin: bind().await.expect("a port") };
                let of = |listener: &TcpListener| listener.local_addr().expect("an address");
                tell.send((of(&listeners.reviews), of(&listeners.admin))).expect("the test waits");
                server.run(listeners, async { drop(stopped.await) }).await;
            });
        });
        let (address, admin) = told.recv().expect("a server");
        let trust = Trust::only(&authority);
        Running { address, admin, trust, metrics, lookups, stop: Some(stop), thread: Some(thread) }
    }
}

impl Running {
    pub fn client(&self) -> Client {
        Client::connect(self.address, &self.trust).expect("a connection")
    }

    /// Asks the server to stop, as the first signal does.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has stopped.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a server that does not panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        self.lookups.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A review of a pod in a namespace, privileged or as restricted asks.
pub fn review(uid: &str, namespace: &str, is_privileged: bool) -> Vec<u8> {
    let security = if is_privileged {
        r#"{"privileged":true}"#
    } else {
        r#"{"allowPrivilegeEscalation":false,"runAsNonRoot":true,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}}"#
    };
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"c","image":"i","securityContext":{security}}}]}}}}"#
    );
    envelope(uid, "CREATE", "pods", "Pod", namespace, &format!(r#""object":{pod}"#))
}

/// A review of a namespace whose enforced level rises, for which its pods are looked at.
pub fn tightening(uid: &str) -> Vec<u8> {
    let namespace = |level: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"team","labels":{{"pod-security.kubernetes.io/enforce":"{level}"}}}}}}"#
        )
    };
    let objects = format!(r#""object":{},"oldObject":{}"#, namespace("restricted"), namespace("privileged"));
    envelope(uid, "UPDATE", "namespaces", "Namespace", "team", &objects)
}

fn envelope(uid: &str, operation: &str, resource: &str, kind: &str, namespace: &str, objects: &str) -> Vec<u8> {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"{uid}","kind":{{"group":"","version":"v1","kind":"{kind}"}},"resource":{{"group":"","version":"v1","resource":"{resource}"}},"name":"p","namespace":"{namespace}","operation":"{operation}","userInfo":{{"username":"u"}},{objects}}}}}"#
    )
    .into_bytes()
}
