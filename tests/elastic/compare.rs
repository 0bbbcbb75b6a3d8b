//! Two answers to one request: what has to be equal, and where they differ.

use serde_json::{Value, json};

use crate::reading::{Table, here};

/// What no two servers have in common.
const OWN: &[&str] = &["took", "_shards", "_score", "max_score", "_seq_no", "_primary_term"];

/// Below these there are documents and names of others: all of it counts.
const DOCUMENTS: &[&str] = &["_source", "fields", "sort", "key", "after_key"];

/// Makes an answer comparable: times, shards and scores go away; of an error its type stays, and the type of its root.
pub(crate) fn normal(status: u16, mut answer: Value) -> Value {
    if status >= 400
        && let Some(error) = answer.get("error")
    {
        return json!({"error": error_of(error)});
    }
    clean(&mut answer);
    answer
}

fn error_of(error: &Value) -> Value {
    let Some(kind) = error.get("type") else { return json!("text") };
    let root =
        error.pointer("/root_cause/0/type").or(error.pointer("/caused_by/type")).unwrap_or(&Value::Null);
    json!({"type": kind, "root": root})
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for name in OWN {
                map.remove(*name);
            }
            // Elasticsearch says that it did not stop early when it could answer without looking at documents.
            if map.get("terminated_early") == Some(&json!(false)) {
                map.remove("terminated_early");
            }
            if let Some(error) = map.get("error")
                && error.get("type").is_some()
            {
                let error = error_of(error);
                map.insert("error".to_owned(), error);
                return;
            }
            for (name, value) in map {
                if !DOCUMENTS.contains(&name.as_str()) {
                    clean(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::String(text) if text.contains('\n') => {
            // Tables of _cat: blanks at the ends of lines are theirs.
            *text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        }
        _ => {}
    }
}

/// One difference.
pub(crate) struct Difference {
    /// Where (RFC 6901); `status` for the HTTP status; `#` at the end when lists differ in length.
    pub(crate) pointer: String,
    /// What is right.
    pub(crate) right: Value,
    /// What was said.
    pub(crate) said: Value,
}

/// Where two answers differ, from the first on; not inside of what differs as a whole.
pub(crate) fn differences(right: (u16, &Value), said: (u16, &Value)) -> Vec<Difference> {
    let mut list = Vec::new();
    if right.0 != said.0 {
        list.push(Difference { pointer: "status".to_owned(), right: json!(right.0), said: json!(said.0) });
        // Answers of different kinds have nothing in common.
        if (right.0 < 400) != (said.0 < 400) {
            return list;
        }
    }
    walk("", right.1, said.1, &mut list);
    list
}

fn walk(at: &str, right: &Value, said: &Value, list: &mut Vec<Difference>) {
    match (right, said) {
        (Value::Object(a), Value::Object(b)) => {
            let only_b = b.iter().filter(|(k, _)| !a.contains_key(*k)).map(|(k, _)| k);
            for name in a.keys().chain(only_b) {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match (a.get(name), b.get(name)) {
                    (Some(x), Some(y)) => walk(&at, x, y, list),
                    (x, y) => list.push(Difference { pointer: at, right: or_absent(x), said: or_absent(y) }),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                let pointer = format!("{at}#");
                list.push(Difference { pointer, right: json!(a.len()), said: json!(b.len()) });
            }
            for (n, (x, y)) in a.iter().zip(b).enumerate() {
                walk(&format!("{at}/{n}"), x, y, list);
            }
        }
        _ if same(right, said) => {}
        _ => list.push(Difference { pointer: at.to_owned(), right: right.clone(), said: said.clone() }),
    }
}

fn or_absent(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or_else(|| json!("(absent)"))
}

/// Fractions may differ in the last digits: they are sums in another order.
fn same(right: &Value, said: &Value) -> bool {
    right == said || right.is_f64() && said.is_f64() && near(right, said, 1e-9)
}

fn near(right: &Value, said: &Value, share: f64) -> bool {
    match (right.as_f64(), said.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= share * a.abs().max(b.abs()),
        _ => false,
    }
}

/// The differences that are meant, with their reasons: `differences.tsv`.
pub(crate) struct Exceptions(Table);

impl Exceptions {
    /// Those of one server.
    pub(crate) fn of(server: &str) -> Self {
        let mut table = Table::load(&here("tests/elastic/differences.tsv"));
        table.rows.retain(|row| row.cells[0] == server);
        Self(table)
    }

    /// Whether a difference is meant.
    fn covers(&self, server: &str, request: &str, difference: &Difference) -> bool {
        let Some(row) = self.0.find(&[server, request, &difference.pointer]) else { return false };
        match row.cells[3].split_once(' ') {
            None if row.cells[3] == "any" => true,
            Some(("within", share)) => {
                near(&difference.right, &difference.said, share.parse().expect("within SHARE"))
            }
            _ => panic!("differences.tsv:{}: neither any nor within SHARE", row.line),
        }
    }

    /// Lines that described nothing.
    pub(crate) fn stale(&self) -> Vec<String> {
        self.0.stale()
    }
}

/// What came out of many comparisons.
pub(crate) struct Summary {
    server: String,
    exceptions: Exceptions,
    equal: usize,
    meant: usize,
    wrong: Vec<String>,
}

impl Summary {
    /// For a server.
    pub(crate) fn of(server: &str) -> Self {
        let exceptions = Exceptions::of(server);
        Self { server: server.to_owned(), exceptions, equal: 0, meant: 0, wrong: Vec::new() }
    }

    /// Compares one answer.
    pub(crate) fn compare(&mut self, request: &str, right: (u16, &Value), said: (u16, &Value)) {
        let all = differences(right, said);
        let rest: Vec<_> = all.iter().filter(|d| !self.exceptions.covers(&self.server, request, d)).collect();
        match rest.first() {
            None if all.is_empty() => self.equal += 1,
            None => self.meant += 1,
            Some(first) => self.wrong.push(format!(
                "{request}\n    at    {}{}\n    right {}\n    said  {}",
                first.pointer,
                if rest.len() > 1 { format!(" (and {} more)", rest.len() - 1) } else { String::new() },
                short(&first.right),
                short(&first.said),
            )),
        }
    }

    /// One line of counts.
    pub(crate) fn line(&self) -> String {
        format!(
            "{}: {} equal, {} with differences that are meant, {} wrong",
            self.server,
            self.equal,
            self.meant,
            self.wrong.len()
        )
    }

    /// Says the counts, and panics with what is wrong. With `whole`, a line of the table that describes nothing is
    /// wrong too.
    pub(crate) fn end(mut self, whole: bool) {
        let line = self.line();
        crate::say(&line);
        if whole {
            self.wrong.extend(self.exceptions.stale());
        }
        assert!(self.wrong.is_empty(), "{line}\n{}", self.wrong.join("\n"));
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text,
    }
}

/// Members of an answer that only we have are told apart from those of others.
#[test]
fn what_differs_is_found() {
    let walk = |a: Value, b: Value| {
        differences((200, &a), (200, &b)).into_iter().map(|d| d.pointer).collect::<Vec<_>>()
    };
    assert!(walk(json!({"a": [1, 2.0]}), json!({"a": [1, 2.000_000_000_000_1]})).is_empty());
    assert_eq!(walk(json!({"a": [1]}), json!({"a": [1.0]})), ["/a/0"]);
    assert_eq!(walk(json!({"a": [1, 2]}), json!({"a": [1]})), ["/a#"]);
    assert_eq!(walk(json!({"a/b": 1}), json!({"c": 1})), ["/a~1b", "/c"]);
    assert_eq!(walk(json!({"a": null}), json!({})), ["/a"]);
    let text = r#"{"took":1,"hits":{"max_score":1.0,"hits":[{"_score":1.0,"_source":{"took":2}}]}}"#;
    let expected = json!({"hits": {"hits": [{"_source": {"took": 2}}]}});
    assert_eq!(normal(200, serde_json::from_str(text).unwrap()), expected);
    let error = json!({"error": {"root_cause": [{"type": "b", "reason": "x"}], "type": "a"}, "status": 400});
    assert_eq!(normal(400, error), json!({"error": {"type": "a", "root": "b"}}));
}
