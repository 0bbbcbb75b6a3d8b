//! Configuration as a room reads it: a section of keys with positions, typed getters, and a report of what is wrong.
//!
//! The binary turns a file into [`Item`]s; each room reads its own [`Section`]. A getter that is asked for a key also
//! documents it: reading an empty section with [`Section::describe`] gives the reference.

use std::time::Duration;

/// Where something stands in a file, counted from 1; 0 when it came from the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pos {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A value of the configuration file.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing (`key:`).
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Item>),
    /// A map in file order; keys with their positions.
    Map(Vec<(String, Pos, Item)>),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The value.
    pub node: Node,
    /// Where it begins.
    pub pos: Pos,
}

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub pos: Pos,
    /// The whole key, e.g. `packetbeat.protocols.http.ports`.
    pub key: String,
    /// What is wrong, what was expected, what to write instead.
    pub text: String,
}

/// What came out of reading a configuration.
#[derive(Debug, Default)]
pub struct Report {
    /// Nothing may start with these.
    pub errors: Vec<Problem>,
    /// Told, and on we go.
    pub warnings: Vec<Problem>,
}

/// What a key means, for the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDoc {
    /// The key within its section.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What holds without it.
    pub default: String,
    /// One sentence.
    pub doc: &'static str,
}

/// A map of keys, read by typed getters. What nobody asked for is reported by [`Section::finish`].
pub struct Section<'a> {
    path: String,
    map: &'a [(String, Pos, Item)],
    used: Vec<bool>,
    report: &'a mut Report,
    asked: Vec<OptionDoc>,
}

impl<'a> Section<'a> {
    /// The keys of `item`, which must be a map or nothing; `path` is its whole key, for messages.
    pub fn new(path: &str, item: Option<&'a Item>, report: &'a mut Report) -> Self {
        let map: &[_] = match item.map(|i| &i.node) {
            None | Some(Node::Null) => &[],
            Some(Node::Map(map)) => map,
            Some(other) => {
                let text = format!("expected a map of keys, found {}", describe(other));
                report.errors.push(Problem {
                    pos: item.map(|i| i.pos).unwrap_or_default(),
                    key: path.into(),
                    text,
                });
                &[]
            }
        };
        Self { path: path.into(), used: vec![false; map.len()], map, report, asked: Vec::new() }
    }

    /// What a reader asks for: name, type, default and meaning of each of its keys.
    pub fn describe(read: impl FnOnce(&mut Section<'_>)) -> Vec<OptionDoc> {
        let mut report = Report::default();
        let mut section = Section::new("", None, &mut report);
        read(&mut section);
        section.asked
    }

    /// The section `name` within this one, whose value is `item`.
    pub fn sub<'b>(&'b mut self, name: &str, item: Option<&'b Item>) -> Section<'b> {
        let path = self.key(name);
        Section::new(&path, item, self.report)
    }

    /// The whole key of `name` in this section.
    pub fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }

    /// Where the value under `name` stands, `None` when absent or empty.
    pub fn pos(&self, name: &str) -> Option<Pos> {
        self.map
            .iter()
            .rev()
            .find(|(key, _, item)| key == name && item.node != Node::Null)
            .map(|(.., i)| i.pos)
    }

    /// The value under `name` as it stands, `None` when absent or empty. Marks it as known.
    pub fn raw(
        &mut self,
        name: &'static str,
        takes: &'static str,
        default: impl ToString,
        doc: &'static str,
    ) -> Option<&'a Item> {
        self.asked.push(OptionDoc { name, takes, default: default.to_string(), doc });
        let map: &'a [(String, Pos, Item)] = self.map;
        let mut found = None;
        for (i, (key, _, item)) in map.iter().enumerate() {
            if key == name {
                self.used[i] = true;
                found = Some(item);
            }
        }
        found.filter(|i| i.node != Node::Null)
    }

    /// Says that a value is wrong.
    pub fn error(&mut self, pos: Pos, name: &str, text: impl Into<String>) {
        let key = self.key(name);
        self.report.errors.push(Problem { pos, key, text: text.into() });
    }

    /// Says that something is odd.
    pub fn warn(&mut self, pos: Pos, name: &str, text: impl Into<String>) {
        let key = self.key(name);
        self.report.warnings.push(Problem { pos, key, text: text.into() });
    }

    fn wrong<T>(&mut self, item: &Item, name: &str, expected: &str, default: T) -> T {
        self.error(item.pos, name, format!("expected {expected}, found {}", describe(&item.node)));
        default
    }

    /// `true` or `false` (also yes/no/on/off as YAML 1.1 files write them).
    pub fn bool(&mut self, name: &'static str, default: bool, doc: &'static str) -> bool {
        let Some(item) = self.raw(name, "true or false", default, doc) else { return default };
        match &item.node {
            Node::Bool(v) => *v,
            Node::Str(s) => match s.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => true,
                "false" | "no" | "off" | "n" => false,
                _ => self.wrong(item, name, "true or false", default),
            },
            _ => self.wrong(item, name, "true or false", default),
        }
    }

    /// A whole number within `range`.
    pub fn int(
        &mut self,
        name: &'static str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
        doc: &'static str,
    ) -> i64 {
        let Some(item) = self.raw(name, "a whole number", default, doc) else { return default };
        let value = match &item.node {
            Node::Int(v) => Some(*v),
            // 0600 is octal for some and decimal for others: refused.
            Node::Str(s) if s.len() > 1 && s.starts_with('0') => None,
            Node::Str(s) => s.replace('_', "").parse().ok(),
            _ => None,
        };
        match value {
            Some(v) if range.contains(&v) => v,
            _ => {
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                self.wrong(item, name, &expected, default)
            }
        }
    }

    /// A number of bytes: plain, or with B, KB, MB, GB, KiB, MiB, GiB (powers of 1024, as Beats reads them).
    pub fn bytes(&mut self, name: &'static str, default: usize, doc: &'static str) -> usize {
        let Some(item) = self.raw(name, "bytes, e.g. 10MB", shown_bytes(default), doc) else {
            return default;
        };
        let value = match &item.node {
            Node::Int(v) => usize::try_from(*v).ok(),
            Node::Str(s) => parse_bytes(s),
            _ => None,
        };
        value.unwrap_or_else(|| self.wrong(item, name, "a number of bytes such as 1048576 or 10MB", default))
    }

    /// A duration: `10s`, `1m30s`, `500ms`, or plain seconds.
    pub fn duration(&mut self, name: &'static str, default: Duration, doc: &'static str) -> Duration {
        self.signed_duration(name, Some(default), doc).unwrap_or(default)
    }

    /// A duration, or a negative number of seconds for "never" (`None`).
    pub fn signed_duration(
        &mut self,
        name: &'static str,
        default: Option<Duration>,
        doc: &'static str,
    ) -> Option<Duration> {
        let shown = default.map_or("-1s".to_owned(), |d| format!("{}s", d.as_secs_f64()));
        let Some(item) = self.raw(name, "a duration, e.g. 10s", shown, doc) else { return default };
        let value = match &item.node {
            Node::Int(v) => Some(u64::try_from(*v).ok().map(Duration::from_secs)),
            Node::Float(v) => Some(Duration::try_from_secs_f64(*v).ok()),
            Node::Str(s) => parse_duration(s),
            _ => None,
        };
        value.unwrap_or_else(|| self.wrong(item, name, "a duration such as 10s, 500ms or 1m30s", default))
    }

    /// One text.
    pub fn string(&mut self, name: &'static str, default: &str, doc: &'static str) -> String {
        let Some(item) = self.raw(name, "a text", format!("{default:?}"), doc) else { return default.into() };
        match scalar_text(&item.node) {
            Some(text) => text,
            None => self.wrong(item, name, "a text", default.into()),
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
        default: usize,
        doc: &'static str,
    ) -> T {
        let (shown, default) = words[default];
        let Some(item) = self.raw(name, "a word", shown, doc) else { return default };
        let text = scalar_text(&item.node).unwrap_or_default();
        match words.iter().find(|(w, _)| *w == text) {
            Some((_, v)) => *v,
            None => {
                let all: Vec<_> = words.iter().map(|(w, _)| *w).collect();
                self.wrong(item, name, &format!("one of {}", all.join(", ")), default)
            }
        }
    }

    /// A list of texts, or one.
    pub fn strings(&mut self, name: &'static str, default: &[&str], doc: &'static str) -> Vec<String> {
        let fallback = || default.iter().map(|s| (*s).to_owned()).collect();
        let Some(item) = self.raw(name, "a list of texts", format!("{default:?}"), doc) else {
            return fallback();
        };
        let list = match &item.node {
            Node::List(items) => items.iter().map(|i| scalar_text(&i.node)).collect::<Option<Vec<_>>>(),
            node => scalar_text(node).map(|s| vec![s]),
        };
        list.unwrap_or_else(|| self.wrong(item, name, "a list of texts", fallback()))
    }

    /// A list of ports, or one.
    pub fn ports(&mut self, name: &'static str, default: &[u16], doc: &'static str) -> Vec<u16> {
        let Some(item) = self.raw(name, "a list of ports", format!("{default:?}"), doc) else {
            return default.into();
        };
        let port = |i: &Item| match &i.node {
            Node::Int(v) => u16::try_from(*v).ok().filter(|p| *p > 0),
            Node::Str(s) => s.parse().ok().filter(|p| *p > 0),
            _ => None,
        };
        let list = match &item.node {
            Node::List(items) => items.iter().map(port).collect::<Option<Vec<_>>>(),
            _ => port(item).map(|p| vec![p]),
        };
        list.unwrap_or_else(|| {
            self.wrong(item, name, "ports from 1 to 65535, e.g. [80, 8080]", default.into())
        })
    }

    /// Reports every key that no getter asked for, with the nearest known one.
    pub fn finish(self) {
        for ((name, pos, _), used) in self.map.iter().zip(&self.used) {
            if *used {
                continue;
            }
            let near = suggest(name, self.asked.iter().map(|o| o.name));
            let hint = near.map_or(String::new(), |n| format!("; did you mean {n}?"));
            let key = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            self.report.warnings.push(Problem {
                pos: *pos,
                key,
                text: format!("not known and not used{hint}"),
            });
        }
    }
}

/// The word that was probably meant by `name`, if one of `words` is near enough.
pub fn suggest<'w>(name: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // The distance is quadratic in the lengths; nobody means a word by a text much longer than it.
    let near = |w: &&str| name.len() <= 2 * w.len() + 4;
    words
        .filter(near)
        .map(|w| (strsim::osa_distance(name, w), w))
        .min()
        .filter(|(d, w)| *d <= 1 + w.len() / 4)
        .map(|(_, w)| w)
}

fn scalar_text(node: &Node) -> Option<String> {
    match node {
        Node::Str(s) => Some(s.clone()),
        Node::Int(v) => Some(v.to_string()),
        Node::Float(v) => Some(v.to_string()),
        Node::Bool(v) => Some(v.to_string()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// A value in a few words, for messages.
pub fn describe(node: &Node) -> String {
    match node {
        Node::Null => "nothing".into(),
        Node::Bool(v) => v.to_string(),
        Node::Int(v) => v.to_string(),
        Node::Float(v) => v.to_string(),
        Node::Str(s) => {
            let short: String = s.chars().take(40).collect();
            format!("{short:?}")
        }
        Node::List(l) => format!("a list of {}", l.len()),
        Node::Map(_) => "a map".into(),
    }
}

fn shown_bytes(n: usize) -> String {
    match n {
        n if n >= 1 << 20 && n.trailing_zeros() >= 20 => format!("{}MiB", n >> 20),
        n if n >= 1 << 10 && n.trailing_zeros() >= 10 => format!("{}KiB", n >> 10),
        n => n.to_string(),
    }
}

/// `10MB`, `1KiB`, `4096`; binary multiples.
pub fn parse_bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// Go's duration syntax; a negative one is `Some(None)`.
pub fn parse_duration(text: &str) -> Option<Option<Duration>> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return parse_duration(rest).map(|_| None);
    }
    if let Ok(v) = text.parse::<f64>() {
        return Some(Duration::try_from_secs_f64(v).ok());
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit_end);
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    if text.is_empty() { None } else { Some(Duration::try_from_secs_f64(total).ok()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, Node)]) -> Item {
        let pos = Pos { line: 1, column: 1 };
        let pairs = pairs.iter().enumerate().map(|(i, (k, n))| {
            let pos = Pos { line: i as u32 + 1, column: 3 };
            ((*k).to_owned(), pos, Item { node: n.clone(), pos })
        });
        Item { node: Node::Map(pairs.collect()), pos }
    }

    #[test]
    fn durations_and_bytes() {
        assert_eq!(parse_duration("1m30s"), Some(Some(Duration::from_secs(90))));
        assert_eq!(parse_duration("500ms"), Some(Some(Duration::from_millis(500))));
        assert_eq!(parse_duration("-1s"), Some(None));
        assert_eq!(parse_duration("10"), Some(Some(Duration::from_secs(10))));
        assert_eq!(parse_duration("ten"), None);
        assert_eq!(parse_duration("10 parsecs"), None);
        assert_eq!(parse_bytes("10MB"), Some(10 << 20));
        assert_eq!(parse_bytes("4096"), Some(4096));
        assert_eq!(parse_bytes("10 furlongs"), None);
    }

    #[test]
    fn wrong_values_are_errors_and_unknown_keys_warnings() {
        let item = map(&[
            ("ports", Node::Str("eighty".into())),
            ("send_reqest", Node::Bool(true)),
            ("zzz", Node::Null),
        ]);
        let mut report = Report::default();
        let mut s = Section::new("packetbeat.protocols.http", Some(&item), &mut report);
        assert_eq!(s.ports("ports", &[80], "Ports."), [80]);
        assert!(!s.bool("send_request", false, "Send it."));
        s.finish();
        assert_eq!(report.errors.len(), 1);
        assert_eq!(report.errors[0].pos.line, 1);
        assert_eq!(report.errors[0].key, "packetbeat.protocols.http.ports");
        assert!(report.errors[0].text.contains("eighty") && report.errors[0].text.contains("expected ports"));
        let texts: Vec<_> = report.warnings.iter().map(|w| (w.pos.line, w.text.as_str())).collect();
        assert_eq!(
            texts,
            [(2, "not known and not used; did you mean send_request?"), (3, "not known and not used")]
        );
    }

    #[test]
    fn every_getter_says_what_it_expected() {
        type Getter = fn(&mut Section<'_>);
        let getters: [(&str, Getter, &str, &[Node]); 9] = [
            (
                "bool",
                |s| _ = s.bool("k", true, ""),
                "true or false",
                &[Node::Int(1), Node::Str("maybe".into())],
            ),
            (
                "int",
                |s| {
                    s.int("k", 1, 1..=9, "");
                },
                "a whole number from 1 to 9",
                &[
                    Node::Int(10),
                    Node::Float(1.5),
                    Node::Str("07".into()),
                    Node::Str("x".into()),
                    Node::Bool(true),
                ],
            ),
            (
                "bytes",
                |s| {
                    s.bytes("k", 1, "");
                },
                "a number of bytes",
                &[Node::Int(-1), Node::Str("1 mile".into()), Node::Str("99999999999999999999".into())],
            ),
            (
                "duration",
                |s| {
                    s.duration("k", Duration::ZERO, "");
                },
                "a duration",
                &[Node::Str("soon".into()), Node::Bool(true)],
            ),
            (
                "signed",
                |s| {
                    s.signed_duration("k", None, "");
                },
                "a duration",
                &[Node::Str("-x".into())],
            ),
            (
                "string",
                |s| {
                    s.string("k", "", "");
                },
                "a text",
                &[],
            ),
            (
                "choice",
                |s| {
                    s.choice("k", &[("a", 1), ("b", 2)], 0, "");
                },
                "one of a, b",
                &[Node::Str("c".into())],
            ),
            (
                "strings",
                |s| {
                    s.strings("k", &[], "");
                },
                "a list of texts",
                &[],
            ),
            (
                "ports",
                |s| {
                    s.ports("k", &[80], "");
                },
                "ports from 1 to 65535",
                &[Node::Int(0), Node::Int(65_536), Node::Str("http".into()), Node::Float(80.5)],
            ),
        ];
        let pos = Pos { line: 1, column: 1 };
        let list = Node::List(vec![Item { node: Node::List(Vec::new()), pos }]);
        for (name, getter, expected, wrong) in getters {
            for node in wrong.iter().chain([&Node::Map(Vec::new()), &list]) {
                let item = map(&[("k", node.clone())]);
                let mut report = Report::default();
                getter(&mut Section::new("", Some(&item), &mut report));
                assert_eq!(report.errors.len(), 1, "{name} of {node:?}");
                let text = &report.errors[0].text;
                assert!(text.starts_with(&format!("expected {expected}")), "{name} of {node:?}: {text}");
            }
            // Nothing is as good as not there.
            let item = map(&[("k", Node::Null)]);
            let mut report = Report::default();
            getter(&mut Section::new("", Some(&item), &mut report));
            assert!(report.errors.is_empty(), "{name}");
        }
    }

    #[test]
    fn words_near_enough() {
        let words = || ["device", "devices", "snaplen"].into_iter();
        assert_eq!(suggest("devcie", words()), Some("device"));
        assert_eq!(suggest("device", words()), Some("device"));
        assert_eq!(suggest("snap", words()), None);
        assert_eq!(suggest(&"x".repeat(1 << 20), words()), None);
        assert_eq!(suggest("", words()), None);
    }

    #[test]
    fn sections_within_sections() {
        let inner = map(&[("key", Node::Str("y".into()))]);
        let item = map(&[("capture", inner.node)]);
        let item_pos = Pos { line: 1, column: 3 };
        let mut report = Report::default();
        let mut section = Section::new("wirebeat", Some(&item), &mut report);
        assert_eq!(section.pos("capture"), Some(item_pos));
        assert_eq!(section.pos("nothing"), None);
        let capture = section.raw("capture", "a map", "", "");
        let mut sub = section.sub("capture", capture);
        assert!(sub.bool("key", false, ""));
        sub.error(Pos::default(), "key", "no");
        sub.finish();
        section.finish();
        assert_eq!(report.errors[0].key, "wirebeat.capture.key");
        assert!(report.warnings.is_empty());
    }

    #[test]
    fn numbers_as_people_write_them() {
        let read = |node: Node| {
            let item = map(&[("k", node)]);
            let mut report = Report::default();
            let value = Section::new("", Some(&item), &mut report).int("k", 0, 0..=1 << 40, "");
            assert!(report.errors.is_empty(), "{report:?}");
            value
        };
        assert_eq!(read(Node::Str("1_000".into())), 1000);
        assert_eq!(read(Node::Str("0".into())), 0);
        assert_eq!(read(Node::Int(7)), 7);
        let docs = Section::describe(|s| {
            s.bytes("a", 10 << 20, "");
            s.bytes("b", 1500, "");
            s.bytes("c", 4096, "");
        });
        let shown: Vec<_> = docs.iter().map(|d| d.default.as_str()).collect();
        assert_eq!(shown, ["10MiB", "1500", "4KiB"]);
    }
}
