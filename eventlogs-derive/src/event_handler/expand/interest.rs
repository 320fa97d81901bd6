//! The constant with the wanted variants.

use crate::event_handler::model::HandlerModel;
use crate::event_handler::model::interest::{InterestModel, Wanted};
use proc_macro2::TokenStream;
use quote::quote;

/// The constant.
pub(super) fn constant(model: &HandlerModel<'_>) -> TokenStream {
    let library = &model.library;
    let interest = match &model.interest {
        InterestModel::All => quote!(#library::feed::Interest::All),
        InterestModel::Except(names) => quote!(#library::feed::Interest::Except(&[#(#names),*])),
        InterestModel::Only(wanted) => {
            let wanted = wanted
                .iter()
                .map(|Wanted { name, conditions }| quote!(#(#conditions)* #name));
            quote!(#library::feed::Interest::Only(&[#(#wanted),*]))
        }
    };
    quote!(const INTEREST: #library::feed::Interest = #interest;)
}
