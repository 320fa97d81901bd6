//! Which variants of an enum a reader wants.

/// Which variants of an enum are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// All.
    All,
    /// All but these.
    Except(&'static [&'static str]),
    /// Only these, and those of enums that are flattened into the enum.
    Only(&'static [&'static str]),
}

impl Interest {
    /// Returns `true` if the variant is wanted.
    pub(crate) fn includes(self, variant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Except(variants) => !variants.contains(&variant),
            Self::Only(variants) => variants.contains(&variant),
        }
    }
}
