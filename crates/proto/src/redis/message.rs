//! What is kept of the message that a side is saying.

use std::io::Write as _;
use std::ops::Range;

use wirebeat_model::Time;

use super::codec::Reader;
use crate::Cx;

/// What stands in place of a secret.
pub(super) const MASK: &[u8] = b"xxxxx";

/// Text of a message, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) text: Vec<u8>,
    /// Where the current message begins; before it stand earlier answers to the same command.
    pub(super) base: usize,
    /// Bytes that were not kept.
    pub(super) cut: u64,
}

impl Kept {
    pub(super) fn full(&self) -> bool {
        self.cut > 0
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], limit: usize) {
        let room = if self.cut > 0 { 0 } else { limit.saturating_sub(self.text.len() - self.base) };
        if bytes.len() <= room {
            self.text.extend_from_slice(bytes);
        } else {
            self.text.extend_from_slice(&bytes[..room]);
            self.cut += (bytes.len() - room) as u64;
        }
    }

    /// Puts the mask in place of what stands from `at` on.
    pub(super) fn mask(&mut self, at: usize) {
        self.text.truncate(at);
        self.text.extend_from_slice(MASK);
    }

    /// Marks that something is missing.
    pub(super) fn mark(&mut self, cx: &mut Cx<'_>) {
        if self.cut > 0 {
            // Not in the middle of a character.
            let tail =
                self.text[self.base..].iter().rev().take(3).take_while(|b| **b & 0xc0 == 0x80).count() + 1;
            let lead = self.text.len().saturating_sub(tail).max(self.base);
            if self.text.get(lead).is_some_and(|b| *b >= 0xc0 && b.leading_ones() as usize > tail) {
                self.cut += (self.text.len() - lead) as u64;
                self.text.truncate(lead);
            }
            let _ = write!(self.text, "… (+{} bytes)", self.cut);
            cx.counters.bodies_cut += 1;
            self.cut = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        (self.base, self.cut) = (0, 0);
    }
}

/// The message that one side is saying.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) reader: Reader,
    /// Whether its first byte was seen.
    pub(super) begun: bool,
    pub(super) start: Time,
    pub(super) wire: u64,
    pub(super) kept: Kept,
    /// Where the current element begins in the text, and its first bytes whether kept or not.
    pub(super) element: usize,
    pub(super) small: Small,
    /// Elements 0, 1 and 2 of the outermost list.
    pub(super) spans: [Range<usize>; 3],
    /// Bytes of it were lost.
    pub(super) loss: bool,
    /// Bytes before it were lost, or made no sense: its beginning is looked for.
    pub(super) lost: bool,
    /// Bytes that made no sense.
    pub(super) garbage: u64,
}

impl Message {
    pub(super) fn begin(&mut self, now: Time) {
        if !self.begun {
            (self.begun, self.start, self.wire) = (true, now, 0);
        }
    }

    /// It is told, or given up.
    pub(super) fn over(&mut self) {
        self.reader.reset();
        (self.begun, self.loss) = (false, false);
        self.spans = Default::default();
        self.small = Small::default();
    }

    pub(super) fn span(&self, n: usize) -> &[u8] {
        self.kept.text.get(self.spans[n].clone()).unwrap_or_default()
    }

    pub(super) fn reset(&mut self) {
        self.over();
        self.kept.clear();
        self.kept.text.shrink_to(16 * 1024);
        (self.lost, self.garbage) = (false, 0);
    }
}

/// The first bytes of an element.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Small {
    pub(super) bytes: [u8; 24],
    pub(super) len: u8,
}

impl Small {
    pub(super) fn push(&mut self, piece: &[u8]) {
        let at = usize::from(self.len);
        let n = piece.len().min(self.bytes.len() - at);
        self.bytes[at..at + n].copy_from_slice(&piece[..n]);
        self.len += n as u8;
    }

    pub(super) fn get(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub(super) fn number(&self) -> Option<u64> {
        std::str::from_utf8(self.get()).ok()?.parse().ok()
    }
}
