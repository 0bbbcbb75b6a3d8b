//! The head of a page: Thrift's compact protocol (its specification, "Thrift compact protocol encoding") as far as
//! Parquet's `PageHeader` (`parquet.thrift`) needs it. A head that is not what it should be is refused.

use parquet::basic::Encoding;

use crate::rle::read_varint;

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PageKind {
    /// Levels and values.
    Data(Encoding),
    /// The distinct values of the pages that follow.
    Dictionary,
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head {
    /// `None`: it has nothing that is of use here.
    pub(crate) kind: Option<PageKind>,
    /// Levels, or distinct values.
    pub(crate) count: u32,
    /// Bytes behind the head.
    pub(crate) packed: usize,
    /// What they are unpacked.
    pub(crate) plain: usize,
}

/// Structures within structures at most; a page's statistics are in the third.
const DEPTH: usize = 8;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const STRUCT: u8 = 12;

/// Takes a head off the front of some bytes; `None`: it is none, or does not end within them.
pub(crate) fn head(bytes: &mut &[u8]) -> Option<Head> {
    let (mut kind, mut packed, mut plain) = (None, None, None);
    // Of the part that is about data, or a dictionary.
    let mut about: [Option<(u32, Encoding)>; 2] = [None; 2];
    fields(bytes, |field, of, bytes| {
        match (field, of) {
            (1, _) => kind = Some(int(of, bytes)?),
            (2, _) => plain = Some(size(of, bytes)?),
            (3, _) => packed = Some(size(of, bytes)?),
            (5, STRUCT) => about[0] = Some(counted(bytes)?),
            (7, STRUCT) => about[1] = Some(counted(bytes)?),
            _ => skip(of, bytes, DEPTH)?,
        }
        Some(())
    })?;
    let (kind, count) = match kind? {
        0 => about[0].map(|(count, encoding)| (Some(PageKind::Data(encoding)), count))?,
        2 => about[1].map(|(count, _)| (Some(PageKind::Dictionary), count))?,
        // An index of other pages.
        1 => (None, 0),
        _ => return None,
    };
    Some(Head { kind, count, packed: packed?, plain: plain? })
}

/// The count and the encoding at the front of a `DataPageHeader` or a `DictionaryPageHeader`.
fn counted(bytes: &mut &[u8]) -> Option<(u32, Encoding)> {
    let (mut count, mut encoding) = (None, None);
    fields(bytes, |field, of, bytes| {
        match field {
            1 => count = Some(u32::try_from(int(of, bytes)?).ok()?),
            2 => encoding = Some(int(of, bytes)?),
            _ => skip(of, bytes, DEPTH - 1)?,
        }
        Some(())
    })?;
    let encoding = match encoding? {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        8 => Encoding::RLE_DICTIONARY,
        _ => return None,
    };
    Some((count?, encoding))
}

/// Goes through the fields of a structure: number and type.
fn fields(bytes: &mut &[u8], mut each: impl FnMut(i16, u8, &mut &[u8]) -> Option<()>) -> Option<()> {
    let mut field = 0i16;
    loop {
        let byte = take(bytes)?;
        if byte == 0 {
            return Some(());
        }
        field = match byte >> 4 {
            0 => i16::try_from(number(bytes)?).ok()?,
            more => field.checked_add(i16::from(more))?,
        };
        each(field, byte & 0xf, bytes)?;
    }
}

fn take(bytes: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(byte)
}

fn number(bytes: &mut &[u8]) -> Option<i64> {
    let zigzag = read_varint(bytes)?;
    Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

/// A field that has to be a number of 32 bits.
fn int(of: u8, bytes: &mut &[u8]) -> Option<i32> {
    if of == 5 { i32::try_from(number(bytes)?).ok() } else { None }
}

fn size(of: u8, bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(int(of, bytes)?).ok()
}

fn leave(bytes: &mut &[u8], n: usize) -> Option<()> {
    *bytes = bytes.get(n..)?;
    Some(())
}

/// Passes over a value. What is in a list takes a byte each at least: no more work than there are bytes.
fn skip(of: u8, bytes: &mut &[u8], depth: usize) -> Option<()> {
    let deeper = depth.checked_sub(1)?;
    match of {
        TRUE | FALSE => Some(()),
        3 => leave(bytes, 1),
        4..=6 => number(bytes).map(|_| ()),
        7 => leave(bytes, 8),
        8 => {
            let n = usize::try_from(read_varint(bytes)?).ok()?;
            leave(bytes, n)
        }
        9 | 10 => {
            let byte = take(bytes)?;
            let count = if byte >> 4 == 15 { read_varint(bytes)? } else { u64::from(byte >> 4) };
            (0..count).try_for_each(|_| skip_element(byte & 0xf, bytes, deeper))
        }
        11 => {
            let count = read_varint(bytes)?;
            let kinds = if count > 0 { take(bytes)? } else { 0 };
            (0..count).try_for_each(|_| {
                skip_element(kinds >> 4, bytes, deeper)?;
                skip_element(kinds & 0xf, bytes, deeper)
            })
        }
        STRUCT => fields(bytes, |_, of, bytes| skip(of, bytes, deeper)),
        _ => None,
    }
}

/// A boolean in a list has a byte, as a field it has none.
fn skip_element(of: u8, bytes: &mut &[u8], depth: usize) -> Option<()> {
    if matches!(of, TRUE | FALSE) { leave(bytes, 1) } else { skip(of, bytes, depth) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By hand, from `parquet.thrift` and the protocol's specification.
    const DATA: &[u8] = &[
        0x15, 0, // type: DATA_PAGE
        0x15, 0xc8, 1, // uncompressed_page_size: 100
        0x15, 0x54, // compressed_page_size: 42
        0x2c, // data_page_header
        0x15, 14, // num_values: 7
        0x15, 16, // encoding: RLE_DICTIONARY
        0x15, 6, 0x15, 6, // levels: RLE
        0x1c, 0x18, 1, b'a', 0x18, 0, 0x16, 2, 0, // statistics
        0, 0,
    ];

    #[test]
    fn heads_of_pages() {
        let mut bytes = DATA;
        let expected =
            Head { kind: Some(PageKind::Data(Encoding::RLE_DICTIONARY)), count: 7, packed: 42, plain: 100 };
        assert_eq!(head(&mut bytes), Some(expected));
        assert!(bytes.is_empty());
        // A dictionary, with a checksum and a field nobody knows: a list of booleans, a map.
        let mut bytes = &[
            0x15, 4, 0x15, 20, 0x15, 22, 0x15, 9, 0x3c, 0x15, 6, 0x15, 0, 0x11, 0, 0x29, 0x21, 1, 2, 0x1b, 1,
            0x58, 3, 1, b'x', 0, 9,
        ][..];
        let expected = Head { kind: Some(PageKind::Dictionary), count: 3, packed: 11, plain: 10 };
        assert_eq!(head(&mut bytes), Some(expected));
        assert_eq!(bytes, [9]);
        for end in 0..DATA.len() {
            assert_eq!(head(&mut &DATA[..end]), None, "{end}");
        }
        // Sizes below 0, no type, pages of version 2.
        for (at, byte) in [(3, 0x7f), (6, 0x55), (0, 0x16), (1, 6)] {
            let mut bad = DATA.to_vec();
            bad[at] = byte;
            let found = head(&mut &bad[..]);
            assert!(found.is_none() || at == 3, "{at}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0..DATA.len(), byte in any::<u8>()) {
            let _ = head(&mut &bytes[..]);
            let mut bad = DATA.to_vec();
            bad[at] = byte;
            bad.extend(&bytes);
            let _ = head(&mut &bad[..]);
        }
    }
}
