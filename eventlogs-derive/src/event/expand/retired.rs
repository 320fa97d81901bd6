//! Third stage, the retired variants: a pattern for the handlers that ignore all of them.

use crate::event::model::EventModel;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;
use syn::ext::IdentExt;

/// A macro that expands to the pattern of all retired variants; nothing if there are none.
///
/// The macro for handlers does not see the enum, and rustc wants an arm for each variant. So this macro has the name of the enum,
/// in the namespace of macros: whatever imports the enum imports it, too. It can be imported in its crate only, like every macro
/// that is not exported from the root.
pub(crate) fn pattern(model: &EventModel<'_>) -> Option<TokenStream> {
    let retired: Vec<&Ident> = model
        .stored()
        .filter(|variant| variant.retired)
        .map(|variant| variant.ident)
        .collect();
    if retired.is_empty() {
        return None;
    }
    let ident = model.ident;
    let name = format_ident!("__retired_{}", ident.unraw(), span = Span::call_site());
    let visibility = match model.visibility {
        Visibility::Public(_) => quote!(pub(crate)),
        other => quote!(#other),
    };
    Some(quote! {
        #[allow(unused_macros, reason = "perhaps no handlers ignore the retired variants")]
        macro_rules! #name {
            ($($event:tt)*) => { #($($event)*::#retired { .. })|* };
        }
        #[allow(unused_imports, reason = "perhaps no handlers ignore the retired variants")]
        #visibility use #name as #ident;
    })
}
