//! Reading the value of an entry as the kind of value that its key takes.

use crate::attribute::Value;
use crate::codecs::BuiltInCodec;
use crate::contents::FingerprintValue;
use crate::duration;
use crate::errors::Errors;
use crate::keys::Given;
use crate::library::Library;
use crate::suggest;
use crate::tokens;
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Lit, LitStr, Path, Type};

/// A number that is known during expansion, or a constant that only the compiler can evaluate.
#[derive(Clone)]
pub(crate) enum NumberValue {
    /// A literal and its span.
    Known(u64, Span),
    /// The path of a constant.
    Constant(Path),
}

/// A duration that is known during expansion, or a constant that only the compiler can evaluate.
#[derive(Clone)]
pub(crate) enum DurationValue {
    /// Milliseconds and the literal that they were read from.
    Known(u64, LitStr),
    /// The path of a constant.
    Constant(Path),
}

/// A built-in codec, or a type of the user.
pub(crate) enum CodecValue {
    /// A codec of the library and the span of its name.
    BuiltIn(BuiltInCodec, Span),
    /// A type of the user.
    Custom(Box<Type>),
}

impl Given {
    /// The error for a value of another kind than the key takes.
    pub(crate) fn wrong_kind(&self) -> syn::Error {
        let facts = self.facts;
        let mut message = format!(
            "`{}` takes {}, as in `{}`",
            facts.name, facts.takes, facts.example
        );
        if facts.repeatable {
            message.push_str("; repeat the key for another one");
        }
        match &self.value {
            Value::Literal(literal) => syn::Error::new_spanned(literal, message),
            Value::Type(found) => syn::Error::new_spanned(found, message),
            Value::Other(tokens) => syn::Error::new_spanned(tokens, message),
            Value::List(_) | Value::Missing => syn::Error::new(self.key.span, message),
        }
    }

    /// Reads a string literal.
    pub(crate) fn string(&self) -> syn::Result<&LitStr> {
        match &self.value {
            Value::Literal(Lit::Str(literal)) => Ok(literal),
            _ => Err(self.wrong_kind()),
        }
    }

    /// Reads an integer literal.
    pub(crate) fn integer(&self) -> syn::Result<u64> {
        match &self.value {
            Value::Literal(Lit::Int(literal)) if is_integer_type(literal.suffix()) => {
                literal.base10_parse().map_err(|_| self.wrong_kind())
            }
            _ => Err(self.wrong_kind()),
        }
    }

    /// Reads an integer literal or the path of a constant.
    pub(crate) fn number(&self) -> syn::Result<NumberValue> {
        match self.path() {
            Ok(constant) => Ok(NumberValue::Constant(constant.clone())),
            Err(_) => Ok(NumberValue::Known(self.integer()?, self.span())),
        }
    }

    /// Reads a duration in a string literal or the path of a constant.
    pub(crate) fn duration(&self) -> syn::Result<DurationValue> {
        if let Ok(constant) = self.path() {
            return Ok(DurationValue::Constant(constant.clone()));
        }
        let literal = self.string()?;
        Ok(DurationValue::Known(
            duration::milliseconds(literal)?,
            literal.clone(),
        ))
    }

    /// Reads a path.
    pub(crate) fn path(&self) -> syn::Result<&Path> {
        match &self.value {
            Value::Type(found) => match tokens::ungrouped(found) {
                Type::Path(found) if found.qself.is_none() => Ok(&found.path),
                _ => Err(self.wrong_kind()),
            },
            _ => Err(self.wrong_kind()),
        }
    }

    /// Reads any type.
    pub(crate) fn any_type(&self) -> syn::Result<&Type> {
        match &self.value {
            Value::Type(found) => Ok(found),
            _ => Err(self.wrong_kind()),
        }
    }

    /// Reads the tokens of a list.
    pub(crate) fn list(&self) -> syn::Result<TokenStream> {
        match &self.value {
            Value::List(tokens) => Ok(tokens.clone()),
            _ => Err(self.wrong_kind()),
        }
    }

    /// Accepts a flag: a key without a value.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        match &self.value {
            Value::Missing => Ok(()),
            _ => Err(self.wrong_kind()),
        }
    }

    /// Reads a fingerprint: a string or a number.
    pub(crate) fn fingerprint(&self) -> syn::Result<FingerprintValue> {
        match self.integer() {
            Ok(number) => Ok(FingerprintValue::Pinned(number)),
            // The message of the error names both kinds of value.
            Err(_) => Ok(FingerprintValue::Mixed(self.string()?.value())),
        }
    }

    /// The span of the value, or of the key if there is no value.
    pub(crate) fn span(&self) -> Span {
        match &self.value {
            Value::Literal(literal) => literal.span(),
            Value::Type(found) => found.span(),
            Value::Other(tokens) => tokens.span(),
            Value::List(_) | Value::Missing => self.key.span,
        }
    }

    /// Reads the name of a codec in a string literal, or a type.
    pub(crate) fn codec(&self) -> syn::Result<CodecValue> {
        match &self.value {
            Value::Literal(Lit::Str(literal)) => {
                let written = literal.value();
                let mut all = BuiltInCodec::ALL.iter();
                if let Some(codec) = all.find(|codec| codec.name() == written) {
                    return Ok(CodecValue::BuiltIn(*codec, literal.span()));
                }
                let names = || BuiltInCodec::ALL.iter().map(|codec| codec.name());
                let message = match suggest::closest(&written, names()) {
                    Some(closest) => {
                        format!("unknown codec `{written}`; did you mean `{closest}`?")
                    }
                    None => format!(
                        "unknown codec `{written}`; expected {}, or the path of your own codec type",
                        suggest::list(names())
                    ),
                };
                Err(syn::Error::new(literal.span(), message))
            }
            Value::Type(found) => Ok(CodecValue::Custom(found.clone())),
            Value::Literal(_) | Value::List(_) | Value::Other(_) | Value::Missing => {
                Err(self.wrong_kind())
            }
        }
    }

    /// Reads the path of the library in `crate = …`. If it cannot be read, returns the library under its usual name.
    pub(crate) fn library(&self, errors: &mut Errors) -> Library {
        errors
            .keep(self.path())
            .map_or_else(Library::default, Library::renamed)
    }
}

/// Returns `true` for the suffix of an integer, and for none. In Rust, `10k` is no number.
fn is_integer_type(suffix: &str) -> bool {
    let width = suffix.trim_start_matches(['u', 'i']);
    suffix.is_empty()
        || (width.len() < suffix.len() && (width == "size" || width.parse::<u8>().is_ok()))
}
