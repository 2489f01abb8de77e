//! How the API server writes an object that it has read: most of what is zero is left out, some of what is absent is there, and amounts
//! have its spelling.
//!
//! Kept true: a member that [`super::shapes`] does not name stays as it is.

use super::{at, each, fill_absent};
use crate::engine::mutation::{Node, quoted};
use crate::engine::object::{Precision, Quantity};

/// What becomes of a member.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// It is left out when it is zero: an empty text, list or map, `0`, `false`. (A Go field that is no pointer and has `omitempty`.)
    Omitted,
    /// It is there even if nobody has set it, and is then this. (A Go field that is no pointer, or a struct.)
    Always(&'static str),
    Object(Shape),
    /// A list of objects, left out when it is empty.
    Objects(Shape),
    /// A list of objects that stays when it is empty.
    AllObjects(Shape),
    Amount,
    /// A list of resources, left out when it is empty.
    Amounts,
}

/// Members and what becomes of them, in order.
pub(super) type Shape = &'static [(&'static [&'static str], Rule)];

pub(super) fn write(object: &mut Node<'_>, shape: Shape) {
    for (names, rule) in shape {
        names.iter().for_each(|name| write_member(object, name, *rule));
    }
}

fn write_member(object: &mut Node<'_>, name: &str, rule: Rule) {
    match rule {
        Rule::Omitted => omit_zero(object, name),
        Rule::Always(zero) => fill_absent(object, name, zero),
        Rule::Object(shape) => at(object, &[name], |inner| write(inner, shape)),
        Rule::Objects(shape) => {
            each(object, name, |item| write(item, shape));
            omit_zero(object, name);
        }
        Rule::AllObjects(shape) => each(object, name, |item| write(item, shape)),
        Rule::Amount => respell(object, name, Precision::Exact),
        Rule::Amounts => {
            at(object, &[name], |list| {
                let resources: Vec<String> = list.members().map(|(resource, _)| resource.to_owned()).collect();
                resources.iter().for_each(|resource| respell(list, resource, Precision::Thousandths));
            });
            omit_zero(object, name);
        }
    }
}

fn omit_zero(object: &mut Node<'_>, name: &str) {
    let is_zero = |member: &Node<'_>| member.is_empty() || matches!(&*member.to_json(), r#""""# | "0" | "false");
    if object.get(name).is_some_and(is_zero) {
        object.remove(name);
    }
}

/// Gives an amount the API server's spelling; what is no amount is refused elsewhere.
fn respell(object: &mut Node<'_>, name: &str, precision: Precision) {
    let Some(found) = object.get(name) else { return };
    let Some(Ok(text)) = found.scalar().map(|text| Quantity::respelled(&text, precision)) else { return };
    let json = quoted(&text);
    if found.to_json() != json {
        object.set(name.to_owned(), json);
    }
}
