//! Text for people: the offending line, what is wrong with it, and what to write instead.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::excerpt::Excerpt;
use super::{Answer, Located, Look, Outcome, Place, Rendered, Severity, Summary, push};
use crate::engine::pod_security::{Value, Violation};
use crate::manifest::DocumentText;

/// More places than this are counted, not shown, for one check in one object.
const SHOWN: usize = 20;

pub(super) fn batch(outcomes: &[Outcome<'_>], look: &Look) -> Rendered {
    let mut rendered = Rendered::default();
    for outcome in outcomes {
        match outcome.answer {
            Answer::NotJudged => paragraph(&mut rendered.faults, look, look.color_of_faults, fault(outcome)),
            Answer::Deny if outcome.findings.is_empty() => {
                paragraph(&mut rendered.report, look, look.color, fault(outcome));
            }
            Answer::Deny | Answer::Allow | Answer::PassedOver => {
                for located in &outcome.findings {
                    paragraph(&mut rendered.report, look, look.color, finding(outcome, located));
                }
            }
        }
        if look.verbose {
            remarks(&mut rendered.report, outcome);
        }
    }
    rendered
}

fn paragraph(text: &mut String, look: &Look, color: bool, group: Group<'_>) {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    text.push_str(&renderer.term_width(look.width).render(&[group]));
    text.push_str("\n\n");
}

/// Something that is wrong with the object or its text as a whole.
fn fault<'o>(outcome: &'o Outcome<'_>) -> Group<'o> {
    let title = Level::ERROR.primary_title(outcome.message.as_str());
    let file = shown_name(outcome.file);
    let elements = match (outcome.document, outcome.place) {
        (Some(document), Some(place)) => {
            shown(file, &Excerpt::around(document, place), &[Marked { place, label: None }])
        }
        (None, Some(place)) => vec![origin(file, place).into()],
        (_, None) => vec![Origin::path(file).into()],
    };
    let mut group = title.elements(elements);
    if let Some(hint) = &outcome.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    rendered_from(group, outcome)
}

fn finding<'o>(outcome: &'o Outcome<'_>, located: &'o Located) -> Group<'o> {
    let level = match located.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let id = located.finding.check.id;
    let title = level.primary_title(located.finding.detail()).id(id);
    let source = outcome.document.map(|document| sources(shown_name(outcome.file), document, located));
    let mut group = title.elements(source.unwrap_or_default());
    for fix in fixes(located) {
        group = group.element(Level::HELP.message(fix));
    }
    let verb = if located.severity == Severity::Error { "violates" } else { "would violate" };
    let context = format!("{} {verb} {}; see `portcullis explain {id}`", outcome.subject(), located.policy);
    rendered_from(group.element(Level::NOTE.message(context)), outcome)
}

fn rendered_from<'o>(group: Group<'o>, outcome: &Outcome<'o>) -> Group<'o> {
    match outcome.document.and_then(|document| document.source.as_deref()) {
        Some(template) => group.element(Level::NOTE.message(format!("rendered from {template}"))),
        None => group,
    }
}

/// A place with what is said at it.
struct Marked {
    place: Place,
    label: Option<String>,
}

/// The lines that a check objects to: in one piece where they stand near each other.
fn sources<'o>(file: &'o str, document: &'o DocumentText, located: &Located) -> Vec<Element<'o>> {
    let pairs = located.finding.violations.iter().zip(&located.places).take(SHOWN);
    let marked: Vec<Marked> = pairs.map(|(violation, (place, exact))| mark(violation, *place, *exact)).collect();
    let places: Vec<Place> = marked.iter().map(|marked| marked.place).collect();
    let mut elements = match Excerpt::around_all(document, &places) {
        Some(excerpt) => shown(file, &excerpt, &marked),
        None => {
            let alone = |one: &Marked| shown(file, &Excerpt::around(document, one.place), std::slice::from_ref(one));
            marked.iter().flat_map(alone).collect()
        }
    };
    let hidden = located.places.len().saturating_sub(SHOWN);
    if hidden > 0 {
        elements.push(Level::NOTE.message(format!("and at {hidden} more places; `-o json` lists them all")).into());
    }
    elements
}

fn mark(violation: &Violation, place: Place, exact: bool) -> Marked {
    let label = match (&violation.value, exact) {
        (Value::Missing, _) => Some(format!("{} is not set", violation.field)),
        (value, false) => Some(format!("{} is {value}", violation.field)),
        (_, true) => None,
    };
    Marked { place, label }
}

/// An excerpt under the name of its file. Where columns cannot be counted in it, the place is said beside it.
fn shown<'o>(file: &'o str, excerpt: &Excerpt<'o>, marked: &[Marked]) -> Vec<Element<'o>> {
    let annotation =
        |one: &Marked| AnnotationKind::Primary.span(excerpt.range(one.place.span)).label(one.label.clone());
    let annotations: Vec<_> = marked.iter().map(annotation).collect();
    let snippet = Snippet::source(excerpt.text).line_start(excerpt.first_line).annotations(annotations);
    match marked.first() {
        Some(first) if !excerpt.is_whole => vec![origin(file, first.place).into(), snippet.into()],
        _ => vec![snippet.path(file).into()],
    }
}

fn origin(file: &str, place: Place) -> Origin<'_> {
    Origin::path(file).line(place.position.line).char_column(place.position.column)
}

fn shown_name(file: &str) -> &str {
    if file == "-" { "<stdin>" } else { file }
}

/// What to write instead, each once.
fn fixes(located: &Located) -> Vec<&'static str> {
    let mut fixes = Vec::new();
    for violation in &located.finding.violations {
        if !fixes.contains(&violation.fix) {
            fixes.push(violation.fix);
        }
    }
    fixes
}

/// With `--verbose`: what passed, and what is worth knowing.
fn remarks(text: &mut String, outcome: &Outcome<'_>) {
    let place = format!("{}:{}", shown_name(outcome.file), outcome.position().line);
    let subject = annotate_snippets::normalize_untrusted_str(&outcome.subject());
    if outcome.answer == Answer::Allow {
        push(text, format_args!("{place}: {subject} passes\n"));
    }
    for note in &outcome.notes {
        push(text, format_args!("{place}: note: {subject}: {}\n", annotate_snippets::normalize_untrusted_str(note)));
    }
}

/// The summary.
pub(super) fn closing(summary: &Summary, look: &Look) -> String {
    let mut text = String::new();
    for name in summary.unlisted_namespaces() {
        let name = annotate_snippets::normalize_untrusted_str(name);
        push(
            &mut text,
            format_args!("note: namespace {name:?} is not listed; its objects were judged by the defaults\n"),
        );
    }
    let counted = [
        (summary.denied, "denied"),
        (summary.allowed, "allowed"),
        (summary.not_judged, "could not be judged"),
        (summary.passed_over, "of kinds that are not judged"),
    ];
    let parts: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let files = plural(summary.inputs, "input", "inputs");
    let parts = if parts.is_empty() { "no objects".to_owned() } else { parts.join(", ") };
    let warnings = match summary.warned {
        0 => String::new(),
        count => format!("; {}", plural(count, "object has warnings", "objects have warnings")),
    };
    let notes = match summary.notes {
        count if count > 0 && !look.verbose => format!("; {} (--verbose shows them)", plural(count, "note", "notes")),
        _ => String::new(),
    };
    push(&mut text, format_args!("{files}: {parts}{warnings}{notes}\n"));
    text
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
