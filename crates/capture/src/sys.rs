//! System calls as safe functions: sockets, options, poll, eventfd. All `unsafe` but the ring's memory is here.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

/// A type whose every bit pattern is a value and that has no padding the kernel could read uninitialised.
///
/// # Safety
///
/// Implementors are plain C structures of integers.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: integers.
unsafe impl Plain for c_int {}
// SAFETY: integers only, no padding (linux/if_packet.h, linux/filter.h, linux/netlink.h).
unsafe impl Plain for libc::sockaddr_ll {}
// SAFETY: as above.
unsafe impl Plain for libc::sockaddr_nl {}
// SAFETY: as above.
unsafe impl Plain for libc::packet_mreq {}
// SAFETY: as above.
unsafe impl Plain for libc::tpacket_req3 {}

/// Turns the -1 of a system call into the error it left behind.
pub(crate) fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A new socket, closed on exec.
pub(crate) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor is new and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// setsockopt(2).
pub(crate) fn set_option<T: Plain>(fd: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`, which the kernel only reads.
    unsafe { set_option_raw(fd, level, name, std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// setsockopt(2) with a classic BPF program (`SO_ATTACH_FILTER`, `PACKET_FANOUT_DATA`).
pub(crate) fn set_program(
    fd: &OwnedFd,
    level: c_int,
    name: c_int,
    program: &[crate::filter::bpf::Insn],
) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // `Insn` is laid out as `sock_filter`; the kernel does not write through the pointer.
    let fprog = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `fprog` points at `len` instructions that live through the call, and the kernel copies them.
    unsafe { set_option_raw(fd, level, name, std::ptr::from_ref(&fprog).cast(), size_of_val(&fprog)) }
}

/// # Safety
///
/// `value` points at `len` readable bytes, and whatever pointers the option's structure holds are valid.
unsafe fn set_option_raw(
    fd: &OwnedFd,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: usize,
) -> io::Result<()> {
    // SAFETY: by this function's contract.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, len as socklen_t) }).map(drop)
}

/// getsockopt(2) for an option of `N` 32-bit words; answers how many bytes came.
pub(crate) fn get_option<const N: usize>(fd: &OwnedFd, level: c_int, name: c_int) -> io::Result<[u32; N]> {
    let mut value = [0u32; N];
    let mut len = size_of_val(&value) as socklen_t;
    // SAFETY: the pointer and the length describe `value`; any bytes make valid integers.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) })?;
    Ok(value)
}

/// bind(2).
pub(crate) fn bind<T: Plain>(fd: &OwnedFd, address: &T) -> io::Result<()> {
    let address: *const T = address;
    // SAFETY: the pointer and the length describe `address`.
    check(unsafe { libc::bind(fd.as_raw_fd(), address.cast(), size_of::<T>() as socklen_t) }).map(drop)
}

/// send(2).
pub(crate) fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length describe `bytes`.
    let n = unsafe { libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// recv(2) with `MSG_TRUNC`: answers the message's whole length, which may exceed the buffer's.
pub(crate) fn recv(fd: &OwnedFd, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    // SAFETY: the pointer and the length describe `buffer`.
    let n = unsafe {
        libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags | libc::MSG_TRUNC)
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Waits until one of two descriptors is readable or has an error. `None` waits for ever.
///
/// A signal counts as nothing having happened.
pub(crate) fn poll2(
    a: BorrowedFd<'_>,
    b: BorrowedFd<'_>,
    timeout: Option<Duration>,
) -> io::Result<(c_int, c_int)> {
    let entry = |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut fds = [entry(a), entry(b)];
    // Rounded up, so that a wait of less than a millisecond is no busy loop.
    let millis = timeout.map_or(-1, |t| c_int::try_from(t.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX));
    // SAFETY: the pointer and the count describe `fds`.
    match check(unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) }) {
        Ok(_) => Ok((c_int::from(fds[0].revents), c_int::from(fds[1].revents))),
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok((0, 0)),
        Err(e) => Err(e),
    }
}

/// A descriptor that becomes readable for ever once raised, to end waits in other threads.
#[derive(Clone, Debug)]
pub(crate) struct Signal(Arc<(OwnedFd, AtomicBool)>);

impl Signal {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the descriptor is new and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self(Arc::new((fd, AtomicBool::new(false)))))
    }

    pub(crate) fn raise(&self) {
        self.0.1.store(true, Ordering::Release);
        let one = 1u64.to_ne_bytes();
        // SAFETY: the pointer and the length describe `one`. It cannot fail but for a full counter, which is raised.
        unsafe { libc::write(self.0.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.1.load(Ordering::Acquire)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}
