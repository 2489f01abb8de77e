//! The tree, the selection and the driver; the parts have tests of their own.

mod selection;
mod tree;
