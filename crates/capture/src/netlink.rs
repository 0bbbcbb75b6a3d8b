//! The little of rtnetlink(7) that is needed: dumps of links, addresses and routes, and news of their changes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys;

/// Longest datagram read. The kernel's dumps come in pieces of at most 32 KiB.
const BUFFER: usize = 64 * 1024;

/// A route netlink socket.
pub(crate) struct Netlink {
    fd: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

/// One message of a dump: its type and its body.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) body: &'a [u8],
}

impl Netlink {
    /// A socket for dumps.
    pub(crate) fn open() -> io::Result<Self> {
        Self::with_groups(0)
    }

    /// A socket that hears of every change of links, addresses and routes.
    pub(crate) fn watch() -> io::Result<Self> {
        let groups = libc::RTMGRP_LINK
            | libc::RTMGRP_IPV4_IFADDR
            | libc::RTMGRP_IPV6_IFADDR
            | libc::RTMGRP_IPV4_ROUTE
            | libc::RTMGRP_IPV6_ROUTE;
        Self::with_groups(groups as u32)
    }

    fn with_groups(groups: u32) -> io::Result<Self> {
        let fd = sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
        // SAFETY: a plain structure of integers, for which zero is a value.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = groups;
        sys::bind(&fd, &address)?;
        Ok(Self { fd, buffer: vec![0; BUFFER], sequence: 0 })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Asks for everything of a kind (`RTM_GETLINK`, …) and hands each message to `each`.
    ///
    /// Answers whether the dump is consistent; if not, something changed meanwhile and it should be asked again.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        body: &[u8],
        mut each: impl FnMut(Message<'_>),
    ) -> io::Result<bool> {
        self.sequence += 1;
        let len = 16 + body.len();
        let mut request = Vec::with_capacity(len);
        request.extend_from_slice(&(len as u32).to_ne_bytes());
        request.extend_from_slice(&kind.to_ne_bytes());
        request.extend_from_slice(&((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
        request.extend_from_slice(&self.sequence.to_ne_bytes());
        request.extend_from_slice(&0u32.to_ne_bytes());
        request.extend_from_slice(body);
        sys::send(&self.fd, &request)?;
        let mut consistent = true;
        loop {
            let got = match sys::recv(&self.fd, &mut self.buffer, 0) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let mut rest = self.buffer.get(..got).ok_or(io::ErrorKind::InvalidData)?;
            while rest.len() >= 16 {
                let len = word(rest, 0) as usize;
                let Some(body) = rest.get(16..len) else { return Err(io::ErrorKind::InvalidData.into()) };
                let (kind, flags) = (half(rest, 4), half(rest, 6));
                if word(rest, 8) == self.sequence {
                    consistent &= i32::from(flags) & libc::NLM_F_DUMP_INTR == 0;
                    match i32::from(kind) {
                        libc::NLMSG_DONE => return Ok(consistent),
                        libc::NLMSG_ERROR => {
                            return Err(io::Error::from_raw_os_error((word(body, 0) as i32).wrapping_neg()));
                        }
                        _ => each(Message { kind, body }),
                    }
                }
                rest = rest.get(len.next_multiple_of(4)..).unwrap_or(&[]);
            }
        }
    }

    /// Empties the queue of news. Answers whether there were any, lost ones included.
    pub(crate) fn drain(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            match sys::recv(&self.fd, &mut self.buffer, libc::MSG_DONTWAIT) {
                Ok(_) => any = true,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // The queue overflowed: something changed, whatever it was.
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => any = true,
                Err(e) => return Err(e),
            }
        }
    }
}

/// The attributes behind a message's fixed part of `skip` bytes: type without its flag bits, and value.
pub(crate) fn attributes(bytes: &[u8], skip: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes.get(skip..).unwrap_or(&[]);
    std::iter::from_fn(move || {
        let len = usize::from(half(rest.get(..4)?, 0));
        let value = rest.get(4..len)?;
        let kind = half(rest, 2) & 0x3fff;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

/// The 32-bit number at `at` in the host's byte order; 0 when it is not there.
pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// The 16-bit number at `at` in the host's byte order; 0 when it is not there.
pub(crate) fn half(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_ne_bytes)
}
