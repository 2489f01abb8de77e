//! Says in plain words what a YAML text has wrong, and what to do instead.
//!
//! The parser's own messages speak of its grammar. Here they are told apart by what people do: tabs, templates that
//! are not rendered, values with a colon, indentation that fits nothing.

use super::error::Fault;

/// Puts a fault into plain words; those that have a hint already are left as they are, unless a template explains them.
pub(super) fn explain(text: &str, fault: Fault) -> Fault {
    let line = line_around(text, fault.offset);
    if is_template(text, line.text) {
        let offset = line.text.find("{{").map_or(fault.offset, |at| line.start + at);
        return Fault::new(offset, "this is a template, not YAML")
            .hint("render it first (`helm template …`) and give what comes out");
    }
    if fault.hint.is_some() {
        return fault;
    }
    // The parser sees a tab on the next line while it is still at the end of this one.
    let next = Some(line_around(text, line.start + line.text.len() + 1)).filter(|_| fault.message.contains("tab"));
    if let Some(tab) = indentation_tab(&line).or_else(|| indentation_tab(&next?)) {
        return Fault::new(tab, "a tab is used for indentation")
            .hint("indent with spaces; YAML does not allow tabs there");
    }
    match EXPLANATIONS.iter().find(|(part, _, _)| fault.message.contains(part)) {
        Some((_, message, hint)) => Fault::new(fault.offset, *message).hint(*hint),
        None => fault,
    }
}

/// Part of the parser's message, what we say, and what to do instead. The first that fits counts.
const EXPLANATIONS: &[(&str, &str, &str)] = &[
    (
        "unknown anchor",
        "this alias (`*name`) has no anchor in the document",
        "write `&name` before the value that it stands for; quote the text if it is meant to begin with `*`",
    ),
    (
        "mapping values are not allowed",
        "a `:` that makes a key stands where no key can be",
        "quote the value when it contains `: `; otherwise align this line with the keys that it belongs to",
    ),
    ("mapping keys are not allowed", "a key stands where no key can be", "align it with the keys that it belongs to"),
    (
        "block sequence entries are not allowed",
        "a list item (`- `) stands where none can be",
        "begin the list on a line of its own, below its key",
    ),
    (
        "did not find expected key",
        "this line is neither a key of the map above it nor part of its last value",
        "align it with the keys that it belongs to",
    ),
    (
        "did not find expected '-'",
        "this line is neither an item of the list above it nor part of its last item",
        "begin it with `- `, or align it with the keys that it belongs to",
    ),
    (
        "simple key expect",
        "this line has no `:` after its key",
        "write `key: value`, or indent the line when it goes on with the value above",
    ),
    ("invalid indentation", "this line is not indented enough", "indent it more than the line that it belongs to"),
    (
        "wrongly indented",
        "this line is not indented like the text block around it",
        "align it with the block's first line",
    ),
    ("unexpected end of stream", "a quoted text is not closed", "close it with the same kind of quote"),
    ("unexpected document indicator", "a quoted text is not closed", "close it with the same kind of quote"),
    (
        "trailing content after",
        "there is more text after the closing quote",
        "quote the whole value, or escape the quote within it (`\\\"`, or `''` in single quotes)",
    ),
    (
        "unknown escape",
        "this escape does not exist in double quotes",
        "double the backslash, or use single quotes, which know no escapes",
    ),
    ("expected ',' or '}'", "this map in braces is not closed", "put `,` between its entries and `}` at its end"),
    ("expected ',' or ']'", "this list in brackets is not closed", "put `,` between its items and `]` at its end"),
    ("misplaced bracket", "this bracket closes nothing", "remove it, or quote the text that it belongs to"),
    ("unexpected character", "text cannot begin with this character", "put the text in quotes"),
    (
        "expected <document start>",
        "the document has ended and more text follows",
        "align it with the rest, or put a line `---` before it when it is another document",
    ),
    (
        "comments must be separated",
        "a `#` stands right behind a value",
        "put a space before it; quote the text that it belongs to",
    ),
    (
        "comment intercepting",
        "a text that goes on over several lines is cut by a comment",
        "move the comment, or quote the text",
    ),
    ("scanning a tag", "this is not a tag (`!name`)", "quote the text if it is meant to begin with `!`"),
    ("parsing a tag", "this is not a tag (`!name`)", "quote the text if it is meant to begin with `!`"),
    ("scanning an anchor", "this is not an anchor or alias", "quote the text if it is meant to begin with `&` or `*`"),
    ("cannot start with '-'", "text cannot begin with this character", "put the text in quotes"),
    (
        "handle wasn't declared",
        "this tag has a prefix that is not declared",
        "quote the text if it is meant to begin with `!`",
    ),
    ("did not find expected node content", "a value is expected here", "write one, or put the text in quotes"),
    ("':' must be followed", "a `:` that makes a key has no space after it", "put a space there; a tab does not do"),
    ("recursion limit", "lists and maps in brackets are nested too deeply", "flatten the document"),
    (
        "unprintable",
        "this character cannot be printed and is not allowed",
        "remove it, or write it as an escape in double quotes",
    ),
    ("byte order mark", "a byte order mark stands within the document", "remove it; it may only begin a file"),
    ("tab", "a tab stands where YAML allows only spaces", "use spaces"),
];

/// A line of the text with the offset at which it begins.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

fn line_around(text: &str, offset: usize) -> Line<'_> {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    Line { start, text: rest.lines().next().unwrap_or_default() }
}

/// The offset of a tab among the blanks that a line begins with.
fn indentation_tab(line: &Line<'_>) -> Option<usize> {
    let blanks = line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
    line.text.get(..blanks)?.find('\t').map(|at| line.start + at)
}

/// True when the line is written in the language of Helm's templates, or one that begins so; within a text block, where
/// templates may be meant, no line begins at the margin.
fn is_template(text: &str, line: &str) -> bool {
    line.contains("{{") || text.contains("{{") && text.lines().any(|line| line.starts_with("{{"))
}
