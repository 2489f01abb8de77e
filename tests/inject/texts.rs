//! The texts: comments and order stay, and the result goes where it is asked for.

use super::{DEPLOYMENT, folder, names, piped, run, trees};

#[test]
fn comments_order_and_spelling_stay_and_only_what_is_edited_differs() {
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: 'web'} # it too\n";
    let text = format!("{DEPLOYMENT}{service}---\n{DEPLOYMENT}");
    let injected = piped("inject", &text);
    let rewritten = ["tcpSocket:", "port: 80", "httpGet: {path: /ready"];
    let mut rest = injected.lines();
    for line in text.lines().filter(|line| !rewritten.iter().any(|known| line.trim().starts_with(known))) {
        assert!(rest.any(|found| found == line), "{line:?} is lost or moved in\n{injected}");
    }
    assert!(injected.contains("\"port\":15020}  # alive?\n"), "{injected}");
    assert!(injected.contains(service));
    let after = trees(&injected);
    assert_eq!(after.len(), 3);
    assert_eq!(names(&after[2]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
    assert_eq!(trees(&piped("uninject", &injected)), trees(&text));
}

#[test]
fn windows_line_ends_and_a_missing_last_one_are_no_obstacle() {
    for text in [DEPLOYMENT.replace('\n', "\r\n"), DEPLOYMENT.trim_end().to_owned(), format!("\u{FEFF}{DEPLOYMENT}")] {
        let injected = piped("inject", &text);
        assert_eq!(names(&trees(&injected)[0]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
        assert_eq!(trees(&piped("uninject", &injected)), trees(&text));
    }
}

#[test]
fn a_diff_shows_what_would_change_and_nothing_where_nothing_would() {
    let folder = folder(&[("web.yaml", DEPLOYMENT)]);
    let diff = || run(folder.path(), &["inject", "--diff", "web.yaml", "--policies", "mesh.yaml"], "");
    let ran = diff();
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    assert!(ran.output.starts_with("--- web.yaml\n+++ web.yaml\n@@ "), "{}", ran.output);
    assert!(ran.output.contains("\n+        image: proxy:1\n"), "{}", ran.output);
    assert!(ran.output.contains("\n-            tcpSocket:\n"), "{}", ran.output);
    std::fs::write(folder.path().join("web.yaml"), piped("inject", DEPLOYMENT)).expect("written");
    assert_eq!(diff().output, "");
}

#[test]
fn files_and_folders_are_written_in_place_there_and_back() {
    let other = "apiVersion: v1\nkind: ConfigMap\n";
    let files = [("shop/web.yaml", DEPLOYMENT), ("shop/deep/api.yml", DEPLOYMENT), ("shop/other.yaml", other)];
    let folder = folder(&files);
    let read = || files.map(|(name, _)| std::fs::read_to_string(folder.path().join(name)).expect("a file"));
    for command in ["inject", "uninject"] {
        let ran = run(folder.path(), &[command, "--in-place", "shop", "--policies", "mesh.yaml"], "");
        assert_eq!((ran.code, ran.output.as_str(), ran.errors.as_str()), (0, "", ""));
        if command == "inject" {
            let injected = piped("inject", DEPLOYMENT);
            assert_eq!(read(), [injected.as_str(), injected.as_str(), other]);
        }
    }
    assert_eq!(read().map(|text| trees(&text)), files.map(|(_, text)| trees(text)));
}

#[test]
fn several_files_become_documents_of_one_stream() {
    let pod = |name: &str, end: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}{end}");
    let files = [("a.yaml", pod("a", "")), ("b.yaml", "# nothing\n".to_owned()), ("c.yaml", pod("c", "\n"))];
    let folder = folder(&files);
    let ran = run(folder.path(), &["inject", "a.yaml", "b.yaml", "c.yaml", "--policies", "mesh.yaml"], "");
    let named: Vec<_> = trees(&ran.output).iter().map(|tree| tree["metadata"]["name"].clone()).collect();
    assert_eq!((ran.code, named), (0, vec!["a".into(), "c".into()]), "{}", ran.output);
}

#[test]
fn standard_input_cannot_be_written_in_place() {
    let folder = folder::<&str>(&[]);
    let ran = run(folder.path(), &["inject", "--in-place", "-", "--policies", "mesh.yaml"], DEPLOYMENT);
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert!(ran.errors.contains("leave --in-place out"), "{}", ran.errors);
    assert!(!folder.path().join("-").exists());
}
