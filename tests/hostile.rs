//! Traffic that nobody sends in good faith.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::net::Ipv4Addr;

use reading::made::tcp;
use reading::pipeline::{Kept, Pipeline};

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 2), 40_000);
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 1), 80);

/// A connection in which each side speaks at once: first the client, then the server.
fn dialogue(client: &[u8], server: &[u8]) -> Vec<Kept> {
    const ACK: u8 = 0x10;
    const MOST: usize = 60_000;
    let mut packets = vec![
        tcp(0, CLIENT, SERVER, [99, 0], 0x02, b""),
        tcp(1, SERVER, CLIENT, [499, 100], 0x12, b""),
        tcp(2, CLIENT, SERVER, [100, 500], ACK, b""),
    ];
    let mut seq = 100;
    for part in client.chunks(MOST) {
        packets.push(tcp(3, CLIENT, SERVER, [seq, 500], ACK, part));
        seq += part.len() as u32;
    }
    let (acked, mut seq) = (seq, 500);
    for part in server.chunks(MOST) {
        packets.push(tcp(4, SERVER, CLIENT, [seq, acked], ACK, part));
        seq += part.len() as u32;
    }
    packets
}

/// Each change of protocol is a call inside the last one: their number has a bound, or the stack had one.
#[test]
fn a_connection_that_changes_its_protocol_without_end() {
    let (request, answer) = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n");
    let pipeline = Pipeline::new();
    for times in [1, 3, 100_000] {
        // The stack of a shard's thread.
        let packets = dialogue(request, &answer.repeat(times));
        let events = std::thread::scope(|scope| scope.spawn(|| pipeline.events(&packets)).join().unwrap());
        let told = events.iter().filter(|e| e.contains(r#""type":"http""#)).count();
        assert!((times.min(3)..20).contains(&told), "{times}: {told}");
    }
}
