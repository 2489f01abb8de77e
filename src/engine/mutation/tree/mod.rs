//! A JSON value that is being edited: what nobody looks into stays the text that it came as, to the letter.
//!
//! Objects and arrays are taken apart one level at a time, when somebody looks. An edit marks what it changes, so that the patch
//! is read off the tree (see [`super::patch`]) and touches nothing else. As the API reads it, a member that is `null` is absent.

mod edit;
mod parts;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::change::Change;
use super::written::{enclosed, quote, unquoted};
use crate::engine::json::{self, Cursor};
use crate::engine::request::Unread;

/// A value and what has been done to it. A copy costs little: both share their parts until one of them is edited.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// As it came, or as it was put here. Out of date once edited.
    text: Cow<'a, str>,
    parts: OnceCell<Rc<Parts<'a>>>,
    is_edited: bool,
    /// What has become of it in what it is a part of.
    pub(super) origin: Origin,
}

#[derive(Debug, Clone)]
pub(super) enum Parts<'a> {
    Scalar,
    Object(Vec<Member<'a>>),
    Array(Vec<Node<'a>>),
    /// Where an object or an array may come to be, as soon as something is put into it. Until then nothing is here.
    Vacant,
}

#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) node: Node<'a>,
}

impl Member<'_> {
    /// Whether this is its key. Most are another by their first letter.
    #[inline]
    fn is(&self, key: &str) -> bool {
        let (own, key) = (self.key.as_bytes(), key.as_bytes());
        own.len() == key.len() && own.first() == key.first() && own == key
    }
}

/// What has become of a part since the tree was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Kept,
    Added,
    Replaced,
    Removed,
}

/// Reading.
impl<'a> Node<'a> {
    /// A value as it came. The text is taken apart as far as somebody looks into it, and not checked otherwise.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), parts: OnceCell::new(), is_edited: false, origin: Origin::Kept }
    }

    fn taken_apart(text: Cow<'a, str>, parts: Parts<'a>) -> Self {
        Self { parts: OnceCell::from(Rc::new(parts)), ..Self::new(text) }
    }

    /// A pod. What has been found in it already is not looked for again.
    pub fn of(pod: Unread<'a>) -> Self {
        let taken_apart = |text, known| {
            Self::taken_apart(Cow::Borrowed(text), Parts::read(Cursor::knowing(text, known), Cow::Borrowed))
        };
        let mut root = taken_apart(pod.text, [pod.metadata, pod.spec, ""]);
        if let Some(Parts::Object(members)) = root.parts.get_mut().and_then(Rc::get_mut)
            && let Some(metadata) =
                members.iter_mut().rfind(|member| member.key == "metadata" && !pod.metadata.is_empty())
        {
            metadata.node = taken_apart(pod.metadata, [pod.labels, pod.annotations, pod.managed_fields]);
        }
        root
    }

    fn vacant() -> Self {
        Self {
            text: Cow::Borrowed("null"),
            parts: OnceCell::from(Rc::new(Parts::Vacant)),
            is_edited: true,
            origin: Origin::Kept,
        }
    }

    /// The member of this name, if it is there and not null.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Parts::Object(members) = self.parts() else { return None };
        let member = members.iter().rev().find(|member| member.is(key) && member.node.origin != Origin::Removed)?;
        (!member.node.is_absent()).then_some(&member.node)
    }

    /// The JSON of the member of this name, if it is there and not null. What has not been taken apart stays so: for who looks once.
    pub fn glance(&self, key: &str) -> Option<Cow<'_, str>> {
        if self.parts.get().is_some() {
            return Some(self.get(key)?.to_json());
        }
        json::member(&self.text, key).map(Cow::Borrowed)
    }

    /// What is found by going down from member to member.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The members that are there and not null; none of what is no object.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = if let Parts::Object(members) = self.parts() { members.as_slice() } else { &[] };
        members
            .iter()
            .filter(|member| member.node.origin != Origin::Removed && !member.node.is_absent())
            .map(|member| (&*member.key, &member.node))
    }

    /// The elements; none of what is no array.
    pub fn items(&self) -> impl Iterator<Item = &Self> {
        let elements = if let Parts::Array(elements) = self.parts() { elements.as_slice() } else { &[] };
        elements.iter().filter(|element| element.origin != Origin::Removed)
    }

    /// The elements of the member of this name; none if there is none.
    pub fn list(&self, key: &str) -> impl Iterator<Item = &Self> {
        self.get(key).into_iter().flat_map(Self::items)
    }

    /// The text of a string; none of anything else.
    pub fn string(&self) -> Option<Cow<'_, str>> {
        unquoted(&self.text)
    }

    /// The string that the member of this name is; none if it is none.
    pub fn string_at(&self, key: &str) -> Option<Cow<'_, str>> {
        match self.leading_name().filter(|_| key == "name") {
            Some(name) => Some(Cow::Borrowed(name)),
            None => self.get(key)?.string(),
        }
    }

    /// The name of what has not been taken apart and need not be for that: the API server writes names first.
    fn leading_name(&self) -> Option<&str> {
        if self.parts.get().is_some_and(|parts| !matches!(**parts, Parts::Scalar)) {
            return None;
        }
        let (name, _) = self.text.strip_prefix(r#"{"name":""#)?.split_once('"')?;
        (!name.contains('\\')).then_some(name)
    }

    /// A string without its quotes, or a number as it is written: what a quantity or a port may be.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match self.text.bytes().next()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(&self.text)),
            _ => None,
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        self.text.parse().ok()
    }

    pub fn integer(&self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// Each member that is not as it came.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&str, Change<'_, 'a>)> {
        let members = match self.parts.get().map(Rc::as_ref) {
            Some(Parts::Object(members)) if self.is_edited => members.as_slice(),
            _ => &[],
        };
        members.iter().filter_map(|member| Some((&*member.key, Change::of(&member.node)?)))
    }

    /// Each element that is not as it came.
    pub(super) fn item_changes(&self) -> impl Iterator<Item = Change<'_, 'a>> {
        let elements = match self.parts.get().map(Rc::as_ref) {
            Some(Parts::Array(elements)) if self.is_edited => elements.as_slice(),
            _ => &[],
        };
        elements.iter().filter_map(Change::of)
    }

    /// Its JSON as it came; none of what has been edited, or was put here by us.
    pub fn as_written(&self) -> Option<&'a str> {
        match self.text {
            Cow::Borrowed(text) if !self.is_edited => Some(text),
            _ => None,
        }
    }

    /// Its JSON as it came or was put here, whatever has been done within it.
    pub(super) fn came_as(&self) -> &str {
        &self.text
    }

    /// Whether the member of this name was not there as it came.
    pub fn is_new(&self, key: &str) -> bool {
        let Parts::Object(members) = self.parts() else { return false };
        let found = members.iter().rfind(|member| member.node.origin != Origin::Removed && member.key == key);
        found.is_none_or(|member| member.node.origin == Origin::Added)
    }

    /// Whether it is an object without members or an array without elements.
    pub fn is_empty(&self) -> bool {
        match self.parts() {
            Parts::Object(_) => self.members().next().is_none(),
            Parts::Array(_) => self.items().next().is_none(),
            Parts::Vacant => true,
            Parts::Scalar => false,
        }
    }

    /// Its JSON as it is now.
    pub fn to_json(&self) -> Cow<'_, str> {
        if !self.is_edited {
            return Cow::Borrowed(&self.text);
        }
        let mut text = String::with_capacity(self.text.len() + 1024);
        self.write(&mut text);
        Cow::Owned(text)
    }

    /// Writes its JSON as it is now.
    pub(super) fn write(&self, text: &mut String) {
        match self.parts.get().map(Rc::as_ref) {
            Some(Parts::Object(members)) if self.is_edited => {
                let left =
                    members.iter().filter(|member| member.node.origin != Origin::Removed && !member.node.is_vacant());
                enclosed(text, ('{', '}'), left, |text, member| {
                    quote(&member.key, text);
                    text.push(':');
                    member.node.write(text);
                });
            }
            Some(Parts::Array(elements)) if self.is_edited => {
                let left = elements.iter().filter(|element| element.origin != Origin::Removed);
                enclosed(text, ('[', ']'), left, |text, element| element.write(text));
            }
            _ => text.push_str(&self.text),
        }
    }

    pub(super) fn parts(&self) -> &Parts<'a> {
        self.parts.get_or_init(|| Rc::new(Parts::of(&self.text)))
    }

    pub(super) fn is_edited(&self) -> bool {
        self.is_edited
    }

    fn is_absent(&self) -> bool {
        if self.is_edited { self.is_vacant() } else { self.text == "null" }
    }

    /// Whether it is nothing yet: no patch and no text shows it.
    pub(super) fn is_vacant(&self) -> bool {
        self.is_edited && self.has_nothing()
    }

    fn has_nothing(&self) -> bool {
        match self.parts.get().map(Rc::as_ref) {
            Some(Parts::Vacant) => true,
            // What was put into a vacant place may itself be vacant still.
            Some(Parts::Object(members)) if self.text == "null" => members.iter().all(|member| member.node.is_vacant()),
            Some(Parts::Array(elements)) if self.text == "null" => elements.is_empty(),
            _ => false,
        }
    }
}
