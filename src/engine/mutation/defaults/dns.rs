//! Options of the resolver by name, where the pod has none of the name.

use super::{Flaw, Part, flaw};
use crate::engine::mutation::{document, is_named, quoted};

#[derive(Debug, Default)]
pub(super) struct DnsDefaults {
    options: Vec<(String, String)>,
}

impl DnsDefaults {
    pub(super) fn compile(document: Option<&document::DnsDefaults>, flaws: &mut Vec<Flaw>) -> Self {
        let options = document.into_iter().flat_map(|document| &document.options);
        let options: Vec<(String, String)> = options.map(|(name, value)| (name.clone(), value.clone())).collect();
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        for (name, value) in &options {
            if name.is_empty() || !is_word(name) || !is_word(value) {
                let problem =
                    "must be the name of an option and its value, without blanks and colons, such as ndots: \"2\"";
                flaws.push(flaw(format!("spec.dns.options.{name}"), problem));
            }
        }
        Self { options }
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) {
        for (name, value) in &self.options {
            let found = part.pod().at(&["spec", "dnsConfig"]).into_iter().flat_map(|config| config.list("options"));
            if found.into_iter().any(|option| is_named(option, name)) {
                continue;
            }
            let value = if value.is_empty() { String::new() } else { format!(r#","value":{}"#, quoted(value)) };
            if let Some(options) = part.within(&["spec", "dnsConfig", "options"]) {
                options.push(format!(r#"{{"name":{}{value}}}"#, quoted(name)));
            }
        }
    }
}
