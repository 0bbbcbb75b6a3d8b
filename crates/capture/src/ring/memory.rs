//! The memory that the kernel and we share: blocks of frames (Documentation/networking/packet_mmap.rst).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where a block's status word lies (`tpacket_block_desc.hdr.bh1.block_status`).
const STATUS: usize = 8;
/// Bytes of a block's header (`sizeof(struct tpacket_block_desc)`).
pub(super) const BLOCK_HEADER: usize = 48;

/// A ring of blocks, mapped; each belongs to the kernel or to us, as its status word says.
pub(crate) struct Memory {
    start: NonNull<u8>,
    block_size: usize,
    blocks: usize,
}

// SAFETY: the mapping is owned by this value alone and lives as long as it; nothing is tied to a thread.
unsafe impl Send for Memory {}

impl Memory {
    /// Maps the ring of `fd`, for which `PACKET_RX_RING` was set with these numbers.
    pub(super) fn map(fd: &OwnedFd, block_size: usize, blocks: usize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice; the arguments hold no pointers of ours.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                block_size * blocks,
                protection,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self { start, block_size, blocks })
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        assert!(block < self.blocks);
        // SAFETY: inside the mapping, which is page-aligned as is each block; the kernel accesses this word atomically
        // too, and nobody makes a plain reference to it (`bytes` starts behind it).
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(block * self.block_size + STATUS).cast()) }
    }

    /// Whether the block is ours. From then on the kernel leaves it alone until [`Memory::release`].
    pub(super) fn is_ours(&self, block: usize) -> bool {
        self.status(block).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// The block's bytes from its packet count on, i.e. from offset 12 of the block; `None` when it is not ours.
    pub(super) fn bytes(&self, block: usize) -> Option<&[u8]> {
        if !self.is_ours(block) {
            return None;
        }
        // SAFETY: inside the mapping; the kernel does not write to a block that is ours, and giving it back takes
        // `&mut self`, so no slice outlives that. The status word is left out, for it is accessed atomically.
        Some(unsafe {
            std::slice::from_raw_parts(
                self.start.as_ptr().add(block * self.block_size + STATUS + 4),
                self.block_size - STATUS - 4,
            )
        })
    }

    /// Gives the block back to the kernel.
    pub(super) fn release(&mut self, block: usize) {
        self.status(block).store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; no reference into it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.block_size * self.blocks) };
    }
}
