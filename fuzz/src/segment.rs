//! Segments of the store as nobody wrote them: raw bytes, and a whole one changed anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::json;
use wirebeat::engine;
use wirebeat_store::Store;
use wirebeat_store::exec::{self, Context, IndexBlocks, Mapping};
use wirebeat_store::lang::request::SearchRequest;

use super::script::Script;
use super::search::{fill, options};

/// The files of a store: where they are, and what is in them.
fn whole() -> &'static Vec<(PathBuf, Vec<u8>)> {
    static WHOLE: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let dir = tempfile::tempdir_in(place()).expect("a directory");
        let (store, _) = Store::open(dir.path(), options(), engine::schema()).expect("a store");
        // So many that ten of them are read without the others.
        fill(&store, 60);
        drop(store);
        let mut files = Vec::new();
        gather(dir.path(), dir.path(), &mut files);
        files.sort();
        files
    })
}

/// Memory, where there is a place that is.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn gather(root: &Path, at: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(at).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("below").to_owned();
            files.push((name, fs::read(&path).expect("a file")));
        }
    }
}

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let dir = tempfile::tempdir_in(place()).expect("a directory");
    let files = whole();
    let chosen = usize::from(script.u8()) % files.len();
    for (i, (name, bytes)) in files.iter().enumerate() {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let mut bytes = bytes.clone();
        if i == chosen {
            change(&mut script, &mut bytes);
        }
        fs::write(path, bytes).expect("room");
    }
    // What cannot be read is an error, and nothing else is lost.
    let Ok((store, _)) = Store::open(dir.path(), options(), engine::schema()) else { return };
    let view = store.view();
    let indices: Vec<IndexBlocks<'_>> =
        view.indices.iter().map(|i| IndexBlocks { name: &i.name, blocks: &i.blocks }).collect();
    let mut mapping = Mapping::from_schema(engine::schema());
    for block in view.indices.iter().flat_map(|i| &i.blocks) {
        mapping.add_all(block.fields());
    }
    for body in [
        json!({"size": 10, "sort": [{"event.duration": "desc"}]}),
        json!({"size": 0, "aggs": {
            "a": {"terms": {"field": "type"}}, "b": {"date_histogram": {"field": "@timestamp", "calendar_interval": "year", "min_doc_count": 1}},
            "c": {"cardinality": {"field": "client.ip"}}, "d": {"stats": {"field": "client.port"}},
        }}),
        json!({"query": {"query_string": {"query": "fox OR \"192.0.2.1\""}}}),
        // By the numbers of texts: those of a field that was counted, and of one that is read for it.
        json!({"query": {"bool": {"should": [{"wildcard": {"type": "*t*"}}, {"prefix": {"status": "O"}}]}}}),
    ] {
        let request = SearchRequest::parse(&body).expect("a search");
        let _answer_or_error = exec::search(&indices, &mapping, &request, &Context::at(0));
    }
}

/// Changes bytes, cuts, or puts others in the place of all.
fn change(script: &mut Script<'_>, bytes: &mut Vec<u8>) {
    if script.u8() == 255 {
        *bytes = script.rest().to_vec();
        return;
    }
    while script.more() {
        let (kind, at) = (script.u8(), script.u16());
        if bytes.is_empty() {
            return;
        }
        // The end of a file says what is in it: half of the changes are there.
        let at = usize::from(at) % bytes.len();
        let at = if kind & 1 == 0 { at } else { bytes.len() - 1 - at };
        match kind >> 1 & 3 {
            0 => bytes[at] = script.u8(),
            1 => bytes[at] ^= 1 << (script.u8() & 7),
            2 => bytes.truncate(at),
            _ => {
                let own = script.bytes(8).to_vec();
                let end = bytes.len().min(at + own.len());
                bytes[at..end].copy_from_slice(&own[..end - at]);
            }
        }
    }
}
