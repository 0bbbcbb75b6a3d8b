//! Text as a filter, and frames for it.

use wirebeat_capture::filter::Filter;
use wirebeat_model::{Frame, LinkType, Time};

use super::frames::LINKS;

/// A frame of each kind that a filter tells apart: TCP and UDP in IPv4 and IPv6, a fragment, ARP, a tag.
const FRAMES: [&[u8]; 6] = [
    &[
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192,
        0, 2, 2, 0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 255, 255, 0, 0, 0, 0,
    ],
    &[
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1,
        192, 0, 2, 2, 0x9c, 0x40, 0, 53, 0, 8, 0, 0,
    ],
    &[
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64, 0x20, 1, 0xd, 0xb8, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x9c, 0x40,
        0, 53, 0, 8, 0, 0,
    ],
    &[
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28, 0, 1, 0x20, 1, 64, 17, 0, 0, 192, 0, 2, 1,
        192, 0, 2, 2, 1, 2, 3, 4, 5, 6, 7, 8,
    ],
    &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
    &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 8, 0, 0x45, 0, 0, 20],
];

pub fn run(data: &[u8]) {
    // What stands behind a NUL is a frame.
    let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (text, own) = (String::from_utf8_lossy(&data[..end]), data.get(end + 1..).unwrap_or_default());
    match Filter::parse(&text) {
        Ok(filter) => {
            assert!(filter.instructions() > 0 && filter.instructions() <= 4096);
            for data in FRAMES.into_iter().chain([own]) {
                for link in LINKS {
                    for (vlan, more) in [(None, 0), (Some(5), 7)] {
                        filter.matches(&Frame {
                            time: Time(0),
                            link: LinkType::from_number(link),
                            device: 0,
                            wire_len: data.len() as u32 + more,
                            vlan,
                            data,
                        });
                    }
                }
            }
            // The text says what the filter is.
            let again = Filter::parse(filter.text()).expect("its own text");
            assert_eq!(again.instructions(), filter.instructions());
        }
        Err(e) => {
            assert!(e.column >= 1 && e.column <= text.chars().count() + 1, "{e}");
            assert!(!e.to_string().chars().any(char::is_control), "an error controls a terminal: {e:?}");
        }
    }
}
