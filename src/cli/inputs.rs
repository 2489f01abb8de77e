//! What commands read: policies, namespaces and pods from files.
