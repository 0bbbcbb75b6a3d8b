//! Writing captures: pcap with nanoseconds, which every reader since 2012 knows.

use std::io::{self, Write};

use wirebeat_model::Frame;

/// A pcap file being written: nanosecond times, little-endian, one link type.
pub struct Writer<W: Write> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// Writes the file header. `link` is a `LINKTYPE_` number, 1 for Ethernet; `snaplen` in bytes.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer.
    pub fn new(mut out: W, link: u16, snaplen: u32) -> io::Result<Self> {
        let mut head = [0; 24];
        head[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
        head[4..6].copy_from_slice(&2u16.to_le_bytes());
        head[6..8].copy_from_slice(&4u16.to_le_bytes());
        head[16..20].copy_from_slice(&snaplen.to_le_bytes());
        head[20..24].copy_from_slice(&u32::from(link).to_le_bytes());
        out.write_all(&head)?;
        Ok(Self { out })
    }

    /// Writes one frame. Its link type and device are the caller's affair; times outside 1970–2106 are clamped.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer, and `InvalidInput` for frames of 4 GiB and more.
    pub fn write(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let cap_len =
            u32::try_from(frame.data.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let nanos = u64::try_from(frame.time.0).unwrap_or(0);
        let secs = u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX);
        let mut head = [0; 16];
        head[..4].copy_from_slice(&secs.to_le_bytes());
        head[4..8].copy_from_slice(&((nanos % 1_000_000_000) as u32).to_le_bytes());
        head[8..12].copy_from_slice(&cap_len.to_le_bytes());
        head[12..16].copy_from_slice(&frame.wire_len.max(cap_len).to_le_bytes());
        self.out.write_all(&head)?;
        self.out.write_all(frame.data)
    }

    /// Flushes and gives the underlying writer back.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
