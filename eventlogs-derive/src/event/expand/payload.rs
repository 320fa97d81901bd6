//! Third stage, the payloads: the types with serde's derives.
//!
//! Payloads are written through one enum that mirrors the user's enum, and read through one owned struct per variant. Both
//! contain the tokens of the user's fields, so that the compiler reports a field type without serde's traits at that type.

use crate::event::model::fields::FieldsModel;
use crate::event::model::flatten::FlattenedModel;
use crate::event::model::{EventModel, StoredModel, VariantModel};
use crate::spelling::spelled;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics};

/// Serde's attributes with which a field needs not have both of serde's traits.
const READ_OTHERWISE: &[&str] = &[
    "bound",
    "deserialize_with",
    "serialize_with",
    "skip",
    "skip_deserializing",
    "skip_serializing",
    "with",
];

/// The mirror of the enum that serialises payloads.
///
/// A flattened event serialises itself. A variant without fields is a struct variant here: it is written as an empty map, so
/// that fields can be added later.
pub(crate) fn writer(model: &EventModel<'_>) -> TokenStream {
    let EventModel {
        ident,
        generics,
        library,
        ..
    } = model;
    let serde = quote!(#library::__private::serde);
    let serde_path = serde.to_string();
    let name = writer_name();
    let remote = ident.to_string();
    let variants = model.variants.iter().map(|variant| match variant {
        VariantModel::Stored(variant) => {
            let ident = variant.ident;
            let rename_all = rename_all(variant);
            let fields = fields(model, variant, false);
            quote!(#rename_all #ident #fields)
        }
        VariantModel::Flattened(FlattenedModel { ident, event }) => {
            let event = tokens::without_self(event, &model.enum_type());
            quote!(#[serde(skip)] #ident(#event))
        }
    });
    let where_clause = &generics.where_clause;
    quote! {
        #[derive(#serde::Serialize)]
        #[serde(crate = #serde_path, remote = #remote, untagged)]
        enum #name #generics #where_clause {
            #(#variants,)*
        }
    }
}

/// The name of the mirror enum.
pub(crate) fn writer_name() -> Ident {
    Ident::new("__Payload", Span::call_site())
}

/// The struct that a variant's payload is read as.
pub(crate) fn reader(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let library = &model.library;
    let serde = quote!(#library::__private::serde);
    let serde_path = serde.to_string();
    let name = reader_name(variant);
    // Serde's messages name the expected type, and the user knows only the variant.
    let expecting = format!("the payload of `{}`", variant.ident);
    let rename_all = rename_all(variant);
    // Parentheses hide from serde that the type borrows.
    let has_hidden = variant.fields.iter().any(|field| field.hides_borrowing);
    let allow = has_hidden
        .then(|| quote!(#[allow(unused_parens, reason = "they keep serde from borrowing")]));
    let fields = fields(model, variant, true);
    let generics = reader_generics(model.generics, variant);
    let where_clause = &generics.where_clause;
    let body = match variant.fields {
        FieldsModel::Named(_) => quote!(#where_clause #fields),
        FieldsModel::Unnamed(_) => quote!(#fields #where_clause;),
    };
    quote! {
        #[derive(#serde::Deserialize)]
        #[serde(crate = #serde_path, expecting = #expecting)]
        #rename_all
        #allow
        struct #name #generics #body
    }
}

/// The name of a variant's reader. It has a prefix, because variants such as `Refunded(Refunded)` are common.
pub(crate) fn reader_name(variant: &StoredModel<'_>) -> Ident {
    format_ident!("__Read{}", variant.ident.unraw(), span = Span::call_site())
}

/// The type arguments of a variant's reader.
pub(crate) fn reader_arguments(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let generics = reader_generics(model.generics, variant);
    let (_, arguments, _) = generics.split_for_impl();
    arguments.to_token_stream()
}

/// The parameters of the enum that this variant's fields mention, because a struct must use every parameter that it declares.
fn reader_generics(generics: &Generics, variant: &StoredModel<'_>) -> Generics {
    let types: TokenStream = variant
        .fields
        .iter()
        .map(|field| field.ty.to_token_stream())
        .collect();
    let used = |parameter: &GenericParam| {
        tokens::parameter_name(parameter).is_some_and(|name| tokens::mention(types.clone(), name))
    };
    let unused: Vec<&Ident> = generics
        .params
        .iter()
        .filter(|parameter| !used(parameter))
        .filter_map(tokens::parameter_name)
        .collect();
    let stays = |tokens: TokenStream| {
        unused
            .iter()
            .all(|name| !tokens::mention(tokens.clone(), name))
    };
    let mut kept = generics.clone();
    kept.params = generics
        .params
        .iter()
        .filter(|parameter| used(parameter))
        .cloned()
        .collect();
    for parameter in kept.type_params_mut() {
        let bounds = std::mem::take(&mut parameter.bounds);
        parameter.bounds = bounds
            .into_iter()
            .filter(|bound| stays(bound.to_token_stream()))
            .collect();
    }
    if let Some(where_clause) = &mut kept.where_clause {
        let predicates = std::mem::take(&mut where_clause.predicates);
        where_clause.predicates = predicates
            .into_iter()
            .filter(|predicate| stays(predicate.to_token_stream()))
            .collect();
    }
    kept
}

/// The fields of a variant in their brackets, with serde's attributes but no other attributes. `owned` is `true` for the
/// reader, whose values are owned.
fn fields(model: &EventModel<'_>, variant: &StoredModel<'_>, owned: bool) -> TokenStream {
    let enum_type = model.enum_type();
    let shown = variant.fields.iter().map(|field| {
        let attributes = &field.serde.written;
        let name = field.name.map(|name| quote!(#name:));
        let mut ty = tokens::without_self(field.ty, &enum_type);
        if owned && field.hides_borrowing {
            ty = quote!((#ty));
        }
        quote!(#(#attributes)* #name #ty)
    });
    match variant.fields {
        FieldsModel::Named(_) => quote!({ #(#shown,)* }),
        FieldsModel::Unnamed(_) => quote!((#(#shown,)*)),
    }
}

/// The check that serde can write and read the fields, once per type, with the span of the type.
///
/// It comes before serde's derives, so that the compiler reports it first.
pub(crate) fn checked_fields(model: &EventModel<'_>) -> Option<TokenStream> {
    let library = &model.library;
    let enum_type = model.enum_type();
    let mut known = HashSet::new();
    let fields = model.stored().flat_map(|variant| variant.fields.iter());
    let checks: Vec<TokenStream> = fields
        .filter(|field| !field.serde.have_any(READ_OTHERWISE))
        .filter(|field| !tokens::depends_on(field.ty, model.generics))
        .filter(|field| known.insert(spelled(field.ty)))
        .map(|field| {
            let ty = tokens::without_self(field.ty, &enum_type);
            let place = Span::mixed_site().located_at(field.ty.span());
            quote_spanned!(place=> let () = <#ty as #library::__private::Payload>::CHECKED;)
        })
        .collect();
    (!checks.is_empty()).then(|| quote!(const _: () = { #(#checks)* };))
}

/// The variant's `rename_all` as an attribute of a payload type.
fn rename_all(variant: &StoredModel<'_>) -> Option<TokenStream> {
    let entries = &variant.rename_all;
    (!entries.is_empty()).then(|| quote!(#[serde(#(#entries),*)]))
}
