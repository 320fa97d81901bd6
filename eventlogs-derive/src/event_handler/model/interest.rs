//! The variants that a projection or a row wants to receive.

use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::handler::ParsedHandler;
use crate::event_handler::parse::marks::may_remove;
use std::collections::HashSet;
use syn::Attribute;
use syn::ext::IdentExt;

/// The wanted variants. The others need not be decoded.
pub(crate) enum InterestModel<'a> {
    /// All.
    All,
    /// All but these.
    Except(Vec<String>),
    /// Only these.
    Only(Vec<Wanted<'a>>),
}

/// A wanted variant.
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: String,
    /// The conditions of its handler.
    pub(crate) conditions: Vec<&'a Attribute>,
}

/// Finds out which variants are wanted.
pub(crate) fn of<'a>(handlers: &[ParsedHandler<'a>], ignored: &Ignored) -> InterestModel<'a> {
    match ignored {
        Ignored::Rest(_) => InterestModel::Only(handled(handlers)),
        Ignored::Listed(listed) => {
            let handled: HashSet<String> = handled(handlers)
                .into_iter()
                .map(|wanted| wanted.name)
                .collect();
            // A variant of which a handler takes a part is wanted: the part is not known before the event is decoded.
            let unwanted: Vec<String> = listed
                .iter()
                .filter(|alternative| alternative.is_irrefutable())
                .map(|alternative| alternative.variant.unraw().to_string())
                .filter(|name| !handled.contains(name))
                .collect();
            if unwanted.is_empty() {
                InterestModel::All
            } else {
                InterestModel::Except(unwanted)
            }
        }
    }
}

/// The variants in the patterns of the handlers. A variant with several handlers that have conditions is there several times.
fn handled<'a>(handlers: &[ParsedHandler<'a>]) -> Vec<Wanted<'a>> {
    let mut found: Vec<Wanted<'a>> = Vec::new();
    for handler in handlers {
        let others = found.len();
        for alternative in &handler.alternatives {
            let name = alternative.variant.unraw().to_string();
            let is_known = found.iter().enumerate().any(|(index, wanted)| {
                wanted.name == name && (index >= others || wanted.conditions.is_empty())
            });
            if !is_known {
                let conditions = handler.attributes.iter().copied();
                let conditions = conditions.filter(|attribute| may_remove(attribute));
                found.push(Wanted {
                    name,
                    conditions: conditions.collect(),
                });
            }
        }
    }
    found
}
