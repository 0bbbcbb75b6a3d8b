//! Lucene's regular expressions and wildcards, matched in linear time.
//!
//! Lucene's syntax: no anchors, the whole term has to match, `^` and `$` are characters, `"…"` is taken literally.
//! `a&b` and `~a` are understood when they are not inside another operator.

use regex::{Regex, RegexBuilder};

use super::ast::RegexpFlags;
use super::error::EsError;

/// Longest expression taken: Elasticsearch's `index.max_regex_length`.
pub const MAX_LENGTH: usize = 1000;

/// Bytes of a compiled expression at most.
const MAX_SIZE: usize = 1 << 20;

/// An expression of a whole term.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// All have to match, or not to.
    parts: Vec<(Regex, bool)>,
    /// What every term of this form has in it; empty: nothing is known.
    part: String,
    /// Where that is all a term has to have: whether there may be something before it, and behind it.
    open: Option<(bool, bool)>,
}

impl Pattern {
    /// Whether a term is of this form.
    pub fn matches(&self, term: &str) -> bool {
        let part = self.part.as_str();
        match self.open {
            Some((true, true)) => term.contains(part),
            Some((true, false)) => term.ends_with(part),
            Some((false, true)) => term.starts_with(part),
            Some((false, false)) => term == part,
            None => self.parts.iter().all(|(regex, wanted)| regex.is_match(term) == *wanted),
        }
    }

    /// A text that every term of this form has in it, where one is known.
    pub fn part(&self) -> Option<&str> {
        (!self.part.is_empty()).then_some(self.part.as_str())
    }

    /// A regular expression in Lucene's syntax.
    ///
    /// # Errors
    /// `illegal_argument_exception` when it is none, is too long or too large.
    pub fn regexp(text: &str, flags: RegexpFlags, case_insensitive: bool) -> Result<Self, EsError> {
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(EsError::illegal(format!(
                "The length of regex [{length}] used in the Regexp Query request has exceeded the allowed maximum of \
                 [{MAX_LENGTH}]. This maximum can be set by changing the [index.max_regex_length] index level setting."
            )));
        }
        let chars: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        for piece in intersection(&chars, flags) {
            let (piece, wanted) = complement(piece, flags);
            let mut out = String::from("^(?:");
            translate(piece, flags, &mut out)?;
            out.push_str(")$");
            parts.push((compile(&out, text, case_insensitive)?, wanted));
        }
        Ok(Self { parts, part: String::new(), open: None })
    }

    /// `*` any text, `?` one character, `\` takes the next one as it is.
    ///
    /// # Errors
    /// `illegal_argument_exception` when it is too large.
    pub fn wildcard(text: &str, case_insensitive: bool) -> Result<Self, EsError> {
        let mut out = String::new();
        let mut chars = text.chars();
        let mut stars = false;
        let mut open = true;
        // Texts with stars or nothing between them, and whether something else is there.
        let (mut literals, mut other) = (0, case_insensitive);
        let (mut part, mut longest) = (String::new(), String::new());
        while let Some(c) = chars.next() {
            let before = out.len();
            match c {
                '*' => {
                    stars = true;
                    longer(&mut longest, &mut part);
                    continue;
                }
                '?' => {
                    longer(&mut longest, &mut part);
                    other = true;
                    out.push('.');
                }
                c => {
                    let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                    push_literal(c, &mut out);
                    literals += usize::from(part.is_empty());
                    part.push(c);
                }
            }
            // A star at an end needs no matching: the expression is not anchored there.
            let joint = match (stars, open) {
                (true, false) => ".*",
                (false, true) => "^",
                _ => "",
            };
            out.insert_str(before, joint);
            (stars, open) = (false, false);
        }
        if !stars {
            out.push_str(if open { "^$" } else { "$" });
        }
        longer(&mut longest, &mut part);
        if case_insensitive {
            longest.clear();
        }
        let open = (literals == 1 && !other).then_some((text.starts_with('*'), stars));
        Ok(Self { parts: vec![(compile(&out, text, case_insensitive)?, true)], part: longest, open })
    }
}

/// Keeps the longer one; the other begins anew.
fn longer(longest: &mut String, part: &mut String) {
    if part.len() > longest.len() {
        std::mem::swap(longest, part);
    }
    part.clear();
}

fn compile(translated: &str, original: &str, case_insensitive: bool) -> Result<Regex, EsError> {
    RegexBuilder::new(translated)
        .dot_matches_new_line(true)
        .case_insensitive(case_insensitive)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(60)
        .build()
        .map_err(|e| {
            let short: String = original.chars().take(200).collect();
            match e {
                regex::Error::CompiledTooBig(_) => EsError::new(
                    400,
                    "too_complex_to_determinize_exception",
                    format!("Determinizing [{short}] would require more than the allowed effort."),
                ),
                _ => EsError::illegal(format!("cannot read regular expression [{short}]")),
            }
        })
}

fn push_literal(c: char, out: &mut String) {
    let mut buffer = [0; 4];
    out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
}

/// What an outermost `&` joins.
fn intersection(chars: &[char], flags: RegexpFlags) -> Vec<&[char]> {
    if !flags.has(RegexpFlags::INTERSECTION) || !chars.contains(&'&') {
        return vec![chars];
    }
    let mut parts = Vec::new();
    let (mut depth, mut from, mut at) = (0_usize, 0, 0);
    let mut union = false;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '"' => at = skip_to(chars, at, '"'),
            '[' => at = skip_to(chars, at, ']'),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => union = true,
            '&' if depth == 0 => {
                parts.push(&chars[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    // `a|b&c` is `a|(b&c)`: not an outermost intersection.
    if union && !parts.is_empty() {
        return vec![chars];
    }
    parts.push(&chars[from..]);
    parts
}

fn skip_to(chars: &[char], from: usize, end: char) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != end {
        at += if chars[at] == '\\' && end == ']' { 2 } else { 1 };
    }
    at
}

/// `~(…)` or `~x` as a whole: the expression inside, and whether it has to match.
fn complement(chars: &[char], flags: RegexpFlags) -> (&[char], bool) {
    if !flags.has(RegexpFlags::COMPLEMENT) || chars.first() != Some(&'~') {
        return (chars, true);
    }
    let inner = &chars[1..];
    match inner {
        [_] => (inner, false),
        ['(', ..] => {
            let mut depth = 0_usize;
            let mut at = 0;
            while at < inner.len() {
                match inner[at] {
                    '\\' => at += 1,
                    '"' => at = skip_to(inner, at, '"'),
                    '[' => at = skip_to(inner, at, ']'),
                    '(' => depth += 1,
                    ')' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            break;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            if at + 1 == inner.len() { (inner, false) } else { (chars, true) }
        }
        _ => (chars, true),
    }
}

fn translate(chars: &[char], flags: RegexpFlags, out: &mut String) -> Result<(), EsError> {
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        match c {
            '.' | '|' | '(' | ')' | '*' | '+' | '?' => {
                out.push(c);
                // Regular expressions elsewhere read `(?` and `+?` as something else.
                if matches!(c, '*' | '+' | '?') && matches!(chars.get(at), Some('*' | '+' | '?' | '{')) {
                    return Err(EsError::unsupported("[regexp] with one repetition after the other"));
                }
                if c == '(' && matches!(chars.get(at), Some('?' | '*' | '+')) {
                    return Err(EsError::illegal(format!("expected expression at position {at}")));
                }
            }
            '{' => {
                let end = chars[at..].iter().position(|&c| c == '}').map(|n| at + n);
                let body: String = end.map(|end| chars[at..end].iter().collect()).unwrap_or_default();
                if body.is_empty()
                    || !body.chars().all(|c| c.is_ascii_digit() || c == ',')
                    || body.starts_with(',')
                {
                    return Err(EsError::illegal(format!("integer expected at position {at}")));
                }
                out.push('{');
                out.push_str(&body);
                out.push('}');
                at = end.unwrap_or(at) + 1;
                if matches!(chars.get(at), Some('*' | '+' | '?' | '{')) {
                    return Err(EsError::unsupported("[regexp] with one repetition after the other"));
                }
            }
            '[' => at = class(chars, at, out)?,
            '"' => {
                let end = chars[at..].iter().position(|&c| c == '"').map(|n| at + n);
                let end = end
                    .ok_or_else(|| EsError::illegal(format!("expected '\"' at position {}", chars.len())))?;
                out.push_str("(?:");
                for &c in &chars[at..end] {
                    push_literal(c, out);
                }
                out.push(')');
                at = end + 1;
            }
            '\\' => {
                let Some(&next) = chars.get(at) else {
                    return Err(EsError::illegal("unexpected end-of-string"));
                };
                at += 1;
                match next {
                    'd' => out.push_str("[0-9]"),
                    'D' => out.push_str("[^0-9]"),
                    's' => out.push_str("[ \\t\\n\\r]"),
                    'S' => out.push_str("[^ \\t\\n\\r]"),
                    'w' => out.push_str("[A-Za-z0-9_]"),
                    'W' => out.push_str("[^A-Za-z0-9_]"),
                    other => push_literal(other, out),
                }
            }
            '@' if flags.has(RegexpFlags::ANYSTRING) => out.push_str("(?:.*)"),
            '#' if flags.has(RegexpFlags::EMPTY) => out.push_str("[^\\x{0}-\\x{10FFFF}]"),
            '~' if flags.has(RegexpFlags::COMPLEMENT) => {
                return Err(EsError::unsupported("[regexp] with the operator [~] inside an expression"));
            }
            '&' if flags.has(RegexpFlags::INTERSECTION) => {
                return Err(EsError::unsupported("[regexp] with the operator [&] inside an expression"));
            }
            '<' if flags.has(RegexpFlags::INTERVAL) => {
                let end = chars[at..].iter().position(|&c| c == '>').map(|n| at + n);
                let end =
                    end.ok_or_else(|| EsError::illegal(format!("expected '>' at position {}", chars.len())))?;
                let body: String = chars[at..end].iter().collect();
                out.push_str(&interval(&body).ok_or_else(|| {
                    EsError::illegal(format!("interval syntax error at position {}", end.saturating_sub(1)))
                })?);
                at = end + 1;
            }
            c => push_literal(c, out),
        }
    }
    Ok(())
}

/// `1-100`: the numbers between, with any number of zeros before; `001-100`: in three digits.
fn interval(body: &str) -> Option<String> {
    let (low, high) = body.split_once('-')?;
    let width = (low.len() == high.len()).then_some(low.len());
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| digits)
    };
    let (low, high) = (number(low)?, number(high)?);
    let (low, high) = (low.min(high), low.max(high));
    let mut parts = Vec::new();
    match width {
        Some(width) => parts.push(digits(&format!("{low:0width$}"), &format!("{high:0width$}"))),
        None => {
            for width in low.to_string().len()..=high.to_string().len() {
                let (first, last) = (10_i64.pow(width as u32 - 1), 10_i64.pow(width as u32) - 1);
                let first = i64::from(low).max(if width == 1 { 0 } else { first });
                parts.push(digits(&first.to_string(), &last.min(high.into()).to_string()));
            }
        }
    }
    let zeros = if width.is_none() { "0*" } else { "" };
    Some(format!("(?:{zeros}(?:{}))", parts.join("|")))
}

/// The numbers between two that have as many digits.
fn digits(low: &str, high: &str) -> String {
    let any = |n: usize| if n == 0 { String::new() } else { format!("[0-9]{{{n}}}") };
    let (Some(a), Some(b)) = (low.bytes().next(), high.bytes().next()) else { return String::new() };
    let (low, high) = (&low[1..], &high[1..]);
    let rest = low.len();
    if a == b {
        return format!("{}{}", char::from(a), digits(low, high));
    }
    let mut parts = vec![format!("{}{}", char::from(a), digits(low, &"9".repeat(rest)))];
    if a + 1 < b {
        parts.push(format!("[{}-{}]{}", char::from(a + 1), char::from(b - 1), any(rest)));
    }
    parts.push(format!("{}{}", char::from(b), digits(&"0".repeat(rest), high)));
    format!("(?:{})", parts.join("|"))
}

/// A character class from behind its `[`; answers where it ends.
fn class(chars: &[char], mut at: usize, out: &mut String) -> Result<usize, EsError> {
    out.push('[');
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let mut first = true;
    loop {
        let one = |at: &mut usize| -> Option<char> {
            let c = *chars.get(*at)?;
            *at += 1;
            if c != '\\' {
                return Some(c);
            }
            let c = *chars.get(*at)?;
            *at += 1;
            Some(c)
        };
        match chars.get(at) {
            None => return Err(EsError::illegal(format!("expected ']' at position {}", chars.len()))),
            Some(']') if !first => {
                out.push(']');
                return Ok(at + 1);
            }
            Some('\\') if matches!(chars.get(at + 1), Some('d' | 's' | 'w')) => {
                out.push_str(match chars[at + 1] {
                    'd' => "0-9",
                    's' => " \\t\\n\\r",
                    _ => "A-Za-z0-9_",
                });
                at += 2;
            }
            Some(_) => {
                let bad = || EsError::illegal("unexpected end-of-string");
                let from = one(&mut at).ok_or_else(bad)?;
                let to = if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|&c| c != ']') {
                    at += 1;
                    one(&mut at).ok_or_else(bad)?
                } else {
                    from
                };
                if from > to {
                    return Err(EsError::illegal(format!(
                        "invalid range: from ({}) cannot be > to ({})",
                        from as u32, to as u32
                    )));
                }
                out.push_str(&format!("\\x{{{:X}}}-\\x{{{:X}}}", from as u32, to as u32));
            }
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_its_numbers() {
        for (low, high) in [(0, 0), (1, 100), (7, 12), (98, 1003), (10, 10)] {
            let form = Pattern::regexp(&format!("a<{low}-{high}>b"), RegexpFlags::ALL, false).unwrap();
            for n in 0..1200 {
                assert_eq!(form.matches(&format!("a{n}b")), (low..=high).contains(&n), "{n} of {low}-{high}");
            }
        }
        let fixed = Pattern::regexp("<001-020>", RegexpFlags::ALL, false).unwrap();
        assert!(fixed.matches("007") && !fixed.matches("7") && !fixed.matches("021"));
        for bad in ["<>", "<1-", "<1>", "<a-b>", "<-1>", "<1-2-3>"] {
            assert!(Pattern::regexp(bad, RegexpFlags::ALL, false).is_err(), "{bad}");
        }
    }
}
