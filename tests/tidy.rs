//! Holds the sources against ARCHITECTURE.md and CONTRIBUTING.md: who may see whom, sizes, names, heads, links.
//!
//! It reads text and knows no Rust beyond paths and indentation. Each refusal says where, what and which document explains it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may see beside itself. `cli` sees everything, so it is not listed.
const ARROWS: [(&str, &[&str]); 9] = [
    ("engine", &[]),
    ("review", &["engine"]),
    ("manifest", &["engine"]),
    ("telemetry", &["engine"]),
    ("serve", &["review", "engine", "telemetry"]),
    ("report", &["engine", "manifest"]),
    ("certs", &["telemetry"]),
    ("cluster", &["engine", "report", "certs", "telemetry"]),
    ("main", &["cli"]),
];

/// Which crates the pure rooms may use.
const PURE: [(&str, &[&str]); 3] = [
    ("engine", &["serde", "serde_json", "serde_path_to_error", "json_patch", "schemars", "thiserror", "cel"]),
    ("review", &["serde", "serde_json", "base64_simd", "simdutf8", "thiserror"]),
    ("manifest", &["base64", "memchr", "serde", "serde_json", "saphyr_parser", "thiserror"]),
];

/// Crates whose types are one room's own business.
const OWNED: [(&str, &[&str]); 4] =
    [("anyhow", &["cli"]), ("clap", &["cli"]), ("hyper", &["serve"]), ("kube", &["cluster"])];

const MOST_LINES: usize = 500;
const MOST_LINES_OF_A_CHECK: usize = 200;
const MOST_LINES_OF_A_FUNCTION: usize = 80;
const VAGUE: [&str; 7] = ["utils", "util", "common", "helpers", "helper", "misc", "manager"];

#[test]
fn every_arrow_between_rooms_is_in_the_table() {
    let mut refusals = Vec::new();
    for file in sources(&["src"]) {
        let room = file.room();
        let allowed = ARROWS.iter().find(|(name, _)| *name == room).map(|(_, seen)| *seen);
        let Some(allowed) = allowed else { continue };
        for seen in file.rooms_seen() {
            if seen != room && !allowed.contains(&seen.as_str()) {
                refusals.push(format!("{}: {room} may not see {seen}", file.name()));
            }
        }
    }
    assert_tidy(&refusals, "ARCHITECTURE.md, \"Who may see whom\"");
}

#[test]
fn pure_rooms_use_pure_crates_and_owned_crates_stay_at_home() {
    let dependencies = dependencies();
    assert!(dependencies.contains("tokio") && dependencies.contains("serde_json"), "Cargo.toml is read wrong");
    let mut refusals = Vec::new();
    for file in sources(&["src"]) {
        let room = file.room();
        let pure = PURE.iter().find(|(name, _)| *name == room).map(|(_, crates)| *crates);
        for used in file.crates_used(&dependencies) {
            let is_impure = pure.is_some_and(|crates| !crates.contains(&used.as_str()));
            let is_away = OWNED.iter().any(|(name, homes)| *name == used && !homes.contains(&room.as_str()));
            if is_impure || is_away {
                refusals.push(format!("{}: {room} may not use the crate {used}", file.name()));
            }
        }
    }
    assert_tidy(&refusals, "ARCHITECTURE.md, \"Who may see whom\"");
}

#[test]
fn files_begin_with_what_they_are_and_stay_small() {
    let mut refusals = Vec::new();
    for file in sources(&["src", "tests", "benches", "e2e", "fuzz"]) {
        if !file.text.starts_with("//!") {
            refusals.push(format!("{}: does not begin with `//!`, what it is and what it keeps true", file.name()));
        }
        let most = if file.name().contains("pod_security/checks/") { MOST_LINES_OF_A_CHECK } else { MOST_LINES };
        let lines = file.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
        if lines > most {
            refusals.push(format!("{}: {lines} lines, at most {most} before its tests", file.name()));
        }
        for (line, name, length) in file.functions() {
            if length > MOST_LINES_OF_A_FUNCTION {
                refusals.push(format!(
                    "{}:{line}: fn {name} has {length} lines, at most {MOST_LINES_OF_A_FUNCTION}",
                    file.name()
                ));
            }
        }
        refusals.extend(
            file.text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.ends_with([' ', '\t']))
                .map(|(index, _)| format!("{}:{}: trailing blanks", file.name(), index + 1)),
        );
    }
    assert_tidy(&refusals, "CONTRIBUTING.md, \"Sizes\"");
}

#[test]
fn names_say_something() {
    let mut refusals = Vec::new();
    for file in sources(&["src", "tests", "benches", "e2e"]) {
        let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
        if VAGUE.contains(&stem.as_ref()) {
            refusals.push(format!("{}: a name that says nothing", file.name()));
        }
        for (line, name, _) in file.functions() {
            if name.starts_with("get_") || name.starts_with("test_") {
                refusals.push(format!("{}:{line}: fn {name}: leave the prefix out", file.name()));
            }
        }
        for (index, line) in file.text.lines().enumerate() {
            let attribute = line.trim_start();
            if attribute.starts_with("#[ignore") || attribute.starts_with("#[should_panic") {
                refusals.push(format!("{}:{}: {attribute}", file.name(), index + 1));
            }
        }
    }
    assert_tidy(&refusals, "CONTRIBUTING.md, \"Names\"");
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let rooms: BTreeSet<String> = sources(&["src"]).iter().map(Source::room).collect();
    let missing: Vec<String> = rooms
        .iter()
        .filter(|room| !map.contains(&format!("`{room}`")))
        .map(|room| format!("{room}: not in it"))
        .collect();
    assert_tidy(&missing, "ARCHITECTURE.md");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut refusals = Vec::new();
    for path in files(&root(), "md") {
        let text = fs::read_to_string(&path).expect("a readable document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let is_elsewhere = target.is_empty() || target.contains("://") || target.contains(' ');
            if !is_elsewhere && !path.parent().expect("a folder").join(target).exists() {
                refusals.push(format!("{}: {link} leads nowhere", short(&path)));
            }
        }
    }
    assert_tidy(&refusals, "the document itself");
}

#[test]
fn tests_that_documents_name_exist() {
    let mut refusals = Vec::new();
    let mut named = 0;
    for path in files(&root(), "md") {
        let text = fs::read_to_string(&path).expect("a readable document");
        // A code span such as `e2e/watch.rs::labels_that_are_changed_take_effect`.
        for (file, test) in text.split('`').filter_map(|span| span.split_once(".rs::")) {
            let file = format!("{file}.rs");
            let source = fs::read_to_string(root().join(&file)).unwrap_or_default();
            let is_there = source.split("#[test]").skip(1).any(|rest| {
                let declaration = rest.lines().map(str::trim_start).find(|line| line.starts_with("fn "));
                declaration.is_some_and(|line| line.starts_with(&format!("fn {test}(")))
            });
            named += 1;
            if !is_there {
                refusals.push(format!("{}: there is no test {test} in {file}", short(&path)));
            }
        }
    }
    assert!(named > 0, "no document names a test: they are read wrong");
    assert_tidy(&refusals, "the document itself");
}

/// The cases of mutation by their groups, and how many each has.
const CASES: [(char, usize); 9] =
    [('A', 12), ('B', 11), ('C', 10), ('D', 7), ('E', 10), ('F', 8), ('G', 8), ('H', 3), ('I', 5)];

#[test]
fn every_case_of_mutation_has_a_test_of_its_name() {
    let text = fs::read_to_string(root().join("docs/reference/mutation-cases.md")).expect("the cases");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(case, _)| case.ends_with(|last: char| last.is_ascii_digit()))
        .collect();
    let found: Vec<&str> = rows.iter().map(|(case, _)| *case).collect();
    let all = CASES.iter().flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}{number}")));
    assert_eq!(found, all.collect::<Vec<_>>());
    let is_named = |(case, row): &&(&str, &str)| row.contains(&format!(".rs::{}_", case.to_lowercase()));
    let unproved: Vec<_> = rows.iter().filter(|row| !is_named(row)).map(|(case, _)| *case).collect();
    assert_eq!(unproved, Vec::<&str>::new());
}

#[test]
fn every_threat_is_answered_with_a_test_or_a_reason() {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).expect("the threat model");
    let threats: Vec<&str> =
        text.split("\n### ").skip(1).map(|section| section.split("\n## ").next().unwrap_or(section)).collect();
    let numbers: Vec<String> =
        threats.iter().map(|threat| threat.split('.').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(numbers, (1..=18).map(|number| number.to_string()).collect::<Vec<_>>());
    let unanswered: Vec<&str> = threats
        .into_iter()
        .filter(|threat| !threat.contains(".rs::") && !threat.contains("**Reason.**"))
        .filter_map(|threat| threat.lines().next())
        .collect();
    assert_eq!(unanswered, Vec::<&str>::new());
}

#[test]
fn the_reader_of_paths_sees_every_way_to_name_a_room() {
    let text = "use crate::{serve::Backend, review};\nfn f() { super::super::telemetry::log() }\nuse super::json; // crate::cli";
    let file = Source { path: root().join("src/engine/object.rs"), text: text.to_owned() };
    assert_eq!(file.room(), "engine");
    assert_eq!(file.rooms_seen().into_iter().collect::<Vec<_>>(), ["review", "serve", "telemetry"]);
    let tokio = BTreeSet::from(["tokio".to_owned()]);
    let uses = |text: &str| Source { path: PathBuf::new(), text: text.to_owned() }.crates_used(&tokio).len();
    assert_eq!((uses("tokio::spawn(x)"), uses("my_tokio::spawn(x)"), uses("// tokio::spawn")), (1, 0, 0));
}

fn assert_tidy(refusals: &[String], explained: &str) {
    assert!(refusals.is_empty(), "\n{}\n(explained in {explained})\n", refusals.join("\n"));
}

/// A Rust file.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn name(&self) -> String {
        short(&self.path)
    }

    /// The modules that lead to the file: `src/engine/json/scan.rs` is `engine`, `json`, `scan`.
    fn modules(&self) -> Vec<String> {
        let below = self.path.strip_prefix(root().join("src")).unwrap_or(&self.path).with_extension("");
        let mut modules: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if modules.last().is_some_and(|last| last == "mod" || last == "lib") {
            modules.pop();
        }
        modules
    }

    fn room(&self) -> String {
        self.modules().first().cloned().unwrap_or_else(|| "lib".to_owned())
    }

    /// The code without comments, inline tests included.
    fn code(&self) -> String {
        self.text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    /// The rooms that its `crate::` and `super::` paths name.
    fn rooms_seen(&self) -> BTreeSet<String> {
        let code = self.code();
        let depth = self.modules().len();
        let mut seen = BTreeSet::new();
        for (at, _) in code.match_indices("crate::") {
            seen.extend(names_after(&code[at + "crate::".len()..]));
        }
        for (at, _) in code.match_indices("super::") {
            let is_first = !code[..at].ends_with("super::");
            let supers = code[at..].split("::").take_while(|part| *part == "super").count();
            // A `super` in an inline module reaches one module less far; reading it as reaching further only adds names.
            if is_first && supers == depth {
                seen.extend(names_after(&code[at + supers * "super::".len()..]));
            }
        }
        seen.retain(|name| !name.is_empty() && root().join("src").join(name).exists());
        seen
    }

    fn crates_used(&self, dependencies: &BTreeSet<String>) -> Vec<String> {
        let code = self.code();
        let is_used = |name: &str| {
            code.match_indices(&format!("{name}::")).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|character| character.is_alphanumeric() || matches!(character, '_' | ':'))
            })
        };
        dependencies.iter().filter(|name| is_used(name)).cloned().collect()
    }

    /// Each function's line, name and length in lines, by the indentation of its closing brace.
    fn functions(&self) -> Vec<(usize, String, usize)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut functions = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let words: Vec<&str> = code.split_whitespace().collect();
            let Some(position) = words.iter().take(5).position(|word| *word == "fn") else { continue };
            let is_item = words[..position].iter().all(|word| {
                word.starts_with("pub") || matches!(*word, "const" | "async" | "unsafe" | "extern" | "\"C\"" | "in")
            });
            let Some(name) = words.get(position + 1).filter(|_| is_item) else { continue };
            let close = format!("{}}}", &line[..line.len() - code.len()]);
            let length = lines[index..].iter().position(|line| *line == close).map_or(1, |end| end + 1);
            functions.push((index + 1, name.split(['(', '<']).next().unwrap_or_default().to_owned(), length));
        }
        functions
    }
}

/// The first names of a path that follows: `a::b` gives `a`, `{a::b, c}` gives `a` and `c`.
fn names_after(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0;
    let mut names = vec![name(group.trim_start())];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

/// The names of the dependencies as code writes them.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let mut section = String::new();
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((name, _)) = line.split_once('=') {
            sections.entry(section.clone()).or_default().insert(name.trim().replace('-', "_"));
        }
    }
    sections.remove("dependencies").unwrap_or_default()
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let paths = folders.iter().flat_map(|folder| files(&root().join(folder), "rs"));
    paths.map(|path| Source { text: fs::read_to_string(&path).expect("a readable source"), path }).collect()
}

/// The files below a folder with this extension, without what tools make.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
