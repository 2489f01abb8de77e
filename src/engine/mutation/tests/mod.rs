//! The tree, the selection, the driver with its check and the phases; the parts have tests of their own.

mod check;
mod driver;
mod facts;
mod leaving;
mod orders;
mod phases;
mod quarrels;
mod selection;
mod tree;
mod unfilling;
