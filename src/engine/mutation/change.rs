//! What has become of the parts of a tree, for those who only look at what is not as it came.

use super::tree::{Node, Origin};

/// How a part is not as it came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'n, 'a> {
    /// It was put here, in the place of another or of none.
    New(&'n Node<'a>),
    /// Something within it has changed.
    Within(&'n Node<'a>),
    Gone,
}

impl<'n, 'a> Change<'n, 'a> {
    pub(super) fn of(node: &'n Node<'a>) -> Option<Self> {
        match node.origin {
            Origin::Removed => Some(Self::Gone),
            _ if node.is_vacant() => None,
            Origin::Added | Origin::Replaced => Some(Self::New(node)),
            Origin::Kept => node.is_edited().then_some(Self::Within(node)),
        }
    }
}
