//! Which tag an image's reference has, as the API server reads it to choose a pull policy.
//!
//! Source: `ParseImageName` of pkg/util/parsers in k8s.io/kubernetes v1.37.1, `ParseNormalizedNamed` of github.com/distribution/reference
//! v0.6.0 and `Digest.Validate` of github.com/opencontainers/go-digest v1.0.0.

/// Whether the tag is `latest`, said or, without a digest, not; what is no reference has no tag.
pub(super) fn is_latest(image: &str) -> bool {
    let (named, digest) = image.split_once('@').map_or((image, None), |(named, digest)| (named, Some(digest)));
    let is_identifier = image.len() == 64 && image.bytes().all(is_lower_hex);
    if is_identifier || digest.is_some_and(|digest| !is_digest(digest)) {
        return false;
    }
    let (domain, remote) = split_domain(named);
    let (path, tag) = remote.split_once(':').map_or((remote, None), |(path, tag)| (path, Some(tag)));
    // Without a domain of its own, a name without folders is in the folder "library/".
    let folder = if domain.is_none() && !path.contains('/') { "library/".len() } else { 0 };
    let is_reference = domain.is_none_or(is_domain)
        && folder + path.len() <= LONGEST_PATH
        && path.split('/').all(is_path_component)
        && tag.is_none_or(is_tag);
    is_reference && (tag == Some("latest") || (tag.is_none() && digest.is_none()))
}

const LONGEST_PATH: usize = 255;
const LONGEST_TAG: usize = 128;

/// The domain, unless it is that of Docker's own registry, and the rest.
fn split_domain(name: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = name.split_once('/') else { return (None, name) };
    let is_own = matches!(first, "docker.io" | "index.docker.io");
    let has_capitals = first.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_domain = first == "localhost" || first.contains(['.', ':']) || has_capitals;
    match (is_own, is_domain) {
        (true, _) => (None, rest),
        (false, true) => (Some(first), rest),
        (false, false) => (None, name),
    }
}

/// A host or an address in brackets, with or without a port.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let is_address =
                !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
            (is_address, port)
        }
        None => {
            let host = domain.split(':').next().unwrap_or_default();
            (host.split('.').all(is_host_part), domain.strip_prefix(host).unwrap_or_default())
        }
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_host_part(part: &str) -> bool {
    let is_dash = |at: Option<u8>| at == Some(b'-');
    !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !is_dash(part.bytes().next())
        && !is_dash(part.bytes().next_back())
}

/// Small letters and digits, with single separators between them: a point, one or two underscores, or any number of dashes.
fn is_path_component(component: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [component.as_bytes().first(), component.as_bytes().last()];
    let mut separators = component.split(|character: char| character.is_ascii_alphanumeric());
    ends.iter().all(|end| end.is_some_and(is_inner))
        && component.bytes().all(|byte| is_inner(&byte) || b"._-".contains(&byte))
        && separators.all(|found| matches!(found, "" | "." | "_" | "__") || found.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(digest: &str) -> bool {
    let lengths = [("sha256", 64), ("sha384", 96), ("sha512", 128)];
    digest.split_once(':').is_some_and(|(algorithm, encoded)| {
        lengths.contains(&(algorithm, encoded.len())) && encoded.bytes().all(is_lower_hex)
    })
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
