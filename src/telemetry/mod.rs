//! Log fields and the one table of metrics.
