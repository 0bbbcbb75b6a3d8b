//! Namespaces, packets and readers for the live tests.
#![allow(dead_code)]

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use wirebeat_capture::live::{RingReader, Wait};
use wirebeat_model::{Endpoint, FlowKey, LinkType, Time, Transport};

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace: a thread that lives in it and runs what it is given.
pub(crate) struct Namespace {
    jobs: mpsc::Sender<Job>,
    thread: u64,
}

impl Namespace {
    /// `None`, with a word on standard output, when that is not allowed.
    pub(crate) fn new() -> Option<Self> {
        if Command::new("ip").arg("-V").output().is_err() {
            println!("skipped: ip(8) is not installed");
            return None;
        }
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (answer, started) = mpsc::channel();
        std::thread::spawn(move || {
            // SAFETY: no pointers; it concerns this thread alone.
            let done = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            // SAFETY: no pointers.
            let thread = unsafe { libc::gettid() };
            answer.send((done == 0).then_some(thread as u64)).unwrap();
            while let Ok(job) = inbox.recv() {
                job();
            }
        });
        let thread = started.recv().unwrap();
        if thread.is_none() {
            println!("skipped: not allowed to make a network namespace");
        }
        Some(Self { jobs, thread: thread? })
    }

    /// Runs in the namespace and hands the result out.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, result) = mpsc::channel();
        self.jobs.send(Box::new(move || drop(answer.send(job())))).unwrap();
        result.recv().expect("the job panicked")
    }

    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/task/{}/ns/net", std::process::id(), self.thread)
    }
}

/// Runs a command of the shell; it must succeed.
pub(crate) fn run(command: &str) {
    let out = Command::new("sh").arg("-c").arg(command).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A captured frame, owned.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) shard: usize,
    pub(crate) time: Time,
    pub(crate) link: LinkType,
    pub(crate) device: u32,
    pub(crate) wire_len: u32,
    pub(crate) vlan: Option<u16>,
    pub(crate) data: Vec<u8>,
}

pub(crate) struct Readers(Vec<JoinHandle<Vec<Seen>>>);

/// Reads each ring in a thread, until capture stops.
pub(crate) fn capture(rings: Vec<RingReader>) -> Readers {
    let read = |mut ring: RingReader| {
        let shard = ring.shard();
        let mut seen = Vec::new();
        loop {
            match ring.wait(Duration::from_secs(1)).unwrap() {
                Wait::Block(block) => {
                    let before = seen.len();
                    seen.extend(block.frames().map(|f| Seen {
                        shard,
                        time: f.time,
                        link: f.link,
                        device: f.device,
                        wire_len: f.wire_len,
                        vlan: f.vlan,
                        data: f.data.to_vec(),
                    }));
                    assert_eq!(seen.len() - before, block.len());
                }
                Wait::Timeout => {}
                Wait::Stopped => return seen,
            }
        }
    };
    Readers(rings.into_iter().map(|ring| std::thread::spawn(move || read(ring))).collect())
}

impl Readers {
    pub(crate) fn finish(self) -> Vec<Seen> {
        self.0.into_iter().flat_map(|t| t.join().unwrap()).collect()
    }
}

/// EtherType and network header, behind tags that are still in the frame.
fn network(frame: &Seen) -> Option<(u16, &[u8])> {
    let half = |at: usize| frame.data.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    if frame.link == LinkType::Raw {
        return Some((if frame.data.first()? >> 4 == 4 { 0x0800 } else { 0x86dd }, &frame.data));
    }
    let mut at = 14;
    while matches!(half(at - 2)?, 0x8100 | 0x88a8) {
        at += 4;
    }
    Some((half(at - 2)?, frame.data.get(at..)?))
}

/// The flow key by a decoder of its own: plain headers only.
pub(crate) fn key(frame: &Seen) -> Option<FlowKey> {
    let (kind, ip) = network(frame)?;
    let (protocol, l4, from, to): (u8, usize, _, _) = match kind {
        0x0800 => (
            *ip.get(9)?,
            usize::from(ip[0] & 15) * 4,
            Endpoint::v4(ip.get(12..16)?.try_into().ok()?, 0),
            Endpoint::v4(ip.get(16..20)?.try_into().ok()?, 0),
        ),
        0x86dd => (
            *ip.get(6)?,
            40,
            Endpoint::v6(ip.get(8..24)?.try_into().ok()?, 0),
            Endpoint::v6(ip.get(24..40)?.try_into().ok()?, 0),
        ),
        _ => return None,
    };
    let transport = Transport(protocol);
    let port = |at: usize| ip.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    let (sport, dport) = if transport.has_ports() { (port(l4), port(l4 + 2)) } else { (0, 0) };
    let (from, to) = (Endpoint { port: sport, ..from }, Endpoint { port: dport, ..to });
    Some(FlowKey::new(from, to, transport, 0).0)
}

/// The key of the addresses alone, which is what fragments are known by.
pub(crate) fn address_key(frame: &Seen) -> Option<FlowKey> {
    let key = key(frame)?;
    let bare = |e: Endpoint| Endpoint { port: 0, ..e };
    Some(FlowKey::new(bare(key.a()), bare(key.b()), Transport(0), 0).0)
}

/// Source and destination port.
pub(crate) fn ports_of(frame: &Seen) -> (u16, u16) {
    let Some((kind, ip)) = network(frame) else { return (0, 0) };
    let at = if kind == 0x0800 { usize::from(ip[0] & 15) * 4 } else { 40 };
    let port = |at: usize| ip.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    (port(at), port(at + 2))
}

pub(crate) fn is_v4_fragment(frame: &Seen) -> bool {
    network(frame)
        .is_some_and(|(kind, ip)| kind == 0x0800 && u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0)
}

pub(crate) fn is_v6_fragment(frame: &Seen) -> bool {
    network(frame).is_some_and(|(kind, ip)| kind == 0x86dd && ip[6] == 44)
}

pub(crate) fn has_v6_extensions(frame: &Seen) -> bool {
    network(frame).is_some_and(|(kind, ip)| kind == 0x86dd && matches!(ip[6], 0 | 43 | 60))
}

/// An Ethernet frame with a UDP datagram. Checksums are not filled in.
pub(crate) fn udp_frame(from: [u8; 4], to: [u8; 4], sport: u16, dport: u16, payload: usize) -> Vec<u8> {
    let mut f = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0];
    f.extend(((28 + payload) as u16).to_be_bytes());
    f.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    f.extend(from);
    f.extend(to);
    f.extend(sport.to_be_bytes());
    f.extend(dport.to_be_bytes());
    f.extend(((8 + payload) as u16).to_be_bytes());
    f.extend([0, 0]);
    f.resize(f.len() + payload, 0x55);
    f
}

thread_local! {
    static SENDER: std::cell::OnceCell<OwnedFd> = const { std::cell::OnceCell::new() };
}

fn packet_socket(device: &str) -> OwnedFd {
    let name = std::ffi::CString::new(device).unwrap();
    // SAFETY: `name` ends in zero; the address is a plain structure passed with its size.
    unsafe {
        let fd = OwnedFd::from_raw_fd(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0));
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        let size = size_of_val(&address) as u32;
        assert_eq!(libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size), 0);
        fd
    }
}

/// Sends one frame as it is.
pub(crate) fn send_raw(device: &str, frame: &[u8]) {
    let fd = packet_socket(device);
    // SAFETY: pointer and length describe `frame`.
    let sent = unsafe { libc::send(fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
    assert_eq!(sent, frame.len() as isize, "{}", std::io::Error::last_os_error());
}

/// Sends one frame through a socket that this thread keeps.
pub(crate) fn send_raw_again(device: &str, frame: &[u8]) {
    SENDER.with(|sender| {
        let fd = sender.get_or_init(|| packet_socket(device));
        // SAFETY: pointer and length describe `frame`.
        let sent = unsafe { libc::send(fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len() as isize);
    });
}

/// A tun device, which lives as long as the file.
pub(crate) fn open_tun(name: &str) -> Option<File> {
    let file = File::options().read(true).write(true).open("/dev/net/tun").ok()?;
    let mut request = [0u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[16..18].copy_from_slice(&((libc::IFF_TUN | libc::IFF_NO_PI) as u16).to_ne_bytes());
    // SAFETY: TUNSETIFF reads and writes a `struct ifreq` of 40 bytes.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, request.as_mut_ptr()) };
    (done == 0).then_some(file)
}

/// Runs with these effective capabilities only; gets the others back afterwards.
pub(crate) fn with_capabilities<T>(keep: &[u32], job: impl FnOnce() -> T) -> T {
    let header = [0x2008_0522_u32, 0]; // _LINUX_CAPABILITY_VERSION_3, this thread
    let mut data = [0u32; 6]; // effective, permitted, inheritable; twice
    // SAFETY: both pointers describe what capget(2) and capset(2) expect of version 3.
    unsafe { assert_eq!(libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()), 0) };
    let mut fewer = data;
    fewer[0] = keep.iter().fold(0, |set, n| set | 1 << n);
    fewer[3] = 0;
    // SAFETY: as above.
    unsafe { assert_eq!(libc::syscall(libc::SYS_capset, header.as_ptr(), fewer.as_ptr()), 0) };
    let result = job();
    // SAFETY: as above.
    unsafe { assert_eq!(libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()), 0) };
    result
}
