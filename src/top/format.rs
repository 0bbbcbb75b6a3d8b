//! Numbers and names in few columns.

/// Bytes in at most six columns: `999`, `1.5K`, `12.3G`.
pub(super) fn bytes(n: f64) -> String {
    let mut n = n.max(0.0);
    for unit in ["", "K", "M", "G", "T", "P"] {
        if n < 999.5 {
            return if unit.is_empty() || n >= 99.95 {
                format!("{n:.0}{unit}")
            } else {
                format!("{n:.1}{unit}")
            };
        }
        n /= 1024.0;
    }
    format!("{n:.0}E")
}

/// A share from 0 to 1 in percent.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |s| format!("{:.1}", s * 100.0))
}

/// Milliseconds as days, hours and minutes.
pub(super) fn duration(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, _) => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}

/// A text that cannot control a terminal: control characters, and those that reorder or hide text, are shown as `?`.
pub(super) fn harmless(text: &str) -> String {
    let hides = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars().map(|c| if c.is_control() || hides(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_columns() {
        let shown: Vec<_> = [0.0, 999.0, 1000.0, 1024.0, 102_349.0, 1e9, 5e15, -1.0].map(bytes).to_vec();
        assert_eq!(shown, ["0", "999", "1.0K", "1.0K", "100K", "954M", "4.4P", "0"]);
        assert!((0..64).all(|n| bytes(2f64.powi(n)).len() <= 6));
        assert_eq!((percent(Some(0.1234)), percent(None)), ("12.3".into(), "-".into()));
        assert_eq!([59_000, 3_600_000, 90_000_000].map(duration), ["0m", "1h 00m", "1d 01h"]);
    }

    #[test]
    fn no_escape_gets_through() {
        assert_eq!(harmless("a\u{1b}[2J\u{9b}b\u{202e}c\u{7f}\td\u{e4}"), "a?[2J?b?c??d\u{e4}");
    }
}
