//! A line under construction.
//!
//! The bytes exist already and are overwritten from the front. What is added is copied in pieces of fixed size, longer
//! than what counts of them: that costs no call and one check.

use super::text::{CHUNK, ESCAPES, is_plain};

/// The line.
pub(super) struct Line {
    buf: Vec<u8>,
    at: usize,
}

/// What is ahead of a line's end.
pub(super) type Room = [u8; 256];

/// The length of most lines, and above which one does not stay in memory.
const USUAL: usize = 4 * 1024;
const KEEP: usize = 1024 * 1024;

impl Line {
    pub(super) fn new() -> Self {
        Self { buf: vec![0; USUAL], at: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.at = 0;
        if self.buf.len() > KEEP {
            self.buf = vec![0; USUAL];
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.buf[..self.at]
    }

    /// Where to write ahead; always there.
    #[inline]
    pub(super) fn room(&mut self) -> Option<&mut Room> {
        if self.buf.len() - self.at < size_of::<Room>() {
            self.grow(size_of::<Room>());
        }
        self.buf.get_mut(self.at..)?.first_chunk_mut()
    }

    /// So much of the room was written.
    #[inline]
    pub(super) fn advance(&mut self, n: usize) {
        self.at += n;
    }

    #[cold]
    fn grow(&mut self, n: usize) {
        self.buf.resize((self.at + n).max(self.buf.len() * 2), 0);
    }

    /// Writes the first `len` of these bytes.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        if self.buf.len() - self.at < N {
            self.grow(N);
        }
        self.buf[self.at..self.at + N].copy_from_slice(bytes);
        self.at += len;
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        if self.buf.len() - self.at < bytes.len() {
            self.grow(bytes.len());
        }
        self.buf[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// A string, known to be UTF-8.
    #[inline(never)]
    pub(super) fn string(&mut self, bytes: &[u8]) {
        self.put(b"\"", 1);
        let (chunks, rest) = bytes.as_chunks::<CHUNK>();
        for chunk in chunks {
            if is_plain(chunk, CHUNK) { self.put(chunk, CHUNK) } else { self.escaped(chunk) }
        }
        // The last chunk again from where the others end, if there is any.
        match bytes.last_chunk::<CHUNK>() {
            _ if rest.is_empty() => {}
            Some(last) if is_plain(last, CHUNK) => {
                self.at -= CHUNK - rest.len();
                self.put(last, CHUNK);
            }
            _ => self.escaped(rest),
        }
        self.put(b"\"", 1);
    }

    #[cold]
    fn escaped(&mut self, bytes: &[u8]) {
        for &b in bytes {
            let escape = &ESCAPES[usize::from(b)];
            self.put(escape, usize::from(escape[7]));
        }
    }
}
