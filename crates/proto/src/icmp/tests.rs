//! Conversations.

use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::config::Node;
use wirebeat_model::{Endpoint, Transport, community_id};

use super::{note, quoted_flow};
use crate::testing::Talk;

/// A message; the checksum does not matter here.
fn message(kind: u8, code: u8, rest: [u8; 4], payload: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0][..], &rest, payload].concat()
}

fn echo(kind: u8, sequence: u8) -> Vec<u8> {
    message(kind, 0, [0x12, 0x34, 0, sequence], b"ping")
}

fn v4() -> Talk {
    Talk::new("icmp", Transport::ICMP, &[])
}

fn v6() -> Talk {
    let ip = |last| Endpoint::new(format!("2001:db8::{last}").parse().unwrap(), 0);
    Talk::new("icmp", Transport::ICMP6, &[]).between(ip(1), ip(2))
}

/// The first 8 bytes after an IPv4 header: UDP 40000 → 53.
fn udp_packet() -> Vec<u8> {
    let ip = [0x45, 0, 0, 40, 0, 0, 0x40, 0, 1, 17, 0, 0, 198, 51, 100, 1, 192, 0, 2, 53];
    [&ip[..], &40_000_u16.to_be_bytes(), &53_u16.to_be_bytes(), &[0, 20, 0, 0]].concat()
}

#[test]
fn a_ping_and_its_answer_are_one_event() {
    let mut talk = v4();
    // Two under way, answered in the other order.
    talk.client(echo(8, 1)).client(echo(8, 2)).wait(Duration::from_millis(3)).server(echo(0, 2)).server(echo(0, 1)).close();
    let events = talk.events();
    assert_eq!(events.len(), 2);
    let e = &events[0];
    assert_eq!(
        e["icmp"],
        json!({
            "version": 4, "id": 0x1234, "sequence": 2,
            "request": {"message": "EchoRequest", "type": 8, "code": 0},
            "response": {"message": "EchoReply", "type": 0, "code": 0}
        })
    );
    assert_eq!((&e["path"], &e["status"]), (&json!("198.51.100.2"), &json!("OK")));
    assert_eq!((&e["source"]["bytes"], &e["destination"]["bytes"]), (&json!(4), &json!(4)));
    assert_eq!(e["event"]["type"], json!(["connection"]));
    assert_eq!(e["event"]["duration"], 3_000_000);
    assert!(e["network"]["protocol"].is_null() && e["source"]["port"].is_null());
    let (c, s) = (Endpoint::v4([198, 51, 100, 1], 0), Endpoint::v4([198, 51, 100, 2], 0));
    let id = community_id(c, s, Transport::ICMP, Some((8, 0)));
    assert_eq!(e["network"]["community_id"], std::str::from_utf8(&id).unwrap());
}

#[test]
fn what_is_missing_is_said() {
    let mut talk = v4();
    talk.client(echo(8, 1)).client(echo(8, 1)).client(echo(0, 9)).wait(Duration::from_secs(10));
    let events = talk.events();
    let notes: Vec<_> = events.iter().map(|e| e["error"]["message"].as_str().unwrap()).collect();
    assert_eq!(notes, [note::DUPLICATE, note::ORPHAN, note::NO_RESPONSE]);
    assert!(events.iter().all(|e| e["status"] == "Error"));
    // The one who was answered, as it seems, is the source.
    assert_eq!((&events[1]["source"]["ip"], &events[1]["path"]), (&json!("198.51.100.2"), &json!("198.51.100.1")));
    let (c, s) = (Endpoint::v4([198, 51, 100, 1], 0), Endpoint::v4([198, 51, 100, 2], 0));
    let id = community_id(s, c, Transport::ICMP, Some((8, 0)));
    assert_eq!(events[1]["network"]["community_id"], std::str::from_utf8(&id).unwrap());
    assert_eq!((talk.counters.unmatched_requests, talk.counters.unmatched_responses), (2, 1));
    talk.client(echo(8, 2)).close();
    assert_eq!(talk.events()[0]["error"]["message"], note::NO_RESPONSE);
    talk.client([8, 0, 0]);
    assert_eq!(talk.counters.unparsed, 1);
}

#[test]
fn the_other_questions_have_their_answers() {
    for (ask, answer, names) in [
        (13, 14, ["TimestampRequest", "TimestampReply"]),
        (15, 16, ["InfoRequest", "InfoReply"]),
        (17, 18, ["AddressMaskRequest", "AddressMaskReply"]),
    ] {
        let mut talk = v4();
        talk.client(echo(ask, 1)).server(echo(answer, 1)).close();
        let e = &talk.events()[0];
        assert_eq!((&e["icmp"]["request"]["message"], &e["icmp"]["response"]["message"]), (&json!(names[0]), &json!(names[1])));
    }
    let mut talk = v6();
    talk.client(echo(128, 1)).server(echo(129, 1));
    // Extended echo: a byte of flags after the sequence (RFC 8335).
    talk.client(message(160, 0, [0, 1, 7, 1], &[])).server(message(161, 0, [0, 1, 7, 0x43], &[])).close();
    let events = talk.events();
    assert!(events.len() == 2 && events.iter().all(|e| e["status"] == "OK"));
    assert_eq!((&events[0]["icmp"]["version"], &events[0]["network"]["transport"]), (&json!(6), &json!("ipv6-icmp")));
}

fn alone(talk: &mut Talk, m: &[u8]) -> Value {
    talk.server(m);
    let mut events = talk.events();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn errors_name_the_flow_they_are_about() {
    let (c, s) = (Endpoint::v4([198, 51, 100, 1], 40_000), Endpoint::v4([192, 0, 2, 53], 53));
    let m = message(3, 3, [0; 4], &udp_packet());
    let e = alone(&mut v4(), &m);
    assert_eq!((&e["status"], &e["icmp"]["request"]["message"]), (&json!("Error"), &json!("DestinationUnreachable(Port)")));
    let id = community_id(c, s, Transport::UDP, None);
    assert_eq!(
        e["icmp"]["quoted"],
        json!({
            "transport": "udp", "source": {"ip": "198.51.100.1", "port": 40_000},
            "destination": {"ip": "192.0.2.53", "port": 53}, "community_id": std::str::from_utf8(&id).unwrap()
        })
    );
    assert!(e["error"].is_null());
    assert_eq!(quoted_flow(&m, Transport::ICMP), Some((c, s, Transport::UDP)));
    // Too short for ports, a later fragment, no error.
    assert_eq!(quoted_flow(&m[..8 + 20 + 3], Transport::ICMP), None);
    let mut fragment = m.clone();
    fragment[8 + 7] = 9;
    assert_eq!(quoted_flow(&fragment, Transport::ICMP), None);
    assert_eq!(quoted_flow(&message(8, 0, [0; 4], &udp_packet()), Transport::ICMP), None);
    for cut in 0..m.len() {
        let _ = quoted_flow(&m[..cut], Transport::ICMP);
    }
}

#[test]
fn quoted_packets_of_version_6() {
    let ip = |last: u8| [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[last]].concat();
    let head = |next: u8| [&[0x60, 0, 0, 0, 0, 20, next, 1][..], &ip(1), &ip(9)].concat();
    let tcp = [&443_u16.to_be_bytes()[..], &50_000_u16.to_be_bytes(), &[0; 4]].concat();
    let flow = |m: &[u8]| quoted_flow(m, Transport::ICMP6).map(|(a, b, t)| (a.port, b.port, t));
    let expected = Some((443, 50_000, Transport::TCP));
    let error = |quote: &[u8]| message(3, 0, [0; 4], quote);
    assert_eq!(flow(&error(&[&head(6)[..], &tcp].concat())), expected);
    // Behind hop-by-hop options and a first fragment's header.
    let chain = [&head(0)[..], &[44, 0, 0, 0, 0, 0, 0, 0], &[6, 0, 0, 1, 0, 0, 0, 1], &tcp].concat();
    assert_eq!(flow(&error(&chain)), expected);
    let mut later = chain.clone();
    later[40 + 8 + 2] = 1;
    assert_eq!(flow(&error(&later)), None);
    // A ping that was too big.
    let ping = [&head(58)[..], &[128, 0, 0, 0, 0, 1, 0, 1]].concat();
    let e = alone(&mut v6(), &message(2, 0, [0, 0, 5, 0], &ping));
    assert_eq!((&e["icmp"]["mtu"], &e["icmp"]["request"]["message"]), (&json!(1280), &json!("PacketTooBig")));
    let (a, b) = (Endpoint::v6(ip(1).try_into().unwrap(), 0), Endpoint::v6(ip(9).try_into().unwrap(), 0));
    let id = community_id(a, b, Transport::ICMP6, Some((128, 0)));
    assert_eq!(e["icmp"]["quoted"]["community_id"], std::str::from_utf8(&id).unwrap());
    // A redirect quotes in an option.
    let option = [&[4, 7, 0, 0, 0, 0, 0, 0][..], &head(6), &tcp].concat();
    let redirect = message(137, 0, [0; 4], &[ip(7), ip(9), vec![2, 1, 0, 0, 0, 0, 0, 0], option].concat());
    assert_eq!(flow(&redirect), expected);
    let e = alone(&mut v6(), &redirect);
    assert_eq!((&e["icmp"]["gateway"], &e["status"]), (&json!("2001:db8::7"), &json!("OK")));
    for cut in 0..redirect.len() {
        let _ = (flow(&redirect[..cut]), flow(&error(&chain[..cut.min(chain.len())])));
    }
    // An option without length does not hold us.
    assert_eq!(flow(&message(137, 0, [0; 4], &[0; 80])), None);
}

#[test]
fn messages_with_content() {
    let e = alone(&mut v4(), &message(3, 4, [0, 0, 5, 0xdc], &udp_packet()));
    assert_eq!((&e["icmp"]["mtu"], &e["icmp"]["request"]["message"]), (&json!(1500), &json!("DestinationUnreachable(FragmentationNeeded)")));
    let e = alone(&mut v4(), &message(5, 1, [192, 0, 2, 1], &udp_packet()));
    assert_eq!((&e["icmp"]["gateway"], &e["status"]), (&json!("192.0.2.1"), &json!("OK")));
    assert_eq!(e["icmp"]["quoted"]["source"]["port"], 40_000);
    let e = alone(&mut v4(), &message(12, 0, [20, 0, 0, 0], &udp_packet()));
    assert_eq!(e["icmp"]["pointer"], 20);
    let e = alone(&mut v6(), &message(135, 0, [0; 4], &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
    assert_eq!((&e["icmp"]["target"], &e["source"]["bytes"]), (&json!("fe80::1"), &json!(16)));
    for (m, text) in [
        (message(3, 99, [0; 4], &[]), "DestinationUnreachable(Code: 99)"),
        (message(9, 1, [0; 4], &[]), "RouterAdvertisement(Code: 1)"),
        (message(200, 3, [0; 4], &[]), "200(3)"),
        (message(11, 0, [0; 4], &[]), "TimeExceeded(TTLExceeded)"),
    ] {
        assert_eq!(alone(&mut v4(), &m)["icmp"]["request"]["message"], text);
    }
}

#[test]
fn each_option_changes_the_event() {
    let on = Node::Bool(true);
    let run = |options: &[(&str, Node)]| {
        let mut talk = Talk::new("icmp", Transport::ICMP, options);
        talk.client(echo(8, 1)).server(echo(0, 1));
        talk.events().remove(0)
    };
    assert!(run(&[])["request"].is_null() && run(&[])["response"].is_null());
    assert_eq!(run(&[("send_request", on.clone())])["request"], "EchoRequest; ID 4660; SEQ 1; 4 bytes");
    assert_eq!(run(&[("send_response", on)])["response"], "EchoReply; ID 4660; SEQ 1; 4 bytes");
    let mut talk = Talk::new("icmp", Transport::ICMP, &[("transaction_timeout", Node::Int(2))]);
    talk.client(echo(8, 1)).wait(Duration::from_secs(2));
    assert_eq!(talk.events().len(), 1);
}
