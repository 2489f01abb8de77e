//! Self-made certificates.
