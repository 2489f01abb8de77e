//! `portcullis uninject`: nothing of ours stays, nothing of others goes, and what is not known any more is told.

use super::{DEPLOYMENT, folder, names, piped, run, trees};

#[test]
fn what_others_did_since_stays() {
    let injected = piped("inject", DEPLOYMENT);
    let edited = injected
        .replace("      # the end\n", "      # the end\n      hostNetwork: false\n")
        .replace("image: nginx:1.29 ", "image: nginx:1.31 ");
    assert_ne!(edited, injected);
    let back = &trees(&piped("uninject", &edited))[0]["spec"]["template"];
    let mut expected = trees(DEPLOYMENT)[0]["spec"]["template"].clone();
    expected["spec"]["containers"][0]["image"] = "nginx:1.31".into();
    expected["spec"]["hostNetwork"] = false.into();
    assert_eq!(*back, expected);
}

#[test]
fn a_manifest_without_our_parts_passes_to_the_letter() {
    let own = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {}}\nspec:\n  volumes: []\n  containers: [{name: proxy, image: mine}]\n";
    for text in [DEPLOYMENT, own] {
        assert_eq!(piped("uninject", text), text);
    }
}

#[test]
fn values_that_were_replaced_are_told_of() {
    let replacing = super::MESH.replace("15001\"}]", "15001\", onExisting: Replace}]");
    let mine = "image: nginx:1.29   # pinned\n          env: [{name: PROXY, value: mine}]";
    let text = DEPLOYMENT.replace("image: nginx:1.29   # pinned", mine);
    let folder = folder(&[("mesh.yaml", replacing), ("web.yaml", text)]);
    let ran = run(folder.path(), &["inject", "--in-place", "web.yaml", "--policies", "mesh.yaml"], "");
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    let ran = run(folder.path(), &["uninject", "web.yaml", "--policies", "mesh.yaml"], "");
    assert_eq!(ran.code, 0);
    assert!(ran.errors.starts_with("web.yaml:2: Deployment/web: warning: SidecarInjection/mesh: "), "{}", ran.errors);
    assert!(
        ran.errors.contains("variable \"PROXY\" of container \"web\"") && ran.errors.ends_with("(value_replaced)\n")
    );
    assert!(trees(&ran.output)[0]["spec"]["template"]["spec"].get("initContainers").is_none());
}

#[test]
fn a_diff_shows_what_would_go_and_the_file_stays() {
    let injected = piped("inject", DEPLOYMENT);
    let folder = folder(&[("web.yaml", injected.as_str())]);
    let ran = run(folder.path(), &["uninject", "--diff", "web.yaml", "--policies", "mesh.yaml"], "");
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    assert!(
        ran.output.contains("\n-      - args:\n") && ran.output.contains("\n+            tcpSocket:\n"),
        "{}",
        ran.output
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("web.yaml")).expect("a file"), injected);
    assert_eq!(names(&trees(&injected)[0]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
}
