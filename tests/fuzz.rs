//! A bounded smoke of the fuzzed invariants: real inputs, cut, spliced and bent by a small seeded generator.

#[path = "../fuzz/invariants.rs"]
mod invariants;
#[path = "../fuzz/mutation.rs"]
mod mutation;

use std::fs;
use std::path::Path;

const ROUNDS: usize = 4000;
const MUTATIONS: usize = 600;

#[test]
fn decoding_agrees_with_stock_serde_json() {
    let objects = seeds("json").into_iter().map(|text| {
        let review: serde_json::Value = serde_json::from_slice(&text).expect("a seed that is JSON");
        review["request"]["object"].to_string().into_bytes()
    });
    bend(&objects.collect::<Vec<_>>(), ROUNDS, invariants::decoding_agrees);
}

#[test]
fn every_review_is_answered_or_refused() {
    bend(&seeds("json"), ROUNDS, invariants::a_review_is_answered);
}

#[test]
fn every_manifest_is_read_or_refused() {
    bend(&seeds("yaml"), ROUNDS, invariants::a_manifest_is_read);
}

#[test]
fn every_pod_is_mutated_by_a_patch_that_applies_and_once() {
    let examples = seeds("json").into_iter().map(|text| {
        let review: serde_json::Value = serde_json::from_slice(&text).expect("a seed that is JSON");
        review["request"]["object"].to_string()
    });
    let seeds = examples.chain([RICH_POD.split_whitespace().collect::<String>()]);
    let with_value = |(index, pod): (usize, String)| format!("{pod}\n{}", VALUES[index % VALUES.len()]).into_bytes();
    bend(&seeds.enumerate().map(with_value).collect::<Vec<_>>(), MUTATIONS, mutation::a_pod_is_mutated);
}

/// Values of overrides that readers trip over.
const VALUES: [&str; 6] = ["300m", "1e99", "debug", "*a", "\"},{\"name\":\"evil", "-9223372036854775808"];

/// A pod that has something wherever documents look.
const RICH_POD: &str = r#"{"metadata": {"labels": {"team": "a"}, "annotations": {"portcullis.dev/applied": "{\"open\":{\"parts\":[\"c/app\"]}}"}},
  "spec": {"containers": [
    {"name": "app", "image": "app:1", "env": [{"name": "PATH", "value": "/bin"}, {"name": "FIRST", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
     "ports": [{"name": "web", "containerPort": 2020}, {"containerPort": 9102, "hostPort": 9102}], "resources": {"requests": {"cpu": "0.5"}, "limits": {"cpu": "1", "memory": "1e9"}},
     "livenessProbe": {"httpGet": {"path": "/a", "port": "web"}}, "lifecycle": {"preStop": {"httpGet": {"path": "/b", "port": 2020}}},
     "securityContext": {"runAsUser": 1000, "capabilities": {"add": ["NET_ADMIN"]}}, "volumeMounts": [{"name": "open", "mountPath": "/open/"}]},
    {"name": "open", "image": "auto"}],
   "initContainers": [{"name": "istio-proxy", "image": "p", "restartPolicy": "Always", "readinessProbe": {"grpc": {"port": 15021}}}, {"name": "setup", "image": "s"}],
   "volumes": [{"name": "open", "hostPath": {"path": "/a"}}], "tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 10,
   "securityContext": {"runAsNonRoot": true}, "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}}}}"#;

/// The examples of the documentation.
fn seeds(extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("examples").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let texts: Vec<Vec<u8>> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| fs::read(path).expect("a readable example"))
        .collect();
    assert!(!texts.is_empty(), "no examples with the extension {extension}");
    texts
}

fn bend(seeds: &[Vec<u8>], rounds: usize, invariant: fn(&[u8])) {
    let mut random = Random(0x5eed);
    for seed in seeds {
        invariant(seed);
        for _ in 0..rounds / seeds.len() {
            let mut text = seed.clone();
            for _ in 0..=random.below(4) {
                random.bend(&mut text);
            }
            invariant(&text);
        }
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    /// One small change: a byte, a cut, a repetition, or a token that readers trip over.
    fn bend(&mut self, text: &mut Vec<u8>) {
        const TOKENS: [&str; 22] = [
            "null",
            "true",
            "{}",
            "[]",
            "\"",
            "\\",
            "\\u0000",
            "1e999",
            "-0",
            "99999999999999999999",
            ":",
            "\t",
            "\r\n",
            "- ",
            "&a ",
            "*a",
            "<<: *a",
            "---\n",
            "|\n",
            "!!str ",
            "\u{feff}",
            "{{ .Values }}",
        ];
        let at = self.below(text.len() + 1);
        let end = (at + self.below(40)).min(text.len());
        match self.below(5) {
            0 if at < text.len() => text[at] = self.below(256) as u8,
            1 => drop(text.drain(at..end)),
            2 => {
                let again = text[at..end].to_vec();
                text.splice(at..at, again);
            }
            3 => text.truncate(at),
            _ => drop(text.splice(at..at, TOKENS[self.below(TOKENS.len())].bytes())),
        }
    }
}
