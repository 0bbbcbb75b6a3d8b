//! `wirebeat fields`: every field an event may have, from the declarations that fill them.

use std::fmt::Write;

use wirebeat_model::{Class, Field, Schema, Unit, write_str};

use crate::cli::FieldsFormat;
use crate::config::reference::cell;

/// The reference, ready to print.
pub fn render(schema: &Schema, format: FieldsFormat) -> String {
    let fields: Vec<&Field> = schema.fields().map(|f| -> &Field { f }).collect();
    match format {
        FieldsFormat::Text => text(&fields),
        FieldsFormat::Json => json(&fields),
        FieldsFormat::Markdown => markdown(&fields),
    }
}

fn unit(field: &Field) -> &'static str {
    match field.unit_of() {
        Unit::None => "",
        Unit::Bytes => "bytes",
        Unit::Packets => "packets",
        Unit::Nanos => "nanos",
        Unit::Seconds => "s",
        Unit::Percent => "percent",
    }
}

fn class(field: &Field) -> &'static str {
    match field.class_of() {
        Class::Plain => "",
        Class::Payload => "payload",
        Class::Secret => "secret",
    }
}

/// Its meaning, and what it is called too.
fn meaning(field: &Field) -> String {
    let mut out = field.doc().to_owned();
    if let Some((first, more)) = field.aliases_of().split_first() {
        let _ = write!(out, " Also asked for as `{first}`");
        more.iter().for_each(|name| {
            let _ = write!(out, ", `{name}`");
        });
        out.push('.');
    }
    out
}

fn text(fields: &[&Field]) -> String {
    let width = fields.iter().map(|f| f.name().len()).max().unwrap_or(0);
    let mut out = String::new();
    let _ = writeln!(out, "{:<width$}  {:<9}  {:<7}  {:<7}  MEANING", "FIELD", "TYPE", "UNIT", "CLASS");
    for f in fields {
        let (kind, unit, class) = (f.kind().es_type(), unit(f), class(f));
        let _ = writeln!(out, "{:<width$}  {kind:<9}  {unit:<7}  {class:<7}  {}", f.name(), meaning(f));
    }
    out
}

fn json(fields: &[&Field]) -> String {
    let mut out = Vec::new();
    for (i, f) in fields.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"[\n" } else { b",\n" });
        let values = [
            ("name", f.name()),
            ("type", f.kind().es_type()),
            ("unit", unit(f)),
            ("class", if class(f).is_empty() { "plain" } else { class(f) }),
            ("description", f.doc()),
            ("aliases", &f.aliases_of().join(",")),
        ];
        for (n, (key, value)) in values.iter().filter(|(_, value)| !value.is_empty()).enumerate() {
            out.push(if n == 0 { b'{' } else { b',' });
            write_str(key, &mut out);
            out.push(b':');
            write_str(value, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(if fields.is_empty() { b"[]\n" } else { b"\n]\n" });
    String::from_utf8(out).unwrap_or_default()
}

fn markdown(fields: &[&Field]) -> String {
    let mut out = String::from(
        "# Fields\n\n\
         Every field an event may have. Made by `wirebeat fields --format markdown` from the declarations in the code; do\n\
         not edit.\n\n\
         Types are Elasticsearch's. A field of class *payload* holds content of the conversation; one of class *secret* may\n\
         hold a password, a key or a session, and is masked while redaction is on.\n",
    );
    let (own, objects): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|f| !f.name().contains('.'));
    let mut group = None;
    for f in own.into_iter().chain(objects) {
        let title = match f.name().split_once('.') {
            Some((object, _)) => format!("`{object}`"),
            None => "The event itself".to_owned(),
        };
        if group.as_ref() != Some(&title) {
            let _ = write!(
                out,
                "\n## {title}\n\n| Field | Type | Unit | Class | Meaning |\n|---|---|---|---|---|\n"
            );
            group = Some(title);
        }
        let (kind, unit, class) = (f.kind().es_type(), unit(f), class(f));
        let _ = writeln!(out, "| `{}` | {kind} | {unit} | {class} | {} |", f.name(), cell(&meaning(f)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirebeat_model::{Kind, ecs};

    #[test]
    fn three_forms() {
        let list = [&ecs::QUERY, &ecs::SOURCE_BYTES];
        let text = text(&list);
        assert!(text.starts_with("FIELD         TYPE"), "{text}");
        assert!(
            text.contains("query         keyword             payload  The request in one line.\n"),
            "{text}"
        );
        let parsed: serde_json::Value = serde_json::from_str(&json(&list)).unwrap();
        assert_eq!(parsed[0]["class"], "payload");
        assert_eq!(parsed[0].get("unit"), None);
        assert_eq!((&parsed[1]["name"], &parsed[1]["unit"]), (&"source.bytes".into(), &"bytes".into()));
        assert_eq!(json(&[]), "[]\n");
        static PIPE: Field = Field::new("a.b", Kind::Long, "This | that.").aliases(&["x", "y.z"]);
        let page = markdown(&[&ecs::QUERY, &PIPE]);
        assert!(page.contains("## The event itself\n") && page.contains("## `a`\n"), "{page}");
        assert!(
            page.contains("| `a.b` | long |  |  | This \\| that. Also asked for as `x`, `y.z`. |"),
            "{page}"
        );
    }
}
