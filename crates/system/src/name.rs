//! Short names as the kernel gives them: of processes, devices, interfaces.

/// At most 63 bytes; what is longer is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    len: u8,
    bytes: [u8; 63],
}

impl Name {
    /// Of these bytes, which may be anything.
    pub fn new(bytes: &[u8]) -> Self {
        let mut name = Self { len: 0, bytes: [0; 63] };
        let len = bytes.len().min(63);
        name.bytes[..len].copy_from_slice(&bytes[..len]);
        name.len = len as u8;
        name
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Default for Name {
    fn default() -> Self {
        Self::new(b"")
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}
