//! The kind of a handler: a method of an aggregate, or one of a projection.

use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::marks::is_called;
use syn::{FnArg, Receiver, ReceiverKind, Signature, Type};

/// Who handles the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An aggregate: the handlers are plain methods that take `&mut self`.
    Aggregate,
    /// A projection, which subscribes to the events: the handlers are `async` and take `&self`.
    Subscriber,
}

/// The kind of a block.
#[derive(Clone, Copy)]
pub(crate) struct BlockKind {
    /// The kind of most handlers.
    pub(crate) kind: Kind,
    /// `true` if every handler is clearly of this kind.
    pub(crate) is_certain: bool,
}

/// The kind of most handlers of the block; with as many of each, that of the first.
pub(crate) fn of_block(block: &Block) -> BlockKind {
    let handlers = block.methods().filter(|method| method.is_handler());
    let kinds: Vec<Option<Kind>> = handlers.map(|method| of(&method.signature)).collect();
    let count = |wanted| kinds.iter().filter(|kind| **kind == Some(wanted)).count();
    let (aggregate, subscriber) = (count(Kind::Aggregate), count(Kind::Subscriber));
    let kind = match aggregate.cmp(&subscriber) {
        std::cmp::Ordering::Greater => Kind::Aggregate,
        std::cmp::Ordering::Less => Kind::Subscriber,
        std::cmp::Ordering::Equal => {
            let mut known = kinds.iter().flatten();
            known.next().copied().unwrap_or(Kind::Aggregate)
        }
    };
    BlockKind {
        kind,
        is_certain: kinds.iter().all(|found| *found == Some(kind)),
    }
}

/// The kind that a signature belongs to; `None` if it belongs to neither.
pub(crate) fn of(signature: &Signature) -> Option<Kind> {
    let is_mutable = signature.receiver().is_some_and(takes_mutable_reference);
    match (signature.asyncness.is_some(), is_mutable) {
        (true, false) => Some(Kind::Subscriber),
        (false, true) => Some(Kind::Aggregate),
        (true, true) | (false, false) => has_context(signature).then_some(Kind::Subscriber),
    }
}

/// Returns `true` if a parameter is marked `#[context]`.
fn has_context(signature: &Signature) -> bool {
    signature.inputs.iter().any(|input| match input {
        FnArg::Receiver(_) => false,
        FnArg::Typed(typed) => {
            let mut attributes = typed.attrs.iter();
            attributes.any(|attribute| is_called(attribute, "context"))
        }
    })
}

/// Returns `true` for `&mut self`, and for `self: &mut Self` or a type that may be equal to it. The compiler checks the rest.
pub(crate) fn takes_mutable_reference(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
        ReceiverKind::Typed(_, found) => {
            matches!(&**found, Type::Reference(reference) if reference.mutability.is_some())
        }
        _ => false,
    }
}

/// Returns `true` for `&self`, and for `self: &Self` or a type that may be equal to it. The compiler checks the rest.
pub(crate) fn takes_shared_reference(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, found) => {
            matches!(&**found, Type::Reference(reference) if reference.mutability.is_none())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, of, of_block};
    use crate::event_handler::parse::block;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn receiver_and_async_decide_together() {
        let kinds = [
            (parse_quote!(fn a(&mut self)), Some(Kind::Aggregate)),
            (parse_quote!(fn a(self: &mut Self)), Some(Kind::Aggregate)),
            (parse_quote!(async fn a(&self)), Some(Kind::Subscriber)),
            (
                parse_quote!(async fn a(self: &Self)),
                Some(Kind::Subscriber),
            ),
            (parse_quote!(async fn a(self)), Some(Kind::Subscriber)),
            (parse_quote!(async fn a()), Some(Kind::Subscriber)),
            (parse_quote!(fn a(&self)), None),
            (parse_quote!(async fn a(&mut self)), None),
            (
                parse_quote!(fn a(&self, #[context] db: &mut Db)),
                Some(Kind::Subscriber),
            ),
        ];
        for (signature, kind) in kinds {
            assert_eq!(of(&signature), kind, "{}", quote!(#signature));
        }
    }

    #[test]
    fn most_handlers_decide_for_the_block() {
        let aggregate = quote!(
            #[on(A)]
            fn a(&mut self) {}
        );
        let subscriber = quote!(
            #[on(B)]
            async fn b(&self) {}
        );
        let neither = quote!(
            #[on(C)]
            async fn c(&mut self) {}
        );
        let other = quote!(
            async fn d(&self) {}
        );
        for (members, kind, is_certain) in [
            (quote!(#aggregate #other), Kind::Aggregate, true),
            (quote!(#subscriber #other), Kind::Subscriber, true),
            (quote!(#subscriber #aggregate), Kind::Subscriber, false),
            (quote!(#aggregate #subscriber), Kind::Aggregate, false),
            (
                quote!(#aggregate #subscriber #subscriber),
                Kind::Subscriber,
                false,
            ),
            (quote!(#subscriber #neither), Kind::Subscriber, false),
            (quote!(#neither), Kind::Aggregate, false),
            (quote!(#other), Kind::Aggregate, true),
        ] {
            let block = block::parse(quote!(impl Door { #members })).expect("a block");
            let found = of_block(&block);
            assert_eq!(
                (found.kind, found.is_certain),
                (kind, is_certain),
                "{members}"
            );
        }
    }
}
