//! What the arguments name: files, folders, and streams that can be read only once.
//!
//! Kept true: a stream is kept in bounded memory; what is more goes into a file that has no name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// As much of a stream is kept in memory, in bytes.
const KEPT: u64 = 8 << 20;

/// One argument.
pub(super) struct Source {
    /// As the user wrote it.
    pub(super) name: String,
    pub(super) content: Content,
}

pub(super) enum Content {
    File(PathBuf),
    Folder(PathBuf),
    /// A stream, small enough for memory.
    Kept(Vec<u8>),
    /// A larger one.
    Spooled(File),
    Unreadable(Unreadable),
}

/// Why an input cannot be read, and what to do instead.
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Unreadable {
    pub(super) fn of(error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check the path; a link may point at nothing",
            io::ErrorKind::PermissionDenied => "make it readable for the user who runs this",
            _ => "make sure that it is a file that can be read",
        };
        Self { message: format!("cannot be read: {error}"), hint: hint.to_owned() }
    }
}

impl Source {
    /// Finds out what an argument names. A stream is read here, all of it, since it is needed twice.
    pub(super) fn open(path: &Path) -> Self {
        let content = if path.as_os_str() == "-" {
            keep(io::stdin().lock())
        } else {
            match fs::metadata(path) {
                Ok(found) if found.is_dir() => Content::Folder(path.to_owned()),
                Ok(found) if found.is_file() => Content::File(path.to_owned()),
                Ok(_) => File::open(path).map_or_else(|error| Content::Unreadable(Unreadable::of(&error)), keep),
                Err(error) => Content::Unreadable(Unreadable::of(&error)),
            }
        };
        Self { name: path.to_string_lossy().into_owned(), content }
    }
}

fn keep(mut stream: impl Read) -> Content {
    let mut bytes = Vec::new();
    let kept = stream.by_ref().take(KEPT).read_to_end(&mut bytes);
    match kept {
        Err(error) => Content::Unreadable(Unreadable::of(&error)),
        Ok(length) if (length as u64) < KEPT => Content::Kept(bytes),
        Ok(_) => spool(&bytes, stream).unwrap_or_else(|error| {
            let message = format!("is larger than {KEPT} bytes and cannot be kept in a temporary file: {error}");
            let hint = "set TMPDIR to a folder that can be written to, or name a file instead of a stream";
            Content::Unreadable(Unreadable { message, hint: hint.to_owned() })
        }),
    }
}

fn spool(begun: &[u8], mut rest: impl Read) -> io::Result<Content> {
    let path = std::env::temp_dir().join(format!("portcullis-check-{}", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    // Without its name the file is gone as soon as we are, however that comes.
    fs::remove_file(&path)?;
    file.write_all(begun)?;
    io::copy(&mut rest, &mut file)?;
    Ok(Content::Spooled(file))
}

/// A file's or a stream's bytes, from their beginning.
pub(super) enum Input<'s> {
    File(File),
    Kept(Cursor<&'s [u8]>),
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Kept(bytes) => bytes.read(buffer),
        }
    }
}

/// Opens a file of a folder or of an argument. Anything but a file or a link to one is refused: a pipe would never end.
pub(super) fn open_file(path: &Path) -> io::Result<Input<'static>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    File::open(path).map(Input::File)
}

/// Goes back to the beginning of a stream that was spooled.
pub(super) fn reopen(file: &File) -> io::Result<Input<'static>> {
    let mut again = file.try_clone()?;
    again.rewind()?;
    Ok(Input::File(again))
}
