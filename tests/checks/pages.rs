//! Runs every case of every page, and holds the pages to one form.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use portcullis::engine::pod_security::{Check, Version, registry};

use super::judge::{variant_at, verdict};
use super::page::{Page, Section, is_case, json_of};

/// A case at one version.
pub(crate) struct Case {
    pub(crate) check: Check,
    pub(crate) heading: String,
    pub(crate) version: Version,
    pub(crate) json: Vec<u8>,
    pub(crate) verdict: String,
}

impl Case {
    pub(crate) fn is_denied(&self) -> bool {
        self.verdict.starts_with("deny\n")
    }
}

/// Every case of every page at every version that it names, as the pages have it.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for check in registry().checks() {
        let page = Page::read(check.page).unwrap();
        for section in page.cases() {
            for (yaml, verdicts) in section.examples() {
                let json = json_of(&yaml.text).unwrap();
                for fence in verdicts {
                    cases.extend(fence.versions().unwrap().into_iter().map(|version| Case {
                        check: *check,
                        heading: section.heading.clone(),
                        version,
                        json: json.clone(),
                        verdict: fence.text.clone(),
                    }));
                }
            }
        }
    }
    cases
}

#[test]
fn every_case_of_every_page_gets_its_verdict() {
    if env::var_os("UPDATE_VERDICTS").is_some() {
        return rewrite();
    }
    let mut failures = String::new();
    for case in cases() {
        let got = verdict(&case.check, case.version, &case.json).unwrap_or_else(|error| error);
        if got != case.verdict {
            failures.push_str(&format!(
                "\ndocs/checks/{}.md: \"{}\" at {}\nexpected:\n{}got:\n{got}",
                case.check.id, case.heading, case.version, case.verdict
            ));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Writes today's verdicts into the pages.
fn rewrite() {
    for check in registry().checks() {
        let path = folder().join(format!("{}.md", check.id));
        let text = fs::read_to_string(&path).unwrap();
        let page = Page::read(&text).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for section in page.cases().collect::<Vec<_>>().into_iter().rev() {
            for (range, verdict) in today(check, section).into_iter().rev() {
                lines.splice(range, verdict.lines().map(str::to_owned));
            }
        }
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}

fn today(check: &Check, section: &Section) -> Vec<(std::ops::Range<usize>, String)> {
    let mut verdicts = Vec::new();
    for (yaml, fences) in section.examples() {
        let json = json_of(&yaml.text).unwrap_or_else(|error| panic!("{} {}: {error}", check.id, section.heading));
        for fence in fences {
            let versions = fence.versions().unwrap();
            let all: BTreeSet<String> =
                versions.iter().map(|version| verdict(check, *version, &json).unwrap()).collect();
            assert_eq!(all.len(), 1, "{} \"{}\": {} holds several verdicts", check.id, section.heading, fence.info);
            verdicts.push((fence.lines.clone(), all.into_iter().collect()));
        }
    }
    verdicts
}

#[test]
fn pages_have_their_sections_in_order() {
    for check in registry().checks() {
        let page = Page::read(check.page).unwrap();
        assert_eq!(page.title, check.id);
        assert_head(check, &page.head);
        let headings: Vec<&str> = page.sections.iter().map(|section| section.heading.as_str()).collect();
        let (fixed, cases) = headings.split_at(3.min(headings.len()));
        assert_eq!(fixed, ["Why", "Instead", "Rules"], "{}", check.id);
        let strays: Vec<_> = cases.iter().filter(|heading| !is_case(heading)).collect();
        assert!(strays.is_empty(), "{}: cases begin with \"denies \" or \"allows \": {strays:?}", check.id);
        assert!(page.sections.iter().take(3).all(|section| section.prose.len() > 40), "{}: no prose", check.id);
        let distinct: BTreeSet<_> = cases.iter().collect();
        assert_eq!(distinct.len(), cases.len(), "{}: a heading stands twice", check.id);
    }
}

/// A statement, the level, and a row for each variant.
fn assert_head(check: &Check, head: &str) {
    let level = format!("\n\nLevel: {}\n\n", check.level);
    let (statement, table) = head.split_once(&level).unwrap_or_else(|| panic!("{}: no {level:?}", check.id));
    assert!(statement.trim().len() > 40 && !statement.trim().contains("\n\n"), "{}: one paragraph first", check.id);
    let mut rows = table.trim().lines();
    assert_eq!((rows.next(), rows.next()), (Some("| Since | Rule |"), Some("|---|---|")), "{}", check.id);
    let since: Vec<&str> = rows.filter_map(|row| row.strip_prefix("| ")?.split(' ').next()).collect();
    let expected: Vec<String> = check.variants.iter().map(|variant| format!("v1.{}", variant.since)).collect();
    assert_eq!(since, expected, "{}", check.id);
}

#[test]
fn headings_begin_with_the_first_verdict() {
    for check in registry().checks() {
        for section in Page::read(check.page).unwrap().cases() {
            let examples = section.examples();
            assert!(!examples.is_empty(), "{} \"{}\": no case", check.id, section.heading);
            for (yaml, verdicts) in examples {
                let name = format!("{} \"{}\"", check.id, section.heading);
                assert_eq!(yaml.info, "yaml", "{name}");
                let first = verdicts.iter().find(|fence| fence.text != "not checked\n");
                let first = first.unwrap_or_else(|| panic!("{name}: no verdict"));
                let word = if first.text.starts_with("deny") { "denies " } else { "allows " };
                assert!(section.heading.starts_with(word), "{name}: the first verdict is another");
                let mut seen = Vec::new();
                for version in verdicts.iter().flat_map(|fence| fence.versions().unwrap()) {
                    assert!(!seen.contains(&version), "{name}: {version} has two verdicts");
                    seen.push(version);
                }
            }
        }
    }
}

#[test]
fn what_a_page_recommends_is_allowed_by_every_version() {
    for check in registry().checks() {
        let page = Page::read(check.page).unwrap();
        let instead = page.sections.iter().find(|section| section.heading == "Instead").unwrap();
        assert!(!instead.fences.is_empty(), "{}: nothing to write instead", check.id);
        for fence in &instead.fences {
            assert_eq!(fence.info, "yaml", "{}", check.id);
            let json = json_of(&fence.text).unwrap();
            for minor in 0..=registry().newest() {
                let got = verdict(check, Version::Minor(minor), &json).unwrap();
                assert!(!got.starts_with("deny"), "{} at v1.{minor}: {got}", check.id);
            }
        }
    }
}

#[test]
fn every_variant_denies_and_allows_something_on_its_page() {
    let cases = cases();
    for check in registry().checks() {
        for variant in check.variants {
            for denied in [true, false] {
                let is_shown = cases.iter().any(|case| {
                    case.check.id == check.id
                        && case.is_denied() == denied
                        && variant_at(check, case.version).is_some_and(|active| active.since == variant.since)
                });
                assert!(is_shown, "{} since v1.{}: no case where denied is {denied}", check.id, variant.since);
            }
        }
    }
}

#[test]
fn every_version_boundary_shows_on_its_page() {
    let cases = cases();
    let verdict_at = |check: &Check, json: &[u8], minor| {
        let version = Version::Minor(minor);
        cases.iter().find(|case| case.check.id == check.id && case.version == version && case.json == json)
    };
    for check in registry().checks() {
        for since in check.variants.iter().map(|variant| variant.since).filter(|since| *since > 0) {
            let differs = cases.iter().filter(|case| case.version == Version::Minor(since)).any(|case| {
                case.check.id == check.id
                    && verdict_at(check, &case.json, since - 1).is_some_and(|before| before.verdict != case.verdict)
            });
            assert!(differs, "{}: no case whose verdict changes at v1.{since}", check.id);
        }
    }
}

#[test]
fn each_check_has_a_page_and_each_page_a_check() {
    let checks: BTreeSet<String> = registry().checks().iter().map(|check| format!("{}.md", check.id)).collect();
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(checks, names.collect());
    let index = fs::read_to_string(folder().with_extension("md")).unwrap();
    for check in registry().checks() {
        let page = fs::read_to_string(folder().join(format!("{}.md", check.id))).unwrap();
        assert_eq!(check.page, page, "{} includes another page", check.id);
        let row = format!("| [{0}](checks/{0}.md) | {1} |", check.id, check.level);
        assert!(index.contains(&row), "docs/checks.md lacks a row that begins {row}");
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/checks")
}
