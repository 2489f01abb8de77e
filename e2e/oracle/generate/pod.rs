//! One random pod and the policies to judge it by.

use super::{
    containers::{any_container, rearrange},
    edit::{field, list, put},
    minimal::Minimal,
    random::Random,
    tweaks::{
        ALLOWED_VOLUMES, APP_ARMOR_PREFIX, FORBIDDEN_VOLUMES, OTHER_KEYS, PROFILES, RELAXATIONS, SECCOMP_POD,
        SECCOMP_PREFIX, Site, TWEAKS, Tweak, UNKNOWN_VOLUMES, Values,
    },
    words, wrong,
};
use serde_json::{Map, Value, json};

/// The question that the judge answers and the engine too: `{op: "pod", metadata, spec, policies}`.
pub fn question(seed: u64, index: u64) -> Value {
    let mut random = Random::of_case(seed, index);
    let minimal = minimal(&mut random);
    let mut pod = pod(minimal, &mut random);
    if random.percent(2) {
        wrong::spoil(&mut pod, &mut random);
    }
    json!({
        "op": "pod",
        "metadata": pod["metadata"].take(),
        "spec": pod["spec"].take(),
        "policies": policies(minimal, &mut random),
    })
}

/// A smallest pod to start from.
pub fn minimal(random: &mut Random) -> Minimal {
    Minimal {
        restricted: random.percent(75),
        minor: words::minor(random),
        windows: random.percent(6),
        on_pod: random.percent(50),
    }
}

/// A pod as `{metadata, spec}`: seven in ten near a boundary, the others changed all over.
pub fn pod(minimal: Minimal, random: &mut Random) -> Value {
    let mut pod = minimal.pod();
    let changes = match random.below(20) {
        0 => 0,
        1..=14 => random.between(1, 3),
        _ => random.between(4, 16),
    };
    for _ in 0..changes {
        change(&mut pod, minimal, random);
    }
    pod
}

/// The version for which the pod was made, at both levels; the minor version before or after; and any policy at all.
fn policies(minimal: Minimal, random: &mut Random) -> Vec<String> {
    let neighbour = if random.percent(50) { minimal.minor.saturating_sub(1) } else { minimal.minor + 1 };
    vec![
        format!("restricted:v1.{}", minimal.minor),
        format!("baseline:v1.{}", minimal.minor),
        format!("restricted:v1.{neighbour}"),
        format!("{}:{}", words::level(random), words::version(random)),
    ]
}

/// One change in one place.
fn change(pod: &mut Value, minimal: Minimal, random: &mut Random) {
    match random.below(20) {
        0..=2 => rearrange(field(pod, "spec"), minimal, random),
        3 => add_volumes(field(pod, "spec"), random),
        4 | 5 => annotate(pod, random),
        6 => relax(field(pod, "spec"), random),
        _ => {
            let tweak = random.pick(TWEAKS);
            apply(tweak, field(pod, "spec"), random);
        }
    }
}

/// Declares what relaxes some checks, and changes a field that one of those looks at.
fn relax(spec: &mut Value, random: &mut Random) {
    let relaxation = random.pick(RELAXATIONS);
    put(spec, relaxation.path, Some(parsed(relaxation.value)));
    let path = random.word(relaxation.relaxes);
    let tweaks: Vec<&Tweak> = TWEAKS.iter().filter(|tweak| tweak.path == path).collect();
    let tweak: &&Tweak = random.pick(&tweaks);
    apply(tweak, spec, random);
}

fn apply(tweak: &Tweak, spec: &mut Value, random: &mut Random) {
    let value = value(tweak.values, random);
    let in_pod = match tweak.site {
        Site::Pod | Site::PodSecurity => true,
        Site::Container | Site::ContainerSecurity => false,
        Site::Security => random.percent(40),
    };
    let root = if in_pod { Some(spec) } else { any_container(spec, random) };
    let Some(root) = root else { return };
    match tweak.site {
        Site::Pod | Site::Container => put(root, tweak.path, value),
        _ => put(root, &format!("securityContext.{}", tweak.path), value),
    }
}

/// A value of a row; none means that the field is taken away.
fn value(values: Values, random: &mut Random) -> Option<Value> {
    match values {
        Values::One(texts) => match random.word(texts) {
            "" => None,
            text => Some(parsed(text)),
        },
        Values::Several(texts) => Some((0..random.between(0, 4)).map(|_| parsed(random.word(texts))).collect()),
        Values::Text(texts) => Some(json!(text(texts, random))),
        Values::Texts(texts) => Some((0..random.between(0, 4)).map(|_| json!(text(texts, random))).collect()),
    }
}

fn text(texts: &[&str], random: &mut Random) -> String {
    if random.percent(6) { words::odd_text(random) } else { random.word(texts).to_owned() }
}

/// The JSON that a table row spells; a row that is no JSON would be compared as a text, and a test reads them all.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn add_volumes(spec: &mut Value, random: &mut Random) {
    if random.percent(4) {
        *field(spec, "volumes") = Value::Null;
        return;
    }
    for _ in 0..random.between(1, 3) {
        let mut volume = Map::new();
        volume.insert("name".into(), json!(words::name(random)));
        for _ in 0..*random.pick(&[0, 1, 1, 1, 1, 1, 2]) {
            let source = match random.below(10) {
                0..=3 => random.word(ALLOWED_VOLUMES),
                4..=8 => random.word(FORBIDDEN_VOLUMES),
                _ => random.word(UNKNOWN_VOLUMES),
            };
            volume.insert(source.into(), if random.percent(10) { Value::Null } else { json!({}) });
        }
        list(spec, "volumes").push(if random.percent(2) { Value::Null } else { Value::Object(volume) });
    }
}

/// Sets annotations of the two profile checks, for containers that are there and for some that are not.
fn annotate(pod: &mut Value, random: &mut Random) {
    for _ in 0..random.between(1, 3) {
        let container = any_container(field(pod, "spec"), random).and_then(|c| c["name"].as_str().map(str::to_owned));
        let name = if random.percent(70) { container.unwrap_or_default() } else { words::name(random) };
        let key = match random.below(10) {
            0..=3 => format!("{APP_ARMOR_PREFIX}{name}"),
            4..=6 => format!("{SECCOMP_PREFIX}{name}"),
            7 | 8 => SECCOMP_POD.to_owned(),
            _ => random.word(OTHER_KEYS).to_owned(),
        };
        let value = if random.percent(4) { Value::Null } else { json!(profile(random)) };
        let annotations = field(field(pod, "metadata"), "annotations");
        *field(annotations, &key) = value;
    }
}

/// The value of a profile annotation; these are printed quoted, so an odd one in four.
fn profile(random: &mut Random) -> String {
    match random.below(8) {
        0 => words::odd_text(random),
        1 => format!("localhost/{}", words::odd_text(random)),
        _ => random.word(PROFILES).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{TWEAKS, Values, question};
    use serde_json::Value;

    #[test]
    fn every_row_of_the_table_is_json_where_it_says_so() {
        for tweak in TWEAKS {
            if let Values::One(texts) | Values::Several(texts) = tweak.values {
                for text in texts.iter().filter(|text| !text.is_empty()) {
                    assert!(serde_json::from_str::<Value>(text).is_ok(), "{}: {text}", tweak.path);
                }
            }
        }
    }

    #[test]
    fn makes_the_same_pod_from_the_same_seed_and_index() {
        assert_eq!(question(1, 42), question(1, 42));
    }
}
