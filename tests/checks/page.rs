//! Reads a check's page.
//!
//! ````text
//! # privileged                          the id
//! One paragraph: what the check asks for.
//! Level: baseline
//! | Since | Rule |                      a row for each version at which the check changed
//! |---|---|
//! | v1.0 | no container is privileged |
//! ## Why
//! ## Instead                            with a ```yaml fence that every version allows
//! ## Rules
//! ## denies a privileged container      the cases, from common to rare
//! ```yaml
//! spec: {containers: [{name: app, securityContext: {privileged: true}}]}
//! ```
//! ```verdict v1.0 to latest
//! deny
//! spec.containers[0].securityContext.privileged
//! privileged (container "app" must not set securityContext.privileged=true)
//! ```
//! ````
//!
//! A case is judged by its page's check alone, and as it is written: nothing is defaulted, as the webhook sees an object
//! that the API server has defaulted before. A case is a Pod unless it says otherwise by `apiVersion` and `kind`. One
//! `yaml` fence may have several `verdict` fences, each for other versions: a version, or the first and last of several,
//! all of which are judged. `latest` is a version too. `not checked` is the verdict of versions before the check's first.
//! A heading begins with the first verdict below it that is one: `denies` or `allows`.

use std::str::FromStr;

use portcullis::engine::pod_security::{Version, registry};

/// A page, taken apart.
pub(crate) struct Page {
    pub(crate) title: String,
    /// The text between title and first section.
    pub(crate) head: String,
    pub(crate) sections: Vec<Section>,
}

/// What stands under one heading of the second level.
pub(crate) struct Section {
    pub(crate) heading: String,
    pub(crate) prose: String,
    pub(crate) fences: Vec<Fence>,
}

/// A fenced text.
pub(crate) struct Fence {
    /// What follows the opening backticks.
    pub(crate) info: String,
    pub(crate) text: String,
    /// The lines of the text within the page, from 0.
    pub(crate) lines: std::ops::Range<usize>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut page = Self { title: String::new(), head: String::new(), sections: Vec::new() };
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
                let section = page.sections.last_mut().ok_or("a fence before the first section")?;
                section.fences.push(Fence {
                    info: info.to_owned(),
                    text: body.iter().map(|line| format!("{line}\n")).collect(),
                    lines: number + 1..number + 1 + body.len(),
                });
            } else if let Some(heading) = line.strip_prefix("## ") {
                page.sections.push(Section { heading: heading.to_owned(), prose: String::new(), fences: Vec::new() });
            } else if let Some(title) = line.strip_prefix("# ") {
                page.title = title.to_owned();
            } else {
                let prose = page.sections.last_mut().map_or(&mut page.head, |section| &mut section.prose);
                prose.push_str(line);
                prose.push('\n');
            }
        }
        Ok(page)
    }

    /// The sections that are cases.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| is_case(&section.heading))
    }
}

pub(crate) fn is_case(heading: &str) -> bool {
    heading.starts_with("denies ") || heading.starts_with("allows ")
}

impl Section {
    /// Each `yaml` fence with the `verdict` fences that follow it.
    pub(crate) fn examples(&self) -> Vec<(&Fence, Vec<&Fence>)> {
        let mut examples: Vec<(&Fence, Vec<&Fence>)> = Vec::new();
        for fence in &self.fences {
            match examples.last_mut() {
                Some((_, verdicts)) if fence.info.starts_with("verdict") => verdicts.push(fence),
                _ => examples.push((fence, Vec::new())),
            }
        }
        examples
    }
}

impl Fence {
    /// The versions that a `verdict` fence speaks of.
    pub(crate) fn versions(&self) -> Result<Vec<Version>, String> {
        let text =
            self.info.strip_prefix("verdict ").ok_or("a verdict names its versions: ```verdict v1.0 to latest")?;
        let version = |text: &str| Version::from_str(text).map_err(|error| format!("{text:?} {error}"));
        let Some((first, last)) = text.split_once(" to ") else { return Ok(vec![version(text)?]) };
        let (Version::Minor(first), last) = (version(first)?, version(last)?) else {
            return Err(format!("{text:?} begins with latest"));
        };
        let (end, beyond) = match last {
            Version::Minor(minor) => (minor, None),
            Version::Latest => (registry().newest(), Some(Version::Latest)),
        };
        if first > end || (first == end && beyond.is_none()) {
            return Err(format!("{text:?} is no range"));
        }
        Ok((first..=end).map(Version::Minor).chain(beyond).collect())
    }
}

/// A YAML text as compact JSON.
pub(crate) fn json_of(yaml: &str) -> Result<Vec<u8>, String> {
    let document = portcullis::manifest::DocumentText::new(yaml);
    let node = portcullis::manifest::parse(&document).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    node.write_json(&mut json);
    Ok(json)
}
