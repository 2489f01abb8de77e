//! Reads a list page by page, and asks for less at a time where a page would be larger than its bound.

use bytes::Bytes;

use super::access::Access;
use super::error::ClusterError;
use super::question::{Listing, Page, Question};

/// How many objects a page has at first.
const LIMIT: u32 = 500;

pub(super) struct Pages<'p> {
    access: &'p Access,
    of: Listing<'p>,
    size: Size,
    /// Where the next page begins. None at the start.
    token: Option<String>,
}

impl<'p> Pages<'p> {
    pub(super) fn new(access: &'p Access, of: Listing<'p>) -> Self {
        Self { access, of, size: Size(LIMIT), token: None }
    }

    /// The page that is due, of at most this many bytes.
    pub(super) async fn read(&mut self, most: usize) -> Result<Bytes, ClusterError> {
        loop {
            let page = Page { limit: self.size.0, token: self.token.as_deref() };
            match self.access.read(Question::List(self.of, page), most).await {
                Err(ClusterError::TooLarge(_)) if self.size.shrink() => {}
                answered => return answered,
            }
        }
    }

    /// Turns to the page that begins here; false if that was the last.
    pub(super) fn turn(&mut self, token: &str) -> bool {
        self.token = Some(token.to_owned());
        !token.is_empty()
    }
}

/// How many objects a page is to have.
#[derive(Debug, PartialEq, Eq)]
struct Size(u32);

impl Size {
    /// Asks for less; false if there is no less.
    fn shrink(&mut self) -> bool {
        let is_larger = self.0 > 1;
        self.0 = (self.0 / 5).max(1);
        is_larger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shrinks_to_a_single_object_and_no_further() {
        let mut size = Size(LIMIT);
        let sizes: Vec<u32> = std::iter::from_fn(|| size.shrink().then_some(size.0)).collect();
        assert_eq!(sizes, [100, 20, 4, 1]);
    }
}
