//! Edits: members and elements are put in, replaced and taken away, and each remembers what has become of it.
//!
//! An edit copies the parts that another copy of the tree shares, and no more.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::{Member, Node, Origin, Parts};
use crate::engine::json::Cursor;

/// Editing. Values are JSON texts; see [`quoted`] for strings.
impl<'a> Node<'a> {
    /// The member of this name, to be edited; one that is absent comes to be when something is put into it. None if this is neither
    /// an object nor vacant.
    pub fn member(&mut self, key: &str) -> Option<&mut Self> {
        let members = self.members_mut()?;
        let found = members.iter().rposition(|member| member.node.origin != Origin::Removed && member.key == key);
        let index = match found {
            Some(index) => index,
            None => {
                members.push(Member { key: Cow::Owned(key.to_owned()), node: Self::vacant().having(Origin::Added) });
                members.len() - 1
            }
        };
        let member = members.get_mut(index)?;
        if member.node.is_absent() && !member.node.is_vacant() {
            member.node.replace(Self::vacant());
        }
        Some(&mut member.node)
    }

    /// What is found by going down from member to member, to be edited; see [`Self::member`].
    pub fn within(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| node.member(key))
    }

    /// Gives the member of this name this value, whether it was there or not; false if this is no object. A member that gets back what it
    /// was has not changed.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> bool {
        let (key, node) = (key.into(), Self::new(value));
        let is_back = self.former(&key).is_some_and(|former| former == node.text);
        let Some(members) = self.members_mut() else { return false };
        if is_back {
            members.retain(|member| member.node.origin != Origin::Added || member.key != key);
        }
        let can_become = |member: &Member<'_>| member.key == key && (is_back || member.node.origin != Origin::Removed);
        match members.iter_mut().rfind(|member| can_become(member)) {
            Some(member) if is_back => member.node = node,
            Some(member) => member.node.replace(node),
            None => members.push(Member { key, node: node.having(Origin::Added) }),
        }
        true
    }

    /// The text that the member of this name came as; none if it was not there.
    fn former(&self, key: &str) -> Option<&str> {
        let Parts::Object(members) = self.parts() else { return None };
        let member = members.iter().rfind(|member| member.key == key && member.node.origin != Origin::Added)?;
        if member.node.origin == Origin::Kept {
            // Whatever has been done within it.
            return Some(&member.node.text);
        }
        let mut former = None;
        let was_read = Cursor::new(&self.text).members(|found, cursor| {
            let text = cursor.value()?;
            former = if *found == *key { Some(text) } else { former };
            Ok(())
        });
        was_read.ok().and(former)
    }

    /// Takes the member of this name away; false if it was not there.
    pub fn remove(&mut self, key: &str) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        let Some(members) = self.members_mut() else { return false };
        let Some(index) = members.iter().rposition(|member| member.node.origin != Origin::Removed && member.key == key)
        else {
            return false;
        };
        match members.get_mut(index) {
            Some(member) if member.node.origin != Origin::Added => member.node.origin = Origin::Removed,
            _ => drop(members.remove(index)),
        }
        true
    }

    /// The element at this place, to be edited.
    pub fn item(&mut self, index: usize) -> Option<&mut Self> {
        let elements = self.elements_mut()?;
        let index = place(elements, index);
        elements.get_mut(index)
    }

    /// Puts an element in at this place, or at the end if there are fewer; false if this is neither an array nor vacant.
    pub fn insert(&mut self, index: usize, value: impl Into<Cow<'a, str>>) -> bool {
        self.insert_node(index, Self::new(value))
    }

    /// The same with a value that has been taken out elsewhere.
    pub fn insert_node(&mut self, index: usize, node: Self) -> bool {
        let Some(elements) = self.elements_mut() else { return false };
        let index = place(elements, index);
        elements.insert(index, node.having(Origin::Added));
        true
    }

    /// Puts an element at the end; false if this is neither an array nor vacant.
    pub fn push(&mut self, value: impl Into<Cow<'a, str>>) -> bool {
        self.insert(usize::MAX, value)
    }

    /// Takes the element at this place out, and gives it.
    pub fn take_item(&mut self, index: usize) -> Option<Self> {
        let elements = self.elements_mut()?;
        let index = place(elements, index);
        let element = elements.get_mut(index)?;
        if element.origin == Origin::Added {
            return Some(elements.remove(index));
        }
        let taken = element.clone();
        element.origin = Origin::Removed;
        Some(taken)
    }

    fn having(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Puts another in its place.
    fn replace(&mut self, node: Self) {
        let origin = if self.origin == Origin::Kept { Origin::Replaced } else { self.origin };
        *self = node.having(origin);
    }

    fn members_mut(&mut self) -> Option<&mut Vec<Member<'a>>> {
        match self.begin_edit(|| Parts::Object(Vec::new()))? {
            Parts::Object(members) => Some(members),
            _ => None,
        }
    }

    fn elements_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self.begin_edit(|| Parts::Array(Vec::new()))? {
            Parts::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The parts of what has any or is vacant, and is filled with these then.
    fn begin_edit(&mut self, fill: impl FnOnce() -> Parts<'a>) -> Option<&mut Parts<'a>> {
        match self.parts() {
            Parts::Scalar => return None,
            Parts::Vacant => self.parts = OnceCell::from(Rc::new(fill())),
            Parts::Object(_) | Parts::Array(_) => {}
        }
        self.is_edited = true;
        self.parts.get_mut().map(Rc::make_mut)
    }
}

/// Where the element stands that has so many left before it.
fn place(elements: &[Node<'_>], index: usize) -> usize {
    let mut left = elements.iter().enumerate().filter(|(_, element)| element.origin != Origin::Removed);
    left.nth(index).map_or(elements.len(), |(place, _)| place)
}
