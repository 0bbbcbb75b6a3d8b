//! Capture files: pcap and pcapng, plain, gzip or zstd, from a path, a pipe or any [`Read`].
//!
//! ```no_run
//! # fn main() -> Result<(), wirebeat_capture::file::FileError> {
//! let mut reader = wirebeat_capture::file::Reader::open("trace.pcapng.zst")?;
//! while let Some(frame) = reader.next()? {
//!     println!("{} {} bytes", frame.time, frame.wire_len);
//! }
//! # Ok(()) }
//! ```
//!
//! A frame is a slice of the read buffer, valid until the next call: nothing is allocated per packet and the buffer
//! never grows. A damaged file gives every whole packet before the damage and then one error that says where.

mod error;
mod pcap;
mod pcapng;
mod source;
mod writer;

use std::io::Read;
use std::path::Path;

use wirebeat_model::{Frame, LinkType};

pub use error::FileError;
pub use writer::Writer;

use source::Source;

/// Largest captured length of one packet that is believed, in bytes: libpcap's `MAXIMUM_SNAPLEN`.
///
/// A record that claims more is damage, not a packet.
pub const MAX_CAPTURED: u32 = 262_144;

/// How many leading bytes of the decompressed stream [`Reader::digest`] covers.
pub const DIGEST_BYTES: usize = 64 * 1024;

/// An interface described in a pcapng file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name (`if_name`), at most 256 bytes of it.
    pub name: Option<String>,
    /// Its description (`if_description`), at most 256 bytes of it.
    pub description: Option<String>,
    /// How its frames are to be read.
    pub link: LinkType,
    /// The capture's snap length in bytes; 0 means none was set.
    pub snaplen: u32,
}

/// A capture file being read from front to back.
pub struct Reader {
    source: Source,
    format: Format,
    digest: u128,
    done: bool,
}

enum Format {
    Pcap(pcap::Pcap),
    PcapNg(pcapng::PcapNg),
}

/// Where a record's bytes lie in the buffer, so that the borrow of the frame starts last.
struct Record {
    time: wirebeat_model::Time,
    link: LinkType,
    device: u32,
    wire_len: u32,
    start: usize,
    cap_len: usize,
}

impl Reader {
    /// Opens a file, or standard input when `path` is `-`.
    ///
    /// # Errors
    ///
    /// [`FileError::Open`] when it cannot be opened, and those of [`Reader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::new(std::io::stdin());
        }
        let failed = |source| FileError::Open { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::new(file)
    }

    /// Reads from anything. Waits until [`DIGEST_BYTES`] have come or the input has ended.
    ///
    /// # Errors
    ///
    /// [`FileError::Format`] when the input is not a capture, [`FileError::Truncated`] when it ends inside its header.
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, FileError> {
        let mut source = Source::new(input)?;
        source.fill(DIGEST_BYTES);
        let digest = digest(source.available());
        let magic = source.available().get(..4).and_then(|b| b.try_into().ok());
        let Some(magic) = magic else {
            return Err(source.short("the file's magic number", 4));
        };
        let format = if u32::from_ne_bytes(magic) == pcapng::SECTION_HEADER {
            Format::PcapNg(pcapng::PcapNg::new())
        } else {
            Format::Pcap(pcap::Pcap::read_header(&mut source, magic)?)
        };
        let mut reader = Self { source, format, digest, done: false };
        if let Format::PcapNg(ng) = &mut reader.format {
            ng.read_first_section(&mut reader.source)?;
        }
        Ok(reader)
    }

    /// The next packet, `None` at the end.
    ///
    /// # Errors
    ///
    /// Damage is reported once, after the last whole packet before it; from then on the answer is `None`.
    #[expect(
        clippy::should_implement_trait,
        reason = "the frame borrows from the reader, an Iterator's item cannot"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FileError> {
        Ok(self.next_with_interfaces()?.map(|(frame, _)| frame))
    }

    /// The next packet, with the interfaces met so far.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::next`].
    #[inline]
    pub fn next_with_interfaces(&mut self) -> Result<Option<(Frame<'_>, &[Interface])>, FileError> {
        if self.done {
            return Ok(None);
        }
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source),
            Format::PcapNg(ng) => ng.next(&mut self.source),
        };
        self.done = !matches!(record, Ok(Some(_)));
        let Some(r) = record? else { return Ok(None) };
        let interfaces = match &self.format {
            Format::Pcap(_) => &[],
            Format::PcapNg(ng) => ng.interfaces(),
        };
        let frame = Frame {
            time: r.time,
            link: r.link,
            device: r.device,
            wire_len: r.wire_len,
            vlan: None,
            data: self.source.bytes(r.start, r.cap_len),
        };
        Ok(Some((frame, interfaces)))
    }

    /// How many bytes of the decompressed stream have been consumed: where the next record starts.
    pub fn offset(&self) -> u64 {
        self.source.offset()
    }

    /// The interfaces met so far, over all sections; [`Frame::device`] is the position here plus one.
    ///
    /// Empty for pcap files, whose frames have device 0.
    pub fn interfaces(&self) -> &[Interface] {
        match &self.format {
            Format::Pcap(_) => &[],
            Format::PcapNg(ng) => ng.interfaces(),
        }
    }

    /// Names the content: 128 bits of the SHA-1 of the first [`DIGEST_BYTES`] of the decompressed stream, or of all
    /// of it when shorter. The same for a file, its compressed form and a pipe.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// Whether the input is compressed, and offsets therefore count decompressed bytes.
    pub fn is_compressed(&self) -> bool {
        self.source.is_compressed()
    }
}

fn digest(bytes: &[u8]) -> u128 {
    let head = bytes.get(..DIGEST_BYTES).unwrap_or(bytes);
    let sha = sha1_smol::Sha1::from(head).digest().bytes();
    sha.iter().take(16).fold(0, |n, b| n << 8 | u128::from(*b))
}
