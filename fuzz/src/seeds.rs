//! First inputs, from the recordings and configurations of the tests.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use wirebeat_capture::file::Reader;
use wirebeat_model::{Dir, Transport};
use wirebeat_net::{L4, decode};
use wirebeat_proto::PROTOCOLS;

use super::{config, frames, journal, protocols, shard};

/// A seed's length at most: what is longer teaches nothing and takes long.
const LONG: usize = 24 * 1024;

/// Writes the seeds of every target below `corpus`, from what is below `tests`.
pub fn write(tests: &Path, corpus: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    let mut put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        count += 1;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{name}")), bytes)
    };
    for folder in sorted(&tests.join("captures"))? {
        let protocol = stem(&folder);
        for file in sorted(&folder)?.iter().filter(|f| f.extension().is_some_and(|e| e == "pcap")) {
            capture(&protocol, file, &mut put)?;
        }
    }
    for file in sorted(&tests.join("config"))?.iter().filter(|f| f.extension().is_some_and(|e| e == "yml")) {
        put("config", &stem(file), &config::seed(&fs::read(file)?))?;
    }
    for (i, text) in FILTERS.iter().enumerate() {
        put("filter", &i.to_string(), text.as_bytes())?;
    }
    for (i, text) in EVENTS.iter().enumerate() {
        put("json", &i.to_string(), &[&[1], text.as_bytes()].concat())?;
    }
    // Searches of the tests that judge our answers by Elasticsearch's.
    for file in sorted(&tests.join("elastic/requests"))? {
        for (i, line) in fs::read_to_string(&file)?.lines().enumerate().filter(|(i, _)| i % 8 == 0) {
            let request: serde_json::Value = serde_json::from_str(line).map_err(std::io::Error::other)?;
            let name = format!("{}-{i}", stem(&file));
            if let Some(body) = request.get("body").filter(|b| b.is_object()) {
                put("search", &name, body.to_string().as_bytes())?;
            }
            if let Some(text) = request.pointer("/body/query/query_string/query").and_then(|q| q.as_str()) {
                put("lucene", &name, text.as_bytes())?;
            }
        }
    }
    for (i, text) in KQL.iter().enumerate() {
        put("kql", &i.to_string(), text.as_bytes())?;
    }
    // A whole segment, one with a byte changed at its end, one cut off, and what is none.
    put("segment", "whole", &[0])?;
    put("segment", "changed", &[0, 0, 1, 40, 0, 7, 3, 100, 0, 2])?;
    put("segment", "cut", &[0, 0, 4, 0, 1])?;
    put("segment", "none", &[0, 255, b'P', b'A', b'R', b'1'])?;
    // A whole journal; one changed nowhere, with a cursor; its dictionary, its batches changed.
    put("journal", "whole", &journal::seed())?;
    put("journal", "same", &[3])?;
    put("journal", "dictionary", &[1, 2, 3, 0, 1, 200, 0, 7])?;
    put("journal", "batches", &[1, 0, 0, 1, 30, 0, 5, 0, 0, 2, 60, 0, 2, 4, 0, 9, 0, 1, 4, 200])?;
    // Segments: a dialogue; one with holes, copies and overlaps; one that begins midway, with an end and a reset.
    put("reassembly", "plain", &[1, 0, 5, 1, 9, 0, 3, 1, 4, 0x10, 0x11, 3, 0x11, 0x11, 0])?;
    put("reassembly", "holes", &[1, 2, 10, 0, 8, 1, 4, 0x42, 4, 0, 0, 9, 2, 0, 20, 0x80, 0x42, 0, 3, 5])?;
    put("reassembly", "midway", &[0, 0, 5, 1, 7, 6, 1, 2, 3, 4, 9, 0x10, 0x11, 2, 0x11, 0x14, 0])?;
    Ok(count)
}

fn capture(
    protocol: &str,
    file: &Path,
    put: &mut impl FnMut(&str, &str, &[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let name = format!("{protocol}-{}", stem(file));
    let whole = fs::read(file)?;
    let head = &whole[..whole.len().min(4 * 1024)];
    put("capture_file", &name, head)?;
    let mut reader = Reader::open(file).map_err(std::io::Error::other)?;
    let mut raw = vec![1];
    let mut story = vec![0];
    let mut spoken = vec![0];
    let mut talks: HashMap<_, (Transport, Vec<u8>)> = HashMap::new();
    let at = PROTOCOLS.iter().position(|p| p.spec.name == protocol);
    while let Ok(Some(frame)) = reader.next() {
        if raw.len() + frame.data.len() < LONG {
            frames::seed(frame.link, frame.wire_len, frame.data, &mut raw);
            shard::seed_frame(frame.link, frame.data, &mut story);
        }
        let Ok(packet) = decode(&frame) else { continue };
        if packet.payload.is_empty() || !matches!(packet.l4, L4::Tcp(_) | L4::Udp | L4::Icmp { .. }) {
            continue;
        }
        let transport = packet.key.transport();
        let ports = [packet.key.sender(packet.dir).port, packet.key.receiver(packet.dir).port];
        let client = ports[0] >= ports[1];
        if spoken.len() + packet.payload.len() < LONG {
            let port = ports[0].min(ports[1]);
            shard::seed_say(transport.0, port, usize::from(!client), packet.payload, &mut spoken);
        }
        if let Some(at) = at {
            let (_, talk) = talks.entry(packet.key).or_insert_with(|| {
                let mut head = Vec::new();
                protocols::seed_head(&PROTOCOLS[at], transport, 0, &mut head);
                (transport, head)
            });
            if talk.len() + packet.payload.len() < LONG {
                let dir = if client { Dir::AtoB } else { Dir::BtoA };
                protocols::seed_say(dir, packet.payload, talk);
            }
        }
    }
    if stem(file) == "ping" {
        put("capture_file", "gzip", &gzip(head))?;
        put("capture_file", "zstd", &zstd(head))?;
        put("capture_file", "pcapng", &pcapng())?;
        put("capture_file", "pcapng-gzip", &gzip(&pcapng()))?;
    }
    put("frames", &name, &raw)?;
    put("shard", &name, &story)?;
    if spoken.len() > 1 {
        put("shard", &format!("{name}-spoken"), &spoken)?;
    }
    let mut talks: Vec<_> = talks.into_values().map(|(_, talk)| talk).collect();
    talks.sort();
    talks.sort_by_key(|t| std::cmp::Reverse(t.len()));
    // A few conversations of a capture show what it is about; the second with options on.
    for (i, talk) in talks.iter_mut().take(3).enumerate() {
        let Some(at) = at else { break };
        if i == 1 || talks_with_options(&name) {
            talk[1..9].copy_from_slice(&0x5555_5555_5555_5555u64.to_le_bytes());
        }
        put(protocol, &format!("{name}-{i}"), talk)?;
        let tcp = PROTOCOLS.iter().filter(|p| p.spec.transports.contains(&Transport::TCP));
        if let Some(at) = tcp.map(|p| p.spec.name).position(|name| name == protocol) {
            put("cuts", &format!("{name}-{i}"), &[&[at as u8, 6], talk.as_slice()].concat())?;
        }
        put("protocols", &format!("{name}-{i}"), &[&[at as u8], talk.as_slice()].concat())?;
    }
    Ok(())
}

/// Bodies and the like need options to be looked at.
fn talks_with_options(name: &str) -> bool {
    name.bytes().map(u32::from).sum::<u32>() % 2 == 0
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut list: Vec<_> = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    list.sort();
    Ok(list)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// RFC 1952, with one block that is not compressed (RFC 1951 section 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u16;
    let crc = bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let len = [len.to_le_bytes(), (!len).to_le_bytes()].concat();
    let tail = [(!crc).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    [head.as_slice(), &len, bytes, &tail].concat()
}

/// RFC 8878, with one raw block.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let len = (bytes.len() as u32).to_le_bytes();
    let block = ((bytes.len() as u32) << 3 | 1).to_le_bytes();
    [[0x28, 0xb5, 0x2f, 0xfd, 0xa0].as_slice(), &len, &block[..3], bytes].concat()
}

/// A section of each byte order, with an interface that has a name and a resolution, and packets of each kind.
fn pcapng() -> Vec<u8> {
    fn block(kind: u32, content: &[u8], big: bool) -> Vec<u8> {
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let len = word(content.len() as u32 + 12);
        [&word(kind), &len, content, &len].concat()
    }
    let mut out = Vec::new();
    for big in [false, true] {
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let version: Vec<u8> = [half(1), half(0)].concat();
        let section: Vec<u8> = [&word(0x1a2b_3c4d), version.as_slice(), &[255; 8]].concat();
        let options = |list: &[(u16, &[u8])]| {
            let mut out = Vec::new();
            for (code, value) in list {
                out.extend([half(*code), half(value.len() as u16)].concat());
                out.extend_from_slice(value);
                out.resize(out.len().next_multiple_of(4), 0);
            }
            out.extend([0; 4]);
            out
        };
        let link: Vec<u8> = [half(1), half(0)].concat();
        let named = options(&[(2, b"eth0"), (3, b"first"), (9, &[9]), (14, &[0; 8])]);
        let interface: Vec<u8> = [link.as_slice(), &word(65_535), &named].concat();
        let packet: Vec<u8> = [word(0), word(1), word(2), word(4), word(60), [1, 2, 3, 4], word(0)].concat();
        let simple: Vec<u8> = [word(60), [1, 2, 3, 4]].concat();
        for (kind, content) in
            [(0x0a0d_0d0a, &section), (1, &interface), (6, &packet), (3, &simple), (5, &packet)]
        {
            out.extend(block(kind, content, big));
        }
    }
    out
}

const FILTERS: [&str; 12] = [
    "tcp port 80 or 443 or 8080",
    "udp and not port 53",
    "host 192.0.2.1 and (port 80 or port 443)",
    "src net 10.0.0.0/8 or dst net 2001:db8::/32",
    "net 192.168.0 mask 255.255.0.0",
    "ip6 proto 58 || icmp || icmp6",
    "vlan 5 and tcp portrange 8000-9000",
    "less 100 or greater 1000",
    "not (arp or rarp) && ip",
    "ether host 02:00:00:00:00:01",
    "src or dst port 6379",
    "sctp or igmp or ether proto 0x86dd",
];

const KQL: [&str; 8] = [
    "type: http and not status: OK",
    "client.ip: 10.0.0.0/8 or (destination.port >= 8080 and destination.port < 9000)",
    "url.path: /a* or \"quick fox\"",
    "dns.answers: { name: example.org and ttl > 5 }",
    "@timestamp > now-1d/d and event.duration: (1 or 2)",
    "http.request.headers.host: *",
    "*: fox",
    "request: \\(a\\) and \\u00e9",
];

const EVENTS: [&str; 3] = [
    r#"{"@timestamp":"2001-09-09T01:46:40.000000000Z","type":"http","status":"OK","source":{"ip":"192.0.2.1","port":40000},"tags":["a","b"]}"#,
    r#"{"event":{"duration":1000,"category":["network"]},"error":{"message":"a \"b\" \u0001 \ud83d\ude00"}}"#,
    r#"{"dns":{"answers":[{"name":"example.org","type":"A","class":"IN","data":"192.0.2.1","ttl":60}]},"http":{"response":{"status_code":200}}}"#,
];
