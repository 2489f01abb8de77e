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

    /// The elements of a list that are new, and those within which something has changed that counts.
    pub(super) fn items(self, counts: impl Fn(&Node<'a>) -> bool) -> impl Iterator<Item = &'n Node<'a>> {
        let (all, some) = match self {
            Self::New(list) => (Some(list), None),
            Self::Within(list) => (None, Some(list)),
            Self::Gone => (None, None),
        };
        let changed = some.into_iter().flat_map(Node::item_changes).filter_map(move |change| match change {
            Self::New(item) => Some(item),
            Self::Within(item) => counts(item).then_some(item),
            Self::Gone => None,
        });
        all.into_iter().flat_map(Node::items).chain(changed)
    }
}
