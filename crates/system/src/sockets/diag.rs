//! States of TCP sockets by netlink (sock_diag(7)): one walk through the kernel's tables for IPv4 and IPv6, and no text.
//! `/proc/net/tcp` and `tcp6` walk them twice, which alone costs milliseconds on a host with much memory.

use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::Sockets;

/// The request of old: `TCPDIAG_GETSOCK` (linux/inet_diag.h) is answered for both families at once.
const GET_TCP: u16 = 18;
/// `NLM_F_REQUEST | NLM_F_DUMP` (netlink(7)).
const DUMP: u16 = 0x301;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const HEADER: usize = 16;
/// Answers are packed into buffers of at most 32 KiB.
const ANSWER: usize = 64 << 10;
/// The kernel answers at once or not at all.
const PATIENCE: Duration = Duration::from_millis(200);

/// Counts TCP sockets by state; those of our own network namespace. A count that was begun is dropped when it fails.
pub(crate) fn count(sockets: &mut Sockets) -> Result<(), Errno> {
    let socket = open()?;
    let mut request = [0u8; HEADER + 60];
    let length = request.len() as u32;
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&GET_TCP.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    // inet_diag_req: family (not looked at), …, states, dbs. Every state.
    request[HEADER + 52..HEADER + 56].copy_from_slice(&u32::MAX.to_ne_bytes());
    sendto(&socket, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = vec![0u8; ANSWER];
    let mut states = [0u64; 13];
    loop {
        let (got, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
        if add(&answer[..got], &mut states)? {
            sockets.tcp = states;
            return Ok(());
        }
    }
}

fn open() -> Result<OwnedFd, Errno> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

/// Counts the messages of one answer; whether it was the last.
fn add(mut answer: &[u8], states: &mut [u64; 13]) -> Result<bool, Errno> {
    while let (Some(length), Some(kind)) = (answer.get(..4), answer.get(4..6)) {
        let length = u32::from_ne_bytes(length.try_into().unwrap_or_default()) as usize;
        match u16::from_ne_bytes(kind.try_into().unwrap_or_default()) {
            DONE => return Ok(true),
            ERROR => return Err(Errno::IO),
            _ if length < HEADER + 2 || length > answer.len() => return Err(Errno::BADMSG),
            _ => {}
        }
        // inet_diag_msg: family, state, …
        if let Some(count) = states.get_mut(usize::from(answer[HEADER + 1])) {
            *count += 1;
        }
        answer = answer.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    if answer.is_empty() { Ok(false) } else { Err(Errno::BADMSG) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn our_own_sockets_are_counted() {
        let mut before = Sockets::default();
        count(&mut before).unwrap();
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let six = TcpListener::bind("[::1]:0").ok();
        let open: Vec<_> = (0..40)
            .map(|_| (TcpStream::connect(four.local_addr().unwrap()).unwrap(), four.accept().unwrap()))
            .collect();
        let mut after = Sockets::default();
        count(&mut after).unwrap();
        // Others may come and go meanwhile, but not by the dozen.
        let listening = 1 + u64::from(six.is_some());
        assert!(after.tcp[10] >= before.tcp[10] + listening, "{before:?} {after:?}");
        assert!(after.tcp[1] >= before.tcp[1] + 70, "{before:?} {after:?}");
        drop(open);
    }

    #[test]
    fn answers_that_are_cut() {
        let mut states = [0; 13];
        let message = |length: u32, kind: u16, state: u8| {
            let mut m =
                [length.to_ne_bytes().as_slice(), &kind.to_ne_bytes(), &[0; 10], &[2, state, 0, 0]].concat();
            m.resize(20, 0);
            m
        };
        let two = [message(20, 20, 10), message(18, 20, 200)].concat();
        assert_eq!(add(&two, &mut states), Ok(false));
        assert_eq!((states[10], states.iter().sum::<u64>()), (1, 1));
        assert_eq!(add(&message(20, DONE, 0), &mut states), Ok(true));
        assert!(add(&message(20, ERROR, 0), &mut states).is_err());
        for wrong in [message(0, 20, 0), message(21, 20, 0), vec![1, 2, 3]] {
            assert!(add(&wrong, &mut states).is_err());
        }
    }
}
