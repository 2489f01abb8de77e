//! The documents of `--policies`: read from files and folders, compiled, or refused with every flaw at its place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};

use super::walk::Walk;
use crate::engine::mutation::document::{API_VERSION, Document, Flaw};
use crate::engine::mutation::{Active, Documents};
use crate::manifest::{DocumentText, Documents as Texts, Lines, Object, ParseError, objects, parse};

/// Reads all documents of `portcullis.dev/v1` in these files and folders; objects of other groups beside them are left alone.
pub(super) fn load(paths: &[PathBuf]) -> Result<Documents> {
    let mut reader = Reader::default();
    for path in paths {
        reader.path(path)?;
    }
    if reader.flaws.is_empty() { Ok(Documents::new(reader.active)) } else { bail!(reader.flaws.join("\n")) }
}

/// Reads on after a flaw, so that all of them are shown at once.
#[derive(Default)]
struct Reader {
    active: Vec<Arc<Active>>,
    /// Where each document stands, by its kind and name.
    places: BTreeMap<String, String>,
    flaws: Vec<String>,
}

impl Reader {
    fn path(&mut self, path: &Path) -> Result<()> {
        let before = self.places.len() + self.flaws.len();
        if path.is_dir() {
            for file in Walk::new(path) {
                let file = file
                    .map_err(|fault| anyhow!(fault.error).context(format!("cannot read {}", fault.path.display())))?;
                self.file(&file)?;
            }
        } else {
            self.file(path)?;
        }
        if self.places.len() + self.flaws.len() == before {
            bail!("{}: holds no document of {API_VERSION}", path.display());
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        for text in Texts::new(BufReader::new(file)) {
            let read = text.and_then(|text| Ok((parse(&text)?, text)));
            match read {
                Ok((root, text)) => objects(&text, root).into_iter().for_each(|object| match object {
                    Ok(object) => self.object(path, &text, &object),
                    Err(error) => self.unreadable(path, &error),
                }),
                Err(error) => self.unreadable(path, &error),
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, error: &ParseError) {
        self.flaws.push(error.within(path.display()));
    }

    fn object(&mut self, path: &Path, text: &DocumentText, object: &Object) {
        if !object.api_version().is_some_and(|version| version.starts_with("portcullis.dev/")) {
            return;
        }
        let lines = Lines::of(text);
        let place = |field: &str| {
            let position = lines.position(object.node.find(field).span.start);
            format!("{}:{}:{}", path.display(), position.line, position.column)
        };
        let document = Document::read(&object.node.to_json());
        let compiled = document.and_then(|document| Active::compile(&document));
        match compiled {
            Ok(active) => {
                let here = place("metadata.name");
                if let Some(there) = self.places.insert(active.title.clone(), here.clone()) {
                    self.flaws
                        .push(format!("{here}: {} stands here a second time; the first is {there}", active.title));
                } else {
                    let clashes = self.active.iter().flat_map(|other| active.clashes_with(other));
                    self.flaws.extend(clashes.map(|flaw| format!("{}: {flaw}", place(&flaw.path))));
                    self.active.push(Arc::new(active));
                }
            }
            Err(flaws) => self.flaws.extend(flaws.iter().map(|flaw: &Flaw| format!("{}: {flaw}", place(&flaw.path)))),
        }
    }
}
