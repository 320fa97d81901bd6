//! Reading `#[event(key = value, key(list), flag)]` into entries with their spans.
//!
//! The reader knows no keys. It accepts any list of this form. If it cannot read an entry, it skips to the next comma, so that
//! one mistake does not hide the others.

use crate::errors::Errors;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Data, DeriveInput, Fields, Lit, LitInt, LitStr, Meta, Token, Type, parenthesized,
    token,
};

/// One `key`, `key = value` or `key(list)`.
pub(crate) struct Entry {
    /// The key, before the value.
    pub(crate) key: Key,
    /// The value written for it.
    pub(crate) value: Value,
}

/// A key and its span, so that messages point at the key itself.
#[derive(Clone)]
pub(crate) struct Key {
    /// The key as it was written: an identifier, a keyword or a number.
    pub(crate) name: String,
    /// Where it was written.
    pub(crate) span: Span,
}

/// The value after a key.
pub(crate) enum Value {
    /// No value: the key is a flag.
    Missing,
    /// `= literal`
    Literal(Lit),
    /// `= path` or any other type.
    Type(Box<Type>),
    /// `(…)`, with the tokens between the parentheses.
    List(TokenStream),
    /// `= something else`, kept for the span of a message.
    Other(TokenStream),
}

/// All entries of all attributes called `name`, in order.
pub(crate) fn read(attributes: &[Attribute], name: &str, errors: &mut Errors) -> Vec<Entry> {
    let mut found = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        match &attribute.meta {
            Meta::List(list) => found.extend(entries(list.tokens.clone(), errors)),
            Meta::Path(_) | Meta::NameValue(_) => {
                let example = match name {
                    "aggregate" => "event = YourEvent",
                    "projection" => "name = \"…\", events(YourEvent), database = …",
                    _ => "name = \"…\"",
                };
                errors.on(
                    &attribute.meta,
                    format!("write keys in parentheses, as in `#[{name}({example})]`"),
                );
            }
        }
    }
    found
}

/// Refuses an attribute on a part of the type, where it would have no effect.
pub(crate) fn refuse_on_parts(input: &DeriveInput, name: &str, errors: &mut Errors) {
    let fields = |fields: &Fields| -> Vec<Attribute> {
        fields
            .iter()
            .flat_map(|field| &field.attrs)
            .cloned()
            .collect()
    };
    let parts: Vec<Attribute> = match &input.data {
        Data::Struct(data) => fields(&data.fields),
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants
                .flat_map(|variant| variant.attrs.iter().cloned().chain(fields(&variant.fields)))
                .collect()
        }
        Data::Union(_) => Vec::new(),
    };
    for attribute in parts
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let message = format!(
            "`#[{name}(…)]` applies to the whole type; move it up to `{}`",
            input.ident
        );
        errors.on(attribute, message);
    }
}

/// The entries of one list.
pub(crate) fn entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let mut found = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match entry(input) {
                Ok(entry) => found.push(entry),
                Err(error) => {
                    errors.push(error);
                    rest_of_entry(input);
                }
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                errors.at(input.span(), "expected `,` between two keys");
                rest_of_entry(input);
                // The next token can only be the comma that the line above stopped at.
                let _ = input.parse::<Token![,]>();
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    found
}

/// One entry, up to its comma.
fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    let key = key(input)?;
    let value = if input.peek(Token![=>]) {
        return Err(input.error(format!("write `=` instead of `=>` after `{}`", key.name)));
    } else if input.peek(Token![=]) {
        let equals = input.parse::<Token![=]>()?;
        if at_end(input) {
            return Err(syn::Error::new_spanned(
                equals,
                format!("`{}` has no value after its `=`", key.name),
            ));
        }
        assigned(input)
    } else if input.peek(token::Paren) {
        let list;
        parenthesized!(list in input);
        Value::List(list.parse()?)
    } else {
        refuse_other_sign(input, &key)?;
        Value::Missing
    };
    Ok(Entry { key, value })
}

/// Refuses what is written instead of the `=` after a key.
fn refuse_other_sign(input: ParseStream<'_>, key: &Key) -> syn::Result<()> {
    let name = &key.name;
    if input.peek(Lit) {
        let message = format!("`=` is missing between `{name}` and its value");
        return Err(input.error(message));
    }
    match input.cursor().punct() {
        Some((sign, _)) if sign.as_char() != ',' => {
            Err(input.error(format!("expected `=` and a value after `{name}`")))
        }
        _ => Ok(()),
    }
}

/// An identifier, a keyword such as `crate`, or a number. A string is none, but the message for it depends on the place.
fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    if input.peek(LitInt) {
        let number = input.parse::<LitInt>()?;
        return Ok(Key {
            name: number.to_string(),
            span: number.span(),
        });
    }
    if input.peek(LitStr) {
        let text = input.parse::<LitStr>()?;
        return Ok(Key {
            name: text.token().to_string(),
            span: text.span(),
        });
    }
    let ident = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), "expected a key"))?;
    Ok(Key {
        name: ident.to_string(),
        span: ident.span(),
    })
}

/// The value after the `=`.
fn assigned(input: ParseStream<'_>) -> Value {
    let ahead = input.fork();
    if let Ok(literal) = ahead.parse::<Lit>()
        && at_end(&ahead)
    {
        rest_of_entry(input);
        return Value::Literal(literal);
    }
    let ahead = input.fork();
    if let Ok(found) = ahead.parse::<Type>()
        && at_end(&ahead)
    {
        // The tokens are parsed again from `input`, because only the type parser knows which commas belong to the type.
        return Value::Type(Box::new(input.parse().unwrap_or(found)));
    }
    Value::Other(rest_of_entry(input))
}

/// Returns `true` if the entry ends here.
fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Reads up to the next comma or the end.
fn rest_of_entry(input: ParseStream<'_>) -> TokenStream {
    let mut rest = Vec::new();
    while !at_end(input) {
        match input.parse::<TokenTree>() {
            Ok(token) => rest.push(token),
            Err(_) => break,
        }
    }
    rest.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Entry, Value, entries};
    use crate::errors::Errors;
    use quote::{ToTokens, quote};

    fn show(entry: &Entry) -> String {
        let value = match &entry.value {
            Value::Missing => "-".to_owned(),
            Value::Literal(literal) => format!("literal {}", literal.to_token_stream()),
            Value::Type(path) => format!("type {}", path.to_token_stream()),
            Value::List(tokens) => format!("list {tokens}"),
            Value::Other(tokens) => format!("other {tokens}"),
        };
        format!("{}: {value}", entry.key.name)
    }

    #[test]
    fn every_form_of_an_entry_is_read() {
        let mut errors = Errors::default();
        let tokens = quote!(event = Map<A, B>, crate = ::evl, cache(ttl = "1h"), never, version = 2, x = -1, y = |a| a, 1 = f);
        let read: Vec<_> = entries(tokens, &mut errors).iter().map(show).collect();
        assert_eq!(
            read,
            [
                "event: type Map < A , B >",
                "crate: type :: evl",
                "cache: list ttl = \"1h\"",
                "never: -",
                "version: literal 2",
                "x: literal - 1",
                "y: other | a | a",
                "1: type f",
            ]
        );
        assert!(errors.is_empty());
    }

    #[test]
    fn a_slip_does_not_hide_the_entries_behind_it() {
        let mut errors = Errors::default();
        let read: Vec<_> = entries(quote!(name "x", version =, = 3, alias = "y"), &mut errors)
            .iter()
            .map(show)
            .collect();
        assert_eq!(read, ["alias: literal \"y\""]);
        assert_eq!(
            errors.messages(),
            [
                "`=` is missing between `name` and its value",
                "`version` has no value after its `=`",
                "expected a key"
            ]
        );
    }
}
