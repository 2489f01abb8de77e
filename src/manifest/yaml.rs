//! Builds the tree of a YAML document from the parser's events.
//!
//! Merge keys and keys that are no strings follow go-yaml v2, as kubectl has it: a merge counts where it stands, so it
//! overrides keys that are written before it and is overridden by those after it; of several merged maps the first
//! one wins.
//!
//! Kept true: no recursion; every alias is paid for with the number of values that it repeats, before it is copied.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::error::Fault;
use super::hint::explain;
use super::open_map::{Key, OpenMap, collection_key, null_key};
use super::parse::{Budget, DEPTH_LIMIT};
use super::place::Span;
use super::scalar::Scalar;
use super::{Node, Value};

/// Reads the one document of `text`.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    refuse_odd_characters(text)?;
    let mut builder = Builder::new(text);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                let span = builder.offsets.span(span);
                builder.take(event, span).map_err(|fault| explain(text, fault))?;
            }
            Err(error) => {
                let offset = builder.offsets.byte(error.marker().index());
                return Err(explain(text, Fault::new(offset, error.info())));
            }
        }
    }
    let nothing = Node { value: Value::Null, span: Span::empty(text.len()) };
    Ok(builder.root.map_or(nothing, |built| built.node))
}

/// Refuses what the readers of YAML do not agree on.
///
/// YAML 1.1 ends a line at some characters and YAML 1.2 does not: what one reads as a comment is a field to the other.
/// Control characters are refused by kubectl.
fn refuse_odd_characters(text: &str) -> Result<(), Fault> {
    if let Some(at) = text.bytes().position(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err(Fault::new(at, "a control character is not allowed")
            .hint("remove it, or write it as an escape in double quotes"));
    }
    if text.is_ascii() {
        return Ok(());
    }
    let odd = text.char_indices().find(|(_, character)| matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}'));
    match odd {
        None => Ok(()),
        Some((at, character)) => {
            let code = u32::from(character);
            let message = format!("the character U+{code:04X} ends a line for some readers of YAML and not for others");
            Err(Fault::new(at, message).hint(format!("remove it, or write it as \"\\u{code:04x}\" in double quotes")))
        }
    }
}

/// Turns the parser's places, which count characters, into offsets of bytes.
struct Offsets<'t> {
    text: &'t str,
    ascii: bool,
    /// The last place that was asked for: the next one is near.
    character: usize,
    byte: usize,
}

impl Offsets<'_> {
    fn span(&mut self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start.index());
        Span::new(start, self.byte(span.end.index()))
    }

    fn byte(&mut self, character: usize) -> usize {
        if self.ascii {
            return character.min(self.text.len());
        }
        if character >= self.character {
            let ahead = self.text.get(self.byte..).unwrap_or_default();
            let steps = character - self.character;
            self.byte = ahead.char_indices().nth(steps).map_or(self.text.len(), |(at, _)| self.byte + at);
        } else {
            let behind = self.text.get(..self.byte).unwrap_or_default();
            let steps = self.character - character - 1;
            self.byte = behind.char_indices().nth_back(steps).map_or(0, |(at, _)| at);
        }
        self.character = character;
        self.byte
    }
}

/// A value with what it costs to repeat it.
#[derive(Clone)]
struct Built {
    node: Node,
    /// The number of values, this one included.
    size: usize,
    /// How deeply lists and maps are nested within it; 0 for a scalar.
    height: usize,
}

/// A list or map that is open.
struct Frame {
    contents: Contents,
    start: usize,
    /// True within brackets or braces.
    flow: bool,
    anchor: usize,
    size: usize,
    height: usize,
}

enum Contents {
    List(Vec<Node>),
    Map(OpenMap),
}

struct Builder<'t> {
    text: &'t str,
    offsets: Offsets<'t>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    root: Option<Built>,
    budget: Budget,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let offsets = Offsets { text, ascii: text.is_ascii(), character: 0, byte: 0 };
        let budget = Budget::default();
        Self { text, offsets, frames: Vec::new(), anchors: HashMap::new(), root: None, budget }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match &event {
            Event::Scalar(_, _, 1.., _) | Event::SequenceStart(1.., _) | Event::MappingStart(1.., _) => {
                self.check_anchor('&', span.start as usize)?;
            }
            Event::Alias(_) => self.check_anchor('*', span.start as usize)?,
            _ => {}
        }
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(second_document(span)),
            Event::Scalar(text, style, anchor, tag) => {
                let span = match style {
                    ScalarStyle::Plain => span,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => to_closing_quote(self.text, span),
                    ScalarStyle::Literal | ScalarStyle::Folded => with_header(self.text, span),
                };
                self.scalar(text, style == ScalarStyle::Plain, anchor, tag.as_deref(), span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, _) => self.open(Contents::List(Vec::new()), anchor, span),
            Event::MappingStart(anchor, _) => self.open(Contents::Map(OpenMap::default()), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ => Ok(()),
        }
    }

    fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.flow)
    }

    /// Refuses unquoted text within brackets that kubectl's reader takes for something else: there a `?` begins a key
    /// wherever it stands (`{?a: b}`), and a `:` before a bracket or comma belongs to the text (`{a:}`).
    fn check_flow_text(&self, span: Span) -> Result<(), Fault> {
        let at = span.start as usize;
        let text = without_properties(self.text.get(span.range()).unwrap_or_default());
        if text.contains('?') {
            return Err(Fault::new(at, "an unquoted text within brackets contains `?`").hint("put the text in quotes"));
        }
        if text.starts_with(':') {
            return Err(
                Fault::new(at, "an unquoted text within brackets begins with `:`").hint("put the text in quotes")
            );
        }
        let after = self.text.get(span.end as usize..).unwrap_or_default().trim_start();
        if !span.is_empty() && after.strip_prefix(':').is_some_and(|after| after.starts_with([',', '[', ']', '{', '}']))
        {
            return Err(Fault::new(at, "a key within brackets has no space after its `:`").hint("put a space there"));
        }
        Ok(())
    }

    /// Refuses a name that readers of YAML do not agree on: kubectl's ends at the first other character.
    fn check_anchor(&self, sign: char, at: usize) -> Result<(), Fault> {
        let Some((_, name)) = self.text.get(at..).and_then(|rest| rest.split_once(sign)) else { return Ok(()) };
        let ends = [' ', '\t', '\r', '\n', ',', '[', ']', '{', '}'];
        let name = name.split(ends).next().unwrap_or_default();
        if name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_')) {
            return Ok(());
        }
        Err(Fault::new(at, format!("`{name}` is not a name for an anchor"))
            .hint("use letters, digits, `-` and `_`; quote the text if it is no anchor"))
    }

    fn scalar(
        &mut self,
        text: Cow<str>,
        plain: bool,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Fault> {
        let at = span.start as usize;
        let span = if text.is_empty() && plain && tag.is_none() { Span::empty(at) } else { span };
        self.budget.spend(1, at)?;
        if plain && self.in_flow() {
            self.check_flow_text(span)?;
        }
        let merges = text == "<<" && tag.map_or(plain, is_merge_tag);
        if let Some(map) = self.map_that_waits_for_key().filter(|_| merges) {
            map.key(Key::Merge);
            return Ok(());
        }
        let scalar = Scalar::resolve(&text, plain, tag).map_err(|message| Fault::new(at, message))?;
        if let Some(map) = self.map_that_waits_for_key().filter(|_| anchor == 0) {
            let Some(text) = scalar.into_key(text) else { return Err(null_key(span)) };
            map.key(Key::Name { text, span });
            return Ok(());
        }
        let value = scalar.into_value(text).map_err(|message| {
            Fault::new(at, message).hint("write a finite number, or quote it when it is meant to be text")
        })?;
        self.complete(Built { node: Node { value, span }, size: 1, height: 0 }, anchor, false)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Fault> {
        let at = span.start as usize;
        let Some(original) = self.anchors.get(&anchor) else {
            let name = self.text.get(span.range()).unwrap_or_default();
            return Err(Fault::new(at, format!("the alias `{name}` stands within the value that it names"))
                .hint("a value cannot contain itself; write it out"));
        };
        self.budget.spend(original.size, at)?;
        if self.frames.len() + original.height > DEPTH_LIMIT {
            return Err(Budget::too_deep(at));
        }
        let mut built = original.clone();
        built.node.span = span;
        self.complete(built, 0, true)
    }

    fn open(&mut self, contents: Contents, anchor: usize, span: Span) -> Result<(), Fault> {
        let start = span.start as usize;
        if self.map_that_waits_for_key().is_some() {
            return Err(collection_key(span));
        }
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(Budget::too_deep(start));
        }
        self.budget.spend(1, start)?;
        let flow = self.in_flow()
            || without_properties(self.text.get(span.range()).unwrap_or_default()).starts_with(['[', '{']);
        self.frames.push(Frame { contents, start, flow, anchor, size: 1, height: 1 });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Fault> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let last = match &frame.contents {
            Contents::List(items) => items.last().map(|item| item.span.end),
            Contents::Map(map) => map.end(),
        };
        let bracket = matches!(self.text.as_bytes().get(span.start as usize), Some(b'}' | b']')) && !span.is_empty();
        // The reader's own end of a bracket is that of the comment behind it.
        let end = if bracket { span.start as usize + 1 } else { last.map_or(frame.start, |end| end as usize) };
        let value = match frame.contents {
            Contents::List(items) => Value::List(items),
            Contents::Map(map) => map.finish()?,
        };
        let node = Node { value, span: Span::new(frame.start, end) };
        self.complete(Built { node, size: frame.size, height: frame.height }, frame.anchor, false)
    }

    fn map_that_waits_for_key(&mut self) -> Option<&mut OpenMap> {
        match self.frames.last_mut() {
            Some(Frame { contents: Contents::Map(map), .. }) if map.waits_for_key() => Some(map),
            _ => None,
        }
    }

    /// Puts a value where it belongs: into the open list or map, or at the root.
    fn complete(&mut self, built: Built, anchor: usize, aliased: bool) -> Result<(), Fault> {
        if anchor != 0 {
            self.budget.spend(built.size, built.node.span.start as usize)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(built);
            return Ok(());
        };
        frame.size += built.size;
        frame.height = frame.height.max(built.height + 1);
        match &mut frame.contents {
            Contents::List(items) => items.push(built.node),
            Contents::Map(map) => map.value(built.node, aliased)?,
        }
        Ok(())
    }
}

/// What is written of a value after its anchor and its tag.
fn without_properties(mut written: &str) -> &str {
    while written.starts_with(['&', '!']) {
        let end = written.find([' ', '\t', '\r', '\n']).unwrap_or(written.len());
        written = written.get(end..).unwrap_or_default().trim_start();
    }
    written
}

/// The parser's place of a text block begins with its first line; this one begins with the `|` or `>` before it.
fn with_header(text: &str, span: Span) -> Span {
    let before = text.get(..span.start as usize).unwrap_or_default().trim_end();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.get(line_start..).unwrap_or_default();
    let header = line.match_indices(['|', '>']).find(|(at, sign)| {
        let after = line.get(at + sign.len()..).unwrap_or_default();
        let after = after.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        after.is_empty() || after.starts_with([' ', '\t']) && after.trim_start().starts_with('#')
    });
    header.map_or(span, |(at, _)| Span { start: Span::empty(line_start + at).start, ..span })
}

/// The parser's place of a quoted text ends with the comment behind it; this one with its quote.
fn to_closing_quote(text: &str, span: Span) -> Span {
    let bytes = text.as_bytes().get(span.range()).unwrap_or_default();
    let Some((quote, inner)) = bytes.split_first().filter(|(first, _)| matches!(first, b'"' | b'\'')) else {
        return span;
    };
    let mut inner = inner.iter().enumerate().peekable();
    while let Some((at, byte)) = inner.next() {
        let has_escaped = match byte {
            b'\\' => *quote == b'"',
            byte if byte == quote => *quote == b'\'' && inner.peek().is_some_and(|(_, next)| *next == quote),
            _ => continue,
        };
        if has_escaped {
            inner.next();
        } else if byte == quote {
            return Span::new(span.start as usize, span.start as usize + at + 2);
        }
    }
    span
}

fn is_merge_tag(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "merge"
}

fn second_document(span: Span) -> Fault {
    Fault::new(span.start as usize, "a second document begins within this one")
        .hint("separate documents by a line `---`, with line ends as Unix or Windows write them")
}
