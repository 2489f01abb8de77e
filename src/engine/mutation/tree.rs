//! A JSON value that is being edited: what nobody looks into stays the text that it came as, to the letter.
//!
//! Objects and arrays are taken apart one level at a time, when somebody looks. An edit marks what it changes, so that the patch
//! is read off the tree (see [`super::patch`]) and touches nothing else. As the API reads it, a member that is `null` is absent.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::engine::json;

/// A value and what has been done to it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// As it came, or as it was put here. Out of date once edited.
    text: Cow<'a, str>,
    parts: OnceCell<Parts<'a>>,
    is_edited: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Parts<'a> {
    Scalar,
    Object(Vec<Member<'a>>),
    Array(Vec<Element<'a>>),
    /// Where an object or an array may come to be, as soon as something is put into it. Until then nothing is here.
    Vacant,
}

#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) node: Node<'a>,
    pub(super) origin: Origin,
    /// What stood here before it was replaced.
    was: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone)]
pub(super) struct Element<'a> {
    pub(super) node: Node<'a>,
    pub(super) origin: Origin,
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
        Self { text: text.into(), parts: OnceCell::new(), is_edited: false }
    }

    fn vacant() -> Self {
        Self { text: Cow::Borrowed("null"), parts: OnceCell::from(Parts::Vacant), is_edited: true }
    }

    /// The member of this name, if it is there and not null.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Parts::Object(members) = self.parts() else { return None };
        let member = members.iter().rev().find(|member| member.origin != Origin::Removed && member.key == key)?;
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
            .filter(|member| member.origin != Origin::Removed && !member.node.is_absent())
            .map(|member| (&*member.key, &member.node))
    }

    /// The elements; none of what is no array.
    pub fn items(&self) -> impl Iterator<Item = &Self> {
        let elements = if let Parts::Array(elements) = self.parts() { elements.as_slice() } else { &[] };
        elements.iter().filter(|element| element.origin != Origin::Removed).map(|element| &element.node)
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
        self.get(key)?.string()
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
        let found = members.iter().rfind(|member| member.origin != Origin::Removed && member.key == key);
        found.is_none_or(|member| member.origin == Origin::Added)
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

    fn write(&self, text: &mut String) {
        match self.parts.get() {
            Some(Parts::Object(members)) if self.is_edited => {
                let left = members.iter().filter(|member| member.origin != Origin::Removed && !member.node.is_vacant());
                enclosed(text, ('{', '}'), left, |text, member| {
                    quote(&member.key, text);
                    text.push(':');
                    member.node.write(text);
                });
            }
            Some(Parts::Array(elements)) if self.is_edited => {
                let left = elements.iter().filter(|element| element.origin != Origin::Removed);
                enclosed(text, ('[', ']'), left, |text, element| element.node.write(text));
            }
            _ => text.push_str(&self.text),
        }
    }

    pub(super) fn parts(&self) -> &Parts<'a> {
        self.parts.get_or_init(|| Parts::of(&self.text))
    }

    pub(super) fn is_edited(&self) -> bool {
        self.is_edited
    }

    fn is_absent(&self) -> bool {
        self.is_vacant() || (!self.is_edited && self.text == "null")
    }

    /// Whether it is nothing yet: no patch and no text shows it.
    pub(super) fn is_vacant(&self) -> bool {
        match self.parts.get() {
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
        let found = members.iter().rposition(|member| member.origin != Origin::Removed && member.key == key);
        let index = match found {
            Some(index) => index,
            None => {
                members.push(Member {
                    key: Cow::Owned(key.to_owned()),
                    node: Self::vacant(),
                    origin: Origin::Added,
                    was: None,
                });
                members.len() - 1
            }
        };
        let member = members.get_mut(index)?;
        if member.node.is_absent() && !member.node.is_vacant() {
            member.node = Self::vacant();
            member.origin = Origin::Replaced;
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
        let Some(members) = self.members_mut() else { return false };
        let node = Self::new(value);
        match members.iter_mut().rfind(|member| member.key == key && member.can_become(&node)) {
            Some(member) => member.replace(node),
            None => members.push(Member { key: Cow::Owned(key.to_owned()), node, origin: Origin::Added, was: None }),
        }
        true
    }

    /// Takes the member of this name away; false if it was not there.
    pub fn remove(&mut self, key: &str) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        let Some(members) = self.members_mut() else { return false };
        let Some(index) = members.iter().rposition(|member| member.origin != Origin::Removed && member.key == key)
        else {
            return false;
        };
        match members.get_mut(index) {
            Some(member) if member.origin != Origin::Added => member.origin = Origin::Removed,
            _ => drop(members.remove(index)),
        }
        true
    }

    /// The element at this place, to be edited.
    pub fn item(&mut self, index: usize) -> Option<&mut Self> {
        let elements = self.elements_mut()?;
        let index = place(elements, index);
        elements.get_mut(index).map(|element| &mut element.node)
    }

    /// Puts an element in at this place, or at the end if there are fewer; false if this is neither an array nor vacant.
    pub fn insert(&mut self, index: usize, value: impl Into<Cow<'a, str>>) -> bool {
        self.insert_node(index, Self::new(value))
    }

    /// The same with a value that has been taken out elsewhere.
    pub fn insert_node(&mut self, index: usize, node: Self) -> bool {
        let Some(elements) = self.elements_mut() else { return false };
        let index = place(elements, index);
        elements.insert(index, Element { node, origin: Origin::Added });
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
            return Some(elements.remove(index).node);
        }
        element.origin = Origin::Removed;
        Some(element.node.clone())
    }

    fn members_mut(&mut self) -> Option<&mut Vec<Member<'a>>> {
        self.begin_edit(|| Parts::Object(Vec::new()));
        match self.parts.get_mut()? {
            Parts::Object(members) => Some(members),
            _ => None,
        }
    }

    fn elements_mut(&mut self) -> Option<&mut Vec<Element<'a>>> {
        self.begin_edit(|| Parts::Array(Vec::new()));
        match self.parts.get_mut()? {
            Parts::Array(elements) => Some(elements),
            _ => None,
        }
    }

    fn begin_edit(&mut self, fill: impl FnOnce() -> Parts<'a>) {
        match self.parts() {
            Parts::Scalar => return,
            Parts::Vacant => self.parts = OnceCell::from(fill()),
            Parts::Object(_) | Parts::Array(_) => {}
        }
        self.is_edited = true;
    }
}

impl<'a> Member<'a> {
    /// Whether it is there, or was until it was removed and is this again.
    fn can_become(&self, node: &Node<'a>) -> bool {
        self.origin != Origin::Removed || self.node.text == node.text
    }

    fn replace(&mut self, node: Node<'a>) {
        // The text of what was kept is what it was, whatever has been done to it.
        let former = std::mem::replace(&mut self.node, node).text;
        match self.origin {
            Origin::Added => return,
            Origin::Replaced => {}
            Origin::Kept | Origin::Removed => self.was = Some(former),
        }
        let is_back = self.was.as_ref() == Some(&self.node.text);
        self.origin = if is_back { Origin::Kept } else { Origin::Replaced };
    }
}

/// Where the element stands that has so many left before it.
fn place(elements: &[Element<'_>], index: usize) -> usize {
    let mut left = elements.iter().enumerate().filter(|(_, element)| element.origin != Origin::Removed);
    left.nth(index).map_or(elements.len(), |(place, _)| place)
}

impl<'a> Parts<'a> {
    fn of(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::taken(text, Cow::Borrowed),
            Cow::Owned(text) => Self::taken(text, |part| Cow::Owned(part.to_owned())),
        }
    }

    fn taken<'t>(text: &'t str, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Self {
        let kept = |text| Node::new(keep(text));
        match text.bytes().next() {
            Some(b'{') => json::members(text).map_or(Self::Scalar, |members| {
                let member = |(key, text): (crate::engine::object::Text<'t>, &'t str)| Member {
                    key: key.borrowed().map_or_else(|| Cow::Owned(key.to_string()), &keep),
                    node: kept(text),
                    origin: Origin::Kept,
                    was: None,
                };
                Self::Object(members.into_iter().map(member).collect())
            }),
            Some(b'[') => json::elements(text).map_or(Self::Scalar, |elements| {
                Self::Array(
                    elements.into_iter().map(|text| Element { node: kept(text), origin: Origin::Kept }).collect(),
                )
            }),
            _ => Self::Scalar,
        }
    }
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

fn quote(text: &str, json: &mut String) {
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
