//! Spellings and calculations, whose results are upstream's.

use proptest::prelude::*;

use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).expect("a quantity")
}

fn nanos(text: &str) -> i128 {
    quantity(text).nanos
}

#[test]
fn b9_every_spelling_has_its_exact_value() {
    let cases: [(&str, i128); 38] = [
        ("0.5", 500_000_000),
        ("500m", 500_000_000),
        ("1e9", 1_000_000_000 * NANOS),
        ("1E9", 1_000_000_000 * NANOS),
        ("1e+3", 1_000 * NANOS),
        ("1e-3", 1_000_000),
        ("1G", 1_000_000_000 * NANOS),
        ("1Gi", 1_073_741_824 * NANOS),
        ("1.5Gi", 1_610_612_736 * NANOS),
        ("100n", 100),
        ("100u", 100_000),
        ("2k", 2_000 * NANOS),
        ("2M", 2_000_000 * NANOS),
        ("2T", 2_000_000_000_000 * NANOS),
        ("2P", 2_000_000_000_000_000 * NANOS),
        ("2E", 2_000_000_000_000_000_000 * NANOS),
        ("3Ki", 3_072 * NANOS),
        ("3Mi", 3_145_728 * NANOS),
        ("1Ti", 1_099_511_627_776 * NANOS),
        ("1Pi", 1_125_899_906_842_624 * NANOS),
        ("1Ei", 1_152_921_504_606_846_976 * NANOS),
        ("-1.5", -1_500_000_000),
        ("+7", 7 * NANOS),
        (" 7 ", 7 * NANOS),
        (".5", 500_000_000),
        ("5.", 5 * NANOS),
        ("1.G", 1_000_000_000 * NANOS),
        ("007", 7 * NANOS),
        ("0", 0),
        ("0e99", 0),
        ("m", 0),
        (".", 0),
        ("0.1n", 1),
        ("1e-30", 1),
        ("-0.0000000001", -1),
        ("0.0000000000000000000000000000000000000001Ki", 1),
        ("9Ei", MOST_BINARY * NANOS),
        ("99999999999999999999999999999999999999999999999999Ki", MOST_BINARY * NANOS),
    ];
    for (text, expected) in cases {
        assert_eq!(nanos(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_quantity_says_so() {
    let nonsense =
        ["", " ", "abc", "1.1.M", "1+1.0M", "0.1mi", "1i", ".5i", "-3.01e-", "1e", "--1", "1 2", "1e99999999999"];
    let injected = ["300m\n  image: evil", "1\"}", "1#", "{1}", "&a 1", "1\u{2028}", "\u{0661}"];
    for text in nonsense.into_iter().chain(injected) {
        let error = Quantity::parse(text).expect_err(text).to_string();
        assert!(error.contains("is no quantity: write a number"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    for text in ["1e99", "1e2147483647", "1e25", "999999999999999999999999999999999999999999"] {
        let error = Quantity::parse(text).expect_err(text);
        assert!(error.to_string().ends_with("is more than any resource can be"), "{error}");
    }
}

#[test]
fn equal_values_are_equal_however_they_are_written() {
    assert_eq!(quantity("1000m"), quantity("1"));
    assert_eq!(quantity("1Gi"), quantity("1073741824"));
    assert!(quantity("1G") < quantity("1Gi"));
}

#[test]
fn amounts_are_written_as_kubernetes_would() {
    let cases = [
        ("cpu", "0.5", "500m"),
        ("cpu", "2000m", "2"),
        ("cpu", "1.0005", "1000500u"),
        ("cpu", "7n", "7n"),
        ("cpu", "-0.25", "-250m"),
        ("memory", "1.5Gi", "1536Mi"),
        ("memory", "1G", "1000000000"),
        ("memory", "1024", "1Ki"),
        ("memory", "0", "0"),
        ("memory", "0.5", "500m"),
        ("hugepages-2Mi", "4194304", "4Mi"),
        ("nvidia.com/gpu", "1024", "1024"),
    ];
    for (resource, text, expected) in cases {
        assert_eq!(quantity(text).written_for(resource), expected, "{resource} {text}");
    }
}

#[test]
fn amounts_are_respelled_as_the_api_server_does() {
    // As upstream's own code answers: exactly, and rounded up to thousandths.
    let cases = [
        ("1", "1", "1"),
        ("+1", "+1", "+1"),
        ("01", "01", "01"),
        ("1.500", "1.500", "1.500"),
        ("1.5", "1500m", "1500m"),
        ("0.5", "500m", "500m"),
        ("0.0001", "100u", "1m"),
        ("1001u", "1001u", "2m"),
        ("1000m", "1", "1"),
        ("2000", "2k", "2k"),
        ("1024", "1024", "1024"),
        ("1e3", "1e3", "1e3"),
        ("1E3", "1E3", "1E3"),
        ("12e2", "1200", "1200"),
        ("1e-9", "1e-9", "1e-3"),
        ("0.1e1", "1", "1"),
        ("1000000000", "1G", "1G"),
        ("129M", "129M", "129M"),
        ("1.5Gi", "1536Mi", "1536Mi"),
        ("1024Mi", "1Gi", "1Gi"),
        ("1.Gi", "1.Gi", "1.Gi"),
        ("0.5Ki", "512", "512"),
        ("0.1Gi", "107374182400m", "107374182400m"),
        ("0.001Mi", "1048576m", "1048576m"),
        ("99Ei", "9223372036854775807", "9223372036854775807"),
        ("1000E", "1", "1"),
        ("0.0", "0", "0"),
        ("m", "0", "0"),
        (" 7 ", "7", "7"),
        ("-0.0001", "-100u", "-1m"),
    ];
    for (text, exact, rounded) in cases {
        assert_eq!(Quantity::respelled(text, Precision::Exact).as_deref(), Ok(exact), "{text}");
        assert_eq!(Quantity::respelled(text, Precision::Thousandths).as_deref(), Ok(rounded), "{text}");
    }
}

#[test]
fn scaling_is_exact_and_rounds_up_to_the_step() {
    let ratio = |text| Ratio::parse(text).expect("a ratio");
    let scaled =
        |text, percent, step| quantity(text).percent(ratio(percent)).and_then(|q| q.rounded_up(quantity(step)));
    assert_eq!(scaled("1", "5", "5m"), Ok(quantity("50m")));
    assert_eq!(scaled("1010m", "5", "5m"), Ok(quantity("55m")));
    assert_eq!(scaled("1", "33.333333333", "1n"), Ok(quantity("333333334n")));
    assert_eq!(quantity("100m").times(ratio("1.5")), Ok(quantity("150m")));
    assert_eq!(quantity("100m").divided_by(ratio("3")), Ok(quantity("33333334n")));
    assert_eq!(quantity("1Ei").times(ratio("100")).map(|q| q.written_for("memory")), Ok("100Ei".to_owned()));
    assert!(quantity("1e24").times(ratio("2")).is_err(), "beyond the bounds");
    for text in ["0", "-1", "1e3", "1m", "", ".", ".5", "1.0000000001", "9999999999"] {
        assert!(Ratio::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_is_read_as_the_same(nanos in -MOST * NANOS..=MOST * NANOS, shift in 0..40_u32) {
        let value = Quantity { nanos: nanos >> (2 * shift) };
        for resource in ["cpu", "memory", "example.com/thing"] {
            prop_assert_eq!(Quantity::parse(&value.written_for(resource)), Ok(value));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9.eEinumkKMGTP \n]{0,24}") {
        drop(Quantity::parse(&text));
    }

    #[test]
    fn decimals_agree_with_whole_numbers_of_a_finer_unit(whole in 0..1_000_000_i64, thousandths in 0..1000_i64) {
        let text = format!("{whole}.{thousandths:03}");
        prop_assert_eq!(quantity(&text), quantity(&format!("{}m", whole * 1000 + thousandths)));
        prop_assert_eq!(quantity(&format!("{text}Ki")), quantity(&format!("{}", (whole * 1000 + thousandths) * 1024)).percent(Ratio { billionths: 100_000_000 }).expect("small"));
    }
}
