//! Bytes as a configuration, with overrides.

use std::path::Path;

use wirebeat::{config, engine};
use wirebeat_capture::filter::Filter;

use super::script::Script;

pub fn run(data: &[u8]) {
    let mut s = Script::new(data);
    let options = s.u8();
    let text = String::from_utf8_lossy(s.rest()).into_owned();
    // What stands behind a NUL is given with -E.
    let mut parts = text.split('\0');
    let text = parts.next().unwrap_or_default();
    let overrides: Vec<String> = parts.map(str::to_owned).collect();
    let path = (options & 1 != 0).then(|| Path::new("packetbeat.yml"));
    let redact = [None, Some(true), Some(false), None][usize::from(options >> 1 & 3)];
    let environment = |name: &str| match name {
        "A" => Some("http".to_owned()),
        "B" => Some("${A}".to_owned()),
        "PORTS" => Some("80, 443".to_owned()),
        _ => None,
    };
    match config::parse(path, text, &overrides, redact, &environment) {
        Ok(config) => {
            config.warnings.iter().for_each(|w| assert!(!w.to_string().is_empty()));
            if let Some(ports) = config.ports() {
                drop(Filter::ports(&ports));
            }
            if let Some(filter) = &config.bpf_filter {
                drop(Filter::parse(filter));
            }
            let settings = engine::settings(&config, 1, Vec::new(), 1, true);
            let addr = [[192, 0, 2, 1], [10, 0, 0, 1]].map(std::net::IpAddr::from);
            (settings.direction)(addr[0], addr[1]);
            drop((config.devices(), config.files()));
        }
        Err(errors) => {
            let text = errors.to_string();
            assert!(!text.is_empty());
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(control), "an error controls a terminal: {text:?}");
        }
    }
}

/// A seed: a file as it is given to the program.
pub fn seed(text: &[u8]) -> Vec<u8> {
    [&[1], text].concat()
}
