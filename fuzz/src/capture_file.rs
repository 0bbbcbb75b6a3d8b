//! Bytes as a capture file.

use std::io::Cursor;

use wirebeat_capture::file::{MAX_CAPTURED, Reader, Writer};
use wirebeat_model::Frame;

/// A compressed file may hold more than anybody waits for.
const MAX_FRAMES: usize = 4096;
const MAX_BYTES: u64 = 4 << 20;

pub fn run(data: &[u8]) {
    let mut reader = match Reader::new(Cursor::new(data.to_vec())) {
        Ok(reader) => reader,
        Err(e) => return drop(e.to_string()),
    };
    let mut writer = Writer::new(Vec::new(), 1, 65_535).expect("memory can be written");
    let mut lens = Vec::new();
    let mut last = reader.offset();
    loop {
        match reader.next_with_interfaces() {
            Ok(Some((frame, interfaces))) => {
                assert!(frame.data.len() <= MAX_CAPTURED as usize);
                assert!(frame.device as usize <= interfaces.len());
                writer.write(&frame).expect("memory can be written");
                lens.push((frame.data.len(), (frame.wire_len as usize).max(frame.data.len())));
            }
            Ok(None) => break,
            Err(e) => {
                assert!(!e.to_string().is_empty());
                assert!(matches!(reader.next(), Ok(None)), "damage is reported once");
                break;
            }
        }
        assert!(reader.offset() > last, "each record takes some bytes");
        last = reader.offset();
        if lens.len() >= MAX_FRAMES || last > MAX_BYTES {
            break;
        }
    }
    // What was written is read again.
    let copy = writer.finish().expect("memory can be written");
    let mut again = Reader::new(Cursor::new(copy)).expect("our own file");
    for (len, wire_len) in lens {
        let frame = again.next().expect("our own file").expect("as many as before");
        let Frame { data, wire_len: wire, .. } = frame;
        assert_eq!((data.len(), wire as usize), (len, wire_len));
    }
    assert!(matches!(again.next(), Ok(None)));
}
