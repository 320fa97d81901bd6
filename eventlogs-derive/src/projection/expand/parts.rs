//! What the implementations of `Projection` and `ProjectedRow` have in common.

use crate::projection::model::ProjectionModel;
use crate::tokens;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;
use syn::spanned::Spanned;

/// The parts that projections and rows have in common.
pub(super) struct Parts {
    /// The value of `SOURCES`.
    pub(super) sources: TokenStream,
    /// The constant `CREATE`.
    pub(super) create: Option<TokenStream>,
    /// The body of `fingerprint`.
    pub(super) fingerprint: TokenStream,
}

/// The type of the context.
pub(super) fn connection(model: &ProjectionModel<'_>) -> TokenStream {
    let library = &model.library;
    quote!(<__Database as #library::projection::Database>::Connection)
}

/// The handlers of an enum, with the span of the enum in the attribute, so that the compiler reports missing handlers there.
pub(super) fn handlers(model: &ProjectionModel<'_>, event: &Type) -> TokenStream {
    let library = &model.library;
    let handlers = if model.row.is_some() {
        quote!(<Self as #library::projection::RowHandler<#event>>)
    } else {
        let connection = connection(model);
        quote!(<Self as #library::Subscriber<#event, #connection>>)
    };
    tokens::located(&handlers, event.span())
}

/// An arm per enum in a `match` over the number of an event's enum; none for an enum without a value.
pub(super) fn source_arms<'a>(
    model: &'a ProjectionModel<'_>,
    value: impl Fn(usize, &'a Type) -> Option<TokenStream>,
) -> impl Iterator<Item = TokenStream> {
    let events = model.events.iter().enumerate();
    events.filter_map(move |(index, event)| {
        let value = value(index, event)?;
        Some(quote!(::core::option::Option::Some(#index) => #value,))
    })
}
