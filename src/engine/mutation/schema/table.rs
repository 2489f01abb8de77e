//! Kubernetes' own types, as far as documents hold parts of them: `kubernetes.txt`, read once.
//!
//! The text is what an API server of that version publishes, which a test holds (`e2e/mutation/schema.rs`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("kubernetes.txt");

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// Types by name.
#[derive(Debug, Default)]
pub(super) struct Table {
    version: &'static str,
    types: BTreeMap<&'static str, Vec<Field>>,
}

/// A field of a type.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) is_required: bool,
    pub(super) kind: Kind,
    /// The only values that a text may have; empty if it may have any.
    pub(super) words: Vec<&'static str>,
}

/// What a field holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Boolean,
    Int32,
    Int64,
    Quantity,
    IntegerOrText,
    Anything,
    List(Box<Self>),
    Map(Box<Self>),
    Object(&'static str),
}

/// The version of Kubernetes, such as `Kubernetes 1.37`.
pub(super) fn version() -> &'static str {
    TABLE.version
}

/// The fields of a type; none if there is no such type.
pub(super) fn fields(name: &str) -> &'static [Field] {
    TABLE.types.get(name).map_or(&[], Vec::as_slice)
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut lines = text.lines();
        let mut table = Self { version: lines.next().unwrap_or_default(), types: BTreeMap::new() };
        let mut name = "";
        for line in lines {
            match line.strip_prefix("  ") {
                Some(field) => table.types.entry(name).or_default().push(Field::read(field)),
                None => name = line,
            }
        }
        table
    }
}

impl Field {
    fn read(line: &'static str) -> Self {
        let mut parts = line.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let (name, kind, words) = (next(), next(), next());
        Self {
            name: name.trim_end_matches('!'),
            is_required: name.ends_with('!'),
            kind: Kind::read(kind),
            words: words.split('|').filter(|word| !word.is_empty()).collect(),
        }
    }
}

impl Kind {
    fn read(text: &'static str) -> Self {
        let within = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(items) = within('[', ']') {
            return Self::List(Box::new(Self::read(items)));
        }
        if let Some(values) = within('{', '}') {
            return Self::Map(Box::new(Self::read(values)));
        }
        match text {
            "text" => Self::Text,
            "boolean" => Self::Boolean,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "quantity" => Self::Quantity,
            "int-or-text" => Self::IntegerOrText,
            "anything" => Self::Anything,
            name => Self::Object(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_field_holds_is_in_the_table() {
        let all: Vec<&Field> = TABLE.types.values().flatten().collect();
        assert!(all.len() > 300, "{}", all.len());
        for field in all {
            let mut kind = &field.kind;
            while let Kind::List(inner) | Kind::Map(inner) = kind {
                kind = inner;
            }
            if let Kind::Object(name) = kind {
                assert!(TABLE.types.contains_key(name), "{}: {name}", field.name);
            }
        }
    }

    #[test]
    fn fields_are_read_with_what_is_said_of_them() {
        let field = |of: &str, name: &str| fields(of).iter().find(|field| field.name == name).expect("a field");
        assert!(version().starts_with("Kubernetes 1."));
        assert!(field("Container", "name").is_required);
        assert_eq!(field("Container", "ports").kind, Kind::List(Box::new(Kind::Object("ContainerPort"))));
        assert_eq!(field("ContainerPort", "containerPort").kind, Kind::Int32);
        assert_eq!(field("Container", "imagePullPolicy").words, ["Always", "IfNotPresent", "Never"]);
        assert_eq!(field("ResourceRequirements", "limits").kind, Kind::Map(Box::new(Kind::Quantity)));
        assert!(fields("Nothing").is_empty());
    }
}
