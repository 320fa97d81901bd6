//! The checks of the handlers against the schema of their events, which the macro does not see.

use crate::event_handler::model::HandlerModel;
use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::handler::ParsedHandler;
use crate::event_handler::parse::marks::may_remove;
use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Path};

/// A statement with the checks; none if nothing is to be checked, or if the events depend on a type parameter.
///
/// The checks stand in the length of an array. The compiler evaluates it together with the types of the function, and does not
/// report missing arms of a function that has another mistake.
pub(super) fn checks(model: &HandlerModel<'_>, block: &Block) -> Option<TokenStream> {
    let library = &model.library;
    let event = &model.event;
    if is_generic(event, block) {
        return None;
    }
    let schema = tokens::local("schema");
    let all_named = all_named(model, block, &schema);
    let handlers = model.handlers.iter().enumerate();
    let named_fields: Vec<TokenStream> = handlers
        .flat_map(|(number, handler)| named_fields(model, handler, number, &schema))
        .collect();
    if all_named.is_none() && named_fields.is_empty() {
        return None;
    }
    Some(quote! {
        let _: [(); {
            use #library::__private::NoSchema as _;
            let #schema = #library::__private::EventsOf::<#event>::SCHEMA;
            #all_named
            #(#named_fields)*
            0
        }] = [];
    })
}

/// Returns `true` if the events depend on the block: a constant in a type cannot.
fn is_generic(event: &Path, block: &Block) -> bool {
    let tokens = event.to_token_stream();
    let parameters = &block.header.generics.params;
    let mut names = parameters.iter().filter_map(tokens::parameter_name);
    tokens::mention(tokens.clone(), &Ident::new("Self", Span::call_site()))
        || names.any(|name| tokens::mention(tokens.clone(), name))
}

/// The check that every variant is named, at the name of the type.
fn all_named(model: &HandlerModel<'_>, block: &Block, schema: &Ident) -> Option<TokenStream> {
    let Ignored::Listed(ignored) = &model.ignored else {
        return None;
    };
    let handled = model.handlers.iter().flat_map(|handler| {
        let alternatives = handler.alternatives.iter();
        alternatives.map(|alternative| {
            let (conditions, name) = (conditions(handler), name(alternative));
            quote!(#(#conditions)* #name)
        })
    });
    let ignored = ignored
        .iter()
        .map(|alternative| name(alternative).into_token_stream());
    let named = handled.chain(ignored);
    let place = Span::mixed_site().located_at(block.header.self_ty.span());
    let library = model.library.written_at(place);
    let schema = tokens::located(schema, place);
    let check = if model.retired.is_some() {
        "assert_all_named_or_retired"
    } else {
        "assert_all_named"
    };
    let check = Ident::new(check, place);
    Some(quote_spanned! {place=>
        #library::__private::#check(#schema, &[#(#named),*]);
    })
}

/// The checks that bare variants with parameters have fields with names, at the variants. The handler is the one with the
/// number `number`, and so probably the variant.
fn named_fields(
    model: &HandlerModel<'_>,
    handler: &ParsedHandler<'_>,
    number: usize,
    schema: &Ident,
) -> Vec<TokenStream> {
    let is_bare = |found: &&Alternative| matches!(found.fields, FieldPatterns::Bare);
    let checks = handler.alternatives.iter().filter(is_bare);
    let checks = checks.filter_map(|alternative| {
        let parameters: Vec<String> = handler
            .parameters
            .iter()
            .filter_map(|passed| passed.parameter.name())
            .filter(|name| !alternative.is_bound_whole(name))
            .map(ToString::to_string)
            .collect();
        if parameters.is_empty() {
            return None;
        }
        let conditions = conditions(handler);
        let name = name(alternative);
        let place = Span::mixed_site().located_at(alternative.variant.span());
        let library = model.library.written_at(place);
        let schema = tokens::located(schema, place);
        Some(quote_spanned! {place=>
            #(#conditions)*
            #library::__private::assert_named_fields(#schema, #number, #name, &[#(#parameters),*]);
        })
    });
    checks.collect()
}

/// The attributes that may remove a handler.
fn conditions<'a>(handler: &ParsedHandler<'a>) -> Vec<&'a Attribute> {
    let attributes = handler.attributes.iter().copied();
    attributes
        .filter(|attribute| may_remove(attribute))
        .collect()
}

/// The name of a variant in the schema.
fn name(alternative: &Alternative) -> String {
    alternative.variant.unraw().to_string()
}
