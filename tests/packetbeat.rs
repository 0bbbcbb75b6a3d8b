//! Packetbeat's own captures: what it says of them is what we say, field by field. What is different on purpose stands,
//! with its reason, in `tests/packetbeat/differences.tsv`; a line there that describes nothing is as wrong as a
//! difference that has none.
//!
//! The captures and the peer's events (`expect/`, how they were made is in its README) belong to Packetbeat and are not
//! part of this repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use reading::{Table, events, field, files, flatten, here, matches, others, read};
use serde_json::Value;
use wirebeat_model::community_id;
use wirebeat_net::{L4, decode};
use wirebeat_proto::PROTOCOLS;

/// What is compared: flow records, and the transactions of protocols that are decoded.
fn is_compared(kind: &str) -> bool {
    kind == "flow" || PROTOCOLS.iter().any(|entry| entry.spec.name == kind)
}

/// Depends on the machine: the peer knows its own addresses, we have none when a file is read.
const NOT_COMPARED: [&str; 2] = ["network.direction", "process."];

/// Shows an absent value.
const NONE: &str = "-";

fn show(value: Option<&Value>) -> String {
    value.map_or_else(|| NONE.to_owned(), Value::to_string)
}

fn config() -> Vec<String> {
    vec!["-c".into(), here("tests/packetbeat/packetbeat.yml").display().to_string()]
}

/// Our events of a capture, with options on top of the peer's defaults.
fn ours(capture: &Path, options: &[&str]) -> Vec<u8> {
    let mut args = config();
    for option in options {
        args.extend(["-E".into(), (*option).to_owned()]);
    }
    args.push(capture.display().to_string());
    let outcome = read(&args);
    assert_eq!(outcome.code, Some(0), "{}: {}", capture.display(), outcome.stderr);
    outcome.stdout
}

/// Whether ours says what theirs does: the same, or more in an object.
fn covers(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.iter().all(|(key, value)| ours.get(key).is_some_and(|o| covers(o, value)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| covers(o, t))
        }
        _ => ours == theirs,
    }
}

type Fields = BTreeMap<String, Value>;

/// The two ends of an event, whichever is which. Ports only if the peer tells them.
fn ends(event: &Fields, ports: bool) -> BTreeSet<String> {
    let end = |side: &str| {
        let part = |name: &str| show(event.get(&format!("{side}.{name}")));
        if ports { format!("{} {}", part("ip"), part("port")) } else { part("ip") }
    };
    BTreeSet::from([end("source"), end("destination")])
}

/// How an event that has no counterpart is told in the table.
fn brief(event: &Fields) -> String {
    let text = |name: &str| event.get(name).map_or("", |v| v.as_str().unwrap_or(""));
    let number = |name: &str| event.get(name).map_or(String::new(), |v| format!(":{v}"));
    format!(
        "{}{} > {}{}, {} packets",
        text("source.ip"),
        number("source.port"),
        text("destination.ip"),
        number("destination.port"),
        show(event.get("network.packets")),
    )
}

/// One field (or a whole event) that is not the same: type, field, theirs, ours.
type Difference = [String; 4];

fn fields_that_differ(theirs: &Fields, ours: &Fields) -> Vec<Difference> {
    theirs
        .iter()
        .filter(|(name, _)| !NOT_COMPARED.iter().any(|n| name.starts_with(n)))
        .filter(|(name, value)| !ours.get(*name).is_some_and(|o| covers(o, value)))
        .map(|(name, value)| [kind(theirs), name.clone(), value.to_string(), show(ours.get(name))])
        .collect()
}

fn kind(event: &Fields) -> String {
    event["type"].as_str().unwrap().to_owned()
}

/// Pairs events of the same type between the same ends, the most similar first, and tells what differs.
fn differences(theirs: &[Fields], ours: &[Fields]) -> Vec<Difference> {
    let mut pairs = Vec::new();
    for (t, their) in theirs.iter().enumerate() {
        for (o, our) in ours.iter().enumerate() {
            let ports = their.contains_key("source.port");
            if kind(their) == kind(our) && ends(their, ports) == ends(our, ports) {
                pairs.push((fields_that_differ(their, our), t, o));
            }
        }
    }
    pairs.sort_by_key(|(differing, t, o)| (differing.len(), *t, *o));
    let (mut paired_theirs, mut paired_ours) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    for (differing, t, o) in pairs {
        if !paired_theirs.contains(&t) && !paired_ours.contains(&o) {
            paired_theirs.insert(t);
            paired_ours.insert(o);
            found.extend(differing);
        }
    }
    let alone = |event: &Fields, theirs: bool| {
        let (brief, none) = (brief(event), NONE.to_owned());
        let (t, o) = if theirs { (brief, none) } else { (none, brief) };
        [kind(event), "(event)".to_owned(), t, o]
    };
    found.extend(
        theirs.iter().enumerate().filter(|(t, _)| !paired_theirs.contains(t)).map(|(_, e)| alone(e, true)),
    );
    found.extend(
        ours.iter().enumerate().filter(|(o, _)| !paired_ours.contains(o)).map(|(_, e)| alone(e, false)),
    );
    found
}

/// Every capture the peer was run on: its events and ours.
#[test]
fn the_peers_events() {
    let Some(folder) = others("packetbeat") else { return };
    let table = Table::load(&here("tests/packetbeat/differences.tsv"));
    let mut wrong = Vec::new();
    for expected in files(&folder.join("expect"), Some(&["ndjson"])) {
        let name = expected.strip_prefix(folder.join("expect")).unwrap().with_extension("");
        let decoded = |event: &Fields| is_compared(&kind(event));
        let read_all =
            |bytes: &[u8]| -> Vec<Fields> { events(bytes).iter().map(flatten).filter(decoded).collect() };
        let theirs = read_all(&std::fs::read(&expected).unwrap());
        let ours = read_all(&ours(&folder.join(&name), &[]));
        let name = name.display().to_string();
        for [kind, field, theirs, ours] in differences(&theirs, &ours) {
            if table.find(&[&name, &kind, &field, &theirs, &ours]).is_none() {
                wrong.push([name.clone(), kind, field, theirs, ours].join("\t"));
            }
        }
    }
    wrong.extend(table.stale());
    assert!(wrong.is_empty(), "{} things differ\n{}", wrong.len(), wrong.join("\n"));
}

/// What the peer's own tests state of its captures, some with options, in `tests/packetbeat/statements.tsv`.
#[test]
fn the_peers_statements() {
    let Some(folder) = others("packetbeat") else { return };
    let table = Table::load(&here("tests/packetbeat/statements.tsv"));
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
    for row in &table.rows {
        let [capture, options, which, name, expected] = &row.cells[..] else { unreachable!() };
        if which != "*" && !is_compared(which.split('#').next().unwrap()) {
            continue;
        }
        let text = seen.entry((capture.clone(), options.clone())).or_insert_with(|| {
            let options: Vec<&str> = options.split(' ').filter(|o| *o != NONE).collect();
            ours(&folder.join(capture), &options)
        });
        if let Err(what) = holds(text, which, name, expected) {
            wrong.push(format!("line {}: {}: {what}", row.line, row.cells.join(" | ")));
        }
    }
    // Nothing the peer states of what we decode is left out.
    let manifest = Table::load(&folder.join("MANIFEST.tsv"));
    for row in &manifest.rows {
        let (capture, protocols) = (&row.cells[0], &row.cells[1]);
        let mut words = protocols.split(['/', '+', ' ', '-']);
        let decoded = words.any(|word| word == "community" || is_compared(word));
        if decoded && !table.rows.iter().any(|r| r.cells[0] == *capture) {
            wrong.push(format!("MANIFEST.tsv:{}: nothing is asserted of {capture}", row.line));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a statement is true. `which` is `TYPE` (every event of it, at least one), `TYPE#N` (the N-th, from 1, in
/// order of `event.start`), or `*` (all events).
fn holds(text: &[u8], which: &str, name: &str, expected: &str) -> Result<(), String> {
    let mut all = events(text);
    all.sort_by_key(|e| (show(Some(field(e, "event.start"))), show(Some(field(e, "event.end")))));
    let (kind, number) =
        which.split_once('#').map_or((which, None), |(k, n)| (k, Some(n.parse::<usize>().unwrap())));
    let mut chosen: Vec<&Value> = all.iter().filter(|e| kind == "*" || e["type"] == kind).collect();
    if let Some(count) = expected.strip_prefix("count ") {
        let n = chosen.len();
        return if n.to_string() == count { Ok(()) } else { Err(format!("there are {n}")) };
    }
    if let Some(number) = number {
        chosen = chosen.get(number - 1).copied().into_iter().collect();
    }
    if chosen.is_empty() {
        return Err("no such event".into());
    }
    for event in chosen {
        let value = field(event, name);
        let text = value.as_str().unwrap_or("");
        let (verb, rest) = expected.split_once(' ').unwrap_or((expected, ""));
        let fine = match verb {
            "=" => *value == serde_json::from_str::<Value>(rest).unwrap_or_else(|e| panic!("{rest}: {e}")),
            "like" => matches(rest, text),
            "absent" => value.is_null(),
            "present" => !value.is_null(),
            "keys" => {
                let (prefix, count) = rest.split_once(' ').unwrap();
                let keys = value.as_object().into_iter().flatten();
                keys.filter(|(key, _)| key.starts_with(prefix)).count().to_string() == count
            }
            "nowhere" => !event.to_string().contains(rest),
            "length" => {
                let (from, to) = rest.split_once("..").unwrap();
                let length = match value {
                    Value::Array(list) => list.len(),
                    Value::Object(map) => map.len(),
                    _ => text.len(),
                };
                (from.parse().unwrap()..=to.parse().unwrap()).contains(&length)
            }
            other => panic!("{other}: no such verb"),
        };
        if !fine {
            let what = if name == NONE { event.to_string() } else { value.to_string() };
            return Err(format!("it is {what}"));
        }
    }
    Ok(())
}

/// The community ids of every packet, as the specification's own tool has them (`flowhash/*.log`).
#[test]
fn community_ids_of_every_packet() {
    let Some(folder) = others("packetbeat/flowhash") else { return };
    let logs = files(&folder, Some(&["log"]));
    assert_eq!(logs.len(), 7);
    for log in logs {
        let mut reader = wirebeat_capture::file::Reader::open(log.with_extension("")).unwrap();
        for (n, line) in std::fs::read_to_string(&log).unwrap().lines().enumerate() {
            let at = format!("{}:{}", log.display(), n + 1);
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [time, id, of] = parts[..] else { panic!("{at}: {line}") };
            let frame = reader.next().unwrap().unwrap_or_else(|| panic!("{at}: no more packets"));
            let micros: i64 = time.replace('.', "").parse().unwrap();
            assert_eq!(frame.time.0 / 1000, micros, "{at}");
            if id == "<not IP>" {
                assert!(decode(&frame).is_err(), "{at}");
                continue;
            }
            let packet = decode(&frame).unwrap_or_else(|e| panic!("{at}: {e:?}"));
            let icmp = match packet.l4 {
                L4::Icmp { kind, code } => Some((kind, code)),
                _ => None,
            };
            let (from, to) = (packet.key.sender(packet.dir), packet.key.receiver(packet.dir));
            let transport = packet.key.transport();
            let ours = community_id(from, to, transport, icmp);
            assert_eq!(std::str::from_utf8(&ours).unwrap(), id, "{at}");
            let addresses: Vec<IpAddr> = of.split(' ').take(2).map(|a| a.parse().unwrap()).collect();
            assert_eq!([from.addr(), to.addr()], addresses[..], "{at}");
        }
        assert!(reader.next().unwrap().is_none(), "{}: packets without a line", log.display());
    }
}
