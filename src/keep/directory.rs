//! The data directory: where it is, its files of our own, its sensor.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::KeepError;

/// A data directory, made if need be, readable by its owner alone.
///
/// ```text
/// DIR/
///   sensor     16 random bytes in hexadecimal: this sensor's name for ever
///   token      what a call that changes something has to know
///   journal/   store/
/// ```
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    sensor: u128,
    token: String,
}

/// Where events are kept when nothing else is said: `/var/lib/wirebeat` for root, else `$XDG_DATA_HOME/wirebeat` or
/// `~/.local/share/wirebeat` (XDG Base Directory Specification 0.8).
///
/// # Errors
/// [`KeepError::Nowhere`] for a user without a home.
pub fn default_directory() -> Result<PathBuf, KeepError> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/wirebeat".into());
    }
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    of("XDG_DATA_HOME")
        .or_else(|| of("HOME").map(|home| home.join(".local/share")))
        .map(|dir| dir.join("wirebeat"))
        .ok_or(KeepError::Nowhere)
}

impl Directory {
    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be made, or a file in it cannot be used.
    pub fn open(path: &Path) -> Result<Self, KeepError> {
        let failed = |e| KeepError::Io(path.to_owned(), e);
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        }
        let sensor = secret(&path.join("sensor"))?;
        let token = secret(&path.join("token"))?;
        let number = u128::from_str_radix(&sensor, 16).map_err(|_| {
            let text = "expected 32 hexadecimal digits; remove it to be a new sensor";
            KeepError::Io(path.join("sensor"), io::Error::new(io::ErrorKind::InvalidData, text))
        })?;
        Ok(Self { path: path.to_owned(), sensor: number, token })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sensor's number, for event ids.
    pub fn source(&self) -> u64 {
        (self.sensor >> 64) as u64 ^ self.sensor as u64
    }

    /// What a call that changes something has to know.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// The random text in a file, made when it is not there.
fn secret(path: &Path) -> Result<String, KeepError> {
    let failed = |e| KeepError::Io(path.to_owned(), e);
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut bytes)).map_err(failed)?;
    let text = format!("{:032x}", u128::from_be_bytes(bytes));
    // Written aside first: a file that is there is whole.
    let mut aside = path.to_owned();
    aside.set_extension("new");
    let mut options = OpenOptions::new();
    let mut file =
        options.create(true).write(true).truncate(true).mode(0o600).open(&aside).map_err(failed)?;
    writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&aside, path).map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_sensor_keeps_its_name_and_its_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let first = Directory::open(&path).unwrap();
        let again = Directory::open(&path).unwrap();
        assert_eq!((first.source(), first.token()), (again.source(), again.token()));
        let other = Directory::open(&dir.path().join("c")).unwrap();
        assert_ne!((first.source(), first.token()), (other.source(), other.token()));
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&path), mode(&path.join("token")), mode(&path.join("sensor"))),
            (0o700, 0o600, 0o600)
        );
        std::fs::write(path.join("sensor"), "no number").unwrap();
        assert!(Directory::open(&path).unwrap_err().to_string().contains("sensor: expected 32"));
    }
}
