//! Follows a path in Kubernetes' syntax through JSON, for tests.

use serde_json::Value;

/// A step of a path: a field or a key, or an index.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('[') {
            // A key may hold dots and brackets: it ends where the path does, or where the path can go on.
            Some(inner) => {
                let end = inner.match_indices(']').map(|(at, _)| at).find(|at| {
                    let after = &inner[at + 1..];
                    after.is_empty() || after.starts_with(['.', '['])
                });
                let end = end.expect("a bracket that closes");
                (&inner[..end], &inner[end + 1..])
            }
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                (&name[..end], &name[end..])
            }
        };
        steps.push(step);
        rest = after;
    }
    steps
}

/// The value at a path, if there is one, and how many steps of how many lead somewhere.
pub(crate) fn resolve<'v>(object: &'v Value, path: &str) -> (Option<&'v Value>, usize, usize) {
    let steps = steps(path);
    let mut value = object;
    for (done, step) in steps.iter().enumerate() {
        let next = match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            Value::Object(fields) => fields.get(*step),
            _ => None,
        };
        let Some(next) = next else { return (None, done, steps.len()) };
        value = next;
    }
    (Some(value), steps.len(), steps.len())
}

#[test]
fn follows_fields_indices_and_keys() {
    let object = serde_json::json!({"metadata": {"annotations": {"a.b/c[0].d": "x"}}, "spec": {"list": [{"f": 1}]}});
    assert_eq!(resolve(&object, "spec.list[0].f"), (Some(&1.into()), 4, 4));
    assert_eq!(resolve(&object, "metadata.annotations[a.b/c[0].d]").1, 2);
    assert_eq!(resolve(&object, "spec.list[1].f"), (None, 2, 4));
    assert_eq!(resolve(&object, "spec.none.f"), (None, 1, 3));
}
