//! Images: whether what a container runs is what a document asks for, though somebody has it pulled from elsewhere.
//!
//! Kept true: nobody can put an image of his own in the place of ours. A name counts only whole, under our registry or under a mirror
//! that the document declares; a digest counts wherever it is pulled from, as it is that of the content.

use super::overrides::Rule;

/// The registry of images that name none.
const USUAL_REGISTRY: &str = "docker.io";

/// Registries, or paths in one, where the images of a document are found too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mirrors(pub(super) Vec<String>);

/// How an image compares to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same content, as far as its name tells.
    Same,
    /// The same repository, with another tag or digest.
    OtherVersion,
    Other,
}

/// An image reference, taken apart.
#[derive(Debug, Clone, Copy)]
struct Reference<'t> {
    name: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl<'t> Reference<'t> {
    fn of(image: &'t str) -> Self {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => Self { name, tag: Some(tag), digest },
            _ => Self { name: rest, tag: None, digest },
        }
    }

    /// A digest decides; where only one of the two has one, their tags do.
    fn is_same_version(self, other: Self) -> bool {
        match (self.digest, other.digest) {
            (Some(one), Some(another)) => one == another,
            _ => self.tag.unwrap_or("latest") == other.tag.unwrap_or("latest"),
        }
    }
}

impl Mirrors {
    /// How the image that is found compares to the one that is wanted.
    pub(super) fn likeness(&self, found: &str, wanted: &str) -> Likeness {
        if found == wanted && !wanted.is_empty() {
            return Likeness::Same;
        }
        let (found, wanted) = (Reference::of(found), Reference::of(wanted));
        let has_digest = found.digest.is_some_and(|digest| is_digest(digest) && Some(digest) == wanted.digest);
        let name = whole(wanted.name);
        let is_ours = || self.originals(found.name, wanted.name).any(|original| whole(&original) == name);
        if found.name.is_empty() {
            Likeness::Other
        } else if has_digest {
            Likeness::Same
        } else if !is_ours() {
            Likeness::Other
        } else if found.is_same_version(wanted) {
            Likeness::Same
        } else {
            Likeness::OtherVersion
        }
    }

    /// Whether an override may have put this image in the place of the one that is wanted.
    pub(super) fn is_allowed(&self, found: &str, wanted: &str, rule: &Rule) -> bool {
        self.originals(found, Reference::of(wanted).name).any(|original| rule.accept(&original).is_some())
    }

    /// What a name may have been before it was mirrored: itself, what follows a mirror, and that in the registry of the wanted name.
    fn originals<'n>(&'n self, found: &'n str, wanted: &'n str) -> impl Iterator<Item = String> + 'n {
        let (registry, _) = apart(wanted);
        let ends = self.0.iter().filter_map(|mirror| found.strip_prefix(mirror.as_str())?.strip_prefix('/'));
        let mirrored = ends.flat_map(move |end| [end.to_owned(), format!("{registry}/{end}")]);
        std::iter::once(found.to_owned()).chain(mirrored)
    }
}

/// The registry, or the path in one, that would have to be a mirror for the image that is found to be the one that is wanted; none if no
/// mirror would do.
pub(super) fn undeclared_mirror<'f>(found: &'f str, wanted: &str) -> Option<&'f str> {
    let name = Reference::of(found).name;
    let mut registries = name.match_indices('/').filter_map(|(end, _)| name.get(..end)).filter(|text| is_mirror(text));
    registries.find(|registry| Mirrors(vec![(*registry).to_owned()]).likeness(found, wanted) != Likeness::Other)
}

/// The last part of a name, which stays the same in every registry.
pub(super) fn last_segment(image: &str) -> Option<&str> {
    Reference::of(image).name.rsplit('/').next().filter(|segment| !segment.is_empty())
}

/// Whether a text names a registry, or a path in one: without a dot or a port, it would be a user of the usual registry.
pub(super) fn is_mirror(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
    };
    let (registry, _) = text.split_once('/').unwrap_or((text, ""));
    is_registry(registry) && text.split('/').all(is_part)
}

/// The name with its registry and, in the usual one, its namespace.
fn whole(name: &str) -> String {
    let (registry, path) = apart(name);
    let namespace = if registry == USUAL_REGISTRY && !path.contains('/') { "library/" } else { "" };
    format!("{registry}/{namespace}{path}")
}

fn apart(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some(("index.docker.io" | "registry-1.docker.io", path)) => (USUAL_REGISTRY, path),
        Some((registry, path)) if is_registry(registry) => (registry, path),
        _ => (USUAL_REGISTRY, name),
    }
}

fn is_registry(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':'])
}

/// Only what is as strong as it looks.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    //! What counts as ours, and everything that must not.

    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn likeness(mirrors: &[&str], found: &str, wanted: &str) -> Likeness {
        Mirrors(mirrors.iter().map(|&mirror| mirror.to_owned()).collect()).likeness(found, wanted)
    }

    #[test]
    fn a_name_says_where_it_is_from_in_several_ways() {
        for (found, wanted) in [
            ("proxy:1", "proxy:1"),
            ("docker.io/library/proxy:1", "proxy:1"),
            ("index.docker.io/mesh/proxy", "mesh/proxy:latest"),
            ("localhost:5000/proxy:1", "localhost:5000/proxy:1"),
            ("r.example/proxy:1@sha256:2", "r.example/proxy:1"),
        ] {
            assert_eq!(likeness(&[], found, wanted), Likeness::Same, "{found} {wanted}");
            assert_eq!(likeness(&[], wanted, found), Likeness::Same, "{wanted} {found}");
        }
    }

    #[test]
    fn another_tag_or_digest_is_another_version() {
        for (found, wanted) in [
            ("r.example/p:1", "r.example/p:2"),
            ("r.example/p", "r.example/p:2"),
            ("r.example/p@sha256:1", "r.example/p@sha256:2"),
        ] {
            assert_eq!(likeness(&[], found, wanted), Likeness::OtherVersion, "{found} {wanted}");
        }
    }

    #[test]
    fn a_declared_mirror_holds_ours_by_its_path_or_its_whole_name() {
        let mirrors = ["mirror.local", "cache.local:5000/hub"];
        for (found, wanted) in [
            ("mirror.local/mesh/proxy:1", "mesh/proxy:1"),
            ("mirror.local/mesh/proxy:1", "r.example/mesh/proxy:1"),
            ("mirror.local/r.example/mesh/proxy:1", "r.example/mesh/proxy:1"),
            ("mirror.local/library/proxy:1", "proxy:1"),
            ("mirror.local/proxy:1", "proxy:1"),
            ("mirror.local/docker.io/library/proxy:1", "proxy:1"),
            ("cache.local:5000/hub/mesh/proxy:1", "docker.io/mesh/proxy:1"),
        ] {
            assert_eq!(likeness(&mirrors, found, wanted), Likeness::Same, "{found} {wanted}");
        }
        assert_eq!(likeness(&mirrors, "mirror.local/mesh/proxy:2", "mesh/proxy:1"), Likeness::OtherVersion);
    }

    #[test]
    fn a_digest_is_the_same_wherever_it_is_pulled_from() {
        let at = |name: &str| format!("{name}@{DIGEST}");
        assert_eq!(likeness(&[], &at("elsewhere.example/x"), &at("r.example/proxy")), Likeness::Same);
        assert_eq!(likeness(&[], &at("elsewhere.example/x"), "r.example/proxy:1"), Likeness::Other);
        assert_eq!(likeness(&[], "elsewhere.example/x@md5:1", "r.example/proxy@md5:1"), Likeness::Other, "too weak");
        assert_eq!(likeness(&[], "elsewhere.example/x@", "r.example/proxy@"), Likeness::Other);
    }

    #[test]
    fn nobody_else_s_image_passes_for_ours() {
        let mirrors = ["mirror.local", "cache.local/hub"];
        for found in [
            "",
            "proxy:1",
            "evil.example/mesh/proxy:1",
            "mirror.local.evil.example/mesh/proxy:1",
            "mirror.locally/mesh/proxy:1",
            "evil.example/mirror.local/mesh/proxy:1",
            "mirror.local/evil/mesh/proxy:1",
            "mirror.local/evil.example/mesh/proxy:1",
            "mirror.local/proxy:1",
            "cache.local/other/mesh/proxy:1",
            "cache.local/mesh/proxy:1",
            "evil/r.example/mesh/proxy:1",
            "r.example/mesh/proxy/evil:1",
        ] {
            assert_eq!(likeness(&mirrors, found, "r.example/mesh/proxy:1"), Likeness::Other, "{found}");
        }
    }

    #[test]
    fn what_would_have_to_be_declared_is_told_and_nothing_where_that_would_not_do() {
        for (found, wanted, expected) in [
            ("mirror.local/mesh/proxy:1", "r.example/mesh/proxy:2", Some("mirror.local")),
            ("mirror.local:5000/hub/library/proxy", "proxy:1", Some("mirror.local:5000/hub")),
            ("mirror.local/hub/r.example/mesh/proxy:1@sha256:2", "r.example/mesh/proxy", Some("mirror.local/hub")),
            ("mirror.local/proxy:1", "r.example/mesh/proxy:1", None),
            ("mirror/mesh/proxy:1", "r.example/mesh/proxy:1", None),
            ("mesh/proxy:1", "r.example/mesh/proxy:1", None),
            ("", "r.example/mesh/proxy:1", None),
        ] {
            assert_eq!(undeclared_mirror(found, wanted), expected, "{found} {wanted}");
        }
    }

    #[test]
    fn a_mirror_is_named_with_its_registry() {
        for good in ["mirror.local", "localhost/hub", "mirror:5000/a/b_c"] {
            assert!(is_mirror(good), "{good}");
        }
        for bad in [
            "",
            "mirror",
            "mirror/docker.io",
            "https://mirror.local",
            "mirror.local/",
            "/mirror.local",
            "mirror.local/*",
        ] {
            assert!(!is_mirror(bad), "{bad}");
        }
    }
}
