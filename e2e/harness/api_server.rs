//! A kube-apiserver: its flags, its start, its end and its start again.

use super::{
    admission::Admission,
    api::{Api, Trust},
    audit::{self, AuditLog},
    certificates::{Authority, Pair, TokenKey},
    pool::Pool,
    process::Process,
    programs,
    state::State,
};
use anyhow::{Context, Result};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

/// Long, because two more planes may be starting on the same two cores; it is ready after 3 s when alone.
const START: Duration = Duration::from_secs(120);

/// What one API server does otherwise than by default.
#[derive(Clone, Default)]
pub struct ApiServerSettings {
    /// Admission plugins that it goes without, such as `PodSecurity`.
    pub without_plugins: Vec<&'static str>,
    /// How its admission plugins are set.
    pub admission: Admission,
    /// Whether it writes an audit log.
    pub has_audit_log: bool,
    /// Feature gates, such as `("APIServerWebhookAuthenticationToken", true)`.
    pub features: Vec<(&'static str, bool)>,
    /// Further flags; of those that are no lists, the last one counts.
    pub flags: Vec<String>,
}

/// What all API servers of a plane have in common.
pub struct Surroundings<'a> {
    pub state: &'a State,
    pub authority: &'a Authority,
    pub token_key: &'a TokenKey,
    pub etcd: SocketAddr,
    pub services: String,
    pub has_controllers: bool,
}

/// One API server.
pub struct ApiServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// The kubeconfig of its administrator.
    pub kubeconfig: PathBuf,
    /// Its audit log, if it keeps one.
    pub audit_log: Option<AuditLog>,
    name: String,
    log: PathBuf,
    flags: Vec<String>,
    trust: Trust,
    process: Option<Process>,
}

impl ApiServer {
    /// Writes what it reads, starts it, and waits until it is ready.
    pub(super) fn start(
        settings: &ApiServerSettings,
        around: &Surroundings,
        (name, address): (&str, SocketAddr),
        (kubeconfig, administrator): (PathBuf, &Pair),
    ) -> Result<Self> {
        let audit_log = settings.has_audit_log.then(|| AuditLog::new(around.state.path(&format!("{name}-audit.log"))));
        let mut flags = base_flags(around, name, address)?;
        let admission = settings.admission.write(around.state, around.authority, name)?;
        flags.push(format!("--admission-control-config-file={}", admission.display()));
        if let Some(log) = &audit_log {
            flags.extend(audit::flags(&audit::write_policy(around.state)?, log));
        }
        flags.extend(settings.without_plugins.iter().map(|plugin| format!("--disable-admission-plugins={plugin}")));
        flags.extend(settings.features.iter().map(|(gate, is_on)| format!("--feature-gates={gate}={is_on}")));
        flags.extend(settings.flags.iter().cloned());
        let mut server = Self {
            address,
            kubeconfig,
            audit_log,
            name: name.to_owned(),
            log: around.state.path(&format!("{name}.log")),
            flags,
            trust: Trust::read(&around.authority.file, administrator)?,
            process: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.process.take().context("it does not run")?.terminate(Duration::from_secs(90))
    }

    /// Ends it without a word, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it with the flags that it had, and waits until it is ready.
    pub fn start_again(&mut self) -> Result<()> {
        self.start_unready()?;
        self.await_ready()
    }

    /// The same without waiting: for one that waits for others itself.
    pub fn start_unready(&mut self) -> Result<()> {
        let mut command = Command::new(programs::path("kube-apiserver")?);
        command.args(&self.flags);
        self.process = None; // a server that still runs has the port
        self.process = Some(Process::start(&self.name, &self.log, command)?);
        Ok(())
    }

    /// Waits until it is ready.
    pub fn await_ready(&mut self) -> Result<()> {
        let is_ready = || {
            Api::connect(self.address, &self.trust)
                .and_then(|mut api| api.get("/readyz"))
                .is_ok_and(|answer| answer.status == 200)
        };
        let process = self.process.take().context("it does not run")?;
        self.process = Some(process.ready(START, is_ready)?);
        Ok(())
    }

    /// Its process, unless it is stopped.
    pub fn process(&self) -> Result<&Process> {
        self.process.as_ref().context("it does not run")
    }

    /// A new connection to it, as its administrator.
    pub fn connect(&self) -> Result<Api> {
        Api::connect(self.address, &self.trust)
    }

    /// Connections to it, as its administrator, for many requests at a time.
    pub fn pool(&self) -> Pool {
        Pool::new(self.address, &self.trust)
    }
}

fn base_flags(around: &Surroundings, name: &str, address: SocketAddr) -> Result<Vec<String>> {
    let hosts = [address.ip().to_string(), "localhost".into(), "kubernetes.default.svc".into()];
    let serving = around.authority.sign(around.state, name, "kube-apiserver", None, &hosts)?;
    let path = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let mut flags = vec![
        format!("--etcd-servers=http://{}", around.etcd),
        format!("--bind-address={}", address.ip()),
        format!("--advertise-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        format!("--service-cluster-ip-range={}", around.services),
        path("tls-cert-file", &serving.certificate),
        path("tls-private-key-file", &serving.key),
        path("client-ca-file", &around.authority.file),
        path("service-account-signing-key-file", &around.token_key.private),
        path("service-account-key-file", &around.token_key.public),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--authorization-mode=Node,RBAC".into(),
        // Endpoints may not be in the loopback range.
        "--endpoint-reconciler-type=none".into(),
        // Otherwise a privileged pod is refused before admission: "disallowed by cluster policy".
        "--allow-privileged=true".into(),
        "--event-ttl=10m".into(),
        "--profiling=false".into(),
    ];
    if !around.has_controllers {
        // Nobody would make the service account that this plugin demands of every pod.
        flags.push("--disable-admission-plugins=ServiceAccount".into());
    }
    Ok(flags)
}
