//! Conversations.

mod multicast;
mod records;

use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use super::note;
use crate::Guess;
use crate::testing::Talk;

/// A name in wire form, without compression. `"\\."` is not understood: labels are split at each dot.
pub(super) fn name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in text.split('.').filter(|l| !l.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

pub(super) struct Rr(pub(super) Vec<u8>);

/// A record of class IN with a time to live of 300 s.
pub(super) fn rr(owner: &[u8], kind: u16, data: &[u8]) -> Rr {
    rr_of(owner, kind, 1, 300, data)
}

pub(super) fn rr_of(owner: &[u8], kind: u16, class: u16, ttl: u32, data: &[u8]) -> Rr {
    let mut out = owner.to_vec();
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&class.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
    Rr(out)
}

pub(super) fn message(id: u16, flags: u16, questions: &[(&str, u16, u16)], sections: [&[Rr]; 3]) -> Vec<u8> {
    let mut out = Vec::new();
    let counts = [questions.len(), sections[0].len(), sections[1].len(), sections[2].len()];
    for n in [id, flags].into_iter().chain(counts.map(|n| n as u16)) {
        out.extend_from_slice(&n.to_be_bytes());
    }
    for (q, kind, class) in questions {
        out.extend_from_slice(&name(q));
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&class.to_be_bytes());
    }
    sections.iter().flat_map(|s| s.iter()).for_each(|r| out.extend_from_slice(&r.0));
    out
}

/// Points to the first question's name.
const Q: &[u8] = &[0xc0, 0x0c];
const A: u16 = 1;

fn query(id: u16, q: &str) -> Vec<u8> {
    message(id, 0x0100, &[(q, A, 1)], [&[], &[], &[]])
}

fn answer(id: u16, q: &str) -> Vec<u8> {
    message(id, 0x8180, &[(q, A, 1)], [&[rr(Q, A, &[192, 0, 2, 7])], &[], &[]])
}

fn framed(m: &[u8]) -> Vec<u8> {
    [&(m.len() as u16).to_be_bytes(), m].concat()
}

fn udp() -> Talk {
    Talk::new("dns", Transport::UDP, &[])
}

fn tcp() -> Talk {
    Talk::new("dns", Transport::TCP, &[])
}

#[test]
fn a_query_and_its_answer_are_one_event() {
    let (q, a) = (query(7, "www.Example.co.uk"), answer(7, "www.Example.co.uk"));
    let mut talk = udp();
    talk.client(&q).wait(Duration::from_millis(5)).server(&a).close();
    let events = talk.events();
    assert_eq!(events.len(), 1);
    let e = &events[0];
    assert_eq!(
        e["dns"],
        json!({
            "id": 7, "type": "answer", "op_code": "QUERY", "response_code": "NOERROR", "header_flags": ["RD", "RA"],
            "flags": {
                "authoritative": false, "truncated_response": false, "recursion_desired": true,
                "recursion_available": true, "authentic_data": false, "checking_disabled": false
            },
            "question": {
                "name": "www.Example.co.uk", "type": "A", "class": "IN", "subdomain": "www",
                "etld_plus_one": "Example.co.uk", "registered_domain": "Example.co.uk", "top_level_domain": "co.uk"
            },
            "answers_count": 1, "authorities_count": 0, "additionals_count": 0, "resolved_ip": ["192.0.2.7"],
            "answers": [{"name": "www.Example.co.uk", "type": "A", "class": "IN", "ttl": "300", "data": "192.0.2.7"}]
        })
    );
    assert_eq!((&e["status"], &e["method"], &e["type"]), (&json!("OK"), &json!("QUERY"), &json!("dns")));
    assert_eq!(e["query"], "class IN, type A, www.Example.co.uk");
    assert_eq!(e["resource"], "www.Example.co.uk");
    assert_eq!(e["event"]["duration"], 5_000_000);
    assert_eq!((&e["source"]["bytes"], &e["destination"]["bytes"]), (&json!(q.len()), &json!(a.len())));
    assert_eq!(e["related"]["ip"], json!(["198.51.100.1", "198.51.100.2", "192.0.2.7"]));
    assert_eq!(e["network"]["protocol"], "dns");
    assert!(e["error"].is_null() && e["request"].is_null());
}

#[test]
fn what_is_missing_is_said() {
    let mut talk = udp();
    talk.client(query(1, "a.example")).client(query(1, "a.example")).server(answer(2, "b.example"));
    talk.wait(Duration::from_secs(9));
    let events = talk.events();
    let notes: Vec<_> = events.iter().map(|e| (e["dns"]["type"].as_str(), e["error"]["message"].as_str())).collect();
    assert_eq!(notes, [(Some("query"), Some(note::DUPLICATE)), (Some("answer"), Some(note::ORPHAN))]);
    assert!(events[1]["event"]["start"].is_null() && events[1]["source"]["bytes"].is_null());
    assert_eq!((talk.counters.unmatched_requests, talk.counters.unmatched_responses), (1, 1));
    // The second query's time is up, and no sooner.
    talk.wait(Duration::from_secs(2));
    let events = talk.events();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["error"]["message"], &events[0]["status"]), (&json!(note::NO_RESPONSE), &json!("Error")));
    assert_eq!(events[0]["dns"]["question"]["name"], "a.example");
    talk.client(query(3, "c.example")).close();
    assert_eq!(talk.events()[0]["error"]["message"], note::NO_RESPONSE);
}

#[test]
fn a_reused_id_does_not_mispair() {
    let mut talk = udp();
    // The late answer to another question is not taken for this one's; case does not matter.
    talk.client(query(5, "new.example")).server(answer(5, "old.example")).server(answer(5, "NEW.eXample"));
    let events = talk.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["error"]["message"], note::ORPHAN);
    assert_eq!((&events[1]["status"], &events[1]["resource"]), (&json!("OK"), &json!("new.example")));
    assert_eq!(events[1]["dns"]["question"]["name"], "NEW.eXample");
    talk.close();
    assert!(talk.events().is_empty());
}

#[test]
fn an_error_without_question_belongs_to_the_query() {
    let mut talk = udp();
    talk.client(query(5, "a.example")).server(message(5, 0x8181, &[], [&[], &[], &[]])).close();
    let e = &talk.events()[0];
    assert_eq!((&e["status"], &e["dns"]["response_code"]), (&json!("Error"), &json!("FORMERR")));
    assert_eq!(e["dns"]["question"]["name"], "a.example");
}

#[test]
fn who_asks_is_the_client() {
    // The flow began with the server asking, e.g. a NOTIFY from port 53.
    let mut talk = udp();
    let notify = |flags| message(9, flags, &[("example.org", 6, 1)], [&[], &[], &[]]);
    talk.server(notify(0x2400)).client(notify(0xa400)).close();
    let e = &talk.events()[0];
    assert_eq!((&e["method"], &e["status"]), (&json!("NOTIFY"), &json!("OK")));
    assert_eq!((&e["source"]["port"], &e["destination"]["port"]), (&json!(53), &json!(40_000)));
    assert_eq!(e["dns"]["header_flags"], json!(["AA"]));
}

#[test]
fn answers_out_of_order_over_tcp_however_it_is_cut() {
    let queries = [framed(&query(1, "a.example")), framed(&query(2, "b.example")), framed(&query(3, "c.example"))].concat();
    let answers =
        [framed(&answer(3, "c.example")), framed(&answer(1, "a.example")), framed(&answer(2, "b.example"))].concat();
    let run = |cuts: &dyn Fn(&[u8]) -> Vec<Vec<u8>>| {
        let mut talk = tcp();
        for cut in cuts(&queries) {
            talk.client(cut);
        }
        for cut in cuts(&answers) {
            talk.server(cut);
        }
        talk.close();
        talk.events()
    };
    let whole = run(&|b| vec![b.to_vec()]);
    let ids: Vec<_> = whole.iter().map(|e| e["dns"]["id"].as_u64()).collect();
    assert_eq!(ids, [Some(3), Some(1), Some(2)]);
    assert!(whole.iter().all(|e| e["status"] == "OK"));
    // The length before the message counts, as with the peer.
    assert_eq!(whole[0]["source"]["bytes"], 2 + query(3, "c.example").len());
    assert_eq!(run(&|b| b.chunks(1).map(<[u8]>::to_vec).collect()), whole);
    for cut in 1..queries.len() {
        assert_eq!(run(&|b| vec![b[..cut.min(b.len())].to_vec(), b[cut.min(b.len())..].to_vec()]), whole, "{cut}");
    }
}

#[test]
fn a_message_in_pieces_begins_with_the_first() {
    let q = framed(&query(1, "a.example"));
    let mut talk = tcp();
    talk.client(&q[..5]).wait(Duration::from_millis(20)).client(&q[5..]).wait(Duration::from_millis(30));
    talk.server(framed(&answer(1, "a.example")));
    assert_eq!(talk.events()[0]["event"]["duration"], 50_000_000);
}

#[test]
fn goes_on_after_a_gap() {
    let mut talk = tcp();
    talk.client(framed(&query(1, "a.example"))).client(framed(&query(2, "b.example")));
    talk.server(&framed(&answer(1, "a.example"))[..9]).gap(false, 100).server(framed(&answer(2, "b.example"))).close();
    let events = talk.events();
    assert_eq!((&events[0]["dns"]["id"], &events[0]["status"]), (&json!(2), &json!("OK")));
    assert_eq!(events[1]["error"]["message"], note::NO_RESPONSE);
    let mut talk = tcp();
    talk.client(framed(&query(1, "a.example"))).gap(false, 7).server(vec![0x5a; 100]);
    assert_eq!(talk.verdict, crate::Verdict::Lost);
}

fn soa(serial: u32) -> Vec<u8> {
    let mut out = [name("ns.example"), name("root.example")].concat();
    [serial, 10_800, 1080, 1_814_400, 900].iter().for_each(|n| out.extend_from_slice(&n.to_be_bytes()));
    out
}

#[test]
fn a_transfer_in_many_messages_is_one_event() {
    let ask = framed(&message(4, 0, &[("example", 252, 1)], [&[], &[], &[]]));
    let first = framed(&message(4, 0x8400, &[("example", 252, 1)], [&[rr(Q, 6, &soa(1)), rr(Q, A, &[1; 4])], &[], &[]]));
    // Later messages may leave the question out (RFC 5936 §2.2.1).
    let middle = framed(&message(4, 0x8400, &[], [&[rr(&name("b.example"), A, &[2; 4])], &[], &[]]));
    let last = framed(&message(4, 0x8400, &[], [&[rr(&name("example"), 6, &soa(1))], &[], &[]]));
    let mut talk = tcp();
    talk.client(&ask).server(&first).wait(Duration::from_secs(8)).server(&middle).wait(Duration::from_secs(8));
    assert!(talk.events().is_empty());
    talk.server(&last);
    let events = talk.events();
    assert_eq!(events.len(), 1);
    let e = &events[0];
    assert_eq!((&e["status"], &e["event"]["duration"]), (&json!("OK"), &json!(16_000_000_000_u64)));
    assert_eq!((&e["dns"]["answers_count"], &e["dns"]["messages"]), (&json!(4), &json!(3)));
    assert_eq!(e["dns"]["answers"].as_array().map(Vec::len), Some(4));
    assert_eq!(e["dns"]["answers"][0]["serial"], 1);
    assert_eq!(e["dns"]["resolved_ip"], json!(["1.1.1.1", "2.2.2.2"]));
    assert_eq!(e["destination"]["bytes"], first.len() + middle.len() + last.len());
    talk.close();
    assert!(talk.events().is_empty());

    // The connection ends before the closing record.
    talk.client(&ask).server(&first).end(false);
    let e = &talk.events()[0];
    assert_eq!((&e["status"], &e["error"]["message"]), (&json!("Error"), &json!(note::TRANSFER_CUT)));
    // Nothing more comes.
    talk.client(&ask).server(&first).wait(Duration::from_secs(10));
    assert_eq!(talk.events().len(), 1);
    // Refused.
    talk.client(&ask).server(framed(&message(4, 0x8405, &[("example", 252, 1)], [&[], &[], &[]])));
    let e = &talk.events()[0];
    assert_eq!((&e["status"], &e["dns"]["response_code"]), (&json!("Error"), &json!("REFUSED")));
    talk.close();
}

#[test]
fn incremental_transfers_end_where_they_end() {
    let ask = |serial| framed(&message(4, 0, &[("example", 251, 1)], [&[], &[rr(Q, 6, &soa(serial))], &[]]));
    let say = |records: &[Rr]| framed(&message(4, 0x8400, &[("example", 251, 1)], [records, &[], &[]]));
    let s = |n| rr(Q, 6, &soa(n));
    let a = || rr(Q, A, &[1; 4]);
    // Nothing new.
    let mut talk = tcp();
    talk.client(ask(3)).server(say(&[s(3)]));
    assert_eq!(talk.events().len(), 1);
    // Differences from 1 to 3.
    talk.client(ask(1)).server(say(&[s(3), s(1), a(), s(2), a(), s(2), a()]));
    assert!(talk.events().is_empty());
    talk.server(say(&[s(3), a()]));
    assert!(talk.events().is_empty());
    talk.server(say(&[s(3)]));
    assert_eq!(talk.events()[0]["dns"]["answers_count"], 10);
    // The whole zone.
    talk.client(ask(1)).server(say(&[s(3), a(), a()]));
    assert!(talk.events().is_empty());
    talk.server(say(&[s(3)]));
    assert_eq!(talk.events()[0]["status"], "OK");
    talk.close();
}

#[test]
fn edns_and_its_options() {
    let option = |code: u16, data: &[u8]| [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat();
    let all = [
        option(1, &[0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 14, 16]),
        option(2, &[0, 0, 28, 32]),
        option(3, b"ns1"),
        option(5, &[8, 13, 200]),
        option(6, &[1, 2]),
        option(7, &[1]),
        option(8, &[0, 1, 24, 20, 192, 0, 2]),
        option(9, &[0, 1, 0, 0]),
        option(10, &[1, 2, 3, 4, 5, 6, 7, 8]),
        option(11, &[0, 105]),
        option(12, &[0; 31]),
        option(15, &[0, 18, b'n', b'o', 0]),
        option(15, &[0, 22]),
        option(65_001, &[0xbe, 0xef]),
    ]
    .concat();
    // BADVERS is 16: 1 in OPT, 0 in the header.
    let opt = || rr_of(&[0], 41, 1232, 0x0101_8000, &all);
    let mut talk = udp();
    talk.client(message(1, 0x0100, &[("a.example", A, 1)], [&[], &[], &[rr_of(&[0], 41, 4096, 0, &[])]]));
    talk.server(message(1, 0x8180, &[("a.example", A, 1)], [&[], &[], &[opt(), rr(Q, A, &[1; 4])]]));
    let e = &talk.events()[0];
    assert_eq!(
        e["dns"]["opt"],
        json!({
            "do": true, "version": "1", "udp_size": 1232, "ext_rcode": "BADVERS", "llq": "1 2 0 9 3600", "ul": "7200",
            "nsid": "6e7331", "dau": "RSASHA256 ECDSAP256SHA256 200", "dhu": "SHA1 SHA256", "n3u": "SHA1",
            "subnet": "192.0.2.0/24/20", "expire": 65536, "cookie": "0102030405060708", "keepalive": 10.5,
            "padding": 31, "local": "65001:0xbeef",
            "ede": [
                {"info_code": 18, "purpose": "Prohibited", "extra_text": "no"},
                {"info_code": 22, "purpose": "No Reachable Authority"}
            ]
        })
    );
    assert_eq!((&e["dns"]["response_code"], &e["status"]), (&json!("BADVERS"), &json!("Error")));
    assert_eq!(e["dns"]["additionals_count"], 1);
    assert_eq!(e["dns"]["header_flags"], json!(["RD", "RA", "DO"]));
    assert!(e["error"].is_null());

    // One side only.
    talk.client(query(2, "a.example")).server(message(2, 0x8180, &[("a.example", A, 1)], [&[], &[], &[opt()]]));
    assert_eq!(talk.events()[0]["error"]["message"], note::EDNS);
    talk.client(message(3, 0x0100, &[("a.example", A, 1)], [&[], &[], &[opt()]])).server(answer(3, "a.example"));
    assert_eq!(talk.events()[0]["error"]["message"], note::NO_EDNS);
    let v6 = [&[0, 2, 32, 0][..], &[0x20, 1, 0xd, 0xb8]].concat();
    let opt = rr_of(&[0], 41, 1232, 0, &option(8, &v6));
    talk.client(message(4, 0x0100, &[("a.example", A, 1)], [&[], &[], &[opt]])).close();
    assert_eq!(talk.events()[0]["dns"]["opt"]["subnet"], "[2001:db8::]/32/0");
}

#[test]
fn large_answers_without_edns_are_noted() {
    let texts: Vec<_> = (0..6).map(|_| rr(Q, 16, &[&[100][..], &[b'x'; 100]].concat())).collect();
    let mut talk = udp();
    talk.client(message(1, 0, &[("a.example", 16, 1)], [&[], &[], &[]]));
    talk.server(message(1, 0x8000, &[("a.example", 16, 1)], [&texts, &[], &[]]));
    let e = &talk.events()[0];
    assert_eq!((&e["error"]["message"], &e["status"]), (&json!(note::RESPONSE_LARGE), &json!("OK")));
}

#[test]
fn truncated_and_cut_answers() {
    let mut talk = udp();
    talk.client(query(1, "a.example")).server(message(1, 0x8380, &[("a.example", A, 1)], [&[], &[], &[]]));
    let e = &talk.events()[0];
    assert_eq!((&e["status"], &e["dns"]["flags"]["truncated_response"]), (&json!("OK"), &json!(true)));
    assert_eq!(e["dns"]["header_flags"], json!(["TC", "RD", "RA"]));
    // Captured shorter than it was.
    let a = answer(2, "a.example");
    talk.client(query(2, "a.example")).server(&a[..a.len() - 1]);
    let e = &talk.events()[0];
    assert_eq!((&e["status"], &e["error"]["message"]), (&json!("Error"), &json!(note::RESPONSE_CUT)));
    // Its question makes no sense.
    talk.client(query(3, "a.example")).server(&answer(3, "a.example")[..14]);
    let e = &talk.events()[0];
    assert_eq!((&e["dns"]["type"], &e["error"]["message"]), (&json!("query"), &json!(note::NOT_DNS)));
    assert_eq!(talk.counters.unparsed, 1);
    talk.close();
}

#[test]
fn several_questions_are_all_told() {
    let mut talk = udp();
    talk.client(message(1, 0x0100, &[("a.example", A, 1), ("b.example", 28, 3)], [&[], &[], &[]])).close();
    let e = &talk.events()[0];
    assert_eq!(e["dns"]["question"]["name"], "a.example");
    assert_eq!(
        e["dns"]["questions"],
        json!([{"name": "a.example", "type": "A", "class": "IN"}, {"name": "b.example", "type": "AAAA", "class": "CH"}])
    );
}

#[test]
fn each_option_changes_the_event() {
    let on = Node::Bool(true);
    let sections = || {
        message(
            1,
            0x8180,
            &[("example.org", 15, 1)],
            [
                &[rr(Q, 15, &[&[0, 10][..], &name("mx.example.org")].concat())],
                &[rr(Q, 2, &name("ns.example.org"))],
                &[rr(&name("ns.example.org"), A, &[1; 4]), rr_of(&[0], 41, 1232, 0, &[])],
            ],
        )
    };
    let run = |options: &[(&str, Node)]| {
        let mut talk = Talk::new("dns", Transport::UDP, options);
        talk.client(message(1, 0x0100, &[("example.org", 15, 1)], [&[], &[], &[]])).server(sections()).close();
        talk.events().remove(0)
    };
    let plain = run(&[]);
    for path in ["/request", "/response", "/dns/authorities", "/dns/additionals"] {
        assert!(plain.pointer(path).is_none(), "{path}");
    }
    assert_eq!((&plain["dns"]["authorities_count"], &plain["dns"]["additionals_count"]), (&json!(1), &json!(1)));
    assert_eq!(
        run(&[("include_authorities", on.clone())])["dns"]["authorities"],
        json!([{"name": "example.org", "type": "NS", "class": "IN", "ttl": "300", "data": "ns.example.org"}])
    );
    assert_eq!(
        run(&[("include_additionals", on.clone())])["dns"]["additionals"],
        json!([{"name": "ns.example.org", "type": "A", "class": "IN", "ttl": "300", "data": "1.1.1.1"}])
    );
    assert_eq!(
        run(&[("send_request", on.clone())])["request"],
        "ID 1; QR query; OPCODE QUERY; FLAGS rd; RCODE NOERROR; QUESTION class IN, type MX, example.org"
    );
    assert_eq!(
        run(&[("send_response", on)])["response"],
        "ID 1; QR response; OPCODE QUERY; FLAGS rd ra; RCODE NOERROR; QUESTION class IN, type MX, example.org; \
         ANSWER preference 10, mx.example.org; AUTHORITY ns.example.org; ADDITIONAL 1.1.1.1"
    );
    let mut talk = Talk::new("dns", Transport::UDP, &[("transaction_timeout", Node::Str("2s".into()))]);
    talk.client(query(1, "a.example")).wait(Duration::from_secs(2));
    assert_eq!(talk.events().len(), 1);
}

#[test]
fn lists_are_bounded_and_what_is_left_out_is_counted() {
    let many: Vec<_> = (0..300_u16).map(|i| rr(Q, A, &[10, 0, (i >> 8) as u8, i as u8])).collect();
    let mut talk = tcp();
    talk.client(framed(&query(1, "a.example")));
    talk.server(framed(&message(1, 0x8180, &[("a.example", A, 1)], [&many, &[], &[]]))).close();
    let e = &talk.events()[0];
    assert_eq!(e["dns"]["answers_count"], 300);
    let len = |v: &Value| v.as_array().map(Vec::len);
    assert_eq!((len(&e["dns"]["answers"]), len(&e["dns"]["resolved_ip"])), (Some(256), Some(256)));
    assert_eq!(len(&e["related"]["ip"]), Some(66));
    assert_eq!(talk.counters.records_cut, 44);
}

#[test]
fn binary_over_tcp_is_given_up() {
    let mut talk = tcp();
    talk.client(b"GET / HTTP/1.1\r\n\r\n");
    let mut talk2 = tcp();
    talk2.client([0; 64]);
    assert_eq!(talk2.verdict, crate::Verdict::Lost);
    talk.close();
    assert!(talk.events().is_empty());
}

#[test]
fn guesses_with_care() {
    let guess = super::SPEC.guess;
    let (q, a) = (query(0x1234, "www.example.org"), answer(0x1234, "www.example.org"));
    for (m, yes) in [(&q, Guess::Client), (&a, Guess::Server)] {
        assert_eq!(guess(m), yes);
        assert_eq!(guess(&framed(m)), yes);
        for cut in 0..m.len().min(30) {
            assert_eq!(guess(&m[..cut]), Guess::More, "{cut}");
        }
        let f = framed(m);
        for cut in 0..f.len().min(30) {
            assert_eq!(guess(&f[..cut]), Guess::More, "framed {cut}");
        }
    }
    // A name longer than what is shown.
    let long = query(1, &["abcdefghij"; 9].join("."));
    assert_eq!(guess(&long[..64]), Guess::Client);
    // Multicast: id 0, no question, cache-flush bit; known answers in a query.
    assert_eq!(guess(&message(0, 0x8400, &[], [&[rr_of(&name("h.local"), A, 0x8001, 120, &[1; 4])], &[], &[]])), Guess::Client);
    let known = message(0, 0, &[("_ipp._tcp.local", 12, 0x8001)], [&[rr(Q, 12, &name("p.local"))], &[], &[]]);
    assert_eq!(guess(&known), Guess::Client);
    // A type that nobody knows yet.
    assert_eq!(guess(&message(7, 0x0100, &[("example.org", 65_400, 1)], [&[], &[], &[]])), Guess::Client);
    assert_eq!(guess(&message(7, 0x0100, &[("example.org", 65_400, 3)], [&[], &[], &[]])), Guess::No);
    // What else starts conversations: TLS, HTTP, SSH, NTP, STUN, RTP, zeros, NetBIOS name service.
    let others: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[&[0x23, 0, 6, 0xec][..], &[0; 44]].concat(),
        b"\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa",
        &[&[0x80, 0x60, 0, 1, 0, 0, 0, 0xa0][..], &[0x55; 60]].concat(),
        &[0; 64],
        b"\x80\xf0\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01",
    ];
    for (i, other) in others.iter().enumerate() {
        assert_ne!(guess(other), Guess::Client, "{i}");
        assert_ne!(guess(other), Guess::Server, "{i}");
    }
    // Chance: no message in a million.
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..1_000_000 / 20 {
        let mut bytes = [0_u8; 64];
        for b in &mut bytes {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            *b = x as u8;
        }
        assert!(matches!(guess(&bytes), Guess::No | Guess::More));
    }
}

#[test]
fn hostile_bytes_do_no_harm() {
    let mut x = 1_u64;
    let mut random = move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let base = message(
        0x0101,
        0x8180,
        &[("www.example.org", 65, 1)],
        [
            &[rr(Q, 65, b"\x00\x01\x00\x00\x01\x00\x03\x02h2"), rr(Q, 6, &soa(1)), rr(Q, 16, b"\x03abc")],
            &[rr(Q, 46, &[&[0, 1, 8, 2, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9][..], Q, &[1, 2, 3]].concat())],
            &[rr_of(&[0], 41, 1232, 0, &[0, 15, 0, 2, 0, 1])],
        ],
    );
    let on = Node::Bool(true);
    let options = ["include_authorities", "include_additionals", "send_response"].map(|o| (o, on.clone()));
    let mut talk = Talk::new("dns", Transport::UDP, &options);
    for i in 0..20_000 {
        let mut m = base.clone();
        for _ in 0..1 + random() % 4 {
            let at = random() as usize % m.len();
            m[at] = random() as u8;
        }
        m.truncate(if i % 3 == 0 { random() as usize % m.len() } else { m.len() });
        talk.server(&m);
        if i % 100 == 0 {
            talk.events();
        }
    }
    talk.close();
}
