//! Capture files made byte by byte from the two format drafts, whole, cut, damaged and compressed.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use proptest::prelude::*;
use wirebeat_capture::file::{FileError, MAX_CAPTURED, Reader, Writer};
use wirebeat_model::{Frame, LinkType, Time};

/// (time, device, link, wire length, bytes) of a frame, owned.
type Seen = (i64, u32, LinkType, u32, Vec<u8>);

fn read(bytes: Vec<u8>) -> (Vec<Seen>, Option<FileError>) {
    let mut reader = match Reader::new(Cursor::new(bytes)) {
        Ok(r) => r,
        Err(e) => return (Vec::new(), Some(e)),
    };
    let mut seen = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(f)) => seen.push((f.time.0, f.device, f.link, f.wire_len, f.data.to_vec())),
            Ok(None) => return (seen, None),
            Err(e) => {
                assert!(matches!(reader.next(), Ok(None)), "after an error the file is over");
                return (seen, Some(e));
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn w(self, n: u32) -> [u8; 4] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }
    fn h(self, n: u16) -> [u8; 2] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }
    fn q(self, n: i64) -> [u8; 8] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn pcap(self, magic: u32, version: (u16, u16), link: u32) -> Vec<u8> {
        [&self.w(magic)[..], &self.h(version.0), &self.h(version.1), &[0; 8], &self.w(65_535), &self.w(link)]
            .concat()
    }
    fn record(self, secs: u32, frac: u32, lens: (u32, u32), extra: &[u8], data: &[u8]) -> Vec<u8> {
        [&self.w(secs)[..], &self.w(frac), &self.w(lens.0), &self.w(lens.1), extra, data].concat()
    }
    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let pad = vec![0; body.len().next_multiple_of(4) - body.len()];
        let total = self.w((12 + body.len() + pad.len()) as u32);
        [&self.w(kind)[..], &total, body, &pad, &total].concat()
    }
    fn section(self) -> Vec<u8> {
        self.block(0x0a0d_0d0a, &[&self.w(0x1a2b_3c4d)[..], &self.h(1), &self.h(0), &self.q(-1)].concat())
    }
    fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [&self.h(link)[..], &[0; 2], &self.w(snaplen)].concat();
        for (code, value) in options {
            body.extend([&self.h(*code)[..], &self.h(value.len() as u16), value].concat());
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }
    fn enhanced(self, interface: u32, ticks: u64, wire: u32, data: &[u8]) -> Vec<u8> {
        let head = [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, wire];
        self.block(6, &[&head.map(|n| self.w(n)).concat(), data].concat())
    }
}

const SECOND: i64 = 1_000_000_000;

#[test]
fn pcap_in_both_orders_and_units() {
    for order in [Order(false), Order(true)] {
        for (magic, nanos, extra) in
            [(0xa1b2_c3d4, 5_000, &[][..]), (0xa1b2_3c4d, 5, &[][..]), (0xa1b2_cd34, 5_000, &[0; 8][..])]
        {
            let mut file = order.pcap(magic, (2, 4), 1);
            file.extend(order.record(7, 5, (3, 90), extra, b"abc"));
            file.extend(order.record(u32::MAX, 999_999, (2, 1), extra, b"de"));
            let (seen, error) = read(file);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(seen[0], (7 * SECOND + nanos, 0, LinkType::Ethernet, 90, b"abc".to_vec()));
            // Seconds are unsigned; a wire length below the captured one is raised to it.
            assert_eq!(seen[1].0 / SECOND, i64::from(u32::MAX));
            assert_eq!((seen[1].3, &seen[1].4[..]), (2, &b"de"[..]));
        }
    }
}

#[test]
fn old_pcap_versions_swap_the_lengths() {
    let o = Order(false);
    for (version, lens) in [((2, 2), (90, 3)), ((2, 3), (90, 3)), ((2, 3), (3, 90)), ((2, 4), (3, 90))] {
        // In 2.3 the smaller number is the captured length.
        let file = [o.pcap(0xa1b2_c3d4, version, 101), o.record(1, 0, lens, &[], b"abc")].concat();
        let (seen, error) = read(file);
        assert!(error.is_none(), "{version:?} {error:?}");
        assert_eq!(seen[0], (SECOND, 0, LinkType::Raw, 90, b"abc".to_vec()));
    }
}

#[test]
fn link_type_without_its_fcs_bits() {
    // draft-ietf-opsawg-pcap section 4: FCS length 4 bits, f bit, reserved, then 16 bits of link type.
    let file = Order(true).pcap(0xa1b2_c3d4, (2, 4), 0x5400_0001);
    let file = [file, Order(true).record(0, 0, (1, 1), &[], b"x")].concat();
    assert_eq!(read(file).0[0].2, LinkType::Ethernet);
    let file =
        [Order(true).pcap(0xa1b2_c3d4, (2, 4), 147), Order(true).record(0, 0, (1, 1), &[], b"x")].concat();
    assert_eq!(read(file).0[0].2, LinkType::Other(147));
}

#[test]
fn pcapng_sections_interfaces_and_clocks() {
    let (le, be) = (Order(false), Order(true));
    let file = [
        le.section(),
        le.block(0x0bad, b"unknown block"),
        le.interface(1, 0, &[(2, b"eth0"), (9, &[9]), (0, b"")]),
        le.interface(113, 96, &[(9, &[0x80 | 10]), (14, &100i64.to_le_bytes()), (3, b"a description\0")]),
        le.enhanced(0, 1_500_000_000_123_456_789, 60, b"nanos"),
        le.enhanced(1, 1024 + 512, 7, b"binary?"),
        le.block(3, &[&le.w(4)[..], b"simp"].concat()),
        be.section(),
        be.interface(101, 2, &[]),
        be.interface(276, 0, &[(9, &[12]), (14, &(-1i64).to_be_bytes())]),
        be.enhanced(0, 2_000_001, 5, b"micro"),
        be.enhanced(1, 3_000_000_001_999, 4, b"pico"),
        // An obsolete packet block: 16-bit interface and drop count.
        be.block(2, &[&be.h(1)[..], &be.h(9), &be.w(0), &be.w(0), &be.w(3), &be.w(33), b"old"].concat()),
        // A simple packet is cut to its interface's snap length of 2.
        be.block(3, &[&be.w(9)[..], b"ab"].concat()),
    ]
    .concat();
    let (seen, error) = read(file.clone());
    assert!(error.is_none(), "{error:?}");
    let expect: Vec<Seen> = vec![
        (1_500_000_000_123_456_789, 1, LinkType::Ethernet, 60, b"nanos".to_vec()),
        (101 * SECOND + SECOND / 2, 2, LinkType::LinuxSll, 7, b"binary?".to_vec()),
        (101 * SECOND + SECOND / 2, 1, LinkType::Ethernet, 4, b"simp".to_vec()),
        (2 * SECOND + 1_000, 3, LinkType::Raw, 5, b"micro".to_vec()),
        (2 * SECOND + 1, 4, LinkType::LinuxSll2, 4, b"pico".to_vec()),
        (-SECOND, 4, LinkType::LinuxSll2, 33, b"old".to_vec()),
        (-SECOND, 3, LinkType::Raw, 9, b"ab".to_vec()),
    ];
    assert_eq!(seen, expect);
    let mut reader = Reader::new(Cursor::new(file.clone())).unwrap();
    while reader.next().unwrap().is_some() {}
    assert_eq!(reader.offset(), file.len() as u64);
    let names: Vec<_> = reader.interfaces().iter().map(|i| (i.name.as_deref(), i.snaplen)).collect();
    assert_eq!(names, [(Some("eth0"), 0), (None, 96), (None, 2), (None, 0)]);
    assert_eq!(reader.interfaces()[1].description.as_deref(), Some("a description"));
}

#[test]
fn extreme_clocks_clamp() {
    let o = Order(false);
    for (resolution, ticks, nanos) in [
        (0, u64::MAX, i64::MAX),
        (18, 5_000_000_000, 5),
        (38, u64::MAX, 0),
        (127, u64::MAX, 0),
        (0x80, 3, 3 * SECOND),
        (0xff, u64::MAX, 0),
    ] {
        let file =
            [o.section(), o.interface(1, 0, &[(9, &[resolution])]), o.enhanced(0, ticks, 1, b"x")].concat();
        assert_eq!(read(file).0[0].0, nanos, "resolution {resolution:#x}");
    }
    let offset = i64::MAX.to_le_bytes();
    let file = [o.section(), o.interface(1, 0, &[(14, &offset)]), o.enhanced(0, u64::MAX, 1, b"x")].concat();
    assert_eq!(read(file).0[0].0, i64::MAX);
}

fn small_files() -> [(Vec<u8>, Vec<usize>); 2] {
    let o = Order(false);
    let mut pcap = o.pcap(0xa1b2_c3d4, (2, 4), 1);
    let mut ends = Vec::new();
    for n in 0..4u32 {
        pcap.extend(o.record(n, 0, (n * 7, n * 7), &[], &vec![n as u8; n as usize * 7]));
        ends.push(pcap.len());
    }
    let mut ng = [o.section(), o.interface(1, 0, &[(2, b"eth0")])].concat();
    let mut ng_ends = Vec::new();
    for n in 0..4u32 {
        ng.extend(o.enhanced(0, u64::from(n), n * 7, &vec![n as u8; n as usize * 7]));
        ng_ends.push(ng.len());
        ng.extend(o.block(5, b"statistics"));
    }
    [(pcap, ends), (ng, ng_ends)]
}

#[test]
fn cut_at_every_byte_gives_the_whole_packets_and_the_place() {
    for (file, ends) in small_files() {
        let whole = read(file.clone()).0;
        assert_eq!(whole.len(), 4);
        let mut clean_cuts = 0;
        for cut in 0..file.len() {
            let (seen, error) = read(file[..cut].to_vec());
            let expect = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(seen, whole[..expect], "cut at {cut}");
            match error {
                None => clean_cuts += 1,
                Some(FileError::Truncated { offset, got, need, .. }) => {
                    assert_eq!(offset + got, cut as u64, "everything up to the cut is accounted for");
                    assert!(got < need);
                }
                Some(other) => panic!("cut at {cut}: {other}"),
            }
        }
        // A pcap may end after its header and after each packet but the last; a pcapng after each block.
        assert!((4..=9).contains(&clean_cuts), "{clean_cuts}");
    }
}

#[test]
fn a_bit_flip_anywhere_is_survived() {
    for (file, _) in small_files() {
        for bit in 0..file.len() * 8 {
            let mut broken = file.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            let (seen, _) = read(broken);
            assert!(seen.len() <= 8);
        }
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let o = Order(false);
    let good = o.record(1, 0, (2, 2), &[], b"ok");
    let bad = o.record(1, 0, (MAX_CAPTURED + 1, MAX_CAPTURED + 1), &[], b"");
    let (seen, error) = read([o.pcap(0xa1b2_c3d4, (2, 4), 1), good, bad].concat());
    assert_eq!(seen.len(), 1);
    let text = error.unwrap().to_string();
    assert_eq!(text, "damaged at byte 42: a packet of 262145 bytes; expected at most 262144");

    let mut block = o.enhanced(0, 0, 1, b"x");
    let last = block.len() - 4;
    block[last] ^= 0xff;
    let head = [o.section(), o.interface(1, 0, &[])].concat();
    let at = head.len();
    let text = read([head, block].concat()).1.unwrap().to_string();
    assert_eq!(
        text,
        format!("damaged at byte {at}: a block's two lengths differ: 36 before and 219 after it")
    );

    let text = read([o.section(), o.enhanced(0, 0, 1, b"x")].concat()).1.unwrap().to_string();
    assert_eq!(text, "damaged at byte 28: a packet of interface 0, of which the section has 0");
    assert!(matches!(read(b"GIF89a".to_vec()).1, Some(FileError::Format(_))));
    assert!(matches!(read(Vec::new()).1, Some(FileError::Truncated { .. })));
}

#[test]
fn the_largest_packet_and_a_huge_unknown_block_pass() {
    let o = Order(false);
    let big = vec![7; MAX_CAPTURED as usize];
    let small = vec![8; 10];
    let mut file = [o.section(), o.interface(1, 0, &[])].concat();
    for _ in 0..5 {
        file.extend(o.enhanced(0, 0, 1, &small));
        file.extend(o.block(0x4000_0bad, &vec![1; 3_000_000]));
        file.extend(o.enhanced(0, 0, 1, &big));
    }
    let (seen, error) = read(file);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().step_by(2).all(|s| s.4 == small));
    assert!(seen.iter().skip(1).step_by(2).all(|s| s.4 == big));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn compressed_in_one_piece_or_several() {
    let [(file, _), (ng, _)] = small_files();
    for file in [file, ng] {
        let plain = read(file.clone()).0;
        let digest = Reader::new(Cursor::new(file.clone())).unwrap().digest();
        let (a, b) = file.split_at(file.len() / 3);
        let z = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        for packed in [
            gzip(&file),
            [gzip(a), gzip(b)].concat(),
            z(&file),
            [z(a), z(b)].concat(),
            [&skippable[..], &z(a), &z(b)].concat(),
        ] {
            let mut reader = Reader::new(Cursor::new(packed.clone())).unwrap();
            assert!(reader.is_compressed());
            assert_eq!(reader.digest(), digest);
            while reader.next().unwrap().is_some() {}
            assert_eq!(reader.offset(), file.len() as u64);
            assert_eq!(read(packed.clone()).0, plain);
            for cut in 0..packed.len() {
                let (seen, error) = read(packed[..cut].to_vec());
                assert_eq!(seen, plain[..seen.len()], "cut at {cut}");
                let whole = error.is_none();
                assert!(!whole || seen.len() <= plain.len());
            }
        }
    }
}

#[test]
fn a_cut_compressed_file_gives_what_could_be_decompressed() {
    let mut writer = Writer::new(Vec::new(), 1, 65_535).unwrap();
    let mut noise = 1u32;
    for n in 0..5_000 {
        let data: Vec<u8> = (0..200)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        let frame = Frame {
            time: Time(n),
            link: LinkType::Ethernet,
            device: 0,
            wire_len: 200,
            vlan: None,
            data: &data,
        };
        writer.write(&frame).unwrap();
    }
    let file = writer.finish().unwrap();
    for packed in [gzip(&file), zstd::encode_all(&file[..], 1).unwrap()] {
        let (seen, error) = read(packed[..packed.len() / 2].to_vec());
        assert!(seen.len() > 1_500, "{}", seen.len());
        let text = error.unwrap().to_string();
        assert!(text.contains("of the decompressed stream"), "{text}");
    }
}

#[test]
fn the_digest_covers_64_kib_only() {
    let mut writer = Writer::new(Vec::new(), 1, 65_535).unwrap();
    let data = [5; 1000];
    for n in 0..100 {
        let frame = Frame {
            time: Time(n),
            link: LinkType::Ethernet,
            device: 0,
            wire_len: 1000,
            vlan: None,
            data: &data,
        };
        writer.write(&frame).unwrap();
    }
    let mut file = writer.finish().unwrap();
    let digest = |f: &Vec<u8>| Reader::new(Cursor::new(f.clone())).unwrap().digest();
    let first = digest(&file);
    file[65_536] ^= 1;
    assert_eq!(digest(&file), first);
    file[65_535] ^= 1;
    assert_ne!(digest(&file), first);
}

#[test]
fn what_is_written_is_read() {
    let frames = [(Time(0), 0usize), (Time(1_440_662_455_638_957_123), 1500), (Time(i64::MAX), 70_000)];
    let mut writer = Writer::new(Vec::new(), 113, 262_144).unwrap();
    let data = vec![0xaa; 70_000];
    for (time, len) in frames {
        let data = &data[..len];
        let frame = Frame { time, link: LinkType::LinuxSll, device: 3, wire_len: 80_000, vlan: None, data };
        writer.write(&frame).unwrap();
    }
    let (seen, error) = read(writer.finish().unwrap());
    assert!(error.is_none());
    assert_eq!(seen.iter().map(|s| s.4.len()).collect::<Vec<_>>(), [0, 1500, 70_000]);
    assert_eq!(seen[1].0, 1_440_662_455_638_957_123);
    assert_eq!(seen[2].0 / SECOND, i64::from(u32::MAX), "clamped to 2106");
}

proptest! {
    #[test]
    fn garbage_behind_a_good_start_is_survived(
        which in 0usize..2, keep in 0usize..120, tail in proptest::collection::vec(any::<u8>(), 0..2000)
    ) {
        let mut file = small_files()[which].0.clone();
        file.truncate(keep);
        file.extend(tail);
        let (seen, _) = read(file);
        prop_assert!(seen.len() < 2200 / 12);
    }
}
