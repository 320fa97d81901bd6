//! Serde's attributes on a type, a variant or a field. The macros read some of them, and pass those on fields on to serde.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, MetaNameValue, Token};

/// All `#[serde(…)]` attributes on one type, variant or field.
pub(crate) struct SerdeAttributes<'a> {
    /// The attributes as they were written.
    pub(crate) written: Vec<&'a Attribute>,
    /// Their entries, in order. Entries that do not parse are left out, because serde reports them.
    pub(crate) entries: Vec<Meta>,
}

impl<'a> SerdeAttributes<'a> {
    /// Selects serde's attributes among these.
    pub(crate) fn new(attributes: &'a [Attribute]) -> Self {
        let written: Vec<&Attribute> = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"))
            .collect();
        let entries = written.iter().filter_map(|attribute| entries(attribute));
        Self {
            entries: entries.flatten().collect(),
            written,
        }
    }

    /// The first attribute that does not parse.
    pub(crate) fn unreadable(&self) -> Option<&'a Attribute> {
        let mut written = self.written.iter().copied();
        written.find(|attribute| entries(attribute).is_none())
    }

    /// The entries with this name.
    pub(crate) fn called(&self, name: &str) -> impl Iterator<Item = &Meta> {
        self.entries
            .iter()
            .filter(move |entry| entry.path().is_ident(name))
    }

    /// The value of `key = "…"` or `key(serialize = "…")`.
    pub(crate) fn written_as(&self, key: &str) -> Option<String> {
        self.called(key).find_map(written_as)
    }

    /// Returns `true` if there is an entry with one of these names.
    pub(crate) fn have_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.called(name).next().is_some())
    }
}

/// The entries of an attribute; `None` if they do not parse.
fn entries(attribute: &Attribute) -> Option<Punctuated<Meta, Token![,]>> {
    attribute.parse_args_with(Punctuated::parse_terminated).ok()
}

/// The string in `key = "…"` or `key(serialize = "…")`.
pub(crate) fn written_as(entry: &Meta) -> Option<String> {
    match entry {
        Meta::NameValue(entry) => text(entry),
        Meta::List(list) => {
            let parser = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
            let entries = list.parse_args_with(parser).ok()?;
            let mut entries = entries.iter();
            entries
                .find(|entry| entry.path.is_ident("serialize"))
                .and_then(text)
        }
        Meta::Path(_) => None,
    }
}

/// The string after the `=`.
fn text(entry: &MetaNameValue) -> Option<String> {
    match &entry.value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
