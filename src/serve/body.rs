//! Reads a body: without a copy where it came in one piece, else into one buffer of the declared size; never beyond the bound.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// Why there is no body to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than the bound.
    TooLarge,
    /// The sender went away or broke the protocol.
    Broken,
}

/// Whether the body says from the start that it is larger than the bound.
pub(super) fn is_declared_too_large(body: &Incoming, most: usize) -> bool {
    usize::try_from(body.size_hint().lower()).map_or(true, |declared| declared > most)
}

/// Reads all of it.
pub(super) async fn read(mut body: Incoming, most: usize) -> Result<Bytes, BodyError> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > most {
        return Err(BodyError::TooLarge);
    }
    if first.len() >= declared && body.is_end_stream() {
        return Ok(first);
    }
    let mut all = Vec::with_capacity(declared.max(first.len()).min(most));
    all.extend_from_slice(&first);
    while let Some(more) = next(&mut body).await? {
        if all.len() + more.len() > most {
            return Err(BodyError::TooLarge);
        }
        all.extend_from_slice(&more);
    }
    Ok(all.into())
}

/// Reads it off without keeping it, so that the connection can go on.
pub(super) async fn discard(mut body: Incoming, most: usize) -> Result<(), BodyError> {
    let mut length = 0;
    while let Some(more) = next(&mut body).await? {
        length += more.len();
        if length > most {
            return Err(BodyError::TooLarge);
        }
    }
    Ok(())
}

/// The next piece that is not empty; none at the end.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        if let Ok(data) = frame.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
