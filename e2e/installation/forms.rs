//! The three forms, object by object, for the overlays and for combinations of components.

use crate::stage::{Objects, Stage, manifests, objects, render, stage};
use anyhow::{Result, ensure};
use std::{fs, path::Path};

/// One installation, said in three ways.
struct Case {
    /// A folder below `manifests/`, or components to be put together.
    kustomization: Kustomization,
    helm: &'static [&'static str],
    render: &'static [&'static str],
}

enum Kustomization {
    Overlay(&'static str),
    Components(&'static [&'static str]),
    Namespace(&'static str),
}

const CASES: [Case; 9] = [
    Case { kustomization: Kustomization::Overlay("base"), helm: &[], render: &[] },
    Case {
        kustomization: Kustomization::Overlay("overlays/enforce"),
        helm: &["mode=enforce"],
        render: &["--mode=enforce"],
    },
    Case {
        kustomization: Kustomization::Overlay("overlays/audit-only"),
        helm: &["mode=audit"],
        render: &["--mode=audit"],
    },
    Case {
        kustomization: Kustomization::Overlay("overlays/high-availability"),
        helm: &["highAvailability=true"],
        render: &["--high-availability"],
    },
    Case {
        kustomization: Kustomization::Components(&["audit", "high-availability"]),
        helm: &["mode=audit", "highAvailability=true"],
        render: &["--high-availability", "--mode=audit"],
    },
    Case {
        kustomization: Kustomization::Namespace("elsewhere"),
        helm: &["namespace.create=true"],
        render: &["--namespace=elsewhere"],
    },
    Case {
        kustomization: Kustomization::Components(&["given-certificate"]),
        helm: &["certificates.source=given"],
        render: &["--certificates=given"],
    },
    Case {
        kustomization: Kustomization::Components(&["cert-manager"]),
        helm: &["certificates.source=cert-manager"],
        render: &["--certificates=cert-manager"],
    },
    Case {
        kustomization: Kustomization::Components(&["audit", "high-availability", "cert-manager", "prometheus-rule"]),
        helm: &["mode=audit", "highAvailability=true", "certificates.source=cert-manager", "alerts=prometheusRule"],
        render: &["--mode=audit", "--high-availability", "--certificates=cert-manager", "--alerts=prometheus-rule"],
    },
];

#[test]
fn kustomize_helm_and_render_agree_object_by_object() -> Result<()> {
    let stage = stage()?;
    for (index, case) in CASES.iter().enumerate() {
        let rendered = objects(&render(case.render)?)?;
        ensure!(rendered.len() >= 12, "only {} objects", rendered.len());
        let mut namespace = "portcullis-system";
        let folder = match case.kustomization {
            Kustomization::Overlay(folder) => manifests(folder),
            Kustomization::Components(components) => put_together(&stage, index, components, namespace)?,
            Kustomization::Namespace(name) => {
                namespace = name;
                put_together(&stage, index, &[], name)?
            }
        };
        let kustomized = objects(&stage.plane.kubectl()?.done(&["kustomize", &folder])?)?;
        assert_same(&kustomized, &rendered, &format!("kustomize {folder} and render {:?}", case.render));
        let helmed = objects(&template(&stage, "portcullis", namespace, case.helm)?)?;
        assert_same(&helmed, &rendered, &format!("helm {:?} and render {:?}", case.helm, case.render));
    }
    Ok(())
}

#[test]
fn helm_and_render_agree_about_names_and_options() -> Result<()> {
    let stage = stage()?;
    for (values, arguments) in [
        (
            &["replicas=7", "image.repository=example/gate", "image.tag=v2", "arguments={--workloads=deny}"][..],
            &["--replicas=7", "--image=example/gate:v2", "--", "--workloads=deny"][..],
        ),
        (&["certificates.source=cert-manager"], &["--certificates=cert-manager"]),
        (
            &["certificates.source=given", "certificates.secret=portcullis-mine", "mode=audit"],
            &["--certificates=given", "--certificate-secret=portcullis-mine", "--mode=audit"],
        ),
    ] {
        let names = ["--release=gate", "--namespace=portcullis-prod"];
        let rendered = objects(&render(&[&names, arguments].concat())?)?;
        let helmed = objects(&template(&stage, "gate", "portcullis-prod", values)?)?;
        assert_same(&helmed, &rendered, &format!("helm {values:?} and render {arguments:?}"));
    }
    Ok(())
}

#[test]
fn helm_and_render_mount_the_same_configuration() -> Result<()> {
    let stage = stage()?;
    let path = format!("{}/policies/pod-security/baseline.yaml", env!("CARGO_MANIFEST_DIR"));
    let rendered = objects(&render(&["--config", &path])?)?;
    assert!(rendered.contains_key("ConfigMap portcullis-system/portcullis-configuration"));
    let (chart, value) = (manifests("chart"), format!("configuration={path}"));
    let arguments =
        ["template", "portcullis", &chart, "--namespace=portcullis-system", "--set-file", &value, "--include-crds"];
    assert_same(&objects(&stage.helm()?.done(&arguments)?)?, &rendered, "helm and render, with a configuration");
    Ok(())
}

#[test]
fn the_packaged_chart_needs_nothing_beside_it() -> Result<()> {
    let stage = stage()?;
    let (helm, folder) = (stage.helm()?, stage.folder("packaged")?);
    helm.done(&["lint", "--strict", "--namespace=portcullis-system", &manifests("chart")])?;
    helm.done(&["package", &manifests("chart"), "--destination", &folder.display().to_string()])?;
    let package = folder.join(format!("portcullis-{}.tgz", env!("CARGO_PKG_VERSION"))).display().to_string();
    let text = helm.done(&["template", "portcullis", &package, "--namespace=portcullis-system", "--include-crds"])?;
    assert_same(&objects(&text)?, &objects(&render(&[])?)?, "the packaged chart and render");
    Ok(())
}

#[test]
fn what_the_chart_cannot_make_sense_of_is_refused_with_its_place() -> Result<()> {
    let helm = stage()?.helm()?;
    let chart = manifests("chart");
    for (namespace, value, said) in [
        ("p", "replcas=3", "at '': additional properties 'replcas' not allowed"),
        ("p", "image.tagg=3", "at '/image': additional properties 'tagg' not allowed"),
        ("p", "replicas=many", "at '/replicas': got string, want null or integer"),
        ("p", "replicas=0", "at '/replicas': minimum: got 0, want 1"),
        ("p", "mode=off", "at '/mode': value must be one of 'enforce', 'audit'"),
        ("p", "arguments={deny}", "at '/arguments/0': 'deny' does not match pattern"),
        ("p", "networkPolicy.apiServerPorts={70000}", "at '/networkPolicy/apiServerPorts/0': maximum"),
        ("p", "certificates.secret=mine", "set both, or neither"),
        ("kube-system", "mode=audit", "kube-system is the system's namespace"),
    ] {
        let namespace = format!("--namespace={namespace}");
        let refused = helm.run(&["template", "portcullis", &chart, &namespace, "--set", value])?;
        assert!(!refused.succeeded && refused.stderr.contains(said), "{value}: {}", refused.stderr);
    }
    Ok(())
}

/// What the chart makes of these values.
pub fn template(stage: &Stage, release: &str, namespace: &str, values: &[&str]) -> Result<String> {
    let (chart, namespace) = (manifests("chart"), format!("--namespace={namespace}"));
    let mut arguments = vec!["template", release, &chart, &namespace, "--include-crds"];
    for value in values {
        arguments.extend(["--set", value]);
    }
    stage.helm()?.done(&arguments)
}

/// A kustomization outside of `manifests/`, as a platform engineer would write it; kustomize reads relative paths only.
fn put_together(stage: &Stage, index: usize, components: &[&str], namespace: &str) -> Result<String> {
    let folder = fs::canonicalize(stage.folder(&format!("kustomization-{index}"))?)?;
    let up = "../".repeat(folder.components().count() - 1);
    let relative = |path: &str| -> Result<String> {
        let path = fs::canonicalize(Path::new(&manifests(path)))?;
        Ok(format!("{up}{}", path.strip_prefix("/")?.display()))
    };
    let components =
        components.iter().map(|name| relative(&format!("components/{name}"))).collect::<Result<Vec<_>>>()?;
    let (base, components) = (relative("base")?, components.join(", "));
    let text = format!("resources: [{base}]\ncomponents: [{components}]\nnamespace: {namespace}\n");
    fs::write(folder.join("kustomization.yaml"), text)?;
    Ok(folder.display().to_string())
}

fn assert_same(one: &Objects, other: &Objects, what: &str) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
    for (identity, object) in one {
        assert_eq!(Some(object), other.get(identity), "{what}: {identity}");
    }
}
