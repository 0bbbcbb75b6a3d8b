//! DuckDB and Polars, which read the store's files as others would: in a Python of their own under `target/python`.
//! `crates/store/tests/interop.rs` asks them.

use anyhow::Result;

use crate::shell;

const DIR: &str = "target/python";
const PACKAGES: [&str; 2] = ["duckdb==2.0.1", "polars==2.1.0"];

/// Installs them, unless they are there. Without Python, says what is skipped.
pub(crate) fn setup() -> Result<()> {
    let python = shell::root().join(DIR).join("bin/python");
    let runs = |program: &std::path::Path, code: &str| {
        shell::status(shell::command(program).args(["-c", code])).is_ok_and(|status| status.success())
    };
    if python.exists() && runs(&python, "import duckdb, polars") {
        return Ok(());
    }
    let Some(system) = shell::which("python3").filter(|p| runs(p, "import ensurepip, venv")) else {
        eprintln!("set-up: no python3 with venv; skipped: interop");
        return Ok(());
    };
    shell::run(shell::command(system).args(["-m", "venv", DIR]))?;
    shell::run(shell::command(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))
}
