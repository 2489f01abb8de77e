//! A text taken apart by one level; by two where it has lists of containers.

use std::borrow::Cow;

use super::{Member, Node, Parts};
use crate::engine::json::{Cursor, DecodeError};

impl<'a> Parts<'a> {
    pub(super) fn of(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::read(Cursor::new(text), Cow::Borrowed),
            Cow::Owned(text) => Self::read(Cursor::new(text), |part| Cow::Owned(part.to_owned())),
        }
    }

    /// What is no JSON has no parts, as far as its brackets and keys tell.
    pub(super) fn read<'t>(cursor: Cursor<'t>, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Self {
        Self::try_read(cursor, keep).unwrap_or(Self::Scalar)
    }

    fn try_read<'t>(mut cursor: Cursor<'t>, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Result<Self, DecodeError> {
        // Members are mostly longer than this. Sixteen are as much as allocators hand out again at little cost.
        let room = (cursor.length() / 32).clamp(2, 16);
        let parts = match cursor.peek() {
            Some(b'{') => {
                let mut members = Vec::with_capacity(room);
                cursor.members(|key, cursor| {
                    let is_list_of_containers = matches!(&*key, "containers" | "initContainers");
                    let key = key.borrowed().map_or_else(|| Cow::Owned(key.to_string()), &keep);
                    let node = if is_list_of_containers && cursor.peek() == Some(b'[') {
                        // Whoever comes as far as this looks into it: to pass it first would be to read it twice.
                        let (elements, text) = cursor.spanned(|cursor| Self::elements(cursor, &keep))?;
                        Node::taken_apart(keep(text), elements)
                    } else {
                        Node::new(keep(cursor.value()?))
                    };
                    members.push(Member { key, node });
                    Ok(())
                })?;
                Self::Object(members)
            }
            Some(b'[') => Self::elements(&mut cursor, &keep)?,
            _ => return Ok(Self::Scalar),
        };
        cursor.end().map(|()| parts)
    }

    fn elements<'t>(cursor: &mut Cursor<'t>, keep: &impl Fn(&'t str) -> Cow<'a, str>) -> Result<Self, DecodeError> {
        let mut elements = Vec::with_capacity(4);
        cursor.elements(|cursor| {
            elements.push(Node::new(keep(cursor.value()?)));
            Ok(())
        })?;
        Ok(Self::Array(elements))
    }
}
