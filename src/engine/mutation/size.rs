//! Whether a result can still be stored. What etcd refuses is answered as an error of the server, whatever the failure policy: a pod
//! that has no room for an addition goes without it.

use super::check::Fault;
use super::patch::Patch;
use super::plan::Reason;
use super::tree::Node;

/// The most bytes of JSON that are surely stored: etcd takes 1.5 MiB a request (`--max-request-bytes`) unless told otherwise, and the API
/// server writes less than the JSON has, beside a few names and numbers of its own.
const MOST: usize = (1536 << 10) - (16 << 10);

/// Whether the patch may lead beyond what is stored. No result is longer than the pod and the patch together.
pub(super) fn is_in_doubt(pod: &str, patch: Option<&Patch>) -> bool {
    patch.is_some_and(|patch| pod.len() + patch.json().len() > MOST)
}

/// What is wrong with a result that has grown beyond what is stored.
pub(super) fn fault(original: &Node<'_>, result: &Node<'_>) -> Option<Fault> {
    let (before, after) = (original.to_json().len(), result.to_json().len());
    let about = || format!("the pod would have {after} bytes, and etcd takes no more than {MOST} for sure");
    (after > MOST && after > before).then(|| Fault { reason: Reason::TooLarge, about: about() })
}
