//! Containers that violate no version of the Pod Security Standards, whatever pod they are in, and have no flaw of their own. What a
//! document adds is mostly one, and the same text in every pod: it is judged when the document is read.

use super::super::index::Index;
use super::Node;
use super::judged::{has_profiles, is_read};
use super::structure::is_sound;
use crate::engine::json;
use crate::engine::object::{Object, Pod};
use crate::engine::pod_security::{Level, LevelVersion, Version, registry};

/// Harmless containers, by their JSON.
#[derive(Debug, Default)]
pub(in crate::engine::mutation) struct Harmless(Index<()>);

impl<'t> FromIterator<&'t str> for Harmless {
    fn from_iter<T: IntoIterator<Item = &'t str>>(containers: T) -> Self {
        Self(Index::from_iter(containers.into_iter().map(|container| (container.into(), ()))))
    }
}

impl Harmless {
    /// Whether a container of this pod is one of them, whatever has been done to what no check reads.
    pub(super) fn has(&self, container: &Node<'_>, pod: &Node<'_>) -> bool {
        // Old annotations of the pod speak of containers by their names.
        self.is_known(container) && !is_read(container) && !has_profiles(pod)
    }

    /// Whether a container is one of them in all that [`is_sound`] looks at.
    pub(super) fn is_sound(&self, container: &Node<'_>) -> bool {
        let is_beside = |field| matches!(field, "resources" | "restartPolicy");
        self.is_known(container) && container.changes().all(|(field, _)| is_beside(field))
    }

    fn is_known(&self, container: &Node<'_>) -> bool {
        self.0.get(container.came_as()).is_some()
    }
}

/// Whether a container is sound, and violates nothing in a pod that says nothing. It then violates nothing in any pod without old annotations: what
/// a container leaves to its pod is a violation there if it can be one anywhere.
pub(in crate::engine::mutation) fn is_harmless(container: &str) -> bool {
    if !is_sound(&Node::new(container)) {
        return false;
    }
    let pod = format!(r#"{{"spec":{{"containers":[{container}]}}}}"#);
    let Ok(object) = json::from_str::<Object<'_>>(&pod) else { return false };
    let pod = Pod::of(&object);
    let is_allowed = |minor| {
        let strictest = LevelVersion { level: Level::Restricted, version: Version::Minor(minor) };
        registry().evaluate(strictest, &pod).is_allowed()
    };
    (0..=registry().newest()).all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::super::violations;
    use super::*;

    const HARMLESS: &str = r#"{"name":"ours","image":"i","ports":[{"containerPort":80}],"securityContext":
        {"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true,
        "seccompProfile":{"type":"RuntimeDefault"}}}"#;
    const THEIRS: &str = r#"{"name":"theirs","image":"i"}"#;

    #[test]
    fn a_harmless_container_violates_nothing_whatever_its_pod_says() {
        assert!(is_harmless(HARMLESS));
        let contexts = [
            "{}",
            r#"{"runAsNonRoot":false}"#,
            r#"{"runAsUser":0}"#,
            r#"{"seccompProfile":{"type":"Unconfined"}}"#,
            r#"{"appArmorProfile":{"type":"Unconfined"}}"#,
            r#"{"seLinuxOptions":{"type":"spc_t","user":"u"}}"#,
            r#"{"windowsOptions":{"hostProcess":true}}"#,
            r#"{"sysctls":[{"name":"kernel.msgmax","value":"1"}]}"#,
        ];
        let fields =
            ["", r#","hostUsers":false"#, r#","hostNetwork":true,"hostPID":true"#, r#","os":{"name":"windows"}"#];
        for (context, field) in contexts.iter().flat_map(|context| fields.map(|field| (context, field))) {
            let pod = |containers: &str| {
                format!(r#"{{"spec":{{"securityContext":{context}{field},"containers":[{containers}]}}}}"#)
            };
            let (before, after) = (pod(THEIRS), pod(&format!("{THEIRS},{HARMLESS}")));
            for level in [Level::Baseline, Level::Restricted] {
                for version in (0..=registry().newest()).map(Version::Minor) {
                    let of = |pod| violations(pod, LevelVersion { level, version });
                    assert_eq!(of(&before), of(&after), "{level:?} {version} {context} {field}");
                }
            }
        }
    }

    #[test]
    fn what_any_version_refuses_in_any_pod_is_not_harmless() {
        let with = |field: &str| HARMLESS.replacen('{', &format!("{{{field},"), 1);
        let port = HARMLESS.replace(r#""containerPort":80"#, r#""containerPort":80,"hostPort":80"#);
        let probe = with(r#""livenessProbe":{"httpGet":{"host":"example.com","port":80}}"#);
        let privileged = HARMLESS.replace(r#""runAsNonRoot":true"#, r#""runAsNonRoot":true,"privileged":true"#);
        let nothing = HARMLESS.replace(r#""runAsNonRoot":true,"#, "");
        for container in [THEIRS, &port, &probe, &privileged, &nothing, "{", "7"] {
            assert!(!is_harmless(container), "{container}");
        }
    }
}
