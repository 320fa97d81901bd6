//! The code that is emitted with the mistakes: an empty implementation, so that the rest of the crate compiles.

use crate::library::Library;
use crate::tokens;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, GenericParam};

/// An `impl Event` that never runs. Lifetime parameters become `'static`, because an event must be `'static`.
pub(crate) fn stub(input: &DeriveInput, library: &Library) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    let all = std::mem::take(&mut generics.params);
    let mut arguments: Vec<TokenStream> = Vec::new();
    let mut owned = TokenStream::new();
    for mut parameter in all {
        match &mut parameter {
            GenericParam::Lifetime(_) => {
                arguments.push(quote!('static));
                continue;
            }
            GenericParam::Type(found) => {
                let name = &found.ident;
                arguments.push(quote!(#name));
                owned.extend(quote!(#name: ::core::marker::Send + ::core::marker::Sync + 'static,));
                found.default = None;
            }
            GenericParam::Const(found) => {
                let name = &found.ident;
                arguments.push(quote!(#name));
                found.default = None;
            }
        }
        generics.params.push(parameter);
    }
    let (parameters, _, _) = generics.split_for_impl();
    let where_clause = tokens::where_clause(&generics, &owned);
    quote! {
        #[automatically_derived]
        impl #parameters #library::Event for #ident <#(#arguments),*> #where_clause {
            type Codec = #library::__private::StubCodec;
            const LOG_TYPE: #library::LogType = #library::LogType::new("");
            const SCHEMA: &'static [#library::EventSchema] = &[];
            fn event_type(&self) -> #library::EventType {
                ::core::unimplemented!()
            }
            fn serialize_payload<__S: #library::__private::serde::Serializer>(
                &self,
                _: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                ::core::unimplemented!()
            }
            fn decode(
                _: &#library::__private::StoredPayload<'_>,
            ) -> ::core::result::Result<Self, #library::__private::DecodeProblem> {
                ::core::unimplemented!()
            }
        }
    }
}
