//! Public captures, judged by another tool: every one is read whole, with as many packets as others counted; of those
//! with a truth file (tshark 4.0: transactions, flows, packets and bytes of each) the same has to come out.
//!
//! Where tshark and we differ on purpose stands, with the reason, in `tests/truth/differences.tsv`; a line there that
//! describes nothing is as wrong as a difference that has none. The captures are not part of this repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::collections::BTreeMap;

use reading::{Outcome, Table, field, files, here, others, read};
use serde_json::Value;
use wirebeat_model::Time;

/// tshark's streams know no timeout, and there is one record for each of ours.
const LIKE_TSHARK: [&str; 5] = ["--redact=off", "-E", "flows.timeout=10000h", "-E", "flows.period=-1"];

/// A line of the summary.
fn counted(outcome: &Outcome, name: &str) -> u64 {
    let line = outcome.stderr.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
    line.map_or(0, |l| l.split(' ').next().unwrap().parse().unwrap())
}

/// No capture may make it panic or hang; damage is said, and all before it is used.
#[test]
fn every_capture_is_read() {
    let Some(folder) = others("public") else { return };
    let table = Table::load(&here("tests/truth/packets.tsv"));
    let mut wrong = Vec::new();
    for row in &Table::load(&folder.join("MANIFEST.tsv")).rows {
        let (name, packets) = (&row.cells[0], &row.cells[3]);
        let outcome = read(&[&folder.join(name)]);
        let said = match outcome.code {
            _ if outcome.stderr.contains("panicked") => format!("panic: {}", outcome.stderr),
            Some(0) => "0".to_owned(),
            Some(1) => {
                let error =
                    outcome.stderr.lines().find_map(|l| l.strip_prefix("error: ")).unwrap_or("nothing said");
                error
                    .rsplit_once(name.as_str())
                    .map_or(error, |(_, what)| what.trim_start_matches([':', ' ']))
                    .to_owned()
            }
            code => format!("{code:?}"),
        };
        outcome.events();
        let ours = counted(&outcome, "packets").to_string();
        // Not counted by others: said to be none of a known kind.
        let same = packets.is_empty() || ours == *packets;
        if (said != "0" || !same) && table.find(&[name, packets, &ours, &said]).is_none() {
            wrong.push([name.as_str(), packets, &ours, &said].join("\t"));
        }
    }
    wrong.extend(table.stale());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a tool says of a capture, each with how often.
type Facts = BTreeMap<(&'static str, String), usize>;

fn add(facts: &mut Facts, what: &'static str, value: impl Into<String>) {
    *facts.entry((what, value.into())).or_default() += 1;
}

#[test]
fn what_tshark_says() {
    let Some(folder) = others("public") else { return };
    let table = Table::load(&here("tests/truth/differences.tsv"));
    let mut wrong = Vec::new();
    for truth in files(&folder.join("truth"), Some(&["json"])) {
        let truth: Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
        let name = truth["file"].as_str().unwrap();
        let mut args: Vec<String> = LIKE_TSHARK.map(str::to_owned).to_vec();
        args.push(folder.join(name).display().to_string());
        let outcome = read(&args);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
        let (theirs, ours) = (tshark(&truth), ours(&outcome.events()));
        let keys: std::collections::BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
        for key in keys {
            let count = |facts: &Facts| facts.get(key).copied().unwrap_or(0).to_string();
            let (theirs, ours) = (count(&theirs), count(&ours));
            if theirs != ours && table.find(&[name, key.0, &key.1, &theirs, &ours]).is_none() {
                wrong.push([name, key.0, &key.1, &theirs, &ours].join("\t"));
            }
        }
    }
    wrong.extend(table.stale());
    assert!(wrong.is_empty(), "{} things differ\n{}", wrong.len(), wrong.join("\n"));
}

fn records<'a>(truth: &'a Value, protocol: &str) -> impl Iterator<Item = &'a Value> {
    truth[protocol]["records"].as_array().into_iter().flatten()
}

fn first<'a>(record: &'a Value, name: &str) -> Option<&'a str> {
    record[name][0].as_str()
}

fn tshark(truth: &Value) -> Facts {
    let mut facts = Facts::new();
    for record in records(truth, "http") {
        let all = |name: &str| record[name].as_array().cloned().unwrap_or_default();
        for (method, uri) in all("request.method").iter().zip(all("request.uri")) {
            add(&mut facts, "http method", method.as_str().unwrap());
            add(
                &mut facts,
                "http request",
                format!("{} {}", method.as_str().unwrap(), uri.as_str().unwrap()),
            );
        }
        for code in all("response.code") {
            add(&mut facts, "http response", code.as_str().unwrap());
        }
    }
    for record in records(truth, "dns") {
        let answer = first(record, "flags.response") == Some("1");
        let name = first(record, "qry.name").unwrap_or("-").trim_end_matches('.');
        let name = if name == "<Root>" { "" } else { name };
        let kind = first(record, "qry.type").map_or("-", type_name);
        let question = format!("{kind} {name}");
        if answer {
            let rcode = first(record, "flags.rcode").map_or("-", rcode_name);
            let answers = first(record, "count.answers").unwrap();
            add(&mut facts, "dns answer", format!("{question}, {rcode}, {answers} answers"));
        } else {
            add(&mut facts, "dns query", question);
        }
    }
    for protocol in ["icmp", "icmpv6"] {
        for record in records(truth, protocol) {
            // What an error quotes comes second.
            add(&mut facts, protocol, first(record, "type").unwrap());
        }
    }
    for flow in truth["flows"].as_array().unwrap() {
        let side = |ip: &str, port: &str, side: &str| {
            let number = |what: &str| flow[format!("{side}_{what}")].to_string();
            let port = flow[port].as_u64().map_or(String::new(), |p| format!(" {p}"));
            format!("{}{port} sent {} in {}", flow[ip].as_str().unwrap(), number("bytes"), number("pkts"))
        };
        let sides = [side("src", "sport", "src"), side("dst", "dport", "dst")];
        // Microseconds are what the other side has.
        let time = |name: &str| flow[name].as_str().map(|t| t[..t.len() - 3].to_owned()).unwrap();
        add_flow(&mut facts, flow["proto"].as_str().unwrap(), sides, [time("first_ts"), time("last_ts")]);
    }
    facts
}

fn ours(events: &[Value]) -> Facts {
    let mut facts = Facts::new();
    for event in events {
        let text = |name: &str| field(event, name).as_str().unwrap_or("-");
        match text("type") {
            "http" => {
                if !field(event, "http.request").is_null() {
                    add(&mut facts, "http method", text("http.request.method"));
                    add(
                        &mut facts,
                        "http request",
                        format!("{} {}", text("http.request.method"), text("url.original")),
                    );
                }
                if !field(event, "http.response").is_null() {
                    add(&mut facts, "http response", field(event, "http.response.status_code").to_string());
                }
            }
            "dns" => {
                let question = format!("{} {}", text("dns.question.type"), text("dns.question.name"));
                let both = !field(event, "client.bytes").is_null() && !field(event, "server.bytes").is_null();
                if both || text("dns.type") == "query" {
                    add(&mut facts, "dns query", question.clone());
                }
                if text("dns.type") == "answer" {
                    let answers = field(event, "dns.answers_count");
                    add(
                        &mut facts,
                        "dns answer",
                        format!("{question}, {}, {answers} answers", text("dns.response_code")),
                    );
                }
            }
            "icmp" => {
                let protocol = if text("network.transport") == "icmp" { "icmp" } else { "icmpv6" };
                for half in ["icmp.request.type", "icmp.response.type"] {
                    if let Some(kind) = field(event, half).as_u64() {
                        add(&mut facts, protocol, kind.to_string());
                    }
                }
            }
            "flow" => {
                let side = |side: &str| {
                    let number = |what: &str| field(event, &format!("flow.total.{side}.{what}")).to_string();
                    let port = field(event, &format!("{side}.port")).as_u64();
                    let port = port.map_or(String::new(), |p| format!(" {p}"));
                    let (bytes, packets) = (number("bytes"), number("packets"));
                    format!("{}{port} sent {bytes} in {packets}", text(&format!("{side}.ip")))
                };
                let transport = text("network.transport");
                let time = |name: &str| {
                    let micros = Time::parse_rfc3339(text(name)).unwrap().0 / 1000;
                    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
                };
                let times = [time("event.start"), time("event.end")];
                add_flow(&mut facts, transport, [side("source"), side("destination")], times);
            }
            _ => {}
        }
    }
    facts
}

/// A flow, whoever began.
fn add_flow(facts: &mut Facts, transport: &str, mut sides: [String; 2], times: [String; 2]) {
    sides.sort();
    let transport = match transport {
        "icmpv6" => "ipv6-icmp",
        other => other,
    };
    let flow = format!("{transport}: {}", sides.join(", "));
    add(facts, "flow times", format!("{flow}, from {} to {}", times[0], times[1]));
    add(facts, "flow", flow);
}

fn type_name(number: &str) -> &str {
    match number {
        "1" => "A",
        "12" => "PTR",
        "16" => "TXT",
        "28" => "AAAA",
        "33" => "SRV",
        "252" => "AXFR",
        "255" => "ANY",
        other => other,
    }
}

fn rcode_name(number: &str) -> &str {
    match number {
        "0" => "NOERROR",
        "3" => "NXDOMAIN",
        other => other,
    }
}
