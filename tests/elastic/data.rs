//! The documents that every server is asked about: real events, moved to days on which clocks change, years end and
//! February has a 29th, and hand-made ones with everything that events seldom have.
//!
//! They are kept beside the recorded answers (`recorded/events.ndjson.zst`), so that a change of a decoder changes
//! no answer. `WIREBEAT_BLESS=events` makes them anew.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use wirebeat_model::{JsonWriter, Precision, Time, read_event};

use crate::reading::{files, here, others, own, read};

/// How many documents there are.
pub(crate) const DOCUMENTS: usize = 20_000;

/// Days in UTC: the end of a year, a 29th of February, the days on which clocks change in New York and Berlin with
/// those before and after, two days one after the other in November.
const DAYS: [&str; 10] = [
    "2023-12-31",
    "2024-01-01",
    "2024-02-29",
    "2024-03-10",
    "2024-03-30",
    "2024-03-31",
    "2024-10-26",
    "2024-10-27",
    "2024-11-03",
    "2024-11-04",
];

/// The day of the hand-made documents.
const EDGE: &str = "2024-02-29";

const DAY: i64 = 86_400_000_000_000;

fn file() -> PathBuf {
    here("tests/elastic/recorded/events.ndjson.zst")
}

/// All documents, in the order in which they are stored.
pub(crate) fn documents() -> Vec<Value> {
    let packed = std::fs::read(file()).expect("tests/elastic/recorded/events.ndjson.zst");
    let text = zstd::decode_all(packed.as_slice()).unwrap();
    text.split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect()
}

/// The index of a document: `packetbeat-` and its day.
pub(crate) fn index(document: &Value) -> String {
    let day = &document["@timestamp"].as_str().expect("@timestamp")[..10];
    format!("packetbeat-{}", day.replace('-', "."))
}

/// The `_id` of a document.
pub(crate) fn id(document: &Value) -> &str {
    document["event"]["id"].as_str().expect("event.id")
}

/// Makes the documents from captures, and writes them.
pub(crate) fn make() {
    let mut captures = own();
    let bench = others("bench").expect("the bench's captures are needed to make the documents");
    for name in ["mixt", "rediss"] {
        captures.extend(files(&bench, Some(&["zst"])).into_iter().filter(|f| stem(f) == name));
    }
    let edge = edge();
    let mut events = Vec::new();
    for capture in captures {
        events.extend(read(&[&capture]).events());
    }
    events.truncate(DOCUMENTS - edge.len());
    let mut documents = spread(events);
    // The hand-made ones come last in their index.
    let at = documents.iter().rposition(|d| index(d).ends_with("2024.02.29")).unwrap() + 1;
    documents.splice(at..at, edge);
    assert_eq!(documents.len(), DOCUMENTS, "more captures are needed");
    let text: String = documents.iter().map(|d| format!("{}\n", as_stored(d))).collect();
    std::fs::write(file(), zstd::encode_all(text.as_bytes(), 22).unwrap()).unwrap();
}

/// A document as our store gives it back: an event can be all of it, times have nine digits, addresses one form.
fn as_stored(document: &Value) -> Value {
    let schema = wirebeat::engine::schema();
    let entries = read_event(schema, &document.to_string()).unwrap_or_else(|e| panic!("{e}: {document}"));
    let mut text = Vec::new();
    JsonWriter::new(schema, Precision::Nano).write(&entries, &mut text);
    serde_json::from_slice(&text).unwrap()
}

fn stem(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap().split('.').next().unwrap()
}

/// Gives each event a day and a time of day. Neighbours go to different days; on each day they are spread evenly,
/// some fall on one instant, some on one millisecond, and some are stored later than those that follow them.
fn spread(events: Vec<Value>) -> Vec<Value> {
    let per_day = events.len().div_ceil(DAYS.len());
    let mut days: Vec<Vec<(i64, Value)>> = DAYS.iter().map(|_| Vec::new()).collect();
    for (n, event) in events.into_iter().enumerate() {
        // 7 and 10 have no common divisor: each day gets its share of every capture.
        let day = n * 7 % DAYS.len();
        let rank = days[day].len();
        let slot = if rank % 7 < 2 { rank - rank % 7 } else { rank };
        let mut offset = DAY / i64::try_from(per_day).unwrap() * i64::try_from(slot).unwrap();
        offset -= offset % 1_000_000;
        if rank % 7 == 1 && rank.is_multiple_of(2) {
            offset += 1_000 * i64::try_from(rank % 900).unwrap(); // the same millisecond, not the same instant
        }
        let start = nanos(&format!("{}T00:00:00Z", DAYS[day]));
        days[day].push((start + offset, event));
    }
    for day in &mut days {
        for at in (5..day.len()).step_by(11) {
            day.swap(at, at - 4);
        }
    }
    days.into_iter().flatten().map(|(time, event)| moved(event, time)).collect()
}

/// The event at another time: begin and end keep their distance from `@timestamp`.
fn moved(mut event: Value, to: i64) -> Value {
    let from = nanos(event["@timestamp"].as_str().unwrap());
    for name in ["start", "end"] {
        if let Some(text) = event["event"][name].as_str() {
            let then = nanos(text) - from + to;
            event["event"][name] = json!(text_of(then));
        }
    }
    event["@timestamp"] = json!(text_of(to));
    event
}

fn nanos(text: &str) -> i64 {
    Time::parse_rfc3339(text).expect("a time").0
}

fn text_of(nanos: i64) -> String {
    let mut text = Vec::new();
    Time(nanos).write_rfc3339(Precision::Nano, &mut text);
    String::from_utf8(text).unwrap()
}

/// What events seldom have: lists of every kind, lists of one, empty lists, empty and very long texts, texts
/// beyond ASCII, the largest whole numbers, the same address written in several ways, instants with nanoseconds.
fn edge() -> Vec<Value> {
    let long = "x".repeat(32_766); // the longest term that Lucene takes
    let list = [
        json!({"client": {"ip": ["10.9.0.1", "2001:db8::1"], "port": [1, 2, 3]}}),
        json!({"client": {"ip": ["10.9.0.2"], "port": [4]}}),
        json!({"client": {"ip": [], "port": []}, "status": []}),
        json!({"client": {"port": []}, "status": ["x", "y"]}),
        json!({"client": {"ip": ["10.9.0.3"], "port": [5]}, "status": [""]}),
        json!({"client": {"ip": "::ffff:10.9.0.4"}}),
        json!({"client": {"ip": "2001:DB8:0:0:0:0:0:2"}}),
        json!({"client": {"ip": "2001:db8::2"}}),
        json!({"client": {"ip": "0.0.0.0"}}),
        json!({"client": {"ip": "255.255.255.255"}}),
        json!({"client": {"ip": "::"}}),
        json!({"client": {"ip": "::1"}}),
        json!({"client": {"ip": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}),
        json!({"client": {"bytes": i64::MAX}}),
        json!({"client": {"bytes": i64::MIN}}),
        json!({"client": {"bytes": 9_007_199_254_740_993_i64}}),
        json!({"client": {"bytes": 0}}),
        json!({"client": {"bytes": -1}}),
        json!({"client": {"bytes": [10, 20, 20]}}),
        json!({"query": ""}),
        json!({"query": long}),
        json!({"query": "Ünïcödé Straße ΣΊΣΥΦΟΣ 東京 \u{1F980}"}),
        json!({"query": "UPPER lower MiXeD"}),
        json!({"query": "upper LOWER mIxEd"}),
        json!({"query": "star*question?back\\slash\"quote"}),
        json!({"query": "line\nbreak\ttab\u{0}nul"}),
        json!({"query": " leading and trailing "}),
        json!({"query": ["several", "values", "several"]}),
        json!({"query": "a"}),
        json!({"query": "A"}),
        json!({"query": "é"}),
        json!({"query": "e\u{301}"}),
        json!({"query": "\u{FF21}\u{10FFFF}"}),
        json!({"request": "The quick brown fox jumps over the lazy dog"}),
        json!({"request": "the QUICK fox. A dog's life; wi-fi 10.0.0.1 foo@bar.com 3.14 don't"}),
        json!({"request": "quick quick brown"}),
        json!({"request": ["brown fox", "quick dog"]}),
        json!({"request": ""}),
        json!({"request": "Straße 東京タワー ΣΊΣΥΦΟΣ Ünïcödé"}),
        json!({"response": "fox", "request": "dog"}),
        json!({"response": "brown dog", "request": "quick fox"}),
        json!({"dns": {"answers": [{"data": "10.9.1.1", "ttl": "60", "type": "A"}, {"data": "10.9.1.2", "ttl": "120", "type": "A"}]}}),
        json!({"dns": {"answers": [{"data": "10.9.1.3", "ttl": "60", "type": "A"}]}}),
        json!({"dns": {"answers": []}}),
        json!({"dns": {"flags": {"authoritative": true}}}),
        json!({"dns": {"flags": {"authoritative": false}}}),
        json!({"dns": {"flags": {"authoritative": [true, false]}}}),
        json!({"dns": {"opt": {"keepalive": 0.1}}}),
        json!({"dns": {"opt": {"keepalive": 1.5}}}),
        json!({"dns": {"opt": {"keepalive": 1e9}}}),
        json!({"dns": {"opt": {"keepalive": -0.0}}}),
        json!({"dns": {"opt": {"keepalive": [0.5, 2.5]}}}),
        json!({"http": {"request": {"headers": {"host": "edge.test", "x-list": ["a", "b"], "x-number": 7, "x-empty": ""}}}}),
        json!({"http": {"request": {"headers": {"host": "edge.test", "accept": "*/*"}}}}),
        json!({"http": {"request": {"headers": {"host": "EDGE.test"}}}}),
        json!({"http": {"request": {"headers": {}}}}),
        json!({"event": {"start": "2024-02-29T12:00:00Z", "end": "2024-02-29T12:00:00.000000001Z"}}),
        json!({"event": {"start": "2024-02-29T23:59:59.999999999Z", "end": "2024-03-01T00:00:00Z"}}),
        json!({"event": {"start": "1969-12-31T23:59:59.999Z", "end": "1970-01-01T00:00:00.000Z"}}),
        json!({"event": {"start": "2024-02-29T11:00:00Z"}}),
        json!({"event": {"start": ["2024-02-29T10:00:00Z", "2024-02-29T11:00:00Z"]}}),
        json!({}),
    ];
    let named = |(n, body): (usize, &Value)| {
        let mut document = body.clone();
        let event = document.as_object_mut().unwrap().entry("event").or_insert_with(|| json!(Map::new()));
        event["id"] = json!(format!("ed9e{n:028}"));
        event["dataset"] = json!("edge");
        event["kind"] = json!("event");
        document["type"] = json!("edge");
        // Two on each instant.
        document["@timestamp"] = json!(format!("{EDGE}T{:02}:30:00.000{:03}Z", n / 2 % 24, n / 2));
        document
    };
    list.iter().enumerate().map(named).collect()
}
