//! The container image: what is in it, and that its root file system runs as a pod would run it.
//!
//! Not a part of `make test`, because it needs a release build, and root or user namespaces: `make image-test`. The program
//! finds the cluster by itself, with the files and variables that a kubelet gives to a pod, and nothing else is there.

mod harness;
#[path = "installation/running.rs"]
#[allow(dead_code, reason = "the installation uses the rest of it")]
mod running;
#[path = "installation/stage.rs"]
#[allow(dead_code, reason = "the installation uses the rest of it")]
mod stage;

use anyhow::{Context, Result, ensure};
use harness::{Process, answers_200, free_port, until};
use serde_json::Value;
use stage::{Stage, objects, render, stage};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const RELEASE: &str = "portcullis";
const NAMESPACE: &str = "portcullis-system";

#[test]
fn every_part_is_what_the_part_above_it_says() -> Result<()> {
    let layout = unpacked(&archive()?)?;
    let index: Value = read(&layout.path().join("index.json"))?;
    let manifest: Value = serde_json::from_str(&blob(layout.path(), &index["manifests"][0])?)?;
    let config: Value = serde_json::from_str(&blob(layout.path(), &manifest["config"])?)?;
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/portcullis"]));
    let layers = manifest["layers"].as_array().context("no layers")?;
    assert_eq!(layers.len(), 1);
    let layer = path_of(layout.path(), &layers[0])?;
    let uncompressed = Command::new("sh").args(["-c", "gzip -dc \"$0\" | sha256sum"]).arg(&layer).output()?;
    let sum = String::from_utf8(uncompressed.stdout)?;
    let expected = config["rootfs"]["diff_ids"][0].as_str().and_then(|text| text.strip_prefix("sha256:"));
    assert_eq!(sum.split(' ').next(), expected);
    Ok(())
}

#[test]
fn the_containerfile_makes_the_same_image() -> Result<()> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/image/Containerfile"))?;
    let instructions: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let expected = [
        "FROM scratch",
        "COPY root/portcullis /portcullis",
        "USER 65532:65532",
        "EXPOSE 8443 8444",
        "ENTRYPOINT [\"/portcullis\"]",
    ];
    assert_eq!(instructions, expected);
    Ok(())
}

#[test]
fn its_root_file_system_runs_with_what_a_kubelet_gives_to_a_pod() -> Result<()> {
    let stage = stage()?;
    let text = render(&["--release", RELEASE, "--namespace", NAMESPACE])?;
    stage.plane.kubectl()?.apply(&text)?;
    let root = root(&stage)?;
    let files: Vec<_> = fs::read_dir(&root)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    assert_eq!(files, ["portcullis"], "the program and nothing else");
    mount_service_account(&stage, &root)?;

    let objects = objects(&text)?;
    let deployment = objects.values().find(|object| object["kind"] == "Deployment").context("no Deployment")?;
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments = arguments.as_array().context("no args")?.iter().filter_map(Value::as_str);
    let (address, admin) = (running::service_address(&stage, RELEASE, NAMESPACE)?, free_port(Ipv4Addr::LOCALHOST)?);
    let server = stage.plane.api_servers[0].address;
    let mut command = in_root(&root)?;
    command
        .arg("/portcullis")
        .args(arguments)
        .args([format!("--listen={address}"), format!("--admin-listen={admin}"), "--drain-delay=0s".to_owned()])
        .arg(format!("--service-port={}", address.port()))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // for chroot
        .env("KUBERNETES_SERVICE_HOST", server.ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", server.port().to_string());
    let log = stage.folder("image")?.join("portcullis.log");
    let process = Process::start("the image", &log, command)?;
    let process = process.ready(Duration::from_secs(30), || answers_200(admin, "/readyz"))?;
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid()))?;
    if is_root() {
        assert!(status.contains("\nUid:\t65532\t65532\t65532\t65532\n"), "{status}");
    }
    assert!(running::metric(admin, "portcullis_namespaces")? >= 4.0, "it has listed the namespaces");
    let registered = "portcullis_registered{configuration=\"validating\"}";
    until(Duration::from_secs(30), || Ok((running::metric(admin, registered)? > 0.0).then_some(())))?;
    Ok(())
}

/// What `make image` has built.
fn archive() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image");
    let entries = fs::read_dir(&folder).context("there is no image; `make image` builds one")?;
    let mut archives = entries.filter_map(|entry| Some(entry.ok()?.path()));
    archives
        .find(|path| path.to_string_lossy().ends_with(".oci.tar"))
        .context("there is no image; `make image` builds one")
}

fn unpacked(archive: &Path) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    extract(archive, folder.path())?;
    Ok(folder)
}

/// The image's file system, in a folder.
fn root(stage: &Stage) -> Result<PathBuf> {
    let layout = unpacked(&archive()?)?;
    let index: Value = read(&layout.path().join("index.json"))?;
    let manifest: Value = serde_json::from_str(&blob(layout.path(), &index["manifests"][0])?)?;
    let root = stage.folder("root")?;
    extract(&path_of(layout.path(), &manifest["layers"][0])?, &root)?;
    Ok(root)
}

fn extract(archive: &Path, folder: &Path) -> Result<()> {
    let status = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(folder).status()?;
    ensure!(status.success(), "tar cannot read {}", archive.display());
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

fn blob(layout: &Path, descriptor: &Value) -> Result<String> {
    Ok(fs::read_to_string(path_of(layout, descriptor)?)?)
}

/// Where the content is that a descriptor names; its size and its digest are as it says.
fn path_of(layout: &Path, descriptor: &Value) -> Result<PathBuf> {
    let digest = descriptor["digest"].as_str().and_then(|text| text.strip_prefix("sha256:")).context("no digest")?;
    let path = layout.join("blobs/sha256").join(digest);
    assert_eq!(Some(fs::metadata(&path)?.len()), descriptor["size"].as_u64());
    let sum = Command::new("sha256sum").arg(&path).output()?;
    assert!(String::from_utf8(sum.stdout)?.starts_with(digest), "{digest} is the digest of something else");
    Ok(path)
}

/// The three files that a kubelet mounts for a pod's service account.
fn mount_service_account(stage: &Stage, root: &Path) -> Result<()> {
    let folder = root.join("var/run/secrets/kubernetes.io/serviceaccount");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("token"), running::token(stage, RELEASE, NAMESPACE)?)?;
    fs::write(folder.join("namespace"), NAMESPACE)?;
    fs::copy(stage.plane.authority(), folder.join("ca.crt"))?;
    Ok(())
}

/// The start of a command in the root file system: as the image's user where we are root, else as root of a user namespace.
fn in_root(root: &Path) -> Result<Command> {
    let mut command = Command::new(if is_root() { "chroot" } else { "unshare" });
    if is_root() {
        command.arg("--userspec=65532:65532");
    } else {
        command.args(["--user", "--map-root-user", "chroot"]);
    }
    command.arg(root);
    Ok(command)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n")
}
