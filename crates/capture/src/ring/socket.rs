//! A packet socket with a ring: what it is told and what it counts.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use super::RingStats;
use super::memory::Memory;
use crate::filter::bpf::{Insn, RET};
use crate::sys;

// linux/if_packet.h
const FANOUT_CBPF: u32 = 6;
const FANOUT_FLAG_UNIQUEID: u32 = 0x2000;
const PACKET_FANOUT_DATA: libc::c_int = 22;

/// Smallest and largest block, in bytes. The smallest holds a frame of 64 KiB (GRO, loopback) with room to spare.
const BLOCK_MIN: usize = 256 * 1024;
const BLOCK_MAX: usize = 1024 * 1024;
/// A ring has at least this many blocks, so that the kernel fills one while another is read.
const BLOCKS_MIN: usize = 4;

/// Refuses everything: attached until the socket is ready and when capture stops.
const NOTHING: [Insn; 1] = [Insn { code: RET, jt: 0, jf: 0, k: 0 }];

/// One socket of the fan-out group. Options are set from any thread.
pub(crate) struct PacketSocket {
    fd: OwnedFd,
    stats: Mutex<RingStats>,
}

/// A ring's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) block_size: usize,
    pub(crate) blocks: usize,
}

impl Geometry {
    /// For `bytes` of memory: blocks of 1 MiB where at least eight fit, smaller ones where not.
    pub(crate) fn for_bytes(bytes: usize) -> Self {
        let mut block_size = BLOCK_MAX;
        while block_size > BLOCK_MIN && bytes / block_size < 8 {
            block_size /= 2;
        }
        Self { block_size, blocks: (bytes / block_size).max(BLOCKS_MIN) }
    }
}

impl PacketSocket {
    /// A socket that receives nothing yet. Needs `CAP_NET_RAW`.
    pub(crate) fn open() -> io::Result<Self> {
        // Protocol 0: nothing comes before it is bound.
        let fd = sys::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_NONBLOCK, 0)?;
        let socket = Self { fd, stats: Mutex::default() };
        socket.set_nothing()?;
        Ok(socket)
    }

    /// Reserves the ring and maps it.
    pub(crate) fn ring(&self, geometry: Geometry, block_timeout_ms: u32) -> io::Result<Memory> {
        const FRAME: usize = 2048;
        sys::set_option(
            &self.fd,
            libc::SOL_PACKET,
            libc::PACKET_VERSION,
            &(libc::tpacket_versions::TPACKET_V3 as i32),
        )?;
        let Geometry { block_size, blocks } = geometry;
        let to_u32 = |n: usize| u32::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let request = libc::tpacket_req3 {
            tp_block_size: to_u32(block_size)?,
            tp_block_nr: to_u32(blocks)?,
            // In version 3 frames have any length up to the block's; these two must only agree with each other.
            tp_frame_size: FRAME as u32,
            tp_frame_nr: to_u32(block_size / FRAME * blocks)?,
            tp_retire_blk_tov: block_timeout_ms,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        sys::set_option(&self.fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        Memory::map(&self.fd, block_size, blocks)
    }

    /// Receives from every device from now on (though the filter lets nothing through yet).
    pub(crate) fn bind_all(&self) -> io::Result<()> {
        // SAFETY: a plain structure of integers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        sys::bind(&self.fd, &address)
    }

    /// Founds a fan-out group whose members are chosen by `program`, and answers the group's number.
    ///
    /// Without `PACKET_FANOUT_FLAG_DEFRAG`: it knows fragments by their addresses and id, but not by their device. A
    /// datagram that passes a veth and its bridge is completed on the veth, and the bridge's copies are dropped as
    /// duplicates before the filter looks for the bridge.
    pub(crate) fn found_group(&self, program: &[Insn]) -> io::Result<u16> {
        let argument = (FANOUT_CBPF | FANOUT_FLAG_UNIQUEID) << 16;
        sys::set_option(&self.fd, libc::SOL_PACKET, libc::PACKET_FANOUT, &(argument as i32))?;
        sys::set_program(&self.fd, libc::SOL_PACKET, PACKET_FANOUT_DATA, program)?;
        let [group] = sys::get_option(&self.fd, libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok(group as u16)
    }

    /// Joins a group; the n-th member gets what the program sends to n.
    pub(crate) fn join_group(&self, group: u16) -> io::Result<()> {
        let argument = FANOUT_CBPF << 16 | u32::from(group);
        sys::set_option(&self.fd, libc::SOL_PACKET, libc::PACKET_FANOUT, &(argument as i32))
    }

    /// Replaces the filter, in one step. Needs no right.
    pub(crate) fn set_filter(&self, program: &[Insn]) -> io::Result<()> {
        sys::set_program(&self.fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program)
    }

    /// Lets nothing through from now on.
    pub(crate) fn set_nothing(&self) -> io::Result<()> {
        self.set_filter(&NOTHING)
    }

    /// Asks a device for frames that are not for this host, or no longer. The kernel counts who asks.
    pub(crate) fn set_promiscuous(&self, device: u32, on: bool) -> io::Result<()> {
        let request = libc::packet_mreq {
            mr_ifindex: device as i32,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        let name = if on { libc::PACKET_ADD_MEMBERSHIP } else { libc::PACKET_DROP_MEMBERSHIP };
        sys::set_option(&self.fd, libc::SOL_PACKET, name, &request)
    }

    /// The kernel forgets its counts when they are read, so they are summed here.
    pub(crate) fn stats(&self) -> RingStats {
        let mut sum = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok([packets, drops, freezes]) =
            sys::get_option(&self.fd, libc::SOL_PACKET, libc::PACKET_STATISTICS)
        {
            sum.packets += u64::from(packets);
            sum.drops += u64::from(drops);
            sum.freezes += u64::from(freezes);
        }
        *sum
    }

    /// The error that is pending on the socket, taken off it.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        let [code] = sys::get_option(&self.fd, libc::SOL_SOCKET, libc::SO_ERROR).ok()?;
        (code != 0).then(|| io::Error::from_raw_os_error(code as i32))
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometries() {
        for (bytes, block_size, blocks) in [
            (0, 256 << 10, 4),
            (1 << 20, 256 << 10, 4),
            (4 << 20, 512 << 10, 8),
            (8 << 20, 1 << 20, 8),
            (100 << 20, 1 << 20, 100),
        ] {
            assert_eq!(Geometry::for_bytes(bytes), Geometry { block_size, blocks }, "{bytes}");
        }
    }
}
