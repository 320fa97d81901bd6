//! Third stage, the schema: the stored form of each variant, as plain data.

use crate::event::model::fields::FieldModel;
use crate::event::model::flatten::FlattenedModel;
use crate::event::model::{EventModel, StoredModel, VariantModel};
use crate::spelling::spelled;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// Serde's attributes on fields that do not change the stored form.
const WITHOUT_SHAPE: &[&str] = &["bound", "borrow", "getter"];

/// The value of `SCHEMA`, and the constants that it is built from if other events are flattened.
pub(crate) fn schema(model: &EventModel<'_>) -> (TokenStream, TokenStream) {
    let EventModel {
        library, variants, ..
    } = model;
    if model.stored().count() == variants.len() {
        let entries = model.stored().map(|variant| entry(model, variant));
        return (quote!(&[#(#entries),*]), TokenStream::new());
    }
    let private = quote!(#library::__private);
    let parts = variants.iter().map(|variant| match variant {
        VariantModel::Stored(stored) => {
            let entry = entry(model, stored);
            quote!(&[#entry])
        }
        VariantModel::Flattened(flattened) => {
            let event = as_event(model, flattened);
            quote!(&#private::flattened::<{ #event::SCHEMA.len() }>(#event::SCHEMA))
        }
    });
    let assertions = variants.iter().enumerate().filter_map(|(index, variant)| {
        let VariantModel::Flattened(flattened) = variant else {
            return None;
        };
        let place = flattened.event.span().resolved_at(Span::mixed_site());
        let private = tokens::located(&private, place);
        let parts = Ident::new("__PARTS", Span::call_site().located_at(place));
        let call = quote_spanned!(place=> #private::assert_distinct(#parts, #index));
        Some(quote!(const _: () = #call;))
    });
    let constants = quote! {
        const __PARTS: &[&[#library::EventSchema]] = &[#(#parts),*];
        #(#assertions)*
    };
    let value = quote!(&#private::concat::<{ #private::count(__PARTS) }>(__PARTS));
    (value, constants)
}

/// A flattened event as an `Event`, with the span of its type, so that the compiler reports a missing implementation there.
pub(crate) fn as_event(model: &EventModel<'_>, flattened: &FlattenedModel<'_>) -> TokenStream {
    let library = &model.library;
    let event = tokens::without_self(flattened.event, &model.enum_type());
    tokens::located(&quote!(<#event as #library::Event>), flattened.event.span())
}

/// The name and version that are written for a variant.
pub(crate) fn event_type(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let library = &model.library;
    let StoredModel { name, version, .. } = variant;
    quote!(#library::EventType::new(#name, #version))
}

/// The schema entry of a variant.
fn entry(model: &EventModel<'_>, variant: &StoredModel<'_>) -> TokenStream {
    let library = &model.library;
    let event_type = event_type(model, variant);
    let aliases = &variant.aliases;
    let upcast_from = variant.upcasters.iter().map(|upcaster| upcaster.from);
    let accepts = variant.accepted.iter().map(|accepted| accepted.from);
    let name = variant.ident.unraw().to_string();
    let rename_all = variant.rename_all.iter();
    let rename_all = rename_all.map(|entry| format!("#[serde({})]", spelled(entry)));
    let fields = variant
        .fields
        .iter()
        .enumerate()
        .filter_map(|(index, field)| shown(index, field));
    let fields = rename_all.chain(fields);
    let aliases = setter("with_aliases", aliases);
    let upcast_from = setter("with_upcast_from", upcast_from);
    let fields = setter("with_fields", fields);
    let accepts = setter("with_accepts", accepts);
    let retired = variant.retired.then(|| quote!(.retired()));
    quote!(#library::EventSchema::new(#event_type, #name) #aliases #upcast_from #accepts #fields #retired)
}

/// The call that sets one of an entry's lists, unless the list is empty.
fn setter<T: ToTokens>(name: &str, list: impl IntoIterator<Item = T>) -> Option<TokenStream> {
    let mut list = list.into_iter().peekable();
    list.peek()?;
    let name = Ident::new(name, Span::call_site());
    Some(quote!(.#name(&[#(#list),*])))
}

/// A field in the form `name: Type #[serde(attribute)]`, unless it is not stored.
fn shown(index: usize, field: &FieldModel<'_>) -> Option<String> {
    if field.serde.have_any(&["skip"]) {
        return None;
    }
    let name = match field.name {
        Some(name) => name.unraw().to_string(),
        None => index.to_string(),
    };
    let mut attributes: Vec<String> = field
        .serde
        .entries
        .iter()
        .filter(|entry| !WITHOUT_SHAPE.iter().any(|word| entry.path().is_ident(word)))
        .map(|entry| format!(" #[serde({})]", spelled(entry)))
        .collect();
    attributes.sort();
    Some(format!(
        "{name}: {}{}",
        spelled(field.ty),
        attributes.concat()
    ))
}
