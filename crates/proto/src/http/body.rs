//! Bodies: kept up to a limit, decoded up to a limit, named by what they hold.

use std::io::{self, Read};

use wirebeat_model::{Budget, Counters};

use super::codec::Coding;

/// A body as it comes, without the framing of chunks.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    borrowed: usize,
    /// Bytes are missing: the limit or the budget was spent, or packets were lost.
    pub(super) cut: bool,
}

impl Body {
    /// Keeps more of it, as much as limit and budget allow.
    pub(super) fn push(&mut self, bytes: &[u8], limit: usize, budget: &mut Budget, counters: &mut Counters) {
        if self.cut || bytes.is_empty() {
            return;
        }
        let take = bytes.len().min(limit.saturating_sub(self.bytes.len()));
        let fits = budget.take_for_body(take);
        if fits {
            self.borrowed += take;
            self.bytes.extend_from_slice(&bytes[..take]);
        }
        if !fits || take < bytes.len() {
            self.cut = true;
            counters.bodies_cut += 1;
        }
    }

    /// What was kept.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets it and gives its memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        budget.give(std::mem::take(&mut self.borrowed));
        self.bytes.clear();
        self.bytes.shrink_to(16 * 1024);
        self.cut = false;
    }
}

/// Undoes the codings of a body, last one first, into at most `limit` bytes of memory lent by `budget`.
///
/// What came out before an error is kept. `Err` names the coding that failed; `cut` tells that the output was longer.
pub(super) fn decode(body: &[u8], codings: &[Option<Coding>], limit: usize, budget: &mut Budget) -> Decoded {
    let mut out = Decoded { bytes: Vec::new(), borrowed: 0, failed: None, cut: false };
    let mut first = true;
    for coding in codings.iter().rev().flatten() {
        let input = std::mem::take(&mut out.bytes);
        let lent = std::mem::take(&mut out.borrowed);
        let source: &[u8] = if first { body } else { &input };
        first = false;
        let result = match coding {
            Coding::Gzip => out.fill(flate2::read::MultiGzDecoder::new(source), limit, budget),
            Coding::Deflate => {
                // Some send raw deflate (RFC 1951) for what is defined as zlib (RFC 1950).
                let zlib = matches!(source, [a, b, ..] if a & 15 == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0);
                if zlib {
                    out.fill(flate2::read::ZlibDecoder::new(source), limit, budget)
                } else {
                    out.fill(flate2::read::DeflateDecoder::new(source), limit, budget)
                }
            }
            Coding::Brotli => out.fill(brotli_decompressor::Decompressor::new(source, 4096), limit, budget),
            Coding::Zstd => zstd::stream::read::Decoder::with_buffer(source).and_then(|mut d| {
                // As browsers do (RFC 9659): a larger window is memory that an attacker chooses.
                d.window_log_max(23)?;
                out.fill(d, limit, budget)
            }),
            Coding::Unknown => Err(io::ErrorKind::Unsupported.into()),
        };
        budget.give(lent);
        if result.is_err() {
            out.failed = Some(*coding);
            break;
        }
    }
    out
}

/// A decoded body. Give it back with [`Decoded::release`].
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    borrowed: usize,
    /// The coding that could not be undone.
    pub(super) failed: Option<Coding>,
    /// There was more than the limit or the budget allowed.
    pub(super) cut: bool,
}

impl Decoded {
    fn fill(&mut self, mut from: impl Read, limit: usize, budget: &mut Budget) -> io::Result<()> {
        const STEP: usize = 16 * 1024;
        loop {
            let at = self.bytes.len();
            if at > limit {
                self.bytes.truncate(limit);
                self.cut = true;
                return Ok(());
            }
            // One byte beyond the limit tells whether there is more.
            let step = STEP.min(limit - at + 1);
            if at + step > self.borrowed {
                if !budget.take(STEP) {
                    self.cut = true;
                    return Ok(());
                }
                self.borrowed += STEP;
            }
            self.bytes.resize(at + step, 0);
            let result = from.read(&mut self.bytes[at..]);
            self.bytes.truncate(at + result.as_ref().copied().unwrap_or(0));
            match result {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives its memory back.
    pub(super) fn release(self, budget: &mut Budget) {
        budget.give(self.borrowed);
    }
}

/// What a body is by its first bytes.
pub(super) fn mime_type(body: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/x-gzip"),
        (b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"\x7fELF", "application/x-executable"),
        (b"wOF2", "font/woff2"),
    ];
    if body.is_empty() {
        return None;
    }
    if let Some((_, name)) = MAGIC.iter().find(|(m, _)| body.starts_with(m)) {
        return Some(name);
    }
    let start = body.trim_ascii_start();
    let is = |tag: &[u8]| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag));
    if is(b"<!doctype html") || is(b"<html") {
        return Some("text/html");
    }
    if is(b"<?xml") {
        return Some("text/xml");
    }
    let sample = &body[..body.len().min(512)];
    if sample.iter().any(|b| *b < b' ' && !b"\t\n\r\x0c\x1b".contains(b)) {
        return Some("application/octet-stream");
    }
    match start.first() {
        Some(b'{') if start.get(1..).is_some_and(|r| matches!(r.trim_ascii_start().first(), Some(b'"' | b'}'))) => {
            Some("application/json")
        }
        Some(b'[') if start.trim_ascii_end().ends_with(b"]") => Some("application/json"),
        _ => Some("text/plain"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        w.write_all(data).unwrap();
        w.finish().unwrap()
    }

    #[test]
    fn codings_stack() {
        let mut budget = Budget::new(1 << 20);
        let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        z.write_all(&gzip(b"hello")).unwrap();
        let twice = z.finish().unwrap();
        let d = decode(&twice, &[Some(Coding::Gzip), Some(Coding::Deflate), None, None], 100, &mut budget);
        assert_eq!((&d.bytes[..], d.failed, d.cut), (&b"hello"[..], None, false));
        d.release(&mut budget);
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(b"hello").unwrap();
        let d = decode(&raw.finish().unwrap(), &[Some(Coding::Deflate)], 100, &mut budget);
        assert_eq!((&d.bytes[..], d.failed), (&b"hello"[..], None));
        d.release(&mut budget);
        let d = decode(&zstd::encode_all(&b"hello"[..], 1).unwrap(), &[Some(Coding::Zstd)], 100, &mut budget);
        assert_eq!((&d.bytes[..], d.failed), (&b"hello"[..], None));
        d.release(&mut budget);
        // "hello" as brotli's uncompressed meta-block
        let d = decode(b"\x0b\x02\x80hello\x03", &[Some(Coding::Brotli)], 100, &mut budget);
        assert_eq!((&d.bytes[..], d.failed), (&b"hello"[..], None));
        d.release(&mut budget);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_bomb_stays_within_its_limits() {
        let mut budget = Budget::new(1 << 20);
        let bomb = gzip(&vec![0; 64 << 20]);
        let d = decode(&bomb, &[Some(Coding::Gzip)], 100_000, &mut budget);
        assert_eq!((d.bytes.len(), d.cut, d.failed), (100_000, true, None));
        d.release(&mut budget);
        let d = decode(&bomb, &[Some(Coding::Gzip)], 10 << 20, &mut budget);
        assert!(d.cut && d.bytes.len() <= 1 << 20);
        d.release(&mut budget);
        assert!(budget.peak() <= 1 << 20);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn errors_keep_what_came_before() {
        let mut budget = Budget::new(1 << 20);
        let whole = gzip(&b"0123456789".repeat(10_000));
        let d = decode(&whole[..whole.len() / 2], &[Some(Coding::Gzip)], 1 << 20, &mut budget);
        assert_eq!(d.failed, Some(Coding::Gzip));
        assert!(d.bytes.starts_with(b"0123456789"));
        d.release(&mut budget);
        let d = decode(b"whatever", &[Some(Coding::Unknown)], 100, &mut budget);
        assert_eq!((d.failed, d.bytes.len()), (Some(Coding::Unknown), 0));
    }

    #[test]
    fn types() {
        assert_eq!(mime_type(b" {\"a\": 1}"), Some("application/json"));
        assert_eq!(mime_type(b"<!DOCTYPE html>"), Some("text/html"));
        assert_eq!(mime_type(b"a=b&c=d"), Some("text/plain"));
        assert_eq!(mime_type(b"\x00\x01"), Some("application/octet-stream"));
        assert_eq!(mime_type(b""), None);
    }
}
