//! Record types, as `dig` of BIND 9 writes them, less the last dot of names.

use serde_json::{Value, json};
use wirebeat_model::Transport;

use super::{Q, message, name, rr};
use crate::testing::Talk;

/// The event's object for a record, less what all have.
fn record(kind: u16, data: &[u8]) -> Value {
    let mut talk = Talk::new("dns", Transport::UDP, &[]);
    talk.client(message(1, 0, &[("a.example", kind, 1)], [&[], &[], &[]]));
    talk.server(message(1, 0x8000, &[("a.example", kind, 1)], [&[rr(Q, kind, data)], &[], &[]])).close();
    let mut e = talk.events().remove(0);
    let Value::Object(mut object) = e["dns"]["answers"][0].take() else { panic!("{e}") };
    assert_eq!(object.remove("name"), Some(json!("a.example")));
    assert_eq!((object.remove("class"), object.remove("ttl")), (Some(json!("IN")), Some(json!("300"))));
    Value::Object(object)
}

/// The same, data alone.
fn data(kind: u16, data: &[u8]) -> Value {
    record(kind, data)["data"].take()
}

fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn addresses_and_names() {
    assert_eq!(record(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), json!({"type": "AAAA", "data": "2001:db8::1"}));
    for (kind, text) in [(2, "NS"), (5, "CNAME"), (12, "PTR"), (39, "DNAME")] {
        assert_eq!(record(kind, &name("b.example")), json!({"type": text, "data": "b.example"}));
    }
    // Compressed, and the root.
    assert_eq!(data(5, &cat(&[b"\x03www", Q])), "www.a.example");
    assert_eq!(data(5, &[0]), ".");
    assert_eq!(record(15, &cat(&[&[0, 10], Q])), json!({"type": "MX", "preference": 10, "data": "a.example"}));
    assert_eq!(
        record(33, &cat(&[&[0, 1, 0, 2, 0x14, 0x66], &name("s.example")])),
        json!({"type": "SRV", "priority": 1, "weight": 2, "port": 5222, "data": "s.example"})
    );
    assert_eq!(
        record(6, &super::soa(2024)),
        json!({
            "type": "SOA", "data": "ns.example", "rname": "root.example", "serial": 2024, "refresh": 10800,
            "retry": 1080, "expire": 1_814_400, "minimum": 900
        })
    );
}

#[test]
fn texts_are_escaped() {
    assert_eq!(data(16, b"\x05a\"b\\c\x03x\xff\n"), "a\\\"b\\\\c x\\255\\010");
    assert_eq!(data(13, b"\x05INTEL\x05LINUX"), "\"INTEL\" \"LINUX\"");
    assert_eq!(record(16, b""), json!({"type": "TXT"}));
}

#[test]
fn dnssec() {
    let rrsig = cat(&[
        &[0, 43, 7, 2, 0, 1, 0x51, 0x80],
        &0x5113_cd04_u32.to_be_bytes(),
        &0x50f8_0f74_u32.to_be_bytes(),
        &[0xa3, 0x3e],
        &name("org"),
        &[1, 2, 3, 4],
    ]);
    assert_eq!(
        record(46, &rrsig),
        json!({
            "type": "RRSIG", "type_covered": "DS", "algorithm": "RSASHA1-NSEC3-SHA1", "labels": "2",
            "original_ttl": "86400", "expiration": "20130207154924", "inception": "20130117144924", "key_tag": "41790",
            "signer_name": "org", "data": "AQIDBA=="
        })
    );
    let ds = json!({"type": "DS", "key_tag": "45586", "algorithm": "RSASHA1", "digest_type": "SHA256", "data": "67FC"});
    assert_eq!(record(43, &[0xb2, 0x12, 5, 2, 0x67, 0xfc]), ds);
    assert_eq!(record(59, &[0xb2, 0x12, 5, 2, 0x67, 0xfc])["type"], "CDS");
    let key = json!({"type": "DNSKEY", "flags": "257", "protocol": "3", "algorithm": "ED25519", "data": "/+4="});
    assert_eq!(record(48, &[1, 1, 3, 15, 0xff, 0xee]), key);
    assert_eq!(record(60, &[1, 1, 3, 15, 0xff, 0xee])["type"], "CDNSKEY");
    // A, MX, RRSIG, NSEC, TYPE1234 (RFC 4034 §4.3).
    let bits = cat(&[&[0, 6, 0x40, 1, 0, 0, 0, 3, 4, 27], &[0; 26], &[0x20]]);
    assert_eq!(
        record(47, &cat(&[&name("host.example.com"), &bits])),
        json!({"type": "NSEC", "type_bits": "A MX RRSIG NSEC 1234", "data": "host.example.com"})
    );
    // RFC 5155 appendix A: 2t7b4g4vsa5smi47k61mv5bv1a22bojr.
    let next = [0x16, 0xce, 0xb2, 0x41, 0xfe, 0xe0, 0xcb, 0xcb, 0x48, 0x9e, 0xa0, 0x7f, 0x2b, 0x7f, 0x0a, 0x51, 0x4c, 0x2b, 0xe2, 0x7b];
    let n = record(50, &cat(&[&[1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 20], &next, &[0, 1, 0x40]]));
    assert_eq!((&n["hash"], &n["flags"], &n["iterations"], &n["salt"]), (&json!("SHA1"), &json!("1"), &json!("12"), &json!("AABBCCDD")));
    assert_eq!((n["data"].as_str().map(str::len), &n["type_bits"]), (Some(32), &json!("A")));
    assert_eq!(
        record(51, &[1, 0, 0, 10, 0]),
        json!({"type": "NSEC3PARAM", "hash": "SHA1", "flags": "0", "iterations": "10", "data": "-"})
    );
}

#[test]
fn services() {
    let params = cat(&[
        &[0, 0, 0, 4, 0, 1, 0, 3],
        b"\x00\x01\x00\x06\x02h2\x02h3",
        &[0, 3, 0, 2, 0x20, 0xfb],
        &[0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2],
        &[0, 5, 0, 3, 1, 2, 3],
        &[0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        b"\x02\x9b\x00\x05hello",
    ]);
    assert_eq!(
        record(65, &cat(&[&[0, 1], &name("svc.example"), &params])),
        json!({
            "type": "HTTPS", "priority": 1, "target": "svc.example", "mandatory": ["alpn", "port"],
            "alpn": ["h2", "h3"], "port": 8443, "ipv4hint": ["192.0.2.1", "192.0.2.2"], "ech": "AQID",
            "ipv6hint": ["2001:db8::1"],
            "data": "1 svc.example mandatory=alpn,port alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1,192.0.2.2 \
                     ech=AQID ipv6hint=2001:db8::1 key667=\"hello\""
        })
    );
    assert_eq!(record(64, b"\x00\x00\x03foo\x00"), json!({"type": "SVCB", "priority": 0, "target": "foo", "data": "0 foo"}));
    // RFC 9460 appendix D.2: no-default-alpn has no value; an item with comma and backslash.
    assert_eq!(data(65, b"\x00\x01\x00\x00\x02\x00\x00"), "1 . no-default-alpn");
    assert_eq!(data(64, b"\x00\x10\x00\x00\x01\x00\x0c\x08f\\oo,bar\x02h2"), "16 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
    // Parameters that do not fill their place.
    assert_eq!(data(65, b"\x00\x01\x00\x00\x03\x00\x09\x01"), "\\# 8 0001000003000901");
}

#[test]
fn other_types() {
    assert_eq!(record(257, b"\x00\x05issueletsencrypt.org"), json!({"type": "CAA", "flags": "0", "tag": "issue", "data": "0 issue \"letsencrypt.org\""}));
    assert_eq!(data(52, &[3, 1, 1, 0xab, 0xcd]), "3 1 1 ABCD");
    assert_eq!(data(44, &[4, 2, 0xab, 0xcd]), "4 2 ABCD");
    assert_eq!(
        data(35, &cat(&[b"\x00\x64\x00\x32\x01s\x07SIP+D2U\x00", &name("_sip._udp.example")])),
        "100 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.example"
    );
    assert_eq!(
        record(256, b"\x00\x0a\x00\x01ftp://ftp.example/"),
        json!({"type": "URI", "priority": 10, "weight": 1, "data": "10 1 \"ftp://ftp.example/\""})
    );
    // RFC 1876 §4: cambridge-net.kei.com.
    let loc = cat(&[
        &[0, 0x33, 0x16, 0x13],
        &(0x8000_0000_u32 + ((42 * 60 + 21) * 60 + 54) * 1000).to_be_bytes(),
        &(0x8000_0000_u32 - ((71 * 60 + 6) * 60 + 18) * 1000).to_be_bytes(),
        &(10_000_000_u32 - 2400).to_be_bytes(),
    ]);
    assert_eq!(data(29, &loc), "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m");
    assert_eq!(data(108, &[0, 0, 0x5e, 0, 0x53, 0x2a]), "00-00-5e-00-53-2a");
    assert_eq!(record(65_280, &[0xab, 1]), json!({"type": "65280", "data": "\\# 2 ab01"}));
    // What is not what its type says is shown as it is.
    assert_eq!(data(1, &[1, 2, 3]), "\\# 3 010203");
    assert_eq!(data(6, &[0, 0, 1]), "\\# 3 000001");
}
