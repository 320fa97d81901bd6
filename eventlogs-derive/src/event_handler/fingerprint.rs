//! Which members of the block make up what the handlers do, and their hashes.

use super::arguments::Ignored;
use super::block::{Block, Member, may_remove};
use super::condition;
use super::model::HandlerModel;
use super::named::{self, Names};
use crate::fingerprint::{Fingerprint, has_effect};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, ItemImpl};

/// The hash of one piece of the code.
pub(crate) struct Part {
    /// The attributes with the conditions under which it exists.
    pub(crate) conditions: TokenStream,
    /// The hash.
    pub(crate) hash: u64,
}

/// The block's header with all that is ignored, the handlers in their order, and every member that they name, directly
/// or through one another.
pub(crate) fn parts(model: &HandlerModel<'_>, block: &Block) -> Vec<Part> {
    let header = header(model, block);
    let mut parts = vec![Part {
        conditions: TokenStream::new(),
        hash: Fingerprint::of(&header).finish(),
    }];
    let mut names = Names::default();
    named::collect(header, &mut names);
    let (roots, mut others): (Vec<_>, Vec<_>) =
        block.members.iter().partition(|member| is_root(member));
    for root in roots {
        named::collect(code(root), &mut names);
        parts.extend(part(root));
    }
    let mut helpers = Vec::new();
    loop {
        let (found, unnamed): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|member| name(member).is_some_and(|name| names.contains(&name)));
        if found.is_empty() {
            break;
        }
        for member in found {
            named::collect(code(member), &mut names);
            helpers.extend(part(member));
        }
        others = unnamed;
    }
    // Where a helper stands makes no difference.
    helpers.sort_by_key(|part| part.hash);
    parts.extend(helpers);
    parts
}

/// What is written in front of the braces and in the attribute.
fn header(model: &HandlerModel<'_>, block: &Block) -> TokenStream {
    let HandlerModel { event, ignored, .. } = model;
    let ItemImpl {
        generics, self_ty, ..
    } = &block.header;
    let where_clause = &generics.where_clause;
    let ignored = match ignored {
        Ignored::Listed(listed) => {
            let patterns = listed
                .iter()
                .map(|alternative| alternative.expand(event, &[], &[]));
            quote!(#(#patterns)|*)
        }
        Ignored::Rest(underscore) => underscore.to_token_stream(),
    };
    quote!(impl #generics #event for #self_ty #where_clause { #ignored })
}

/// Whether a member counts without being named: handlers, and macro calls, whose members nobody here knows.
fn is_root(member: &Member) -> bool {
    match member {
        Member::Method(method) => method.is_handler(),
        Member::Other(..) => name(member).is_none(),
    }
}

/// The name of a member, if it has one.
fn name(member: &Member) -> Option<String> {
    match member {
        Member::Method(method) => Some(named::spelling(&method.signature.ident)),
        Member::Other(_, tokens) => {
            let mut tokens = tokens.clone().into_iter();
            tokens.find(|token| {
                matches!(token, TokenTree::Ident(keyword) if keyword == "const" || keyword == "type")
            })?;
            match tokens.next()? {
                TokenTree::Ident(name) => Some(named::spelling(&name)),
                _ => None,
            }
        }
    }
}

/// A member as far as it can change what the handlers do: who may call it cannot.
fn code(member: &Member) -> TokenStream {
    let attributes = attributes(member)
        .iter()
        .filter(|attribute| has_effect(attribute));
    match member {
        Member::Method(method) => {
            let (signature, body) = (&method.signature, &method.body);
            quote!(#(#attributes)* #signature #body)
        }
        Member::Other(_, tokens) => quote!(#(#attributes)* #tokens),
    }
}

/// The hash of a member, and when it counts; and one for each condition inside of it that holds.
fn part(member: &Member) -> Vec<Part> {
    let own = attributes(member)
        .iter()
        .filter(|attribute| may_remove(attribute));
    let own = quote!(#(#own)*);
    let code = code(member);
    let whole = Part {
        conditions: own.clone(),
        hash: Fingerprint::of(&code).finish(),
    };
    let inside = condition::predicates(code.clone()).into_iter();
    let inside = inside.map(|predicate| Part {
        hash: Fingerprint::of(&quote!(#code #predicate)).finish(),
        conditions: quote!(#own #[cfg(#predicate)]),
    });
    std::iter::once(whole).chain(inside).collect()
}

/// All attributes of a member.
fn attributes(member: &Member) -> &[Attribute] {
    match member {
        Member::Method(method) => &method.attributes,
        Member::Other(attributes, _) => attributes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expand;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// The constants in the output for a block with one handler that calls `first`.
    fn constants(members: &TokenStream) -> String {
        let block = quote! {
            impl Door {
                #[on(Opened)]
                fn open(&mut self) { self.first(); }
                #members
            }
        };
        let output = expand(quote!(DoorEvent), block).to_string();
        let (_, constants) = output
            .split_once("fingerprint (&")
            .expect("the block has a fingerprint");
        constants.to_owned()
    }

    /// How many pieces of code count: the block's header, the handler and the members that it names.
    fn count(members: &TokenStream) -> usize {
        constants(members).matches("u64").count()
    }

    #[test]
    fn names_are_followed() {
        let members = quote! {
            const THIRD: u8 = Self::fourth();
            fn first(&mut self) { Self::second(self); }
            fn second(&mut self) { self.size += Self::THIRD; }
            const fn fourth() -> u8 { 4 }
        };
        assert_eq!(count(&members), 6);
    }

    #[test]
    fn what_nobody_names_does_not_count() {
        let members = quote! {
            fn first(&mut self) { self.size += size; }
            pub fn size(&self) -> u8 { Self::unrelated(self.size) }
            fn unrelated(size: u8) -> u8 { size }
        };
        assert_eq!(count(&members), 3);
    }

    #[test]
    fn members_may_name_each_other_in_circles() {
        let members = quote! {
            fn first(&mut self) { self.second(); }
            fn second(&mut self) { self.first(); self.open(); }
        };
        assert_eq!(count(&members), 4);
    }

    #[test]
    fn macro_calls_count_and_so_does_what_they_mention() {
        let members = quote! {
            generate! { second }
            fn second(&self) {}
            fn third(&self) {}
        };
        assert_eq!(count(&members), 4);
    }

    #[test]
    fn the_order_of_what_is_named_makes_no_difference() {
        let first = quote!(
            fn first(&self) {
                self.second()
            }
        );
        let second = quote!(
            fn second(&self) {}
        );
        assert_eq!(
            constants(&quote!(#first #second)),
            constants(&quote!(#second #first))
        );
    }

    #[test]
    fn a_condition_holds_for_the_constant() {
        let constants = constants(&quote!(
            #[cfg(unix)]
            fn first(&self) {}
        ));
        assert!(constants.contains("# [cfg (unix)] "), "{constants}");
    }

    #[test]
    fn what_conditions_inside_say_counts_too() {
        for members in [
            quote!(
                fn first(&self, #[cfg(unix)] size: u8) {}
            ),
            quote!(
                fn first(&self) {
                    #[cfg(unix)]
                    self.second();
                    if cfg!(unix) {}
                }
            ),
        ] {
            assert_eq!(count(&members), 4);
            assert!(constants(&members).contains("# [cfg (unix)] "));
        }
    }
}
