//! Small neighbouring files become one. Row groups of a good size are copied as they are, small ones are written anew.

use std::path::Path;
use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use wirebeat_model::Time;

use crate::block::{Block, BlockError};
use crate::encode::Planned;
use crate::file::{SealedFile, Shared};
use crate::group::{SealedBlock, Uncached};
use crate::part::Parts;
use crate::write::{About, FileWriter, WriteError, part_or_nulls, told};

/// Row groups of a full size in a file at most: with the default size a million rows.
const FILE_GROUPS: u64 = 16;
/// Bytes of a file at most: with such files, rows count for more.
const FILE_BYTES: u64 = 1 << 30;
/// So many small files are merged while more are coming.
const FAN_IN: usize = 16;
/// A partition that got nothing for so long is put in order.
const IDLE: u64 = 60 * 1_000_000_000;
/// One that got nothing for so long is put in order for good.
const COLD: u64 = 2 * 3600 * 1_000_000_000;
/// More files than this are merged even when most of what is written was written before.
const CROWDED: usize = 16;

/// Which of a partition's files to merge next.
pub(crate) fn choose(
    files: &[Arc<SealedFile>],
    group_rows: usize,
    now: Time,
) -> Option<std::ops::Range<usize>> {
    let limit = group_rows as u64 * FILE_GROUPS;
    let weight = |f: &Arc<SealedFile>| f.about.rows().max(f.bytes * limit / FILE_BYTES);
    let rows: Vec<u64> = files.iter().map(weight).collect();
    let newest = files.iter().map(|f| f.about.ingested).max()?;
    let waited = now.since(Time(newest));
    let run = if waited < IDLE { newest_run(&rows, limit) } else { best_run(&rows, limit, waited >= COLD) }?;
    // Columns of the same name have one kind in a file.
    let kinds = |at: usize| files[at].planned();
    let first = kinds(run.start);
    let end = (run.start + 1..run.end).find(|&at| {
        kinds(at).iter().any(|p| first.iter().any(|q| p.stored.name == q.stored.name && p.stored != q.stored))
    });
    let run = run.start..end.unwrap_or(run.end);
    (run.len() > 1).then_some(run)
}

/// Of the newest files, as far back as none is much larger than those after it, the oldest that fit into a file; when there
/// are many, or they fill it. The oldest, so that none is left alone between full files.
fn newest_run(rows: &[u64], limit: u64) -> Option<std::ops::Range<usize>> {
    let (mut start, mut total) = (rows.len(), 0);
    while start > 0 {
        let next = rows[start - 1];
        let after = rows.get(start).copied().unwrap_or(0);
        if next + after > limit || start < rows.len() && next > 4 * total.max(64) {
            break;
        }
        total += next;
        start -= 1;
    }
    let last = rows.last().copied().unwrap_or(0);
    while start < rows.len() {
        let (mut end, mut total) = (start, 0);
        while end < rows.len() && total + rows[end] <= limit {
            total += rows[end];
            end += 1;
        }
        let full = end < rows.len() || total + last > limit;
        if full && end - start >= 4 || end - start >= FAN_IN {
            return Some(start..end);
        }
        if end == rows.len() {
            break;
        }
        // A large one stays as it is.
        start += 1;
    }
    None
}

/// The longest neighbours that fit into a file.
fn best_run(rows: &[u64], limit: u64, cold: bool) -> Option<std::ops::Range<usize>> {
    let mut best: Option<std::ops::Range<usize>> = None;
    let (mut start, mut total) = (0, 0);
    for end in 0..rows.len() {
        total += rows[end];
        while total > limit && start <= end {
            total -= rows[start];
            start += 1;
        }
        let largest = rows[start..=end].iter().copied().max().unwrap_or(0);
        let worth = cold || rows.len() > CROWDED || total - largest >= largest / 4;
        if end > start && worth && best.as_ref().is_none_or(|b| b.len() <= end - start) {
            best = Some(start..end + 1);
        }
    }
    best
}

/// How large a row group may become.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    /// Before compression.
    pub(crate) bytes: u64,
}

/// Row groups that become one.
struct Group {
    /// Blocks of the files, in order; a single one is copied, unless its pages are of an earlier format.
    blocks: Vec<SealedBlock>,
    size: Size,
}

/// Writes the files as one beside them.
pub(crate) fn merge(
    dir: &Path,
    files: &[Arc<SealedFile>],
    limit: Size,
    sync: bool,
    shared: &Arc<Shared>,
) -> Result<Arc<SealedFile>, WriteError> {
    let groups = groups(files, limit)?;
    let range = |g: &Group| {
        let earliest = g.blocks.iter().map(|b| b.time().0).min().unwrap_or(0);
        (g.size.rows, earliest, g.blocks.iter().map(|b| b.time().1).max().unwrap_or(0))
    };
    let about = About {
        seq: (
            files.iter().map(|f| f.about.seq.0).min().unwrap_or(0),
            files.iter().map(|f| f.about.seq.1).max().unwrap_or(0),
        ),
        ingested: files.iter().map(|f| f.about.ingested).max().unwrap_or(0),
        groups: groups.iter().map(range).collect(),
    };
    let mut planned: Vec<Planned> = files.iter().flat_map(|f| f.planned()).collect();
    planned.sort_by(|a, b| (&a.stored, a.nanos).cmp(&(&b.stored, b.nanos)));
    planned.dedup();
    let mut writer = FileWriter::create(dir, about, planned, sync)?;
    for group in &groups {
        match &group.blocks[..] {
            [one] if one.file.paged => copy(&mut writer, one)?,
            many => {
                let sources: Vec<Uncached<'_>> = many.iter().map(Uncached).collect();
                let sources: Vec<&dyn Parts> = sources.iter().map(|s| s as &dyn Parts).collect();
                writer.group(&sources)?;
            }
        }
    }
    let (path, _) = writer.finish()?;
    Ok(SealedFile::open(&path, shared)?)
}

/// Row groups that are large enough stay; neighbouring small ones are taken together.
fn groups(files: &[Arc<SealedFile>], limit: Size) -> Result<Vec<Group>, BlockError> {
    let small = |s: Size| s.rows < limit.rows / 2 && s.bytes < limit.bytes / 2;
    let mut groups: Vec<Group> = Vec::new();
    for block in files.iter().flat_map(|f| f.blocks()) {
        let size = Size { rows: Block::rows(&block) as u64, bytes: block.plain_bytes()? };
        match groups.last_mut() {
            Some(last)
                if small(size)
                    && small(last.size)
                    && last.size.rows + size.rows <= limit.rows
                    && last.size.bytes + size.bytes <= limit.bytes =>
            {
                last.size = Size { rows: last.size.rows + size.rows, bytes: last.size.bytes + size.bytes };
                last.blocks.push(block);
            }
            _ => groups.push(Group { blocks: vec![block], size }),
        }
    }
    Ok(groups)
}

/// Copies a row group's column chunks as they are; those that its file lacks are written as nulls.
fn copy(writer: &mut FileWriter, block: &SealedBlock) -> Result<(), WriteError> {
    let footer = block.file.footer()?;
    let outside = || BlockError::Damaged(block.file.path.clone(), "fewer row groups than told".into());
    let group = footer.row_groups().get(block.group).ok_or_else(outside)?;
    writer.raw_group(|encoder, out, planned, descr, path| {
        let failed = |e| told(path, e);
        if let Some(meta) = block.file.planned_chunk(planned, group) {
            let chunk = block.file.chunk(meta)?;
            let bloom_filter = block.file.filter(meta)?;
            let meta =
                meta.clone().into_builder().set_bloom_filter_offset(None).set_bloom_filter_length(None);
            let meta = meta.build().map_err(failed)?;
            let close = ColumnCloseResult {
                bytes_written: meta.compressed_size().max(0) as u64,
                rows_written: group.num_rows().max(0) as u64,
                metadata: meta,
                bloom_filter,
                column_index: None,
                offset_index: None,
            };
            return out.append_column(&chunk, close).map_err(failed);
        }
        // Nanoseconds that its file lacks are all zero.
        let part = if planned.nanos { None } else { part_or_nulls(&Uncached(block), &planned.stored)? };
        encoder.column(out, descr, planned, &[(Block::rows(block), part)]).map_err(failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1 << 20;

    /// What is left of files that come one after the other.
    fn simulate(
        mut rows: Vec<u64>,
        choose: impl Fn(&[u64]) -> Option<std::ops::Range<usize>>,
    ) -> (Vec<u64>, u64) {
        let mut written = 0;
        while let Some(run) = choose(&rows) {
            let total = rows[run.clone()].iter().sum();
            written += total;
            rows.splice(run, [total]);
        }
        (rows, written)
    }

    #[test]
    fn a_busy_minute_is_few_files() {
        let mut rows = Vec::new();
        let mut written = 0;
        for _ in 0..46 {
            rows.push(65_536);
            let (left, more) = simulate(rows, |r| newest_run(r, LIMIT));
            (rows, written) = (left, written + more);
        }
        let (rows, more) = simulate(rows, |r| best_run(r, LIMIT, false));
        assert!(rows.len() <= 3 && rows.iter().all(|r| *r <= LIMIT), "{rows:?}");
        assert!(written + more <= 46 * 65_536 * 2, "each row is written about once more");
    }

    #[test]
    fn as_few_files_when_upkeep_comes_late() {
        // Four files come, sometimes three, before upkeep does.
        let (mut rows, mut written) = (Vec::new(), 0);
        for at in 0..46 {
            rows.push(65_536);
            if at % 15 == 3 || at % 15 == 7 || at % 15 == 11 || at % 15 == 14 {
                let merged = newest_run(&rows, LIMIT);
                if let Some(run) = merged {
                    let total = rows[run.clone()].iter().sum();
                    written += total;
                    rows.splice(run, [total]);
                }
            }
        }
        let (rows, more) = simulate(rows, |r| best_run(r, LIMIT, false));
        assert!(rows.len() <= 3, "{rows:?}");
        assert!(written + more <= 46 * 65_536, "each row is written at most once more");
    }

    #[test]
    fn a_row_is_not_written_again_and_again() {
        // Files of one row, as many partitions at once make them.
        let (mut rows, mut written, mut most) = (Vec::new(), 0, 0);
        for _ in 0..20_000 {
            rows.push(1);
            let (left, more) = simulate(rows, |r| newest_run(r, LIMIT));
            (rows, written) = (left, written + more);
            most = most.max(rows.len());
        }
        assert!(most < 50, "{most} files");
        let (rows, _) = simulate(rows, |r| best_run(r, LIMIT, true));
        assert_eq!(rows.len(), 1);
        assert!(written < 20_000 * 60, "{written}");
    }

    #[test]
    fn an_hour_s_files_of_a_day() {
        let (mut rows, mut written) = (Vec::new(), 0);
        for _ in 0..24 {
            rows.push(3600);
            let (left, more) = simulate(rows, |r| best_run(r, LIMIT, false));
            (rows, written) = (left, written + more);
        }
        assert!(rows.len() < 8, "{rows:?}");
        assert!(written < 24 * 3600 * 5, "{written}");
        assert_eq!(simulate(rows, |r| best_run(r, LIMIT, true)).0, [24 * 3600]);
    }
}
