//! `${NAME}`, `${NAME:default}`, `${NAME:?message}` and `${NAME:+other}` in values, as Beats expands them.
//!
//! A name is looked up among the keys of the configuration, then in the environment. A value that is one reference and
//! nothing else takes the type of what it stands for: `ports: ${PORTS}` with `80,8080` is a list. `$${` is a plain `${`.

use wirebeat_model::config::{Item, Node, Problem, Report};

use super::tree;

/// References within defaults and within values that references lead to.
const MAX_DEPTH: usize = 8;
/// References followed in one file.
const MAX_LOOKUPS: usize = 10_000;
/// The longest text that a value may grow to.
const MAX_TEXT: usize = 64 << 10;

/// Where names lead to.
pub(super) struct Vars<'a> {
    root: Item,
    environment: &'a dyn Fn(&str) -> Option<String>,
    lookups: usize,
}

impl<'a> Vars<'a> {
    /// Names of the keys of `root` and of the environment.
    pub(super) fn new(root: &Item, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { root: root.clone(), environment, lookups: 0 }
    }

    /// Expands every text below `item`, whose whole key is `path`.
    pub(super) fn expand(&mut self, item: &mut Item, path: &str, report: &mut Report) {
        match &mut item.node {
            Node::Str(text) if text.contains("${") => match self.text(text, 0) {
                Ok(value) if is_one_reference(text) => item.node = tree::loose(&value, item.pos),
                Ok(value) => item.node = Node::Str(value),
                Err(text) => {
                    report.errors.push(Problem { pos: item.pos, key: path.to_owned(), text });
                    item.node = Node::Null; // one error is enough
                }
            },
            Node::List(items) => items.iter_mut().for_each(|item| self.expand(item, path, report)),
            Node::Map(map) => {
                for (key, _, item) in map {
                    self.expand(item, &format!("{path}.{key}"), report);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, depth: usize) -> Result<String, String> {
        if depth > MAX_DEPTH {
            return Err(format!("references more than {MAX_DEPTH} deep, or in a circle"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let before = &rest[..at];
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(before);
            let inner = &rest[at + 2..];
            let end = closing(inner).ok_or("${ without }: write $${ for the characters themselves")?;
            out.push_str(&self.reference(&inner[..end], depth)?);
            rest = &inner[end + 1..];
            if out.len() > MAX_TEXT {
                return Err(format!("longer than {} KiB when expanded", MAX_TEXT >> 10));
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn reference(&mut self, inner: &str, depth: usize) -> Result<String, String> {
        self.lookups += 1;
        if self.lookups > MAX_LOOKUPS {
            return Err(format!("more than {MAX_LOOKUPS} references"));
        }
        let (name, other) = match inner.split_once(':') {
            Some((name, other)) => (name.trim(), Some(other)),
            None => (inner.trim(), None),
        };
        if name.is_empty() {
            return Err("a reference without a name: ${NAME} or ${NAME:default}".into());
        }
        let value = self.lookup(name, depth)?;
        match (value, other) {
            (Some(_), Some(other)) if other.starts_with('+') => self.text(&other[1..], depth + 1),
            (None, Some(other)) if other.starts_with('+') => Ok(String::new()),
            (Some(value), _) => Ok(value),
            (None, Some(other)) => match other.strip_prefix('?') {
                Some(message) => Err(format!("{name} is not set: {}", message.trim())),
                None => self.text(other, depth + 1),
            },
            (None, None) => Err(format!(
                "{name} is neither an environment variable nor a key here: set it, or write ${{{name}:default}}"
            )),
        }
    }

    fn lookup(&mut self, name: &str, depth: usize) -> Result<Option<String>, String> {
        match tree::find(&self.root, name).and_then(|item| tree::text(&item.node)) {
            Some(text) if text.contains("${") => self.text(&text, depth + 1).map(Some),
            Some(text) => Ok(Some(text)),
            None => Ok((self.environment)(name)),
        }
    }
}

/// Where the reference ends whose inner text begins `text`: at the `}` that closes it.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0usize;
    let bytes = text.as_bytes();
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if i > 0 && bytes[i - 1] == b'$' => open += 1,
            b'}' if open == 0 => return Some(i),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn is_one_reference(text: &str) -> bool {
    let text = text.trim();
    text.strip_prefix("${")
        .and_then(|inner| closing(inner).map(|end| end + 1 == inner.len()))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use wirebeat_model::config::describe;

    use super::*;
    use crate::config::yaml;

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("example.net".into()),
            "PORTS" => Some("80,8080".into()),
            "EMPTY" => Some(String::new()),
            "BOOL" => Some("true".into()),
            _ => None,
        }
    }

    fn expand(value: &str) -> Result<Node, String> {
        let text = format!("a.b: 7\nc: ${{d}}\nd: ${{c}}\nv: '{value}'\n");
        let mut report = Report::default();
        let root = tree::nest(yaml::parse(&text).unwrap(), "", &mut report);
        let mut item = tree::find(&root, "v").unwrap().clone();
        let env = environment;
        Vars::new(&root, &env).expand(&mut item, "v", &mut report);
        match report.errors.pop() {
            Some(error) => {
                assert_eq!((error.pos.line, error.pos.column, error.key.as_str()), (4, 4, "v"));
                Err(error.text)
            }
            None => Ok(item.node),
        }
    }

    #[test]
    fn references() {
        let text = |s: &str| Ok(Node::Str(s.into()));
        assert_eq!(expand("${HOST}"), text("example.net"));
        assert_eq!(expand("http://${HOST}:9200/${PATH_IS_UNSET:x}"), text("http://example.net:9200/x"));
        assert_eq!(expand("${NOPE:elasticsearch:9200}"), text("elasticsearch:9200"));
        assert_eq!(expand("${NOPE:${HOST}}"), text("example.net"));
        assert_eq!(expand("${NOPE:}"), Ok(Node::Null));
        assert_eq!(expand("x${NOPE:}"), text("x"));
        assert_eq!(expand("${HOST:+other}${NOPE:+gone}"), text("other"));
        assert_eq!(expand("${BOOL}"), Ok(Node::Bool(true)));
        assert_eq!(expand("${a.b}"), Ok(Node::Int(7)));
        assert_eq!(expand("$${HOST} $1 $"), text("${HOST} $1 $"));
        assert_eq!(describe(&expand("${PORTS}").unwrap()), "a list of 2");
        assert_eq!(expand("${EMPTY}"), Ok(Node::Null));
    }

    #[test]
    fn references_that_lead_nowhere() {
        for (value, part) in [
            ("${NOPE}", "NOPE is neither an environment variable nor a key here"),
            ("${NOPE:?say which host}", "NOPE is not set: say which host"),
            ("${HOST", "${ without }"),
            ("${}", "without a name"),
            ("${c}", "in a circle"),
            ("${:x}", "without a name"),
        ] {
            assert!(expand(value).expect_err(value).contains(part), "{value}: {:?}", expand(value));
        }
    }

    #[test]
    fn growth_is_bounded() {
        let mut text = format!("a0: {}\n", "x".repeat(1000));
        for i in 1..8 {
            text += &format!("a{i}: {}\n", format!("${{a{}}}", i - 1).repeat(50));
        }
        let mut root = yaml::parse(&text).unwrap();
        let mut report = Report::default();
        let none = |_: &str| None;
        Vars::new(&root.clone(), &none).expand(&mut root, "", &mut report);
        assert!(!report.errors.is_empty());
    }
}
