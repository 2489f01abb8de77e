//! Defaults of volumes.

use super::containers::pull_policy;
use super::{NO_TEXT, at, each, fill, fill_absent};
use crate::engine::mutation::Node;

/// `0644`.
const MODE: &str = "420";

pub(super) fn complete(volume: &mut Node<'_>) {
    if volume.members().all(|(key, _)| key == "name") {
        volume.set("emptyDir", "{}");
    }
    at(volume, &["hostPath"], |path| fill_absent(path, "type", NO_TEXT));
    at(volume, &["secret"], |secret| fill_absent(secret, "defaultMode", MODE));
    at(volume, &["configMap"], |map| fill_absent(map, "defaultMode", MODE));
    at(volume, &["downwardAPI"], |files| {
        fill_absent(files, "defaultMode", MODE);
        each(files, "items", complete_file);
    });
    at(volume, &["projected"], |projected| {
        fill_absent(projected, "defaultMode", MODE);
        each(projected, "sources", |source| {
            at(source, &["downwardAPI"], |files| each(files, "items", complete_file));
            at(source, &["serviceAccountToken"], |token| fill_absent(token, "expirationSeconds", "3600"));
        });
    });
    at(volume, &["image"], |image| {
        let policy = pull_policy(&image.string_at("reference").unwrap_or_default());
        fill(image, "pullPolicy", NO_TEXT, policy);
    });
}

fn complete_file(file: &mut Node<'_>) {
    at(file, &["fieldRef"], |field| fill(field, "apiVersion", NO_TEXT, r#""v1""#));
}
