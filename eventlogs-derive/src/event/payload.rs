//! Third stage, the payloads: what serde's derives are asked to write.
//!
//! Writing goes through one enum that mirrors the user's, reading through one owned struct for each variant. Both are
//! made of the user's own field tokens, so that a field type without serde's traits is reported at that type.

use super::borrowed;
use super::model::{EventModel, FlattenedModel, StoredModel, VariantModel};
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Field, Fields, GenericParam, Generics};

/// The mirror of the enum that serialises payloads.
///
/// A flattened event writes itself. A variant without fields is a struct variant here, as it is written as an empty map: it may gain fields later.
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
            let event = tokens::without_self(event, &enum_type(model));
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

/// The name of the mirror.
pub(crate) fn writer_name() -> Ident {
    Ident::new("__Payload", Span::call_site())
}

/// The struct that a variant's payload is read as.
pub(crate) fn reader(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let library = &model.library;
    let serde = quote!(#library::__private::serde);
    let serde_path = serde.to_string();
    let name = reader_name(variant);
    // Serde says in its messages what it expected, and the user knows the variant only.
    let expecting = format!("the payload of `{}`", variant.ident);
    let rename_all = rename_all(variant);
    // Parentheses hide from serde that it could borrow.
    let has_hidden = variant.fields.iter().any(borrowed::is_read_by_a_function);
    let allow = has_hidden
        .then(|| quote!(#[allow(unused_parens, reason = "they keep serde from borrowing")]));
    let fields = fields(model, variant, true);
    let generics = reader_generics(model.generics, variant);
    let where_clause = &generics.where_clause;
    let end = matches!(fields, ShownFields::Unnamed(_)).then(|| quote!(;));
    let body = match &fields {
        ShownFields::Unnamed(_) => quote!(#fields #where_clause),
        ShownFields::Named(_) => quote!(#where_clause #fields),
    };
    quote! {
        #[derive(#serde::Deserialize)]
        #[serde(crate = #serde_path, expecting = #expecting)]
        #rename_all
        #allow
        struct #name #generics #body #end
    }
}

/// The name of a variant's reader. It is prefixed, because `Refunded(Refunded)` is a popular kind of variant.
pub(crate) fn reader_name(variant: &StoredModel<'_>) -> Ident {
    format_ident!("__Read{}", variant.ident.unraw(), span = Span::call_site())
}

/// The type arguments of a variant's reader.
pub(crate) fn reader_arguments(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let generics = reader_generics(model.generics, variant);
    let (_, arguments, _) = generics.split_for_impl();
    arguments.to_token_stream()
}

/// The parameters of the enum that this variant's fields mention: a struct must use every one that it declares.
fn reader_generics(generics: &Generics, variant: &StoredModel<'_>) -> Generics {
    let types: TokenStream = variant
        .fields
        .iter()
        .map(|field| field.ty.to_token_stream())
        .collect();
    let name = |parameter: &GenericParam| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.clone()),
        GenericParam::Const(parameter) => Some(parameter.ident.clone()),
        GenericParam::Lifetime(_) => None,
    };
    let used = |parameter: &GenericParam| {
        name(parameter).is_some_and(|name| tokens::mention(types.clone(), &name))
    };
    let unused: Vec<Ident> = generics
        .params
        .iter()
        .filter(|parameter| !used(parameter))
        .filter_map(name)
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

/// Fields of a variant as a twin shows them.
enum ShownFields {
    /// `{ name: Type }`; also a variant without fields, whatever its brackets.
    Named(Vec<TokenStream>),
    /// `(Type)`
    Unnamed(Vec<TokenStream>),
}

impl ToTokens for ShownFields {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Named(fields) => quote!({ #(#fields,)* }),
            Self::Unnamed(fields) => quote!((#(#fields,)*)),
        });
    }
}

/// The fields of a variant, with serde's attributes and without anything else that was written on them. `owned` says that
/// they are read, into owned values.
fn fields(model: &EventModel<'_>, variant: &StoredModel<'_>, owned: bool) -> ShownFields {
    let enum_type = enum_type(model);
    let shown = variant.fields.iter().map(|field| {
        let Field {
            attrs,
            ident,
            colon_token,
            ty,
            ..
        } = field;
        let attributes = attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"));
        let mut ty = tokens::without_self(ty, &enum_type);
        if owned && borrowed::is_read_by_a_function(field) {
            ty = quote!((#ty));
        }
        quote!(#(#attributes)* #ident #colon_token #ty)
    });
    match variant.fields {
        Fields::Unnamed(fields) if !fields.unnamed.is_empty() => {
            ShownFields::Unnamed(shown.collect())
        }
        _ => ShownFields::Named(shown.collect()),
    }
}

/// What `Self` stands for.
fn enum_type(model: &EventModel<'_>) -> TokenStream {
    let (_, arguments, _) = model.generics.split_for_impl();
    let ident = model.ident;
    quote!(#ident #arguments)
}

/// The variant's `rename_all`, as an attribute of a twin.
fn rename_all(variant: &StoredModel<'_>) -> Option<TokenStream> {
    let entries = &variant.rename_all;
    (!entries.is_empty()).then(|| quote!(#[serde(#(#entries),*)]))
}
