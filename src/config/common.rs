//! Keys that every section with events may have and that nothing here honours yet.

use wirebeat_model::config::Section;

use super::tree;

/// Names and types, and whether a value asks for nothing.
const NOT_YET: [(&str, &str, &str, &str); 5] = [
    ("fields", "a map", "{}", "Not honoured yet: fields put into each event."),
    (
        "fields_under_root",
        "true or false",
        "false",
        "Not honoured yet: put `fields` at the top of the event.",
    ),
    ("processors", "a list of processors", "[]", "Not honoured yet: changes to each event."),
    ("keep_null", "true or false", "false", "Not honoured: an event has no empty fields."),
    ("index", "a text", "", "Not honoured yet: another index for these events."),
];

/// Reads them: a warning for each that asks for something.
pub(super) fn not_yet(section: &mut Section<'_>) {
    for (name, takes, default, doc) in NOT_YET {
        let Some(item) = section.raw(name, takes, default, doc) else { continue };
        if tree::asks(item) {
            let text = if name == "keep_null" {
                "not honoured: an event has no empty fields"
            } else {
                "not honoured yet"
            };
            section.warn(item.pos, name, text);
        }
    }
}
