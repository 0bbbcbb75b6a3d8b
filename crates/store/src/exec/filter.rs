//! Which rows of a block a filter chooses.

use arrow_array::{Array, StringArray};
use wirebeat_model::Kind;

use super::plan::{Filter, Leaf};
use super::select::{Bits, Selection};
use super::test::Test;
use super::view::View;
use crate::block::{Column, Rows, Terms, Values};
use crate::lang::error::EsError;
use crate::terms::having_part;

/// Which rows of a block a filter chooses. `within`: other rows will not be asked for, so they need no look.
pub(crate) fn choose(filter: &Filter, view: &View<'_>, within: &Selection) -> Result<Selection, EsError> {
    match filter {
        Filter::None => Ok(Selection::None),
        Filter::All => Ok(Selection::All),
        Filter::Leaf(leaf) => self::leaf(leaf, view, within),
        Filter::Not(inner) => Ok(choose(inner, view, within)?.not()),
        Filter::And(parts) => {
            let mut out = Selection::All;
            let mut within = within.clone();
            for part in parts {
                out = out.and(choose(part, view, &within)?);
                if out == Selection::None {
                    break;
                }
                within = within.and(out.clone());
            }
            Ok(out)
        }
        Filter::Or(parts) => {
            let mut out = Selection::None;
            for part in parts {
                out = out.or(choose(part, view, within)?);
                if out == Selection::All {
                    break;
                }
            }
            Ok(out)
        }
        Filter::AtLeast(needed, parts) => {
            let rows = view.rows();
            let mut counts = vec![0_u32; rows];
            for part in parts {
                match choose(part, view, within)? {
                    Selection::None => {}
                    Selection::All => counts.iter_mut().for_each(|c| *c += 1),
                    Selection::Some(bits) => bits.iter().for_each(|row| counts[row as usize] += 1),
                }
            }
            Ok(Bits::from_fn(rows, |row| counts[row] as usize >= *needed).done())
        }
    }
}

/// `None` certainly, `All` certainly, or it has to be looked at.
fn refuse(leaf: &Leaf, view: &View<'_>) -> Option<Selection> {
    let [(_, test)] = leaf.tests.as_slice() else { return None };
    match test {
        Test::Never => return Some(Selection::None),
        Test::Long(ranges) => {
            let time = leaf.column == "@timestamp";
            let (low, high) = if time { view.block.time() } else { view.block.bounds(&leaf.column)? };
            if ranges.iter().all(|r| r.1 < low || high < r.0) {
                return Some(Selection::None);
            }
            // Every row has its time; of other columns it is not known.
            if time && ranges.iter().any(|r| r.0 <= low && high <= r.1) {
                return Some(Selection::All);
            }
        }
        test => {
            if let Some(texts) = test.needs()
                && texts.len() <= 64
                && texts.iter().all(|t| !view.block.may_contain(&leaf.column, t))
            {
                return Some(Selection::None);
            }
            if let Some(part) = test.part()
                && part.len() > 1
                && !view.block.may_contain_part(&leaf.column, part)
            {
                return Some(Selection::None);
            }
        }
    }
    None
}

fn leaf(leaf: &Leaf, view: &View<'_>, within: &Selection) -> Result<Selection, EsError> {
    if let Some(done) = super::numbered::choose(leaf, view)? {
        return Ok(done);
    }
    if let Some(done) = refuse(leaf, view) {
        return Ok(done);
    }
    let Some(column) = view.column(&leaf.column)? else { return Ok(Selection::None) };
    // The values of a map are texts.
    let plain = |kind: Kind| if kind == Kind::Map { Kind::Keyword } else { kind };
    let Some((_, test)) = leaf.tests.iter().find(|t| plain(t.0) == plain(column.kind)) else {
        return Ok(Selection::None);
    };
    let rows = view.rows();
    match test {
        Test::Never => return Ok(Selection::None),
        Test::Always => return Ok(having(&column.rows, rows)),
        _ => {}
    }
    Ok(match &column.values {
        Values::Long(values) => match test {
            Test::Long(ranges) if ranges.len() == 1 => {
                let (low, high) = ranges[0];
                by_value(&column.rows, rows, |i| values[i] >= low && values[i] <= high)
            }
            test => by_value(&column.rows, rows, |i| test.long(values[i])),
        },
        Values::Double(values) => by_value(&column.rows, rows, |i| test.double(values[i])),
        Values::Coded { codes, terms } => match passing(test, terms, codes, &column, within) {
            Passing::None => Selection::None,
            Passing::All => having(&column.rows, rows),
            Passing::One(code) => by_value(&column.rows, rows, |i| codes[i] == code),
            Passing::Some(pass) => by_value(&column.rows, rows, |i| pass[codes[i] as usize]),
        },
    })
}

/// The rows that have a value.
pub(crate) fn having(map: &Rows, rows: usize) -> Selection {
    match map {
        Rows::Each => Selection::All,
        Rows::Few(list) => {
            let mut bits = Bits::empty(rows);
            list.iter().for_each(|&row| bits.set(row));
            bits.done()
        }
        Rows::Many(offsets) => Bits::from_fn(rows, |row| offsets[row] < offsets[row + 1]).done(),
    }
}

/// The rows with a value for which a test holds.
pub(crate) fn by_value(map: &Rows, rows: usize, test: impl Fn(usize) -> bool) -> Selection {
    match map {
        Rows::Each => Bits::from_fn(rows, test).done(),
        Rows::Few(list) => {
            let mut bits = Bits::empty(rows);
            for (i, &row) in list.iter().enumerate() {
                if test(i) {
                    bits.set(row);
                }
            }
            bits.done()
        }
        Rows::Many(offsets) => {
            Bits::from_fn(rows, |row| (offsets[row] as usize..offsets[row + 1] as usize).any(&test)).done()
        }
    }
}

/// Which terms of a dictionary pass.
enum Passing {
    None,
    All,
    One(u32),
    Some(Vec<bool>),
}

fn passing(test: &Test, terms: &Terms, codes: &[u32], column: &Column, within: &Selection) -> Passing {
    let count = match terms {
        Terms::Text(texts) => texts.len(),
        Terms::Ip(ips) => ips.len(),
    };
    if let (Some([one]), Terms::Text(texts)) = (test.needs(), terms) {
        return match find(texts, one) {
            Some(code) => Passing::One(code),
            None => Passing::None,
        };
    }
    // Dear tests are made only for terms that the rows in question have.
    let wanted = match within {
        Selection::Some(bits) if test.cost() >= 2 => {
            let mut wanted = vec![false; count];
            match &column.rows {
                Rows::Each => bits.iter().for_each(|row| wanted[codes[row as usize] as usize] = true),
                Rows::Few(list) => {
                    for (i, &row) in list.iter().enumerate() {
                        if bits.has(row) {
                            wanted[codes[i] as usize] = true;
                        }
                    }
                }
                Rows::Many(offsets) => {
                    for row in bits.iter() {
                        let row = row as usize;
                        for i in offsets[row] as usize..offsets[row + 1] as usize {
                            wanted[codes[i] as usize] = true;
                        }
                    }
                }
            }
            Some(wanted)
        }
        _ => None,
    };
    let wanted = |code: usize| wanted.as_ref().is_none_or(|w| w[code]);
    let pass: Vec<bool> = match terms {
        Terms::Text(texts) if test.part().is_some_and(|part| part.len() > 1) => {
            let mut pass = vec![false; count];
            having_part(texts.value_offsets(), texts.value_data(), test.part().unwrap_or_default(), |code| {
                pass[code] = wanted(code) && test.text(texts.value(code));
            });
            pass
        }
        Terms::Text(texts) => (0..count).map(|code| wanted(code) && test.text(texts.value(code))).collect(),
        Terms::Ip(ips) => (0..count).map(|code| wanted(code) && test.ip(ips[code])).collect(),
    };
    match pass.iter().filter(|p| **p).count() {
        0 => Passing::None,
        n if n == count => Passing::All,
        1 => match pass.iter().position(|p| *p) {
            Some(code) => Passing::One(code as u32),
            None => Passing::None,
        },
        _ => Passing::Some(pass),
    }
}

/// The number of a term.
pub(crate) fn find(texts: &StringArray, wanted: &str) -> Option<u32> {
    let offsets = texts.value_offsets();
    let bytes = texts.value_data();
    let length = wanted.len();
    offsets
        .windows(2)
        .position(|w| {
            let (from, to) = (w[0] as usize, w[1] as usize);
            to - from == length && &bytes[from..to] == wanted.as_bytes()
        })
        .map(|code| code as u32)
}
