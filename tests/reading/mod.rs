//! What the tests that read captures share: where captures are, the program run on them, its events, and tables of
//! differences that are meant.
#![allow(dead_code, unreachable_pub, reason = "each test uses what it needs")]

pub mod made;
pub mod pipeline;
pub mod segments;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A path inside the repository.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Captures of others, which are no part of this repository: `None`, and a line that says so, where they are not.
pub fn others(folder: &str) -> Option<PathBuf> {
    let path = here("../shared/captures").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

/// Files below a folder with one of these extensions (all with `None`), sorted.
pub fn files(folder: &Path, extensions: Option<&[&str]>) -> Vec<PathBuf> {
    let mut list = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if extensions
                .is_none_or(|x| path.extension().is_some_and(|e| x.contains(&e.to_str().unwrap())))
            {
                list.push(path);
            }
        }
    }
    list.sort();
    list
}

/// Our own recordings.
pub fn own() -> Vec<PathBuf> {
    files(&here("tests/captures"), Some(&["pcap"]))
}

/// What a run of the program has said.
pub struct Outcome {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Events.
    pub stdout: Vec<u8>,
    /// Warnings, counters, errors.
    pub stderr: String,
}

impl Outcome {
    /// Its events.
    pub fn events(&self) -> Vec<Value> {
        events(&self.stdout)
    }
}

/// Lines of JSON.
pub fn events(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).expect("events are UTF-8");
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

/// How long reading one capture may take before it is said to hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `wirebeat read` with these arguments to its end.
pub fn read<S: AsRef<OsStr>>(args: &[S]) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .arg("read")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("wirebeat");
    let mut out = child.stdout.take().unwrap();
    let mut err = child.stderr.take().unwrap();
    let out = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let err = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).map(|_| bytes)
    });
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            let args: Vec<_> = args.iter().map(AsRef::as_ref).collect();
            panic!("still reading after {LIMIT:?}: {args:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    Outcome {
        code: status.code(),
        stdout: out.join().unwrap().unwrap(),
        stderr: String::from_utf8_lossy(&err.join().unwrap().unwrap()).into_owned(),
    }
}

/// An event's fields by their dotted names. Arrays stay whole.
pub fn flatten(event: &Value) -> BTreeMap<String, Value> {
    fn walk(path: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(&path, value, out);
                }
            }
            other => drop(out.insert(path.to_owned(), other.clone())),
        }
    }
    let mut out = BTreeMap::new();
    walk("", event, &mut out);
    out
}

/// A field by its dotted name.
pub fn field<'a>(event: &'a Value, name: &str) -> &'a Value {
    if let Some(value) = event.get(name) {
        return value;
    }
    name.match_indices('.')
        .filter_map(|(at, _)| event.get(&name[..at]).map(|inner| field(inner, &name[at + 1..])))
        .find(|value| !value.is_null())
        .unwrap_or(&Value::Null)
}

/// Whether `text` is what `pattern` describes; `*` stands for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A table: tab-separated, a line of names first, `#` begins a comment.
pub struct Table {
    path: PathBuf,
    /// Its lines.
    pub rows: Vec<Row>,
}

/// One line of a table.
pub struct Row {
    /// Where it stands, from 1.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<String>,
    /// How often it applied.
    pub used: Cell<usize>,
}

impl Table {
    /// Reads one; every line must have as many cells as the first has names.
    pub fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(n, line)| (n + 1, line.split('\t').map(str::to_owned).collect::<Vec<_>>()));
        let columns = lines.next().map_or(0, |(_, names)| names.len());
        let rows = lines
            .map(|(line, cells)| {
                assert_eq!(cells.len(), columns, "{}:{line}: cells, expected", path.display());
                Row { line, cells, used: Cell::new(0) }
            })
            .collect();
        Self { path: path.to_owned(), rows }
    }

    /// The first line that describes these values, cell by cell; it is then in use.
    pub fn find(&self, values: &[&str]) -> Option<&Row> {
        let fits = |row: &&Row| values.iter().zip(&row.cells).all(|(value, pattern)| matches(pattern, value));
        let row = self.rows.iter().find(fits)?;
        row.used.set(row.used.get() + 1);
        Some(row)
    }

    /// Lines that describe nothing any more.
    pub fn stale(&self) -> Vec<String> {
        let unused = self.rows.iter().filter(|r| r.used.get() == 0);
        unused
            .map(|r| {
                format!("{}:{}: applies to nothing: {}", self.path.display(), r.line, r.cells.join(" | "))
            })
            .collect()
    }
}
