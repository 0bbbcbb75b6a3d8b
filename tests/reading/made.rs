//! Packets made for a test, and captures of them.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use wirebeat_model::{LinkType, Time};

use super::pipeline::Kept;

/// A raw IPv4 packet, `ms` milliseconds after the first of November 2023. Checksums are left out.
fn ip(ms: u32, from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Kept {
    let mut data = vec![0x45, 0];
    data.extend((payload.len() as u16 + 20).to_be_bytes());
    data.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    data.extend(from.octets());
    data.extend(to.octets());
    data.extend(payload);
    let time = Time::from_parts(1_698_796_800 + i64::from(ms / 1000), (ms % 1000) * 1_000_000);
    Kept { time, link: LinkType::Raw, device: 0, wire_len: data.len() as u32, data }
}

/// A UDP datagram.
pub fn udp(ms: u32, from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), payload: &[u8]) -> Kept {
    let mut data = Vec::new();
    for word in [from.1, to.1, payload.len() as u16 + 8, 0] {
        data.extend(word.to_be_bytes());
    }
    data.extend(payload);
    ip(ms, from.0, to.0, 17, &data)
}

/// A TCP segment: sequence and acknowledgement number, flags.
pub fn tcp(
    ms: u32,
    from: (Ipv4Addr, u16),
    to: (Ipv4Addr, u16),
    numbers: [u32; 2],
    flags: u8,
    payload: &[u8],
) -> Kept {
    let mut data = Vec::new();
    data.extend(from.1.to_be_bytes());
    data.extend(to.1.to_be_bytes());
    numbers.iter().for_each(|n| data.extend(n.to_be_bytes()));
    data.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    data.extend(payload);
    ip(ms, from.0, to.0, 6, &data)
}

/// Writes raw IP packets into a capture of this name (pcap, nanoseconds) among this run's own files.
pub fn capture(name: &str, packets: &[Kept]) -> PathBuf {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 101_u32] {
        file.extend(word.to_le_bytes());
    }
    for p in packets {
        let (seconds, nanos) = (p.time.0 / 1_000_000_000, p.time.0 % 1_000_000_000);
        for word in [seconds as u32, nanos as u32, p.data.len() as u32, p.wire_len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&p.data);
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, file).unwrap();
    path
}
