//! Third stage: the block without its marks, and the `match` that calls its methods.

mod full_patterns;
mod hashed_parts;
mod mentioned;

use crate::event_handler::model::HandlerModel;
use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::handler::{ParsedHandler, Passed};
use crate::event_handler::parse::marks::{HELPERS, goes_along};
use crate::event_handler::parse::parameter::Parameter;
use crate::tokens;
use hashed_parts::Part;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemImpl, Path};

/// The complete output of the attribute.
pub(crate) fn expand(model: &HandlerModel<'_>, block: &Block) -> TokenStream {
    let HandlerModel { event, library, .. } = model;
    let ItemImpl {
        generics, self_ty, ..
    } = &block.header;
    let (parameters, _, where_clause) = generics.split_for_impl();
    let attributes = block
        .header
        .attrs
        .iter()
        .filter(|attribute| goes_along(attribute));
    let event_record = tokens::local("event_record");
    // The compiler reports a missing handler as a missing arm of this `match`, at the name of the aggregate.
    let place = Span::mixed_site().located_at(self_ty.span());
    let matched = Ident::new("event", place);
    let arms = arms(model, &event_record);
    let dispatch = quote_spanned!(place=> match #matched { #(#arms)* });
    // `Clone` is not in scope everywhere, and a call through its path would make the message for a type mismatch worse.
    let clones = model
        .handlers
        .iter()
        .flat_map(|handler| &handler.parameters)
        .any(|passed| passed.parameter.is_cloned());
    let import = clones.then(|| {
        quote!(
            use ::core::clone::Clone as _;
        )
    });
    let parts = hashed_parts::hashed_parts(model, block);
    let parts = parts
        .iter()
        .map(|Part { conditions, hash }| quote!(#conditions #hash));
    let block = block.stripped(HELPERS, &TokenStream::new());
    quote! {
        #block

        #(#attributes)*
        #[automatically_derived]
        impl #parameters #library::EventHandler<#event> for #self_ty #where_clause {
            #[allow(unused_qualifications, reason = "every variant is written with its enum")]
            #[deny(unreachable_patterns, reason = "a pattern that is never reached is a handler that never runs")]
            fn handle(&mut self, #event_record: &impl #library::EventRecord<#event>) {
                #import
                let #matched = #library::EventRecord::event(#event_record);
                #dispatch
            }

            fn handlers_fingerprint() -> u64 {
                #library::__private::fingerprint(&[#(#parts),*])
            }
        }
    }
}

/// All arms of the `match`.
///
/// The compiler suggests a missing arm after the last one, which would be in the middle of an attribute. It makes no suggestion
/// if the last two arms come from different expansions. Adjacent arms therefore alternate between the two kinds of span that a
/// macro has, and a single arm gets a neighbour that never matches.
fn arms(model: &HandlerModel<'_>, event_record: &Ident) -> Vec<TokenStream> {
    let HandlerModel {
        event,
        handlers,
        ignored,
        ..
    } = model;
    let contexts = [Span::mixed_site(), Span::call_site()];
    let mut contexts = contexts.into_iter().cycle();
    let mut next = || contexts.next().unwrap_or_else(Span::mixed_site);
    let mut arms = Vec::new();
    let is_single =
        handlers.len() == 1 && matches!(ignored, Ignored::Listed(listed) if listed.is_empty());
    if is_single {
        let place = next();
        arms.push(quote_spanned!(place=> _ if false => {}));
    }
    arms.extend(
        handlers
            .iter()
            .map(|handler| handler_arm(event, handler, event_record, next())),
    );
    arms.extend(ignored_arm(event, ignored, next()));
    arms
}

/// The arm of one handler, or two arms if its parameters have a condition. The compiler then keeps one of them.
fn handler_arm(
    event: &Path,
    handler: &ParsedHandler<'_>,
    event_record: &Ident,
    context: Span,
) -> TokenStream {
    let arm = |holds| arm(event, handler, event_record, context, holds);
    match &handler.condition {
        None => arm(None),
        Some(condition) => {
            let arms = [true, false].map(|holds| {
                let attribute = condition.attribute(holds);
                let arm = arm(Some(holds));
                quote!(#attribute #arm)
            });
            quote!(#(#arms)*)
        }
    }
}

/// An arm with the parameters that exist if the condition `holds`, or if it does not; `None` if there is no condition.
fn arm(
    event: &Path,
    handler: &ParsedHandler<'_>,
    event_record: &Ident,
    context: Span,
    holds: Option<bool>,
) -> TokenStream {
    let ParsedHandler {
        method,
        attributes,
        alternatives,
        parameters,
        condition: _,
    } = handler;
    let is_there = |passed: &&Passed<'_>| passed.when.is_none() || passed.when == holds;
    let (present, absent): (Vec<&Passed<'_>>, Vec<&Passed<'_>>) =
        parameters.iter().partition(is_there);
    let names: Vec<&Ident> = present
        .iter()
        .filter_map(|passed| passed.parameter.name())
        .collect();
    let absent: Vec<&Ident> = absent
        .iter()
        .filter_map(|passed| passed.parameter.name())
        .collect();
    let pattern = full_patterns::joined(alternatives, event, &names, &absent);
    let pattern = grouped(&pattern, context);
    let arguments = present.iter().map(|passed| match &passed.parameter {
        Parameter::Record { place } => tokens::located(event_record, *place),
        Parameter::Bound {
            name,
            by_reference: true,
        } => name.to_token_stream(),
        Parameter::Bound {
            name,
            by_reference: false,
        } => {
            let place = Span::mixed_site().located_at(name.span());
            quote_spanned!(place=> (*#name).clone())
        }
    });
    let place = context.located_at(method.span());
    // `self` needs the hygiene of the signature of `handle`, which not every arm has.
    let receiver = quote!(self);
    let call = quote_spanned!(place=> Self::#method(#receiver, #(#arguments),*));
    quote!(#(#attributes)* #pattern => #call,)
}

/// The arm of the ignored variants.
fn ignored_arm(event: &Path, ignored: &Ignored, context: Span) -> Option<TokenStream> {
    match ignored {
        Ignored::Listed(alternatives) if alternatives.is_empty() => None,
        Ignored::Listed(alternatives) => {
            let pattern = full_patterns::joined(alternatives, event, &[], &[]);
            let pattern = grouped(&pattern, context);
            let nothing = quote_spanned!(context=> {});
            Some(quote!(#pattern => #nothing))
        }
        Ignored::Rest(underscore) => Some(quote! {
            #[allow(unreachable_patterns, reason = "there may be nothing left to ignore")]
            #underscore => {}
        }),
    }
}

/// The pattern in parentheses that have the span of the arm's context. The pattern keeps the spans of the user's code: lints
/// use the span of the pattern, and the compiler's suggestion of another arm uses the span of the parentheses.
fn grouped(pattern: &TokenStream, context: Span) -> TokenStream {
    quote_spanned!(context=> (#pattern))
}
