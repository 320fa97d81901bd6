//! Writing tokens in one spelling, independent of their layout: text that is written into files must not change with a
//! formatter or a compiler.

use crate::tokens::flat;
use proc_macro2::{Delimiter, Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Writes a type or an attribute roughly as a formatter would, on one line.
pub(crate) fn spelled(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text
}

/// Adds the tokens of one level.
fn write(tokens: TokenStream, text: &mut String) {
    let tokens = flat(tokens);
    let mut rest = tokens.as_slice();
    let mut needs_space = false;
    let mut before: [Option<&TokenTree>; 2] = [None, None];
    while let Some((token, behind)) = rest.split_first() {
        rest = behind;
        let is_lifetime = matches!(
            before,
            [Some(TokenTree::Punct(mark)), Some(TokenTree::Ident(_))] if mark.as_char() == '\''
        );
        before = [before[1], Some(token)];
        match token {
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if needs_space {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
                needs_space = true;
            }
            TokenTree::Group(group) => {
                if is_lifetime {
                    text.push(' ');
                }
                let (open, close) = brackets(group.delimiter());
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
                needs_space = true;
            }
            TokenTree::Punct(punct) => {
                let is_only_comma = || tokens.iter().filter(|token| is_comma(token)).count() == 1;
                let written = mark(punct, behind, is_only_comma);
                if written.is_double {
                    rest = behind.get(1..).unwrap_or_default();
                }
                needs_space = written.needs_space;
                text.push_str(&written.text);
            }
        }
    }
}

/// A punctuation mark as it is written.
struct Mark {
    /// The mark, with the spaces around it.
    text: String,
    /// `true` if the next token is a part of the mark.
    is_double: bool,
    /// `true` if a word after the mark needs a space.
    needs_space: bool,
}

/// How a mark is written before these tokens. `is_only_comma` returns `true` if a comma is the only one of its level.
fn mark(punct: &Punct, behind: &[TokenTree], is_only_comma: impl Fn() -> bool) -> Mark {
    let joined = punct.spacing() == Spacing::Joint;
    let next = match behind.first() {
        Some(TokenTree::Punct(next)) => Some(next.as_char()),
        _ => None,
    };
    let (text, is_double) = match (punct.as_char(), next) {
        // The last comma is only layout, unless it makes a tuple.
        (',', Some('>')) => (String::new(), false),
        (',', _) if behind.is_empty() => {
            let comma = if is_only_comma() { "," } else { "" };
            (comma.to_owned(), false)
        }
        (':', Some(':')) if joined => ("::".to_owned(), true),
        ('-', Some('>')) if joined => (" -> ".to_owned(), true),
        (mark @ (',' | ':' | ';'), _) => (format!("{mark} "), false),
        (mark @ ('=' | '+'), _) => (format!(" {mark} "), false),
        (mark, _) => (mark.to_string(), false),
    };
    Mark {
        text,
        is_double,
        needs_space: punct.as_char() == '>',
    }
}

/// Returns `true` if the token is a comma.
fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// The brackets of a group.
fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::spelled;
    use proc_macro2::TokenStream;

    fn respelled(code: &str) -> String {
        let tokens: TokenStream = code.parse().expect("the code consists of tokens");
        spelled(&tokens)
    }

    #[test]
    fn a_type_is_spelled_as_it_is_usually_formatted() {
        for code in [
            "u64",
            "Option<String>",
            "std::collections::BTreeMap<String, Vec<u8>>",
            "::std::string::String",
            "&'static str",
            "&'static [u8]",
            "&'a (u8, u16)",
            "Cow<'static, [u8]>",
            "[u8; 3]",
            "(u8, u16)",
            "(u8,)",
            "()",
            "<T as Trait<U>>::Item",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "Box<dyn for<'a> Fn(&'a str)>",
            "Iterator<Item = u8>",
            "Array<{N}, 3>",
            "rename = \"a b\"",
            "default",
            "r#type",
        ] {
            assert_eq!(respelled(code), code);
        }
    }

    #[test]
    fn layout_does_not_count() {
        for (code, spelling) in [
            ("Option < String >", "Option<String>"),
            ("Map<\n    A,\n    B,\n>", "Map<A, B>"),
            ("(\n    A,\n    B,\n)", "(A, B)"),
            ("Vec<Vec<u8> >", "Vec<Vec<u8>>"),
            ("[u8;3]", "[u8; 3]"),
            ("with=\"x\"", "with = \"x\""),
            ("/* why */ u8", "u8"),
        ] {
            assert_eq!(respelled(code), spelling);
        }
    }
}
