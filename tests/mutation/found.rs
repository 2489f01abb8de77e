//! Cases that once broke a promise, as small as they came out, each with what it is about.

use serde_json::Value;

use crate::laws::hold;
use crate::outcome::Setting;

const FOUND: &[(&str, &str)] = &[
    (
        "a sidecar of which nothing is said gets amounts from the LimitRanger, which have to fit into the pod's own",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"}}],"initContainers":[{"container":{"image":"a","name":"g"},"enforceResources":true}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","limits":[[{"defaultRequest":{"memory":"1"},"type":"Container"}]],"pod":{"spec":{"containers":[{"image":"i","name":"a"}],"resources":{"limits":{"memory":"1"}}}}}"#,
    ),
    (
        "and so where its document wants nothing said of it",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"},"podLevel":"Omit"},{"container":{"image":"a","name":"g"},"enforceResources":true}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","limits":[[{"defaultRequest":{"memory":"1"},"type":"Container"}]],"pod":{"spec":{"containers":[{"image":"i","name":"a"}],"resources":{"limits":{"memory":"1"}}}}}"#,
    ),
    (
        "a value that is set to what it was, as what goes with a priority class",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"a"},"spec":{"scheduling":{"priorityClassName":"high"}}}],"level":"restricted","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a variable of a document's own container that the document appends to",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"initContainers":[{"container":{"env":[{"name":"LEVEL","value":"a"}],"image":"a","name":"s"}}],"patchContainers":[{"env":[{"name":"LEVEL","onExisting":"Append","value":"b"}],"select":{"initContainers":true,"injected":true}}]},"mode":"Always"}}],"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "and an empty one of another document's container",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"patchContainers":[{"env":[{"name":"LEVEL","onExisting":"Append","value":"a"}],"select":{"initContainers":true,"injected":true}}]},"mode":"Always"}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"add":{"initContainers":[{"container":{"env":[{"name":"LEVEL","value":""}],"image":"a","name":"m"}}]},"mode":"Always"}}],"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a mandatory sidecar that is left out because another document has its port",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"},"reserves":{"ports":[15020]}}]},"mode":"Always"}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"s"},"reserves":{"ports":[15020]}}]},"conflicts":{"port":"Skip"},"failure":{"verify":"Deny"},"mode":"Always"}}],"hasNativeSidecars":true,"level":"restricted","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a volume that is another document's and what an earlier revision added",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"volumes":[{"volume":{"emptyDir":{},"name":"certs"}}]},"mode":"Always"}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"mode":"Always","conflicts":{"volumeName":"Rename"},"revisions":{"default":"a","items":[{"add":{"volumes":[{"volume":{"emptyDir":{},"name":"certs"}}]},"name":"v"},{"add":{"volumes":[{"volume":{"name":"certs","secret":{"secretName":"a"}}}]},"name":"a"}]}}}],"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a container beside one that is first",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"},"placement":{"order":{"first":true}}},{"container":{"image":"a","name":"g"},"placement":{"order":{"after":["a"]}}}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "two containers that are last behind one that is after all others",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"i"},"placement":{"order":{"last":true}}},{"container":{"image":"a","name":"p"},"placement":{"order":{"after":["*"]}}}],"initContainers":[{"container":{"image":"a","name":"g"},"placement":{"order":{"last":true}}}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"restricted","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a container that another document's wants to precede",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"},"placement":{"order":{"before":["init-*"]}}}]},"mode":"Always"}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"add":{"initContainers":[{"container":{"image":"a","name":"init-0"},"placement":{"order":{"after":["a"]}}}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a mount in the containers of a later document",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"mode":"OptOut","add":{"patchContainers":[{"mounts":[{"mount":{"mountPath":"a","name":"buffer"}}],"select":{"injected":true}}],"volumes":[{"volume":{"emptyDir":{},"name":"buffer"}}]}}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"mode":"Always","add":{"containers":[{"container":{"image":"a","name":"s"},"placement":{"kind":"Container"}}]}}}],"level":"restricted","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a port that moves because of a probe that is then rewritten",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"proxy"},"reserves":{"ports":[15020]}}],"probeRewrite":{"container":"proxy","path":"/health/{container}/{probe}","port":15020,"variable":"P"}},"conflicts":{"port":"Remap"},"mode":"Always"}}],"hasNativeSidecars":true,"level":"restricted","pod":{"spec":{"containers":[{"image":"i","livenessProbe":{"httpGet":{"port":15020}},"name":"a"}]}}}"#,
    ),
    (
        "limits that follow from requests of a later document",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"a"},"spec":{"resources":{"guaranteed":true}}},{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"b"},"spec":{"resources":{"containers":{"requests":{"memory":"1"}}}}}],"level":"restricted","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a pod that is Guaranteed but for its sidecar",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"a"},"spec":{"onConflict":"Deny","resources":{"containers":{"requests":{"cpu":"1","memory":"6"}},"guaranteed":true}}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"add":{"initContainers":[{"container":{"image":"a","name":"s"},"qos":"AllowDowngrade"}]},"mode":"OptOut"}}],"level":"baseline","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "requests that the pod's own resources allow once a sidecar has made them grow",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"a"},"spec":{"resources":{"containers":{"requests":{"memory":"6"}}}}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"c"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"p"}}]},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}],"resources":{"limits":{"cpu":"6","memory":"24"}}}}}"#,
    ),
    (
        "a document that is left out for what a later one sets right",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"a"},"spec":{"onConflict":"Skip","resources":{"containers":{"requests":{"cpu":"0"}}},"scheduling":{"priorityClassName":"a"}}},{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"b"},"spec":{"scheduling":{"priorityClassName":"high"}}}],"level":"privileged","pod":{"spec":{"containers":[{"image":"i","name":"a"}]}}}"#,
    ),
    (
        "a port to which another document's probes lead",
        r#"{"documents":[{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"a"},"spec":{"add":{"initContainers":[{"container":{"image":"a","name":"p"},"reserves":{"ports":[15020]}}]},"mode":"Always"}},{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{"name":"b"},"spec":{"add":{"containers":[{"container":{"image":"a","name":"mesh"}}],"probeRewrite":{"container":"mesh","path":"/health/{container}/{probe}","port":15020,"variable":"P"}},"mode":"Always"}}],"hasNativeSidecars":true,"level":"privileged","pod":{"spec":{"containers":[{"image":"i","livenessProbe":{"httpGet":{"port":80}},"name":"a"}]}}}"#,
    ),
];

#[test]
fn what_once_broke_a_promise_keeps_it() {
    for (about, case) in FOUND {
        let case: Value = serde_json::from_str(case).expect("JSON");
        let setting = Setting::of(&case).expect("no flaws");
        let kept = hold(&case, &setting);
        assert!(kept.is_ok(), "{about}: {kept:?}");
    }
}
