//! The decoder against stock serde_json, and at its bounds.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::from_slice;
use crate::engine::object::Object;

/// What stock serde_json accepts is accepted with the same value. (It lets control characters pass in strings that are read
/// as bytes; that is no JSON, as it says itself when it only looks.)
fn agrees(text: &[u8]) {
    if serde_json::from_slice::<IgnoredAny>(text).is_err() {
        let _ = from_slice::<Object<'_>>(text);
        return;
    }
    let stock = serde_json::from_slice::<Object<'_>>(text);
    let own = from_slice::<Object<'_>>(text);
    if let Ok(stock) = stock {
        let own = own.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
        assert_eq!(format!("{own:?}"), format!("{stock:?}"));
    }
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a\u00e9\"b","annotations":{"k":"v\n","x":null},
 "ownerReferences":[{"uid":"1","controller":true}],"managedFields":[{"f:a\\":{"}":"{","[":"]"}}]},
 "spec":{"hostNetwork":false,"hostUsers":null,"volumes":[{"name":"v","emptyDir":{}},{"name":"w","hostPath":null,"nfs":{"a":[1,{}]}}],
 "containers":[{"name":"c","image":"i","ports":[{"hostPort":80},null],"securityContext":{"runAsUser":-7,"capabilities":{"add":["A",null]}}}]}}"#;

#[test]
fn reads_a_pod_as_stock_serde_json_does() {
    agrees(POD.as_bytes());
    assert!(from_slice::<Object<'_>>(POD.as_bytes()).is_ok());
}

#[test]
fn every_prefix_and_every_changed_byte_is_read_as_stock_serde_json_reads_it() {
    for end in 0..POD.len() {
        agrees(&POD.as_bytes()[..end]);
    }
    for at in 0..POD.len() {
        for byte in [b'"', b'\\', b'{', b'}', b',', b':', b'0', b' ', b'n', 0x00, 0xff] {
            let mut text = POD.as_bytes().to_vec();
            text[at] = byte;
            agrees(&text);
        }
    }
}

#[test]
fn errors_tell_the_byte() {
    let error = from_slice::<Object<'_>>(br#"{"kind":"Pod","spec":{"hostPID":"no"}}"#).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.at()), ("expected true or false at byte 32", 32));
}

#[test]
fn numbers_that_do_not_fit_are_errors() {
    #[derive(Deserialize, Debug)]
    struct Port {
        #[serde(rename = "p")]
        _port: i32,
    }
    for text in ["80", "-1", "2147483647"] {
        assert!(from_slice::<Port>(format!("{{\"p\":{text}}}").as_bytes()).is_ok(), "{text}");
    }
    for text in ["2147483648", "1.0", "1e3", "\"80\"", "true", "[]", "01", "+1"] {
        assert!(from_slice::<Port>(format!("{{\"p\":{text}}}").as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_type_that_recurses_is_bounded() {
    #[derive(Deserialize, Debug, Default)]
    #[serde(default)]
    struct Nested {
        #[serde(rename = "n")]
        _next: Option<Box<Self>>,
    }
    let nested = |depth: usize| format!("{}null{}", "{\"n\":".repeat(depth), "}".repeat(depth));
    assert!(from_slice::<Nested>(nested(100).as_bytes()).is_ok());
    assert!(from_slice::<Nested>(nested(100_000).as_bytes()).is_err());
    assert!(serde_json::from_str::<&RawValue>(&nested(100)).is_ok());
}
