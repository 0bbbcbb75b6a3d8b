//! Sends UDP frames through a device as fast as asked: `flood DEVICE FRAMES SIZE [PER_SECOND]`.
//!
//! Batches of 64 by sendmmsg(2) past the queueing discipline. Ports vary, so that shards share the load.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

const BATCH: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, device, frames, size, rest @ ..] = args.as_slice() else {
        return Err("usage: flood DEVICE FRAMES SIZE [PER_SECOND]".into());
    };
    let (frames, size): (usize, usize) = (frames.parse()?, size.parse::<usize>()?.max(60));
    let rate: Option<f64> = rest.first().map(|r| r.parse()).transpose()?;
    let fd = open(device)?;
    let mut packets: Vec<Vec<u8>> = (0..BATCH as u16).map(|n| frame(40_000 + n, 53, size)).collect();
    let mut vectors: Vec<libc::iovec> = packets
        .iter_mut()
        .map(|p| libc::iovec { iov_base: p.as_mut_ptr().cast(), iov_len: p.len() })
        .collect();
    let mut messages: Vec<libc::mmsghdr> = vectors
        .iter_mut()
        .map(|v| {
            // SAFETY: a C structure for which zero means "nothing".
            let mut m: libc::mmsghdr = unsafe { std::mem::zeroed() };
            m.msg_hdr.msg_iov = v;
            m.msg_hdr.msg_iovlen = 1;
            m
        })
        .collect();
    let start = Instant::now();
    let (mut sent, mut refused) = (0, 0);
    while sent < frames {
        let now = BATCH.min(frames - sent);
        // SAFETY: `messages` holds `now` headers whose buffers live in `vectors` and `packets`.
        let n = unsafe { libc::sendmmsg(fd.as_raw_fd(), messages.as_mut_ptr(), now as u32, 0) };
        match usize::try_from(n) {
            Ok(n) => sent += n,
            Err(_) => refused += 1,
        }
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(sent as f64 / rate);
            if let Some(wait) = due.checked_sub(start.elapsed()).filter(|w| *w > Duration::from_micros(100)) {
                std::thread::sleep(wait);
            }
        }
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "sent {sent} frames of {size} bytes in {took:.3} s: {:.0} a second, {refused} calls refused",
        sent as f64 / took
    );
    Ok(())
}

fn open(device: &str) -> Result<OwnedFd, Box<dyn std::error::Error>> {
    let name = std::ffi::CString::new(device)?;
    // SAFETY: plain system calls; the structures passed live through them.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        let fd = OwnedFd::from_raw_fd(fd);
        let on = 1i32;
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_QDISC_BYPASS,
            (&raw const on).cast(),
            4,
        );
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        if libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32) < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(fd)
    }
}

/// Ethernet, IPv4, UDP from 10.99.0.2 to 10.99.0.1.
fn frame(sport: u16, dport: u16, size: usize) -> Vec<u8> {
    let mut f = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0];
    f.extend(((size - 14) as u16).to_be_bytes());
    f.extend([0, 1, 0, 0, 64, 17, 0, 0, 10, 99, 0, 2, 10, 99, 0, 1]);
    f.extend(sport.to_be_bytes());
    f.extend(dport.to_be_bytes());
    f.extend(((size - 34) as u16).to_be_bytes());
    f.resize(size, 0);
    f
}
