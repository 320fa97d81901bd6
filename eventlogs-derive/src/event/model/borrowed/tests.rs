//! The refused types, and the advice for each.

use super::refuse;
use crate::errors::Errors;
use crate::serde_attributes::SerdeAttributes;
use syn::{DeriveInput, parse_quote};

fn mistakes(item: &DeriveInput) -> Vec<String> {
    let mut errors = Errors::default();
    if let syn::Data::Enum(data) = &item.data {
        for field in data.variants.iter().flat_map(|variant| &variant.fields) {
            let serde = SerdeAttributes::new(&field.attrs);
            refuse(&field.ty, &serde, &item.generics, &mut errors);
        }
    }
    errors.messages()
}

/// The end of the message for a field of this type.
fn advice(of: &str) -> Vec<String> {
    let of: syn::Type = syn::parse_str(of).expect("it is a type");
    mistakes(&parse_quote!(enum E { V(#of) }))
        .into_iter()
        .map(|message| {
            let (_, advice) = message.split_once("write ").expect("there is advice");
            advice.to_owned()
        })
        .collect()
}

#[test]
fn references_are_found_at_every_depth() {
    let text = "`String`, `Box<str>` or `Cow<'static, str>`";
    for of in [
        "&'static str",
        "&str",
        "(&'static str)",
        "&'static &'static str",
        "Option<&'static str>",
        "std::vec::Vec<Option<&'static str>>",
        "Box<&'static str>",
        "[&'static str; 2]",
        "(u8, &'static str)",
        "HashMap<String, &'static str>",
    ] {
        assert_eq!(advice(of), [text], "{of}");
    }
    assert_eq!(advice("(&'static str, &'static str)").len(), 2);
}

#[test]
fn what_to_write_goes_by_the_type() {
    for (of, expected) in [
        (
            "&'static [u8]",
            "`Vec<u8>`, `Box<[u8]>` or `Cow<'static, [u8]>`",
        ),
        ("&'static std::path::Path", "`PathBuf`"),
        ("&'static [u8; 4]", "`[u8; 4]`"),
        ("&'static Refund", "`Refund`"),
        (
            "&'static (dyn Any + Send)",
            "a type that owns what it holds",
        ),
        ("&'static dyn Any", "a type that owns what it holds"),
        ("Cow<'a, str>", "`Cow<'static, str>`"),
        ("Cow<'_, [u8]>", "`Cow<'static, [u8]>`"),
        ("Cow<str>", "`Cow<'static, str>`"),
        ("Vec<std::borrow::Cow<'a, str>>", "`Cow<'static, str>`"),
    ] {
        assert_eq!(advice(of), [expected], "{of}");
    }
}

#[test]
fn what_owns_or_is_unknown_is_left_alone() {
    for of in [
        "String",
        "Cow<'static, str>",
        "Option<Cow<'static, [u8]>>",
        "PhantomData<&'static str>",
        "Tagged<&'static str>",
        "fn(&str) -> &str",
        "Box<dyn Fn(&str)>",
    ] {
        assert_eq!(advice(of), [""; 0], "{of}");
    }
    let item = parse_quote!(
        enum E<'a> {
            V(
                #[serde(with = "x")] &'static str,
                #[serde(default, deserialize_with = "x")] Option<&'static str>,
                #[serde(skip)] &'static str,
                #[serde(skip_deserializing)] &'static str,
                &'a str,
                Cow<'a, str>,
            ),
        }
    );
    assert_eq!(mistakes(&item), [""; 0]);
}

#[test]
fn nothing_is_borrowed_from_the_input() {
    assert_eq!(
        mistakes(&parse_quote!(
            enum E {
                V(#[serde(borrow)] Cow<'static, str>),
            }
        )),
        ["events are decoded into owned values; remove `borrow`"]
    );
}
