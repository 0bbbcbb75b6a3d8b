//! The store as the HTTP API sees it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use wirebeat_model::{Kind, Schema, Time};
use wirebeat_store::exec::{self, Context, IndexBlocks, Limits, Mapping};
use wirebeat_store::lang::EsError;
use wirebeat_store::lang::request::{SearchRequest, only_query};
use wirebeat_store::{Store, View};
use wirebeat_web::{Backend, Failure, FieldInfo, Health, Identity, IndexInfo, SearchOptions, Snapshot};

/// A store behind the API.
pub struct StoreBackend {
    store: Arc<Store>,
    source: u64,
    known: Mutex<Known>,
}

/// What was found out about views before: most of the next one is the same.
struct Known {
    mapping: Arc<Mapping>,
    /// Kinds of the mapping's fields.
    kinds: HashMap<String, Vec<Kind>>,
    last: Option<Arc<Seen>>,
}

/// What is in the store at one moment.
struct Seen {
    view: Arc<View>,
    indices: Vec<IndexInfo>,
    mapping: Arc<Mapping>,
    /// Fields by index, once somebody asks.
    fields: Vec<OnceLock<Vec<FieldInfo>>>,
}

/// Who the API says it is: this host, and a name of its own for every sensor.
pub fn identity(source: u64) -> Identity {
    let node = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Identity {
        cluster: "wirebeat".to_owned(),
        node: node.trim().to_owned(),
        uuid: uuid(source, ""),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// A name that no other sensor gives: 22 characters of base64url.
fn uuid(source: u64, name: &str) -> String {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(&source.to_be_bytes());
    hash.update(name.as_bytes());
    let bytes = hash.digest().bytes();
    URL_SAFE_NO_PAD.encode(bytes.get(..16).unwrap_or_default())
}

impl StoreBackend {
    /// A store whose fields are declared in `schema`; `source` is the sensor's number.
    pub fn new(store: Arc<Store>, schema: &Schema, source: u64) -> Self {
        let mut kinds: HashMap<String, Vec<Kind>> = HashMap::new();
        for field in schema.fields() {
            kinds.entry(field.name().to_owned()).or_default().push(field.kind());
        }
        let mapping = Arc::new(Mapping::from_schema(schema));
        Self { store, source, known: Mutex::new(Known { mapping, kinds, last: None }) }
    }

    fn seen(&self) -> Arc<Seen> {
        let view = self.store.view();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = known.last.as_ref().filter(|last| Arc::ptr_eq(&last.view, &view)) {
            return Arc::clone(last);
        }
        known.learn(&view);
        let indices: Vec<IndexInfo> = view
            .indices
            .iter()
            .map(|index| IndexInfo {
                name: index.name.clone(),
                uuid: uuid(self.source, &index.name),
                docs: index.documents,
                deleted: 0,
                size_bytes: index.bytes,
                segments: index.blocks.len() as u64,
                created_ms: index.time.0.div_euclid(1_000_000),
            })
            .collect();
        let fields = indices.iter().map(|_| OnceLock::new()).collect();
        let seen = Arc::new(Seen { view, indices, mapping: Arc::clone(&known.mapping), fields });
        known.last = Some(Arc::clone(&seen));
        seen
    }
}

impl Known {
    /// Adds the fields of blocks that the last view did not have. What was known stays: a field whose last document was
    /// deleted is one without values.
    fn learn(&mut self, view: &View) {
        let last = self.last.take();
        let mut new: Vec<(String, Kind)> = Vec::new();
        for index in &view.indices {
            let before = last.as_ref().and_then(|last| {
                let at = last.view.indices.binary_search_by(|i| i.name.cmp(&index.name)).ok()?;
                last.view.indices.get(at)
            });
            let before = before.map_or(&[][..], |index| &index.blocks);
            let same = index.blocks.iter().zip(before).take_while(|(a, b)| Arc::ptr_eq(a, b)).count();
            for block in index.blocks.iter().skip(same) {
                for (name, kind) in block.fields() {
                    let kinds = self.kinds.get_mut(name);
                    match kinds {
                        Some(kinds) if kinds.contains(kind) => continue,
                        Some(kinds) => kinds.push(*kind),
                        None => {
                            self.kinds.insert(name.clone(), vec![*kind]);
                        }
                    }
                    new.push((name.clone(), *kind));
                }
            }
        }
        if !new.is_empty() {
            let mut mapping = Mapping::clone(&self.mapping);
            mapping.add_all(&new);
            self.mapping = Arc::new(mapping);
        }
    }
}

impl Backend for StoreBackend {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.seen()
    }

    fn delete_index(&self, name: &str) -> Result<(), Failure> {
        match self.store.delete_index(name) {
            Ok(_) => Ok(()),
            Err(e) => Err(Failure::new(500, "i_o_exception", e.to_string())),
        }
    }

    fn health(&self) -> Health {
        // What cannot be written stays in the journal and is searched all the same.
        match self.store.stats(Time::now()).failing {
            None => Health::Green,
            Some(_) => Health::Yellow,
        }
    }
}

impl Seen {
    fn blocks<'a>(&'a self, names: &[&'a str]) -> Vec<IndexBlocks<'a>> {
        let by_name = |name: &&'a str| {
            let at = self.view.indices.binary_search_by(|index| index.name.as_str().cmp(name)).ok()?;
            let index = self.view.indices.get(at)?;
            Some(IndexBlocks { name: &index.name, blocks: &index.blocks })
        };
        names.iter().filter_map(by_name).collect()
    }

    fn fields_of(&self, at: usize) -> Vec<FieldInfo> {
        let filled: std::collections::HashSet<&str> = self
            .view
            .indices
            .get(at)
            .into_iter()
            .flat_map(|index| &index.blocks)
            .flat_map(|block| block.fields())
            .map(|(name, _)| name.as_str())
            .collect();
        let about = |name: &str| {
            let field = self.mapping.get(name)?;
            let kind = if field.geo { "geo_point" } else { field.kind.es_type() };
            let filled = filled.contains(field.column.as_str());
            let alias_of = (field.column != name).then_some(field.column);
            if alias_of.is_some() && !filled {
                return None;
            }
            Some(FieldInfo { name: name.to_owned(), kind, alias_of, filled })
        };
        self.mapping.matching("*").into_iter().filter_map(about).collect()
    }
}

impl Snapshot for Seen {
    fn indices(&self) -> &[IndexInfo] {
        &self.indices
    }

    fn fields(&self, index: &str) -> Vec<FieldInfo> {
        let at = self.indices.binary_search_by(|info| info.name.as_str().cmp(index)).ok();
        let known = at.and_then(|at| Some((at, self.fields.get(at)?)));
        known.map_or_else(Vec::new, |(at, fields)| fields.get_or_init(|| self.fields_of(at)).clone())
    }

    fn search(&self, indices: &[&str], body: &Value, options: &SearchOptions) -> Result<Value, Failure> {
        let first = indices.first().copied().unwrap_or_default();
        let mut request = SearchRequest::parse(body).map_err(|e| failure(e.placed(first)))?;
        request.typed_keys = options.typed_keys;
        exec::search(&self.blocks(indices), &self.mapping, &request, &context(options)).map_err(failure)
    }

    fn count(&self, indices: &[&str], body: &Value, options: &SearchOptions) -> Result<u64, Failure> {
        let first = indices.first().copied().unwrap_or_default();
        let query = only_query(body).map_err(|e| failure(e.placed(first)))?;
        let answer =
            exec::count(&self.blocks(indices), &self.mapping, &query, &context(options)).map_err(failure)?;
        Ok(answer.get("count").and_then(Value::as_u64).unwrap_or(0))
    }

    fn validate(&self, indices: &[&str], body: &Value) -> Result<(), Failure> {
        let first = indices.first().copied().unwrap_or_default();
        let query = only_query(body).map_err(|e| failure(e.placed(first)))?;
        // Planned for every index, over no rows.
        let names: Vec<IndexBlocks<'_>> =
            indices.iter().map(|name| IndexBlocks { name, blocks: &[] }).collect();
        let context = Context::at(now_ms());
        exec::count(&names, &self.mapping, &query, &context).map(|_| ()).map_err(failure)
    }
}

fn context(options: &SearchOptions) -> Context {
    Context {
        now: now_ms(),
        deadline: Some(options.deadline),
        cancelled: Some(Arc::clone(&options.cancelled)),
        limits: Limits::default(),
    }
}

fn now_ms() -> i64 {
    Time::now().0.div_euclid(1_000_000)
}

fn failure(e: EsError) -> Failure {
    Failure { status: e.status, body: e.to_json() }
}
