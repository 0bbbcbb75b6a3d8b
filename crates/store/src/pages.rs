//! Pages of a column chunk: found one after the other by their heads, and unpacked where they are wanted, with a context
//! that a thread makes once. (The library's reader makes two for every chunk, which costs more than unpacking a page does,
//! reads pages that are not wanted, and panics over some heads.)

use std::cell::{OnceCell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::decode::{Chunk, damaged, outside};
use crate::thrift::{Head, head};

thread_local! {
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    static STREAM: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// A head of ours is shorter.
const HEAD: usize = 256;
/// No head is longer.
const MAX_HEAD: usize = 64 << 10;
/// Packed bytes that are unpacked at a time, where not all may be wanted.
const STEP: usize = 16 << 10;

/// A file that is opened when something of it is first wanted.
pub(crate) type Opened = OnceCell<Arc<File>>;

/// Where the bytes of a chunk are.
pub(crate) enum Source {
    /// They were read.
    Read(Chunk),
    /// They are read as they are wanted: so many from this place on.
    File(Arc<File>, u64, u64),
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Self::Read(chunk) => chunk.bytes.len(),
            Self::File(_, _, len) => *len as usize,
        }
    }

    /// Bytes from a place within the chunk.
    fn get(&self, at: usize, len: usize) -> Result<Bytes> {
        let end = at.checked_add(len).filter(|end| *end <= self.len()).ok_or_else(outside)?;
        match self {
            Self::Read(chunk) => Ok(chunk.bytes.slice(at..end)),
            Self::File(file, start, _) => {
                let mut bytes = vec![0; len];
                file.read_exact_at(&mut bytes, start + at as u64)
                    .map_err(|e| ParquetError::External(Box::new(e)))?;
                Ok(Bytes::from(bytes))
            }
        }
    }
}

/// A page, still packed.
pub(crate) struct Page {
    pub(crate) head: Head,
    /// Where its bytes begin.
    at: usize,
}

/// Reads the pages of a chunk one after the other.
pub(crate) struct Pages {
    source: Source,
    /// Where the next head is.
    next: usize,
    zstd: bool,
    /// No page is larger than the chunk's pages together.
    limit: usize,
}

impl Pages {
    pub(crate) fn new(meta: &ColumnChunkMetaData, source: Source) -> Result<Self> {
        let zstd = match meta.compression() {
            Compression::ZSTD(_) => true,
            Compression::UNCOMPRESSED => false,
            other => return Err(damaged(&format!("pages packed with {other}"))),
        };
        Ok(Self { source, next: 0, zstd, limit: usize::try_from(meta.uncompressed_size()).unwrap_or(0) })
    }

    /// The next page.
    pub(crate) fn next_page(&mut self) -> Result<Option<Page>> {
        loop {
            let left = self.source.len() - self.next;
            if left == 0 {
                return Ok(None);
            }
            let mut window = HEAD;
            let (head, length) = loop {
                let bytes = self.source.get(self.next, window.min(left))?;
                let mut rest = &bytes[..];
                match head(&mut rest) {
                    Some(head) => break (head, bytes.len() - rest.len()),
                    None if window < left.min(MAX_HEAD) => window = MAX_HEAD,
                    None => return Err(damaged("a page without a head")),
                }
            };
            let at = self.next + length;
            self.next =
                at.checked_add(head.packed).filter(|end| *end <= self.source.len()).ok_or_else(outside)?;
            if head.kind.is_some() {
                return Ok(Some(Page { head, at }));
            }
        }
    }

    fn packed(&self, page: &Page) -> Result<Bytes> {
        if page.head.plain > self.limit {
            return Err(damaged("a page that is larger than its chunk"));
        }
        self.source.get(page.at, page.head.packed)
    }

    /// All of a page.
    pub(crate) fn unpack(&self, page: &Page) -> Result<Bytes> {
        let packed = self.packed(page)?;
        if !self.zstd || packed.is_empty() {
            return Ok(packed);
        }
        ZSTD.with_borrow_mut(|context| {
            let context = match context {
                Some(context) => context,
                None => context.insert(zstd::bulk::Decompressor::new()?),
            };
            let mut out = Vec::with_capacity(page.head.plain);
            if context.decompress_to_buffer(&packed[..], &mut out)? != page.head.plain {
                return Err(damaged("a page of another size than it tells"));
            }
            Ok(Bytes::from(out))
        })
    }

    /// The beginning of a page: as much as is enough, by what is there so far.
    pub(crate) fn unpack_until(&self, page: &Page, mut enough: impl FnMut(&[u8]) -> bool) -> Result<Bytes> {
        if !self.zstd || page.head.packed <= STEP {
            return self.unpack(page);
        }
        let packed = self.packed(page)?;
        STREAM.with_borrow_mut(|context| {
            let context = match context {
                Some(context) => context,
                None => context.insert(Decoder::new()?),
            };
            context.reinit()?;
            let mut out = Vec::with_capacity(page.head.plain);
            for part in packed.chunks(STEP) {
                let mut input = InBuffer::around(part);
                while input.pos() < part.len() {
                    let before = (out.len(), input.pos());
                    context.run(&mut input, &mut OutBuffer::around_pos(&mut out, before.0))?;
                    if (out.len(), input.pos()) == before {
                        return Err(damaged("a page of another size than it tells"));
                    }
                }
                if enough(&out) {
                    break;
                }
            }
            Ok(Bytes::from(out))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thrift::PageKind;

    #[test]
    fn a_beginning_is_that_of_the_whole() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let plain: Vec<u8> =
            (0..400_000).map(|i| if i % 3 == 0 { random() } else { (i / 5000) as u8 }).collect();
        let packed = zstd::bulk::compress(&plain, 1).unwrap();
        assert!(packed.len() > 4 * STEP, "several steps");
        let pages = |bytes: &[u8], limit| {
            let source = Source::Read(Chunk { at: 0, bytes: Bytes::copy_from_slice(bytes) });
            let head =
                Head { kind: Some(PageKind::Dictionary), count: 1, packed: bytes.len(), plain: plain.len() };
            (Pages { source, next: 0, zstd: true, limit }, Page { head, at: 0 })
        };
        let (whole, page) = pages(&packed, plain.len());
        assert_eq!(whole.unpack(&page).unwrap(), plain);
        for wanted in [0, 1, 30_000, 200_000, plain.len(), usize::MAX] {
            let begin = whole.unpack_until(&page, |so_far| so_far.len() >= wanted).unwrap();
            assert!(begin.len() >= wanted.min(plain.len()) && plain.starts_with(&begin), "{wanted}");
            assert!(wanted > 200_000 || begin.len() < wanted + plain.len() / 2, "{wanted}");
        }
        // Damaged: an error, or what is there.
        for at in (0..packed.len()).step_by(997) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            let (pages, page) = pages(&damaged, plain.len());
            let _ = pages.unpack_until(&page, |_| false);
        }
        let (half, page) = pages(&packed[..packed.len() / 2], plain.len());
        assert!(half.unpack_until(&page, |_| false).unwrap().len() < plain.len());
        let (small, page) = pages(&packed, 1000);
        assert!(small.unpack_until(&page, |_| false).is_err());
    }
}
