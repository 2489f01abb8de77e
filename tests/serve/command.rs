//! The command itself, as a process: flags, the first log line, signals and the exit code.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, Trust, admin, eventually};
use crate::harness::review;

/// `portcullis serve` on free ports, in a folder of its own; killed when dropped.
struct Served {
    child: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
    admin: SocketAddr,
    trust: Trust,
    _folder: TempDir,
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).args(arguments);
    command.current_dir(folder.path()).env_remove("KUBERNETES_SERVICE_HOST").env_remove("RUST_LOG");
    command
}

fn start(files: &[(&str, &str)], arguments: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let command = command(&folder, arguments);
    start_as(command, folder, files)
}

fn start_as(mut command: Command, folder: TempDir, files: &[(&str, &str)]) -> Served {
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let first = line(&mut log);
    assert_eq!((&first["message"], &first["level"]), (&"listening".into(), &"INFO".into()), "{first}");
    let address = |name: &str| first[name].as_str().and_then(|text| text.parse().ok()).expect("an address");
    let authority = std::fs::read_to_string(first["ca"].as_str().expect("a path")).expect("the authority");
    let (reviews, admin) = (address("address"), address("admin_address"));
    Served { child, log, address: reviews, admin, trust: Trust::only(&authority), _folder: folder }
}

fn line(log: &mut BufReader<ChildStderr>) -> Value {
    let mut line = String::new();
    log.read_line(&mut line).expect("a log line");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

impl Served {
    fn client(&self) -> Client {
        Client::connect(self.address, &self.trust).expect("a connection")
    }

    #[expect(unsafe_code, reason = "a signal can be sent in no other way")]
    fn signal(&self, signal: i32) {
        let id = i32::try_from(self.child.id()).expect("a process");
        // SAFETY: the process is our child and has not been waited for, so that its id is its own.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(arguments: &[&str], cluster: bool) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(&folder, arguments);
    if cluster {
        command.env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    }
    let Output { status, stderr, .. } = command.output().expect("the program");
    assert_eq!(status.code(), Some(2));
    String::from_utf8(stderr).expect("text")
}

#[test]
fn alone_it_serves_restricted_and_logs_what_it_denies_without_the_object() {
    let mut served = start(&[], &[]);
    let body = String::from_utf8(review("the-uid", "anywhere", true)).expect("text");
    let body = body.replace("\"image\":\"i\"", "\"image\":\"i\",\"env\":[{\"name\":\"A\",\"value\":\"hush-hush\"}]");
    let answer = served.client().post("/validate", body.as_bytes()).json();
    assert_eq!(answer["response"]["allowed"], false);
    let logged = line(&mut served.log);
    assert_eq!(logged["uid"], "the-uid");
    assert_eq!((&logged["verdict"], &logged["code"]), (&"denied".into(), &403.into()));
    assert!(logged["micros"].is_u64() && !logged.to_string().contains("hush-hush"), "{logged}");
    assert_eq!(admin(served.admin, "/readyz").0, 200);
    assert!(admin(served.admin, "/metrics").1.contains("portcullis_certificate_expiry_timestamp_seconds 1"));
}

#[test]
fn a_namespace_that_the_file_lacks_cannot_be_looked_up() {
    let namespaces = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: open\n  labels:\n    pod-security.kubernetes.io/enforce: privileged\n";
    let served = start(&[("namespaces.yaml", namespaces)], &["--namespaces", "namespaces.yaml"]);
    let mut client = served.client();
    assert_eq!(client.post("/validate", &review("u", "open", true)).json()["response"]["allowed"], true);
    let missing = client.post("/validate", &review("u", "missing", false)).json();
    assert_eq!(missing["response"]["status"]["code"], 500, "{missing}");
}

#[test]
fn audit_mode_denies_nothing_and_logs_every_denial_that_it_did_not_carry_out() {
    let mut served = start(&[], &["--mode", "audit", "--log-allowed-every", "0", "--threads", "1"]);
    let answer = served.client().post("/validate", &review("the-uid", "anywhere", true)).json();
    assert_eq!(answer["response"]["allowed"], true);
    assert!(answer["response"]["warnings"][0].as_str().is_some_and(|text| text.starts_with("would be denied")));
    let logged = line(&mut served.log);
    assert_eq!((&logged["uid"], &logged["verdict"]), (&"the-uid".into(), &"would-deny".into()));
    assert_eq!(logged["denial"], answer["response"]["auditAnnotations"]["would-deny"]);
}

#[test]
fn every_allowed_review_can_be_logged() {
    let mut served = start(&[], &["--log-allowed-every", "1", "--threads", "1"]);
    let answer = served.client().post("/validate", &review("the-uid", "anywhere", false)).json();
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    let logged = line(&mut served.log);
    assert_eq!((&logged["uid"], &logged["verdict"]), (&"the-uid".into(), &"allowed".into()));
}

#[test]
fn a_pod_that_has_no_name_yet_is_logged_by_the_beginning_and_its_decision_is_counted() {
    let policy = "\
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: mesh}
spec: {mode: Always, add: {containers: [{container: {name: c, image: proxy}}]}}
";
    let mut served = start(&[("policy.yaml", policy)], &["--policies", "policy.yaml"]);
    let body = String::from_utf8(review("the-uid", "anywhere", false)).expect("text");
    let body = body.replace(r#""metadata":{"name":"p"}"#, r#""metadata":{"generateName":"web-"}"#);
    let body = body.replace(r#""name":"p","namespace""#, r#""namespace""#);
    let answer = served.client().post("/mutate", body.as_bytes()).json();
    assert_eq!(answer["response"]["allowed"], false, "{answer}");
    let logged = line(&mut served.log);
    assert_eq!((&logged["uid"], &logged["name"]), (&"the-uid".into(), &"web-*".into()));
    assert!(logged["denial"].as_str().is_some_and(|text| text.ends_with("(container_name_taken)")), "{logged}");
    let text = admin(served.admin, "/metrics").1;
    let counted = |reason: &str, outcome: &str| {
        let labels = format!("document=\"SidecarInjection/mesh\",reason=\"{reason}\",outcome=\"{outcome}\"");
        text.contains(&format!("\nportcullis_mutation_decisions_total{{{labels}}} 1\n"))
    };
    assert!(counted("always", "noted") && counted("container_name_taken", "denied"), "{text}");
    assert!(text.contains("\nportcullis_documents 1\n"), "{text}");
}

#[test]
fn the_first_signal_drains_and_ends_well() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut served = start(&[], &[]);
        let mut idle = served.client();
        assert_eq!(idle.post("/validate", &review("u", "a", false)).status, 200);
        served.signal(signal);
        assert!(idle.is_closed());
        assert_eq!(served.child.wait().expect("its end").code(), Some(0));
        let mut rest = String::new();
        served.log.read_to_string(&mut rest).expect("its log");
        assert!(rest.lines().last().is_some_and(|line| line.contains("\"stopped\"")), "{rest}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut served = start(&[], &["--drain-delay", "3600s"]);
    served.signal(libc::SIGTERM);
    eventually("not ready", || admin(served.admin, "/readyz").0 == 503);
    assert_eq!(served.client().post("/validate", &review("u", "a", false)).status, 200);
    served.signal(libc::SIGTERM);
    assert_eq!(served.child.wait().expect("its end").code(), Some(0));
}

#[test]
fn without_file_descriptors_it_rests_and_goes_on_when_there_are_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = command(&folder, &["--threads", "1"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 24; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(folder.path()).env_remove("KUBERNETES_SERVICE_HOST").env_remove("RUST_LOG");
    let mut served = start_as(limited, folder, &[]);
    let many: Vec<_> = (0..40).map(|_| TcpStream::connect(served.address).expect("a connection")).collect();
    let logged = line(&mut served.log);
    assert_eq!(logged["message"], "cannot accept a connection; trying again", "{logged}");
    drop(many);
    assert_eq!(served.client().post("/validate", &review("u", "a", false)).status, 200);
    let text = admin(served.admin, "/metrics").1;
    assert!(!text.contains("\nportcullis_accept_errors_total 0\n"), "{text}");
}

#[test]
fn in_a_cluster_it_does_not_start_without_a_way_to_the_api_server() {
    let text = refused(&[], true);
    assert!(text.contains("service account cannot be used") && text.contains("--kubeconfig FILE"), "{text}");
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_served() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("none/ca.crt").display().to_string();
    let cases: [(&[&str], &str); 14] = [
        (&["--write-ca", &nowhere], "--write-ca"),
        (&["--tls-san", "a b"], "neither a DNS name nor an IP address"),
        (&["--tls-cert-file", "a.crt"], "--tls-private-key-file"),
        (&["--tls-cert-file", "a.crt", "--tls-private-key-file", "a.key"], "a.crt: No such file"),
        (&["--client-ca-file", "ca.crt"], "--client-ca-file: ca.crt: No such file"),
        (&["--certificates", "kept"], "--kubeconfig FILE"),
        (&["--certificates", "given"], "--certificate-secret NAME"),
        (&["--certificates", "files"], "--tls-private-key-file FILE"),
        (&["--leaf-lifetime", "90"], "such as 90d"),
        (&["--config", "none.yaml"], "none.yaml"),
        (&["--namespaces", "none.yaml"], "none.yaml"),
        (&["--kubeconfig", "none.yaml"], "none.yaml"),
        (&["--kubeconfig", "a", "--namespaces", "b"], "cannot be used with"),
        (&["--drain-delay", "soon"], "such as 10s"),
    ];
    for (arguments, part) in cases {
        let text = refused(arguments, false);
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["serve", "--listen", &address, "--admin-listen", "127.0.0.1:0"]).current_dir(folder.path());
    let output = command.env_remove("KUBERNETES_SERVICE_HOST").output().expect("the program");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains(&address) && text.contains("--listen"), "{text}");
}
