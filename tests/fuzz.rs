//! A bounded smoke of the fuzzed invariants: real inputs, cut, spliced and bent by a small seeded generator.

#[path = "../fuzz/invariants.rs"]
mod invariants;

use std::fs;
use std::path::Path;

const ROUNDS: usize = 4000;

#[test]
fn decoding_agrees_with_stock_serde_json() {
    let objects = seeds("json").into_iter().map(|text| {
        let review: serde_json::Value = serde_json::from_slice(&text).expect("a seed that is JSON");
        review["request"]["object"].to_string().into_bytes()
    });
    bend(&objects.collect::<Vec<_>>(), invariants::decoding_agrees);
}

#[test]
fn every_review_is_answered_or_refused() {
    bend(&seeds("json"), invariants::a_review_is_answered);
}

#[test]
fn every_manifest_is_read_or_refused() {
    bend(&seeds("yaml"), invariants::a_manifest_is_read);
}

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

fn bend(seeds: &[Vec<u8>], invariant: fn(&[u8])) {
    let mut random = Random(0x5eed);
    for seed in seeds {
        invariant(seed);
        for _ in 0..ROUNDS / seeds.len() {
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
