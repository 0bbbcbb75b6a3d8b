//! Every counter of something lost, from every room, in one table.

use std::fmt::Write;

use wirebeat_journal::Stats as Journal;
use wirebeat_model::Counters;
use wirebeat_store::Counts;
use wirebeat_system::Losses;

use crate::config::reference::cell;

/// Something that was lost, or refused, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Its name: `kernel_drops`, `journal.lost_to_quota`.
    pub name: String,
    /// How often since the start.
    pub value: u64,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

/// Where losses are counted. What does not run has none.
#[derive(Default)]
pub struct Rooms<'a> {
    /// Capture, decoding and the way to the collector.
    pub capture: Option<&'a Counters>,
    /// Measurements of the host.
    pub host: Option<&'a Losses>,
    /// The journal and its readers.
    pub journal: Option<&'a Journal>,
    /// The store.
    pub store: Option<&'a Counts>,
    /// The API and the pages.
    pub web: Vec<&'a wirebeat_web::Counters>,
}

/// Counters of the host's measurements that count no loss. What ended by itself or is closed to this user is so in each
/// period: told as a loss it would hide those that are one. Each is in the status all the same, and at the end of a run.
const HOST_SEEN: &[&str] = &["periods", "redacted", "processes_ended", "processes_refused"];
/// Counters of the store that count a loss. What it deletes because of its age or size was kept as long as was wished.
const STORE_LOST: &[&str] = &["unknown_fields", "write_failures", "unreadable", "damaged_files"];
/// Counters of the API and the pages that count a request without an answer.
const WEB_LOST: &[&str] =
    &["connections_refused", "stalled", "accept_errors", "bad_bodies", "busy", "overdue", "panics"];

impl Rooms<'_> {
    /// All of them, those of capture first.
    pub fn losses(&self) -> Vec<Loss> {
        let loss = |room: &str, (name, value, meaning): (&'static str, u64, &'static str)| {
            let name = if room.is_empty() { name.to_owned() } else { format!("{room}.{name}") };
            Loss { name, value, meaning }
        };
        let mut all: Vec<Loss> = Vec::new();
        if let Some(counters) = self.capture {
            // Those that could not be kept are the journal's.
            all.extend(counters.losses().filter(|c| c.0 != "events_refused").map(|c| loss("", c)));
        }
        if let Some(host) = self.host {
            all.extend(host.iter().filter(|c| !HOST_SEEN.contains(&c.0)).map(|c| loss("host", c)));
        }
        if let Some(journal) = self.journal {
            let of_readers =
                |value: fn(&wirebeat_journal::ReaderStats) -> u64| journal.readers.iter().map(value).sum();
            all.extend(
                [
                    (
                        "events_refused",
                        journal.events_refused,
                        "Events that could not be kept: the disk was full or failed, or an event was too large.",
                    ),
                    (
                        "lost_to_quota",
                        of_readers(|r| r.lost_to_quota),
                        "Events a reader of the journal never got, because it was behind when the quota was spent.",
                    ),
                    (
                        "lost_to_damage",
                        of_readers(|r| r.lost_to_damage),
                        "Events a reader of the journal never got, because they could not be read from the disk.",
                    ),
                    (
                        "write_errors",
                        journal.write_errors,
                        "Times a file of the journal could not be written, forced to the disk or deleted.",
                    ),
                ]
                .map(|c| loss("journal", c)),
            );
        }
        if let Some(store) = self.store {
            all.extend(store.iter().filter(|c| STORE_LOST.contains(&c.0)).map(|c| loss("store", c)));
        }
        let mut web: Vec<Loss> = Vec::new();
        for server in &self.web {
            let counters = server.iter().filter(|c| WEB_LOST.contains(&c.0)).map(|c| loss("api", c));
            if web.is_empty() {
                web.extend(counters);
            } else {
                web.iter_mut().zip(counters).for_each(|(sum, one)| sum.value += one.value);
            }
        }
        all.append(&mut web);
        all
    }
}

/// The page of all of them, for documentation.
pub fn markdown() -> String {
    let journal = Journal {
        bytes: 0,
        segments: 0,
        first_seq: 0,
        next_seq: 0,
        events: 0,
        events_refused: 0,
        write_errors: 0,
        readers: Vec::new(),
    };
    let web = wirebeat_web::Counters::default();
    let rooms = Rooms {
        capture: Some(&Counters::default()),
        host: Some(&Losses::default()),
        journal: Some(&journal),
        store: Some(&Counts::default()),
        web: vec![&web],
    };
    let mut out = String::from(
        "# What can be lost\n\n\
         Everything that wirebeat can lose or refuse has a counter: on the page *Capture*, in `/_ui/status`, and at the end of\n\
         a run. Made by `WIREBEAT_BLESS=1 cargo test --test config` from the code that counts; do not edit.\n\n\
         | Counter | Counts |\n|---|---|\n",
    );
    for loss in rooms.losses() {
        let _ = writeln!(out, "| `{}` | {} |", loss.name, cell(loss.meaning));
    }
    out.push_str(
        "\n## Counted, and no loss\n\n\
         What measurements of the host count beside: in `/_ui/status` under `capture.host`, and at the end of a run.\n\n\
         | Counter | Counts |\n|---|---|\n",
    );
    for (name, _, meaning) in Losses::default().iter().filter(|c| HOST_SEEN.contains(&c.0)) {
        let _ = writeln!(out, "| `host.{name}` | {} |", cell(meaning));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::Ordering;

    #[test]
    fn every_loss_has_a_name_of_its_own_and_a_meaning() {
        let web = [wirebeat_web::Counters::default(), wirebeat_web::Counters::default()];
        web.iter().for_each(|w| w.busy.store(2, Ordering::Relaxed));
        let journal = Journal {
            bytes: 0,
            segments: 0,
            first_seq: 0,
            next_seq: 0,
            events: 0,
            events_refused: 3,
            write_errors: 0,
            readers: Vec::new(),
        };
        let capture = Counters { kernel_drops: 5, events_refused: 9, ..Counters::default() };
        let rooms = Rooms {
            capture: Some(&capture),
            host: Some(&Losses::default()),
            journal: Some(&journal),
            store: Some(&Counts::default()),
            web: web.iter().collect(),
        };
        let losses = rooms.losses();
        let names: HashSet<_> = losses.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names.len(), losses.len());
        assert!(losses.iter().all(|l| l.meaning.ends_with('.') && l.meaning.len() > 10), "{losses:?}");
        let value = |name: &str| losses.iter().find(|l| l.name == name).map(|l| l.value);
        assert_eq!(value("kernel_drops"), Some(5));
        assert_eq!(value("journal.events_refused"), Some(3));
        assert_eq!(value("api.busy"), Some(4));
        assert_eq!(value("events_refused"), None);
        // The lists name counters that exist.
        let listed = losses.iter().filter(|l| l.name.starts_with("store.")).count();
        assert_eq!(listed, STORE_LOST.len());
        assert_eq!(losses.iter().filter(|l| l.name.starts_with("api.")).count(), WEB_LOST.len());
        assert_eq!((value("host.unreadable"), value("host.processes_ended")), (Some(0), None));
        assert!(HOST_SEEN.iter().all(|name| Losses::default().iter().any(|c| c.0 == *name)));
        assert!(Rooms::default().losses().is_empty());
    }
}
