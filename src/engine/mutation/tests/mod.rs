//! The tree, the selection, the driver and the phases; the parts have tests of their own.

mod driver;
mod phases;
mod selection;
mod tree;
