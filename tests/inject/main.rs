//! `portcullis inject` and `portcullis uninject`, the program itself: manifests in, the same manifests with sidecars out, and back.

mod facts;
mod kinds;
mod reasons;
mod refusals;
mod requests;
mod reverse;
mod review;
mod texts;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis::manifest::{Documents, parse};
use serde_json::Value;
use tempfile::TempDir;

/// A sidecar with all that goes with it, for pods and namespaces that say yes.
const MESH: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: mesh}
spec:
  enablement: {podLabels: [mesh/inject], namespaceLabels: [mesh/inject]}
  add:
    containers:
    - container: {name: proxy, image: "proxy:1", args: ["-v", "yes"], volumeMounts: [{name: logs, mountPath: /logs}]}
    volumes:
    - volume: {name: logs, emptyDir: {}}
    probeRewrite: {container: proxy, port: 15020, path: "/app/{container}/{probe}", variable: PROBES}
    patchContainers:
    - env: [{name: PROXY, value: "http://127.0.0.1:15001"}]
      mounts: [{mount: {name: logs, mountPath: /var/log/app}}]
    pod:
      labels: {mesh/version: "1"}
      terminationGracePeriodAtLeast: 45
"#;

/// A Deployment that says yes, with comments wherever they may stand.
const DEPLOYMENT: &str = r#"# my shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # the web
spec:
  selector: {matchLabels: {app: 'web'}}
  template:
    metadata:
      labels:
        app: "web" # keep
        mesh/inject: 'true'
    spec:
      # only one
      containers:
        # of these
        - name: web
          image: nginx:1.29   # pinned
          livenessProbe:
            httpGet: {path: /ready, port: 80}  # alive?
          readinessProbe:
            tcpSocket:
              port: 80
      # the end
"#;

/// What the program did.
struct Ran {
    code: i32,
    output: String,
    errors: String,
}

/// A folder with these files, and `mesh.yaml`.
fn folder<B: AsRef<[u8]>>(files: &[(&str, B)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.yaml"), MESH).expect("a file");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// The program in this folder, with this on its standard input.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(folder).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let text = input.to_owned();
    // A program that refuses its arguments does not read.
    let writer = std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("a code"), output: text(output.stdout), errors: text(output.stderr) }
}

/// `command - --policies mesh.yaml` on this text, which must go without a word.
fn piped(command: &str, text: &str) -> String {
    let folder = folder::<&str>(&[]);
    let ran = run(folder.path(), &[command, "-", "--policies", "mesh.yaml"], text);
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{text}");
    ran.output
}

/// Every document of a text as JSON.
fn trees(text: &str) -> Vec<Value> {
    let tree = |document| {
        let mut json = Vec::new();
        parse(&document).expect("a document").write_json(&mut json);
        serde_json::from_slice(&json).expect("JSON")
    };
    Documents::new(text.as_bytes()).map(|document| tree(document.expect("a document"))).collect()
}

/// The names of the elements of a list.
fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|element| element["name"].as_str().expect("a name")).collect()
}
