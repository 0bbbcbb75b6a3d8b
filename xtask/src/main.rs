//! wirebeat's own commands: `cargo xtask test` on a fresh machine installs what is needed and runs every check.

use std::process::ExitCode;

use anyhow::{Result, bail};

mod check;
mod elastic;
mod fuzz;
#[path = "../../tests/lab/mod.rs"]
mod lab;
mod long;
mod record;
mod setup;
mod shell;
mod ui;

const HELP: &str = "\
cargo xtask COMMAND

  run [ARGS]        install what building needs, build, and run wirebeat with ARGS: without any it captures
  setup             install what building and testing need (Debian, as root)
  test [ARGS]       setup, build, front end, style, lints, licences, long runs in short, tests; ARGS go to cargo test
  style             formatting and lints only
  record [NAME]     make the captures under tests/captures anew, from real servers (as root): all, or those
                    whose name begins so; --list names them
  ui                build the front end with its locked packages, fail if that is not what is committed, and test it
                    in a browser
  elastic           download the real Elasticsearch and OpenSearch that judge our API
  long [NAME]       the long runs in full; --list names them
  fuzz [--seconds N] [TARGET]...
                    hostile input, N seconds (60) a target; --keep merges what was found into fuzz/corpus,
                    --seed makes its first inputs anew
";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// wirebeat as a new user runs it.
fn run(args: &[String]) -> Result<()> {
    // Cargo's habit of a `--` before the program's own arguments is welcome and not needed.
    let args = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    setup::setup(setup::BUILD)?;
    shell::run(shell::cargo().args(["build", "--release", "--locked"]))?;
    shell::run(shell::cargo().args(["run", "--quiet", "--release", "--locked", "--"]).args(args))
}

fn command() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match args.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", args.as_slice()),
    };
    match (name, rest) {
        ("run", _) => run(rest),
        ("setup", []) => setup::setup(setup::PACKAGES),
        ("test", _) => check::test(rest),
        ("style", []) => check::style(),
        ("record", [list]) if list == "--list" => {
            record::list();
            Ok(())
        }
        ("record", _) => record::record(rest.first().map_or("", String::as_str)),
        ("ui", []) => ui::ui(),
        ("elastic", []) => elastic::elastic(),
        ("long", [list]) if list == "--list" => {
            long::list();
            Ok(())
        }
        ("long", _) => long::full(rest.first().map(String::as_str)),
        ("fuzz", _) => fuzz::fuzz(rest),
        ("help" | "-h" | "--help", _) => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("unknown command: {}\n\n{HELP}", args.join(" ")),
    }
}
