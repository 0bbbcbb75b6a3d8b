//! One shard's packet ring: blocks of frames that the kernel has written, without a copy.

mod memory;
pub(crate) mod program;
pub(crate) mod socket;

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wirebeat_model::{Frame, LinkType, Time};

use crate::netlink::{half, word};
use crate::sys::{self, Signal};
use memory::Memory;
use socket::PacketSocket;

/// Traffic that is never captured because it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exclusion {
    /// The address of our end; `None` for any address, but on loopback devices only.
    pub address: Option<IpAddr>,
    /// TCP or UDP port of our end.
    pub port: u16,
}

/// What one ring has seen since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStats {
    /// Frames that passed the filter, dropped ones included.
    pub packets: u64,
    /// Frames dropped because the ring was full.
    pub drops: u64,
    /// How often the ring became full.
    pub freezes: u64,
}

/// One shard's ring. Belongs to one thread.
pub struct RingReader {
    memory: Memory,
    socket: Arc<PacketSocket>,
    stop: Signal,
    /// The block that the kernel fills next or has filled.
    next: usize,
    shard: usize,
    block_timeout: Duration,
}

/// What waiting for frames came to.
pub enum Wait<'r> {
    /// Frames.
    Block(Block<'r>),
    /// Nothing came in time.
    Timeout,
    /// Capture was stopped and everything captured before has been handed out.
    Stopped,
}

/// A block of frames, which goes back to the kernel when dropped.
pub struct Block<'r> {
    ring: &'r mut RingReader,
}

impl RingReader {
    pub(crate) fn new(
        memory: Memory,
        socket: Arc<PacketSocket>,
        stop: Signal,
        shard: usize,
        block_timeout: Duration,
    ) -> Self {
        Self { memory, socket, stop, next: 0, shard, block_timeout }
    }

    /// Which shard's ring it is: frames of [`wirebeat_model::FlowKey::shard_hash`] modulo the number of shards.
    pub fn shard(&self) -> usize {
        self.shard
    }

    /// What the ring has seen; the same numbers that [`crate::live::Live::stats`] gives.
    pub fn stats(&self) -> RingStats {
        self.socket.stats()
    }

    /// How full the ring is, in eighths: blocks that the kernel has filled and that were not handed out yet.
    pub fn fill(&self) -> u8 {
        let blocks = self.memory.blocks();
        // They are filled in order, so one look for each eighth will do.
        let filled = |eighths: u8| {
            let last = (blocks * usize::from(eighths)).div_ceil(8) - 1;
            self.memory.is_ours((self.next + last) % blocks)
        };
        (1..=8).rev().find(|e| filled(*e)).unwrap_or(0)
    }

    /// The next block of frames, waiting at most `timeout` for it (rounded up to milliseconds).
    ///
    /// A block comes when it is full or its time is over (`Options::block_timeout`), so a timeout shorter than that
    /// merely polls. After [`crate::live::Live::stop`] what is left is handed out, then the answer is `Stopped`.
    ///
    /// # Errors
    ///
    /// Those of `poll(2)`, and errors of the socket; asking again is safe.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<Wait<'_>> {
        let deadline = Instant::now().checked_add(timeout);
        let mut last_look = None;
        while !self.memory.is_ours(self.next) {
            let now = Instant::now();
            let until = if self.stop.is_raised() {
                // What came just before the end lies in a block that the kernel gives up when its time is over.
                Some(*last_look.get_or_insert(now + self.block_timeout * 2))
            } else {
                deadline
            };
            if until.is_some_and(|u| now >= u) {
                return Ok(if last_look.is_some() { Wait::Stopped } else { Wait::Timeout });
            }
            let left = until.map(|u| u - now);
            // Once raised the signal is always readable; then only the socket is waited for.
            let stop = if last_look.is_some() { self.socket.as_fd() } else { self.stop.fd() };
            let (ring, _) = sys::poll2(self.socket.as_fd(), stop, left)?;
            if ring & libc::c_int::from(libc::POLLERR) != 0
                && let Some(error) = self.socket.take_error()
            {
                return Err(error);
            }
        }
        Ok(Wait::Block(Block { ring: self }))
    }
}

impl Block<'_> {
    /// Byte positions in a block's slice are its own less the twelve bytes before it.
    const SHIFT: usize = 12;

    fn bytes(&self) -> &[u8] {
        self.ring.memory.bytes(self.ring.next).unwrap_or(&[])
    }

    /// How many frames it holds.
    pub fn len(&self) -> usize {
        word(self.bytes(), 12 - Self::SHIFT) as usize
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its frames, in the order the kernel saw them.
    pub fn frames(&self) -> Frames<'_> {
        let bytes = self.bytes();
        let first = word(bytes, 16 - Self::SHIFT) as usize;
        Frames {
            bytes,
            at: first.max(memory::BLOCK_HEADER) - Self::SHIFT,
            left: word(bytes, 12 - Self::SHIFT),
        }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        let ring = &mut *self.ring;
        ring.memory.release(ring.next);
        ring.next = (ring.next + 1) % ring.memory.blocks();
    }
}

/// Walks the frames of a block.
pub struct Frames<'b> {
    bytes: &'b [u8],
    at: usize,
    left: u32,
}

impl<'b> Iterator for Frames<'b> {
    type Item = Frame<'b>;

    /// `struct tpacket3_hdr` (48 bytes), then `struct sockaddr_ll`, then the frame at `tp_mac`.
    #[inline]
    fn next(&mut self) -> Option<Frame<'b>> {
        self.left = self.left.checked_sub(1)?;
        let head: &[u8; 68] = self.bytes.get(self.at..self.at + 68)?.try_into().ok()?;
        let (secs, nanos) = (word(head, 4), word(head, 8));
        let (cap_len, wire_len, status) = (word(head, 12), word(head, 16), word(head, 20));
        let mac = usize::from(half(head, 24));
        let start = self.at + mac;
        let data = self.bytes.get(start..start + cap_len as usize)?;
        // The kernel's word for "last" is 0; `left` has ended the walk by then.
        self.at += word(head, 0) as usize;
        Some(Frame {
            time: Time(i64::from(secs) * 1_000_000_000 + i64::from(nanos)),
            link: link_type(half(head, 56)),
            device: word(head, 52),
            wire_len,
            vlan: (status & libc::TP_STATUS_VLAN_VALID != 0).then(|| word(head, 32) as u16),
            data,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}

/// How frames of a device are to be read, by its hardware type (`ARPHRD_`).
///
/// Types that have no `LINKTYPE_` of their own here come as `Other` with 65,536 added.
#[inline]
fn link_type(hardware: u16) -> LinkType {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::Ethernet,
        // No link header at all: tun, WireGuard, IP tunnels, PPP (whose header the driver hides), raw IP of modems.
        libc::ARPHRD_NONE
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE
        | 823 // ARPHRD_IP6GRE
        | libc::ARPHRD_PPP
        | 519 => LinkType::Raw, // ARPHRD_RAWIP
        libc::ARPHRD_IEEE80211 => LinkType::Other(105),
        libc::ARPHRD_IEEE80211_RADIOTAP => LinkType::Other(127),
        other => LinkType::Other(0x1_0000 | u32::from(other)),
    }
}
