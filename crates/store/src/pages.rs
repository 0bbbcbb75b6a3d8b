//! Pages of a column chunk. The library finds them; they are unpacked here, with a context that a thread makes once:
//! the library makes two for every chunk, which costs more than unpacking a page does.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use crate::decode::{Chunk, damaged};

thread_local! {
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Reads the pages of a chunk one after the other.
pub(crate) struct Pages {
    /// Hands out pages as they are in the file.
    packed: SerializedPageReader<Chunk>,
    zstd: bool,
    /// No page is larger than the chunk's pages together.
    limit: usize,
}

impl Pages {
    pub(crate) fn new(meta: &ColumnChunkMetaData, rows: usize, chunk: Chunk) -> Result<Self> {
        let zstd = match meta.compression() {
            Compression::ZSTD(_) => true,
            Compression::UNCOMPRESSED => false,
            other => return Err(damaged(&format!("pages packed with {other}"))),
        };
        let plain = meta.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        Ok(Self {
            packed: SerializedPageReader::new(Arc::new(chunk), &plain, rows, None)?,
            zstd,
            limit: usize::try_from(meta.uncompressed_size()).unwrap_or(0),
        })
    }

    /// The next page, unpacked.
    pub(crate) fn next_page(&mut self) -> Result<Option<Page>> {
        let page = self.next_packed()?;
        page.map(|page| self.unpacked(page)).transpose()
    }

    /// The next page as it is in the file. Looking at one costs nothing; the library's look ahead panics over pages that are
    /// not what they tell.
    pub(crate) fn next_packed(&mut self) -> Result<Option<Page>> {
        self.packed.get_next_page()
    }

    pub(crate) fn unpacked(&self, mut page: Page) -> Result<Page> {
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => {
                *buf = self.unpack(std::mem::take(buf))?;
            }
            // Their levels are not packed; none of ours has them.
            Page::DataPageV2 { .. } => return Err(damaged("data pages of version 2")),
        }
        Ok(page)
    }

    fn unpack(&self, packed: Bytes) -> Result<Bytes> {
        if !self.zstd || packed.is_empty() {
            return Ok(packed);
        }
        let size = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten();
        let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= self.limit);
        let size = size.ok_or_else(|| damaged("a page that does not tell its size"))?;
        ZSTD.with_borrow_mut(|context| {
            let context = match context {
                Some(context) => context,
                None => context.insert(zstd::bulk::Decompressor::new()?),
            };
            let mut out = Vec::with_capacity(size);
            if context.decompress_to_buffer(&packed[..], &mut out)? != size {
                return Err(damaged("a page of another size than it tells"));
            }
            Ok(Bytes::from(out))
        })
    }
}
