//! The members of the block that affect the handlers, and their hashes.

use crate::event_handler::expand::full_patterns;
use crate::event_handler::expand::mentioned::{self, Names};
use crate::event_handler::model::HandlerModel;
use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::block::{Block, Member};
use crate::event_handler::parse::condition;
use crate::event_handler::parse::marks::may_remove;
use crate::fingerprint::{Fingerprint, has_effect};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, ItemImpl};

/// The hash of one piece of the code.
pub(crate) struct Part {
    /// The attributes with the conditions under which the code exists.
    pub(crate) conditions: TokenStream,
    /// The hash.
    pub(crate) hash: u64,
}

/// The hashes of the block's header with the ignored variants, of the handlers in order, and of every member that the handlers
/// name, directly or indirectly.
pub(crate) fn hashed_parts(model: &HandlerModel<'_>, block: &Block) -> Vec<Part> {
    let header = header(model, block);
    let mut parts = vec![Part {
        conditions: TokenStream::new(),
        hash: Fingerprint::new(&header).finish(),
    }];
    let mut names = Names::default();
    mentioned::collect(header, &mut names);
    let (roots, mut others): (Vec<_>, Vec<_>) =
        block.members.iter().partition(|member| is_root(member));
    for root in roots {
        mentioned::collect(code(root), &mut names);
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
            mentioned::collect(code(member), &mut names);
            helpers.extend(part(member));
        }
        others = unnamed;
    }
    // The order of the helpers in the block makes no difference.
    helpers.sort_by_key(|part| part.hash);
    parts.extend(helpers);
    parts
}

/// The code before the braces, with the arguments of the attribute.
fn header(model: &HandlerModel<'_>, block: &Block) -> TokenStream {
    let HandlerModel {
        event,
        ignored,
        retired,
        ..
    } = model;
    let ItemImpl {
        generics, self_ty, ..
    } = &block.header;
    let where_clause = &generics.where_clause;
    let ignored = match ignored {
        Ignored::Listed(listed) => full_patterns::joined(listed, event, &[], &[]),
        Ignored::Rest(underscore) => underscore.to_token_stream(),
    };
    quote!(impl #generics #event for #self_ty #where_clause { #ignored #retired })
}

/// Returns `true` if a member is included without being named: a handler, or a macro call, whose members are unknown.
fn is_root(member: &Member) -> bool {
    match member {
        Member::Method(method) => method.is_handler(),
        Member::Other(..) => name(member).is_none(),
    }
}

/// The name of a member, if it has one.
fn name(member: &Member) -> Option<String> {
    match member {
        Member::Method(method) => Some(mentioned::spelling(&method.signature.ident)),
        Member::Other(_, tokens) => {
            let mut tokens = tokens.clone().into_iter();
            tokens.find(|token| {
                matches!(token, TokenTree::Ident(keyword) if keyword == "const" || keyword == "type")
            })?;
            match tokens.next()? {
                TokenTree::Ident(name) => Some(mentioned::spelling(&name)),
                _ => None,
            }
        }
    }
}

/// The code of a member that can change what the handlers do. Its visibility cannot.
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

/// The hash of a member with its conditions, and one more hash per condition inside the member.
fn part(member: &Member) -> Vec<Part> {
    let own = attributes(member)
        .iter()
        .filter(|attribute| may_remove(attribute));
    let own = quote!(#(#own)*);
    let code = code(member);
    let whole = Part {
        conditions: own.clone(),
        hash: Fingerprint::new(&code).finish(),
    };
    let inside = condition::predicates(code.clone()).into_iter();
    let inside = inside.map(|predicate| Part {
        hash: Fingerprint::new(&quote!(#code #predicate)).finish(),
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
mod tests;
