//! Walks a folder for manifests, in an order that is the same every time.
//!
//! Kept true: folders that link back to one of their own parents are entered once; what is held in memory is the names of
//! the folders that are open.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

/// The manifests of a folder and those below it; a folder that cannot be listed is an item too.
pub(super) struct Walk {
    open: Vec<Folder>,
    fault: Option<Unlistable>,
}

/// A folder that cannot be listed.
pub(super) struct Unlistable {
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

struct Folder {
    path: PathBuf,
    /// Where it really is.
    canonical: PathBuf,
    names: std::vec::IntoIter<Entry>,
}

struct Entry {
    name: OsString,
    is_folder: bool,
}

impl Walk {
    pub(super) fn new(folder: &Path) -> Self {
        let mut walk = Self { open: Vec::new(), fault: None };
        walk.enter(folder.to_owned());
        walk
    }

    fn enter(&mut self, path: PathBuf) {
        match list(&path) {
            Err(error) => self.fault = Some(Unlistable { path, error }),
            Ok((canonical, names)) => {
                if !self.open.iter().any(|folder| folder.canonical == canonical) {
                    self.open.push(Folder { path, canonical, names: names.into_iter() });
                }
            }
        }
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, Unlistable>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(fault) = self.fault.take() {
                return Some(Err(fault));
            }
            let folder = self.open.last_mut()?;
            match folder.names.next() {
                None => {
                    self.open.pop();
                }
                Some(Entry { name, is_folder: true }) => {
                    let path = folder.path.join(name);
                    self.enter(path);
                }
                Some(Entry { name, is_folder: false }) => return Some(Ok(folder.path.join(name))),
            }
        }
    }
}

/// Where a folder really is, and what in it may hold manifests, sorted by name.
fn list(path: &Path) -> io::Result<(PathBuf, Vec<Entry>)> {
    let canonical = fs::canonicalize(path)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_folder = is_folder(&entry);
        if !is_hidden(&name) && (is_folder || is_manifest(Path::new(&name))) {
            entries.push(Entry { name, is_folder });
        }
    }
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok((canonical, entries))
}

fn is_folder(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => fs::metadata(entry.path()).is_ok_and(|target| target.is_dir()),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_manifest(name: &Path) -> bool {
    let extension = name.extension().unwrap_or_default();
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
