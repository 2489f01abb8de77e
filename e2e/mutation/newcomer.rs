//! What the pages tell a newcomer to type is typed, to the letter: one YAML file, and a Deployment that ran before has the shipper.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::harness::{Api, until};
use crate::stage::{SOON, Stage, container, items, names, pods, with_stage};

#[test]
fn the_guide_leads_from_one_file_to_a_shipper_in_a_deployment_that_ran_before() -> Result<()> {
    with_stage(|stage| {
        let page = page("docs/mutation.md")?;
        let folder = tempfile::tempdir()?;
        let deployment = fence(&page, "yaml")?;
        fs::write(folder.path().join("policy.yaml"), fence(&page, "yaml policy")?)?;
        fs::write(folder.path().join("shop.yaml"), &deployment)?;
        let mut api = stage.plane.connect()?;
        shop(&mut api)?;
        run_before(stage, &without_label(&deployment))?;
        let first = until_pod_of(&mut api, |_| true)?;
        assert_eq!(names(&first, "initContainers"), Vec::<&str>::new());

        let mut said = String::new();
        for commands in commands(&page) {
            said.push_str(&typed(stage, folder.path(), &commands)?);
            if commands.contains("rollout restart") {
                // What the page shows last is there a moment later.
                let renewed = until_pod_of(&mut api, |pod| pod["metadata"]["name"] != first["metadata"]["name"])?;
                assert_has_shipper(&renewed, "shipper", "app-logs", "/var/log/app");
            }
        }
        ensure!(said.contains("deployment.apps/shop patched"), "{said}");
        let asking = |pod: &Value| pod["metadata"]["labels"]["logs.example.com/inject"] == "true";
        assert_has_shipper(&until_pod_of(&mut api, asking)?, "shipper", "app-logs", "/var/log/app");
        api.delete("/apis/apps/v1/namespaces/default/deployments/shop")?.done()?;
        leave(stage)
    })
}

#[test]
fn every_ready_made_page_says_how_to_turn_it_on_and_the_log_shippers_leads_to_its_goal() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        shop(&mut api)?;
        stage.plane.create_namespace("stations", &[])?;
        for node in ["station-7", "gpu-1"] {
            api.post("/api/v1/nodes", &json!({"metadata": {"name": node}}))?.done()?;
        }
        run_before(stage, &without_label(&fence(&page("docs/mutation.md")?, "yaml")?))?;
        let first = until_pod_of(&mut api, |_| true)?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shipping = page("docs/policies/log-shipper.md")?;
        for commands in commands(&shipping) {
            typed(stage, root, &commands)?;
        }
        let renewed = until_pod_of(&mut api, |pod| pod["metadata"]["name"] != first["metadata"]["name"])?;
        assert_has_shipper(&renewed, "log-shipper", "log-shipper-logs", "/var/log/app");
        let mut turned_on = 0;
        for entry in fs::read_dir(root.join("docs/policies"))? {
            let page = fs::read_to_string(entry?.path())?;
            // kubectl refuses to restart a Deployment twice within a second.
            for commands in commands(&page).into_iter().filter(|_| page != shipping) {
                typed(stage, root, &commands)?;
                turned_on += 1;
            }
        }
        ensure!(turned_on >= 9, "only {turned_on}");
        for node in ["station-7", "gpu-1"] {
            api.delete(&format!("/api/v1/nodes/{node}"))?.done()?;
        }
        leave(stage)
    })
}

fn assert_has_shipper(pod: &Value, name: &str, volume: &str, folder: &str) {
    assert_eq!(names(pod, "initContainers"), [name], "{pod}");
    assert_eq!(container(pod, name)["restartPolicy"], "Always");
    assert!(names(pod, "volumes").contains(&volume), "{pod}");
    for container in [container(pod, name), container(pod, "app")] {
        let mut mounts = container["volumeMounts"].as_array().into_iter().flatten();
        assert!(mounts.any(|mount| mount["name"] == volume && mount["mountPath"] == folder), "{container}");
    }
    assert_eq!(items(pod, "containers").count(), 1);
}

fn page(name: &str) -> Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).with_context(|| name.to_owned())
}

/// The first fence of this kind.
fn fence(page: &str, info: &str) -> Result<String> {
    let begin = format!("\n```{info}\n");
    let (_, rest) = page.split_once(&begin).with_context(|| format!("no fence of {info}"))?;
    Ok(rest.split("\n```").next().unwrap_or_default().to_owned() + "\n")
}

/// What is to be typed, a fence at a time.
fn commands(page: &str) -> Vec<String> {
    let fences = page.split("\n```sh\n").skip(1);
    fences.filter_map(|rest| rest.split("\n```").next()).map(str::to_owned).collect()
}

/// The Deployment as it was before anybody had heard of the shipper.
fn without_label(deployment: &str) -> String {
    let lines = deployment.lines().filter(|line| !line.contains("logs.example.com/inject"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn run_before(stage: &Stage, deployment: &str) -> Result<()> {
    let said = stage.plane.kubectl()?.run_with_input(&["--namespace=shop", "apply", "-f", "-"], deployment)?;
    ensure!(said.succeeded, "{}", said.stderr);
    Ok(())
}

/// Types commands into a shell in which kubectl and portcullis are at hand.
fn typed(stage: &Stage, folder: &Path, commands: &str) -> Result<String> {
    let kubectl = stage.plane.kubectl()?;
    let mut places: Vec<PathBuf> = [kubectl.program(), Path::new(env!("CARGO_BIN_EXE_portcullis"))]
        .iter()
        .filter_map(|program| program.parent().map(Path::to_owned))
        .collect();
    places.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let output = Command::new("sh")
        .args(["-e", "-c", commands])
        .current_dir(folder)
        .env("PATH", env::join_paths(places)?)
        .env("KUBECONFIG", &stage.plane.api_servers[0].kubeconfig)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{commands}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

fn until_pod_of(api: &mut Api, is_meant: impl Fn(&Value) -> bool) -> Result<Value> {
    let path = format!("{}?labelSelector=app%3Dshop", pods("shop"));
    until(SOON, || {
        let found = api.get(&path)?.done()?;
        let mut pods = found["items"].as_array().into_iter().flatten();
        Ok(pods.find(|pod| is_meant(pod)).cloned())
    })
    .context("no such pod of the Deployment")
}

/// The namespace of the pages. What the test before has just taken back delays the next registration by a moment, which nobody has to
/// wait for who types.
fn shop(api: &mut Api) -> Result<()> {
    let made = api.post("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}))?;
    ensure!([201, 409].contains(&made.status), "{}", made.body);
    sleep(Duration::from_secs(2));
    let account = "/api/v1/namespaces/shop/serviceaccounts/default";
    until(SOON, || Ok((api.get(account)?.status == 200).then_some(())))
}

/// Nothing of the newcomer is left for other tests.
fn leave(stage: &Stage) -> Result<()> {
    stage.clear()?;
    stage.plane.kubectl()?.done(&["delete", "deployment", "shop", "--namespace=shop"])?;
    let mut api = stage.plane.connect()?;
    let found = api.get("/api/v1/namespaces/shop")?.done()?;
    let labels = found["metadata"]["labels"].as_object().into_iter().flatten();
    let gone: Map<String, Value> = labels
        .filter(|(key, _)| *key != "kubernetes.io/metadata.name")
        .map(|(key, _)| (key.clone(), Value::Null))
        .collect();
    api.merge("/api/v1/namespaces/shop", &json!({"metadata": {"labels": gone}}))?.done()?;
    let path = format!("{}?labelSelector=app%3Dshop", pods("shop"));
    until(SOON, || Ok(api.get(&path)?.done()?["items"].as_array().is_none_or(Vec::is_empty).then_some(())))
        .context("pods stay")
}
