//! Values inside a column of maps, which is stored as JSON objects.

use std::fmt;

use arrow_array::Array;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use wirebeat_model::Kind;

use crate::block::{Column, Rows, Terms, Values};
use crate::part::Cursor;
use crate::terms::Texts;

/// The values of one key, or of all keys, as texts. Each distinct object is read once.
pub(crate) fn map_values(column: &Column, key: Option<&str>, rows: usize) -> Column {
    let mut texts = Texts::new();
    // The numbers of the values in each distinct object.
    let mut found: Vec<u32> = Vec::new();
    let mut ends: Vec<u32> = vec![0];
    let empty = Vec::new();
    let codes = match &column.values {
        Values::Coded { codes, terms: Terms::Text(terms) } => {
            for i in 0..terms.len() {
                let mut reader = serde_json::Deserializer::from_str(terms.value(i));
                let walk = Walk { key, found: &mut |text| found.push(texts.code(text)) };
                // Written by us: what cannot be read has no values.
                let _ = reader.deserialize_map(walk);
                ends.push(found.len() as u32);
            }
            codes
        }
        _ => &empty,
    };
    let mut cursor = Cursor::new(&column.rows);
    let (mut out, mut few) = (Vec::new(), Vec::new());
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    let mut single = true;
    for row in 0..rows as u32 {
        let before = out.len();
        for i in cursor.of(row) {
            let code = codes[i] as usize;
            out.extend_from_slice(&found[ends[code] as usize..ends[code + 1] as usize]);
        }
        match out.len() - before {
            0 => {}
            n => {
                single &= n == 1;
                few.push(row);
            }
        }
        offsets.push(out.len() as u32);
    }
    let rows = match (single, few.len() == rows) {
        (true, true) => Rows::Each,
        (true, false) => Rows::Few(few),
        _ => Rows::Many(offsets),
    };
    Column { kind: Kind::Keyword, rows, values: Values::Coded { codes: out, terms: texts.into_terms() } }
}

/// Goes through an object and shows the values of the keys that are asked for.
struct Walk<'k, 'f> {
    key: Option<&'k str>,
    found: &'f mut dyn FnMut(&str),
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(wanted) = map.next_key_seed(IsKey(self.key))? {
            if wanted {
                map.next_value_seed(Show(self.found))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a key is asked for.
struct IsKey<'k>(Option<&'k str>);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<bool, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(self.0.is_none_or(|k| k == key))
    }
}

/// Shows a scalar, or each scalar of a list.
struct Show<'f>(&'f mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Show<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Show<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar or a list")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.0)(text);
        Ok(())
    }
    fn visit_bool<E: Error>(self, v: bool) -> Result<(), E> {
        (self.0)(if v { "true" } else { "false" });
        Ok(())
    }
    fn visit_u64<E: Error>(self, v: u64) -> Result<(), E> {
        (self.0)(itoa::Buffer::new().format(v));
        Ok(())
    }
    fn visit_i64<E: Error>(self, v: i64) -> Result<(), E> {
        (self.0)(itoa::Buffer::new().format(v));
        Ok(())
    }
    fn visit_f64<E: Error>(self, v: f64) -> Result<(), E> {
        (self.0)(ryu::Buffer::new().format(v));
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Show(self.0))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_dots_lists_and_escapes() {
        let mut texts = Texts::new();
        let codes = vec![
            texts.code(r#"{"host":"a","set-cookie":["x","y\n"],"n":5}"#),
            texts.code(r#"{"a.b":true}"#),
            texts.code(r#"{"host":"a"}"#),
        ];
        let column = Column {
            kind: Kind::Map,
            rows: Rows::Few(vec![1, 2, 4]),
            values: Values::Coded { codes, terms: texts.into_terms() },
        };
        let of = |key: Option<&str>| -> Vec<(u32, String)> {
            let c = map_values(&column, key, 5);
            let Values::Coded { codes, terms: Terms::Text(terms) } = &c.values else { panic!("texts") };
            (0..5)
                .flat_map(|row| c.of(row).map(move |i| (row, i)))
                .map(|(r, i)| (r, terms.value(codes[i] as usize).to_owned()))
                .collect()
        };
        assert_eq!(of(Some("host")), [(1, "a".into()), (4, "a".into())]);
        assert_eq!(of(Some("set-cookie")), [(1, "x".into()), (1, "y\n".into())]);
        assert_eq!(of(Some("a.b")), [(2, "true".into())]);
        assert_eq!(of(None).len(), 6);
        assert!(of(Some("nothing")).is_empty());
    }
}
