//! Finding the names of methods, functions and constants in a piece of code.

use crate::tokens::{flat, is_name};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use std::collections::HashSet;
use syn::ext::IdentExt;

/// Names, in the form that [`spelling`] returns.
pub(crate) type Names = HashSet<String>;

/// The form in which names are compared: `r#open` and `open` are equal.
pub(crate) fn spelling(name: &Ident) -> String {
    name.unraw().to_string()
}

/// Adds the names in the code: `.name(…)`, `.name::<…>(…)` and `…::name`.
///
/// A field or a variable with the same name is not one of these. The meaning of an identifier inside a macro call is unknown,
/// so every identifier there is added.
pub(crate) fn collect(code: TokenStream, names: &mut Names) {
    let tokens = flat(code);
    for (index, token) in tokens.iter().enumerate() {
        let at = |offset: usize| tokens.get(index + offset);
        let before = |offset: usize| {
            index
                .checked_sub(offset)
                .and_then(|index| tokens.get(index))
        };
        match token {
            TokenTree::Ident(ident) => {
                let is_path = is(before(1), ':') && is(before(2), ':');
                let is_call = is(before(1), '.')
                    && (is_parenthesis(at(1)) || is(at(1), ':') && is(at(2), ':'));
                if is_path || is_call {
                    names.insert(spelling(ident));
                }
            }
            TokenTree::Group(group) => {
                let is_macro = is(before(1), '!')
                    && matches!(before(2), Some(TokenTree::Ident(name)) if is_name(name));
                if is_macro {
                    collect_all(group.stream(), names);
                } else {
                    collect(group.stream(), names);
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Adds every identifier.
fn collect_all(code: TokenStream, names: &mut Names) {
    for token in code {
        match token {
            TokenTree::Ident(ident) => {
                names.insert(spelling(&ident));
            }
            TokenTree::Group(group) => collect_all(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Returns `true` if there is a token and it is this character.
fn is(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Returns `true` if there is a token and it is a list in parentheses.
fn is_parenthesis(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

#[cfg(test)]
mod tests {
    use super::{Names, collect};
    use proc_macro2::TokenStream;
    use quote::quote;

    fn names(code: TokenStream) -> Vec<String> {
        let mut names = Names::default();
        collect(code, &mut names);
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        names
    }

    #[test]
    fn calls_and_paths_are_names() {
        let code = quote! {{
            self.call(Self::ONE, Self::function);
            if self.generic::<u8>(<Self>::TWO) { Door::r#raw(self) }
        }};
        assert_eq!(
            names(code),
            ["ONE", "TWO", "call", "function", "generic", "raw"]
        );
    }

    #[test]
    fn fields_and_variables_are_not() {
        let code = quote!({
            let total = amount;
            self.total += total;
            Door { total, ..rest }
        });
        assert_eq!(names(code), [""; 0]);
    }

    #[test]
    fn in_a_macro_call_every_identifier_is() {
        assert_eq!(
            names(quote!(if !(open) {
                call!(self, [by])
            })),
            ["by", "self"]
        );
    }
}
