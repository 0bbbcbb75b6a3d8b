//! Numbers of a column chunk. They are decoded here, because the library panics over pages that tell what is not so.

use parquet::basic::{Encoding, Type as Physical};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;

use crate::block::{CodedLongs, Longs};
use crate::decode::{damaged, outside};
use crate::delta::delta;
use crate::levels::{LevelReader, Told};
use crate::pages::{Pages, Source};
use crate::rle;
use crate::thrift::PageKind;

/// How a number is stored. Each is read as 64 bits: a boolean as 0 or 1, one with a fraction as its bits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Width {
    Bit,
    Four,
    Eight,
}

/// Decodes the pages of a chunk.
pub(crate) struct Decoder {
    width: Width,
    dictionary: Option<Vec<i64>>,
    /// Of all values that have one, so far.
    codes: Vec<u32>,
}

/// All numbers of a chunk.
pub(crate) fn all(meta: &ColumnChunkMetaData, rows: usize, chunk: Source) -> Result<(Told, Vec<i64>)> {
    read(meta, rows, chunk).map(|(told, values, _)| (told, values))
}

/// All numbers of a chunk, with their codes where all of them have one.
pub(crate) fn coded(meta: &ColumnChunkMetaData, rows: usize, chunk: Source) -> Result<(Told, Longs)> {
    let (told, values, Decoder { codes, dictionary, .. }) = read(meta, rows, chunk)?;
    let longs = match dictionary {
        Some(distinct) if codes.len() == values.len() => Longs::coded(values, CodedLongs { codes, distinct }),
        _ => values.into(),
    };
    Ok((told, longs))
}

fn read(meta: &ColumnChunkMetaData, rows: usize, chunk: Source) -> Result<(Told, Vec<i64>, Decoder)> {
    let mut reader = Pages::new(meta, chunk)?;
    let mut levels = LevelReader::new(meta, rows);
    let (mut decoder, mut out) = (Decoder::new(meta)?, Vec::with_capacity(levels.expected()));
    while let Some(page) = reader.next_page()? {
        let buf = reader.unpack(&page)?;
        match page.head.kind {
            Some(PageKind::Dictionary) => decoder.dictionary(&buf, page.head.count as usize)?,
            Some(PageKind::Data(encoding)) => {
                let mut rest = &buf[..];
                let count = levels.page(&mut rest, page.head.count)?;
                decoder.page(rest, encoding, count, &mut out)?;
            }
            None => {}
        }
    }
    Ok((levels.told()?, out, decoder))
}

impl Decoder {
    pub(crate) fn new(meta: &ColumnChunkMetaData) -> Result<Self> {
        let width = match meta.column_type() {
            Physical::BOOLEAN => Width::Bit,
            Physical::INT32 => Width::Four,
            Physical::INT64 | Physical::DOUBLE => Width::Eight,
            other => return Err(damaged(&format!("numbers stored as {other}"))),
        };
        Ok(Self { width, dictionary: None, codes: Vec::new() })
    }

    /// Takes the dictionary of the pages that follow.
    pub(crate) fn dictionary(&mut self, page: &[u8], count: usize) -> Result<()> {
        let mut values = Vec::new();
        self.plain(page, count, &mut values)?;
        self.dictionary = Some(values);
        Ok(())
    }

    /// A value of the dictionary.
    pub(crate) fn in_dictionary(&self, code: u32) -> Option<i64> {
        self.dictionary.as_ref()?.get(code as usize).copied()
    }

    /// Appends the `count` values of a page behind its levels.
    pub(crate) fn page(
        &mut self,
        bytes: &[u8],
        encoding: Encoding,
        count: usize,
        out: &mut Vec<i64>,
    ) -> Result<()> {
        match (encoding, &self.dictionary) {
            _ if count == 0 => Ok(()),
            (Encoding::PLAIN, _) => self.plain(bytes, count, out),
            (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, Some(dictionary)) => {
                let (&width, bytes) = bytes.split_first().ok_or_else(outside)?;
                let before = self.codes.len();
                rle::decode(bytes, width, count, &mut self.codes)
                    .ok_or_else(|| damaged("codes end early"))?;
                let codes = &self.codes[before..];
                if rle::largest(codes) as usize >= dictionary.len() {
                    return Err(damaged("a code beyond the dictionary"));
                }
                out.extend(codes.iter().map(|code| dictionary[*code as usize]));
                Ok(())
            }
            (Encoding::DELTA_BINARY_PACKED, _) if self.width != Width::Bit => {
                let before = out.len();
                delta(bytes, count, out).ok_or_else(|| damaged("differences that make no sense"))?;
                if self.width == Width::Four {
                    out[before..].iter_mut().for_each(|v| *v = i64::from(*v as i32));
                }
                Ok(())
            }
            (other, _) => Err(damaged(&format!("numbers encoded as {other}"))),
        }
    }

    fn plain(&self, bytes: &[u8], count: usize, out: &mut Vec<i64>) -> Result<()> {
        let size = match self.width {
            Width::Bit => Some(count.div_ceil(8)),
            Width::Four => count.checked_mul(4),
            Width::Eight => count.checked_mul(8),
        };
        let bytes = size.and_then(|size| bytes.get(..size)).ok_or_else(outside)?;
        match self.width {
            Width::Bit => out.extend((0..count).map(|i| i64::from(bytes[i / 8] >> (i % 8) & 1))),
            Width::Four => out.extend(bytes.as_chunks().0.iter().map(|v| i64::from(i32::from_le_bytes(*v)))),
            Width::Eight => out.extend(bytes.as_chunks().0.iter().map(|v| i64::from_le_bytes(*v))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use parquet::data_type::{BoolType, DataType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
    use parquet::file::reader::FileReader;
    use parquet::file::serialized_reader::SerializedFileReader;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use proptest::prelude::*;

    use super::*;
    use crate::block::Rows;
    use crate::decode::Chunk;
    use crate::pick::{self, Wanted};

    /// A chunk as the library writes it.
    fn written<T: DataType>(
        rows: &[Option<T::T>],
        properties: WriterPropertiesBuilder,
    ) -> (ColumnChunkMetaData, Bytes) {
        let schema = format!("message m {{ OPTIONAL {} v; }}", T::get_physical_type());
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        // Pages are looked at after so many values.
        let properties = Arc::new(properties.set_write_batch_size(100).build());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let levels: Vec<i16> = rows.iter().map(|v| i16::from(v.is_some())).collect();
        let values: Vec<T::T> = rows.iter().flatten().cloned().collect();
        column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        let bytes = Bytes::from(file.into_inner().unwrap());
        let meta =
            SerializedFileReader::new(bytes.clone()).unwrap().metadata().row_group(0).column(0).clone();
        let (at, len) = meta.byte_range();
        (meta, bytes.slice(at as usize..(at + len) as usize))
    }

    fn chunk(meta: &ColumnChunkMetaData, bytes: &Bytes) -> Source {
        Source::Read(Chunk { at: meta.byte_range().0, bytes: bytes.clone() })
    }

    /// That all rows, and each third, are read as they were written.
    fn both<T: DataType>(
        rows: &[Option<T::T>],
        properties: WriterPropertiesBuilder,
        expected: Encoding,
        bits: impl Fn(&T::T) -> i64,
    ) {
        let (meta, bytes) = written::<T>(rows, properties);
        assert!(meta.encodings().any(|e| e == expected), "{expected}");
        let (told, read) = all(&meta, rows.len(), chunk(&meta, &bytes)).unwrap();
        let values: Vec<i64> = rows.iter().flatten().map(&bits).collect();
        assert_eq!(read, values);
        let few: Vec<u32> = (0..).zip(rows).filter(|(_, v)| v.is_some()).map(|(row, _)| row).collect();
        match told {
            Told::Rows(Rows::Each) => assert_eq!(few.len(), rows.len()),
            Told::Rows(Rows::Few(told)) => assert_eq!(told, few),
            _ => panic!("no list"),
        }
        let third: Vec<u32> = (0..rows.len() as u32).skip(1).step_by(3).collect();
        let wanted = Wanted { rows: &third, paged: true, known: None };
        let (levels, read) = pick::numbers(&meta, rows.len(), chunk(&meta, &bytes), wanted).unwrap();
        let values: Vec<_> = third.iter().map(|row| rows[*row as usize].as_ref().map(&bits)).collect();
        assert_eq!(levels.def, values.iter().map(|v| i16::from(v.is_some())).collect::<Vec<_>>());
        assert_eq!(read, values.into_iter().flatten().collect::<Vec<_>>());
    }

    fn plain() -> WriterPropertiesBuilder {
        WriterProperties::builder().set_dictionary_enabled(false).set_data_page_row_count_limit(1000)
    }

    fn differences() -> WriterPropertiesBuilder {
        plain().set_encoding(Encoding::DELTA_BINARY_PACKED)
    }

    fn present<T: Copy>(values: &[T]) -> Vec<Option<T>> {
        values.iter().copied().map(Some).collect()
    }

    /// Numbers of all sizes, from a seed.
    fn random(n: usize) -> impl Iterator<Item = i64> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        (0..n).map(move |i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state as i64) >> (i / 37 % 64)
        })
    }

    #[test]
    fn differences_of_any_number_of_numbers() {
        for n in [1, 2, 31, 32, 33, 127, 128, 129, 255, 256, 257, 258, 5000] {
            let times: Vec<i64> = (0..n as i64).map(|i| 1_795_564_800_000_000 + i * 20 + i % 7).collect();
            for values in [random(n).collect(), vec![3; n], (0..n as i64).collect(), times] {
                both::<Int64Type>(&present(&values), differences(), Encoding::DELTA_BINARY_PACKED, |v| *v);
                let halves: Vec<i32> = values.iter().map(|v| *v as i32).collect();
                let bits = |v: &i32| i64::from(*v);
                both::<Int32Type>(&present(&halves), differences(), Encoding::DELTA_BINARY_PACKED, bits);
            }
        }
        let extremes = [i64::MIN, i64::MAX, 0, i64::MAX, i64::MIN, -1, 1].repeat(100);
        both::<Int64Type>(&present(&extremes), differences(), Encoding::DELTA_BINARY_PACKED, |v| *v);
        let extremes = [i32::MIN, i32::MAX, 0, i32::MAX, i32::MIN, -1, 1].repeat(100);
        both::<Int32Type>(&present(&extremes), differences(), Encoding::DELTA_BINARY_PACKED, |v| {
            i64::from(*v)
        });
    }

    #[test]
    fn gaps_and_pages_without_a_value() {
        let values: Vec<Option<i64>> = random(5000)
            .enumerate()
            .map(|(i, v)| Some(v).filter(|_| !(1100..3300).contains(&i) && i % 5 != 2))
            .collect();
        both::<Int64Type>(&values, differences(), Encoding::DELTA_BINARY_PACKED, |v| *v);
        both::<Int64Type>(&values, plain(), Encoding::PLAIN, |v| *v);
        both::<Int64Type>(&values, WriterProperties::builder(), Encoding::RLE_DICTIONARY, |v| *v);
        both::<Int64Type>(&[None; 300], differences(), Encoding::DELTA_BINARY_PACKED, |v| *v);
    }

    #[test]
    fn plain_and_by_a_dictionary() {
        let doubles: Vec<f64> = random(5000).map(|v| v as f64 / 7.0).chain([-0.0, f64::INFINITY]).collect();
        both::<DoubleType>(&present(&doubles), plain(), Encoding::PLAIN, |v| v.to_bits() as i64);
        let halves: Vec<i32> = random(5000).map(|v| v as i32 % 1000).collect();
        let codes = || WriterProperties::builder().set_data_page_row_count_limit(1000);
        both::<Int32Type>(&present(&halves), codes(), Encoding::RLE_DICTIONARY, |v| i64::from(*v));
        both::<Int32Type>(&present(&halves), plain(), Encoding::PLAIN, |v| i64::from(*v));
        both::<DoubleType>(&present(&doubles), codes(), Encoding::RLE_DICTIONARY, |v| v.to_bits() as i64);
        let bools: Vec<bool> = random(5000).map(|v| v % 3 == 0).collect();
        both::<BoolType>(&present(&bools), plain(), Encoding::PLAIN, |v| i64::from(*v));
        // A dictionary that became too large is followed by plain pages.
        let few = codes().set_dictionary_page_size_limit(4000);
        let (meta, _) = written::<DoubleType>(&present(&doubles), few.clone());
        assert!(meta.page_encoding_stats_mask().is_none_or(|m| !m.is_only(Encoding::RLE_DICTIONARY)));
        both::<DoubleType>(&present(&doubles), few, Encoding::RLE_DICTIONARY, |v| v.to_bits() as i64);
    }

    /// Pages that end early, or have a byte that is not what it was, are refused or read as something else.
    #[test]
    fn damaged_pages_end() {
        let values: Vec<i64> = random(700).collect();
        for properties in [differences(), plain(), WriterProperties::builder()] {
            let (meta, bytes) = written::<Int64Type>(&present(&values), properties);
            let mut reader = Pages::new(&meta, chunk(&meta, &bytes)).unwrap();
            let mut decoder = Decoder::new(&meta).unwrap();
            while let Some(page) = reader.next_page().unwrap() {
                let buf = reader.unpack(&page).unwrap();
                let Some(PageKind::Data(encoding)) = page.head.kind else {
                    decoder.dictionary(&buf, page.head.count as usize).unwrap();
                    continue;
                };
                let (mut rest, count) = (&buf[..], page.head.count as usize);
                crate::levels::take_levels(&mut rest).unwrap();
                let mut out = Vec::new();
                decoder.page(rest, encoding, count, &mut out).unwrap();
                for cut in 0..rest.len() {
                    out.clear();
                    let read = decoder.page(&rest[..cut], encoding, count, &mut out);
                    // What is packed may be followed by what fills its last group.
                    assert!(read.is_err() || encoding != Encoding::PLAIN && out == values, "{cut}");
                }
                let mut bad = rest.to_vec();
                for at in 0..rest.len() {
                    for value in [0, 1, 0x7f, 0x80, 0xff, rest[at] ^ 1] {
                        bad[at] = value;
                        out.clear();
                        if decoder.page(&bad, encoding, count, &mut out).is_ok() {
                            assert_eq!(out.len(), count);
                        }
                    }
                    bad[at] = rest[at];
                }
            }
        }
    }

    /// A page that tells of no numbers, and a chunk whose levels tell of some: the library panics.
    #[test]
    fn differences_of_nothing() {
        let (meta, _) = written::<Int64Type>(&[Some(1)], differences());
        let mut decoder = Decoder::new(&meta).unwrap();
        let mut out = Vec::new();
        assert!(decoder.page(&[0x80, 1, 4, 0, 2], Encoding::DELTA_BINARY_PACKED, 1, &mut out).is_err());
        assert!(decoder.page(&[0x80, 1, 4, 1, 2], Encoding::DELTA_BINARY_PACKED, 1, &mut out).is_ok());
        assert_eq!(out, [1]);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), head in any::<bool>(), n in 0usize..3000) {
            let (meta, _) = written::<Int64Type>(&[Some(1)], differences());
            // A head that makes sense leads further.
            let head: &[u8] = if head { &[0x80, 1, 4, (n % 128) as u8] } else { &[] };
            let n = if head.is_empty() { n } else { n % 128 };
            let bytes = [head, &bytes].concat();
            for encoding in [Encoding::DELTA_BINARY_PACKED, Encoding::PLAIN, Encoding::RLE_DICTIONARY] {
                let mut decoder = Decoder::new(&meta).unwrap();
                decoder.dictionary(&[7; 160], 20).unwrap();
                let mut out = Vec::new();
                if decoder.page(&bytes, encoding, n, &mut out).is_ok() {
                    prop_assert_eq!(out.len(), n);
                }
            }
        }
    }
}
