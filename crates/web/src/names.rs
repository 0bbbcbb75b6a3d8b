//! Which indices an expression names: lists, `*`, exclusions, `_all`.

use crate::Failure;
use crate::backend::IndexInfo;

/// How an expression is read (`ignore_unavailable`, `allow_no_indices`, `expand_wildcards`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expansion {
    /// A name that does not exist is left out instead of being an error.
    pub(crate) ignore_unavailable: bool,
    /// A pattern that names nothing is no error.
    pub(crate) allow_no_indices: bool,
    /// Patterns find open indices; all of ours are.
    pub(crate) open: bool,
}

impl Expansion {
    /// As most calls do.
    pub(crate) const STRICT: Self = Self { ignore_unavailable: false, allow_no_indices: true, open: true };

    /// Reads `expand_wildcards`.
    ///
    /// # Errors
    /// When a word of it is unknown.
    pub(crate) fn wildcards<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        self.open = false;
        for word in words {
            match word {
                "all" | "open" => self.open = true,
                "none" => self.open = false,
                "closed" | "hidden" => {}
                other => {
                    return Err(Failure::illegal(format!("No valid expand wildcard value [{other}]")));
                }
            }
        }
        Ok(self)
    }
}

/// Bytes of an expression, at most; Elasticsearch's whole request line has 4 KiB.
const MAX_EXPRESSION: usize = 16 << 10;

/// The indices that an expression names, in the order of `all` (sorted by name). No expression: all of them.
///
/// # Errors
/// As Elasticsearch: 404 for a name that does not exist, 400 for one that cannot be an index.
pub(crate) fn resolve<'a>(
    expression: Option<&str>,
    all: &'a [IndexInfo],
    how: Expansion,
) -> Result<Vec<&'a IndexInfo>, Failure> {
    let expression = expression.unwrap_or_default();
    if expression.len() > MAX_EXPRESSION {
        return Err(Failure::illegal("the list of indices is too long"));
    }
    let parts: Vec<&str> = expression.split(',').filter(|p| !p.is_empty()).collect();
    if parts.is_empty() || parts == ["_all"] || parts == ["*"] {
        if all.is_empty() && !how.allow_no_indices {
            return Err(Failure::no_index(parts.first().unwrap_or(&"_all")));
        }
        return Ok(if how.open { all.iter().collect() } else { Vec::new() });
    }
    let mut chosen = vec![false; all.len()];
    let mut patterns = false;
    for part in parts {
        let (excluded, part) = match part.strip_prefix('-') {
            Some(rest) if patterns => (true, rest),
            _ => (false, part),
        };
        if part.contains('*') && how.open {
            patterns = true;
            let mut any = false;
            for (slot, index) in chosen.iter_mut().zip(all) {
                if glob(part, &index.name) {
                    *slot = !excluded;
                    any = true;
                }
            }
            if !any && !excluded && !how.allow_no_indices {
                return Err(Failure::no_index(part));
            }
            continue;
        }
        valid(part)?;
        match all.binary_search_by(|index| index.name.as_str().cmp(part)) {
            Ok(i) => chosen[i] = !excluded,
            Err(_) if excluded || how.ignore_unavailable => {}
            Err(_) if part.starts_with('-') => {
                let reason = format!(
                    "no such index [{part}] and if you intended to exclude this index, ensure that you use \
                     wildcards that include it before explicitly excluding it"
                );
                return Err(Failure::no_index_because(part, reason));
            }
            Err(_) => return Err(Failure::no_index(part)),
        }
    }
    let found: Vec<_> =
        all.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(index, _)| index).collect();
    if found.is_empty() && !how.allow_no_indices {
        return Err(Failure::no_index(expression));
    }
    Ok(found)
}

/// Whether a name can be one of an index at all.
///
/// # Errors
/// `invalid_index_name_exception`, or 404 for an index of another cluster.
fn valid(name: &str) -> Result<(), Failure> {
    if let Some((cluster, _)) = name.split_once(':') {
        let reason = format!("no such remote cluster: [{cluster}]");
        return Err(Failure::new(404, "no_such_remote_cluster_exception", reason));
    }
    if name.starts_with('_') {
        let mut more = serde_json::Map::new();
        more.insert("index_uuid".to_owned(), "_na_".into());
        more.insert("index".to_owned(), name.into());
        let reason = format!("Invalid index name [{name}], must not start with '_'.");
        return Err(Failure::with(400, "invalid_index_name_exception", reason, more));
    }
    Ok(())
}

/// Whether a name is of a form in which `*` stands for any text. Takes time of the length of the name times that of
/// the pattern at most.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where to go on when what followed the last `*` does not match after all.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            back = Some((p, n));
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((after, from)) = back {
            p = after;
            n = from + 1;
            back = Some((after, n));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// Whether a name is named by one of several forms, as for `_mapping/field`, `_settings/{name}` and the like.
pub(crate) fn any_glob<'a>(patterns: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    patterns.into_iter().any(|p| p == "_all" || glob(p, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices() -> Vec<IndexInfo> {
        ["packetbeat-2015.01.01", "packetbeat-2015.01.02", "topbeat-2015.01.01"]
            .map(|name| IndexInfo { name: name.to_owned(), ..IndexInfo::default() })
            .to_vec()
    }

    fn names(expression: &str, how: Expansion) -> Result<Vec<String>, (u16, String)> {
        match resolve(Some(expression), &indices(), how) {
            Ok(found) => Ok(found.iter().map(|i| i.name.clone()).collect()),
            Err(f) => Err((f.status, f.body["error"]["reason"].as_str().unwrap().to_owned())),
        }
    }

    #[test]
    fn lists_patterns_and_exclusions() {
        let strict = Expansion::STRICT;
        for everything in ["", "_all", "*", "*,-none"] {
            assert_eq!(names(everything, strict).unwrap().len(), 3, "{everything}");
        }
        assert_eq!(names("packetbeat-*", strict).unwrap().len(), 2);
        assert_eq!(names("*-2015.01.01", strict).unwrap(), ["packetbeat-2015.01.01", "topbeat-2015.01.01"]);
        assert_eq!(names("packetbeat-*,-*02", strict).unwrap(), ["packetbeat-2015.01.01"]);
        assert_eq!(names("*,-topbeat-2015.01.01,-*.02", strict).unwrap(), ["packetbeat-2015.01.01"]);
        assert_eq!(names("*,-packetbeat-*,packetbeat-2015.01.02", strict).unwrap().len(), 2);
        assert_eq!(names("logs-*", strict).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there() {
        let strict = Expansion::STRICT;
        assert_eq!(names("logs", strict).unwrap_err(), (404, "no such index [logs]".into()));
        assert_eq!(names("-logs", strict).unwrap_err().0, 404);
        assert_eq!(
            names("_foo", strict).unwrap_err(),
            (400, "Invalid index name [_foo], must not start with '_'.".into())
        );
        assert_eq!(names("eu:logs", strict).unwrap_err(), (404, "no such remote cluster: [eu]".into()));
        let lenient = Expansion { ignore_unavailable: true, ..strict };
        assert_eq!(names("logs,topbeat-2015.01.01", lenient).unwrap(), ["topbeat-2015.01.01"]);
        let some = Expansion { allow_no_indices: false, ..strict };
        assert_eq!(names("logs-*", some).unwrap_err(), (404, "no such index [logs-*]".into()));
        let none = strict.wildcards(["none"]).unwrap();
        assert_eq!(names("packetbeat-*", none).unwrap_err(), (404, "no such index [packetbeat-*]".into()));
        assert_eq!(strict.wildcards(["some"]).unwrap_err().status, 400);
    }

    #[test]
    fn globs() {
        for (pattern, name, is) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("abc", "abcd", false),
            ("", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, name), is, "{pattern} {name}");
        }
    }
}
