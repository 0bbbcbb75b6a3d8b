//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks, each with its length at both ends.

use wirebeat_model::{LinkType, Time};

use super::pcap::{half, word};
use super::source::Source;
use super::{FileError, Interface, MAX_CAPTURED, Record};

/// Section Header Block; reads the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// The obsolete Packet Block.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Most interfaces over all sections of a file; a file with more is damaged or hostile.
const MAX_INTERFACES: usize = 65_536;
/// Longest interface block of which the options are looked at, in bytes; the rest of a longer one is skipped.
const MAX_INTERFACE_BLOCK: usize = 64 * 1024;
/// Longest name or description kept, in bytes.
const MAX_NAME: usize = 256;

/// The state of the walk: the byte order and the interfaces of the current section.
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    clocks: Vec<Clock>,
    /// Position of the section's first interface in `interfaces`.
    base: usize,
    last: Time,
}

/// What each packet needs to know of its interface: how ticks become nanoseconds, and the link type.
#[derive(Clone, Copy)]
struct Clock {
    unit: Unit,
    link: LinkType,
    /// Nanoseconds to add (`if_tsoffset`).
    offset: i64,
}

#[derive(Clone, Copy)]
enum Unit {
    /// Nanoseconds per tick.
    Times(u64),
    /// Ticks per nanosecond.
    Per(u64),
    /// Ticks per second as a power of two.
    Shift(u32),
}

impl Clock {
    /// From `if_tsresol`: a negative power of ten, or of two with the top bit set.
    fn new(link: LinkType, resolution: u8, offset_secs: i64) -> Self {
        let power = u32::from(resolution & 0x7f);
        let unit = if resolution & 0x80 != 0 {
            Unit::Shift(power)
        } else if power <= 9 {
            Unit::Times(10u64.pow(9 - power))
        } else {
            // From 10^20 ticks a nanosecond on, 64 bits of ticks do not make one.
            10u64.checked_pow(power - 9).map_or(Unit::Times(0), Unit::Per)
        };
        Self { unit, link, offset: offset_secs.saturating_mul(1_000_000_000) }
    }

    #[inline]
    fn time(self, ticks: u64) -> Time {
        let nanos = match self.unit {
            Unit::Times(n) => ticks.saturating_mul(n),
            Unit::Per(n) => ticks / n,
            Unit::Shift(power) => {
                let nanos = (u128::from(ticks) * 1_000_000_000) >> power;
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        };
        Time(i64::try_from(nanos).unwrap_or(i64::MAX).saturating_add(self.offset))
    }
}

/// Where a packet block keeps its parts, in bytes from the block's start.
struct Layout {
    /// First byte of the packet.
    data: usize,
    /// Position in `interfaces`.
    interface: usize,
    time: Time,
    cap_len: u32,
    wire_len: u32,
}

impl PcapNg {
    pub(super) fn new() -> Self {
        Self { big_endian: false, interfaces: Vec::new(), clocks: Vec::new(), base: 0, last: Time(0) }
    }

    pub(super) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Reads the header of the first section, so that opening a file that is none fails at once.
    pub(super) fn read_first_section(&mut self, source: &mut Source) -> Result<(), FileError> {
        let total = self.section(source)?;
        self.leave_block(source, source.offset(), total, 0)
    }

    #[inline]
    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Record>, FileError> {
        loop {
            if !source.fill(12) {
                return if source.at_end() { Ok(None) } else { Err(source.short("a block", 12)) };
            }
            let offset = source.offset();
            let head = source.available();
            let kind = word(head, 0, self.big_endian);
            let total = word(head, 4, self.big_endian);
            if kind == ENHANCED_PACKET
                && let Some(record) = self.whole_enhanced(source, total)
            {
                return Ok(Some(record));
            }
            match kind {
                ENHANCED_PACKET | SIMPLE_PACKET | PACKET => {
                    self.check_length(source, total)?;
                    return self.packet(source, kind, total).map(Some);
                }
                SECTION_HEADER => {
                    let total = self.section(source)?;
                    self.leave_block(source, offset, total, 0)?;
                }
                INTERFACE => {
                    self.check_length(source, total)?;
                    self.interface(source, total)?;
                    self.leave_block(source, offset, total, 0)?;
                }
                _ => {
                    self.check_length(source, total)?;
                    self.leave_block(source, offset, total, 0)?;
                }
            }
        }
    }

    /// A block takes at least its frame of 12 bytes, and a multiple of four.
    #[inline]
    fn check_length(&self, source: &Source, total: u32) -> Result<(), FileError> {
        if total >= 12 && total.is_multiple_of(4) {
            return Ok(());
        }
        let what = format!("a block of {total} bytes; expected at least 12 and a multiple of 4");
        Err(source.damaged(source.offset(), what))
    }

    /// Consumes what is left of a block that started at `offset`, and checks the length at its end.
    fn leave_block(&self, source: &mut Source, offset: u64, total: u32, done: u32) -> Result<(), FileError> {
        let body = u64::from(total - done - 4);
        let missing = source.skip(body);
        if missing > 0 || !source.fill(4) {
            let got = source.offset() - offset + source.available().len() as u64;
            return Err(source.short_at(offset, "a block", u64::from(total), got));
        }
        self.check_trailer(source, offset, total, word(source.available(), 0, self.big_endian))?;
        source.consume(4);
        Ok(())
    }

    #[inline]
    fn check_trailer(&self, source: &Source, offset: u64, total: u32, trailer: u32) -> Result<(), FileError> {
        if trailer == total {
            return Ok(());
        }
        Err(source
            .damaged(offset, format!("a block's two lengths differ: {total} before and {trailer} after it")))
    }

    /// Section Header Block: sets the byte order, forgets the interfaces. Consumes nothing; answers its length.
    fn section(&mut self, source: &mut Source) -> Result<u32, FileError> {
        if !source.fill(28) {
            return Err(source.short("a section header", 28));
        }
        let head = source.available();
        self.big_endian = match head.get(8..12) {
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
            _ => return Err(source.damaged(source.offset(), "a section header without its byte-order magic")),
        };
        let total = word(head, 4, self.big_endian);
        let major = half(head, 12, self.big_endian);
        if total < 28 || !total.is_multiple_of(4) {
            let what = format!("a section header of {total} bytes; expected at least 28 and a multiple of 4");
            return Err(source.damaged(source.offset(), what));
        }
        if major != 1 {
            return Err(
                source.damaged(source.offset(), format!("a pcapng section of version {major}; expected 1"))
            );
        }
        self.base = self.interfaces.len();
        Ok(total)
    }

    /// Interface Description Block. Consumes nothing.
    fn interface(&mut self, source: &mut Source, total: u32) -> Result<(), FileError> {
        if total < 20 {
            let what = format!("an interface block of {total} bytes; expected at least 20");
            return Err(source.damaged(source.offset(), what));
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(source.damaged(source.offset(), format!("more than {MAX_INTERFACES} interfaces")));
        }
        let take = (total as usize).min(MAX_INTERFACE_BLOCK);
        if !source.fill(take) {
            return Err(source.short("an interface block", u64::from(total)));
        }
        let big = self.big_endian;
        let block = &source.available()[..take];
        let mut interface = Interface {
            name: None,
            description: None,
            link: LinkType::from_number(u32::from(half(block, 8, big))),
            snaplen: word(block, 12, big),
        };
        let (mut resolution, mut offset) = (6, 0);
        let mut options = &block[16..take - 4];
        while options.len() >= 4 {
            let (code, len) = (half(options, 0, big), usize::from(half(options, 2, big)));
            let Some(value) = options.get(4..4 + len) else { break };
            match code {
                0 => break,
                2 => interface.name = Some(text(value)),
                3 => interface.description = Some(text(value)),
                9 => resolution = value.first().copied().unwrap_or(6),
                14 if len >= 8 => {
                    let (high, low) = if big { (0, 4) } else { (4, 0) };
                    offset =
                        (u64::from(word(value, high, big)) << 32 | u64::from(word(value, low, big))) as i64;
                }
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or(&[]);
        }
        self.clocks.push(Clock::new(interface.link, resolution, offset));
        self.interfaces.push(interface);
        Ok(())
    }

    /// The usual case at full speed: an enhanced packet block in order and whole in the buffer. `None` leaves everything
    /// as it was, for [`PcapNg::packet`] to fill the buffer or to name what is wrong.
    #[inline]
    fn whole_enhanced(&mut self, source: &mut Source, total: u32) -> Option<Record> {
        let block = source.available().get(..total as usize)?;
        let (head, trailer) = (block.first_chunk::<28>()?, block.last_chunk::<4>()?);
        let big = self.big_endian;
        let interface = self.base + word(head, 8, big) as usize;
        let clock = *self.clocks.get(interface)?;
        let cap_len = word(head, 20, big);
        let fits = cap_len <= MAX_CAPTURED && 32 + cap_len as usize <= total as usize;
        if !fits || !total.is_multiple_of(4) || word(trailer, 0, big) != total {
            return None;
        }
        let ticks = u64::from(word(head, 12, big)) << 32 | u64::from(word(head, 16, big));
        self.last = clock.time(ticks);
        Some(Record {
            time: self.last,
            link: clock.link,
            device: interface as u32 + 1,
            wire_len: word(head, 24, big).max(cap_len),
            start: source.consume(total as usize) + 28,
            cap_len: cap_len as usize,
        })
    }

    fn packet(&mut self, source: &mut Source, kind: u32, total: u32) -> Result<Record, FileError> {
        let offset = source.offset();
        let layout = self.layout(source, kind, total)?;
        let end = layout.data + layout.cap_len as usize;
        if end + 4 > total as usize {
            let what = format!("a packet of {} bytes in a block of {total}", layout.cap_len);
            return Err(source.damaged(offset, what));
        }
        if layout.cap_len > MAX_CAPTURED {
            let what = format!("a packet of {} bytes; expected at most {MAX_CAPTURED}", layout.cap_len);
            return Err(source.damaged(offset, what));
        }
        if !source.fill(total as usize) {
            // Either the file ends here or the options are huge; a whole block decides which.
            return self.packet_with_long_tail(source, total, &layout);
        }
        let trailer = word(source.available(), total as usize - 4, self.big_endian);
        self.check_trailer(source, offset, total, trailer)?;
        let start = source.consume(total as usize) + layout.data;
        Ok(self.record(&layout, start))
    }

    fn record(&mut self, layout: &Layout, start: usize) -> Record {
        self.last = layout.time;
        Record {
            time: layout.time,
            link: self.clocks.get(layout.interface).map_or(LinkType::Other(u32::MAX), |c| c.link),
            device: layout.interface as u32 + 1,
            wire_len: layout.wire_len.max(layout.cap_len),
            start,
            cap_len: layout.cap_len as usize,
        }
    }

    /// A packet whose options do not fit the buffer is refused; a packet that the file's end cuts is cut short.
    #[cold]
    fn packet_with_long_tail(
        &mut self,
        source: &mut Source,
        total: u32,
        layout: &Layout,
    ) -> Result<Record, FileError> {
        let offset = source.offset();
        if u64::from(total) > u64::from(MAX_CAPTURED) * 2 {
            let what = format!("a packet block of {total} bytes around a packet of {}", layout.cap_len);
            return Err(source.damaged(offset, what));
        }
        Err(source.short("a packet block", u64::from(total)))
    }

    /// Reads the fixed part of the three kinds of packet block.
    #[inline]
    fn layout(&self, source: &mut Source, kind: u32, total: u32) -> Result<Layout, FileError> {
        let fixed = if kind == SIMPLE_PACKET { 12 } else { 28 };
        if (total as usize) < fixed + 4 {
            let what = format!("a packet block of {total} bytes; expected at least {}", fixed + 4);
            return Err(source.damaged(source.offset(), what));
        }
        if !source.fill(fixed) {
            return Err(source.short("a packet block", u64::from(total)));
        }
        let head = source.available();
        let big = self.big_endian;
        let number = match kind {
            ENHANCED_PACKET => word(head, 8, big),
            PACKET => u32::from(half(head, 8, big)),
            _ => 0,
        };
        let interface = self.base + number as usize;
        let Some(clock) = self.clocks.get(interface) else {
            let what = format!(
                "a packet of interface {number}, of which the section has {}",
                self.clocks.len() - self.base
            );
            return Err(source.damaged(source.offset(), what));
        };
        if kind == SIMPLE_PACKET {
            let wire_len = word(head, 8, big);
            let snaplen = self.interfaces.get(interface).map_or(0, |i| i.snaplen);
            let limit = if snaplen == 0 { u32::MAX } else { snaplen };
            // The block has no time: the packet happened no earlier than the one before it.
            return Ok(Layout {
                data: 12,
                interface,
                time: self.last,
                cap_len: wire_len.min(limit).min(total - 16),
                wire_len,
            });
        }
        let ticks = u64::from(word(head, 12, big)) << 32 | u64::from(word(head, 16, big));
        Ok(Layout {
            data: 28,
            interface,
            time: clock.time(ticks),
            cap_len: word(head, 20, big),
            wire_len: word(head, 24, big),
        })
    }
}

/// An option's text, cut to [`MAX_NAME`] bytes and without the zero some writers add.
fn text(value: &[u8]) -> String {
    let value = value.get(..MAX_NAME).unwrap_or(value);
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}
