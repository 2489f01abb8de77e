//! Reads a body: without a copy where it came in one piece, else into one buffer of the declared size; never beyond the bound.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// The bytes that all bodies together may take up. Those that come in one piece are bounded by the connection's buffer,
/// and are not counted.
pub(super) struct Room {
    taken: AtomicUsize,
    most: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    fn take(&self, bytes: usize) -> Result<Taken<'_>, BodyError> {
        let taken = Taken { room: self, bytes };
        if self.taken.fetch_add(bytes, Relaxed) + bytes > self.most { Err(BodyError::NoRoom) } else { Ok(taken) }
    }
}

/// A part of the room, given back when the body is dropped.
struct Taken<'r> {
    room: &'r Room,
    bytes: usize,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Relaxed);
    }
}

/// A body that has been read.
pub(super) struct Whole<'r> {
    bytes: Bytes,
    _taken: Option<Taken<'r>>,
}

impl Deref for Whole<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why there is no body to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than the bound.
    TooLarge,
    /// All bodies together would be.
    NoRoom,
    /// The sender went away or broke the protocol.
    Broken,
}

/// Whether the body says from the start that it is larger than the bound.
pub(super) fn is_declared_too_large(body: &Incoming, most: usize) -> bool {
    declared(body) > most
}

fn declared(body: &Incoming) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// Reads all of it.
pub(super) async fn read(mut body: Incoming, most: usize, room: &Room) -> Result<Whole<'_>, BodyError> {
    let declared = declared(&body);
    let Some(first) = next(&mut body).await? else { return Ok(Whole { bytes: Bytes::new(), _taken: None }) };
    if first.len() > most {
        return Err(BodyError::TooLarge);
    }
    if first.len() >= declared && body.is_end_stream() {
        return Ok(Whole { bytes: first, _taken: None });
    }
    let is_sized = body.size_hint().exact().is_some();
    // A body that does not say how long it will be is taken to become as long as it may.
    let taken = room.take(if is_sized { declared } else { most })?;
    let mut all = Vec::with_capacity(declared.max(first.len()).min(most));
    all.extend_from_slice(&first);
    while let Some(more) = next(&mut body).await? {
        if all.len() + more.len() > most {
            return Err(BodyError::TooLarge);
        }
        all.extend_from_slice(&more);
    }
    Ok(Whole { bytes: all.into(), _taken: Some(taken) })
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
