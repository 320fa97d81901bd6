//! Messages of checks at compile time.

/// A message in progress: constants cannot be formatted yet.
pub(super) struct Message {
    bytes: [u8; 512],
    length: usize,
}

impl Message {
    /// No text.
    pub(super) const EMPTY: Self = Self {
        bytes: [0; 512],
        length: 0,
    };

    /// Adds a string, as far as it fits.
    pub(super) const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = text[index];
            self.length += 1;
            index += 1;
        }
    }

    /// Ends the compilation with the string.
    #[allow(
        clippy::panic,
        reason = "it runs in the compiler, where a panic is an error message"
    )]
    #[track_caller]
    pub(super) const fn report(&self) {
        let (text, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(text) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a name is too long for the message of this mistake"),
        }
    }
}

/// `==`, which constants cannot use yet.
pub(super) const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    // From the end, because names often begin alike.
    let mut index = left.len();
    while index > 0 {
        index -= 1;
        if left[index] != right[index] {
            return false;
        }
    }
    true
}
