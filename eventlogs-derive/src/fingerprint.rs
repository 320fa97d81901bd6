//! Hashing code so that the hash changes with the behaviour of the code, not with its layout.
//!
//! Tokens are hashed one by one, because each compiler spaces the text of a token stream differently. The hash omits what
//! cannot change a state: comments, documentation, lint levels, and the commas that a formatter adds at line ends.

use crate::tokens::{flat, is_name};
use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Attribute;

/// The operators of several characters, longest first.
///
/// Other adjacent characters, as in `x=-1`, may or may not be marked as joint. Shifts are not listed, because `>>` also closes
/// two lists of type arguments.
const OPERATORS: &[&str] = &[
    "..=", "...", "..", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=",
    "/=", "%=", "^=", "&=", "|=",
];

/// Attributes that change no state: those of the compiler and its tools, and those that are handled elsewhere.
const WITHOUT_EFFECT: &[&str] = &[
    "aggregate",
    "allow",
    "cfg",
    "clippy",
    "cold",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "projection",
    "rustfmt",
    "warn",
];

/// Returns `true` if an attribute may change a state or its serialised form.
pub(crate) fn has_effect(attribute: &Attribute) -> bool {
    let first = attribute.path().segments.first();
    first.is_none_or(|first| WITHOUT_EFFECT.iter().all(|name| first.ident != *name))
}

/// The initial hash and the prime of FNV-1a with 64 bits (RFC 9923). They repeat those in the library's `hash.rs`, because a
/// macro cannot call the library.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// A hash in progress (FNV-1a, 64 bits).
#[derive(Clone, Copy)]
pub(crate) struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(OFFSET)
    }
}

impl Fingerprint {
    /// The hash of some code.
    pub(crate) fn new(code: &impl ToTokens) -> Self {
        let mut fingerprint = Self::default();
        fingerprint.tokens(code.to_token_stream(), true);
        fingerprint
    }

    /// The hash so far.
    pub(crate) fn finish(self) -> u64 {
        self.0
    }

    /// Adds a string, separated from the strings around it.
    pub(crate) fn text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.byte(byte);
        }
        // No string contains this byte, so `a b` and `ab` differ.
        self.byte(0xff);
    }

    /// Adds one byte.
    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
    }

    /// Adds the tokens of one level. `comma_counts` is `true` if a comma at their end may be more than layout.
    fn tokens(&mut self, tokens: TokenStream, comma_counts: bool) {
        let tokens = flat(tokens);
        let mut rest = tokens.as_slice();
        let mut before: Option<&TokenTree> = None;
        let mut is_call = false;
        while let Some((token, behind)) = rest.split_first() {
            rest = behind;
            match token {
                TokenTree::Ident(ident) => self.text(&ident.to_string()),
                TokenTree::Literal(literal) => self.text(&literal.to_string()),
                TokenTree::Group(group) => self.group(group, is_call),
                TokenTree::Punct(comma)
                    if comma.as_char() == ',' && is_layout(behind, comma_counts) => {}
                TokenTree::Punct(punct) => {
                    let operator = operator(punct, behind);
                    match operator {
                        Some(operator) => self.text(operator),
                        None => self.text(&punct.as_char().to_string()),
                    }
                    let joined = operator.map_or(0, |operator| operator.len() - 1);
                    rest = behind.get(joined..).unwrap_or_default();
                }
            }
            // `name(…)` and `name!(…)`
            is_call = match token {
                TokenTree::Ident(ident) => is_name(ident),
                TokenTree::Punct(punct) if punct.as_char() == '!' => {
                    matches!(before, Some(TokenTree::Ident(ident)) if is_name(ident))
                }
                _ => false,
            };
            before = Some(token);
        }
    }

    /// Adds a group, and its brackets.
    fn group(&mut self, group: &Group, is_call: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.text(open);
        // `(a,)` is a tuple and `(a)` is not, whereas `f(a,)` and `f(a)` are the same call.
        self.tokens(
            group.stream(),
            group.delimiter() == Delimiter::Parenthesis && !is_call,
        );
        self.text(close);
    }
}

/// Returns `true` if a comma before these tokens only ends the last line of a list.
fn is_layout(behind: &[TokenTree], comma_counts: bool) -> bool {
    match behind.first() {
        None => !comma_counts,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '>',
        Some(_) => false,
    }
}

/// The operator of several characters that starts with `first`, if there is one.
fn operator(first: &Punct, behind: &[TokenTree]) -> Option<&'static str> {
    let mut written = String::from(first.as_char());
    let mut spacing = first.spacing();
    for token in behind.iter().take(2) {
        match token {
            TokenTree::Punct(next) if spacing == Spacing::Joint => {
                written.push(next.as_char());
                spacing = next.spacing();
            }
            _ => break,
        }
    }
    OPERATORS
        .iter()
        .find(|operator| written.starts_with(**operator))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, has_effect};
    use proc_macro2::TokenStream;
    use quote::quote;
    use syn::{Attribute, parse_quote};

    fn hash(code: &str) -> u64 {
        let tokens: TokenStream = code.parse().expect("the code consists of tokens");
        Fingerprint::new(&tokens).finish()
    }

    #[test]
    fn the_hash_is_the_same_everywhere() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("self.total += amount;"), 0x8e4a_a71e_6171_01d8);
    }

    #[test]
    fn layout_does_not_count() {
        for (left, right) in [
            ("a+=b", "a\n    +=\tb"),
            ("let x=-1;", "let x = -1;"),
            ("Vec<Vec<u8>>", "Vec<Vec<u8> >"),
            ("f(a, b)", "f(\n    a,\n    b,\n)"),
            ("f(a)", "f(\n    a,\n)"),
            ("assert!(a)", "assert!(\n    a,\n)"),
            ("Map<A, B>", "Map<\n    A,\n    B,\n>"),
            ("S { a, b }", "S {\n    a,\n    b,\n}"),
            ("[a, b]", "[\n    a,\n    b,\n]"),
            ("a /* why */ + b // so\n", "a + b"),
            ("{ a }", "{ //! Inside.\n /// In front.\n a }"),
        ] {
            assert_eq!(hash(left), hash(right), "{left}");
        }
    }

    #[test]
    fn everything_else_counts() {
        for (left, right) in [
            ("a + b", "a - b"),
            ("a b", "ab"),
            ("a && b", "a & &b"),
            ("a <= b", "a < b"),
            ("(a,)", "(a)"),
            ("return (a,)", "return (a)"),
            ("-> (Map<A, B>,)", "-> (Map<A, B>)"),
            ("f(a)", "f[a]"),
            ("{ a } b", "{ a b }"),
            ("1", "1u8"),
            ("\"a\"", "\"b\""),
            ("#[serde(skip)] a", "a"),
            ("x::<A>()", "x()"),
        ] {
            assert_ne!(hash(left), hash(right), "{left}");
        }
    }

    #[test]
    fn invisible_brackets_do_not_count() {
        let expression: syn::Expr = parse_quote!(a + b);
        let group = proc_macro2::Group::new(proc_macro2::Delimiter::None, quote!(#expression));
        assert_eq!(
            Fingerprint::new(&quote!(f(#group))).finish(),
            Fingerprint::new(&quote!(f(a + b))).finish()
        );
    }

    #[test]
    fn attributes_of_the_compiler_have_no_effect() {
        let attributes: [Attribute; 6] = [
            parse_quote!(#[doc = "a"]),
            parse_quote!(#[allow(dead_code)]),
            parse_quote!(#[rustfmt::skip]),
            parse_quote!(#[serde(skip)]),
            parse_quote!(#[default]),
            parse_quote!(#[tracing::instrument]),
        ];
        assert_eq!(
            attributes.each_ref().map(has_effect),
            [false, false, false, true, true, true]
        );
    }
}
