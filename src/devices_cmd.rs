//! `wirebeat devices`: the host's devices, and which of them are captured by default.

use std::fmt::Write;
use std::io;

use wirebeat_capture::device::{Choice, Selection, list};
use wirebeat_model::write_str;

use crate::cli::Format;

/// The list, ready to print.
///
/// # Errors
/// When the kernel does not tell.
pub fn render(format: Format) -> io::Result<String> {
    let devices = list()?;
    let choices = Selection::default().choose(&devices);
    let master = |c: &Choice| {
        devices.iter().find(|d| Some(d.index) == c.device.master).map_or("", |d| d.name.as_str())
    };
    Ok(match format {
        Format::Text => text(&choices, &master),
        Format::Json => json(&choices, &master),
    })
}

fn addresses(choice: &Choice) -> Vec<String> {
    choice.device.addresses.iter().map(|(ip, prefix)| format!("{ip}/{prefix}")).collect()
}

fn text<'a>(choices: &'a [Choice], master: &dyn Fn(&'a Choice) -> &'a str) -> String {
    let mut rows =
        vec![["DEVICE", "KIND", "STATE", "MTU", "BRIDGE", "CAPTURED", "ADDRESSES"].map(str::to_owned)];
    for c in choices {
        let d = &c.device;
        let captured = format!("{}: {}", if c.captured { "yes" } else { "no" }, c.reason);
        let state = if d.up { "up" } else { "down" };
        let row = [d.name.as_str(), &d.kind.to_string(), state, &d.mtu.to_string(), master(c), &captured];
        let [a, b, e, f, g, h] = row.map(str::to_owned);
        rows.push([a, b, e, f, g, h, addresses(c).join(" ")]);
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn json<'a>(choices: &'a [Choice], master: &dyn Fn(&'a Choice) -> &'a str) -> String {
    let quoted = |s: &str| {
        let mut out = Vec::new();
        write_str(s, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let rows: Vec<String> = choices
        .iter()
        .map(|c| {
            let d = &c.device;
            let addresses: Vec<_> = addresses(c).iter().map(|a| quoted(a)).collect();
            format!(
                "{{\"name\":{},\"index\":{},\"kind\":{},\"up\":{},\"mtu\":{},\"bridge\":{},\"addresses\":[{}],\"captured\":{},\"reason\":{}}}",
                quoted(&d.name), d.index, quoted(&d.kind.to_string()), d.up, d.mtu, quoted(master(c)),
                addresses.join(","), c.captured, quoted(&c.reason),
            )
        })
        .collect();
    format!("[{}]\n", rows.join(",\n"))
}
