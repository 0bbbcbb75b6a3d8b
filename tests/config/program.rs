//! The program with configurations: what it prints and its exit code.

use std::process::{Command, Output};

use super::*;

fn wirebeat(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wirebeat")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn with_file(content: &str, run: impl FnOnce(&str)) {
    let dir = std::env::temp_dir().join(format!("wirebeat-check-{}-{:p}", std::process::id(), &content));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("packetbeat.yml");
    std::fs::write(&file, content).unwrap();
    run(file.to_str().unwrap());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn check_a_good_one() {
    let file = example("packetbeat-7x.yml");
    let output = wirebeat(&["check", "-c", file.to_str().unwrap(), "-E", "packetbeat.flows.period=3s"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        "dialect      Packetbeat 5 or later: its sections and ports decide what runs\n",
        "interface    any\n",
        "flows        every 3s and at the end, totals; over after 30s of silence\n",
        "protocol     dns on 53 only\n",
        "packetbeat-7x.yml:67:1: setup: not honoured yet: templates and dashboards are not installed\n",
        "packetbeat-7x.yml: can be used (0 errors, ",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn check_a_bad_one() {
    with_file("packetbeat.flows:\n  period: soon\n  timout: 5s\n", |file| {
        let output = wirebeat(&["check", "-c", file]);
        assert_eq!(output.status.code(), Some(2));
        let expected = format!(
            "warning: {file}:3:3: packetbeat.flows.timout: not known and not used; did you mean timeout?\n\
             error: {file}:2:11: packetbeat.flows.period: expected a duration such as 10s, 500ms or 1m30s, found \"soon\"\n\
             \n{file}: cannot be used (1 error, 1 warning)\n"
        );
        assert_eq!(text(&output.stdout), expected);
    });
}

#[test]
fn nothing_starts_with_a_bad_one() {
    with_file("packetbeat.interfaces.snaplen: 1\n", |file| {
        for args in
            [&["run", "-c", file, "-o", "-"][..], &["-c", file], &["read", "-c", file, "/no/such.pcap"]]
        {
            let output = wirebeat(args);
            assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
            assert!(
                text(&output.stderr)
                    .contains(&format!("{file}:1:32: packetbeat.interfaces.snaplen: expected")),
                "{output:?}"
            );
            assert!(output.stdout.is_empty());
        }
    });
}

#[test]
fn packetbeats_commands() {
    let file = example("wirebeat.yml");
    let output = wirebeat(&["test", "config", "-c", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = wirebeat(&["export", "template"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("wirebeat: export is not here yet"), "{output:?}");
}

#[test]
fn fields_as_json() {
    let output = wirebeat(&["fields", "--format", "json"]);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = list.iter().find(|f| f["name"] == "source.bytes").unwrap();
    assert_eq!(
        (&bytes["type"], &bytes["unit"], &bytes["class"]),
        (&"long".into(), &"bytes".into(), &"plain".into())
    );
    assert!(list.iter().all(|f| f["description"].as_str().is_some_and(|d| !d.is_empty())));
}
