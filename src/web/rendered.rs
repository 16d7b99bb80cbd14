//! Pages of reports that were rendered lately.
//!
//! A saved report never changes, so neither do its pages: what one reader was
//! sent, the next one can be sent as it is, compressed already. Whether the
//! report is still there is not known here; who asks has looked in the store.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::error::Error;
use crate::model::finding::Verdict;
use crate::model::time::Timestamp;

/// What a page costs beside its bytes: its key, twice, and the nodes that hold it.
const OVERHEAD_BYTES: usize = 256;

/// Which page it is. Another report may have the same id once the first is deleted:
/// the time at which it was made tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageKey {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The verdict of the devices that it lists.
    pub verdict: Option<Verdict>,
    /// From 1.
    pub page: u64,
    pub encoding: PageEncoding,
}

/// How a page's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageEncoding {
    Plain,
    Gzip,
}

impl PageEncoding {
    /// The shortest that a request with these headers accepts (RFC 9110, section 12.5.3).
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut any = false;
        for one in lists.flat_map(|list| list.split(',')) {
            let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            let is_accepted = weight.is_none_or(|weight| weight > 0.0);
            match coding.trim() {
                coding if coding.eq_ignore_ascii_case("gzip") => {
                    return if is_accepted { Self::Gzip } else { Self::Plain };
                }
                "*" => any = is_accepted,
                _ => {}
            }
        }
        if any { Self::Gzip } else { Self::Plain }
    }

    /// As `Content-Encoding` names it; a plain page has none.
    #[must_use]
    pub const fn token(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
        }
    }

    /// The bytes of a page in this encoding.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    pub fn encode(self, page: String) -> std::io::Result<Bytes> {
        match self {
            Self::Plain => Ok(page.into()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(page.as_bytes())?;
                Ok(encoder.finish()?.into())
            }
        }
    }
}

/// A page as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPage {
    pub bytes: Bytes,
    /// Its entity tag (RFC 9110, section 8.8.3), the same in every encoding.
    pub tag: Arc<str>,
}

/// The pages that are kept, those asked for last, up to a number of bytes. Clones
/// share them.
#[derive(Debug, Clone)]
pub struct RenderedPages {
    shelf: Arc<Mutex<Shelf>>,
    /// One permit per processor. A page is rendered in one go: more at a time would
    /// only make each of them late, and of those who ask for the same page at the
    /// same moment, most find it done when their turn comes.
    turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shelf {
    limit_bytes: usize,
    bytes: usize,
    pages: HashMap<PageKey, Kept>,
    /// By when they were asked for, the oldest first.
    order: BTreeMap<u64, PageKey>,
    asked: u64,
}

#[derive(Debug)]
struct Kept {
    page: RenderedPage,
    /// The place in `order`.
    asked: u64,
}

impl RenderedPages {
    /// Room for pages of `limit_bytes` together.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        let shelf = Shelf {
            limit_bytes,
            bytes: 0,
            pages: HashMap::new(),
            order: BTreeMap::new(),
            asked: 0,
        };
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            shelf: Arc::new(Mutex::new(shelf)),
            turns: Arc::new(Semaphore::new(processors.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// The page `key`, made by `make` where it is not kept.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub async fn find_or_make(
        &self,
        key: PageKey,
        make: impl Future<Output = Result<(RenderedPage, Keeping), Error>>,
    ) -> Result<RenderedPage, Error> {
        if let Some(page) = self.lock().find(&key) {
            return Ok(page);
        }
        // Nobody closes it.
        let _turn = self.turns.acquire().await.ok();
        if let Some(page) = self.lock().find(&key) {
            return Ok(page);
        }
        let (page, keeping) = make.await?;
        if keeping == Keeping::Keep {
            self.lock().keep(key, page.clone());
        }
        Ok(page)
    }

    /// Gives back the pages of a report that is deleted.
    pub fn forget(&self, id: Uuid) {
        self.lock().forget(id);
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // What a panic left half done is at worst a page too few.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a page may be sent to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    Keep,
    /// The report changed while the page was made of it.
    Drop,
}

impl Shelf {
    fn find(&mut self, key: &PageKey) -> Option<RenderedPage> {
        let kept = self.pages.get_mut(key)?;
        self.order.remove(&kept.asked);
        self.asked += 1;
        kept.asked = self.asked;
        self.order.insert(self.asked, *key);
        Some(kept.page.clone())
    }

    fn keep(&mut self, key: PageKey, page: RenderedPage) {
        self.remove(&key);
        let size = cost(&page);
        if size > self.limit_bytes {
            return;
        }
        while self.bytes + size > self.limit_bytes
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.remove(&oldest);
        }
        self.asked += 1;
        self.order.insert(self.asked, key);
        self.pages.insert(key, Kept { page, asked: self.asked });
        self.bytes += size;
    }

    fn remove(&mut self, key: &PageKey) {
        if let Some(kept) = self.pages.remove(key) {
            self.order.remove(&kept.asked);
            self.bytes -= cost(&kept.page);
        }
    }

    fn forget(&mut self, id: Uuid) {
        let keys: Vec<PageKey> = self.pages.keys().filter(|key| key.id == id).copied().collect();
        for key in keys {
            self.remove(&key);
        }
    }
}

fn cost(page: &RenderedPage) -> usize {
    page.bytes.len() + page.tag.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::HeaderValue;

    use super::*;

    fn key(report: u128, page: u64) -> PageKey {
        PageKey {
            id: Uuid::from_u128(report),
            created_at: Timestamp::from_seconds(1),
            verdict: None,
            page,
            encoding: PageEncoding::Plain,
        }
    }

    fn page(size_bytes: usize) -> RenderedPage {
        let size_bytes = size_bytes - OVERHEAD_BYTES - 3;
        RenderedPage { bytes: vec![b'x'; size_bytes].into(), tag: "tag".into() }
    }

    fn kept(pages: &RenderedPages) -> Vec<u64> {
        let shelf = pages.lock();
        assert_eq!(shelf.pages.len(), shelf.order.len());
        let sum: usize = shelf.pages.values().map(|kept| cost(&kept.page)).sum();
        assert_eq!(shelf.bytes, sum);
        assert!(shelf.bytes <= shelf.limit_bytes);
        let mut numbers: Vec<u64> = shelf.pages.keys().map(|key| key.page).collect();
        numbers.sort_unstable();
        numbers
    }

    async fn ask(pages: &RenderedPages, key: PageKey, size_bytes: usize) {
        let make = async { Ok((page(size_bytes), Keeping::Keep)) };
        pages.find_or_make(key, make).await.unwrap();
    }

    #[tokio::test]
    async fn the_pages_asked_for_last_are_kept() {
        let pages = RenderedPages::new(10_000);
        for number in 1..=4 {
            ask(&pages, key(1, number), 3_000).await;
        }
        assert_eq!(kept(&pages), [2, 3, 4]);
        // Asked for again, it outlives the others.
        ask(&pages, key(1, 2), 3_000).await;
        ask(&pages, key(1, 5), 6_000).await;
        assert_eq!(kept(&pages), [2, 5]);
        // One that is larger than all the room takes nobody else's.
        ask(&pages, key(1, 6), 10_001).await;
        assert_eq!(kept(&pages), [2, 5]);
        ask(&pages, key(1, 7), 10_000).await;
        assert_eq!(kept(&pages), [7]);
    }

    #[tokio::test]
    async fn a_page_is_made_once() {
        let pages = RenderedPages::new(1 << 20);
        let count = Arc::new(AtomicUsize::new(0));
        let readers: Vec<_> = (0..16)
            .map(|_| {
                let (pages, count) = (pages.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let make = async {
                        count.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok((page(1_000), Keeping::Keep))
                    };
                    pages.find_or_make(key(1, 1), make).await.unwrap()
                })
            })
            .collect();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), page(1_000));
        }
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        assert!(count.load(Ordering::SeqCst) <= processors);
    }

    #[tokio::test]
    async fn what_changed_meanwhile_or_failed_is_not_kept() {
        let pages = RenderedPages::new(1 << 20);
        let dropped = pages.find_or_make(key(1, 1), async { Ok((page(1_000), Keeping::Drop)) });
        assert_eq!(dropped.await.unwrap(), page(1_000));
        let failed = pages.find_or_make(key(1, 2), async { Err(Error::Internal("a test")) });
        assert!(failed.await.is_err());
        assert!(kept(&pages).is_empty());
    }

    #[tokio::test]
    async fn a_deleted_report_leaves_nothing() {
        let pages = RenderedPages::new(1 << 20);
        for (report, number) in [(1, 1), (1, 2), (2, 3)] {
            ask(&pages, key(report, number), 1_000).await;
        }
        pages.forget(Uuid::from_u128(1));
        assert_eq!(kept(&pages), [3]);
    }

    #[test]
    fn gzip_is_sent_to_who_accepts_it() {
        let cases = [
            (&[][..], PageEncoding::Plain),
            (&["gzip"], PageEncoding::Gzip),
            (&["gzip, deflate, br, zstd"], PageEncoding::Gzip),
            (&["br;q=1.0, GZIP;q=0.5"], PageEncoding::Gzip),
            (&["br", "gzip"], PageEncoding::Gzip),
            (&["*"], PageEncoding::Gzip),
            (&["*;q=0.1, gzip; q=0"], PageEncoding::Plain),
            (&["gzip;q=0, *"], PageEncoding::Plain),
            (&["*;q=0"], PageEncoding::Plain),
            (&["br"], PageEncoding::Plain),
            (&["identity"], PageEncoding::Plain),
            (&["xgzip, gzipx"], PageEncoding::Plain),
        ];
        for (values, expected) in cases {
            let values =
                values.iter().map(|value| (ACCEPT_ENCODING, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            headers.extend(values.map(|(name, value)| (Some(name), value)));
            assert_eq!(PageEncoding::accepted(&headers), expected, "{headers:?}");
        }
        let text = "<p>a page</p>".repeat(100);
        let encoded = PageEncoding::Gzip.encode(text.clone()).unwrap();
        let mut decoded = String::new();
        flate2::read::GzDecoder::new(&*encoded).read_to_string(&mut decoded).unwrap();
        assert_eq!(decoded, text);
        assert_eq!(PageEncoding::Plain.encode(text.clone()).unwrap(), text);
    }
}
