//! Judges one object by one check at one version, and writes the verdict as a page has it.

use portcullis::engine::json;
use portcullis::engine::object::{Object, Pod, Workload};
use portcullis::engine::pod_security::{Check, Finding, Variant, Version, registry, run};

/// The variant that a check has at a version; none before its first.
pub(crate) fn variant_at(check: &Check, version: Version) -> Option<&'static Variant> {
    let minor = match version {
        Version::Latest => registry().newest(),
        Version::Minor(minor) => minor,
    };
    check.variants.iter().rfind(|variant| variant.since <= minor)
}

/// Gives the pod of an object to `judge`: the template of a workload, anything else as a Pod.
pub(crate) fn with_pod<T>(text: &[u8], judge: impl FnOnce(&Pod<'_>) -> T) -> Result<T, String> {
    let object: Object<'_> = json::from_slice(text).map_err(|error| error.to_string())?;
    let pod = match Workload::of(&object.api_version, &object.kind) {
        Some(workload) => Pod::template_of(&object, workload).ok_or("a workload without a template")?,
        None => Pod::of(&object),
    };
    Ok(judge(&pod))
}

/// What a check finds in an object at a version; nothing where it allows the object or does not run.
pub(crate) fn find(check: &Check, version: Version, text: &[u8]) -> Result<Option<Finding>, String> {
    let Some(variant) = variant_at(check, version) else { return Ok(None) };
    with_pod(text, |pod| run(*check, variant, pod))
}

/// `allow`, `not checked`, or `deny` with a path a line and then the text.
pub(crate) fn verdict(check: &Check, version: Version, text: &[u8]) -> Result<String, String> {
    if variant_at(check, version).is_none() {
        return Ok("not checked\n".to_owned());
    }
    let Some(finding) = find(check, version, text)? else { return Ok("allow\n".to_owned()) };
    let mut verdict = "deny\n".to_owned();
    for violation in &finding.violations {
        verdict.push_str(&violation.path);
        verdict.push('\n');
    }
    verdict.push_str(&format!("{} ({})\n", finding.reason(), finding.detail()));
    Ok(verdict)
}
