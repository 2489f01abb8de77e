//! The report room by itself: excerpts and places at the edges of texts. The formats are held in `tests/check`.

use super::excerpt::Excerpt;
use super::{Answer, Outcome, Place, Summary};
use crate::manifest::{DocumentText, Lines, ParseError, Span};

fn place(document: &DocumentText, start: usize, end: usize) -> Place {
    Place::of(&Lines::of(document), Span::new(start, end))
}

#[test]
fn an_excerpt_is_the_line_of_its_place_without_its_end() {
    let document = DocumentText::new("a: 1\r\nbé: two\r\nc: 3\r\n");
    let two = place(&document, 11, 14);
    let excerpt = Excerpt::around(&document, two);
    assert_eq!((excerpt.text, excerpt.first_line, excerpt.is_whole), ("bé: two", 2, true));
    assert_eq!(&excerpt.text[excerpt.range(two.span)], "two");
}

#[test]
fn an_excerpt_of_a_long_line_is_cut_at_characters() {
    let document = DocumentText::new("é".repeat(100_000));
    let excerpt = Excerpt::around(&document, place(&document, 100_000, 100_002));
    assert!(excerpt.text.len() < 1000 && !excerpt.is_whole);
    assert_eq!(&excerpt.text[excerpt.range(Span::new(100_000, 100_002))], "é");
}

#[test]
fn places_far_apart_are_not_shown_in_one_piece() {
    let document = DocumentText::new("a: 1\n".repeat(10_000));
    let (near, far) = (place(&document, 0, 1), place(&document, 49_000, 49_001));
    assert!(Excerpt::around_all(&document, &[near, far]).is_none());
    let both = Excerpt::around_all(&document, &[near, place(&document, 10, 11)]);
    assert_eq!(both.map(|excerpt| excerpt.text), Some("a: 1\na: 1\na: 1"));
}

#[test]
fn a_place_runs_no_further_than_its_line_and_not_beyond_the_text() {
    let document = DocumentText::new("a: |\n  x\n  y\n");
    let block = place(&document, 3, 12);
    assert_eq!(Excerpt::around(&document, block).range(block.span), 3..4);
    let end = place(&document, 13, 13);
    assert!(Excerpt::around(&document, end).range(end.span).is_empty());
}

#[test]
fn a_fault_is_placed_by_its_line_and_column() {
    let document = DocumentText { first_line: 7, ..DocumentText::new("---\nké: [\n") };
    let fault = ParseError { line: 8, column: 5, message: "open".to_owned(), hint: None };
    let outcome = Outcome::of_fault("a.yaml", Some(&document), fault);
    let place = outcome.place.expect("a place");
    assert_eq!(document.text.get(place.span.start as usize..), Some("[\n"));
}

#[test]
fn what_could_not_be_judged_beats_what_is_denied() {
    let of = |answers: &[Answer]| {
        let outcomes: Vec<Outcome<'_>> = answers.iter().map(|answer| Outcome::new("a", None, *answer)).collect();
        Summary::of(&outcomes)
    };
    let mut all = of(&[Answer::Allow, Answer::PassedOver]);
    assert_eq!(all.exit_code(), 0);
    all.add(of(&[Answer::Deny]));
    assert_eq!(all.exit_code(), 1);
    all.add(of(&[Answer::NotJudged, Answer::Allow]));
    assert_eq!((all.exit_code(), all.allowed, all.denied, all.not_judged), (2, 2, 1, 1));
}
