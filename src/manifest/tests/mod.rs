//! The room's tests, by subject. All are data-driven: text in, objects, places or complaints out.

mod complaints;
mod defaults;
mod documents;
mod lists;
mod meaning;
mod places;
mod random;
mod splices;

use super::{DocumentText, Documents, Node, ParseError, parse};

/// The one document of `text`, which must be readable.
fn tree(text: &str) -> Node {
    parse(&DocumentText::new(text)).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The one document of `text` as JSON.
fn json(text: &str) -> String {
    compact(&tree(text))
}

fn compact(node: &Node) -> String {
    node.to_json()
}

/// What is said of a text that cannot be read.
fn complaint(text: &str) -> ParseError {
    match parse(&DocumentText::new(text)) {
        Ok(node) => panic!("{text:?} was read as {}", compact(&node)),
        Err(error) => error,
    }
}

/// The documents of an input, each as JSON or as its error.
fn all(input: &[u8]) -> Vec<String> {
    let documents = Documents::new(input);
    let read = |document: Result<DocumentText, ParseError>| parse(&document?).map(|node| compact(&node));
    documents.map(|document| read(document).unwrap_or_else(|error| format!("error: {error}"))).collect()
}
