//! Every recording under `tests/captures` gives the events in the file beside it, read without a configuration.
//!
//! `WIREBEAT_BLESS=1` writes what is missing or has changed. What is written is right only if somebody has read it
//! against the text beside the recording; that the number of transactions agrees with the text is checked here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::path::Path;

use reading::{events, here, own, read};
use wirebeat_proto::PROTOCOLS;

/// Which lines are not the same, a few of them.
fn differences(golden: &str, ours: &str) -> String {
    let pairs = golden.lines().zip(ours.lines()).enumerate();
    let differing = pairs.filter(|(_, (golden, ours))| golden != ours);
    let shown: Vec<String> = differing
        .take(3)
        .map(|(n, (golden, ours))| format!("line {}:\n- {golden}\n+ {ours}", n + 1))
        .collect();
    format!("{} lines, {} expected\n{}", ours.lines().count(), golden.lines().count(), shown.join("\n"))
}

/// `http 3` in the text: client and server have counted three.
fn counts(capture: &Path) -> Vec<(String, usize)> {
    let text = std::fs::read_to_string(capture.with_extension("txt")).unwrap();
    let (_, expected) =
        text.split_once("\nExpect:\n").unwrap_or_else(|| panic!("{}: no Expect:", capture.display()));
    let lines = expected.lines().filter_map(|line| line.trim().split_once(' '));
    lines
        .filter_map(|(kind, rest)| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            PROTOCOLS
                .iter()
                .any(|p| p.spec.name == kind)
                .then(|| Some((kind.to_owned(), digits.parse().ok()?)))?
        })
        .collect()
}

#[test]
fn recordings_give_their_events() {
    let bless = std::env::var_os("WIREBEAT_BLESS").is_some();
    let mut wrong = Vec::new();
    for capture in own() {
        let protocol = capture.parent().unwrap().file_name().unwrap().to_str().unwrap();
        if !PROTOCOLS.iter().any(|p| p.spec.name == protocol) {
            continue;
        }
        let name = capture.strip_prefix(here("tests/captures")).unwrap().display();
        let outcome = read(&[&capture]);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
        let all = events(&outcome.stdout);
        let expected = counts(&capture);
        assert!(!expected.is_empty(), "{name}: its text counts no transactions");
        let counted_wrong = wrong.len();
        for (kind, expected) in expected {
            let seen = all.iter().filter(|e| e["type"] == *kind).count();
            if seen != expected {
                wrong.push(format!("{name}: {seen} {kind}, its text counts {expected}"));
            }
        }
        if wrong.len() > counted_wrong {
            continue;
        }
        let ours = String::from_utf8(outcome.stdout).unwrap();
        let path = capture.with_extension("ndjson");
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        if golden == ours {
            continue;
        }
        if bless {
            std::fs::write(&path, &ours).unwrap();
            eprintln!("written: {}", path.display());
        } else {
            wrong.push(format!("{name}: {}", differences(&golden, &ours)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
