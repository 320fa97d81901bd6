//! What a key takes: turning an entry's value into the kind that its key asks for.

use crate::attribute::Value;
use crate::duration;
use crate::keys::Known;
use crate::suggest;
use crate::tokens;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Lit, LitStr, Path, Type};

/// A number that is known now, or a constant that the compiler knows later.
#[derive(Clone)]
pub(crate) enum Number {
    /// A literal, and where it stands.
    Known(u64, Span),
    /// The path of a constant.
    Constant(Path),
}

/// A duration that is known now, or a constant that the compiler knows later.
#[derive(Clone)]
pub(crate) enum Length {
    /// Milliseconds, and the literal that they were read from.
    Known(u64, LitStr),
    /// The path of a constant.
    Constant(Path),
}

impl Known {
    /// The mistake of another kind of value than the key takes.
    fn wrong_kind(&self) -> syn::Error {
        let facts = self.facts;
        let message = format!(
            "`{}` takes {}, as in `{}`",
            facts.name, facts.takes, facts.example
        );
        match &self.value {
            Value::Literal(literal) => syn::Error::new_spanned(literal, message),
            Value::Type(found) => syn::Error::new_spanned(found, message),
            Value::Other(tokens) => syn::Error::new_spanned(tokens, message),
            Value::List(_) | Value::Missing => syn::Error::new(self.key.span, message),
        }
    }

    /// A string literal.
    pub(crate) fn string(&self) -> syn::Result<&LitStr> {
        match &self.value {
            Value::Literal(Lit::Str(literal)) => Ok(literal),
            _ => Err(self.wrong_kind()),
        }
    }

    /// An integer literal.
    pub(crate) fn integer(&self) -> syn::Result<u64> {
        match &self.value {
            Value::Literal(Lit::Int(literal)) => {
                literal.base10_parse().map_err(|_| self.wrong_kind())
            }
            _ => Err(self.wrong_kind()),
        }
    }

    /// An integer literal, or the path of a constant.
    pub(crate) fn number(&self) -> syn::Result<Number> {
        match self.path() {
            Ok(constant) => Ok(Number::Constant(constant.clone())),
            Err(_) => Ok(Number::Known(self.integer()?, self.span())),
        }
    }

    /// A duration in a string literal, or the path of a constant.
    pub(crate) fn length(&self) -> syn::Result<Length> {
        if let Ok(constant) = self.path() {
            return Ok(Length::Constant(constant.clone()));
        }
        let literal = self.string()?;
        Ok(Length::Known(
            duration::milliseconds(literal)?,
            literal.clone(),
        ))
    }

    /// A path.
    pub(crate) fn path(&self) -> syn::Result<&Path> {
        match &self.value {
            Value::Type(found) => match tokens::ungrouped(found) {
                Type::Path(found) if found.qself.is_none() => Ok(&found.path),
                _ => Err(self.wrong_kind()),
            },
            _ => Err(self.wrong_kind()),
        }
    }

    /// Any type.
    pub(crate) fn any_type(&self) -> syn::Result<&Type> {
        match &self.value {
            Value::Type(found) => Ok(found),
            _ => Err(self.wrong_kind()),
        }
    }

    /// The inside of a list.
    pub(crate) fn list(&self) -> syn::Result<TokenStream> {
        match &self.value {
            Value::List(tokens) => Ok(tokens.clone()),
            _ => Err(self.wrong_kind()),
        }
    }

    /// Nothing at all.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        match &self.value {
            Value::Missing => Ok(()),
            _ => Err(self.wrong_kind()),
        }
    }

    /// The place of the value, or of the key if there is none.
    pub(crate) fn span(&self) -> Span {
        match &self.value {
            Value::Literal(literal) => literal.span(),
            Value::Type(found) => found.span(),
            Value::Other(tokens) => tokens.span(),
            Value::List(_) | Value::Missing => self.key.span,
        }
    }

    /// One of `words` in a string literal, or a type. `noun` is what the words are, for messages.
    pub(crate) fn word_or_type(
        &self,
        noun: &str,
        words: &[&'static str],
    ) -> syn::Result<WordOrType> {
        match &self.value {
            Value::Literal(Lit::Str(literal)) => {
                let written = literal.value();
                if let Some(word) = words.iter().find(|word| **word == written) {
                    return Ok(WordOrType::Word(word, literal.span()));
                }
                let message = match suggest::closest(&written, words.iter().copied()) {
                    Some(closest) => {
                        format!("unknown {noun} `{written}`; did you mean `{closest}`?")
                    }
                    None => format!(
                        "unknown {noun} `{written}`; expected {}, or the path of a type of your own",
                        suggest::list(words.iter().copied())
                    ),
                };
                Err(syn::Error::new(literal.span(), message))
            }
            Value::Type(found) => Ok(WordOrType::Type(found.clone())),
            _ => Err(self.wrong_kind()),
        }
    }
}

/// What [`Known::word_or_type`] found.
pub(crate) enum WordOrType {
    /// One of the words, and where it stands.
    Word(&'static str, Span),
    /// A type.
    Type(Box<Type>),
}

/// The path of the library in generated code: what `crate = …` says, else `::eventlogs`.
#[derive(Clone, Default)]
pub(crate) struct Library {
    /// The user's own path.
    renamed: Option<Path>,
}

impl Library {
    /// The library under the name that the user gave it.
    pub(crate) fn renamed(path: &Path) -> Self {
        Self {
            renamed: Some(path.clone()),
        }
    }

    /// The path as if the user had written it at `place`, so that what is wrong with it is reported there.
    pub(crate) fn written_at(&self, place: Span) -> TokenStream {
        if let Some(path) = &self.renamed {
            tokens::located(path, place)
        } else {
            quote_spanned!(place=> ::eventlogs)
        }
    }
}

impl ToTokens for Library {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.renamed {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::eventlogs)),
        }
    }
}
