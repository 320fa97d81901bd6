//! Third stage: the implementation of `Event`.

use super::model::{CodecModel, EventModel, VariantModel};
use super::payload;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Fields;
use syn::spanned::Spanned;

/// The whole output of the derive.
pub(crate) fn expand(model: &EventModel<'_>) -> TokenStream {
    let EventModel { ident, library, .. } = model;
    let (parameters, arguments, _) = model.generics.split_for_impl();
    let where_clause = tokens::where_clause(model.generics, &bounds(model));
    let turbofish = arguments.as_turbofish();
    let codec = codec_name(model);
    let codec_alias = codec_alias(model);
    let writer = payload::writer(model);
    let writer_name = payload::writer_name();
    let readers = model
        .variants
        .iter()
        .map(|variant| payload::reader(model, variant));
    let schema = model.variants.iter().map(|variant| {
        let event_type = event_type(model, variant);
        let aliases = &variant.aliases;
        quote!(#library::EventSchema { event_type: #event_type, aliases: &[#(#aliases),*] })
    });
    let types = model.variants.iter().map(|variant| {
        let name = variant.ident;
        let event_type = event_type(model, variant);
        quote!(Self::#name { .. } => #event_type)
    });
    let stored = tokens::local("stored");
    let serializer = tokens::local("serializer");
    let arms = model
        .variants
        .iter()
        .map(|variant| decode_arms(model, variant, &stored));
    quote! {
        #[allow(
            dead_code, deprecated, non_camel_case_types, non_snake_case,
            reason = "the payloads repeat the names of the enum and are only used by serde"
        )]
        const _: () = {
            #codec_alias
            #writer
            #(#readers)*

            #[automatically_derived]
            impl #parameters #library::Event for #ident #arguments #where_clause {
                type Codec = #codec;

                const SCHEMA: &'static [#library::EventSchema] = &[#(#schema),*];

                fn event_type(&self) -> #library::EventType {
                    match self {
                        #(#types,)*
                    }
                }

                fn serialize_payload<__S: #library::__private::serde::Serializer>(
                    &self,
                    #serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #writer_name #turbofish::serialize(self, #serializer)
                }

                fn decode(
                    #stored: &#library::__private::StoredPayload<'_>,
                ) -> ::core::result::Result<Self, #library::__private::DecodeProblem> {
                    match (#stored.name, #stored.version) {
                        #(#arms)*
                        _ => ::core::result::Result::Err(#stored.not_in_schema::<Self>()),
                    }
                }
            }
        };
    }
}

/// How the payloads of one variant are read: the current version, then one arm for each older one.
fn decode_arms(model: &EventModel<'_>, variant: &VariantModel<'_>, stored: &Ident) -> TokenStream {
    let library = &model.library;
    let codec = codec_name(model);
    let names = std::iter::once(&variant.name).chain(&variant.aliases);
    let names = quote!(#(#names)|*);
    let current = i32::from(variant.version);
    let reader = payload::reader_name(variant);
    let arguments = payload::reader_arguments(model, variant);
    let ident = variant.ident;
    let fields = match variant.fields {
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!({ #(#names),* })
        }
        Fields::Unnamed(fields) if !fields.unnamed.is_empty() => {
            let names =
                (0..fields.unnamed.len()).map(|index| tokens::local(&format!("field_{index}")));
            quote!((#(#names),*))
        }
        Fields::Unnamed(_) | Fields::Unit => quote!({}),
    };
    let upcasts = variant.upcasters.iter().map(|upcaster| {
        let from = i32::from(upcaster.from);
        let path = &upcaster.path;
        // The call is reported at the function: a wrong signature is found there.
        let call = tokens::located(
            &quote!(#library::__private::upcast::<#codec, _, Self>),
            path.span(),
        );
        let call =
            quote_spanned!(Span::mixed_site().located_at(path.span())=> #call(#stored, #path));
        quote!((#names, #from) => #call,)
    });
    quote! {
        (#names, #current) => #stored.read::<#codec, #reader #arguments>().map(|#reader #fields| Self::#ident #fields),
        #(#upcasts)*
    }
}

/// The name and version that are written for a variant.
fn event_type(model: &EventModel<'_>, variant: &VariantModel<'_>) -> TokenStream {
    let library = &model.library;
    let VariantModel { name, version, .. } = variant;
    quote!(#library::EventType { name: #name, version: #version })
}

/// The codec in generated code.
fn codec_name(model: &EventModel<'_>) -> TokenStream {
    match &model.codec {
        CodecModel::Json(_) | CodecModel::MsgPack(_) => quote!(__Codec),
        CodecModel::Custom(custom) => quote!(#custom),
    }
}

/// A short name for a built-in codec, declared by a macro of the library, which says so if the feature is missing.
///
/// All its tokens have the place of the codec in the attribute: that is where the compiler then points.
fn codec_alias(model: &EventModel<'_>) -> Option<TokenStream> {
    let (name, span) = match &model.codec {
        CodecModel::Json(span) => ("__codec_json", *span),
        CodecModel::MsgPack(span) => ("__codec_msgpack", *span),
        CodecModel::Custom(_) => return None,
    };
    let name = Ident::new(name, span);
    let library = model.library.written_at(span);
    Some(quote_spanned!(span=> #library::#name!(__Codec);))
}

/// What an event asks of its type parameters.
fn bounds(model: &EventModel<'_>) -> TokenStream {
    let serde = {
        let library = &model.library;
        quote!(#library::__private::serde)
    };
    let parameters = model
        .generics
        .type_params()
        .map(|parameter| &parameter.ident);
    quote! {
        #(#parameters: #serde::Serialize + #serde::de::DeserializeOwned
            + ::core::marker::Send + ::core::marker::Sync + 'static,)*
    }
}
