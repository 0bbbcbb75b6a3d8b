//! The captures under `tests/captures`, recorded from real servers by `cargo xtask record`: each has a text beside
//! it that says what client and server themselves counted, and that is what has to come out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Captures under a folder that have a text with `Expect:`.
fn recordings(protocol: &str) -> Vec<(PathBuf, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(protocol);
    let mut list: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .filter_map(|path| {
            let text = std::fs::read_to_string(path.with_extension("txt")).ok()?;
            let (_, expected) = text.split_once("\nExpect:\n")?;
            Some((path, expected.lines().map(|line| line.trim().to_owned()).collect()))
        })
        .collect();
    list.sort();
    assert!(!list.is_empty(), "no recordings in {}", folder.display());
    list
}

fn read(capture: &Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_wirebeat")).arg("read").arg(capture).output().expect("wirebeat");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", capture.display(), output.status);
    String::from_utf8(output.stdout).expect("events are UTF-8")
}

/// What is wrong with one recording's events, line by line.
fn differences(capture: &Path, expected: &[String]) -> Vec<String> {
    let text = read(capture);
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let mut wrong = Vec::new();
    for line in expected {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        match (word, number.parse::<usize>()) {
            ("nowhere", _) => {
                if let Some(event) = text.lines().find(|event| event.contains(rest)) {
                    wrong.push(format!("{rest:?} stands in {event}"));
                }
            }
            ("http" | "dns" | "redis" | "icmp" | "flow", Ok(number)) => {
                let seen = events.iter().filter(|event| event["type"] == word).count();
                if seen != number {
                    wrong.push(format!("{seen} {word} events; {line}"));
                }
            }
            _ => {}
        }
    }
    if read(capture) != text {
        wrong.push("a second reading differs from the first".to_owned());
    }
    wrong
}

fn check(protocol: &str) {
    let wrong: Vec<String> = recordings(protocol)
        .iter()
        .flat_map(|(capture, expected)| {
            let name = capture.file_stem().unwrap().to_string_lossy().into_owned();
            differences(capture, expected).into_iter().map(move |what| format!("{protocol}/{name}: {what}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn http() {
    check("http");
}

#[test]
fn dns() {
    check("dns");
}

#[test]
fn redis() {
    check("redis");
}

#[test]
fn icmp() {
    check("icmp");
}
