//! Sizes as Elasticsearch writes them.

/// Bytes with a unit and at most one decimal, cut, not rounded: `208b`, `1.2kb`, `5mb`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(1 << 50, "pb"), (1 << 40, "tb"), (1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    for (size, unit) in UNITS {
        if n >= size {
            let (whole, tenth) = (n / size, u128::from(n % size) * 10 / u128::from(size));
            return match tenth {
                0 => format!("{whole}{unit}"),
                tenth => format!("{whole}.{tenth}{unit}"),
            };
        }
    }
    format!("{n}b")
}

/// Bytes in a unit, as a whole number: `?bytes=kb`.
pub(crate) fn bytes_in(n: u64, unit: &str) -> Option<u64> {
    let shift = match unit {
        "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        "p" | "pb" => 50,
        _ => return None,
    };
    Some(n >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (n, text) in [
            (0, "0b"),
            (1023, "1023b"),
            (1024, "1kb"),
            (1300, "1.2kb"),
            (1535, "1.4kb"),
            (1536, "1.5kb"),
            (2047, "1.9kb"),
            (5 << 20, "5mb"),
            (u64::MAX, "16383.9pb"),
        ] {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(bytes_in(5000, "kb"), Some(4));
        assert_eq!(bytes_in(5000, "eb"), None);
    }
}
