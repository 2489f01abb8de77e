//! What happens to a pod between two passes, as the model has it that is held against a real API server.

use serde_json::Value;

use crate::engine::mutation::arrival::{ServiceAccount, complete};
use crate::engine::mutation::{Node, World};

pub(super) fn as_the_api_server_stores(pod: &Value) -> Value {
    let mut tree = Node::new(pod.to_string());
    complete(&mut tree, &World::default(), ServiceAccount::default());
    serde_json::from_str(&tree.to_json()).expect("JSON")
}
