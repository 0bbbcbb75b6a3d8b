//! JSON as Elasticsearch reads and writes it: a name twice in an object is an error, `?pretty` has spaces of its own.

use std::fmt;
use std::io;

use serde_json::de::{Deserializer, SliceRead};
use serde_json::ser::Formatter;
use serde_json::{Map, Value};

use serde::Serialize;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::Failure;

/// Reads one value and nothing after it.
///
/// # Errors
/// `x_content_parse_exception` with line and column, or what Elasticsearch says instead.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    let mut reader = Deserializer::new(SliceRead::new(bytes));
    let value = Strict.deserialize(&mut reader).map_err(|e| wrong(&e))?;
    let end = reader.end();
    end.map_err(|e| match after(bytes, &e) {
        Some(token) => {
            let reason = format!("Unexpected token [{token}] found after the main object.");
            Failure::parsing(reason, e.line(), e.column())
        }
        None => wrong(&e),
    })?;
    Ok(value)
}

fn wrong(e: &serde_json::Error) -> Failure {
    let (line, column) = (e.line(), e.column());
    if e.is_eof() {
        let reason = format!("[{line}:{}] Unexpected end of file", column + 1);
        return Failure::new(400, "x_content_e_o_f_exception", reason)
            .caused_by("json_e_o_f_exception", "Unexpected end-of-input");
    }
    let mut reason = e.to_string();
    if let Some(end) = reason.rfind(" at line ") {
        reason.truncate(end);
    }
    Failure::new(400, "x_content_parse_exception", format!("[{line}:{}] {reason}", column.max(1)))
        .caused_by("json_parse_exception", &reason)
}

/// What kind of value follows where nothing should.
fn after(bytes: &[u8], e: &serde_json::Error) -> Option<&'static str> {
    let line = bytes.split(|b| *b == b'\n').nth(e.line().checked_sub(1)?)?;
    Some(match line.get(e.column().checked_sub(1)?)? {
        b'{' => "START_OBJECT",
        b'[' => "START_ARRAY",
        b'"' => "VALUE_STRING",
        b'-' | b'0'..=b'9' => "VALUE_NUMBER",
        _ => return None,
    })
}

/// Elasticsearch's word for a kind of value.
pub(crate) fn token(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "START_OBJECT",
        Value::Array(_) => "START_ARRAY",
        Value::String(_) => "VALUE_STRING",
        Value::Number(_) => "VALUE_NUMBER",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Null => "VALUE_NULL",
    }
}

/// A value in which no object has a name twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("Duplicate field '{name}'")));
            }
            let value = access.next_value_seed(Strict)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// Writes an answer; `?pretty` ends with a line feed, as Elasticsearch's does.
pub(crate) fn write(value: &Value, pretty: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if pretty {
        let mut writer = serde_json::Serializer::with_formatter(&mut out, Pretty::default());
        // Writing a value into memory cannot fail.
        let _ = value.serialize(&mut writer);
        out.push(b'\n');
    } else {
        let _ = serde_json::to_writer(&mut out, value);
    }
    out
}

/// Jackson's default: two spaces, ` : ` between name and value, `{ }` and `[ ]`.
#[derive(Default)]
struct Pretty {
    depth: usize,
    has_value: bool,
}

impl Pretty {
    fn line(&self, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }

    fn begin(&mut self, out: &mut (impl io::Write + ?Sized), open: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(open)
    }

    fn end(&mut self, out: &mut (impl io::Write + ?Sized), close: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.line(out)?;
        } else {
            out.write_all(b" ")?;
        }
        self.has_value = true;
        out.write_all(close)
    }

    fn next(&mut self, out: &mut (impl io::Write + ?Sized), first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }
}

impl Formatter for Pretty {
    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b" : ")
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_twice_is_refused() {
        assert_eq!(
            parse(br#"{"a":[1,2.5,null,"x",true,-1]}"#).unwrap(),
            json!({"a": [1, 2.5, null, "x", true, -1]})
        );
        let failure = parse(b"{\"size\":1,\n\"size\":2}").unwrap_err();
        assert_eq!(failure.status, 400);
        let reason = failure.body["error"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("[2:") && reason.contains("Duplicate field 'size'"), "{reason}");
        for bad in ["{", "{}x", "", "{\"a\"}", "[1,]"] {
            assert_eq!(parse(bad.as_bytes()).unwrap_err().status, 400, "{bad}");
        }
    }

    /// As Elasticsearch 8.19.5 answered.
    #[test]
    fn what_follows_and_what_is_missing() {
        let told = |text: &str| {
            let error = parse(text.as_bytes()).unwrap_err().body["error"].clone();
            (error["type"].as_str().unwrap().to_owned(), error["reason"].as_str().unwrap().to_owned())
        };
        assert_eq!(
            told("{} {}"),
            (
                "parsing_exception".into(),
                "Unexpected token [START_OBJECT] found after the main object.".into()
            )
        );
        assert_eq!(parse(b"{} {}").unwrap_err().body["error"]["col"], 4);
        assert_eq!(
            told(r#"{"query":{"match_all":{}"#),
            ("x_content_e_o_f_exception".into(), "[1:25] Unexpected end of file".into())
        );
        let (kind, reason) = told("{nonsense");
        assert!(kind == "x_content_parse_exception" && reason.starts_with("[1:2] "), "{reason}");
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        assert!(parse("[".repeat(1 << 20).as_bytes()).is_err());
        assert!(parse("{\"a\":".repeat(1 << 20).as_bytes()).is_err());
    }

    #[test]
    fn pretty_as_elasticsearch() {
        let value = json!({"a": {"b": [1, {"c": "x"}], "d": [], "e": {}}});
        let text = "{\n  \"a\" : {\n    \"b\" : [\n      1,\n      {\n        \"c\" : \"x\"\n      }\n    ],\n    \
                    \"d\" : [ ],\n    \"e\" : { }\n  }\n}\n";
        assert_eq!(String::from_utf8(write(&value, true)).unwrap(), text);
        assert_eq!(write(&json!({"a": 1}), false), br#"{"a":1}"#);
    }
}
