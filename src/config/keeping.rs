//! What is kept of events, and who may ask for it: `wirebeat.data`, `.journal`, `.store`, `.api`, `.ui`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use wirebeat_model::config::Section;

/// What is kept and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Keeping {
    /// Whether events are kept; `None`: unless they go somewhere else.
    pub enabled: Option<bool>,
    /// The directory; `None`: the platform's.
    pub data: Option<PathBuf>,
    /// Bytes the journal may take.
    pub journal_quota: u64,
    /// When the journal is forced to the disk.
    pub durability: Durability,
    /// How long events are kept, counted from when they came in.
    pub max_age: Duration,
    /// Bytes all of them may take.
    pub max_bytes: u64,
    /// The share of the disk that stays free, in percent.
    pub min_free: u8,
    /// Where the API listens; `None`: nowhere.
    pub api: Option<SocketAddr>,
    /// Where the pages are; `None`: nowhere.
    pub ui: Option<SocketAddr>,
    /// Names that API and pages answer to, beside those of this host itself.
    pub names: Vec<String>,
}

/// When the journal is forced to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every second.
    Interval,
    /// With each batch.
    Batch,
    /// When the kernel likes.
    None,
}

/// Reads the keys; what is read here is also the reference.
pub(super) fn keys(section: &mut Section<'_>) -> Keeping {
    let doc = "Directory of everything that is kept. Empty: /var/lib/wirebeat for root, else $XDG_DATA_HOME/wirebeat.";
    let data = section.string("data", "", doc);
    let item = section.raw("journal", "a map", "{}", "The log that events go through: see wirebeat.journal.");
    let mut journal = section.sub("journal", item);
    let (journal_quota, durability) = journal_keys(&mut journal);
    journal.finish();
    let item = section.raw("store", "a map", "{}", "What is kept of events: see wirebeat.store.");
    let mut store = section.sub("store", item);
    let (enabled, max_age, max_bytes, min_free) = store_keys(&mut store);
    store.finish();
    let item = section.raw("api", "a map", "{}", "The Elasticsearch-compatible API: see wirebeat.api.");
    let mut api = section.sub("api", item);
    let (api_address, names) = api_keys(&mut api);
    api.finish();
    let item = section.raw("ui", "a map", "{}", "The pages for a browser: see wirebeat.ui.");
    let mut pages = section.sub("ui", item);
    let ui = ui_keys(&mut pages);
    pages.finish();
    Keeping {
        enabled,
        data: (!data.is_empty()).then(|| data.into()),
        journal_quota,
        durability,
        max_age,
        max_bytes,
        min_free,
        api: api_address,
        ui,
        names,
    }
}

/// `wirebeat.journal`.
pub(super) fn journal_keys(section: &mut Section<'_>) -> (u64, Durability) {
    let doc = "Bytes it may take while a reader of it is behind; then the oldest events are given up, counted as lost_to_quota.";
    let quota = section.bytes("quota", 1 << 30, doc);
    if quota < 16 << 20 {
        let pos = section.pos("quota").unwrap_or_default();
        section.error(pos, "quota", "expected at least 16MiB");
    }
    let doc = "When it is forced to the disk: interval (each second), batch, or none. A killed process loses nothing with any of them; \
               a power cut does.";
    let words =
        [("interval", Durability::Interval), ("batch", Durability::Batch), ("none", Durability::None)];
    let durability = section.choice("durability", &words, 0, doc);
    (quota as u64, durability)
}

/// `wirebeat.store`.
pub(super) fn store_keys(section: &mut Section<'_>) -> (Option<bool>, Duration, u64, u8) {
    let doc = "Keep events and answer searches. Without this key: yes, unless events go to a file or to standard output.";
    let given = section.pos("enabled").is_some();
    let enabled = section.bool("enabled", true, doc);
    let doc = "Events are deleted so long after they came in, by whole days.";
    let max_age = section.duration("max_age", Duration::from_secs(7 * 86_400), doc);
    let doc = "Bytes on disk above which the oldest day is deleted.";
    let max_bytes = section.bytes("max_bytes", 10 << 30, doc);
    let doc = "Percent of the disk that stay free: below, the oldest day is deleted.";
    let min_free = section.int("min_free", 5, 0..=90, doc);
    (given.then_some(enabled), max_age, max_bytes as u64, u8::try_from(min_free).unwrap_or(5))
}

/// `wirebeat.api`.
pub(super) fn api_keys(section: &mut Section<'_>) -> (Option<SocketAddr>, Vec<String>) {
    let address = address(section, 9200, "Answer Elasticsearch's API.");
    let doc = "Names that API and pages answer to beside localhost, 127.0.0.1 and [::1]; any other Host is refused.";
    let names = section.strings("names", &[], doc);
    (address, names)
}

/// `wirebeat.ui`.
pub(super) fn ui_keys(section: &mut Section<'_>) -> Option<SocketAddr> {
    address(section, 5601, "Show what is kept in a browser.")
}

/// Where to listen, if at all.
fn address(section: &mut Section<'_>, usual: u16, what: &'static str) -> Option<SocketAddr> {
    let enabled = section.bool("enabled", true, what);
    let doc = "Address to listen on. Only addresses of this host's own loopback are open to everybody on it without a password.";
    let host = section.string("host", "127.0.0.1", doc);
    let port = section.int(
        "port",
        usual.into(),
        1..=65_535,
        "Port to listen on; the next free one when it is taken.",
    );
    let address = match host.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) if host == "localhost" => Ipv4Addr::LOCALHOST.into(),
        Err(_) => {
            let pos = section.pos("host").unwrap_or_default();
            section.error(pos, "host", format!("expected an address, found {host:?}"));
            Ipv4Addr::LOCALHOST.into()
        }
    };
    if !address.is_loopback() {
        let pos = section.pos("host").unwrap_or_default();
        section.error(
            pos,
            "host",
            "expected a loopback address: others need a password, which does not exist yet",
        );
    }
    enabled.then_some(SocketAddr::new(address, u16::try_from(port).unwrap_or(usual)))
}
