//! Edits the pods of manifests where they stand: files, folders and standard input in; the same text out, or a diff, or the files
//! themselves.
//!
//! Kept true: what cannot be read or edited is told with its place and stays to the letter, and hides nothing of the rest.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Error, Result, bail};
use clap::Args;

use super::pod::PodIn;
use crate::cli::walk::Walk;
use crate::engine::mutation::Patch;
use crate::manifest::{DocumentText, Documents, Lines, Object, ParseError, objects, parse, splice};

/// What is edited, and where the result goes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Texts {
    /// Files, folders (their *.yaml, *.yml and *.json, recursively), and - for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Show what would change, as a unified diff.
    #[arg(long, conflicts_with = "in_place")]
    diff: bool,
    /// Write the files themselves.
    #[arg(short, long)]
    in_place: bool,
}

/// What becomes of a pod.
pub(in crate::cli) enum Edit {
    /// Nothing, if there is no patch.
    Change(Option<Patch>),
    /// It stays as it is, since it is refused.
    Refuse,
    /// It stays as it is, since nobody can say.
    Fail,
}

/// A pod, or the template of one, in a manifest.
pub(in crate::cli) struct Site<'a> {
    pub(in crate::cli) object: &'a Object,
    pub(in crate::cli) pod: PodIn,
    /// Its file, line, kind and name, for messages.
    pub(in crate::cli) title: String,
}

impl Texts {
    /// Edits all pods. The exit code is 0, 1 if one is refused, or 2 if something could not be read or edited.
    ///
    /// # Errors
    /// The result cannot be written.
    pub(in crate::cli) fn edit(&self, edit: impl FnMut(&Site<'_>) -> Edit) -> Result<ExitCode> {
        let is_input = |path: &Path| path == Path::new("-");
        if self.in_place && self.paths.iter().any(|path| is_input(path)) {
            bail!("standard input cannot be written in place: leave --in-place out");
        }
        let mut editor = Editor { texts: self, edit, code: 0, is_apart: true };
        for path in &self.paths {
            if path.is_dir() {
                for file in Walk::new(path) {
                    match file {
                        Ok(file) => editor.file(&file)?,
                        Err(fault) => editor.unreadable(&fault.path, &fault.error.into()),
                    }
                }
            } else {
                editor.file(path)?;
            }
        }
        Ok(ExitCode::from(editor.code))
    }
}

struct Editor<'a, E> {
    texts: &'a Texts,
    edit: E,
    code: u8,
    /// Whether what is written next needs no marker before it.
    is_apart: bool,
}

impl<E: FnMut(&Site<'_>) -> Edit> Editor<'_, E> {
    fn file(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let before = match read(path) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(path, &error);
                return Ok(());
            }
        };
        let after = self.text(&name, &before);
        if self.texts.in_place {
            if after != before {
                fs::write(path, after).with_context(|| format!("cannot write {name}"))?;
            }
            return Ok(());
        }
        let output = if self.texts.diff { difference(&name, &before, &after) } else { self.apart(after) };
        std::io::stdout().lock().write_all(output.as_bytes()).context("cannot write the result")
    }

    /// The text, as documents of their own behind those of the files before.
    fn apart(&mut self, mut text: String) -> String {
        if text.trim().is_empty() {
            return text;
        }
        if !self.is_apart && !text.starts_with("---") {
            text.insert_str(0, "---\n");
        }
        if self.texts.paths.len() > 1 && !text.ends_with('\n') {
            text.push('\n');
        }
        self.is_apart = false;
        text
    }

    /// The text with its pods edited.
    fn text(&mut self, file: &str, text: &str) -> String {
        let starts: Vec<usize> =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        let (mut result, mut done) = (String::with_capacity(text.len() + 4096), 0);
        for document in Documents::new(text.as_bytes()) {
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    self.fault(file, &error);
                    continue;
                }
            };
            // Several documents may share a line; each is found behind the one before.
            let line = starts.get(document.first_line - 1).copied().unwrap_or_default().max(done);
            let Some(start) = text.get(line..).and_then(|rest| rest.find(&document.text)).map(|at| line + at) else {
                self.complain(&format!("{file}:{}: left as it is: its text is not found again", document.first_line));
                continue;
            };
            result.push_str(text.get(done..start).unwrap_or_default());
            result.push_str(&self.document(file, &document));
            done = start + document.text.len();
        }
        result.push_str(text.get(done..).unwrap_or_default());
        result
    }

    fn document(&mut self, file: &str, document: &DocumentText) -> String {
        let root = match parse(document) {
            Ok(root) => root,
            Err(error) => {
                self.fault(file, &error);
                return document.text.clone();
            }
        };
        let mut edited = document.clone();
        for object in objects(document, root) {
            match object {
                Ok(object) => self.object(file, document, &object, &mut edited),
                Err(error) => self.fault(file, &error),
            }
        }
        edited.text
    }

    /// Edits the text of the document where this object stands.
    fn object(&mut self, file: &str, document: &DocumentText, object: &Object, edited: &mut DocumentText) {
        let Some(pod) = PodIn::of(object) else { return };
        let position = Lines::of(document).position(object.node.span.start);
        let (kind, name) = (object.kind().unwrap_or_default(), object.name().unwrap_or_default());
        let site = Site { object, pod, title: format!("{file}:{}: {kind}/{name}", position.line) };
        match (self.edit)(&site) {
            Edit::Change(None) => {}
            Edit::Change(Some(patch)) => match splice(edited, &site.pod.operations(object, &patch)) {
                Ok(text) => edited.text = text,
                Err(error) => self.complain(&format!("{}: left as it is: {error}", site.title)),
            },
            Edit::Refuse => self.code = self.code.max(1),
            Edit::Fail => self.code = 2,
        }
    }

    fn fault(&mut self, file: &str, error: &ParseError) {
        self.complain(&error.within(file));
    }

    fn unreadable(&mut self, path: &Path, error: &Error) {
        self.complain(&format!("{}: cannot be read: {error:#}", path.display()));
    }

    fn complain(&mut self, problem: &str) {
        eprintln!("{problem}");
        self.code = 2;
    }
}

fn read(path: &Path) -> Result<String> {
    if path != Path::new("-") {
        return Ok(fs::read_to_string(path)?);
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn difference(name: &str, before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after).unified_diff().header(name, name).to_string()
}
