//! Problems as lines for people: `packetbeat.yml:12:3: packetbeat.flows.period: expected …`.

use std::fmt;
use std::path::Path;

use wirebeat_model::config::{Pos, Problem};

/// One warning or error, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file; empty without one.
    pub file: String,
    /// Where in the file; line 0: on the command line, or nowhere in particular.
    pub pos: Pos,
    /// The whole key; empty when it is about no key.
    pub key: String,
    /// What is wrong, what was expected, what to write instead.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pos.line > 0 {
            write!(f, "{}:{}:{}: ", self.file, self.pos.line, self.pos.column)?;
        } else if !self.key.is_empty() {
            // Only keys set on the command line have no place.
            f.write_str("-E ")?;
        } else if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        if !self.key.is_empty() {
            write_plain(&self.key, f)?;
            f.write_str(": ")?;
        }
        write_plain(&self.text, f)
    }
}

/// What a file holds never controls a terminal.
fn write_plain(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for part in text.split_inclusive(char::is_control) {
        match part.char_indices().next_back() {
            Some((at, control)) if control.is_control() => {
                f.write_str(&part[..at])?;
                write!(f, "{}", control.escape_debug())?;
            }
            _ => f.write_str(part)?,
        }
    }
    Ok(())
}

/// Why a configuration cannot be used, and what else is odd in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// What is wrong, in the file's order.
    pub errors: Vec<Notice>,
    /// What is odd.
    pub warnings: Vec<Notice>,
}

impl ConfigErrors {
    /// One that is about the file as a whole.
    pub(super) fn of_file(path: &Path, text: String) -> Self {
        let problem = Problem { pos: Pos::default(), key: String::new(), text };
        Self { errors: notices(Some(path), vec![problem]), warnings: Vec::new() }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// In the file's order; what has no place comes last, and nothing twice.
pub(super) fn notices(path: Option<&Path>, problems: Vec<Problem>) -> Vec<Notice> {
    let file = path.map(|p| p.display().to_string()).unwrap_or_default();
    let mut notices: Vec<Notice> = problems
        .into_iter()
        .map(|p| Notice { file: file.clone(), pos: p.pos, key: p.key, text: p.text })
        .collect();
    notices.sort_by_key(|n| (n.pos.line == 0, n.pos.line, n.pos.column));
    notices.dedup();
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let notice = |line, key: &str, file: &str| {
            let pos = Pos { line, column: line };
            Notice { file: file.into(), pos, key: key.into(), text: "wrong".into() }.to_string()
        };
        let text = "${A\u{1b}é} \u{7}\"".into();
        let odd = Notice { file: String::new(), pos: Pos::default(), key: String::new(), text };
        assert_eq!(odd.to_string(), "${A\\u{1b}é} \\u{7}\"");
        assert_eq!(notice(3, "a.b", "x.yml"), "x.yml:3:3: a.b: wrong");
        assert_eq!(notice(0, "a.b", "x.yml"), "-E a.b: wrong");
        assert_eq!(notice(0, "", "x.yml"), "x.yml: wrong");
        assert_eq!(notice(0, "", ""), "wrong");
        assert_eq!(notice(3, "a\u{1b}[2J", "x.yml"), "x.yml:3:3: a\\u{1b}[2J: wrong");
    }
}
