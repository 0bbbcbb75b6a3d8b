//! Parameters of the address: `?a=1&b`.

use std::borrow::Cow;
use std::time::Duration;

use crate::Failure;

/// Parameters, at most.
const MAX: usize = 256;

/// Parameters that every call takes.
const COMMON: &[&str] = &["error_trace", "filter_path", "format", "human", "pretty"];

/// Names and values, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads what stands behind the `?`.
    ///
    /// # Errors
    /// When there are too many, or they are no text.
    pub(crate) fn parse(query: &str) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            if all.len() == MAX {
                return Err(Failure::illegal(format!("more than {MAX} parameters")));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.push((decode(name, true)?, decode(value, true)?));
        }
        Ok(Self(all))
    }

    /// Adds one, e.g. a part of the path.
    pub(crate) fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    /// The value of a parameter; the last one if it is there several times.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is neither absent nor empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The parts of a list joined by commas; nothing when it is not there.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|value| value.split(',').filter(|part| !part.is_empty()).collect())
    }

    /// `true`, `false`, or nothing but the name for `true`.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some("" | "true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Failure::illegal(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// The same, `false` when it is not there.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.boolean(name)?.unwrap_or(false))
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<i32>() {
            Ok(n) => Ok(Some(n.into())),
            Err(_) => Err(Failure::not_a_number(
                format!("Failed to parse int parameter [{name}] with value [{text}]"),
                text,
            )),
        }
    }

    /// A span of time such as `30s`.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Duration>, Failure> {
        self.text(name).map(|text| time_value(text, name)).transpose()
    }

    /// Refuses parameters that a call does not know, as Elasticsearch does: a typing error must not go unseen.
    ///
    /// # Errors
    /// 400 with what may have been meant.
    pub(crate) fn only(&self, path: &str, known: &[&[&str]]) -> Result<(), Failure> {
        let is_known = |name: &str| COMMON.contains(&name) || known.iter().any(|list| list.contains(&name));
        let mut unknown: Vec<&str> =
            self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !is_known(name)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let plural = if unknown.len() > 1 { "s" } else { "" };
        let mut text = format!("request [{path}] contains unrecognized parameter{plural}: ");
        for (i, name) in unknown.iter().enumerate() {
            text.push_str(if i > 0 { ", " } else { "" });
            text.push_str(&format!("[{name}]"));
            let near = near(name, known);
            match near.as_slice() {
                [] => {}
                [one] => text.push_str(&format!(" -> did you mean [{one}]?")),
                several => text.push_str(&format!(" -> did you mean any of [{}]?", several.join(", "))),
            }
        }
        Err(Failure::illegal(text))
    }
}

/// Names that differ from this one by less than half their length, the nearest first.
fn near<'a>(name: &str, known: &[&[&'a str]]) -> Vec<&'a str> {
    if name.len() > 64 {
        return Vec::new(); // the measure takes time of both lengths
    }
    let candidates = COMMON.iter().chain(known.iter().flat_map(|list| list.iter()));
    let mut scored: Vec<(f64, &str)> = candidates
        .map(|candidate| (strsim::normalized_levenshtein(name, candidate), *candidate))
        .filter(|(score, _)| *score > 0.5)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup();
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `%xx` to bytes, and `+` to a space in parameters.
///
/// # Errors
/// When it is not UTF-8 or not complete.
pub(crate) fn decode(text: &str, plus: bool) -> Result<String, Failure> {
    let text: Cow<'_, str> =
        if plus && text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let bad = || Failure::illegal(format!("invalid escape sequence in [{text}]"));
    while let Some(b) = rest.next() {
        if b != b'%' {
            bytes.push(b);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else { return Err(bad()) };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// A span of time as Elasticsearch writes it: `30s`, `5m`, `0`, `-1`.
///
/// # Errors
/// When it is none.
pub(crate) fn time_value(text: &str, name: &str) -> Result<Duration, Failure> {
    let lower = text.trim().to_ascii_lowercase();
    if lower == "0" {
        return Ok(Duration::ZERO);
    }
    if lower == "-1" {
        return Ok(Duration::MAX);
    }
    // "ms", "nanos" and "micros" before "s".
    let units: [(&str, u64); 7] = [
        ("nanos", 1),
        ("micros", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    for (unit, nanos) in units {
        let Some(number) = lower.strip_suffix(unit) else { continue };
        let number = number.trim();
        return match number.parse::<u64>() {
            Ok(n) => Ok(Duration::from_nanos(n.saturating_mul(nanos))),
            Err(_) if number.parse::<f64>().is_ok() && number.contains('.') => Err(Failure::illegal(
                format!("failed to parse [{text}], fractional time values are not supported"),
            )),
            Err(_) => Err(Failure::not_a_number(format!("failed to parse [{text}]"), number)),
        };
    }
    Err(Failure::illegal(format!(
        "failed to parse setting [{name}] with value [{text}] as a time value: unit is missing or unrecognized"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(failure: &Failure) -> &str {
        failure.body["error"]["reason"].as_str().unwrap()
    }

    #[test]
    fn values() {
        let params = Params::parse("q=a+b%2Bc&v&size=10&bad=x&list=a,,b&pretty=false").unwrap();
        assert_eq!(params.get("q"), Some("a b+c"));
        assert_eq!(params.boolean("v").unwrap(), Some(true));
        assert!(!params.flag("pretty").unwrap());
        assert_eq!(params.integer("size").unwrap(), Some(10));
        assert_eq!(params.list("list").unwrap(), ["a", "b"]);
        assert_eq!(
            reason(&params.boolean("bad").unwrap_err()),
            "Failed to parse value [x] as only [true] or [false] are allowed."
        );
        let failure = params.integer("bad").unwrap_err();
        assert_eq!(reason(&failure), "Failed to parse int parameter [bad] with value [x]");
        assert_eq!(failure.body["error"]["caused_by"]["reason"], "For input string: \"x\"");
        assert!(
            Params::parse("a=%zz").is_err()
                && Params::parse("a=%ff").is_err()
                && Params::parse("a=%4").is_err()
        );
    }

    #[test]
    fn unknown_ones() {
        let known: &[&[&str]] = &[&["index", "size", "from", "timeout"]];
        let only = |query: &str| Params::parse(query).unwrap().only("/_search", known).unwrap_err();
        assert_eq!(
            reason(&only("sise=1")),
            "request [/_search] contains unrecognized parameter: [sise] -> did you mean [size]?"
        );
        assert_eq!(
            reason(&only("zzz&aaa&pretty")),
            "request [/_search] contains unrecognized parameters: [aaa], [zzz]"
        );
    }

    #[test]
    fn times() {
        assert_eq!(time_value("30s", "scroll").unwrap(), Duration::from_secs(30));
        assert_eq!(time_value("1500ms", "scroll").unwrap(), Duration::from_millis(1500));
        assert_eq!(time_value("2d", "scroll").unwrap(), Duration::from_secs(172_800));
        assert_eq!(time_value("0", "scroll").unwrap(), Duration::ZERO);
        for bad in ["", "5", "s", "1.5h", "5x"] {
            assert_eq!(time_value(bad, "scroll").unwrap_err().status, 400, "{bad}");
        }
    }
}
