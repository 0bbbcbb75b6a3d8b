//! YAML text to [`Item`]s with positions.
//!
//! The text may be hostile or broken: size, depth and what aliases may grow to are bounded. Keys are kept in file
//! order; a key given twice in one map is an error, as YAML demands and Beats enforces. `yes`, `no`, `on` and `off` stay texts
//! here, so that a list of words keeps its words; the getter for booleans understands them.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use wirebeat_model::config::{Item, Node, Pos, Problem};

/// The largest configuration that is read.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// Maps and lists within each other.
const MAX_DEPTH: usize = 64;
/// What the whole tree may weigh, aliases expanded: a value counts 64, its text by length.
const MAX_WEIGHT: usize = 32 << 20;
/// Keys in one map: they are looked up one by one.
const MAX_KEYS: usize = 10_000;

/// Reads one document. A text without any value is an empty map.
///
/// # Errors
///
/// The first place where it is not YAML, or is more than a configuration should be.
pub(super) fn parse(text: &str) -> Result<Item, Problem> {
    if text.len() > MAX_BYTES {
        return Err(problem(
            Pos::default(),
            format!("larger than {} MiB: not a configuration", MAX_BYTES >> 20),
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), weight: 0 };
    reader.document()
}

/// One value as it stands on a command line or in an environment variable.
///
/// # Errors
///
/// Those of [`parse`].
pub(super) fn parse_value(text: &str) -> Result<Node, Problem> {
    let node = parse(text)?.node;
    // An empty document is an empty map for a file, but nothing for a value.
    Ok(if text.trim().is_empty() { Node::Null } else { node })
}

fn problem(pos: Pos, text: impl Into<String>) -> Problem {
    Problem { pos, key: String::new(), text: text.into() }
}

fn pos(mark: &Marker) -> Pos {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Pos { line: count(mark.line()), column: count(mark.col()).saturating_add(1) }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Finished values by anchor, each with its weight.
    anchors: HashMap<usize, (Item, usize)>,
    weight: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(problem(pos(error.marker()), format!("not YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Item, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if root.is_some() => {
                    return Err(problem(
                        pos(&span.start),
                        "a second document: a configuration is one document",
                    ));
                }
                event => root = Some(self.item(event, span, 0)?),
            }
        }
        let empty = || Item { node: Node::Map(Vec::new()), pos: Pos { line: 1, column: 1 } };
        Ok(root.filter(|item| item.node != Node::Null).unwrap_or_else(empty))
    }

    fn weigh(&mut self, weight: usize, at: Pos) -> Result<(), Problem> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            return Err(problem(at, "too many values (aliases repeat what they name): not a configuration"));
        }
        Ok(())
    }

    fn item(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Item, Problem> {
        let at = pos(&span.start);
        if depth > MAX_DEPTH {
            return Err(problem(at, format!("maps and lists more than {MAX_DEPTH} deep")));
        }
        let before = self.weight;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.weigh(64 + text.len(), at)?;
                (scalar(&text, style, tag.as_deref()), anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.weigh(64, at)?;
                (Node::List(self.list(depth)?), anchor)
            }
            Event::MappingStart(anchor, _) => {
                self.weigh(64, at)?;
                (Node::Map(self.map(depth)?), anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).map(|(_, weight)| *weight);
                let Some(weight) = known else {
                    return Err(problem(at, "an alias of something that is not finished yet"));
                };
                self.weigh(weight, at)?;
                return match self.anchors.get(&anchor) {
                    Some((item, _)) => Ok(item.clone()),
                    None => Err(problem(at, "an alias of nothing")),
                };
            }
            _ => return Err(problem(at, "not YAML: a value was expected")),
        };
        let item = Item { node, pos: at };
        if anchor != 0 {
            let weight = self.weight - before;
            self.weigh(weight, at)?; // the copy that is kept
            self.anchors.insert(anchor, (item.clone(), weight));
        }
        Ok(item)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Item>, Problem> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::SequenceEnd => return Ok(items),
                Event::StreamEnd => return Err(problem(pos(&span.start), "not YAML: the list does not end")),
                event => items.push(self.item(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Pos, Item)>, Problem> {
        let mut map: Vec<(String, Pos, Item)> = Vec::new();
        let mut lines: HashMap<String, u32> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let at = pos(&span.start);
            let plain = matches!(&event, Event::Scalar(_, ScalarStyle::Plain, _, _));
            let key = match event {
                Event::MappingEnd => break,
                Event::StreamEnd => return Err(problem(at, "not YAML: the map does not end")),
                Event::Scalar(text, ..) => text.into_owned(),
                event => match self.item(event, span, depth + 1)?.node {
                    Node::Str(text) => text, // an alias of a text
                    _ => return Err(problem(at, "a key must be a text")),
                },
            };
            let (event, span) = self.next()?;
            let value = self.item(event, span, depth + 1)?;
            if plain && key == "<<" {
                merged.push(value);
                continue;
            }
            if let Some(line) = lines.insert(key.clone(), at.line) {
                let text = format!("given twice in one map: first in line {line}");
                return Err(Problem { pos: at, key, text });
            }
            if map.len() == MAX_KEYS {
                return Err(problem(
                    at,
                    format!("more than {MAX_KEYS} keys in one map: not a configuration"),
                ));
            }
            map.push((key, at, value));
        }
        for item in merged {
            merge(&mut map, item)?;
        }
        Ok(map)
    }
}

/// `<<: *defaults`, or a list of such: keys that are not there yet.
fn merge(map: &mut Vec<(String, Pos, Item)>, item: Item) -> Result<(), Problem> {
    match item.node {
        Node::Map(more) => {
            let known: std::collections::HashSet<String> = map.iter().map(|(key, ..)| key.clone()).collect();
            map.extend(more.into_iter().filter(|(key, ..)| !known.contains(key)));
            Ok(())
        }
        Node::List(items) if items.iter().all(|i| matches!(i.node, Node::Map(_))) => {
            items.into_iter().try_for_each(|item| merge(map, item))
        }
        _ => Err(problem(item.pos, "<< takes a map, or a list of maps")),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
        Some("str") => return Node::Str(text.to_owned()),
        Some(_) => return plain(text),
        None => {}
    }
    if style == ScalarStyle::Plain { plain(text) } else { Node::Str(text.to_owned()) }
}

/// A scalar without quotes. What would not be written the same way again (`0600`, `1.50`) stays a text, so that a
/// name or a tag keeps its form; the getters read numbers from texts.
pub(super) fn plain(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "true" | "True" | "TRUE" => return Node::Bool(true),
        "false" | "False" | "FALSE" => return Node::Bool(false),
        _ => {}
    }
    if let Ok(v) = text.parse::<i64>()
        && v.to_string() == text
    {
        return Node::Int(v);
    }
    if let Some(hex) = text.strip_prefix("0x")
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
        && let Ok(v) = i64::from_str_radix(hex, 16)
    {
        return Node::Int(v);
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && let Ok(v) = text.parse::<f64>()
        && v.is_finite()
        && v.to_string() == text
    {
        return Node::Float(v);
    }
    Node::Str(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'a>(item: &'a Item, path: &[&str]) -> &'a Item {
        path.iter().fold(item, |item, name| match &item.node {
            Node::Map(map) => &map.iter().find(|(key, ..)| key == name).expect(name).2,
            Node::List(list) => &list[name.parse::<usize>().unwrap()],
            other => panic!("{name} in {other:?}"),
        })
    }

    #[test]
    fn values_and_where_they_stand() {
        let text = "a: 1\nb:\n  - x\n  - \"y\"\n  - {c: true}\nd: |\n  two\n  lines\ne:\nf: ~\n'g h': 1.5\n";
        let root = parse(text).unwrap();
        assert_eq!(*get(&root, &["a"]), Item { node: Node::Int(1), pos: Pos { line: 1, column: 4 } });
        assert_eq!(get(&root, &["b", "0"]).pos, Pos { line: 3, column: 5 });
        assert_eq!(get(&root, &["b", "2", "c"]).node, Node::Bool(true));
        assert_eq!(get(&root, &["b", "2", "c"]).pos, Pos { line: 5, column: 9 });
        assert_eq!(get(&root, &["d"]).node, Node::Str("two\nlines\n".into()));
        assert_eq!(get(&root, &["e"]).node, Node::Null);
        assert_eq!(get(&root, &["f"]).node, Node::Null);
        assert_eq!(get(&root, &["g h"]).node, Node::Float(1.5));
        let Node::Map(map) = &root.node else { panic!() };
        assert_eq!(map[3].1, Pos { line: 9, column: 1 });
    }

    #[test]
    fn scalars_keep_their_form() {
        for (text, node) in [
            ("yes", Node::Str("yes".into())),
            ("off", Node::Str("off".into())),
            ("0600", Node::Str("0600".into())),
            ("0x1f", Node::Int(31)),
            ("1.50", Node::Str("1.50".into())),
            ("-1", Node::Int(-1)),
            ("+1", Node::Str("+1".into())),
            ("1e3", Node::Str("1e3".into())),
            ("9223372036854775808", Node::Str("9223372036854775808".into())),
            ("nan", Node::Str("nan".into())),
            ("10s", Node::Str("10s".into())),
        ] {
            assert_eq!(parse(text).unwrap().node, node, "{text}");
        }
        assert_eq!(parse("'80'").unwrap().node, Node::Str("80".into()));
        assert_eq!(parse("!!str 80").unwrap().node, Node::Str("80".into()));
        assert_eq!(parse("!!int \"80\"").unwrap().node, Node::Int(80));
    }

    #[test]
    fn nothing_is_an_empty_map() {
        for text in ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "\u{feff}", "~"] {
            assert_eq!(parse(text).unwrap().node, Node::Map(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn anchors_and_merge_keys() {
        let text = "base: &b {ports: [80], enabled: true}\nhttp:\n  <<: *b\n  ports: [81]\ndns: *b\nall:\n  <<: [*b, {x: 1}]\n";
        let root = parse(text).unwrap();
        assert_eq!(get(&root, &["http", "ports", "0"]).node, Node::Int(81));
        assert_eq!(get(&root, &["http", "enabled"]).node, Node::Bool(true));
        assert_eq!(get(&root, &["dns", "ports", "0"]).node, Node::Int(80));
        assert_eq!(get(&root, &["all", "x"]).node, Node::Int(1));
        assert_eq!(get(&root, &["all", "enabled"]).node, Node::Bool(true));
    }

    #[test]
    fn what_is_wrong_and_where() {
        for (text, line, column, part) in [
            ("a: 1\na: 2\n", 2, 1, "given twice in one map: first in line 1"),
            ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
            ("a: 1\n  b: 2\n", 2, 4, "not YAML"),
            ("a: 1\n---\nb: 2\n", 3, 1, "a second document"),
            ("[1]: 2\n", 1, 1, "a key must be a text"),
            ("<<: 3\n", 1, 5, "<< takes a map"),
            ("a: &a [*a]\n", 1, 8, "not finished yet"),
            ("a: *nobody\n", 1, 4, "not YAML"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.text.contains(part), "{text:?}: {error:?}");
            assert_eq!((error.pos.line, error.pos.column), (line, column), "{text:?}: {error:?}");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let deep = "[".repeat(10_000);
        assert!(parse(&deep).is_err());
        let deep: String = (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
        assert!(parse(&deep).unwrap_err().text.contains("deep"));
        let mut laughs = String::from("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
        for i in 1..12 {
            let items = vec![format!("*a{}", i - 1); 10].join(", ");
            laughs += &format!("a{i}: &a{i} [{items}]\n");
        }
        assert!(parse(&laughs).unwrap_err().text.contains("too many values"));
        let long = "x".repeat(1 << 20);
        let copies = "- *a\n".repeat(10_000);
        assert!(parse(&format!("a: &a {long}\nb:\n{copies}")).unwrap_err().text.contains("too many values"));
        assert!(parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err().text.contains("larger"));
    }
}
