//! The real binary, started as the Deployment of the manifests would start it, on the ClusterIP of their Service.

use crate::harness::{Process, answers_200, free_port};
use crate::stage::{Objects, Stage};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const START: Duration = Duration::from_secs(30);

/// A running Portcullis.
pub struct Running {
    _process: Process,
    admin: SocketAddr,
}

impl Running {
    /// Starts it with the token of its service account, and further arguments; the manifests are applied already.
    pub fn start(stage: &Stage, manifests: &Objects, further: &[&str]) -> Result<Self> {
        let deployment = &manifests.values().find(|object| object["kind"] == "Deployment").context("no Deployment")?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("not a text");
        let (release, namespace) =
            (text(&deployment["metadata"]["name"])?, text(&deployment["metadata"]["namespace"])?);
        let folder = stage.folder(&release)?;
        let address = service_address(stage, &release, &namespace)?;
        let admin = free_port(Ipv4Addr::LOCALHOST)?;
        let host = format!("{release}.{namespace}.svc");

        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let arguments =
            deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().context("no args")?;
        let arguments = arguments.iter().map(text).collect::<Result<Vec<_>>>()?;
        command
            .args(arguments)
            .args(further)
            .arg(format!("--kubeconfig={}", kubeconfig(stage, &folder, &release, &namespace)?.display()))
            .args([
                format!("--listen={address}"),
                format!("--admin-listen={admin}"),
                format!("--namespace={namespace}"),
            ])
            .args(["--drain-delay=0s".to_owned(), format!("--service-port={}", address.port())])
            // As in a pod, where the defaults are others.
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .current_dir(&folder);
        let process = Process::start(&host, &folder.join("portcullis.log"), command)?;
        let process = process.ready(START, || answers_200(admin, "/readyz"))?;
        Ok(Self { _process: process, admin })
    }

    /// The value of a metric; `sample` is its name and its labels, as they are rendered.
    pub fn metric(&self, sample: &str) -> Result<f64> {
        metric(self.admin, sample)
    }
}

/// The value of a metric that somebody's admin port renders.
pub fn metric(admin: SocketAddr, sample: &str) -> Result<f64> {
    let mut stream = TcpStream::connect_timeout(&admin, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let value = answer.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    Ok(value.with_context(|| format!("{sample} is not rendered"))?.parse()?)
}

/// The address of the Service, given a port that is free there: 443 is not for everybody to listen on.
pub fn service_address(stage: &Stage, name: &str, namespace: &str) -> Result<SocketAddr> {
    let mut api = stage.plane.connect()?;
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let service = api.get(&path)?.done()?;
    let ip: Ipv4Addr = service["spec"]["clusterIP"].as_str().context("no ClusterIP")?.parse()?;
    let address = free_port(ip)?;
    let ports = json!([{"name": "webhook", "port": address.port(), "targetPort": "webhook"}]);
    api.merge(&path, &json!({"spec": {"ports": ports}}))?.done()?;
    Ok(address)
}

/// A token of the service account, good for an hour.
pub fn token(stage: &Stage, account: &str, namespace: &str) -> Result<String> {
    let namespace = format!("--namespace={namespace}");
    let token = stage.plane.kubectl()?.done(&["create", "token", account, &namespace, "--duration=1h"])?;
    Ok(token.trim_end().to_owned())
}

/// As the service account.
fn kubeconfig(stage: &Stage, folder: &Path, account: &str, namespace: &str) -> Result<PathBuf> {
    let token = token(stage, account, namespace)?;
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "plane",
        "clusters": [{"name": "plane", "cluster": {
            "server": format!("https://{}", stage.plane.api_servers[0].address),
            "certificate-authority": stage.plane.authority(),
        }}],
        "users": [{"name": "plane", "user": {"token": token}}],
        "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "plane"}}],
    });
    let path = folder.join("kubeconfig");
    fs::write(&path, document.to_string())?;
    Ok(path)
}
