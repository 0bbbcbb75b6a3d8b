//! The bytes of a file, decompressed, in one fixed buffer.

use std::io::{self, Chain, Cursor, Read};

use super::FileError;

/// Size of the buffer in bytes. Holds the largest believable record twice; stays in the second-level cache.
const BUFFER: usize = 640 * 1024;

/// A window on the decompressed stream. It never grows: what does not fit is skipped piece by piece.
pub(super) struct Source {
    input: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Stream position of `start`.
    offset: u64,
    compressed: bool,
    ended: bool,
    failure: Option<io::Error>,
}

/// Input put back together after its first bytes were looked at.
type Sniffed<R> = Chain<Cursor<Vec<u8>>, R>;

impl Source {
    /// Looks at the first bytes and puts a decompressor in front where one is needed.
    pub(super) fn new<R: Read + Send + 'static>(mut input: R) -> Result<Self, FileError> {
        let mut head = Vec::with_capacity(4);
        let sniffed = input.by_ref().take(4).read_to_end(&mut head);
        sniffed.map_err(|source| FileError::Read { offset: 0, compressed: false, source })?;
        let kind = Compression::of(&head);
        let chained: Sniffed<R> = Cursor::new(head).chain(input);
        let input: Box<dyn Read + Send> = match kind {
            Compression::None => Box::new(chained),
            Compression::Gzip => {
                let buffered = io::BufReader::with_capacity(64 * 1024, chained);
                Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
            }
            Compression::Zstd => {
                // The library refuses windows above 128 MiB, so a frame header cannot make it reserve more.
                let decoder = zstd::stream::read::Decoder::new(chained);
                Box::new(decoder.map_err(|source| FileError::Read { offset: 0, compressed: true, source })?)
            }
        };
        Ok(Self {
            input,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            compressed: kind != Compression::None,
            ended: false,
            failure: None,
        })
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Stream position of the first byte not yet consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is in the buffer and not yet consumed.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Makes at least `want` bytes available, if the stream and the buffer have them. Answers whether they are.
    #[inline]
    pub(super) fn fill(&mut self, want: usize) -> bool {
        self.end - self.start >= want || self.refill(want)
    }

    #[cold]
    fn refill(&mut self, want: usize) -> bool {
        if want > self.buffer.len() {
            return false;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end < want && !self.ended {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.ended = true;
                    self.failure = Some(e);
                }
            }
        }
        self.end >= want
    }

    /// Consumes `n` available bytes and answers where in the buffer they start, for [`Source::bytes`].
    #[inline]
    pub(super) fn consume(&mut self, n: usize) -> usize {
        let n = n.min(self.end - self.start);
        let at = self.start;
        self.start += n;
        self.offset += n as u64;
        at
    }

    /// Bytes consumed last, which stay in place until the next [`Source::fill`].
    #[inline]
    pub(super) fn bytes(&self, start: usize, len: usize) -> &[u8] {
        &self.buffer[start..start + len]
    }

    /// Consumes `n` bytes without keeping them. Answers how many the stream lacked.
    pub(super) fn skip(&mut self, mut n: u64) -> u64 {
        loop {
            let here = n.min((self.end - self.start) as u64);
            self.consume(here as usize);
            n -= here;
            if n == 0 || !self.fill(1) {
                return n;
            }
        }
    }

    /// Whether the stream has ended cleanly: nothing left and nothing failed.
    #[inline]
    pub(super) fn at_end(&mut self) -> bool {
        !self.fill(1) && self.failure.is_none()
    }

    /// The error for a record that starts at the current offset and takes `need` bytes that are not there.
    #[cold]
    pub(super) fn short(&mut self, what: &'static str, need: u64) -> FileError {
        let got = (self.end - self.start) as u64;
        self.short_at(self.offset, what, need, got)
    }

    /// The same for a record of which a part was consumed already.
    #[cold]
    pub(super) fn short_at(&mut self, offset: u64, what: &'static str, need: u64, got: u64) -> FileError {
        let compressed = self.compressed;
        match self.failure.take() {
            Some(source) => FileError::Read { offset: offset + got, compressed, source },
            None => FileError::Truncated { offset, compressed, what, need, got },
        }
    }

    /// The error for a record at `offset` that makes no sense.
    #[cold]
    pub(super) fn damaged(&self, offset: u64, what: impl Into<String>) -> FileError {
        FileError::Damaged { offset, compressed: self.compressed, what: what.into() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// By magic number: gzip RFC 1952 section 2.3.1, zstd RFC 8878 section 3.1 (data and skippable frames).
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Self::Zstd,
            _ => Self::None,
        }
    }
}
