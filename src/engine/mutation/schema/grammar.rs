//! What texts of Kubernetes objects may look like.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation`, and the paths and references of `k8s.io/kubernetes/pkg/apis/core/validation`.

/// The form that a text must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::mutation) enum Grammar {
    NotEmpty,
    /// RFC 1123: the name of a container or a volume.
    Label,
    /// The name of most objects.
    Subdomain,
    /// The name of a driver: a subdomain in any case.
    Driver,
    /// The key of a label or an annotation.
    QualifiedName,
    LabelValue,
    /// The name of a port (`IsValidPortName`).
    PortName,
    /// The name of an environment variable (`IsRelaxedEnvVarName`).
    Variable,
    /// The key of a ConfigMap or a Secret.
    ConfigKey,
    HeaderName,
    Image,
    /// A relative path that does not lead out.
    Descending,
    /// The same, and nothing in it begins with `..`, which kubelets keep for themselves.
    File,
    /// A path without `..`.
    NoBacksteps,
    Absolute,
    /// What a variable may tell of its pod.
    FieldOfVariable,
    /// What a file may tell of its pod.
    FieldOfFile,
    /// What may be told of a container's resources.
    ResourceField,
    Integer,
    PathPart,
    /// The name of an iSCSI node.
    IscsiName,
    /// `host:port`, and more of them behind commas.
    HostsAndPorts,
    OneOf(&'static [&'static str]),
}

impl Grammar {
    pub(in crate::engine::mutation) fn accepts(self, text: &str) -> bool {
        match self {
            Self::NotEmpty => !text.is_empty(),
            Self::Label => is_label(text),
            Self::Subdomain => is_subdomain(text),
            Self::Driver => text.len() <= 63 && is_subdomain(&text.to_ascii_lowercase()),
            Self::QualifiedName => is_qualified(text),
            Self::LabelValue => text.is_empty() || is_word(text),
            Self::PortName => is_port_name(text),
            Self::Variable => {
                !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
            }
            Self::ConfigKey => {
                let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                (1..=253).contains(&text.len()) && text.bytes().all(is_inner) && text != "." && !text.starts_with("..")
            }
            Self::HeaderName => {
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }
            Self::Image => is_image(text),
            Self::Descending => !text.starts_with('/') && has_no_backsteps(text),
            Self::File => !text.starts_with('/') && has_no_backsteps(text) && !text.starts_with(".."),
            Self::NoBacksteps => has_no_backsteps(text),
            Self::Absolute => text.starts_with('/'),
            Self::FieldOfVariable => OF_BOTH.contains(&text) || OF_VARIABLES.contains(&text) || is_of_map(text),
            Self::FieldOfFile => OF_BOTH.contains(&text) || OF_FILES.contains(&text) || is_of_map(text),
            Self::ResourceField => is_resource_field(text),
            Self::Integer => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
            Self::PathPart => !text.contains('/'),
            Self::IscsiName => is_iscsi_name(text),
            Self::HostsAndPorts => text.split(',').all(is_host_and_port),
            Self::OneOf(words) => words.contains(&text),
        }
    }

    /// What is wanted, after "must be".
    pub(in crate::engine::mutation) fn wanted(self) -> String {
        let text = match self {
            Self::NotEmpty => "given",
            Self::Label => "at most 63 of a-z, 0-9 and -, neither first nor last a -",
            Self::Subdomain => "a name of a-z, 0-9, - and ., at most 253, beginning and ending with a letter or digit",
            Self::Driver => {
                "a name of letters, digits, - and ., at most 63, beginning and ending with a letter or digit"
            }
            Self::QualifiedName => {
                "a name of letters, digits, -, _ and ., at most 63, with an optional domain/ before it"
            }
            Self::LabelValue => "at most 63 letters, digits, -, _ and ., the first and last a letter or digit",
            Self::PortName => {
                "at most 15 of a-z, 0-9 and -, at least one a letter, no - first, last or next to another"
            }
            Self::Variable => "printable ASCII without =",
            Self::ConfigKey => "at most 253 letters, digits, -, _ and ., not beginning with ..",
            Self::HeaderName => "letters, digits and -",
            Self::Image => "an image reference: registry/name:tag or registry/name@digest",
            Self::Descending => "a relative path without ..",
            Self::File => "a relative path without .. and not beginning with it",
            Self::NoBacksteps => "a path without ..",
            Self::Absolute => "a path that begins with /",
            Self::FieldOfVariable => return one_of(&[OF_BOTH, OF_VARIABLES, OF_MAPS]),
            Self::FieldOfFile => return one_of(&[OF_BOTH, OF_FILES, OF_MAPS]),
            Self::ResourceField => return one_of(&[RESOURCE_FIELDS]),
            Self::Integer => "a whole number",
            Self::PathPart => "a name without /",
            Self::IscsiName => {
                "the name of an iSCSI node: iqn.YEAR-MONTH.domain:name, eui. or naa. and hexadecimal digits"
            }
            Self::HostsAndPorts => "host:port, or several of them with commas between",
            Self::OneOf(words) => return one_of(&[words]),
        };
        text.to_owned()
    }
}

const OF_BOTH: &[&str] = &["metadata.name", "metadata.namespace", "metadata.uid"];
const OF_VARIABLES: &[&str] =
    &["spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];
const OF_FILES: &[&str] = &["metadata.labels", "metadata.annotations"];
const OF_MAPS: &[&str] = &["metadata.labels['KEY']", "metadata.annotations['KEY']"];
const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
];

fn one_of(lists: &[&[&str]]) -> String {
    format!("one of {}", lists.concat().join(", "))
}

/// One label or annotation: `metadata.labels['app']`.
fn is_of_map(text: &str) -> bool {
    let key_of = |map: &str| text.strip_prefix(map)?.strip_prefix("['")?.strip_suffix("']");
    let is_annotation = |key: &str| is_qualified(&key.to_ascii_lowercase());
    key_of("metadata.labels").is_some_and(is_qualified) || key_of("metadata.annotations").is_some_and(is_annotation)
}

fn is_resource_field(text: &str) -> bool {
    RESOURCE_FIELDS.contains(&text) || text.starts_with("requests.hugepages-") || text.starts_with("limits.hugepages-")
}

fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(is_inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// `IsQualifiedName`.
fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_word(name),
        None => is_word(text),
    }
}

fn is_word(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63 && text.bytes().all(is_inner) && is_end(text.bytes().next()) && is_end(text.bytes().next_back())
}

fn is_port_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=15).contains(&text.len())
        && text.bytes().all(is_inner)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn has_no_backsteps(path: &str) -> bool {
    path.split('/').all(|part| part != "..")
}

/// `iscsiInitiatorIqnRegex` and the like.
fn is_iscsi_name(text: &str) -> bool {
    let is_hash = |rest: Option<&str>, length: usize| {
        rest.is_some_and(|rest| rest.len() == length && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let is_qualified = |rest: &str| {
        let (month, name) = rest.split_once('.').unwrap_or_default();
        let (domain, own) = name.split_once(':').unwrap_or_default();
        let is_month = month.split_once('-').is_some_and(|(year, month)| {
            year.len() == 4 && month.len() == 2 && [year, month].concat().bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let is_own = |letter: char| !letter.is_whitespace() && !",;*&$|".contains(letter);
        is_month && !domain.is_empty() && domain.bytes().all(is_inner) && !own.is_empty() && own.chars().all(is_own)
    };
    text.strip_prefix("iqn.").is_some_and(is_qualified)
        || is_hash(text.strip_prefix("eui."), 16)
        || is_hash(text.strip_prefix("naa."), 32)
}

fn is_host_and_port(text: &str) -> bool {
    let (host, _) = text.rsplit_once(':').unwrap_or((":", ""));
    (host.starts_with('[') && host.ends_with(']')) || !host.contains([':', '[', ']'])
}

/// A reference as container runtimes read it, but for the length of its parts: what is none is accepted by the API server and never
/// pulled.
fn is_image(text: &str) -> bool {
    let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    // A `:` behind the last `/` begins a tag; one before it a port.
    let after_path = named.rfind('/').map_or(0, |at| at + 1);
    let (path, last) = named.split_at_checked(after_path).unwrap_or_default();
    let (name, tag) = last.split_once(':').map_or((last, None), |(name, tag)| (name, Some(tag)));
    let mut parts = path.split_terminator('/').chain([name]);
    let is_registry = |part: &str| {
        part.contains(['.', ':']) || part == "localhost" || part.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let first = if path.is_empty() { None } else { parts.next() };
    text.len() <= 512
        && first.is_none_or(|part| if is_registry(part) { is_host(part) } else { is_path_part(part) })
        && parts.all(is_path_part)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

fn is_host(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let ends_well = text.bytes().next_back().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b']');
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with(['-', '.', ':']) && ends_well
}

fn is_path_part(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_end = |byte: Option<u8>| byte.is_some_and(is_letter);
    is_end(text.bytes().next())
        && is_end(text.bytes().next_back())
        && text.bytes().all(|byte| is_letter(byte) || b"._-".contains(&byte))
        && !text.contains("..")
        && !text.contains("___")
}

fn is_tag(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_inner) && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hash)| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte);
        !algorithm.is_empty()
            && algorithm.bytes().all(is_inner)
            && hash.len() >= 32
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references_are_told_from_other_texts() {
        let digest = format!("registry.example.com/a@sha256:{}", "a".repeat(64));
        for good in [
            "a",
            "a:1",
            "auto",
            "a/b",
            "registry.example.com/fluent-bit:4.0",
            "localhost:5000/a",
            "[::1]:5000/a/b:v1",
            "quay.io/a__b/c-d.e",
            &digest,
            "Registry.example/a",
        ] {
            assert!(Grammar::Image.accepts(good), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a b",
            "A",
            "a:",
            "a:b:c",
            "a@sha256:1",
            "a//b",
            "/a",
            "a/",
            "https://a/b",
            "a:-1",
            "a/B:1",
            "a\nb",
            "{{image}}",
            "a..b",
        ] {
            assert!(!Grammar::Image.accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for (path, descending, file) in
            [("a/b", true, true), ("..a", true, false), ("a/../b", false, false), ("/a", false, false)]
        {
            assert_eq!(Grammar::Descending.accepts(path), descending, "{path}");
            assert_eq!(Grammar::File.accepts(path), file, "{path}");
        }
    }

    #[test]
    fn fields_of_pods_are_known() {
        for good in ["metadata.name", "status.podIP", "metadata.labels['app']", "metadata.annotations['Example.com/a']"]
        {
            assert!(Grammar::FieldOfVariable.accepts(good), "{good}");
        }
        for bad in ["metadata.labels", "spec.hostname", "metadata.labels['']", "metadata.name['a']", ""] {
            assert!(!Grammar::FieldOfVariable.accepts(bad), "{bad}");
        }
        assert!(Grammar::FieldOfFile.accepts("metadata.labels") && !Grammar::FieldOfFile.accepts("status.podIP"));
    }

    #[test]
    fn names_of_ports_are_services() {
        assert!(["http", "a1", "web-2"].iter().all(|name| Grammar::PortName.accepts(name)));
        assert!(
            ["", "80", "Web", "a--b", "-a", "a-", "a-name-too-long-x"]
                .iter()
                .all(|name| !Grammar::PortName.accepts(name))
        );
    }
}
