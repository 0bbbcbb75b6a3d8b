//! Bytes read as instructions. What is missing at the end is 0.

use wirebeat_model::Time;

/// What is left of an input.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether anything is left.
    pub fn more(&self) -> bool {
        !self.0.is_empty()
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// The next `n` bytes, or as many as there are.
    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(n.min(self.0.len()));
        self.0 = tail;
        head
    }

    fn word<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let head = self.bytes(N);
        out[..head.len()].copy_from_slice(head);
        out
    }

    pub fn u8(&mut self) -> u8 {
        self.word::<1>()[0]
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.word())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.word())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.word())
    }

    /// A length: one byte, or 255 and two bytes.
    pub fn len(&mut self) -> usize {
        match self.u8() {
            255 => usize::from(self.u16()),
            n => usize::from(n),
        }
    }

    /// How time goes on, by a byte: mostly forward.
    pub fn time(&mut self, from: Time) -> Time {
        const MS: i64 = 1_000_000;
        const S: i64 = 1_000 * MS;
        const YEAR: i64 = 365 * 86_400 * S;
        let step = [
            0,
            1_000,
            MS,
            10 * MS,
            21 * MS,
            140 * MS,
            S,
            11 * S,
            31 * S,
            3_600 * S,
            YEAR,
            -MS,
            -S,
            -3_600 * S,
            -YEAR,
        ];
        match self.u8() {
            254 => Time::MIN,
            255 => Time::MAX,
            n => Time(from.0.saturating_add(step[usize::from(n) % step.len()])),
        }
    }
}

/// Writes a length as [`Script::len`] reads it.
pub fn put_len(out: &mut Vec<u8>, n: usize) {
    match u8::try_from(n) {
        Ok(n) if n < 255 => out.push(n),
        _ => {
            out.push(255);
            out.extend_from_slice(&u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes());
        }
    }
}

/// When a story begins: 2001-09-09.
pub const START: Time = Time(1_000_000_000_000_000_000);
