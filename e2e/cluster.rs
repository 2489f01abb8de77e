//! A cluster to try Portcullis in: a control plane without PodSecurity, Portcullis in front, three namespaces, three
//! things to try.
//!
//! Ctrl-C, SIGTERM and SIGHUP end all of it in order. What is killed takes its children with it.

mod harness;

use anyhow::{Context, Result, bail};
use harness::{ApiServerSettings, ControlPlane, Portcullis, Settings, until};
use serde_json::json;
use std::{
    env,
    net::TcpListener,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// The kinds of our documents.
const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/base/custom-resource-definitions.yaml");

const USAGE: &str = "options: --bare (a control plane alone: no Portcullis, with the built-in PodSecurity plugin), \
    --audit (write the API server's audit log)";

/// Where Portcullis is.
const SYSTEM: &str = "portcullis-system";

/// What each namespace asks for.
const NAMESPACES: [(&str, &[(&str, &str)]); 3] = [
    ("strict", &[("pod-security.kubernetes.io/enforce", "restricted")]),
    (
        "warned",
        &[("pod-security.kubernetes.io/enforce", "baseline"), ("pod-security.kubernetes.io/warn", "restricted")],
    ),
    ("free", &[]),
];

fn main() -> Result<()> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Signals that come while it starts are heeded once it has started, which is bounded.
    let asked_to_end = runtime.block_on(async { asked_to_end() })?;
    let begin = Instant::now();
    let plane = ControlPlane::start(&options.settings())?;
    for (name, labels) in NAMESPACES {
        plane.create_namespace(name, labels)?;
    }
    let portcullis = if options.is_bare { None } else { Some(put_portcullis_in_front(&plane)?) };
    eprintln!("Ready after {:.1} s. Ctrl-C ends it.", begin.elapsed().as_secs_f64());
    tell(&plane, portcullis.as_ref())?;
    runtime.block_on(asked_to_end);
    // Portcullis first, then whoever may still call it.
    drop(portcullis);
    drop(plane);
    Ok(())
}

#[derive(Default)]
struct Options {
    is_bare: bool,
    is_audited: bool,
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self::default();
        for argument in env::args().skip(1) {
            match argument.as_str() {
                "--bare" => options.is_bare = true,
                "--audit" => options.is_audited = true,
                "--help" => bail!("{USAGE}"),
                other => bail!("there is no option {other}; {USAGE}"),
            }
        }
        Ok(options)
    }

    fn settings(&self) -> Settings {
        let api_server = ApiServerSettings {
            without_plugins: if self.is_bare { Vec::new() } else { vec!["PodSecurity"] },
            has_audit_log: self.is_audited,
            ..ApiServerSettings::default()
        };
        Settings { api_servers: vec![api_server], ..Settings::default() }
    }
}

/// Ends when the first signal comes that asks us to end; from now on none of them kills us.
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

/// Installed as by hand: a namespace, a Service, the ClusterRole that owns the registration. Portcullis registers itself.
fn put_portcullis_in_front(plane: &ControlPlane) -> Result<Portcullis> {
    plane.create_namespace(SYSTEM, &[])?;
    let mut api = plane.connect()?;
    api.post("/apis/rbac.authorization.k8s.io/v1/clusterroles", &json!({"metadata": {"name": "portcullis"}}))?
        .done()?;
    plane.kubectl()?.done(&["apply", "-f", DEFINITIONS])?;
    let address = TcpListener::bind((plane.addresses.service(2), 0))?.local_addr()?;
    let kubeconfig = format!("--kubeconfig={}", plane.api_servers[0].kubeconfig.display());
    let port = format!("--service-port={}", address.port());
    let portcullis = Portcullis::start_at(address, plane, SYSTEM, &[&kubeconfig, &port, "--register"])?;
    portcullis.service.create(&mut api)?;
    let refused = json!({"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe"}]}});
    until(Duration::from_secs(20), || {
        Ok((api.post("/api/v1/namespaces/strict/pods?dryRun=All", &refused)?.status == 403).then_some(()))
    })
    .context("Portcullis does not register itself")?;
    Ok(portcullis)
}

fn tell(plane: &ControlPlane, portcullis: Option<&Portcullis>) -> Result<()> {
    let server = plane.api_servers.first().context("a plane has an API server")?;
    let kubectl = plane.kubectl()?;
    let kubectl = kubectl.program().display();
    println!("export KUBECONFIG={}", server.kubeconfig.display());
    println!("alias kubectl={kubectl}");
    println!();
    println!("Three things to try in another shell, after these two lines:");
    println!(
        "  kubectl -n strict run bad --image=nginx --privileged           # refused: the namespace enforces restricted"
    );
    println!("  kubectl -n warned create deployment web --image=nginx          # admitted, with a warning");
    println!(
        "  kubectl -n free run anything --image=nginx --privileged        # admitted: the namespace asks for nothing"
    );
    if let Some(log) = &server.audit_log {
        println!("\nThe audit log: {}", log.file().display());
    }
    if let Some(portcullis) = portcullis {
        println!("\nA sidecar for every pod that asks for it, and a Deployment that does:");
        println!("  kubectl apply -f policies/log-shipper/policy.yaml");
        println!("  kubectl -n free apply -f docs/examples/shop.yaml");
        println!("  kubectl -n free get pods -o jsonpath='{{..initContainers[*].name}}'");
        println!("\nEvery namespace is covered but kube-system and {SYSTEM}. To lift it for a while, and to end that:");
        println!("  target/debug/portcullis disable --reason 'trying it' --for 10m");
        println!("  target/debug/portcullis enable");
        println!("\nMetrics: curl http://{}/metrics", portcullis.admin);
    }
    Ok(())
}
