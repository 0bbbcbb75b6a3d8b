//! CPU seconds, user and system, as proc(5) tells them: in ticks of 10 ms.
#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::expect_used, reason = "a bench that cannot run says why")]

/// Of a process so far, all threads: of a number, or `self`.
pub(crate) fn of(process: &str) -> f64 {
    seconds(process, 11)
}

/// Of all ended children of this process.
pub(crate) fn children() -> f64 {
    seconds("self", 13)
}

/// Two neighbouring fields, counted from the one behind the name.
fn seconds(process: &str, first: usize) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("/proc");
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        after_name.split_whitespace().skip(first).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
