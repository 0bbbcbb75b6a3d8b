//! `filter_path`: which parts of an answer are wanted.
//!
//! Paths are names joined by dots; `*` stands for any text within a name, `**` for any number of names, a leading `-`
//! for what is not wanted. Lists are looked through as if they were not there. An object of which nothing is left is
//! left out.

use serde_json::{Map, Value};

use crate::Failure;
use crate::names::glob;

/// Names in all paths of a request, at most.
const MAX_NAMES: usize = 256;

/// The paths of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterPath {
    includes: Vec<Vec<String>>,
    excludes: Vec<Vec<String>>,
}

impl FilterPath {
    /// Reads the parameter.
    ///
    /// # Errors
    /// When it is too long.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut all = Self::default();
        let mut room = MAX_NAMES;
        for path in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (list, path) = match path.strip_prefix('-') {
                Some(path) => (&mut all.excludes, path),
                None => (&mut all.includes, path),
            };
            let names = split(path);
            room = room
                .checked_sub(names.len())
                .ok_or_else(|| Failure::illegal(format!("[filter_path] has more than {MAX_NAMES} names")))?;
            list.push(names);
        }
        Ok(all)
    }

    /// Whether everything is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.includes.is_empty() && self.excludes.is_empty()
    }

    /// What is left of an answer.
    pub(crate) fn apply(&self, value: Value) -> Value {
        self.at_top().apply(value).unwrap_or_else(|| Value::Object(Map::new()))
    }

    fn at_top(&self) -> Position<'_> {
        Position {
            includes: (!self.includes.is_empty()).then(|| self.includes.iter().map(Vec::as_slice).collect()),
            excludes: self.excludes.iter().map(Vec::as_slice).collect(),
        }
    }

    /// Where the filter stands below a member of the answer, for answers that are written piece by piece; `None` when
    /// nothing below it is wanted.
    pub(crate) fn below(&self, name: &str) -> Option<Position<'_>> {
        self.at_top().below(name)
    }
}

/// Splits at dots; `\.` is a dot in a name.
fn split(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('.')) => {
                chars.next();
                if let Some(name) = names.last_mut() {
                    name.push('.');
                }
            }
            ('.', _) => names.push(String::new()),
            _ => {
                if let Some(name) = names.last_mut() {
                    name.push(c);
                }
            }
        }
    }
    names
}

/// What is left of each path at one place of the answer.
#[derive(Debug)]
pub(crate) struct Position<'a> {
    /// `None`: everything is wanted from here on.
    includes: Option<Vec<&'a [String]>>,
    excludes: Vec<&'a [String]>,
}

impl<'a> Position<'a> {
    /// What is left of a value; `None` when nothing is.
    pub(crate) fn apply(&self, value: Value) -> Option<Value> {
        if self.includes.is_none() && self.excludes.is_empty() {
            return Some(value);
        }
        match value {
            Value::Object(members) => {
                let kept: Map<String, Value> = members
                    .into_iter()
                    .filter_map(|(name, value)| {
                        let left = self.below(&name)?.apply(value)?;
                        Some((name, left))
                    })
                    .collect();
                (!kept.is_empty()).then_some(Value::Object(kept))
            }
            Value::Array(items) => {
                let kept: Vec<Value> = items.into_iter().filter_map(|item| self.apply(item)).collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            // A value that a path of excludes goes beyond stays.
            other => self.includes.is_none().then_some(other),
        }
    }

    fn below(&self, name: &str) -> Option<Position<'a>> {
        let excludes = match advance(&self.excludes, name) {
            Found::Whole => return None,
            Found::Rest(rest) => rest,
        };
        let includes = match &self.includes {
            None => None,
            Some(paths) => match advance(paths, name) {
                Found::Whole => None,
                Found::Rest(rest) if rest.is_empty() => return None,
                Found::Rest(rest) => Some(rest),
            },
        };
        Some(Position { includes, excludes })
    }
}

enum Found<'a> {
    /// A path ends here.
    Whole,
    /// What is left of those that go on.
    Rest(Vec<&'a [String]>),
}

fn advance<'a>(paths: &[&'a [String]], name: &str) -> Found<'a> {
    let mut rest: Vec<&'a [String]> = Vec::new();
    // Each path is followed once per place at which its `**` may end; places are told apart by their address.
    let mut push = |path: &'a [String]| {
        if !rest.iter().any(|seen| std::ptr::eq(*seen, path)) {
            rest.push(path);
        }
    };
    for path in paths {
        let mut path = *path;
        while let Some((first, after)) = path.split_first() {
            if first == "**" {
                if after.is_empty() {
                    return Found::Whole;
                }
                push(path);
                path = after; // `**` may also stand for nothing
                continue;
            }
            if glob(first, name) {
                if after.is_empty() {
                    return Found::Whole;
                }
                push(after);
            }
            break;
        }
    }
    Found::Rest(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filtered(paths: &str, value: Value) -> Value {
        FilterPath::parse(paths).unwrap().apply(value)
    }

    /// The examples of "Common options", Elasticsearch 8.19.
    #[test]
    fn of_the_manual() {
        let hits = json!({"took": 3, "timed_out": false, "hits": {"total": 1, "hits": [
            {"_id": "0", "_score": 1.6, "_source": {"a": 1}}, {"_id": "1", "_source": {}}]}});
        assert_eq!(
            filtered("took,hits.hits._id,hits.hits._score", hits),
            json!({"took": 3, "hits": {"hits": [{"_id": "0", "_score": 1.6}, {"_id": "1"}]}})
        );
        let state = json!({"metadata": {"indices": {"my": {"state": "open", "version": 4}}}});
        assert_eq!(
            filtered("metadata.indices.*.stat*", state.clone()),
            json!({"metadata": {"indices": {"my": {"state": "open"}}}})
        );
        let tables = json!({"routing_table": {"indices": {"my": {"shards": {"0": [
            {"state": "STARTED", "node": 1}, {"state": "UNASSIGNED", "node": 2}]}}}}});
        assert_eq!(
            filtered("routing_table.indices.**.state", tables),
            json!({"routing_table": {"indices": {"my": {"shards": {"0": [
                {"state": "STARTED"}, {"state": "UNASSIGNED"}]}}}}})
        );
        let count = json!({"count": 1, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}});
        assert_eq!(filtered("-_shards", count.clone()), json!({"count": 1}));
        assert_eq!(filtered("-_shards.*", count.clone()), json!({"count": 1}));
        assert_eq!(
            filtered(
                "metadata.indices.*.state,-metadata.indices.logstash-*",
                json!({"metadata": {"indices": {
                "index-1": {"state": "open"}, "index-2": {"state": "open"}, "logstash-1": {"state": "open"}}}})
            ),
            json!({"metadata": {"indices": {"index-1": {"state": "open"}, "index-2": {"state": "open"}}}})
        );
        assert_eq!(filtered("nothing", count), json!({}));
    }

    #[test]
    fn deep_and_dotted() {
        let value = json!({"a.b": 1, "a": {"b": 2, "c": {"b": {"x": 3}}}, "l": [[{"b": 1}, 5], 6]});
        assert_eq!(filtered(r"a\.b", value.clone()), json!({"a.b": 1}));
        assert_eq!(filtered("a.b", value.clone()), json!({"a": {"b": 2}}));
        assert_eq!(
            filtered("**.b", value.clone()),
            json!({"a": {"b": 2, "c": {"b": {"x": 3}}}, "l": [[{"b": 1}]]})
        );
        assert_eq!(filtered("**", value.clone()), value);
        assert_eq!(filtered("-**.b", value.clone()), json!({"a.b": 1, "l": [[5], 6]}));
        assert_eq!(filtered("l,-l.b", value), json!({"l": [[5], 6]}));
    }

    #[test]
    fn many_stars_take_no_time() {
        let paths = vec!["**.a"; 60].join(".");
        let mut value = json!({"a": 1});
        for _ in 0..100 {
            value = json!({"a": value});
        }
        assert_ne!(filtered(&paths, value), json!({}));
        assert!(FilterPath::parse(&"a.".repeat(300)).is_err());
        assert!(FilterPath::parse(&"a,".repeat(300)).is_err());
    }
}
