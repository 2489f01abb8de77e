//! The AdmissionReview v1 envelope: bytes to Request, Verdict to bytes; the only place that knows the wire.
