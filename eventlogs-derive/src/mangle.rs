//! Damaging a well-formed item at every token, to test that no expansion panics.

use proc_macro2::{Delimiter, Group, Literal, Punct, Spacing, TokenStream, TokenTree};

/// All variations of the item in which one token is removed, doubled, or replaced by a wrong one.
pub(crate) fn every_way(item: &TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let mut spoiled = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let with = |replacement: Vec<TokenTree>| -> TokenStream {
            let (before, after) = (&tokens[..index], &tokens[index + 1..]);
            before
                .iter()
                .cloned()
                .chain(replacement)
                .chain(after.iter().cloned())
                .collect()
        };
        spoiled.push(with(Vec::new()));
        spoiled.push(with(vec![token.clone(), token.clone()]));
        for stranger in strangers() {
            spoiled.push(with(vec![stranger]));
        }
        if let TokenTree::Group(group) = token {
            for inside in every_way(&group.stream()) {
                spoiled.push(with(vec![Group::new(group.delimiter(), inside).into()]));
            }
        }
    }
    spoiled
}

/// Asserts that a macro returns valid Rust for every damaged variation of the item.
pub(crate) fn assert_answered(item: &TokenStream, answer: impl Fn(TokenStream) -> TokenStream) {
    for spoiled in every_way(item) {
        let output = answer(spoiled.clone());
        assert!(
            syn::parse2::<syn::File>(output.clone()).is_ok(),
            "{spoiled}\n\n{output}"
        );
    }
}

/// One token of every kind.
fn strangers() -> [TokenTree; 7] {
    [
        Punct::new(',', Spacing::Alone).into(),
        Punct::new('=', Spacing::Joint).into(),
        Punct::new('<', Spacing::Alone).into(),
        Literal::string("ß\u{0}").into(),
        Literal::u128_suffixed(u128::MAX).into(),
        Literal::f64_unsuffixed(1.5).into(),
        Group::new(Delimiter::Bracket, TokenStream::new()).into(),
    ]
}
