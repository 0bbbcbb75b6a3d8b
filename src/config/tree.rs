//! The tree of a configuration: dotted keys and nested maps mean the same, and `-E key=value` comes last.

use wirebeat_model::config::{Item, Node, Pos, Problem, Report, describe};

use super::yaml;

/// Parts of one dotted key.
const MAX_PARTS: usize = 32;

/// Map entries as the tree holds them.
pub(super) type Entries = Vec<(String, Pos, Item)>;

/// Makes `a.b: 1` and `a: {b: 1}` the same, everywhere below `item`. What is given both ways is reported.
pub(super) fn nest(item: Item, path: &str, report: &mut Report) -> Item {
    let node = match item.node {
        Node::Map(map) => {
            let mut nested = Vec::new();
            for (key, pos, value) in map {
                let value = nest(value, &join(path, &key), report);
                let parts: Vec<&str> = key.split('.').collect();
                if parts.len() > MAX_PARTS {
                    let text = format!("more than {MAX_PARTS} parts in one key");
                    report.errors.push(Problem { pos, key: key.chars().take(40).collect(), text });
                } else if parts.iter().any(|p| p.is_empty()) {
                    insert(&mut nested, &[&key], pos, value, path, report);
                } else {
                    insert(&mut nested, &parts, pos, value, path, report);
                }
            }
            Node::Map(nested)
        }
        Node::List(items) => Node::List(items.into_iter().map(|i| nest(i, path, report)).collect()),
        other => other,
    };
    Item { node, pos: item.pos }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn insert(map: &mut Entries, parts: &[&str], pos: Pos, value: Item, path: &str, report: &mut Report) {
    let Some((first, rest)) = parts.split_first() else { return };
    let path = join(path, first);
    let value = if rest.is_empty() {
        value
    } else {
        let mut inner = Vec::new();
        insert(&mut inner, rest, pos, value, &path, report);
        Item { node: Node::Map(inner), pos }
    };
    add(map, first, pos, value, &path, report);
}

fn add(map: &mut Entries, key: &str, pos: Pos, value: Item, path: &str, report: &mut Report) {
    let Some((_, first, known)) = map.iter_mut().find(|(k, ..)| k == key) else {
        map.push((key.to_owned(), pos, value));
        return;
    };
    match (&mut known.node, value.node) {
        (_, Node::Null) => {}
        (Node::Null, node) => *known = Item { node, pos: value.pos },
        (Node::Map(known), Node::Map(more)) => {
            for (key, pos, item) in more {
                let path = join(path, &key);
                add(known, &key, pos, item, &path, report);
            }
        }
        (old, new) => {
            let text = match (&*old, &new) {
                (Node::List(_), Node::Map(_)) | (Node::Map(_), Node::List(_)) => {
                    format!("given as a list and as a map (first in line {}): use one form", first.line)
                }
                _ => format!("given twice: first in line {}", first.line),
            };
            report.errors.push(Problem { pos, key: path.to_owned(), text });
        }
    }
}

/// Lays `key=value` of the command line over the tree: maps are joined, everything else is replaced, a number names a
/// place in a list.
pub(super) fn override_with(root: &mut Item, text: &str, report: &mut Report) {
    let wrong = |key: &str, text: &str| Problem { pos: Pos::default(), key: key.into(), text: text.into() };
    let Some((key, value)) = text.split_once('=') else {
        // Nothing at all is shown as such: a problem without a key is the file's.
        let shown = if text.trim().is_empty() { format!("{text:?}") } else { text.to_owned() };
        report.errors.push(wrong(&shown, "expected key=value, e.g. packetbeat.interfaces.device=eth0"));
        return;
    };
    let key = key.trim();
    let parts: Vec<&str> = key.split('.').collect();
    if key.is_empty() || parts.len() > MAX_PARTS || parts.iter().any(|p| p.is_empty()) {
        let shown = if key.is_empty() { format!("{text:?}") } else { key.to_owned() };
        report.errors.push(wrong(
            &shown,
            "expected key=value with a dotted key, e.g. packetbeat.interfaces.device=eth0",
        ));
        return;
    }
    let value = nest(Item { node: loose(value, Pos::default()), pos: Pos::default() }, key, report);
    if let Err(text) = set(root, &parts, value) {
        report.errors.push(wrong(key, &text));
    }
}

fn set(at: &mut Item, parts: &[&str], value: Item) -> Result<(), String> {
    let Some((first, rest)) = parts.split_first() else {
        overlay(at, value);
        return Ok(());
    };
    if let Node::List(list) = &mut at.node
        && let Ok(index) = first.parse::<usize>()
    {
        let length = list.len();
        let Some(item) = list.get_mut(index) else {
            return Err(format!("{first} is no place in a list of {length} (they are counted from 0)"));
        };
        return set(item, rest, value);
    }
    if let Node::List(list) = &at.node {
        return Err(format!(
            "{first:?} leads into a list of {}: write its place (counted from 0) there",
            list.len()
        ));
    }
    if !matches!(at.node, Node::Map(_)) {
        at.node = Node::Map(Vec::new());
    }
    if let Node::Map(map) = &mut at.node {
        if let Some((_, _, item)) = map.iter_mut().find(|(key, ..)| key == first) {
            return set(item, rest, value);
        }
        let mut item = Item { node: Node::Null, pos: Pos::default() };
        set(&mut item, rest, value)?;
        map.push(((*first).to_owned(), Pos::default(), item));
    }
    Ok(())
}

fn overlay(at: &mut Item, value: Item) {
    match (&mut at.node, value.node) {
        (Node::Map(map), Node::Map(more)) => {
            for (key, pos, item) in more {
                match map.iter_mut().find(|(k, ..)| *k == key) {
                    Some((_, _, known)) => overlay(known, item),
                    None => map.push((key, pos, item)),
                }
            }
        }
        (_, node) => *at = Item { node, pos: value.pos },
    }
}

/// A value of a command line or an environment variable, as Beats reads it: `80,8080` is a list, `[…]` and `{…}` are
/// what they are in YAML.
pub(super) fn loose(text: &str, pos: Pos) -> Node {
    let trimmed = text.trim();
    let node = if trimmed.starts_with(['[', '{', '"', '\'']) {
        yaml::parse_value(trimmed).unwrap_or_else(|_| Node::Str(text.to_owned()))
    } else if trimmed.contains(',') {
        let parts = trimmed.split(',').map(str::trim).filter(|p| !p.is_empty());
        Node::List(parts.map(|p| Item { node: yaml::plain(p), pos }).collect())
    } else {
        yaml::plain(trimmed)
    };
    place(node, pos)
}

/// Every value of `node` stands at `pos`.
fn place(node: Node, pos: Pos) -> Node {
    let item = |i: Item| Item { node: place(i.node, pos), pos };
    match node {
        Node::List(items) => Node::List(items.into_iter().map(item).collect()),
        Node::Map(map) => Node::Map(map.into_iter().map(|(key, _, i)| (key, pos, item(i))).collect()),
        other => other,
    }
}

/// The entries of a map, or none.
pub(super) fn entries(item: Option<&Item>) -> &[(String, Pos, Item)] {
    match item.map(|i| &i.node) {
        Some(Node::Map(map)) => map,
        _ => &[],
    }
}

/// The value under `key`, with the key's position; a key without a value counts as absent.
pub(super) fn get<'a>(item: Option<&'a Item>, key: &str) -> Option<(Pos, &'a Item)> {
    entries(item)
        .iter()
        .find(|(name, _, item)| name == key && item.node != Node::Null)
        .map(|(_, pos, item)| (*pos, item))
}

/// The value under a dotted key.
pub(super) fn find<'a>(root: &'a Item, path: &str) -> Option<&'a Item> {
    path.split('.').try_fold(root, |item, key| get(Some(item), key).map(|(_, item)| item))
}

/// Whether anything is asked for below: not by a section whose keys are commented out, is not enabled, or only says no.
pub(super) fn asks(item: &Item) -> bool {
    match &item.node {
        Node::Null => false,
        Node::Bool(yes) => *yes,
        Node::Str(text) => !text.is_empty(),
        Node::Map(map) => {
            let off =
                |(key, _, item): &(String, Pos, Item)| key == "enabled" && item.node == Node::Bool(false);
            !map.iter().any(off) && map.iter().any(|(_, _, item)| asks(item))
        }
        Node::List(list) => !list.is_empty(),
        _ => true,
    }
}

/// A scalar as text.
pub(super) fn text(node: &Node) -> Option<String> {
    match node {
        Node::Str(text) => Some(text.clone()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
        other => Some(describe(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (Item, Report) {
        let mut report = Report::default();
        let item = nest(yaml::parse(text).unwrap(), "", &mut report);
        (item, report)
    }

    fn shown(root: &Item, path: &str) -> String {
        find(root, path).map_or("-".into(), |i| text(&i.node).unwrap_or_else(|| describe(&i.node)))
    }

    #[test]
    fn dotted_and_nested_are_one() {
        let (root, report) =
            tree("a.b.c: 1\na:\n  b.d: 2\n  b:\n    e: 3\nl:\n- x.y: 4\n'.hidden': 5\nn:\nn.m: 6\n");
        assert!(report.errors.is_empty(), "{report:?}");
        for (path, value) in [("a.b.c", "1"), ("a.b.d", "2"), ("a.b.e", "3"), ("n.m", "6")] {
            assert_eq!(shown(&root, path), value, "{path}");
        }
        let Some(Node::List(list)) = find(&root, "l").map(|i| &i.node) else { panic!() };
        assert_eq!(shown(&list[0], "x.y"), "4");
        assert!(get(Some(&root), ".hidden").is_some());
    }

    #[test]
    fn what_is_given_twice_is_reported() {
        let (_, report) = tree("a.b: 1\na:\n  b: 2\n  c: 3\np.q:\n- type: x\np.q.y:\n  z: 1\n");
        let errors: Vec<_> =
            report.errors.iter().map(|e| (e.pos.line, e.key.as_str(), e.text.as_str())).collect();
        assert_eq!(
            errors,
            [
                (3, "a.b", "given twice: first in line 1"),
                (7, "p.q", "given as a list and as a map (first in line 5): use one form")
            ]
        );
        let (_, report) = tree(&format!("{}: 1\n", vec!["a"; 100].join(".")));
        assert!(report.errors[0].text.contains("parts"));
    }

    #[test]
    fn the_command_line_comes_last() {
        let (mut root, mut report) = tree("a:\n  b: 1\n  l: [1, 2]\np:\n- type: http\n  ports: [80]\n");
        for text in ["a.b=2", "a.c=x=y", "a={d: true}", "a.l=3,4", "p.0.ports=81,82", "new.e.f=yes", "a.n="] {
            override_with(&mut root, text, &mut report);
        }
        assert!(report.errors.is_empty(), "{report:?}");
        assert_eq!(shown(&root, "a.b"), "2");
        assert_eq!(shown(&root, "a.c"), "x=y");
        assert_eq!(shown(&root, "a.d"), "true");
        assert_eq!(shown(&root, "a.l"), "a list of 2");
        assert_eq!(shown(&root, "new.e.f"), "yes");
        assert_eq!(shown(&root, "a.n"), "-");
        let Some(Node::List(list)) = find(&root, "p").map(|i| &i.node) else { panic!() };
        assert_eq!(shown(&list[0], "ports"), "a list of 2");
        for (text, part) in [
            ("", "expected key=value"),
            (" ", "expected key=value"),
            ("a.b", "expected key=value"),
            ("=1", "expected key=value"),
            ("a..b=1", "expected key=value"),
            ("p.7.ports=1", "no place in a list of 1"),
            ("p.http.ports=1", "leads into a list"),
        ] {
            let mut report = Report::default();
            override_with(&mut root, text, &mut report);
            assert!(report.errors[0].text.contains(part), "{text}: {report:?}");
            // Without a key it would be the file's.
            assert!(!report.errors[0].key.is_empty(), "{text}: {report:?}");
        }
    }

    #[test]
    fn loose_values() {
        let list = |node| match node {
            Node::List(items) => items.iter().map(|i: &Item| describe(&i.node)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let pos = Pos::default();
        assert_eq!(list(loose("80, 8080", pos)), ["80", "8080"]);
        assert_eq!(list(loose("[80, a]", pos)), ["80", "\"a\""]);
        assert_eq!(loose("'a,b'", pos), Node::Str("a,b".into()));
        assert_eq!(loose("[80", pos), Node::Str("[80".into()));
        assert_eq!(loose(" true ", pos), Node::Bool(true));
        assert_eq!(loose("", pos), Node::Null);
    }
}
