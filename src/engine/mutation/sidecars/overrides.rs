//! What pods set otherwise, by annotations: a closed list of keys, each with a type and bounds.
//!
//! A value goes into one field, as a value of that field's type: whatever a user writes, nothing else can come of it.

use super::super::document::{OnInvalidOverride, OverrideTarget};
use super::super::plan::{Conflict, Reason, Weight};
use super::super::schema::Grammar;
use super::super::tree::Node;
use super::digest::{digest, hexadecimal};
use super::environment::literally;
use super::work::Work;
use crate::engine::object::Quantity;

/// The longest value of an annotation that is looked at, in bytes.
const LONGEST: usize = 4096;

#[derive(Debug)]
pub(super) struct Overrides {
    pub(super) prefix: String,
    pub(super) on_invalid: OnInvalidOverride,
    pub(super) fields: Vec<Field>,
    /// Keys that may have the prefix and are no overrides.
    pub(super) other_keys: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) container: String,
    pub(super) target: OverrideTarget,
    pub(super) rule: Rule,
}

#[derive(Debug)]
pub(super) enum Rule {
    Quantity {
        min: Option<Quantity>,
        max: Option<Quantity>,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Enum(Vec<String>),
    Image(Vec<String>),
    /// Of at most so many characters.
    Text(usize),
}

/// An override that a pod asks for and may have.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) container: &'a str,
    pub(super) target: &'a OverrideTarget,
    /// As it goes into the field.
    pub(super) value: String,
}

impl<'a> Work<'a, '_> {
    /// Reads the pod's overrides.
    pub(super) fn read_overrides(&mut self) -> Result<(), Conflict> {
        let injection = self.injection;
        let Some(overrides) = &injection.overrides else { return Ok(()) };
        for (key, value) in overrides.asked(&self.plan.pod) {
            let end = key.strip_prefix(overrides.prefix.as_str()).unwrap_or_default();
            let field = overrides.fields.iter().find(|field| field.key == end);
            let chosen = field.map(|field| (field, value.and_then(|value| field.rule.accept(&value))));
            let (reason, instead) = match chosen {
                Some((field, Some(value))) => {
                    self.overrides.push(Chosen { container: &field.container, target: &field.target, value });
                    continue;
                }
                Some((field, None)) => (Reason::InvalidOverride, format!("which is {}", field.wanted())),
                None => (Reason::UnknownOverride, format!("beside {}", overrides.keys())),
            };
            self.refuse_override(overrides.on_invalid, reason, format!("annotation {key:?}, {instead}"))?;
        }
        self.tell_renderings_apart();
        Ok(())
    }

    fn refuse_override(&mut self, how: OnInvalidOverride, reason: Reason, about: String) -> Result<(), Conflict> {
        match how {
            OnInvalidOverride::Deny => Err(Conflict { reason, about, weight: Weight::Denied }),
            OnInvalidOverride::Warn => {
                self.note(reason, Weight::Warning, about);
                Ok(())
            }
        }
    }

    /// The digest on record is that of what is rendered for this pod.
    fn tell_renderings_apart(&mut self) {
        if !self.overrides.is_empty() {
            let chosen: Vec<String> = self.overrides.iter().map(|chosen| format!("{chosen:?}")).collect();
            let texts = std::iter::once(self.record.digest.as_str()).chain(chosen.iter().map(String::as_str));
            self.record.digest = hexadecimal(digest(texts));
        }
    }
}

impl Overrides {
    /// The keys that there are, as far as they fit into a warning.
    fn keys(&self) -> String {
        let keys: Vec<&str> = self.fields.iter().map(|field| field.key.as_str()).collect();
        few(&keys)
    }

    /// The annotations with the prefix, in their order: keys and values, without values that are no texts or too long.
    fn asked(&self, pod: &Node<'_>) -> Vec<(String, Option<String>)> {
        let annotations = pod.at(&["metadata", "annotations"]);
        let members = annotations.into_iter().flat_map(Node::members);
        let ours = members
            .filter(|(key, _)| key.starts_with(&self.prefix) && !self.other_keys.iter().any(|other| other == key));
        ours.map(|(key, value)| {
            let text = value.string().filter(|text| text.len() <= LONGEST).map(|text| text.into_owned());
            (key.to_owned(), text)
        })
        .collect()
    }
}

impl Field {
    /// What is allowed, for somebody who wrote something else.
    fn wanted(&self) -> String {
        match &self.rule {
            Rule::Quantity { min, max } => {
                let resource = match &self.target {
                    OverrideTarget::Request(resource) | OverrideTarget::Limit(resource) => resource,
                    OverrideTarget::Image | OverrideTarget::Env(_) => "",
                };
                let written = |bound: &Option<Quantity>| bound.map(|bound| bound.written_for(resource));
                format!("an amount{}", bounds(written(min), written(max)))
            }
            Rule::Integer { min, max } => {
                let min = (*min != i64::MIN).then(|| min.to_string());
                let max = (*max != i64::MAX).then(|| max.to_string());
                format!("a whole number{}", bounds(min, max))
            }
            Rule::Enum(values) => format!("one of {}", few(values)),
            Rule::Image(patterns) => format!("an image like {}", few(patterns)),
            Rule::Text(longest) => format!("a line of at most {longest} characters"),
        }
    }
}

impl Rule {
    /// The value as it goes into the field; none if it is not allowed.
    pub(super) fn accept(&self, value: &str) -> Option<String> {
        let is_allowed = match self {
            Self::Quantity { min, max } => {
                let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte));
                let quantity = Quantity::parse(value).ok().filter(|quantity| is_plain && !quantity.is_negative())?;
                min.is_none_or(|min| quantity >= min) && max.is_none_or(|max| quantity <= max)
            }
            Self::Integer { min, max } => {
                let number: i64 = value.parse().ok()?;
                (*min..=*max).contains(&number) && number.to_string() == value
            }
            Self::Enum(values) => values.iter().any(|allowed| allowed == value),
            Self::Image(patterns) => {
                Grammar::Image.accepts(value) && patterns.iter().any(|pattern| is_image_like(pattern, value))
            }
            Self::Text(longest) => value.chars().count() <= *longest && value.chars().all(is_printable),
        };
        // What a variable's value refers to is expanded by the kubelet, but never what a user wrote.
        is_allowed.then(|| if matches!(self, Self::Text(_)) { literally(value) } else { value.to_owned() })
    }
}

fn bounds(min: Option<String>, max: Option<String>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    }
}

/// The first ones of a list, which may be of any length.
fn few(texts: &[impl AsRef<str>]) -> String {
    const MOST: usize = 8;
    let shown: Vec<&str> = texts.iter().take(MOST).map(AsRef::as_ref).collect();
    let more = if texts.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn is_printable(character: char) -> bool {
    let is_invisible = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    !character.is_control() && !is_invisible
}

/// Whether an image is as the pattern says: `*` stands for any text without `/`, `**` for any.
fn is_image_like(pattern: &str, image: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == image };
    let Some(rest) = image.strip_prefix(before) else { return false };
    let (rest_of_pattern, crosses) = match after.strip_prefix('*') {
        Some(after) => (after, true),
        None => (after, false),
    };
    let ends = rest.char_indices().map(|(index, _)| index).chain([rest.len()]);
    let mut pieces = ends.filter_map(|end| rest.split_at_checked(end));
    pieces.any(|(skipped, left)| (crosses || !skipped.contains('/')) && is_image_like(rest_of_pattern, left))
}
