//! Versions and protocols, client certificates, and material that changes while connections are open.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis::serve::{ClientFile, Clients, Files, Identity, Tls, watch};
use portcullis::telemetry::Metrics;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

use crate::client::{Client, Trust, eventually};
use crate::harness::{Running, Setting, review};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate and its key as PEM.
struct Signed {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn signed(authority: &Authority, common_name: &str, alternatives: &[&str]) -> Signed {
    let names: Vec<String> = alternatives.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let key = KeyPair::generate().expect("a key");
    Signed { certificate: parameters.signed_by(&key, authority).expect("a certificate"), key }
}

fn can_ask(server: &Running, trust: &Trust) -> bool {
    // A refused client certificate shows only when the client reads: its own handshake ends before the server's.
    let Ok(mut client) = Client::connect(server.address, trust) else { return false };
    let body = review("u", "default", false);
    let head = format!(
        "POST /validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let sent = client.write(&[head.as_bytes(), &body].concat());
    sent.is_ok() && client.try_answer().is_ok_and(|answer| answer.status == 200)
}

#[test]
fn speaks_tls_1_2_and_1_3_and_http_1_1_alone() {
    let server = Setting::default().start();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let versions: &'static [_] = Box::leak(Box::new([version]));
        let trust = Trust { versions: Some(versions), ..server.trust.clone() };
        assert!(can_ask(&server, &trust), "{version:?}");
    }
    let both = Trust { alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()], ..server.trust.clone() };
    let client = Client::connect(server.address, &both).expect("a connection");
    assert_eq!(client.stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let only_h2 = Trust { alpn: vec![b"h2".to_vec()], ..server.trust.clone() };
    assert!(Client::connect(server.address, &only_h2).is_err());
}

#[test]
fn a_client_needs_a_certificate_of_the_authority_with_an_allowed_name() {
    let (ours, theirs) = (authority(), authority());
    let serving = signed(&ours, "server", &["localhost"]);
    let clients = Clients {
        authorities: ours.pem().into_bytes(),
        names: ["apiserver", "client.example", "10.1.2.3"].map(str::to_owned).to_vec(),
    };
    let identity = Identity::from_der(vec![serving.certificate.der().to_vec()], serving.key.serialize_der());
    let tls = Arc::new(Tls::new(identity, Some(clients)).expect("usable TLS"));
    let server = Setting { tls: Some((tls, ours.pem())), ..Setting::default() }.start();
    let shows = |client: &Signed| Trust {
        identity: Some((client.certificate.der().to_vec(), client.key.serialize_der())),
        ..server.trust.clone()
    };
    assert!(can_ask(&server, &shows(&signed(&ours, "apiserver", &[]))), "by common name");
    assert!(can_ask(&server, &shows(&signed(&ours, "x", &["client.example"]))), "by DNS name");
    assert!(can_ask(&server, &shows(&signed(&ours, "x", &["10.1.2.3"]))), "by address");
    assert!(!can_ask(&server, &server.trust), "without a certificate");
    assert!(!can_ask(&server, &shows(&signed(&ours, "somebody", &["else.example"]))), "with another name");
    assert!(!can_ask(&server, &shows(&signed(&theirs, "apiserver", &[]))), "of another authority");
}

#[test]
fn a_client_needs_a_certificate_that_is_in_date_and_for_clients() {
    let ours = authority();
    let serving = signed(&ours, "server", &["localhost"]);
    let clients = Clients { authorities: ours.pem().into_bytes(), names: Vec::new() };
    let identity = Identity::from_der(vec![serving.certificate.der().to_vec()], serving.key.serialize_der());
    let tls = Arc::new(Tls::new(identity, Some(clients)).expect("usable TLS"));
    let server = Setting { tls: Some((tls, ours.pem())), ..Setting::default() }.start();
    let lets_in = |change: fn(&mut CertificateParams)| {
        let mut parameters = CertificateParams::default();
        change(&mut parameters);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &ours).expect("a certificate");
        let identity = Some((certificate.der().to_vec(), key.serialize_der()));
        can_ask(&server, &Trust { identity, ..server.trust.clone() })
    };
    assert!(lets_in(|_| {}));
    assert!(lets_in(|parameters| parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]));
    assert!(!lets_in(|parameters| parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]));
    assert!(!lets_in(|parameters| parameters.not_after = date_time_ymd(2020, 1, 1)));
    assert!(!lets_in(|parameters| parameters.not_before = date_time_ymd(4000, 1, 1)));
}

/// Puts a pair where a mounted Secret would: a new folder, then a link that is swapped in one step.
fn mount(folder: &Path, generation: &str, certificate: &str, key: &str) {
    let data = folder.join(generation);
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("tls.crt"), certificate).expect("a certificate");
    fs::write(data.join("tls.key"), key).expect("a key");
    symlink(generation, folder.join("..next")).expect("a link");
    fs::rename(folder.join("..next"), folder.join("..data")).expect("a swap");
}

#[test]
fn new_files_are_used_for_new_connections_and_bad_ones_are_not() {
    let authority = authority();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = |name: &str| {
        let signed = signed(&authority, name, &["localhost"]);
        (signed.certificate.pem(), signed.key.serialize_pem(), signed.certificate.der().to_vec())
    };
    let (first, second) = (pair("first"), pair("second"));
    mount(folder.path(), "one", &first.0, &first.1);
    let files = Files { certificate: folder.path().join("..data/tls.crt"), key: folder.path().join("..data/tls.key") };
    let metrics = Arc::new(Metrics::default());
    let tls = Arc::new(files.load(None, &metrics).expect("usable files"));
    let watching = Watching::start(watch(files, tls.clone(), metrics.clone(), Duration::from_millis(5)));
    let server = Setting { tls: Some((tls, authority.pem())), ..Setting::default() }.start();
    let shown = || {
        let client = server.client();
        client.stream.conn.peer_certificates().expect("a certificate")[0].to_vec()
    };
    let mut open = server.client();
    assert_eq!(shown(), first.2);

    // The key of one with the certificate of the other: the old pair stays, and it shows.
    mount(folder.path(), "two", &second.0, &first.1);
    eventually("the failure shows", || metrics.render(true).contains("reload_failed 1\n"));
    assert_eq!(shown(), first.2);
    mount(folder.path(), "three", "not a certificate", &second.1);
    assert_eq!(shown(), first.2);

    mount(folder.path(), "four", &second.0, &second.1);
    eventually("the new pair is used", || shown() == second.2);
    eventually("the failure is over", || metrics.render(true).contains("reload_failed 0\n"));
    // One reload, or two where the watcher met the second's certificate and key between two swaps.
    assert!(!metrics.render(true).contains("\nportcullis_certificate_reloads_total 0\n"));
    assert_eq!(open.post("/validate", &review("u", "default", false)).status, 200, "the old connection goes on");
    watching.stop();
}

#[test]
fn the_authorities_of_clients_change_with_their_file_and_a_torn_one_changes_nothing() {
    let (first, second) = (authority(), authority());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("client-ca.crt");
    let put = |text: &str| {
        fs::write(folder.path().join("next"), text).expect("a file");
        fs::rename(folder.path().join("next"), &file).expect("a swap");
    };
    put(&first.pem());
    let allowed = ClientFile { authority: file.clone(), names: vec!["apiserver".to_owned()] };
    let serving = || {
        let signed = signed(&first, "server", &["localhost"]);
        Identity::from_der(vec![signed.certificate.der().to_vec()], signed.key.serialize_der())
    };
    let metrics = Arc::new(Metrics::default());
    let tls = Arc::new(Tls::new(serving(), Some(allowed.load().expect("a readable file"))).expect("usable TLS"));
    let watching = Watching::start(allowed.watch(tls.clone(), metrics.clone(), Duration::from_millis(5)));
    let server = Setting { tls: Some((tls.clone(), first.pem())), ..Setting::default() }.start();
    let client_of = |authority: &Authority, name: &str| {
        let signed = signed(authority, name, &[]);
        Trust {
            identity: Some((signed.certificate.der().to_vec(), signed.key.serialize_der())),
            ..server.trust.clone()
        }
    };
    let (of_first, of_second) = (client_of(&first, "apiserver"), client_of(&second, "apiserver"));
    let lets_in = || [can_ask(&server, &of_first), can_ask(&server, &of_second), can_ask(&server, &server.trust)];
    assert_eq!(lets_in(), [true, false, false]);

    put("torn");
    eventually("the failure shows", || metrics.render(true).contains("client_authority_reload_failed 1\n"));
    assert_eq!(lets_in(), [true, false, false], "what the file held before stays in use");
    put(&format!("{}{}", first.pem(), second.pem()));
    eventually("both are let in", || lets_in() == [true, true, false]);
    assert!(metrics.render(true).contains("client_authority_reload_failed 0\n"));
    put(&second.pem());
    eventually("the first is let in no more", || lets_in() == [false, true, false]);

    // Another serving certificate leaves the clients as they are.
    tls.replace(serving()).expect("usable TLS");
    assert_eq!(lets_in(), [false, true, false]);
    assert!(!can_ask(&server, &client_of(&second, "somebody")), "the names go on to count");
    watching.stop();
}

/// Something that goes on in a thread of its own until it is stopped.
struct Watching {
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Watching {
    fn start(watch: impl Future<Output = ()> + Send + 'static) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = watch => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop, thread }
    }

    fn stop(self) {
        drop(self.stop);
        self.thread.join().expect("a watcher that does not panic");
    }
}

#[test]
fn without_a_certificate_nothing_is_served_and_the_first_one_is_used_at_once() {
    let (authority, tls) = (authority(), Arc::new(Tls::default()));
    let server = Setting { tls: Some((tls.clone(), authority.pem())), ..Setting::default() }.start();
    assert!(!can_ask(&server, &server.trust));
    let clients = || Clients { authorities: authority.pem().into_bytes(), names: Vec::new() };
    tls.replace_clients(clients()).expect("usable clients");
    assert!(!can_ask(&server, &server.trust));
    let serving = signed(&authority, "server", &["localhost"]);
    let identity = Identity::from_der(vec![serving.certificate.der().to_vec()], serving.key.serialize_der());
    tls.replace(identity).expect("usable TLS");
    let client = signed(&authority, "client", &[]);
    let identity = Some((client.certificate.der().to_vec(), client.key.serialize_der()));
    assert!(can_ask(&server, &Trust { identity, ..server.trust.clone() }));
    assert!(!can_ask(&server, &server.trust), "who may call was asked before there was anything to serve with");
}

#[test]
fn unusable_material_says_why() {
    let one = signed(&authority(), "one", &["localhost"]);
    let other = signed(&authority(), "other", &["localhost"]);
    let load = |certificate: &str, key: &str, clients: Option<&str>| {
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes())?;
        let clients = clients.map(|pem| Clients { authorities: pem.as_bytes().to_vec(), names: Vec::new() });
        Tls::new(identity, clients)
    };
    let (certificate, key) = (one.certificate.pem(), one.key.serialize_pem());
    let cases = [
        (load("", &key, None), "holds no certificate"),
        (load(&certificate, "", None), "holds no private key"),
        (load(&certificate, &other.key.serialize_pem(), None), "cannot be used"),
        (load(&certificate, &key, Some("")), "client CA file"),
        (load(&certificate, &key, Some("nonsense")), "client CA file"),
    ];
    for (result, part) in cases {
        let error = result.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
    assert!(load(&certificate, &key, Some(&certificate)).is_ok());
}
