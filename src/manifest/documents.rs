//! Cuts one input into its documents, a line at a time.
//!
//! A line that begins with `---` or `...`, followed by white space or its end, always is a marker in YAML; JSON values
//! that follow each other are documents of their own. Documents without content are left out.
//!
//! Kept true: memory is bounded by the largest document that is allowed; an error of one document never hides another.

use std::io::{self, BufRead};

use super::error::Fault;
use super::json_stream::{JsonStream, Progress};
use super::place::{Position, characters};
use super::{Lines, ParseError};

/// How large one document may be, in bytes, unless told otherwise: 64 MiB.
pub const DOCUMENT_LIMIT: usize = 64 << 20;

/// The text of one document, with its place in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentText {
    /// The text, markers and comments included, so that lines and columns are those of the input.
    pub text: String,
    /// The line at which the text begins, counted from 1.
    pub first_line: usize,
    /// The column at which the text begins, counted from 1: not 1 where JSON values share a line.
    pub first_column: usize,
    /// The template that the document comes from, when Helm says so (`# Source: chart/templates/x.yaml`).
    pub source: Option<String>,
}

impl DocumentText {
    /// A text that is one document, beginning at line 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), first_line: 1, first_column: 1, source: None }
    }

    /// The line and column of an offset in the text. For many places of one document keep [`Lines`] instead.
    pub fn position(&self, offset: u32) -> Position {
        Lines::of(self).position(offset)
    }

    /// Turns the offsets of a fault into lines and columns.
    pub(super) fn error(&self, mut fault: Fault) -> ParseError {
        let lines = Lines::of(self);
        if let Some((words, offset)) = fault.also {
            let Position { line, column } = lines.position(offset);
            fault.message = format!("{} ({words} line {line}, column {column})", fault.message);
        }
        ParseError::new(lines.position(u32::try_from(fault.offset).unwrap_or(u32::MAX)), fault)
    }
}

/// An iterator over the documents of one input.
///
/// A document that is too large or not UTF-8 is an error, after which the next one follows; an input that cannot be
/// read on is the last item.
pub struct Documents<R> {
    input: R,
    limit: usize,
    line: Line,
    finished: bool,
}

/// The line at hand.
#[derive(Default)]
struct Line {
    /// The line with its end; cut short where it exceeds the limit of a document.
    bytes: Vec<u8>,
    /// How much of the line belongs to documents that are already complete.
    taken: usize,
    /// The number of characters in what is taken, a byte order mark aside.
    column: usize,
    /// Counted from 1; 0 before the first line is read.
    number: usize,
    /// The offset of the line in the input.
    offset: u64,
    /// The length of the line in the input.
    length: u64,
}

impl Line {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }
}

impl<R: BufRead> Documents<R> {
    /// The documents of `input`, none of which may be larger than [`DOCUMENT_LIMIT`].
    pub fn new(input: R) -> Self {
        Self::with_limit(input, DOCUMENT_LIMIT)
    }

    /// The documents of `input`, none of which may be larger than `limit` bytes.
    pub fn with_limit(input: R, limit: usize) -> Self {
        Self { input, limit, line: Line::default(), finished: false }
    }

    /// Makes sure that there is a line with something left to take; false at the end of the input.
    fn fill_line(&mut self) -> io::Result<bool> {
        if !self.line.rest().is_empty() {
            return Ok(true);
        }
        self.line.offset += self.line.length;
        self.line.number += 1;
        self.line.taken = 0;
        self.line.column = 0;
        self.line.bytes.clear();
        self.line.length = read_line(&mut self.input, &mut self.line.bytes, self.limit)?;
        if self.line.number == 1 && self.line.bytes.starts_with(BYTE_ORDER_MARK) {
            self.line.taken = BYTE_ORDER_MARK.len();
        }
        Ok(self.line.length > 0)
    }

    /// Collects lines until a document is complete; nothing at the end of the input.
    fn collect(&mut self) -> io::Result<Option<Draft>> {
        let mut draft = Draft::default();
        while self.fill_line()? {
            draft.begin(&self.line);
            match draft.take(&self.line, self.limit) {
                Taken::All => self.line.taken = self.line.bytes.len(),
                Taken::Up { to } => {
                    self.line.column += characters(self.line.bytes.get(self.line.taken..to).unwrap_or_default());
                    self.line.taken = to;
                    return Ok(Some(draft));
                }
                Taken::Closing if draft.has_content() => {
                    self.line.taken = self.line.bytes.len();
                    return Ok(Some(draft));
                }
                Taken::Closing => {
                    self.line.taken = self.line.bytes.len();
                    draft = Draft::default();
                }
                Taken::Nothing if draft.has_content() => return Ok(Some(draft)),
                Taken::Nothing => draft = Draft::default(),
            }
        }
        Ok(draft.has_content().then_some(draft))
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

impl<R: BufRead> Iterator for Documents<R> {
    type Item = Result<DocumentText, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        match self.collect() {
            Ok(Some(draft)) => Some(draft.finish(self.limit)),
            Ok(None) => {
                self.finished = true;
                None
            }
            Err(error) => {
                self.finished = true;
                let place = Position { line: self.line.number, column: 1 };
                Some(Err(ParseError::new(place, Fault::new(0, format!("the input cannot be read on: {error}")))))
            }
        }
    }
}

/// Reads one line with its end. Of a longer line than `limit` only that much and one byte more is kept.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<u64> {
    let mut length = 0;
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = memchr::memchr(b'\n', available);
        let used = end.map_or(available.len(), |at| at + 1);
        let room = (limit + 1).saturating_sub(line.len());
        line.extend_from_slice(available.get(..used.min(room)).unwrap_or_default());
        input.consume(used);
        length += used as u64;
        if end.is_some() || used == 0 {
            return Ok(length);
        }
    }
}

/// A document that is being collected.
#[derive(Default)]
struct Draft {
    text: Vec<u8>,
    first_line: usize,
    first_column: usize,
    /// The offset of the text in the input.
    offset: u64,
    source: Option<String>,
    state: State,
    oversized: bool,
}

/// How far a document has come.
#[derive(Default)]
enum State {
    /// Only blank lines and comments so far.
    #[default]
    Fresh,
    /// A directive (`%YAML 1.2`) stands before the marker.
    Directive,
    /// The marker that opens the document was met.
    Opened,
    /// It begins as JSON does.
    Json(JsonStream),
    /// It has content.
    Content,
}

/// How much of a line belongs to the document.
enum Taken {
    All,
    /// The line up to this byte; the document is complete.
    Up {
        to: usize,
    },
    /// The whole line, which closes the document.
    Closing,
    /// The line opens the next document.
    Nothing,
}

impl Draft {
    fn begin(&mut self, line: &Line) {
        if self.first_line == 0 {
            self.first_line = line.number;
            self.first_column = line.column + 1;
            self.offset = line.offset + line.taken as u64;
        }
    }

    /// True when a document was begun that deserves an answer: a directive without a document does, too.
    fn has_content(&self) -> bool {
        matches!(self.state, State::Directive | State::Json(_) | State::Content)
    }

    fn take(&mut self, line: &Line, limit: usize) -> Taken {
        let rest = line.rest();
        let from_start = line.taken == 0 || line.taken == BYTE_ORDER_MARK.len() && line.number == 1;
        if from_start && is_marker(rest, b"...") {
            self.append(rest, limit);
            return Taken::Closing;
        }
        if from_start && is_marker(rest, b"---") {
            if !matches!(self.state, State::Fresh | State::Directive) {
                return Taken::Nothing;
            }
            self.state = State::Opened;
            return self.take_content(rest, 3, line.taken, limit);
        }
        self.take_content(rest, 0, line.taken, limit)
    }

    /// Takes `rest`, whose content begins at or after byte `skip`; the line's bytes before `rest` are `taken` already.
    fn take_content(&mut self, rest: &[u8], skip: usize, taken: usize, limit: usize) -> Taken {
        let mut content = skip;
        if matches!(self.state, State::Fresh | State::Directive | State::Opened) {
            content += blanks(rest.get(skip..).unwrap_or_default());
            self.advance(rest.get(content..).unwrap_or_default());
        }
        if let State::Json(stream) = &mut self.state {
            match stream.follow(rest.get(content..).unwrap_or_default()) {
                Progress::Within => {}
                Progress::Next(at) => {
                    self.append(rest.get(..content + at).unwrap_or_default(), limit);
                    return Taken::Up { to: taken + content + at };
                }
                Progress::NotJson => self.state = State::Content,
            }
        }
        self.append(rest, limit);
        Taken::All
    }

    /// Looks at the first content of a line while the document has none yet.
    fn advance(&mut self, content: &[u8]) {
        match content.first() {
            None => {}
            Some(b'#') => self.note_source(content),
            Some(b'%') if !matches!(self.state, State::Opened) => self.state = State::Directive,
            Some(b'{' | b'[') => self.state = State::Json(JsonStream::default()),
            Some(_) => self.state = State::Content,
        }
    }

    fn note_source(&mut self, comment: &[u8]) {
        let source = std::str::from_utf8(comment).ok().and_then(|text| text.strip_prefix("# Source:"));
        if let Some(source) = source {
            self.source = Some(source.trim().to_owned());
        }
    }

    fn append(&mut self, bytes: &[u8], limit: usize) {
        self.oversized |= self.text.len() + bytes.len() > limit;
        if self.oversized {
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(bytes);
        }
    }

    fn finish(self, limit: usize) -> Result<DocumentText, ParseError> {
        let Self { text, first_line, first_column, offset, source, oversized, .. } = self;
        if oversized {
            let fault = Fault::new(0, format!("the document is larger than {limit} bytes"))
                .hint("split it into documents with `---` lines, or into several files");
            return Err(ParseError::new(Position { line: first_line, column: first_column }, fault));
        }
        match String::from_utf8(text) {
            Ok(text) => Ok(DocumentText { text, first_line, first_column, source }),
            Err(error) => Err(not_utf8(&error, first_line, first_column, offset)),
        }
    }
}

fn not_utf8(error: &std::string::FromUtf8Error, line: usize, column: usize, offset: u64) -> ParseError {
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default()).into_owned();
    let end = u32::try_from(before.len()).unwrap_or(u32::MAX);
    let document = DocumentText { text: before, first_line: line, first_column: column, source: None };
    let message = format!("the byte at offset {} of the input is not UTF-8", offset + at as u64);
    let wide = matches!(error.as_bytes(), [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..]);
    let hint = if wide { "it looks like UTF-16: save the file as UTF-8" } else { "save the file as UTF-8" };
    ParseError::new(document.position(end), Fault::new(at, message).hint(hint))
}

fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    let after = line.strip_prefix(marker);
    after.is_some_and(|after| matches!(after.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n')))
}

/// How many bytes of white space a line begins with; a byte order mark counts as such, for files that were joined.
fn blanks(line: &[u8]) -> usize {
    let mark = if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let rest = line.get(mark..).unwrap_or_default();
    mark + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}
