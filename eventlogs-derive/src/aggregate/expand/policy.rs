//! The caching policy: the rules as calls, and the comparisons that only the compiler can make.

use crate::aggregate::model::AggregateModel;
use crate::aggregate::model::contradictions::{Deferred, Operand};
use crate::aggregate::parse::rules::{Rule, Setting};
use crate::keys::table::Keys;
use crate::tokens;
use crate::values::{DurationValue, NumberValue};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

/// The policy, unless it is the default of the trait.
pub(crate) fn cache(model: &AggregateModel<'_>) -> Option<TokenStream> {
    let library = &model.library;
    if model.rules.is_empty() {
        return None;
    }
    let never = model
        .rules
        .iter()
        .any(|rule| matches!(rule.setting, Setting::Never));
    let start = if never { quote!(never) } else { quote!(always) };
    let calls = model.rules.iter().filter_map(call);
    let value = quote!(#library::CacheRules::#start()#(#calls)*);
    let when = model.rules.iter().find_map(|rule| match &rule.setting {
        Setting::Function(path) => Some(typed(model, path)),
        _ => None,
    });
    let value = if when.is_some() {
        quote!({ #when #value })
    } else {
        value
    };
    Some(quote!(const CACHE: #library::CacheRules<Self> = #value;))
}

/// One rule as a call of its builder method.
fn call(rule: &Rule) -> Option<TokenStream> {
    let name = Ident::new(rule.key.facts().name, Span::call_site());
    let value = match &rule.setting {
        Setting::Number(NumberValue::Known(number, span)) => {
            let number = proc_macro2::Literal::u64_unsuffixed(*number);
            quote_spanned!(*span=> #number)
        }
        Setting::Number(NumberValue::Constant(path))
        | Setting::Duration(DurationValue::Constant(path)) => path.to_token_stream(),
        Setting::Duration(DurationValue::Known(milliseconds, _)) => {
            let milliseconds = proc_macro2::Literal::u64_unsuffixed(*milliseconds);
            quote!(::core::time::Duration::from_millis(#milliseconds))
        }
        Setting::Function(_) => tokens::local("when").into_token_stream(),
        Setting::Never => return None,
    };
    Some(quote!(.#name(#value)))
}

/// Binds the user's function to a variable of the required type. The compiler thus reports a wrong signature at the path of the
/// function, without mentioning the builder.
fn typed(model: &AggregateModel<'_>, path: &Path) -> TokenStream {
    let library = &model.library;
    let when = tokens::local("when");
    let signature = quote!(fn(&#library::Aggregation<Self>) -> bool);
    let signature = tokens::located(&signature, path.span());
    quote!(let #when: #signature = #path;)
}

/// An assertion that the compiler evaluates.
pub(crate) fn check(deferred: &Deferred) -> TokenStream {
    let Deferred {
        greatest,
        least,
        message,
    } = deferred;
    let span = match (greatest, least) {
        (Operand::Constant(path), _) | (Operand::Number(_), Operand::Constant(path)) => path.span(),
        (Operand::Number(_), Operand::Number(_)) => Span::call_site(),
    };
    let (greatest, least) = (operand(greatest), operand(least));
    let assertion = quote_spanned!(span.resolved_at(Span::mixed_site())=> ::core::assert!(#greatest >= #least, #message));
    quote!(const _: () = #assertion;)
}

/// One side of a comparison.
fn operand(operand: &Operand) -> TokenStream {
    match operand {
        Operand::Number(number) => {
            proc_macro2::Literal::u64_unsuffixed(*number).into_token_stream()
        }
        Operand::Constant(path) => path.to_token_stream(),
    }
}
