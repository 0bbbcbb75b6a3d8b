//! The part of Painless that `bucket_script` and `bucket_selector` use: arithmetic over `params`.
//!
//! Numbers, `params.x`, `+ - * / %`, comparisons, `&& || !`, `a ? b : c`, `Math.*`, parentheses. Everything else is
//! refused. Numbers are doubles; true is 1.

use serde_json::Value;

use super::error::EsError;

/// Longest expression taken.
const MAX_LENGTH: usize = 4096;
/// Parentheses and operators within each other at most.
const MAX_DEPTH: usize = 64;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    root: Node,
    params: Vec<(String, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Number(f64),
    Null,
    Param(String),
    Unary(char, Box<Node>),
    Binary(&'static str, Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Call(&'static str, Vec<Node>),
}

const FUNCTIONS: &[(&str, usize)] = &[
    ("abs", 1),
    ("ceil", 1),
    ("floor", 1),
    ("round", 1),
    ("rint", 1),
    ("sqrt", 1),
    ("cbrt", 1),
    ("exp", 1),
    ("log", 1),
    ("log10", 1),
    ("signum", 1),
    ("min", 2),
    ("max", 2),
    ("pow", 2),
];

/// Operators by how tightly they bind, the loosest first.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

impl Script {
    /// From a text, or `{"source": …, "params": …}`.
    ///
    /// # Errors
    /// `script_exception` when it is none, or more than the part of Painless that is understood.
    pub fn parse(value: &Value) -> Result<Self, EsError> {
        let (source, given) = match value {
            Value::String(source) => (source.as_str(), None),
            Value::Object(map) => {
                if let Some(lang) = map.get("lang").and_then(Value::as_str)
                    && lang != "painless"
                    && lang != "expression"
                {
                    return Err(EsError::illegal(format!("script_lang not supported [{lang}]")));
                }
                let source = map.get("source").or_else(|| map.get("inline")).and_then(Value::as_str);
                let source = source.ok_or_else(|| {
                    EsError::illegal(
                        "must specify either [source] for an inline script or [id] for a stored script",
                    )
                })?;
                (source, map.get("params").and_then(Value::as_object))
            }
            _ => return Err(EsError::illegal("unexpected value for a script")),
        };
        let params = given
            .into_iter()
            .flatten()
            .map(|(name, v)| {
                let number = v.as_f64().or(v.as_bool().map(|b| f64::from(u8::from(b))));
                number
                    .map(|n| (name.clone(), n))
                    .ok_or_else(|| wrong(source, "only numbers are understood in params"))
            })
            .collect::<Result<_, _>>()?;
        if source.len() > MAX_LENGTH {
            return Err(wrong(source, "too long"));
        }
        let trimmed = source.trim().trim_end_matches(';').trim();
        let body = match trimmed.strip_prefix("return") {
            Some(rest) if rest.starts_with([' ', '(']) => rest,
            _ => trimmed,
        };
        let mut parser = Parser { text: body, at: 0, source };
        let root = parser.choice(0)?;
        parser.space();
        if parser.at < body.len() {
            return Err(wrong(source, "unexpected text after the expression"));
        }
        Ok(Self { root, params })
    }

    /// Its value; `None` where a value it needs is not there.
    pub fn run(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        let lookup =
            |name: &str| value_of(name).or_else(|| self.params.iter().find(|p| p.0 == name).map(|p| p.1));
        run(&self.root, &lookup)
    }
}

fn wrong(source: &str, why: &str) -> EsError {
    let short: String = source.chars().take(200).collect();
    EsError::new(400, "script_exception", "compile error")
        .with("script", Value::String(short))
        .with("lang", Value::String("painless".to_owned()))
        .caused_by(EsError::illegal(why))
}

fn truth(b: bool) -> f64 {
    f64::from(u8::from(b))
}

fn run(node: &Node, value_of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
    Some(match node {
        Node::Number(n) => *n,
        Node::Null => return None,
        Node::Param(name) => return value_of(name),
        Node::Unary('!', a) => truth(run(a, value_of)? == 0.0),
        Node::Unary(_, a) => -run(a, value_of)?,
        Node::Binary("==", a, b) if **b == Node::Null => truth(run(a, value_of).is_none()),
        Node::Binary("!=", a, b) if **b == Node::Null => truth(run(a, value_of).is_some()),
        Node::Binary("&&", a, b) => truth(run(a, value_of)? != 0.0 && run(b, value_of)? != 0.0),
        Node::Binary("||", a, b) => truth(run(a, value_of)? != 0.0 || run(b, value_of)? != 0.0),
        Node::Binary(operator, a, b) => {
            let (a, b) = (run(a, value_of)?, run(b, value_of)?);
            match *operator {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                "%" => a % b,
                "==" => truth(a == b),
                "!=" => truth(a != b),
                "<" => truth(a < b),
                "<=" => truth(a <= b),
                ">" => truth(a > b),
                _ => truth(a >= b),
            }
        }
        Node::Choice(test, a, b) => {
            return if run(test, value_of)? != 0.0 { run(a, value_of) } else { run(b, value_of) };
        }
        Node::Call(name, arguments) => {
            let a = run(arguments.first()?, value_of)?;
            match *name {
                "abs" => a.abs(),
                "ceil" => a.ceil(),
                "floor" => a.floor(),
                // Java rounds halves up.
                "round" => (a + 0.5).floor(),
                "rint" => a.round_ties_even(),
                "sqrt" => a.sqrt(),
                "cbrt" => a.cbrt(),
                "exp" => a.exp(),
                "log" => a.ln(),
                "log10" => a.log10(),
                "signum" => {
                    if a == 0.0 || a.is_nan() {
                        a
                    } else {
                        a.signum()
                    }
                }
                name => {
                    let b = run(arguments.get(1)?, value_of)?;
                    match name {
                        "min" => a.min(b),
                        "max" => a.max(b),
                        _ => a.powf(b),
                    }
                }
            }
        }
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    source: &'t str,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), EsError> {
        if self.take(token) { Ok(()) } else { Err(wrong(self.source, &format!("expected [{token}]"))) }
    }

    fn deeper(&self, depth: usize) -> Result<usize, EsError> {
        if depth >= MAX_DEPTH { Err(wrong(self.source, "nested too deep")) } else { Ok(depth + 1) }
    }

    fn choice(&mut self, depth: usize) -> Result<Node, EsError> {
        let depth = self.deeper(depth)?;
        let test = self.binary(0, depth)?;
        if !self.take("?") {
            return Ok(test);
        }
        let a = self.choice(depth)?;
        self.expect(":")?;
        let b = self.choice(depth)?;
        Ok(Node::Choice(Box::new(test), Box::new(a), Box::new(b)))
    }

    fn binary(&mut self, level: usize, depth: usize) -> Result<Node, EsError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary(depth) };
        let mut left = self.binary(level + 1, depth)?;
        let mut length = 0;
        while let Some(operator) = operators.iter().find(|o| self.take(o)) {
            length += 1;
            if length > MAX_DEPTH {
                return Err(wrong(self.source, "too many operators in a row"));
            }
            let right = self.binary(level + 1, depth)?;
            left = Node::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self, depth: usize) -> Result<Node, EsError> {
        let depth = self.deeper(depth)?;
        for operator in ['!', '-'] {
            if self.take(operator.encode_utf8(&mut [0; 4])) {
                return Ok(Node::Unary(operator, Box::new(self.unary(depth)?)));
            }
        }
        if self.take("(") {
            let inner = self.choice(depth)?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.space();
        let rest = self.rest();
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let name = self.name();
        match name {
            "" => Err(wrong(self.source, "unexpected text")),
            "null" => Ok(Node::Null),
            "true" => Ok(Node::Number(1.0)),
            "false" => Ok(Node::Number(0.0)),
            "params" => {
                if self.take(".") {
                    let name = self.name();
                    if !name.is_empty() {
                        return Ok(Node::Param(name.to_owned()));
                    }
                } else if self.take("[") {
                    self.space();
                    let quote = self.rest().chars().next().filter(|c| *c == '\'' || *c == '"');
                    if let Some(quote) = quote
                        && let Some(length) = self.rest()[1..].find(quote)
                    {
                        let name = &self.rest()[1..=length];
                        self.at += length + 2;
                        self.expect("]")?;
                        return Ok(Node::Param(name.to_owned()));
                    }
                }
                Err(wrong(self.source, "expected a name after params"))
            }
            "Math" => {
                self.expect(".")?;
                let name = self.name();
                let Some((function, count)) = FUNCTIONS.iter().find(|f| f.0 == name) else {
                    return Err(wrong(self.source, &format!("Math.{name} is not understood")));
                };
                self.expect("(")?;
                let mut arguments = vec![self.choice(depth)?];
                while arguments.len() < *count {
                    self.expect(",")?;
                    arguments.push(self.choice(depth)?);
                }
                self.expect(")")?;
                Ok(Node::Call(function, arguments))
            }
            name => Ok(Node::Param(name.to_owned())),
        }
    }

    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number(&mut self) -> Result<Node, EsError> {
        let rest = self.rest();
        let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if rest[end..].starts_with(['e', 'E']) {
            let digits = &rest[end + 1..];
            let signed = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            let count = signed.bytes().take_while(u8::is_ascii_digit).count();
            if count > 0 {
                end += 1 + (digits.len() - signed.len()) + count;
            }
        }
        let number = rest[..end].parse().map_err(|_| wrong(self.source, "not a number"))?;
        // Java's suffixes of types.
        let suffix = usize::from(rest[end..].starts_with(['d', 'D', 'f', 'F', 'l', 'L']));
        self.at += end + suffix;
        Ok(Node::Number(number))
    }
}
