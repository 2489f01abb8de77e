//! The pages of the ready-made documents, and the guide: what they show is what the program prints.
//!
//! A page gives its examples as fences. `yaml` is an input, called `shop.yaml`; `yaml namespaces` and `yaml policy` are what holds for
//! the inputs after it, the latter instead of the page's own policy. What follows an input is what the program says of it:
//!
//! - `yaml injected`: what `portcullis inject` prints;
//! - `diff`: what it prints with `--diff`;
//! - `text told`: what it says besides; `text explained`: the same with `--explain`.
//!
//! Commands for people to type (`sh`) are not run.
//!
//! An input whose section says "passes the restricted standard" is checked to do so when it is injected. `UPDATE_PAGES=1` writes
//! today's answers into the pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const POLICIES: [&str; 10] = [
    "adapter",
    "ambassador",
    "edge",
    "gpu",
    "guaranteed-qos",
    "log-shipper",
    "mesh-proxy",
    "resource-defaults",
    "restricted-defaults",
    "wait-for",
];

/// The fences that show an answer.
const ANSWERS: [&str; 4] = ["yaml injected", "diff", "text told", "text explained"];

const RESTRICTED_NAMESPACE: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: default
  labels:
    pod-security.kubernetes.io/enforce: restricted
";

const PASSES: &str = "passes the restricted standard";

#[test]
fn every_page_shows_what_the_program_prints() {
    let mut failures = String::new();
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        let examples = examples(&path, &text);
        assert!(!examples.is_empty(), "{}: no example", path.display());
        if std::env::var_os("UPDATE_PAGES").is_some() {
            rewrite(&path, &text, &examples);
            continue;
        }
        for Example { shown, run } in &examples {
            let printed = run.prints(&shown.info);
            if printed != shown.text {
                let (place, info) = (format!("{}:{}", path.display(), shown.line), &shown.info);
                failures.push_str(&format!("\n{place} ({info}) shows\n{}\nbut this is printed\n{printed}", shown.text));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn injecting_twice_changes_nothing() {
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        let inputs = inputs(&path, &text);
        assert!(!inputs.is_empty(), "{}: no input", path.display());
        for input in inputs {
            let everything = Run { policy: Policy::File(root().join("policies")), ..input.clone() };
            for run in [input, everything] {
                let once = run.prints("yaml injected");
                let twice = Run { input: once.clone(), ..run }.prints("yaml injected");
                assert_eq!(once, twice, "{}", path.display());
            }
        }
    }
}

#[test]
fn what_was_injected_can_be_taken_back() {
    let mut taken_back = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        for run in inputs(&path, &text) {
            let injected = run.prints("yaml injected");
            if meant(&injected) == meant(&run.input) {
                continue;
            }
            let back = Run { input: injected, namespaces: None, ..run.clone() }.output("uninject", &[]).stdout;
            assert_eq!(meant(str::from_utf8(&back).expect("text")), meant(&run.input), "{}", path.display());
            taken_back += 1;
        }
    }
    assert!(taken_back >= 12, "only {taken_back}");
}

#[test]
fn what_a_page_says_passes_the_restricted_standard_does() {
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        for input in inputs(&path, &text).iter().filter(|input| input.passes) {
            assert_restricted(&input.prints("yaml injected"), &path.display().to_string());
            checked += 1;
        }
    }
    assert!(checked >= 5, "only {checked} inputs are said to pass");
}

#[test]
fn the_mesh_proxy_alone_is_allowed_where_the_restricted_standard_is_enforced() {
    let policy = fs::read_to_string(root().join("policies/mesh-proxy/policy.yaml")).expect("a policy");
    let (head, rest) = policy.split_once("    initContainers:\n").expect("init containers");
    let (_, tail) = rest.split_once("    containers:\n").expect("containers");
    let run = Run {
        policy: Policy::Text(format!("{head}    containers:\n{tail}")),
        namespaces: Some(RESTRICTED_NAMESPACE.to_owned()),
        input: fs::read_to_string(root().join("docs/examples/shop.yaml"))
            .expect("an example")
            .replace("logs.portcullis.dev/inject", "mesh.portcullis.dev/inject"),
        passes: true,
    };
    let injected = run.prints("yaml injected");
    assert!(injected.contains("name: mesh-proxy\n") && !injected.contains("name: mesh-init\n"), "{injected}");
    assert_restricted(&injected, "mesh-proxy");
}

#[test]
fn the_documents_work_together() {
    let mut input = fs::read_to_string(root().join("docs/examples/shop.yaml")).expect("an example");
    let label = "logs.portcullis.dev/inject: \"true\"";
    let further =
        ["metrics", "database", "wait-for", "mesh"].map(|name| format!("{name}.portcullis.dev/inject: \"true\""));
    let labels = format!("{label}\n        {}\n        qos.portcullis.dev/priority: high", further.join("\n        "));
    input = input.replace(label, &labels);
    let run = Run { policy: Policy::File(root().join("policies")), namespaces: None, input, passes: false };
    let injected = run.prints("yaml injected");
    let order = ["mesh-init", "mesh-proxy", "database-proxy", "metrics-adapter", "log-shipper", "wait-for"];
    let places: Vec<_> = order.iter().map(|name| injected.find(&format!(" name: {name}\n")).expect(name)).collect();
    assert!(places.is_sorted(), "{injected}");
    let count = |text: &str| injected.matches(text).count();
    assert_eq!((count("requests:"), count("limits:")), (7, 7), "Guaranteed, all of it: {injected}");
}

#[test]
fn each_policy_has_a_page_and_each_page_a_policy() {
    let named = |folder: &str, file: fn(&Path) -> bool| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut names: Vec<String> = entries
            .filter(|path| file(path))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(named("policies", |path| path.join("policy.yaml").exists()), POLICIES);
    assert_eq!(named("docs/policies", |path| path.is_file()), POLICIES);
    for (name, path) in POLICIES.iter().zip(pages()) {
        let text = fs::read_to_string(path).expect("a page");
        assert!(text.starts_with(&format!("# {name}\n")), "{name}: another title");
        assert!(text.contains("\n## Turn it on\n"), "{name}: does not say how to turn it on");
        assert!(text.contains(&format!("kubectl apply -f policies/{name}/policy.yaml")), "{name}: not how to apply it");
        let guide = fs::read_to_string(root().join("docs/mutation.md")).expect("the guide");
        assert!(guide.contains(&format!("[{name}](policies/{name}.md)")), "docs/mutation.md: no link to {name}");
    }
}

#[test]
fn every_image_of_a_policy_is_one_that_nobody_can_pull_by_mistake() {
    let mut images = 0;
    for name in POLICIES {
        let text = fs::read_to_string(root().join("policies").join(name).join("policy.yaml")).expect("a policy");
        for line in text.lines().filter(|line| line.trim_start().starts_with("image:")) {
            assert!(line.contains(" registry.example.com/") && line.ends_with(" # yours"), "{name}: {line}");
            images += 1;
        }
    }
    assert!(images > 4, "only {images}");
}

fn assert_restricted(manifest: &str, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("shop.yaml"), manifest).expect("written");
    let output = program(folder.path(), &["check", "--level", "restricted", "shop.yaml"]);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
}

/// What a manifest means, however it is spelled.
fn meant(manifest: &str) -> String {
    let node = portcullis::manifest::parse(&portcullis::manifest::DocumentText::new(manifest)).expect("YAML");
    let mut json = Vec::new();
    node.write_json(&mut json);
    serde_json::from_slice::<serde_json::Value>(&json).expect("JSON").to_string()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A page for each of [`POLICIES`], in that order; then the guide.
fn pages() -> Vec<PathBuf> {
    let pages = POLICIES.iter().map(|name| root().join(format!("docs/policies/{name}.md")));
    pages.chain([root().join("docs/mutation.md")]).collect()
}

/// A fence that shows an answer, and how that answer comes about.
struct Example {
    shown: Fence,
    run: Run,
}

#[derive(Clone)]
enum Policy {
    File(PathBuf),
    Text(String),
}

/// One input with what holds for it.
#[derive(Clone)]
struct Run {
    policy: Policy,
    namespaces: Option<String>,
    input: String,
    /// Whether it is said to pass the restricted standard.
    passes: bool,
}

impl Run {
    /// What a fence of this info shows.
    fn prints(&self, info: &str) -> String {
        let output = match info {
            "diff" => self.output("inject", &["--diff"]),
            "text explained" => self.output("inject", &["--explain"]),
            _ => self.output("inject", &[]),
        };
        let answer = if info.starts_with("text") { output.stderr } else { output.stdout };
        String::from_utf8(answer).expect("text")
    }

    fn output(&self, command: &str, further: &[&str]) -> Output {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("shop.yaml", &self.input);
        let policy = match &self.policy {
            Policy::File(path) => path.to_string_lossy().into_owned(),
            Policy::Text(text) => {
                write("policy.yaml", text);
                "policy.yaml".to_owned()
            }
        };
        let mut arguments = vec![command, "shop.yaml", "--policies", &policy];
        if let Some(namespaces) = &self.namespaces {
            write("namespaces.yaml", namespaces);
            arguments.extend(["--namespaces", "namespaces.yaml"]);
        }
        arguments.extend(further);
        program(folder.path(), &arguments)
    }
}

fn program(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(arguments).current_dir(folder).output().expect("the program runs")
}

#[derive(Clone)]
struct Fence {
    info: String,
    text: String,
    /// Its first line within the page, from 1.
    line: usize,
    /// The prose of its section that stands before it.
    prose: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut prose = String::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
            let text = body.map(|line| format!("{line}\n")).collect();
            fences.push(Fence { info: info.to_owned(), text, line: number + 1, prose: prose.clone() });
        } else if line.starts_with('#') {
            prose.clear();
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    fences
}

fn examples(path: &Path, page: &str) -> Vec<Example> {
    runs(path, page).into_iter().filter(|example| ANSWERS.contains(&example.shown.info.as_str())).collect()
}

fn inputs(path: &Path, page: &str) -> Vec<Run> {
    let inputs = runs(path, page).into_iter().filter(|example| example.shown.info == "yaml");
    inputs.map(|example| example.run).collect()
}

/// Each fence with what holds there.
fn runs(path: &Path, page: &str) -> Vec<Example> {
    let name = path.file_stem().expect("a name");
    let policy = Policy::File(root().join("policies").join(name));
    let mut run = Run { policy, namespaces: None, input: String::new(), passes: false };
    let mut runs = Vec::new();
    for fence in fences(page) {
        run.follow(&fence);
        runs.push(Example { shown: fence, run: run.clone() });
    }
    runs
}

impl Run {
    fn follow(&mut self, fence: &Fence) {
        match fence.info.as_str() {
            "yaml" => {
                self.input = fence.text.clone();
                self.passes = fence.prose.contains(PASSES);
            }
            "yaml namespaces" => self.namespaces = Some(fence.text.clone()),
            "yaml policy" => self.policy = Policy::Text(fence.text.clone()),
            info => assert!(info == "sh" || ANSWERS.contains(&info), "a fence of {info:?}, which means nothing here"),
        }
    }
}

/// Writes today's answers into a page.
fn rewrite(path: &Path, page: &str, examples: &[Example]) {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    for Example { shown, run } in examples.iter().rev() {
        let start = shown.line - 1;
        let printed = run.prints(&shown.info);
        lines.splice(start..start + shown.text.lines().count(), printed.lines().map(str::to_owned));
    }
    fs::write(path, lines.join("\n") + "\n").expect("a page that can be written");
}
