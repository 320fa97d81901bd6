//! Third stage: the implementation of `Event`.

mod payload;
mod retired;
mod schema;

use crate::event::model::fields::FieldsModel;
use crate::event::model::log_type::LogTypeModel;
use crate::event::model::{EventModel, StoredModel, VariantModel};
use crate::event::parse::variant::Converter;
use crate::tokens;
use crate::values::CodecValue;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use schema::{as_event, event_type, schema};
use syn::spanned::Spanned;

/// The complete output of the derive.
pub(crate) fn expand(model: &EventModel<'_>) -> TokenStream {
    let EventModel { ident, library, .. } = model;
    let (parameters, arguments, _) = model.generics.split_for_impl();
    let where_clause = tokens::where_clause(model.generics, &bounds(model));
    let codec = codec_name(model);
    let codec_alias = codec_alias(model);
    let checked_fields = payload::checked_fields(model);
    let payloads = payloads(model);
    let (schema, schema_parts) = schema(model);
    let log_type = log_type(model);
    let types = model
        .variants
        .iter()
        .map(|variant| type_arm(model, variant));
    let serializer = tokens::local("serializer");
    let serialize = serialize(model, &serializer);
    let reading = reading(model);
    let retired = retired::pattern(model);
    quote! {
        #[allow(
            dead_code, deprecated, non_camel_case_types, non_snake_case,
            reason = "the payloads repeat the names of the enum and are only used by serde"
        )]
        const _: () = {
            #codec_alias
            #checked_fields
            #payloads
            #schema_parts

            #[automatically_derived]
            impl #parameters #library::Event for #ident #arguments #where_clause {
                type Codec = #codec;

                const LOG_TYPE: #library::LogType = #log_type;

                const SCHEMA: &'static [#library::EventSchema] = #schema;

                fn event_type(&self) -> #library::EventType {
                    match self {
                        #(#types,)*
                    }
                }

                fn serialize_payload<__S: #library::__private::serde::Serializer>(
                    &self,
                    #serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #serialize
                }

                #reading
            }
        };

        #retired
    }
}

/// The types that serialise and deserialise the payloads of the variants that have their own payload.
fn payloads(model: &EventModel<'_>) -> TokenStream {
    let has_payloads = model.stored().next().is_some();
    let writer = has_payloads.then(|| payload::writer(model));
    let readers = model
        .stored()
        .map(|variant| payload::reader(model, variant));
    quote!(#writer #(#readers)*)
}

/// The functions that decode an event.
fn reading(model: &EventModel<'_>) -> TokenStream {
    let library = &model.library;
    let stored = tokens::local("stored");
    let arms = model
        .variants
        .iter()
        .map(|variant| decode_arms(model, variant, &stored));
    quote! {
        fn decode(
            #stored: &#library::__private::StoredPayload<'_>,
        ) -> ::core::result::Result<Self, #library::__private::DecodeProblem> {
            #library::__private::decode(#stored)
        }

        fn decode_with<__C: #library::Codec>(
            #stored: &#library::__private::StoredPayload<'_>,
        ) -> ::core::result::Result<Self, #library::__private::DecodeProblem> {
            match (#stored.name, #stored.version) {
                #(#arms)*
                _ => ::core::result::Result::Err(#stored.unknown_event::<Self>()),
            }
        }
    }
}

/// The kind of the logs.
fn log_type(model: &EventModel<'_>) -> TokenStream {
    let library = &model.library;
    let LogTypeModel { name, aliases } = &model.log_type;
    let with_aliases = (!aliases.is_empty()).then(|| quote!(.with_aliases(&[#(#aliases),*])));
    quote!(#library::LogType::new(#name) #with_aliases)
}

/// The name and version of one variant.
fn type_arm(model: &EventModel<'_>, variant: &VariantModel<'_>) -> TokenStream {
    match variant {
        VariantModel::Stored(stored) => {
            let ident = stored.ident;
            let event_type = event_type(model, stored);
            quote!(Self::#ident { .. } => #event_type)
        }
        VariantModel::Flattened(flattened) => {
            let ident = flattened.ident;
            let event = as_event(model, flattened);
            let inner = tokens::local("inner");
            quote!(Self::#ident(#inner) => #event::event_type(#inner))
        }
    }
}

/// The body that serialises a payload: through the mirror enum, for variants that have their own payload.
fn serialize(model: &EventModel<'_>, serializer: &Ident) -> TokenStream {
    let (_, arguments, _) = model.generics.split_for_impl();
    let turbofish = arguments.as_turbofish();
    let writer = payload::writer_name();
    let own = quote!(#writer #turbofish::serialize(self, #serializer));
    let inner = tokens::local("inner");
    let mut has_payloads = false;
    let mut flattened = Vec::new();
    for variant in &model.variants {
        match variant {
            VariantModel::Stored(_) => has_payloads = true,
            VariantModel::Flattened(found) => {
                let ident = found.ident;
                let event = as_event(model, found);
                flattened.push(
                    quote!(Self::#ident(#inner) => #event::serialize_payload(#inner, #serializer)),
                );
            }
        }
    }
    if flattened.is_empty() {
        return own;
    }
    let own = has_payloads.then(|| quote!(_ => #own));
    quote!(match self { #(#flattened,)* #own })
}

/// The match arms that decode one variant.
fn decode_arms(model: &EventModel<'_>, variant: &VariantModel<'_>, stored: &Ident) -> TokenStream {
    match variant {
        VariantModel::Stored(variant) => stored_arms(model, variant, stored),
        VariantModel::Flattened(flattened) => {
            let ident = flattened.ident;
            let event = as_event(model, flattened);
            quote! {
                _ if #stored.is_in(#event::SCHEMA) => #event::decode_with::<__C>(#stored).map(Self::#ident),
            }
        }
    }
}

/// The match arms for the payloads of one variant: the current version, then one arm per other version.
fn stored_arms(model: &EventModel<'_>, variant: &StoredModel<'_>, stored: &Ident) -> TokenStream {
    let library = &model.library;
    let names = std::iter::once(&variant.name).chain(&variant.aliases);
    let names = quote!(#(#names)|*);
    let current = i32::from(variant.version);
    let reader = payload::reader_name(variant);
    let arguments = payload::reader_arguments(model, variant);
    let ident = variant.ident;
    let fields = match &variant.fields {
        FieldsModel::Named(fields) => {
            let names = fields.iter().map(|field| field.name);
            quote!({ #(#names),* })
        }
        FieldsModel::Unnamed(fields) => {
            let names = (0..fields.len()).map(|index| tokens::local(&format!("field_{index}")));
            quote!((#(#names),*))
        }
    };
    let convert = |function: &TokenStream, converter: &Converter| {
        let version = converter.from;
        let from = i32::from(version);
        let path = &converter.path;
        // The call has the span of the function, so that the compiler reports a wrong signature there.
        let call = tokens::located(
            &quote!(#library::__private::#function::<#version, __C, _, Self>),
            path.span(),
        );
        let call =
            quote_spanned!(Span::mixed_site().located_at(path.span())=> #call(#stored, #path));
        quote!((#names, #from) => #call,)
    };
    let (upcast, accept) = (quote!(upcast), quote!(accept));
    let older = variant
        .upcasters
        .iter()
        .map(|found| convert(&upcast, found));
    let newer = variant.accepted.iter().map(|found| convert(&accept, found));
    quote! {
        (#names, #current) => #stored.read::<__C, #reader #arguments>().map(|#reader #fields| Self::#ident #fields),
        #(#older)*
        #(#newer)*
    }
}

/// The codec in generated code.
fn codec_name(model: &EventModel<'_>) -> TokenStream {
    match &model.codec {
        CodecValue::BuiltIn(..) => quote!(__Codec),
        CodecValue::Custom(custom) => quote!(#custom),
    }
}

/// A short name for a built-in codec, declared by a macro of the library that reports a missing feature.
///
/// All its tokens have the span of the codec in the attribute, so that the compiler points there.
fn codec_alias(model: &EventModel<'_>) -> Option<TokenStream> {
    let CodecValue::BuiltIn(codec, span) = &model.codec else {
        return None;
    };
    let name = Ident::new(codec.name(), *span);
    let library = model.library.written_at(*span);
    Some(quote_spanned!(*span=> #library::__private::codec::#name!(__Codec);))
}

/// The bounds on the type parameters of an event.
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
