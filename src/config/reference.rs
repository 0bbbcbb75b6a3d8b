//! The options for `docs/options.md`, from the code that reads them.

use std::fmt::Write;

use wirebeat_model::config::OptionDoc;
use wirebeat_proto::PROTOCOLS;
use wirebeat_system::Options;

use super::{describe, dialect, flows, general, interfaces, keeping, protocols, system};

/// Every section that is read: its key, a sentence, its options.
pub fn sections() -> Vec<(String, &'static str, Vec<OptionDoc>)> {
    let mut all = vec![
        (String::new(), "At the top of the file.", describe(general::describe_top)),
        ("timestamp".into(), "How times are written.", describe(general::precision)),
        ("wirebeat".into(), "What is our own.", describe(general::own_keys)),
        (
            "wirebeat.journal".into(),
            "The log on disk that events go through.",
            describe(keeping::journal_keys),
        ),
        ("wirebeat.store".into(), "What is kept of events.", describe(keeping::store_keys)),
        ("wirebeat.api".into(), "The Elasticsearch-compatible API.", describe(keeping::api_keys)),
        ("wirebeat.ui".into(), "The pages for a browser.", describe(keeping::ui_keys)),
        ("packetbeat".into(), "Capture.", describe(dialect::keys)),
        (
            "packetbeat.interfaces".into(),
            "Where packets come from; a list of such maps for several.",
            describe(interfaces::keys),
        ),
        ("packetbeat.flows".into(), "What is reported of connections.", describe(|s| flows::keys(s, false))),
        (
            "system".into(),
            "What is measured of the host, as Metricbeat's module system takes it.",
            describe(|s| system::keys(s, &mut Options::default())),
        ),
        ("system.process.include_top_n".into(), "Which processes are told.", describe(system::top_keys)),
        (
            "topbeat".into(),
            "What is measured of the host, as Topbeat took it; `input` in 1.x.",
            describe(|s| system::topbeat_keys(s, &mut Options::default())),
        ),
        ("topbeat.stats".into(), "", describe(|s| system::stats_keys(s, &mut Options::default()))),
        ("output.file".into(), "Events to files.", describe(general::describe_file)),
        ("output.console".into(), "Events to standard output.", describe(general::console_keys)),
    ];
    for entry in PROTOCOLS {
        let options = describe(|s| {
            let _ = entry.configure(s, true);
            protocols::shared(s);
        });
        all.push((format!("packetbeat.protocols.{}", entry.spec.name), "", options));
    }
    all
}

/// `docs/options.md`.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Options\n\n\
         Keys of the configuration file. Made by `WIREBEAT_BLESS=1 cargo test --test config` from the code that reads them;\n\
         do not edit.\n\n\
         Dotted keys and nested maps mean the same; `-E key=value` sets one on the command line. Protocols stand in a list\n\
         (`packetbeat.protocols: [{type: http, ports: [80]}]`) or in a map (`packetbeat.protocols.http.ports: [80]`).\n\n\
         Without a configuration every protocol runs and is recognised by content; the ports below are hints. In a\n\
         packetbeat.yml a protocol runs only if its section is there, is not disabled and names its ports, and on those only,\n\
         unless `wirebeat.detect: true`.\n",
    );
    for (key, text, options) in sections() {
        let title = if key.is_empty() { "The top".to_owned() } else { format!("`{key}`") };
        let _ = write!(out, "\n## {title}\n\n");
        if !text.is_empty() {
            let _ = write!(out, "{text}\n\n");
        }
        out.push_str("| Key | Takes | Default | Meaning |\n|---|---|---|---|\n");
        let mut seen = Vec::new();
        for option in options {
            if seen.contains(&option.name) || option.takes.is_empty() {
                continue;
            }
            seen.push(option.name);
            let default = if option.default.is_empty() {
                String::new()
            } else {
                format!("`{}`", cell(&option.default))
            };
            let _ = writeln!(
                out,
                "| `{}` | {} | {default} | {} |",
                option.name,
                cell(option.takes),
                cell(option.doc)
            );
        }
    }
    let names: Vec<String> = general::not_yet().map(|name| format!("`{name}`")).collect();
    let _ = write!(
        out,
        "\n## Not honoured yet\n\n\
         Understood as keys of Beats; each is a warning when it asks for something, and nothing else:\n{}.\n\n\
         Outputs other than `file` and `console`, and Packetbeat's protocols that are not listed here, likewise.\n",
        names.join(", ")
    );
    out
}

/// A text that does not break a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
