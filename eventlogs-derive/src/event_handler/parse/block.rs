//! First stage: the `impl` block, parsed only as far as the macro needs it.
//!
//! Bodies stay tokens. That is cheaper than parsing them, and an editor still sees the block while a body is half typed.

use crate::event_handler::parse::marks;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Item, ItemImpl, Macro, Signature, Token, Visibility, token};

/// The block.
pub(crate) struct Block {
    /// Everything before the braces.
    pub(crate) header: ItemImpl,
    /// Attributes inside the braces, for the whole block.
    pub(crate) inner_attributes: Vec<Attribute>,
    /// The items between the braces.
    pub(crate) members: Vec<Member>,
}

/// One item of the block.
pub(crate) enum Member {
    /// A method, or any other function.
    Method(Box<Method>),
    /// A constant, a type or a macro call, with its attributes.
    Other(Vec<Attribute>, TokenStream),
}

/// A function of the block.
pub(crate) struct Method {
    /// All its attributes.
    pub(crate) attributes: Vec<Attribute>,
    /// Its visibility.
    pub(crate) visibility: Visibility,
    /// Its signature.
    pub(crate) signature: Signature,
    /// Its body, braces included.
    pub(crate) body: TokenStream,
}

/// Reads an item that must be an inherent `impl` block.
pub(crate) fn parse(item: TokenStream) -> syn::Result<Block> {
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let Some(TokenTree::Group(body)) = tokens.pop() else {
        return Err(not_a_block(&syn::parse2(item)?));
    };
    let empty = TokenTree::Group(emptied(&body));
    let head: TokenStream = tokens.into_iter().chain([empty]).collect();
    let header = match syn::parse2(head).or_else(|_| syn::parse2(item))? {
        Item::Impl(header) => header,
        other => return Err(not_a_block(&other)),
    };
    if let Some((path, _)) = &header.trait_ {
        let aggregate = header.self_ty.to_token_stream().to_string();
        let message = format!(
            "`#[event_handler]` belongs on an inherent `impl` block; for a trait impl, move the methods to `impl {aggregate} {{ … }}`"
        );
        return Err(syn::Error::new_spanned(path, message));
    }
    let (inner_attributes, members) = members.parse2(body.stream())?;
    Ok(Block {
        header,
        inner_attributes,
        members,
    })
}

/// The group with its brackets but without its content.
fn emptied(group: &Group) -> Group {
    let mut empty = Group::new(group.delimiter(), TokenStream::new());
    empty.set_span(group.span());
    empty
}

/// The error for an attribute on another item, at the keyword of that item.
fn not_a_block(item: &Item) -> syn::Error {
    let keyword = match item {
        Item::Fn(item) => item.sig.fn_token.to_token_stream(),
        Item::Struct(item) => item.struct_token.to_token_stream(),
        Item::Enum(item) => item.enum_token.to_token_stream(),
        Item::Mod(item) => item.mod_token.to_token_stream(),
        Item::Trait(item) => item.trait_token.to_token_stream(),
        Item::Union(item) => item.union_token.to_token_stream(),
        other => other.to_token_stream(),
    };
    let message = "`#[event_handler]` belongs on an inherent `impl` block; write it above `impl YourAggregate { … }`";
    syn::Error::new_spanned(keyword, message)
}

/// Reads everything between the braces.
fn members(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<Member>)> {
    let inner_attributes = input.call(Attribute::parse_inner)?;
    let mut members = Vec::new();
    while !input.is_empty() {
        members.push(member(input)?);
    }
    Ok((inner_attributes, members))
}

/// Reads one item of the block.
fn member(input: ParseStream<'_>) -> syn::Result<Member> {
    let attributes = input.call(Attribute::parse_outer)?;
    let ahead = input.fork();
    let visibility = ahead.parse::<Visibility>();
    if let Ok(visibility) = visibility
        && ahead.parse::<Signature>().is_ok()
    {
        // The fork has parsed both, so parsing them again cannot fail.
        input.parse::<Visibility>()?;
        let signature = input.parse()?;
        let body = rest_of_member(input, true)?;
        return Ok(Member::Method(Box::new(Method {
            attributes,
            visibility,
            signature,
            body,
        })));
    }
    let is_macro = input.fork().parse::<Macro>().is_ok();
    Ok(Member::Other(attributes, rest_of_member(input, is_macro)?))
}

/// Reads up to the semicolon that ends a member, or up to the braces if these may end it.
fn rest_of_member(input: ParseStream<'_>, braces_end_it: bool) -> syn::Result<TokenStream> {
    let mut rest = Vec::new();
    while !input.is_empty() {
        let (semicolon, braces) = (input.peek(Token![;]), input.peek(token::Brace));
        rest.push(input.parse::<TokenTree>()?);
        if semicolon || (braces && braces_end_it) {
            break;
        }
    }
    Ok(rest.into_iter().collect())
}

impl Block {
    /// The block for the compiler, without the attributes that only this macro understands.
    ///
    /// `helpers` are those attributes. `extra` is put before the block.
    pub(crate) fn stripped(&self, helpers: &[&str], extra: &TokenStream) -> TokenStream {
        let ItemImpl {
            attrs,
            unsafety,
            impl_token,
            generics,
            self_ty,
            ..
        } = &self.header;
        let attrs = attrs
            .iter()
            .filter(|attribute| !marks::is_or_hides(attribute, &["event_handler"]));
        let inner = &self.inner_attributes;
        let where_clause = &generics.where_clause;
        let members = self.members.iter().map(|member| member.stripped(helpers));
        quote! {
            #extra
            #(#attrs)*
            #unsafety #impl_token #generics #self_ty #where_clause {
                #(#inner)*
                #(#members)*
            }
        }
    }

    /// The methods of the block.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(..) => None,
        })
    }
}

impl Member {
    /// The member without the helper attributes.
    fn stripped(&self, helpers: &[&str]) -> TokenStream {
        match self {
            Self::Method(method) => method.stripped(helpers),
            Self::Other(attributes, tokens) => {
                let attributes = attributes
                    .iter()
                    .filter(|attribute| !marks::is_or_hides(attribute, helpers));
                quote!(#(#attributes)* #tokens)
            }
        }
    }
}

impl Method {
    /// Returns `true` if the method is marked `#[on(…)]`.
    pub(crate) fn is_handler(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| marks::is_called(attribute, "on"))
    }

    /// Allows a handler what it cannot change: Clippy would ask for a signature that this macro refuses, and cannot know that
    /// the compiler checks whether the future of the handler is `Send`.
    fn allowed_lints(&self) -> TokenStream {
        if self.signature.asyncness.is_some() {
            quote!(#[allow(clippy::future_not_send, clippy::unused_async, clippy::unused_self, reason = "a handler is `async` and takes `&self`")])
        } else {
            quote!(#[allow(clippy::missing_const_for_fn, reason = "a handler is a plain method")])
        }
    }

    /// The method without the helper attributes.
    fn stripped(&self, helpers: &[&str]) -> TokenStream {
        let attributes = self
            .attributes
            .iter()
            .filter(|attribute| !marks::is_or_hides(attribute, helpers));
        let Self {
            visibility, body, ..
        } = self;
        let lint = self.is_handler().then(|| self.allowed_lints());
        let mut signature = self.signature.clone();
        for parameter in &mut signature.inputs {
            if let syn::FnArg::Typed(parameter) = parameter {
                parameter
                    .attrs
                    .retain(|attribute| !marks::is_or_hides(attribute, helpers));
            }
        }
        quote!(#lint #(#attributes)* #visibility #signature #body)
    }
}
