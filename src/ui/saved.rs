//! Saved searches: one file in the data directory.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use wirebeat_web::Failure;

/// Searches at most.
const MAX_ITEMS: usize = 500;
/// Bytes of one, as JSON.
const MAX_ITEM: usize = 64 << 10;
/// Bytes of the file that are read.
const MAX_FILE: u64 = 64 << 20;
/// Bytes of a name and of a title.
const MAX_ID: usize = 64;
const MAX_TITLE: usize = 256;

/// The saved searches of a data directory.
pub(super) struct Saved {
    path: PathBuf,
    /// Held while the file is read and written.
    lock: Mutex<()>,
}

impl Saved {
    /// In `saved.json` of this directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join("saved.json"), lock: Mutex::new(()) }
    }

    /// All of them, by title.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn list(&self) -> Result<Value, Failure> {
        let _lock = self.lock();
        let mut items = self.read()?;
        items.sort_by(|a, b| a["title"].as_str().cmp(&b["title"].as_str()));
        Ok(json!({"items": items}))
    }

    /// Keeps one: `title`, and as `state` whatever the page needs. `now` as RFC 3339.
    ///
    /// # Errors
    /// 400 when it is none or too much; when the file cannot be written.
    pub(super) fn put(&self, id: &str, item: &Value, now: &str) -> Result<Value, Failure> {
        let named = !id.is_empty()
            && id.len() <= MAX_ID
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !named {
            return Err(Failure::illegal(format!(
                "a saved search's name is 1 to {MAX_ID} letters, digits, - and _"
            )));
        }
        let title = item["title"].as_str().map(str::trim).unwrap_or_default();
        if title.is_empty() || title.len() > MAX_TITLE {
            return Err(Failure::illegal(format!("[title] takes 1 to {MAX_TITLE} bytes of text")));
        }
        let mut kept = Map::new();
        kept.insert("id".into(), id.into());
        kept.insert("type".into(), "search".into());
        kept.insert("title".into(), title.into());
        kept.insert("state".into(), item["state"].clone());
        kept.insert("updated".into(), now.into());
        let kept = Value::Object(kept);
        if kept.to_string().len() > MAX_ITEM {
            return Err(Failure::illegal(format!("a saved search takes {MAX_ITEM} bytes at most")));
        }
        let _lock = self.lock();
        let mut items = self.read()?;
        let full = items.len() >= MAX_ITEMS;
        match items.iter_mut().find(|i| i["id"] == id) {
            Some(old) => old.clone_from(&kept),
            None if full => {
                return Err(Failure::illegal(format!("there are {MAX_ITEMS} saved searches already")));
            }
            None => items.push(kept.clone()),
        }
        self.write(&items)?;
        Ok(kept)
    }

    /// Forgets one.
    ///
    /// # Errors
    /// 404 when there is none; when the file cannot be written.
    pub(super) fn delete(&self, id: &str) -> Result<(), Failure> {
        let _lock = self.lock();
        let mut items = self.read()?;
        let before = items.len();
        items.retain(|i| i["id"] != id);
        if items.len() == before {
            return Err(Failure::plain(404, "there is no such saved search"));
        }
        self.write(&items)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, e: impl std::fmt::Display) -> Failure {
        Failure::new(500, "i_o_exception", format!("{}: {e}", self.path.display()))
    }

    fn read(&self) -> Result<Vec<Value>, Failure> {
        let size = match std::fs::metadata(&self.path) {
            Ok(about) => about.len(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(self.failed(e)),
        };
        if size > MAX_FILE {
            return Err(self.failed(format!("larger than {MAX_FILE} bytes")));
        }
        let text = std::fs::read(&self.path).map_err(|e| self.failed(e))?;
        let mut file: Value = serde_json::from_slice(&text).map_err(|e| self.failed(e))?;
        match file["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(self.failed("expected a list of items")),
        }
    }

    /// Written aside first: a file that is there is whole.
    fn write(&self, items: &[Value]) -> Result<(), Failure> {
        let aside = self.path.with_extension("new");
        let text = json!({"version": 1, "items": items}).to_string();
        let written = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&aside, &self.path));
        written.map_err(|e| self.failed(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_replaced_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let saved = Saved::new(dir.path());
        assert_eq!(saved.list().unwrap(), json!({"items": []}));
        let item =
            json!({"title": " Errors ", "state": "v=1&q=status:%20Error", "type": "script", "more": 1});
        let kept = saved.put("a-1", &item, "2026-11-25T10:00:00.000Z").unwrap();
        let expected = json!({
            "id": "a-1", "type": "search", "title": "Errors", "state": "v=1&q=status:%20Error",
            "updated": "2026-11-25T10:00:00.000Z",
        });
        assert_eq!(kept, expected);
        saved.put("b", &json!({"title": "All", "state": {}}), "t").unwrap();
        saved.put("a-1", &json!({"title": "Errors, new", "state": null}), "t").unwrap();
        let titles = |saved: &Saved| -> Vec<String> {
            let list = saved.list().unwrap();
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["title"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(titles(&Saved::new(dir.path())), ["All", "Errors, new"]);
        saved.delete("a-1").unwrap();
        assert_eq!(saved.delete("a-1").unwrap_err().status, 404);
        assert_eq!(titles(&saved), ["All"]);
    }

    #[test]
    fn bounded() {
        let dir = tempfile::tempdir().unwrap();
        let saved = Saved::new(dir.path());
        let good = json!({"title": "x", "state": ""});
        for id in ["", "a b", "../x", "é", &"x".repeat(65)] {
            assert_eq!(saved.put(id, &good, "t").unwrap_err().status, 400, "{id}");
        }
        for item in [
            json!({}),
            json!({"title": "  "}),
            json!({"title": "x".repeat(257)}),
            json!({"title": "x", "state": "x".repeat(MAX_ITEM)}),
        ] {
            assert_eq!(saved.put("a", &item, "t").unwrap_err().status, 400);
        }
        let items: Vec<Value> = (0..MAX_ITEMS).map(|n| json!({"id": n.to_string(), "title": "x"})).collect();
        saved.write(&items).unwrap();
        assert_eq!(saved.put("new", &good, "t").unwrap_err().status, 400);
        assert!(saved.put("7", &good, "t").is_ok());
        std::fs::write(dir.path().join("saved.json"), "nonsense").unwrap();
        // What cannot be read is not written over.
        assert_eq!(saved.put("7", &good, "t").unwrap_err().status, 500);
        assert_eq!(std::fs::read(dir.path().join("saved.json")).unwrap(), b"nonsense");
    }
}
