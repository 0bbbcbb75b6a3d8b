//! Asks filesystems how much room they have, in a thread of its own: one that hangs (a server that is away) takes that
//! thread with it and is left alone until it answers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Filesystem, Mount, Room};
use crate::losses::Losses;

/// How long one filesystem may take.
const PATIENCE: Duration = Duration::from_millis(250);
/// Threads that may hang at a time; then further filesystems that are not known to answer are skipped.
const MAX_STUCK: usize = 8;

type Answer = io::Result<Option<Room>>;

/// Asks, and remembers who does not answer.
#[derive(Default)]
pub(crate) struct Asker {
    worker: Option<Worker>,
    stuck: Vec<(Mount, Worker)>,
}

struct Worker {
    ask: Sender<(PathBuf, PathBuf)>,
    answer: Receiver<Answer>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (ask, questions) = channel::<(PathBuf, PathBuf)>();
        let (answers, answer) = channel();
        thread::Builder::new().name("statfs".into()).spawn(move || {
            for (point, device) in questions {
                if answers.send(room(&point, &device)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { ask, answer })
    }
}

/// `None` for a device that is a directory: its room belongs to the filesystem that the directory is on.
fn room(point: &Path, device: &Path) -> Answer {
    if device.is_absolute() && device.is_dir() {
        return Ok(None);
    }
    let stat = rustix::fs::statvfs(point)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(Some(Room {
        total: bytes(stat.f_blocks),
        free: bytes(stat.f_bfree),
        available: bytes(stat.f_bavail),
        files: stat.f_files,
        free_files: stat.f_ffree,
    }))
}

impl Asker {
    /// Asks each of `mounts`, whose paths are below `root`. Takes [`PATIENCE`] for each that begins to hang, nothing for
    /// those that hang already.
    pub(crate) fn ask(
        &mut self,
        root: &Path,
        mounts: Vec<Mount>,
        out: &mut Vec<Filesystem>,
        losses: &mut Losses,
    ) {
        out.clear();
        // Who answered at last may be asked again; who is mounted no more may hang on, but counts no more.
        self.stuck.retain(|(_, worker)| matches!(worker.answer.try_recv(), Err(TryRecvError::Empty)));
        for mount in mounts {
            if self.stuck.iter().any(|(m, _)| *m == mount) {
                losses.filesystems_hung += 1;
                continue;
            }
            match self.one(root, &mount) {
                Some(Ok(Some(room))) => out.push(Filesystem { mount, room }),
                Some(Ok(None)) => {}
                Some(Err(_)) => losses.filesystems_refused += 1,
                None => losses.filesystems_hung += 1,
            }
        }
    }

    /// `None` when there is no answer in time.
    fn one(&mut self, root: &Path, mount: &Mount) -> Option<Answer> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None if self.stuck.len() >= MAX_STUCK => return None,
            None => Worker::start().ok()?,
        };
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        let device = if mount.device.starts_with('/') { below(&mount.device) } else { PathBuf::new() };
        let begun = Instant::now();
        worker.ask.send((below(&mount.point), device)).ok()?;
        match worker.answer.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            Ok(answer) => {
                self.worker = Some(worker);
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout) => {
                self.stuck.push((mount.clone(), worker));
                None
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Where filesystems hang.
    pub(crate) fn hung(&self) -> impl Iterator<Item = &str> {
        self.stuck.iter().map(|(mount, _)| mount.point.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: &str, point: &str) -> Mount {
        Mount { device: device.into(), point: point.into(), ..Mount::default() }
    }

    #[test]
    fn answers_refusals_and_bind_mounts() {
        let (mut asker, mut out, mut losses) = (Asker::default(), Vec::new(), Losses::default());
        let mounts = vec![mount("dev", "/"), mount("dev", "/does/not/exist"), mount("/proc", "/")];
        asker.ask(Path::new("/"), mounts, &mut out, &mut losses);
        assert_eq!(out.len(), 1, "a device that is a directory is left out");
        assert!(out[0].room.total > out[0].room.free && out[0].room.free >= out[0].room.available);
        assert_eq!((losses.filesystems_refused, losses.filesystems_hung), (1, 0));
    }
}
