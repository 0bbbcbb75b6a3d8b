//! Filters on texts by the numbers that these have in all blocks: each distinct text is looked at once in a search.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use wirebeat_model::Kind;

use super::filter::{by_value, having};
use super::plan::Leaf;
use super::select::Selection;
use super::test::Test;
use super::view::{View, unreadable};
use crate::block::Numbering;
use crate::lang::error::EsError;

/// Which numbered texts pass a test, as far as it was found out.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    numbering: OnceLock<Arc<Numbering>>,
    known: Mutex<Vec<bool>>,
}

impl Memo {
    /// Which of these numbers pass: for each whether it does, and how many do.
    fn passing(&self, numbering: &Numbering, test: &Test, numbers: &[u32]) -> (Vec<bool>, usize) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        numbering
            .extend_passing(&mut known, test.part().filter(|part| part.len() > 1), |text| test.text(text));
        let pass: Vec<bool> =
            numbers.iter().map(|n| known.get(*n as usize).copied().unwrap_or(false)).collect();
        let count = pass.iter().filter(|pass| **pass).count();
        (pass, count)
    }
}

/// Which rows of a block pass a test of texts; `None`: it has no numbers for them.
pub(crate) fn choose(leaf: &Leaf, view: &View<'_>) -> Result<Option<Selection>, EsError> {
    let Some((_, test)) = leaf.tests.iter().find(|t| t.0 == Kind::Keyword) else { return Ok(None) };
    if matches!(test, Test::Always | Test::Never) {
        return Ok(None);
    }
    let numbering = match leaf.memo.numbering.get() {
        Some(numbering) => numbering,
        None => match view.block.numbering(&leaf.column) {
            Some(numbering) => leaf.memo.numbering.get_or_init(|| numbering),
            None => return Ok(None),
        },
    };
    // Numbers are worth making where all terms have to be looked at anyhow.
    let make = test.cost() >= 2;
    let numbers = view.block.numbers(&leaf.column, numbering, make).map_err(|e| unreadable(&e))?;
    let Some(numbers) = numbers else { return Ok(None) };
    let (pass, count) = leaf.memo.passing(numbering, test, &numbers);
    if count == 0 {
        return Ok(Some(Selection::None));
    }
    let Some(coded) = view.coded(&leaf.column)? else { return Ok(Some(Selection::None)) };
    let Some(codes) = coded.codes() else { return Ok(None) };
    if count == pass.len() {
        return Ok(Some(having(coded.rows(), view.rows())));
    }
    // A code beyond the dictionary stands for no text.
    let passes = |i: usize| pass.get(codes[i] as usize).copied().unwrap_or(false);
    Ok(Some(by_value(coded.rows(), view.rows(), passes)))
}
