//! Cuts the inputs into units of work: documents that are judged, and written, together.
//!
//! Kept true: the same inputs make the same units, and a unit is small unless one document is large.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::sources::{Content, Input, Source, Unreadable, open_file, reopen};
use crate::cli::walk::Walk;
use crate::manifest::{DocumentText, Documents, ParseError};

/// A unit is complete with this much text, in bytes, or this many texts.
const BYTES: usize = 64 << 10;
const TEXTS: usize = 64;

/// Work for one thread.
#[derive(Default)]
pub(super) struct Unit {
    pub(super) texts: Vec<Text>,
    /// How many inputs begin in it.
    pub(super) inputs: usize,
    bytes: usize,
}

/// A document, or what there is in place of one.
pub(super) struct Text {
    /// The file as the user would name it.
    pub(super) file: Arc<str>,
    pub(super) content: Read,
}

pub(super) enum Read {
    Document(DocumentText),
    /// A document that cannot be read.
    Fault(ParseError),
    /// An input that cannot be.
    Unreadable(Unreadable),
}

/// The receiver is gone: nobody wants to know more.
pub(super) struct Unwanted;

/// Reads all sources and hands on their units.
pub(super) fn produce(sources: &[Source], take: &mut dyn FnMut(Unit) -> Result<(), Unwanted>) -> Result<(), Unwanted> {
    let mut producer = Producer { unit: Unit::default(), take };
    for source in sources {
        producer.source(source)?;
    }
    producer.hand_on()
}

struct Producer<'t> {
    unit: Unit,
    take: &'t mut dyn FnMut(Unit) -> Result<(), Unwanted>,
}

impl Producer<'_> {
    fn source(&mut self, source: &Source) -> Result<(), Unwanted> {
        let name: Arc<str> = source.name.as_str().into();
        let texts = match &source.content {
            Content::File(path) => self.file(name.clone(), path)?,
            Content::Folder(path) => return self.folder(name, path),
            Content::Kept(bytes) => self.input(&name, Input::Kept(std::io::Cursor::new(bytes)))?,
            Content::Spooled(file) => match reopen(file) {
                Ok(input) => self.input(&name, input)?,
                Err(error) => self.unreadable(name.clone(), Unreadable::of(&error))?,
            },
            Content::Unreadable(why) => {
                let why = Unreadable { message: why.message.clone(), hint: why.hint.clone() };
                self.unreadable(name.clone(), why)?
            }
        };
        if texts == 0 {
            self.without(name, "holds no objects", "there is nothing in it but blanks and comments").map(drop)
        } else {
            Ok(())
        }
    }

    fn folder(&mut self, name: Arc<str>, folder: &Path) -> Result<(), Unwanted> {
        let (mut files, mut texts) = (0, 0);
        for found in Walk::new(folder) {
            files += 1;
            texts += match found {
                Ok(path) => self.file(path.to_string_lossy().into(), &path)?,
                Err(fault) => self.unreadable(fault.path.to_string_lossy().into(), Unreadable::of(&fault.error))?,
            };
        }
        if files == 0 {
            self.without(name, "holds no manifests", "name a folder with *.yaml, *.yml or *.json files")?;
        } else if texts == 0 {
            self.without(name, "holds no objects", "its files hold nothing but blanks and comments")?;
        }
        Ok(())
    }

    /// Reads a file; gives the number of its texts.
    fn file(&mut self, name: Arc<str>, path: &Path) -> Result<usize, Unwanted> {
        match open_file(path) {
            Ok(input) => self.input(&name, input),
            Err(error) => self.unreadable(name, Unreadable::of(&error)),
        }
    }

    fn input(&mut self, name: &Arc<str>, input: Input<'_>) -> Result<usize, Unwanted> {
        self.unit.inputs += 1;
        let mut texts = 0;
        for document in Documents::new(BufReader::with_capacity(32 << 10, input)) {
            texts += 1;
            self.unit.bytes += document.as_ref().map_or(0, |document| document.text.len());
            self.text(name.clone(), document.map_or_else(Read::Fault, Read::Document))?;
        }
        Ok(texts)
    }

    fn unreadable(&mut self, name: Arc<str>, why: Unreadable) -> Result<usize, Unwanted> {
        self.unit.inputs += 1;
        self.text(name, Read::Unreadable(why))?;
        Ok(1)
    }

    fn without(&mut self, name: Arc<str>, message: &str, hint: &str) -> Result<usize, Unwanted> {
        let why = Unreadable { message: message.to_owned(), hint: hint.to_owned() };
        self.text(name, Read::Unreadable(why))?;
        Ok(1)
    }

    fn text(&mut self, file: Arc<str>, content: Read) -> Result<(), Unwanted> {
        self.unit.texts.push(Text { file, content });
        if self.unit.bytes >= BYTES || self.unit.texts.len() >= TEXTS { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), Unwanted> {
        (self.take)(std::mem::take(&mut self.unit))
    }
}
