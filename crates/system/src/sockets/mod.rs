//! Sockets by protocol and state: `system.socket_summary`.

mod diag;

pub(crate) use diag::count;

use wirebeat_model::{Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer, put_count};
use crate::scan::{lines, number, words};

/// What the sockets of a network namespace do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// TCP sockets by state, IPv4 and IPv6; the place is the kernel's number of the state (net/tcp_states.h).
    pub tcp: [u64; 13],
    /// UDP sockets.
    pub udp: u64,
    /// TCP sockets that no process holds any more.
    pub orphan: u64,
    /// Bytes of TCP buffers.
    pub tcp_memory: u64,
    /// Bytes of UDP buffers.
    pub udp_memory: u64,
}

const LISTEN: usize = 10;

impl Sockets {
    /// Adds the rows of `/proc/net/tcp` or `tcp6`.
    pub(crate) fn add_tcp(&mut self, text: &[u8]) {
        for line in lines(text).skip(1) {
            let state = words(line).nth(3).and_then(|w| std::str::from_utf8(w).ok());
            let state = state.and_then(|w| usize::from_str_radix(w, 16).ok());
            if let Some(count) = state.and_then(|s| self.tcp.get_mut(s)) {
                *count += 1;
            }
        }
    }

    /// Adds the rows of `/proc/net/udp` or `udp6`.
    pub(crate) fn add_udp(&mut self, text: &[u8]) {
        self.udp += lines(text).skip(1).count() as u64;
    }

    /// Reads `/proc/net/sockstat`.
    pub(crate) fn add_sockstat(&mut self, text: &[u8], page: u64) {
        for line in lines(text) {
            let mut words = words(line);
            let protocol = words.next();
            while let (Some(name), Some(value)) = (words.next(), words.next().and_then(number)) {
                match (protocol, name) {
                    (Some(b"TCP:"), b"orphan") => self.orphan = value,
                    (Some(b"TCP:"), b"mem") => self.tcp_memory = value.saturating_mul(page),
                    (Some(b"UDP:"), b"mem") => self.udp_memory = value.saturating_mul(page),
                    _ => {}
                }
            }
        }
    }

    /// All TCP sockets.
    pub fn tcp_count(&self) -> u64 {
        self.tcp.iter().sum()
    }
}

/// TCP sockets that `/proc/net/sockstat` says there are; IPv6 ones stand in a file of their own.
pub(crate) fn in_use(sockstat: &[u8]) -> u64 {
    let mut sum = 0u64;
    for line in lines(sockstat).filter(|l| l.starts_with(b"TCP")) {
        let mut words = words(line).skip(1);
        while let (Some(name), Some(value)) = (words.next(), words.next().and_then(number)) {
            if name == b"inuse" || name == b"tw" {
                sum = sum.saturating_add(value);
            }
        }
    }
    sum
}

fields! {
    pub FIELDS:
    ALL_COUNT = Field::new("system.socket.summary.all.count", Kind::Long, "TCP and UDP sockets.");
    ALL_LISTENING = Field::new("system.socket.summary.all.listening", Kind::Long, "Listening sockets.");
    TCP_COUNT = Field::new("system.socket.summary.tcp.all.count", Kind::Long, "TCP sockets in any state.");
    TCP_LISTENING = Field::new("system.socket.summary.tcp.all.listening", Kind::Long, "TCP sockets that listen.");
    TCP_ESTABLISHED = Field::new("system.socket.summary.tcp.all.established", Kind::Long, "Open TCP connections.");
    TCP_SYN_SENT = Field::new("system.socket.summary.tcp.all.syn_sent", Kind::Long, "TCP connections being opened from here.");
    TCP_SYN_RECV = Field::new("system.socket.summary.tcp.all.syn_recv", Kind::Long, "TCP connections being opened from elsewhere.");
    TCP_FIN_WAIT1 = Field::new("system.socket.summary.tcp.all.fin_wait1", Kind::Long, "Closed here, not yet acknowledged.");
    TCP_FIN_WAIT2 = Field::new("system.socket.summary.tcp.all.fin_wait2", Kind::Long, "Closed here, acknowledged, not yet closed there.");
    TCP_TIME_WAIT = Field::new("system.socket.summary.tcp.all.time_wait", Kind::Long, "Closed, waiting for late segments.");
    TCP_CLOSE_WAIT = Field::new("system.socket.summary.tcp.all.close_wait", Kind::Long, "Closed there, not yet here.");
    TCP_LAST_ACK = Field::new("system.socket.summary.tcp.all.last_ack", Kind::Long, "Closed by both, not yet acknowledged.");
    TCP_CLOSING = Field::new("system.socket.summary.tcp.all.closing", Kind::Long, "Closed by both at once.");
    TCP_ORPHAN = Field::new("system.socket.summary.tcp.all.orphan", Kind::Long, "TCP sockets that no process holds any more.");
    TCP_MEMORY = Field::new("system.socket.summary.tcp.memory", Kind::Long, "Memory of TCP buffers.").unit(Unit::Bytes);
    UDP_COUNT = Field::new("system.socket.summary.udp.all.count", Kind::Long, "UDP sockets.");
    UDP_MEMORY = Field::new("system.socket.summary.udp.memory", Kind::Long, "Memory of UDP buffers.").unit(Unit::Bytes);
}

static SUMMARY: Metricset = Metricset {
    module: "system",
    name: "socket_summary",
    dataset: "system.socket_summary",
    kind: "socket_summary",
};

/// Writes `system.socket_summary`. `listed`: whether the states were read; there may be too many sockets for it.
pub(crate) fn event(sockets: &Sockets, listed: bool, out: &mut Writer<'_>) {
    out.event(&SUMMARY, |fields| {
        let states = [
            (&TCP_ESTABLISHED, 1),
            (&TCP_SYN_SENT, 2),
            (&TCP_SYN_RECV, 3),
            (&TCP_FIN_WAIT1, 4),
            (&TCP_FIN_WAIT2, 5),
            (&TCP_TIME_WAIT, 6),
            (&TCP_CLOSE_WAIT, 8),
            (&TCP_LAST_ACK, 9),
            (&TCP_LISTENING, LISTEN),
            (&TCP_CLOSING, 11),
        ];
        for (field, state) in states {
            // A request for a connection counts as one that is being opened.
            let more = if state == 3 { sockets.tcp[12] } else { 0 };
            put_count(fields, field, listed.then_some(sockets.tcp[state] + more));
        }
        put_count(fields, &ALL_COUNT, listed.then_some(sockets.tcp_count() + sockets.udp));
        put_count(fields, &ALL_LISTENING, listed.then_some(sockets.tcp[LISTEN]));
        put_count(fields, &UDP_COUNT, listed.then_some(sockets.udp));
        fields.put(&TCP_COUNT, sockets.tcp_count());
        fields.put(&TCP_ORPHAN, sockets.orphan);
        fields.put(&TCP_MEMORY, sockets.tcp_memory);
        fields.put(&UDP_MEMORY, sockets.udp_memory);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel() {
        let tcp = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20 1 0 100 0 0 10 0\n   \
            1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 21 1 0 20 4 30 10 -1\n \
            100: 0100007F:1F90 0100007F:9C41 06 00000000:00000000 03:00000FFF 00000000     0        0 0 3 0\n   \
            2: x\n   3: a b FF c\n";
        let mut sockets = Sockets::default();
        sockets.add_tcp(tcp);
        sockets.add_udp(b"head\none\ntwo\n");
        assert_eq!((sockets.tcp[1], sockets.tcp[6], sockets.tcp[LISTEN]), (1, 1, 1));
        assert_eq!((sockets.tcp_count(), sockets.udp), (3, 2));
        let stat = b"sockets: used 16\nTCP: inuse 5 orphan 2 tw 3 alloc 9 mem 50\nUDP: inuse 1 mem 2\n\
            UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\nTCP6: inuse 4\n";
        sockets.add_sockstat(stat, 4096);
        assert_eq!((sockets.orphan, sockets.tcp_memory, sockets.udp_memory), (2, 50 * 4096, 2 * 4096));
        assert_eq!(in_use(stat), 12);
    }
}
