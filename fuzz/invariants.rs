//! What must hold for any bytes at all, one function an invariant. The fuzz targets and `tests/fuzz.rs` call the same ones.

use portcullis::engine::object::Object;
use portcullis::engine::pod_security::{ALL, Configuration, LevelVersion, registry};
use portcullis::engine::{Facts, Phase, Snapshot, Unlisted, decide, json};
use portcullis::manifest::{Documents, Lines, apply_api_defaults, objects, parse};
use portcullis::review;

/// Whatever stock serde_json accepts as an object, our decoder accepts with the same value; nothing makes it panic.
pub fn decoding_agrees(text: &[u8]) {
    let own = json::from_slice::<Object<'_>>(text);
    // Stock serde_json lets control characters pass in strings that are read as bytes: only what it takes for JSON counts.
    if serde_json::from_slice::<serde_json::Value>(text).is_err() {
        return;
    }
    if let Ok(stock) = serde_json::from_slice::<Object<'_>>(text) {
        match own {
            Ok(own) => assert_eq!(format!("{own:?}"), format!("{stock:?}")),
            Err(error) => panic!("refused what serde_json accepts: {error}"),
        }
    }
}

/// Every body is answered, with the request's uid, by the same bytes each time, and by JSON; or it is refused as no review.
pub fn a_review_is_answered(body: &[u8]) {
    let snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unlabelled);
    for phase in [Phase::Mutate, Phase::Validate] {
        let Ok(request) = review::decode(phase, body) else { continue };
        let answer = review::encode(&request.uid, &decide(&request, &snapshot, &Facts::default()));
        assert_eq!(answer, review::encode(&request.uid, &decide(&request, &snapshot, &Facts::default())));
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("an answer that is JSON");
        assert_eq!(answer["response"]["uid"].as_str(), Some(&*request.uid));
        assert!(answer["response"]["allowed"].is_boolean());
    }
}

/// Every manifest is read or refused with a place; what is read is JSON, and every violation of it has a place too.
pub fn a_manifest_is_read(text: &[u8]) {
    for document in Documents::new(text) {
        let Ok(document) = document else { continue };
        let root = match parse(&document) {
            Ok(root) => root,
            Err(error) => {
                assert!(error.line >= 1 && error.column >= 1, "{error:?}");
                continue;
            }
        };
        for object in objects(&document, root).into_iter().flatten() {
            let mut node = object.node;
            apply_api_defaults(&mut node);
            let mut json = Vec::new();
            node.write_json(&mut json);
            serde_json::from_slice::<serde_json::Value>(&json).expect("a node that is JSON");
            let lines = Lines::of(&document);
            for path in ["metadata.annotations[a/b]", "spec.containers[0].securityContext.privileged"] {
                let span = node.find(path).span;
                assert!(span.end as usize <= document.text.len());
                assert!(lines.position(span.start).line >= document.first_line);
            }
            if let Ok(object) = json::from_slice::<Object<'_>>(&json) {
                let pod = portcullis::engine::object::Pod::of(&object);
                assert!(registry().evaluate(LevelVersion::RESTRICTED, &pod).findings.len() <= ALL.len());
            }
        }
    }
}
