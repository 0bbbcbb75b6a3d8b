//! The pages made from the code are current. `WIREBEAT_BLESS=1 cargo test --test config` makes them anew.

use std::path::Path;
use std::process::Command;

fn current(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("WIREBEAT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "docs/{name} is not current: WIREBEAT_BLESS=1 cargo test --test config makes it anew"
    );
}

#[test]
fn options() {
    current("options.md", &wirebeat::config::reference::markdown());
}

#[test]
fn losses() {
    current("losses.md", &wirebeat::health::losses::markdown());
}

#[test]
fn fields() {
    let output = Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .args(["fields", "--format", "markdown"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    current("fields.md", &String::from_utf8(output.stdout).unwrap());
}
