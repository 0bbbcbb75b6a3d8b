//! Undoes what a dead test process left: namespaces, processes, directories.
//!
//! A shell outlives the test process and holds the other end of a pipe. While tests run it only takes notes; when
//! the pipe closes, for whatever reason (end, panic, SIGKILL), it runs what is still noted, newest first.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// `+N COMMAND` notes a command, `-N` strikes it out.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
declare -A undo; last=0
while IFS= read -r line; do
  n=${line%% *}; n=${n:1}
  case $line in
    +*) undo[$n]=${line#* }; (( n > last )) && last=$n;;
    -*) unset "undo[$n]";;
  esac
done
for (( n = last; n >= 0; n-- )); do
  [[ -n ${undo[$n]-} ]] && timeout --kill-after=5 60 bash -c "${undo[$n]}"
done
exit 0
"#;

fn tell(line: &str) {
    static REAPER: OnceLock<Mutex<Child>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let shell = Command::new("bash")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // a Ctrl-C is for the tests only
            .spawn()
            .expect("cannot start bash");
        Mutex::new(shell)
    });
    let mut shell = reaper.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _ = writeln!(shell.stdin.as_mut().unwrap(), "{line}");
}

/// A noted command. Dropping it strikes the note out: the owner has cleaned up by itself.
pub(crate) struct Undo(u32);

impl Undo {
    pub(crate) fn new(command: &str) -> Self {
        assert!(!command.contains('\n'), "one line, please: {command}");
        let n = super::serial();
        tell(&format!("+{n} {command}"));
        Self(n)
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        tell(&format!("-{}", self.0));
    }
}
