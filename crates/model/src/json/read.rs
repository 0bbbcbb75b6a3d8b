//! Events back from JSON.

use crate::Time;
use crate::entries::{Entries, Scalar};
use crate::field::{Field, Kind, Schema};

/// Why a JSON text is not an event.
#[derive(Debug)]
pub struct NotAnEvent(pub String);

impl std::fmt::Display for NotAnEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for NotAnEvent {}

/// Reads what [`crate::JsonWriter::write`] writes. Fields come in schema order, so that reading what was written at nanosecond
/// precision and writing it again gives the same text.
///
/// # Errors
/// When the text is not a JSON object, a field is unknown or a value does not fit its field's kind.
pub fn read_event(schema: &Schema, text: &str) -> Result<Entries, NotAnEvent> {
    let tree: serde_json::Value = serde_json::from_str(text).map_err(|e| NotAnEvent(e.to_string()))?;
    let serde_json::Value::Object(tree) = tree else { return Err(NotAnEvent("not an object".into())) };
    let mut entries = Entries::new();
    read_object(schema, "", &tree, &mut entries)?;
    Ok(entries)
}

type Tree = serde_json::Map<String, serde_json::Value>;

fn read_object(schema: &Schema, prefix: &str, tree: &Tree, out: &mut Entries) -> Result<(), NotAnEvent> {
    for (key, value) in tree {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (schema.by_name(&name), value) {
            (Some(field), value) => read_value(schema, field, value, out)?,
            (None, serde_json::Value::Object(inner)) => read_object(schema, &name, inner, out)?,
            (None, _) => return Err(NotAnEvent(format!("unknown field {name}"))),
        }
    }
    Ok(())
}

fn read_value(
    schema: &Schema,
    field: &Field,
    value: &serde_json::Value,
    out: &mut Entries,
) -> Result<(), NotAnEvent> {
    use serde_json::Value as Json;
    let wrong = || NotAnEvent(format!("{}: {value} is no {:?}", field.name(), field.kind()));
    match (field.kind(), value) {
        (Kind::Objects, Json::Array(items)) => {
            let mut result = Ok(());
            out.put_objects(field, |list| {
                for item in items {
                    list.push(|object| match item {
                        Json::Object(tree) => {
                            if let Err(e) = read_object(schema, field.name(), tree, object) {
                                result = Err(e);
                            }
                        }
                        _ => result = Err(wrong()),
                    });
                }
            });
            result
        }
        (Kind::Map, Json::Object(tree)) => {
            let mut result = Ok(());
            out.put_map(field, |map| {
                for (key, value) in tree {
                    match value {
                        Json::Array(items) => map.put_array(key.as_bytes(), |array| {
                            for item in items {
                                match free_scalar(item) {
                                    Some(s) => array.push(s),
                                    None => result = Err(wrong()),
                                }
                            }
                        }),
                        _ => match free_scalar(value) {
                            Some(s) => map.put(key.as_bytes(), s),
                            None => result = Err(wrong()),
                        },
                    }
                }
            });
            result
        }
        (_, Json::Array(items)) => {
            let mut result = Ok(());
            out.put_array(field, |array| {
                for item in items {
                    match typed_scalar(field.kind(), item) {
                        Some(s) => array.push(s),
                        None => result = Err(wrong()),
                    }
                }
            });
            result
        }
        (kind, _) => {
            out.put(field, typed_scalar(kind, value).ok_or_else(wrong)?);
            Ok(())
        }
    }
}

fn free_scalar(value: &serde_json::Value) -> Option<Scalar<'_>> {
    Some(match value {
        serde_json::Value::Bool(v) => Scalar::Bool(*v),
        serde_json::Value::String(v) => Scalar::Str(v),
        serde_json::Value::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(u), _) => Scalar::Uint(u),
            (None, Some(i)) => Scalar::Int(i),
            _ => Scalar::Double(n.as_f64()?),
        },
        _ => return None,
    })
}

fn typed_scalar(kind: Kind, value: &serde_json::Value) -> Option<Scalar<'_>> {
    Some(match (kind, free_scalar(value)?) {
        (Kind::Keyword | Kind::Text, s @ Scalar::Str(_)) => s,
        (Kind::Long, s @ (Scalar::Uint(_) | Scalar::Int(_))) => s,
        (Kind::Double, s @ Scalar::Double(_)) => s,
        (Kind::Double, Scalar::Uint(v)) => Scalar::Double(v as f64),
        (Kind::Double, Scalar::Int(v)) => Scalar::Double(v as f64),
        (Kind::Boolean, s @ Scalar::Bool(_)) => s,
        (Kind::Ip, Scalar::Str(v)) => Scalar::from(v.parse::<std::net::IpAddr>().ok()?),
        (Kind::Date, Scalar::Str(v)) => Scalar::Time(Time::parse_rfc3339(v)?),
        _ => return None,
    })
}
