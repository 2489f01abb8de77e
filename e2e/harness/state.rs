//! The directory of a control plane: what its processes read, keep and log. It is removed with the plane.
//!
//! A test run that was killed cannot remove its own; the next one does, and knows by a lock that its owner is gone.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const PREFIX: &str = "portcullis-plane-";
const LOCK: &str = "lock";

/// A temporary directory.
pub struct State {
    directory: TempDir,
    _lock: File,
}

impl State {
    /// Makes one, and removes those of killed runs.
    pub fn create() -> Result<Self> {
        remove_abandoned();
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // Locked before it has its name: another run must not find it free for a moment.
        let unnamed = directory.path().join("lock.new");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        fs::rename(&unnamed, directory.path().join(LOCK))?;
        Ok(Self { directory, _lock: lock })
    }

    /// The path of `name` in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes a document; everything that reads YAML reads JSON.
    pub fn write_document(&self, name: &str, document: &Value) -> Result<PathBuf> {
        self.write(name, &document.to_string())
    }
}

fn remove_abandoned() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// A directory without a lock file is being made at this moment, or was left by somebody who had no time for more.
fn is_abandoned(directory: &Path) -> bool {
    File::open(directory.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}
