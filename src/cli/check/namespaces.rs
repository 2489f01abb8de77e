//! The first pass: the labels of the Namespaces among the inputs, wherever they stand.
//!
//! What cannot be read is left to the second pass, which says so.

use super::sources::Source;
use super::units::{Read, produce};
use crate::cli::inputs::labels;
use crate::engine::object::StringMap;
use crate::manifest::{DocumentText, objects, parse};

/// Hands on each Namespace in the order of the inputs, so that the last of a name counts. Gives the number of inputs.
pub(super) fn collect(sources: &[Source], mut insert: impl FnMut(&str, &StringMap<'_>)) -> usize {
    let mut inputs = 0;
    // Nobody here stops wanting units.
    let _ = produce(sources, &mut |unit| {
        inputs += unit.inputs;
        for text in &unit.texts {
            if let Read::Document(document) = &text.content
                && may_hold_namespace(document)
            {
                read(document, &mut insert);
            }
        }
        Ok(())
    });
    inputs
}

/// Whether the word stands there; most documents need not be parsed twice. In double quotes it may be written in escapes.
fn may_hold_namespace(document: &DocumentText) -> bool {
    let text = document.text.as_bytes();
    memchr::memmem::find(text, b"Namespace").is_some()
        || memchr::memmem::find_iter(text, b"\\").any(|at| matches!(text.get(at + 1), Some(b'u' | b'U' | b'x')))
}

fn read(document: &DocumentText, insert: &mut impl FnMut(&str, &StringMap<'_>)) {
    let Ok(root) = parse(document) else { return };
    for object in objects(document, root).iter().flatten() {
        if (object.api_version(), object.kind()) == (Some("v1"), Some("Namespace"))
            && let (Some(name), Ok(labels)) = (object.name(), labels(&object.node))
        {
            insert(name, &labels);
        }
    }
}
