//! A process held to a share of one CPU by a control group, version 1 or 2.

use std::fs;
use std::path::PathBuf;

/// While this lives.
pub(crate) struct Quota {
    group: PathBuf,
    pid: u32,
}

impl Quota {
    /// Holds process `pid` to `percent` of one CPU. Panics where the kernel has no such control group.
    pub(crate) fn new(pid: u32, percent: u32) -> Self {
        let name = format!("wirebeat-test-{}", std::process::id());
        let (period, quota) = (100_000, percent * 1_000);
        let one = PathBuf::from("/sys/fs/cgroup/cpu").join(&name);
        let two = PathBuf::from("/sys/fs/cgroup").join(&name);
        let group = if fs::create_dir(&one).is_ok() {
            fs::write(one.join("cpu.cfs_period_us"), period.to_string()).expect("a period");
            fs::write(one.join("cpu.cfs_quota_us"), quota.to_string()).expect("a quota");
            one
        } else {
            fs::create_dir(&two).expect("a control group");
            let _ = fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
            fs::write(two.join("cpu.max"), format!("{quota} {period}")).expect("a quota");
            two
        };
        fs::write(group.join("cgroup.procs"), pid.to_string()).expect("a member");
        Self { group, pid }
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // A group with a member cannot be removed: back to the root.
        let root = self.group.with_file_name("cgroup.procs");
        let _ = fs::write(root, self.pid.to_string());
        let _ = fs::remove_dir(&self.group);
    }
}
