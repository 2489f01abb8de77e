//! Certificates that are replaced, deleted, garbled and exchanged under traffic: no request fails, and nobody restarts anything.
//!
//! Two replicas share a Secret. Each has a Service of its own, and every pod is judged by both.

mod harness;

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use harness::{Api, ApiServerSettings, ControlPlane, Portcullis, Settings, Shared, to_watch, until};
use portcullis::certs::{Authority, certificates};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::{Value, json};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

const SOON: Duration = Duration::from_secs(30);
const TRIED: &str = "tried";
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

#[test]
fn leaf_and_authority_are_replaced_under_traffic() -> Result<()> {
    let lifetimes = ["--authority-lifetime=60s", "--leaf-lifetime=30s", "--certificate-settling=6s"];
    let arguments = [&["--certificates=kept"][..], &lifetimes].concat();
    let stage = Stage::start("replaced", 2, "portcullis-certificates", &arguments)?;
    until(Duration::from_secs(180), || {
        let (authorities, leaves) = (stage.issued("authority")?, stage.issued("leaf")?);
        Ok((authorities >= 3.0 && leaves >= 4.0).then_some(()))
    })?;
    for replica in &stage.replicas {
        assert!(replica.metric("portcullis_certificate_reloads_total")? >= 2.0);
    }
    stage.end()
}

#[test]
fn a_secret_that_is_deleted_or_garbled_is_there_again() -> Result<()> {
    let stage = Stage::start("repaired", 4, "portcullis-certificates", &["--certificates=kept"])?;
    let mut api = stage.plane.connect()?;
    let before = api.get(&stage.secret)?.done()?;
    let authorities = before["data"]["ca.crt"].clone();
    api.merge(&stage.secret, &json!({"metadata": {"labels": {"theirs": "kept"}}}))?.done()?;

    for key in ["tls.crt", "tls.key", "ca.key", "ca.crt"] {
        api.merge(&stage.secret, &json!({"data": {key: BASE64_STANDARD.encode("garbled")}}))?.done()?;
        let repaired = stage.repaired(&mut api, &authorities)?;
        assert_eq!(repaired["metadata"]["labels"]["theirs"], "kept");
        std::thread::sleep(Duration::from_millis(500));
    }
    api.delete(&stage.secret)?.done()?;
    stage.repaired(&mut api, &authorities)?;
    assert_eq!(stage.issued("authority")?, 1.0);
    assert!(stage.sum("portcullis_certificate_repairs_total")? >= 5.0);
    stage.end()
}

#[test]
fn a_given_secret_is_exchanged_by_hand() -> Result<()> {
    let name = "given";
    let names = [format!("portcullis.{name}.svc"), format!("portcullis-b.{name}.svc")];
    let plane = plane()?;
    let mut api = plane.connect()?;
    plane.create_namespace(name, &[])?;
    let secrets = format!("/api/v1/namespaces/{name}/secrets");
    let flags = ["--certificates=given", "--certificate-secret=mine", "--certificate-settling=8s"];

    // Without its authority it cannot be used, and /readyz says what to do.
    let incomplete = signed(&names)?;
    let mut without = incomplete.clone();
    without["ca.crt"] = "".into();
    api.post(&secrets, &json!({"metadata": {"name": "mine"}, "data": without}))?.done()?;
    {
        let kubeconfig = allow(&plane, name, "mine")?;
        let arguments = [&["--kubeconfig", &kubeconfig, "--namespace", name][..], &flags].concat();
        let ip = plane.addresses.service(8);
        let unready = Portcullis::start_for(("portcullis", name), "/livez", &plane, ip, &arguments)?;
        until(SOON, || {
            Ok(unready.asked("/readyz")?.1.contains("ca.crt: there is no certificate in it").then_some(()))
        })?;
        api.merge(&format!("{secrets}/mine"), &json!({"data": incomplete}))?.done()?;
        until(SOON, || Ok((unready.asked("/readyz")?.0 == 200).then_some(())))?;
    }

    let stage = Stage::start(name, 6, "mine", &flags)?;
    let mut last = incomplete["ca.crt"].clone();
    for _ in 0..2 {
        let next = signed(&names)?;
        let reloads = stage.sum("portcullis_certificate_reloads_total")?;
        api.merge(&stage.secret, &json!({"data": next}))?.done()?;
        // Nobody exchanges by hand what has not been heard of yet.
        let authority = certificates(&decoded(&next["ca.crt"])?);
        until(SOON, || {
            let registered = api.get(&format!("{WEBHOOKS}/{name}"))?.done()?;
            let bundle = decoded(&registered["webhooks"][0]["clientConfig"]["caBundle"])?;
            let known = certificates(&bundle);
            Ok(authority.iter().all(|one| known.contains(one)).then_some(()))
        })?;
        until(SOON, || Ok((stage.sum("portcullis_certificate_reloads_total")? >= reloads + 2.0).then_some(())))?;
        assert_ne!(next["ca.crt"], last);
        last = next["ca.crt"].clone();
    }
    // One that nobody would accept changes nothing.
    let wrong = signed(&["elsewhere.example".to_owned()])?;
    api.merge(&stage.secret, &json!({"data": wrong}))?.done()?;
    let failed = "portcullis_certificate_reload_failed";
    until(SOON, || Ok((stage.sum(failed)? == 2.0).then_some(())))?;
    stage.end()
}

/// A leaf for these names, its key and a new authority, as the data of a Secret.
fn signed(names: &[String]) -> Result<Value> {
    let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 60 * 60));
    let authority = Authority::make(now, 10 * day)?;
    let leaf = authority.sign(names, now, day)?;
    Ok(json!({
        "tls.crt": BASE64_STANDARD.encode(leaf.chain_pem()),
        "tls.key": BASE64_STANDARD.encode(leaf.key_pem()),
        "ca.crt": BASE64_STANDARD.encode(authority.pem()),
    }))
}

/// Two replicas in a namespace of their own, registered, with traffic until the end.
struct Stage {
    traffic: Vec<Traffic>,
    replicas: Vec<Portcullis>,
    /// The path of the Secret.
    secret: String,
    plane: Arc<ControlPlane>,
}

impl Stage {
    fn start(name: &str, address: u8, secret: &str, arguments: &[&str]) -> Result<Self> {
        let plane = plane()?;
        let mut api = plane.connect()?;
        if api.get(&format!("/api/v1/namespaces/{name}"))?.status == 404 {
            plane.create_namespace(name, &[])?;
        }
        plane.create_namespace(&format!("{TRIED}-{name}"), &[("pod-security.kubernetes.io/enforce", "restricted")])?;
        let kubeconfig = allow(&plane, name, secret)?;
        let services = ["portcullis", "portcullis-b"];
        let names = services.map(|service| format!("--tls-san={service}.{name}.svc"));
        let names = names.each_ref().map(String::as_str);
        let common = ["--kubeconfig", &kubeconfig, "--namespace", name];
        let arguments = [&common[..], &names, arguments].concat();
        let mut replicas = Vec::new();
        for (service, address) in services.into_iter().zip(address..) {
            let ip = plane.addresses.service(address);
            let replica = Portcullis::start_for((service, name), "/readyz", &plane, ip, &arguments)?;
            replica.service.create(&mut api)?;
            replicas.push(replica);
        }
        let secret = format!("/api/v1/namespaces/{name}/secrets/{secret}");
        let mut stage = Self { traffic: Vec::new(), replicas, secret, plane };
        stage.register(name, &mut api)?;
        stage.drive(name)?;
        Ok(stage)
    }

    /// Registers both, and hands out from now on what the replicas trust.
    fn register(&mut self, name: &str, api: &mut Api) -> Result<()> {
        let bundle = trusted(api, &self.secret)?;
        let configuration = configuration(name, &self.replicas, &bundle);
        api.post(WEBHOOKS, &configuration)?.done()?;
        let path = format!("/api/v1/namespaces/{TRIED}-{name}/pods?dryRun=All");
        until(SOON, || Ok((api.post(&path, &pod(true))?.status == 403).then_some(())))?;
        Ok(())
    }

    fn drive(&mut self, name: &str) -> Result<()> {
        let path = format!("/api/v1/namespaces/{TRIED}-{name}/pods?dryRun=All");
        let mut api = self.plane.connect()?;
        let pods = Traffic::start("a pod", Duration::from_millis(20), move || {
            let answer = api.post(&path, &pod(false))?;
            ensure!(answer.status == 201, "{} {}", answer.status, answer.body);
            Ok(())
        });
        let (mut api, configuration) = (self.plane.connect()?, format!("{WEBHOOKS}/{name}"));
        let replicas: Vec<_> = self.replicas.iter().map(|replica| (replica.service.address, host(replica))).collect();
        let handshakes = Traffic::start("a handshake", Duration::from_millis(100), move || {
            let registered = api.get(&configuration)?.done()?;
            let bundle = decoded(&registered["webhooks"][0]["clientConfig"]["caBundle"])?;
            replicas.iter().try_for_each(|(address, host)| handshake(*address, host, &bundle))
        });
        let (mut api, secret, path) = (self.plane.connect()?, self.secret.clone(), format!("{WEBHOOKS}/{name}"));
        let services = self.replicas.len();
        let mut former: Vec<Vec<u8>> = Vec::new();
        let registration = Traffic::start("registering", Duration::from_millis(100), move || {
            let known = former.clone();
            former.extend(certificates(&trusted(&mut api, &secret)?).into_iter().filter(|one| !known.contains(one)));
            let bundle: String = former.iter().map(|der| portcullis::certs::authority_pem(der)).collect();
            let bundle = BASE64_STANDARD.encode(bundle);
            let current = api.get(&path)?.done()?;
            if current["webhooks"][0]["clientConfig"]["caBundle"] != bundle.as_str() {
                let mut changed = current;
                for index in 0..services {
                    changed["webhooks"][index]["clientConfig"]["caBundle"] = bundle.as_str().into();
                }
                api.put(&path, &changed)?.done()?;
            }
            Ok(())
        });
        self.traffic = vec![pods, handshakes, registration];
        Ok(())
    }

    fn sum(&self, sample: &str) -> Result<f64> {
        self.replicas.iter().map(|replica| replica.metric(sample)).sum()
    }

    fn issued(&self, kind: &str) -> Result<f64> {
        self.sum(&format!("portcullis_certificates_issued_total{{kind=\"{kind}\"}}"))
    }

    /// Waits until the Secret holds these authorities and everything else again.
    fn repaired(&self, api: &mut Api, authorities: &Value) -> Result<Value> {
        until(SOON, || {
            let Ok(secret) = api.get(&self.secret)?.done() else { return Ok(None) };
            let is_whole = ["tls.crt", "tls.key", "ca.key"]
                .iter()
                .all(|key| decoded(&secret["data"][*key]).is_ok_and(|text| text.starts_with(b"-----BEGIN ")));
            Ok((is_whole && secret["data"]["ca.crt"] == *authorities).then_some(secret))
        })
    }

    fn end(self) -> Result<()> {
        for traffic in self.traffic {
            traffic.end()?;
        }
        Ok(())
    }
}

/// Something that is done again and again, and must never fail.
struct Traffic {
    what: &'static str,
    is_over: Arc<AtomicBool>,
    failures: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<u64>,
}

impl Traffic {
    fn start(what: &'static str, pause: Duration, mut once: impl FnMut() -> Result<()> + Send + 'static) -> Self {
        let (is_over, failures) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (over, failed) = (is_over.clone(), failures.clone());
        let thread = std::thread::spawn(move || {
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                sent += 1;
                if let Err(error) = once() {
                    failed.lock().expect("no panic").push(format!("{error:#}"));
                }
                std::thread::sleep(pause);
            }
            sent
        });
        Self { what, is_over, failures, thread }
    }

    fn end(self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let sent = self.thread.join().ok().context("the traffic panicked")?;
        let failures = self.failures.lock().expect("no panic");
        println!("{}: sent {sent}, failed {}", self.what, failures.len());
        ensure!(sent > 10, "{}: only {sent} were sent", self.what);
        ensure!(failures.is_empty(), "{}: {} of {sent} failed: {:?}", self.what, failures.len(), failures.first());
        Ok(())
    }
}

fn plane() -> Result<Arc<ControlPlane>> {
    static PLANE: Shared<ControlPlane> = Shared::new();
    PLANE.or_start(|| {
        let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
        ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })
    })
}

/// The path of a kubeconfig for a replica: it may watch namespaces and keep this Secret, and no other.
fn allow(plane: &ControlPlane, name: &str, secret: &str) -> Result<String> {
    let mut api = plane.connect()?;
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let group = "rbac.authorization.k8s.io";
    let subjects = json!([{"apiGroup": group, "kind": "User", "name": name}]);
    let rules = to_watch();
    let own = json!([
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": ["get", "watch", "update"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]);
    let namespace = format!("{rbac}/namespaces/{name}");
    for (path, kind, rules) in [(rbac.to_owned(), "ClusterRole", rules), (namespace, "Role", own)] {
        let plural = kind.to_lowercase();
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let reference = json!({"apiGroup": group, "kind": kind, "name": name});
        let binding = json!({"metadata": {"name": name}, "roleRef": reference, "subjects": subjects});
        for (path, object) in [(format!("{path}/{plural}s"), role), (format!("{path}/{plural}bindings"), binding)] {
            let answer = api.post(&path, &object)?;
            ensure!(matches!(answer.status, 201 | 409), "{}", answer.body);
        }
    }
    Ok(plane.kubeconfig_for(name)?.display().to_string())
}

fn configuration(name: &str, replicas: &[Portcullis], bundle: &[u8]) -> Value {
    let webhook = |replica: &Portcullis| {
        let service = &replica.service;
        json!({
            "name": format!("{}.portcullis.dev", service.name),
            "clientConfig": {
                "service": {
                    "name": service.name, "namespace": service.namespace,
                    "port": service.address.port(), "path": "/validate",
                },
                "caBundle": BASE64_STANDARD.encode(bundle),
            },
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": format!("{TRIED}-{name}")}},
            "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 5, "admissionReviewVersions": ["v1"],
        })
    };
    json!({"metadata": {"name": name}, "webhooks": replicas.iter().map(webhook).collect::<Vec<_>>()})
}

/// The authorities in the Secret; those of before if it is gone or garbled at this moment.
fn trusted(api: &mut Api, secret: &str) -> Result<Vec<u8>> {
    let answer = api.get(secret)?;
    if answer.status == 404 { Ok(Vec::new()) } else { decoded(&answer.done()?["data"]["ca.crt"]) }
}

fn decoded(value: &Value) -> Result<Vec<u8>> {
    Ok(BASE64_STANDARD.decode(value.as_str().unwrap_or_default())?)
}

fn host(replica: &Portcullis) -> String {
    format!("{}.{}.svc", replica.service.name, replica.service.namespace)
}

fn handshake(address: SocketAddr, host: &str, bundle: &[u8]) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(bundle).into_iter().map(CertificateDer::from));
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).with_context(|| format!("a handshake with {host}"))?;
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut stream);
    stream.flush()?;
    Ok(())
}

fn pod(is_privileged: bool) -> Value {
    let security = if is_privileged {
        json!({"privileged": true})
    } else {
        json!({
            "allowPrivilegeEscalation": false, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        })
    };
    json!({"metadata": {"generateName": "p-"}, "spec": {
        "containers": [{"name": "c", "image": "i", "securityContext": security}],
    }})
}
