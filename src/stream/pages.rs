//! Records that come in pages.

use std::future::Future;

use super::generate::{TryGenerate, try_generate};

/// Makes a stream of the records on all pages, one request after the other.
///
/// `fetch` is called with the cursor of the page: `first`, and then what the page before gave as
/// `next`. A page is requested only when every record before it was taken. The stream ends at a page
/// without `next`, at an **empty page**, or with the first error.
///
/// A `fetch` that never returns a last or an empty page makes a stream without end: bound it by
/// [`super::StreamExt::take`].
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::stream::{Page, StreamExt, pages};
/// use std::convert::Infallible;
///
/// let fetch = async |offset: u32| {
///     let items: Vec<_> = (offset..25).take(10).collect();
///     Ok::<_, Infallible>(Page { next: Some(offset + 10), items })
/// };
/// let records: Vec<_> = pages(0, fetch).map(|record| record.unwrap()).collect().await;
/// assert_eq!(records.len(), 25);
/// # }).unwrap();
/// ```
pub fn pages<C, T, E, F>(
    first: C,
    mut fetch: F,
) -> TryGenerate<T, impl Future<Output = Result<(), E>>>
where
    F: AsyncFnMut(C) -> Result<Page<T, C>, E>,
{
    try_generate(async move |y| {
        let mut cursor = Some(first);
        while let Some(at) = cursor.take() {
            let page = fetch(at).await?;
            if page.items.is_empty() {
                break;
            }
            for item in page.items {
                y.emit(item).await;
            }
            cursor = page.next;
        }
        Ok(())
    })
}

/// One page of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The records, in order. An empty page is the last.
    pub items: Vec<T>,
    /// Where the next page begins: an offset, a token; none after the last page.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes the last page.
    ///
    /// # Examples
    /// ```
    /// let page = parcae::stream::Page::<_, u32>::last(vec!["Morta"]);
    /// assert_eq!(page.next, None);
    /// ```
    #[must_use]
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
