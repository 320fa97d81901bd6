//! Finds paths among the tokens of macros, which are not parsed.

use crate::tree::Path;
use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Token, UseTree};

/// A finding among the tokens.
pub(crate) enum Found {
    Path(Path),
    /// A `use`, and `true` if it begins with `::`.
    Use(bool, UseTree),
}

/// Returns the name without `r#`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}

/// Returns the segments of a parsed path, without their generic arguments.
pub(crate) fn segments(path: &syn::Path) -> Path {
    let root = path.leading_colon.map(|_| "::".to_owned());
    let names = path.segments.iter().map(|segment| plain(&segment.ident));
    root.into_iter().chain(names).collect()
}

/// Returns `true` if a path may be an import: a single word in small letters is a variable more often.
pub(crate) fn may_be_imported(path: &[String]) -> bool {
    path.len() > 1 || path.iter().any(|name| name.starts_with(char::is_uppercase))
}

/// Returns all paths, and all `use`s, among tokens.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    collect(without_dollars(tokens), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Found>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut path = Path::new();
    // `true` after a `::` that waits for the next name.
    let mut joined = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "use" => {
                finish(&mut path, found);
                let rest = tokens.by_ref().take_while(|token| !is_char(token, ';'));
                collect_use(rest.collect(), found);
            }
            TokenTree::Ident(name) => {
                if !joined {
                    finish(&mut path, found);
                }
                path.push(plain(&name));
            }
            TokenTree::Punct(mark)
                if mark.as_char() == ':'
                    && mark.spacing() == Spacing::Joint
                    && tokens.next_if(|next| is_char(next, ':')).is_some() =>
            {
                if path.is_empty() {
                    path.push("::".to_owned());
                }
                joined = true;
                continue;
            }
            TokenTree::Group(group) => {
                finish(&mut path, found);
                collect(group.stream(), found);
            }
            _ => finish(&mut path, found),
        }
        joined = false;
    }
    finish(&mut path, found);
}

fn finish(path: &mut Path, found: &mut Vec<Found>) {
    let path = std::mem::take(path);
    if may_be_imported(&path) && path != ["::"] {
        found.push(Found::Path(path));
    }
}

fn collect_use(tokens: TokenStream, found: &mut Vec<Found>) {
    let parse = |input: ParseStream<'_>| {
        let rooted = input.parse::<Option<Token![::]>>()?.is_some();
        Ok(Found::Use(rooted, input.parse()?))
    };
    match parse.parse2(tokens.clone()) {
        Ok(import) => found.push(import),
        // The `use<…>` of a type, or a part of a macro's own language.
        Err(_) => collect(tokens, found),
    }
}

/// Replaces `$crate` by `crate`, and every other macro variable by a name that no module has.
fn without_dollars(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut plain = Vec::new();
    while let Some(token) = tokens.next() {
        if is_char(&token, '$') {
            let filled_in = || TokenTree::Ident(Ident::new("_filled_in", Span::call_site()));
            match tokens.next_if(|next| matches!(next, TokenTree::Ident(_))) {
                Some(name) if is_crate(&name) => plain.push(name),
                Some(_) => {
                    plain.push(filled_in());
                    // `$d crate` is the `$crate` of a macro that this one defines: if that is exported, it belongs to the
                    // user's crate.
                    plain.extend(tokens.next_if(is_crate).map(|_| filled_in()));
                }
                None => {}
            }
        } else if let TokenTree::Group(group) = token {
            let inner = without_dollars(group.stream());
            plain.push(TokenTree::Group(Group::new(group.delimiter(), inner)));
        } else {
            plain.push(token);
        }
    }
    plain.into_iter().collect()
}

fn is_crate(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(name) if name == "crate")
}

fn is_char(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == char)
}
