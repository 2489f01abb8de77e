//! The words of the cases: names, policies, and strings that Go's `%q` has to escape.
//!
//! Most names are plain, because a name is seldom what a case is about; some repeat, some are empty, some are hostile.

use super::random::Random;

const NAMES: &[&str] = &["a", "b", "c", "app", "sidecar", "web", "initcontainer1", "container1", "debug"];

/// Pieces that quoting must get right: quotes, escapes, control runes, unprintable runes of each kind, wide runes.
const ODD: &[&str] = &[
    "\"",
    "\\",
    "\n",
    "\t",
    "\r",
    "\u{7}",
    "\u{0}",
    "\u{1b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "é",
    "ß",
    "\u{301}",
    "\u{378}",
    "\u{600}",
    "\u{200b}",
    "\u{2028}",
    "\u{3000}",
    "\u{e000}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ffff}",
    "漢",
    "😀",
    "\u{10ffff}",
    "`",
    "'",
    "%q",
    "%!s",
    "<b>",
    "&",
    "=",
    ",",
    "\", \"",
    " ",
    "/",
    "$",
];

/// The name of a container, volume or pod.
pub fn name(random: &mut Random) -> String {
    match random.below(20) {
        0 => String::new(),
        1 => odd_text(random),
        _ => random.word(NAMES).to_owned(),
    }
}

/// Text that no one should write: a few odd pieces among plain letters, and now and then any rune at all.
pub fn odd_text(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.between(1, 4) {
        match random.below(4) {
            0 => text.push('x'),
            1 => text.extend(any_rune(random)),
            _ => text.push_str(random.word(ODD)),
        }
    }
    text
}

/// Any Unicode scalar value, the lower planes more often; none where the number is a surrogate.
fn any_rune(random: &mut Random) -> Option<char> {
    let end = *random.pick(&[0x100, 0x3000, 0x1_0000, 0x2_0000, 0x11_0000]);
    u32::try_from(random.below(end)).ok().and_then(char::from_u32)
}

/// The minor versions at which some check changes, and the one before each: most mistakes are made there.
const TURNING_POINTS: &[usize] =
    &[0, 7, 8, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 37, 37];

/// A minor version from 0 to 37.
pub fn minor(random: &mut Random) -> usize {
    if random.percent(50) { *random.pick(TURNING_POINTS) } else { random.between(0, 37) }
}

/// Versions that are newer than every check: they run what v1.37 runs and print themselves.
const FUTURE: &[&str] = &["latest", "latest", "v1.38", "v1.99", "v1.10000", "v1.9223372036854775807"];

/// A valid version label.
pub fn version(random: &mut Random) -> String {
    if random.percent(15) { random.word(FUTURE).to_owned() } else { format!("v1.{}", minor(random)) }
}

/// A valid level label.
pub fn level(random: &mut Random) -> &'static str {
    random.word(&["restricted", "restricted", "restricted", "baseline", "baseline", "privileged"])
}

/// Levels and versions that are refused where a label or a configuration gives them.
pub const BAD_LEVELS: &[&str] = &["", "Restricted", "BASELINE", "restricted ", "none", "\"x\"", "a\nb", "é\u{200b}"];
pub const BAD_VERSIONS: &[&str] = &[
    "",
    "1.22",
    "v1",
    "v1.",
    "v1.01",
    "v2.0",
    "Latest",
    "v1.22.3",
    "v1.-1",
    "v1.9223372036854775808",
    "v1.1\n",
    "v1.٣",
];
