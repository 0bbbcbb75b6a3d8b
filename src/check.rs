//! `wirebeat check`: what a configuration amounts to, what in it is odd, what is wrong.

use std::fmt::Write;
use std::path::Path;

use crate::cli::CheckArgs;
use crate::config::{self, Config, ConfigErrors, Notice};

/// What to print, and whether the configuration can be used (exit code 0, else 2).
pub fn report(args: &CheckArgs) -> (String, bool) {
    let redact = args.redact.map(bool::from);
    let result = config::load(args.path(), &args.set, redact);
    (render(args.path(), &result), result.is_ok())
}

fn render(path: Option<&Path>, result: &Result<Config, ConfigErrors>) -> String {
    let mut out = String::new();
    let (errors, warnings): (&[Notice], &[Notice]) = match result {
        Ok(config) => {
            out.push_str(&config.summary());
            (&[], &config.warnings)
        }
        Err(errors) => (&errors.errors, &errors.warnings),
    };
    if !out.is_empty() && !warnings.is_empty() {
        out.push('\n');
    }
    for warning in warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    for error in errors {
        let _ = writeln!(out, "error: {error}");
    }
    let name = path.map_or("without a configuration".to_owned(), |p| p.display().to_string());
    let count = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let verdict = if errors.is_empty() { "can be used" } else { "cannot be used" };
    let _ = writeln!(
        out,
        "\n{name}: {verdict} ({}, {})",
        count(errors.len(), "error"),
        count(warnings.len(), "warning")
    );
    out
}
