//! Headers: frames made by hand, random bytes, and a second opinion on every frame of the captures.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod common;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use proptest::prelude::*;
use wirebeat_model::{Endpoint, Frame, LinkType, Time, Transport};
use wirebeat_net::{Fragment, L4, NotAPacket, Packet, decode};

/// UDP 192.0.2.1:4000 -> 192.0.2.2:53 with four bytes.
const IP4: [u8; 32] = [
    0x45, 0, 0, 32, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, //
    0x0f, 0xa0, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4,
];

fn frame(link: LinkType, data: &[u8]) -> Frame<'_> {
    Frame { time: Time(0), link, device: 3, wire_len: data.len() as u32, vlan: None, data }
}

fn ether(parts: &[&[u8]]) -> Vec<u8> {
    [&[1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2][..], &parts.concat()].concat()
}

fn ip6(next: u8, len: usize, rest: &[u8]) -> Vec<u8> {
    let mut p = vec![0x60, 0, 0, 0, (len >> 8) as u8, len as u8, next, 64];
    p.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    p.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    p.extend(rest);
    p
}

#[track_caller]
fn is_dns(p: &Packet<'_>) {
    assert_eq!((p.key.transport(), p.l4), (Transport::UDP, L4::Udp));
    assert_eq!(p.key.receiver(p.dir).port, 53);
    assert_eq!(p.key.sender(p.dir).port, 4000);
    assert_eq!((p.payload, p.payload_len), (&[1, 2, 3, 4][..], 4));
}

#[test]
fn link_layers() {
    let cases: &[(LinkType, Vec<u8>)] = &[
        (LinkType::Raw, IP4.to_vec()),
        (LinkType::Ethernet, ether(&[&[8, 0], &IP4])),
        (LinkType::Null, [&[2, 0, 0, 0][..], &IP4].concat()),
        (LinkType::Null, [&[0, 0, 0, 2][..], &IP4].concat()),
        (LinkType::Loop, [&[0, 0, 0, 2][..], &IP4].concat()),
        (LinkType::LinuxSll, [&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0][..], &IP4].concat()),
        (
            LinkType::LinuxSll2,
            [&[8, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0][..], &IP4].concat(),
        ),
    ];
    for (link, data) in cases {
        let p = decode(&frame(*link, data)).unwrap();
        is_dns(&p);
        assert_eq!(p.key.sender(p.dir), Endpoint::v4([192, 0, 2, 1], 4000));
        assert_eq!((p.ip_id, p.ttl, p.wire_len), (Some(0x1234), 64, data.len() as u32));
        assert_eq!(p.mac, (*link == LinkType::Ethernet).then_some(([2; 6], [1; 6])));
        assert_eq!(p.device, if *link == LinkType::LinuxSll2 { 9 } else { 3 });
    }
    for family in [10u8, 23, 24, 28, 30] {
        let udp = ip6(17, 12, &IP4[20..]);
        is_dns(&decode(&frame(LinkType::Null, &[&[family, 0, 0, 0][..], &udp].concat())).unwrap());
    }
    assert_eq!(decode(&frame(LinkType::Other(105), &IP4)), Err(NotAPacket::UnknownLink));
    assert_eq!(decode(&frame(LinkType::Null, &[7, 0, 0, 0, 1])), Err(NotAPacket::NotIp));
    assert_eq!(decode(&frame(LinkType::Ethernet, &ether(&[&[8, 6], &[0; 28]]))), Err(NotAPacket::NotIp));
    assert_eq!(decode(&frame(LinkType::Ethernet, &ether(&[&[0, 38], &[0x42; 38]]))), Err(NotAPacket::NotIp));
}

#[test]
fn vlans() {
    let one = ether(&[&[0x81, 0, 0x60, 5], &[8, 0], &IP4]);
    let two = ether(&[&[0x88, 0xa8, 0, 7], &[0x81, 0, 0, 8], &[8, 0], &IP4]);
    let four =
        ether(&[&[0x91, 0, 0, 1], &[0x91, 0, 0, 2], &[0x81, 0, 0, 3], &[0x81, 0, 0, 4], &[8, 0], &IP4]);
    let five = ether(&[
        &[0x81, 0, 0, 1],
        &[0x81, 0, 0, 2],
        &[0x81, 0, 0, 3],
        &[0x81, 0, 0, 4],
        &[0x81, 0, 0, 5, 8, 0],
    ]);
    for (data, ring, vlan) in [
        (&one, None, [5, 0]),
        (&one, Some(0x2009), [9, 5]),
        (&two, None, [7, 8]),
        (&two, Some(9), [9, 7]),
        (&four, None, [1, 2]),
    ] {
        let p = Frame { vlan: ring, ..frame(LinkType::Ethernet, data) };
        let p = decode(&p).unwrap();
        is_dns(&p);
        assert_eq!(p.vlan, vlan);
    }
    assert_eq!(decode(&frame(LinkType::Ethernet, &five)), Err(NotAPacket::NotIp));
}

#[test]
fn lengths_that_headers_leave_open() {
    // Ethernet padding is not payload.
    is_dns(&decode(&frame(LinkType::Ethernet, &ether(&[&[8, 0], &IP4, &[0xee; 20]]))).unwrap());
    // Segmentation offload leaves total length 0; UDP may too.
    let mut ip = IP4;
    (ip[3], ip[25]) = (0, 0);
    is_dns(&decode(&frame(LinkType::Raw, &ip)).unwrap());
    // IPv6: payload length 0 beyond padding is the frame's length (big TCP).
    is_dns(&decode(&frame(LinkType::Raw, &ip6(17, 0, &IP4[20..]))).unwrap());
    let bare = ether(&[&[0x86, 0xdd], &ip6(17, 0, &[0; 6])]);
    assert_eq!(decode(&frame(LinkType::Ethernet, &bare)), Err(NotAPacket::Malformed));
    // With a jumbo option.
    let jumbo = ip6(0, 0, &[&[17, 0, 0xc2, 4, 0, 0, 0, 20][..], &IP4[20..]].concat());
    is_dns(&decode(&frame(LinkType::Raw, &jumbo)).unwrap());
    // Cut by the snap length.
    let cut = Frame { wire_len: 32, ..frame(LinkType::Raw, &IP4[..30]) };
    let p = decode(&cut).unwrap();
    assert!(p.is_cut() && p.payload == [1, 2] && p.payload_len == 4);
    assert_eq!(
        decode(&Frame { wire_len: 32, ..frame(LinkType::Raw, &IP4[..26]) }),
        Err(NotAPacket::Truncated)
    );
    assert_eq!(decode(&frame(LinkType::Raw, &IP4[..26])), Err(NotAPacket::Malformed));
    // UDP too short, IPv4 header too short, another version.
    for (at, value) in [(25, 7), (0, 0x44), (0, 0x75), (3, 19)] {
        let mut ip = IP4;
        ip[at] = value;
        assert_eq!(decode(&frame(LinkType::Raw, &ip)), Err(NotAPacket::Malformed), "{at}");
    }
}

#[test]
fn extension_headers_fragments_and_nesting() {
    let chain: Vec<u8> = [
        &[43u8, 0, 0, 0, 0, 0, 0, 0][..],       // hop by hop
        &[60, 0, 0, 0, 0, 0, 0, 0],             // routing
        &[51, 0, 1, 4, 0, 0, 0, 0],             // destination
        &[44, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], // authentication
        &[17, 0, 0, 0, 0, 0, 0, 9],             // a fragment that is whole (RFC 6946)
        &IP4[20..],
    ]
    .concat();
    let p6 = ip6(0, chain.len(), &chain);
    let p = decode(&frame(LinkType::Raw, &p6)).unwrap();
    is_dns(&p);
    assert_eq!((p.fragment, p.ip_id), (None, None));
    let piece = ip6(44, 16, &[17, 0, 0x05, 0xa9, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8]);
    let p = decode(&frame(LinkType::Raw, &piece)).unwrap();
    assert_eq!(p.fragment, Some(Fragment { id: 9, offset: 1448, more: true }));
    assert_eq!((p.l4, p.payload.len(), p.key.a().port), (L4::Other, 8, 0));
    let mut ip = IP4;
    ip[6] = 0x20;
    let p = decode(&frame(LinkType::Raw, &ip)).unwrap();
    assert_eq!((p.fragment, p.payload_len), (Some(Fragment { id: 0x1234, offset: 0, more: true }), 12));
    // IPv4 in IPv4, and either in the other.
    let outer = |next: u8, inner: &[u8]| {
        let mut o = IP4[..20].to_vec();
        (o[3], o[9]) = (20 + inner.len() as u8, next);
        [o, inner.to_vec()].concat()
    };
    is_dns(&decode(&frame(LinkType::Raw, &outer(4, &IP4))).unwrap());
    is_dns(&decode(&frame(LinkType::Raw, &outer(41, &ip6(17, 12, &IP4[20..])))).unwrap());
    is_dns(&decode(&frame(LinkType::Raw, &ip6(4, 32, &IP4))).unwrap());
    let mut deep = IP4.to_vec();
    for _ in 0..5 {
        deep = outer(4, &deep);
    }
    assert_eq!(decode(&frame(LinkType::Raw, &deep)), Err(NotAPacket::Malformed));
}

#[test]
fn transports() {
    let with = |protocol: u8, body: &[u8]| {
        let mut o = IP4[..20].to_vec();
        (o[3], o[9]) = (20 + body.len() as u8, protocol);
        [o, body.to_vec()].concat()
    };
    let syn = [
        0x9c, 0x40, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0xa0, 0xc2, 0x72, 0x10, 0, 0, 0, 0, //
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 8, 1, 3, 3, 7,
    ];
    let data = with(6, &[&syn[..], b"hi"].concat());
    let p = decode(&frame(LinkType::Raw, &data)).unwrap();
    let L4::Tcp(tcp) = p.l4 else { panic!() };
    assert_eq!((tcp.seq, tcp.ack, tcp.window, p.payload), (9, 0, 0x7210, &b"hi"[..]));
    assert_eq!(format!("{:?}", tcp.flags), "SEC");
    let o = tcp.options();
    assert_eq!(
        (o.mss, o.window_scale, o.sack_permitted, o.timestamps),
        (Some(1460), Some(7), true, Some((7, 8)))
    );
    // Options cut off: the header counts, nothing is left to carry.
    let p = decode(&Frame { wire_len: 62, ..frame(LinkType::Raw, &data[..45]) }).unwrap();
    assert!(p.payload.is_empty() && p.payload_len == 2);
    let icmp = with(1, &[8, 0, 1, 2, 0, 1, 0, 2]);
    let p = decode(&frame(LinkType::Raw, &icmp)).unwrap();
    assert_eq!((p.l4, p.payload.len(), p.key.a().port), (L4::Icmp { kind: 8, code: 0 }, 8, 0));
    let sctp = with(132, &[0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    let p = decode(&frame(LinkType::Raw, &sctp)).unwrap();
    assert_eq!((p.key.sender(p.dir).port, p.payload_len), (1, 12));
    let gre = with(47, &[0, 0, 8, 0]);
    assert_eq!(decode(&frame(LinkType::Raw, &gre)).unwrap().key.transport(), Transport(47));
    let mut bad = syn;
    bad[12] = 0x40;
    assert_eq!(decode(&frame(LinkType::Raw, &with(6, &bad))), Err(NotAPacket::Malformed));
}

fn links() -> impl Strategy<Value = LinkType> {
    prop::sample::select(vec![
        LinkType::Ethernet,
        LinkType::Raw,
        LinkType::Null,
        LinkType::Loop,
        LinkType::LinuxSll,
        LinkType::LinuxSll2,
        LinkType::Other(9),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_no_harm(
        link in links(),
        data in prop::collection::vec(any::<u8>(), 0..200),
        wire_len in any::<u32>(),
        vlan in any::<Option<u16>>(),
    ) {
        let f = Frame { time: Time(0), link, device: 0, wire_len, vlan, data: &data };
        if let Ok(p) = decode(&f) {
            prop_assert!(p.payload.len() as u64 <= u64::from(p.payload_len));
        }
    }

    /// Sound frames with bytes changed reach further in.
    #[test]
    fn damaged_frames_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        v6 in any::<bool>(),
    ) {
        let chain = [&[60u8, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1][..], &IP4].concat();
        let mut data = if v6 { ip6(0, chain.len(), &chain) } else { IP4.to_vec() };
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        let whole = data.len() as u32;
        data.truncate(cut.index(data.len() + 1));
        let f = Frame { wire_len: whole, ..frame(LinkType::Raw, &data) };
        if let Ok(p) = decode(&f) {
            prop_assert!(p.payload.len() as u64 <= u64::from(p.payload_len));
        }
    }
}

/// What both libraries can say of a frame.
#[derive(Debug, PartialEq)]
struct View {
    from: Endpoint,
    to: Endpoint,
    transport: u8,
    numbers: Option<(u32, u32, u16)>,
    payload: Vec<u8>,
}

fn etherparse_view(f: &Frame<'_>) -> Option<View> {
    let p = match f.link {
        LinkType::Ethernet => LaxSlicedPacket::from_ethernet(f.data).ok()?,
        LinkType::Raw => LaxSlicedPacket::from_ip(f.data).ok()?,
        _ => return None,
    };
    let (from, to, number, fragment) = match p.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let h = ip.header();
            // Lengths that contradict themselves are errors to us, 0 is offload; it takes the frame's instead.
            if usize::from(h.total_len()) < h.slice().len() || usize::from(h.total_len()) > f.data.len() {
                return None;
            }
            (
                Endpoint::v4(h.source(), 0),
                Endpoint::v4(h.destination(), 0),
                ip.payload_ip_number().0,
                ip.is_payload_fragmented(),
            )
        }
        LaxNetSlice::Ipv6(ip) => {
            let h = ip.header();
            if h.payload_length() == 0 {
                return None;
            }
            (
                Endpoint::v6(h.source(), 0),
                Endpoint::v6(h.destination(), 0),
                ip.payload().ip_number.0,
                ip.is_payload_fragmented(),
            )
        }
        LaxNetSlice::Arp(_) => return None,
    };
    if fragment || p.stop_err.is_some() {
        return None;
    }
    let (mut from, mut to) = (from, to);
    let (numbers, payload) = match p.transport.as_ref() {
        Some(TransportSlice::Tcp(t)) => {
            (from.port, to.port) = (t.source_port(), t.destination_port());
            let n = (t.sequence_number(), t.acknowledgment_number(), t.window_size());
            (Some(n), t.payload().to_vec())
        }
        Some(TransportSlice::Udp(u)) => {
            (from.port, to.port) = (u.source_port(), u.destination_port());
            (None, u.payload().to_vec())
        }
        Some(TransportSlice::Icmpv4(i)) => (None, i.slice().to_vec()),
        Some(TransportSlice::Icmpv6(i)) => (None, i.slice().to_vec()),
        None => return None,
    };
    Some(View { from, to, transport: number, numbers, payload })
}

#[test]
fn etherparse_agrees_on_all_captures() {
    let Some(dir) = common::captures() else { return };
    let mut files = Vec::new();
    common::files(&dir, &mut files);
    assert!(files.len() > 100);
    let (mut compared, mut all) = (0, 0);
    for path in files {
        let mut n = 0;
        common::frames(&path, |f| {
            (n, all) = (n + 1, all + 1);
            let Some(theirs) = etherparse_view(f) else { return };
            let p = match decode(f) {
                Ok(p) => p,
                Err(e) => panic!("{} frame {n}: {e:?}, etherparse says {theirs:?}", path.display()),
            };
            // It does not look into IP in IP.
            let numbers = match p.l4 {
                L4::Tcp(t) => Some((t.seq, t.ack, t.window)),
                _ => None,
            };
            let ours = View {
                from: p.key.sender(p.dir),
                to: p.key.receiver(p.dir),
                transport: p.key.transport().0,
                numbers,
                payload: p.payload.to_vec(),
            };
            compared += 1;
            assert_eq!(ours, theirs, "{} frame {n}", path.display());
        });
    }
    println!("{compared} of {all} frames compared");
    assert!(compared > all / 2, "{compared} of {all}");
}
