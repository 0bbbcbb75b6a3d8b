//! The same bytes come out whatever the number of shards, and however often a capture is read: of our recordings, and
//! of the captures of others where they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::path::PathBuf;

use reading::{files, others, own, read};

/// What to read beside the recordings. The last is long: only with `WIREBEAT_FULL=1`.
const OTHERS: [&str; 3] = ["packetbeat", "public", "bench"];

fn bytes(capture: &str, shards: &str) -> (Option<i32>, Vec<u8>) {
    let outcome = read(&["--shards", shards, capture]);
    (outcome.code, outcome.stdout)
}

/// The first line that is not the same.
fn first_difference(one: &[u8], other: &[u8]) -> String {
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return "nothing but the exit code".into(),
            (a, b) if a != b => return format!("\n  {}\n  {}", a.unwrap_or("(end)"), b.unwrap_or("(end)")),
            _ => {}
        }
    }
}

fn check(captures: &[PathBuf]) {
    let mut wrong = Vec::new();
    for capture in captures {
        let capture = capture.to_str().unwrap();
        let one = bytes(capture, "1");
        for (what, shards) in [("a second reading", "1"), ("2 shards", "2"), ("4 shards", "4")] {
            let other = bytes(capture, shards);
            if one != other {
                wrong.push(format!("{capture}: {what}: {}", first_difference(&one.1, &other.1)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn recordings() {
    check(&own());
}

#[test]
fn captures_of_others() {
    let full = std::env::var_os("WIREBEAT_FULL").is_some();
    for name in OTHERS {
        if name == "bench" && !full {
            continue;
        }
        let Some(folder) = others(name) else { return };
        let known = ["pcap", "pcapng", "cap", "dmp", "pcap_", "zst"];
        check(&files(&folder, Some(&known)));
    }
}
