//! A JSON value that is being edited: what nobody looks into stays the text that it came as, to the letter.
//!
//! Objects and arrays are taken apart one level at a time, when somebody looks. An edit marks what it changes, so that the patch
//! is read off the tree (see [`super::patch`]) and touches nothing else. As the API reads it, a member that is `null` is absent.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::change::Change;
use crate::engine::json::{Cursor, DecodeError};
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

    /// A pod. What has been found in it already is not looked for again.
    pub fn of(pod: Unread<'a>) -> Self {
        let taken_apart = |text, known| {
            let parts = Parts::read(Cursor::knowing(text, known), Cow::Borrowed);
            Self {
                text: Cow::Borrowed(text),
                parts: OnceCell::from(Rc::new(parts)),
                is_edited: false,
                origin: Origin::Kept,
            }
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
        let member = members.iter().rev().find(|member| member.node.origin != Origin::Removed && member.key == key)?;
        (!member.node.is_absent()).then_some(&member.node)
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
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(&self.text).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
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
        self.is_vacant() || (!self.is_edited && self.text == "null")
    }

    /// Whether it is nothing yet: no patch and no text shows it.
    pub(super) fn is_vacant(&self) -> bool {
        match self.parts.get().map(Rc::as_ref) {
            Some(Parts::Vacant) => true,
            // What was put into a vacant place may itself be vacant still.
            Some(Parts::Object(members)) if self.text == "null" => members.iter().all(|member| member.node.is_vacant()),
            Some(Parts::Array(elements)) if self.text == "null" => elements.is_empty(),
            _ => false,
        }
    }
}

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
    pub fn set(&mut self, key: &str, value: impl Into<Cow<'a, str>>) -> bool {
        let node = Self::new(value);
        let is_back = self.former(key).is_some_and(|former| former == node.text);
        let Some(members) = self.members_mut() else { return false };
        if is_back {
            members.retain(|member| member.node.origin != Origin::Added || member.key != key);
        }
        let can_become = |member: &Member<'_>| member.key == key && (is_back || member.node.origin != Origin::Removed);
        match members.iter_mut().rfind(|member| can_become(member)) {
            Some(member) if is_back => member.node = node,
            Some(member) => member.node.replace(node),
            None => members.push(Member { key: Cow::Owned(key.to_owned()), node: node.having(Origin::Added) }),
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

impl<'a> Parts<'a> {
    fn of(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::read(Cursor::new(text), Cow::Borrowed),
            Cow::Owned(text) => Self::read(Cursor::new(text), |part| Cow::Owned(part.to_owned())),
        }
    }

    /// What is no JSON has no parts, as far as its brackets and keys tell.
    fn read<'t>(cursor: Cursor<'t>, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Self {
        Self::try_read(cursor, keep).unwrap_or(Self::Scalar)
    }

    fn try_read<'t>(mut cursor: Cursor<'t>, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Result<Self, DecodeError> {
        // Members are mostly longer than this. Sixteen are as much as allocators hand out again at little cost.
        let room = (cursor.length() / 32).clamp(2, 16);
        let parts = match cursor.peek() {
            Some(b'{') => {
                let mut members = Vec::with_capacity(room);
                cursor.members(|key, cursor| {
                    let key = key.borrowed().map_or_else(|| Cow::Owned(key.to_string()), &keep);
                    let node = Node::new(keep(cursor.value()?));
                    members.push(Member { key, node });
                    Ok(())
                })?;
                Self::Object(members)
            }
            Some(b'[') => {
                let mut elements = Vec::with_capacity(4);
                cursor.elements(|cursor| {
                    elements.push(Node::new(keep(cursor.value()?)));
                    Ok(())
                })?;
                Self::Array(elements)
            }
            _ => return Ok(Self::Scalar),
        };
        cursor.end().map(|()| parts)
    }
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

/// Writes a string as JSON.
pub(super) fn quote(text: &str, json: &mut String) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        // A string always has a JSON form.
        json.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

fn enclosed<T>(
    text: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    text.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}
