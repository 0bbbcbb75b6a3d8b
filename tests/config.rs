//! Configurations as people write them: what they come to, what is said about them, and where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "config/dialects.rs"]
mod dialects;
#[path = "config/docs.rs"]
mod docs;
#[path = "config/hostile.rs"]
mod hostile;
#[path = "config/options.rs"]
mod options;
#[path = "config/program.rs"]
mod program;
#[path = "config/sections.rs"]
mod sections;

use std::path::{Path, PathBuf};

use wirebeat::config::{Config, ConfigErrors, Notice, parse};
use wirebeat_proto::PROTOCOLS;

/// Reads a text as the file `test.yml`, with this environment.
fn read_in(text: &str, overrides: &[&str], environment: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    let find = |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    parse(Some(Path::new("test.yml")), text, &overrides, None, &find)
}

fn read(text: &str) -> Result<Config, ConfigErrors> {
    read_in(text, &[], &[])
}

/// Reads a text that is right.
#[track_caller]
fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// Reads a text that is wrong in one place.
#[track_caller]
fn bad(text: &str) -> String {
    match read(text) {
        Ok(config) => panic!("{text}\n{config:?}"),
        Err(errors) => {
            assert_eq!(errors.errors.len(), 1, "{text}\n{errors}");
            errors.to_string()
        }
    }
}

/// The lines said beside it, without the one about secrets.
fn warnings(config: &Config) -> Vec<String> {
    said(&config.warnings)
}

fn said(warnings: &[Notice]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).filter(|w| !w.contains("secrets are not masked")).collect()
}

fn decodes(name: &str) -> bool {
    PROTOCOLS.iter().any(|entry| entry.spec.name == name)
}

fn names(config: &Config) -> Vec<&'static str> {
    let mut names: Vec<_> = config.protocols.iter().map(|p| p.spec().name).collect();
    names.sort_unstable();
    names
}

fn all_names() -> Vec<&'static str> {
    let mut names: Vec<_> = PROTOCOLS.iter().map(|e| e.spec.name).collect();
    names.sort_unstable();
    names
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}
