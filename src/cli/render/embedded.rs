//! The files of `manifests/`, as they were when this program was built.
//!
//! Kept true: every file of the base and of each component is here; a test compares.

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../manifests/", $path)))),*]
    };
}

/// Paths below `manifests/`, and texts.
pub(super) const FILES: [(&str, &str); 24] = embedded![
    "base/kustomization.yaml",
    "base/access.yaml",
    "base/alerts.yaml",
    "base/availability.yaml",
    "base/deployment.yaml",
    "base/namespace.yaml",
    "base/network-policy.yaml",
    "base/service.yaml",
    "components/audit/kustomization.yaml",
    "components/audit/deployment.patch.yaml",
    "components/cert-manager/kustomization.yaml",
    "components/cert-manager/certificate.yaml",
    "components/cert-manager/deployment.patch.yaml",
    "components/configuration/kustomization.yaml",
    "components/configuration/configuration.yaml",
    "components/configuration/deployment.patch.yaml",
    "components/given-certificate/kustomization.yaml",
    "components/given-certificate/deployment.patch.yaml",
    "components/given-certificate/role.patch.yaml",
    "components/high-availability/kustomization.yaml",
    "components/high-availability/deployment.patch.yaml",
    "components/prometheus-rule/kustomization.yaml",
    "components/prometheus-rule/alerts.patch.yaml",
    "components/prometheus-rule/prometheus-rule.yaml",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::FILES;

    #[test]
    fn every_file_of_base_and_components_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let mut found = BTreeSet::new();
        for folder in ["base", "components"] {
            collect(&root, &root.join(folder), &mut found);
        }
        let embedded: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(found, embedded);
    }

    fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).expect("below").display().to_string());
            }
        }
    }
}
