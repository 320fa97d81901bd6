//! Refusing fields that borrow, because an event outlives the row that it is read from.

use crate::errors::Errors;
use crate::serde_attributes::SerdeAttributes;
use crate::spelling::spelled;
use proc_macro2::Ident;
use syn::{GenericArgument, Generics, Lifetime, PathArguments, PathSegment, Type, TypeReference};

/// Serde's attributes with which a field is not deserialised through its type.
const READ_OTHERWISE: &[&str] = &["with", "deserialize_with", "skip", "skip_deserializing"];

/// The types that deserialise their type arguments. Other types may not do so: `PhantomData<&str>` reads nothing.
const CONTAINERS: &[&str] = &[
    "Option",
    "Box",
    "Rc",
    "Arc",
    "Vec",
    "VecDeque",
    "LinkedList",
    "BinaryHeap",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "BTreeSet",
    "IndexMap",
    "IndexSet",
    "SmallVec",
    "Result",
    "Cow",
    "Cell",
    "RefCell",
    "Mutex",
    "RwLock",
    "Reverse",
    "Wrapping",
    "Saturating",
    "Range",
    "RangeInclusive",
    "Bound",
];

/// Refuses a field that would be read as a borrowed value. A lifetime of the enum is refused where it is declared.
pub(crate) fn refuse(
    ty: &Type,
    serde: &SerdeAttributes<'_>,
    generics: &Generics,
    errors: &mut Errors,
) {
    let is_declared = |lifetime: &Lifetime| {
        generics
            .lifetimes()
            .any(|declared| declared.lifetime.ident == lifetime.ident)
    };
    if serde.have_any(READ_OTHERWISE) {
        return;
    }
    for entry in serde.called("borrow") {
        if generics.lifetimes().next().is_none() {
            errors.on(
                entry,
                "events are decoded into owned values; remove `borrow`",
            );
        }
    }
    for borrowed in find(ty) {
        match borrowed {
            Borrowed::Reference(reference) => {
                if !reference.lifetime.as_ref().is_some_and(is_declared) {
                    errors.on(
                        reference,
                        format!(
                            "events are decoded into owned values; instead of `{}` write {}",
                            spelled(reference),
                            owned(reference)
                        ),
                    );
                }
            }
            Borrowed::Cow(segment, lifetime) => {
                if !lifetime.is_some_and(is_declared) {
                    errors.on(
                        segment,
                        format!(
                            "events are decoded into owned values; write `Cow<'static, {}>`",
                            inside(segment).map(spelled).collect::<Vec<_>>().join(", ")
                        ),
                    );
                }
            }
        }
    }
}

/// Returns `true` if a function of the user reads the field, or none does, although its type borrows.
pub(crate) fn is_read_by_a_function(ty: &Type, serde: &SerdeAttributes<'_>) -> bool {
    serde.have_any(READ_OTHERWISE) && !find(ty).is_empty()
}

/// A part of a type that borrows.
enum Borrowed<'a> {
    /// `&str`
    Reference(&'a TypeReference),
    /// `Cow<'a, str>`, and its lifetime if it has one.
    Cow(&'a PathSegment, Option<&'a Lifetime>),
}

/// All parts of a type that borrow.
fn find(of: &Type) -> Vec<Borrowed<'_>> {
    match of {
        Type::Reference(reference) => vec![Borrowed::Reference(reference)],
        Type::Group(group) => find(&group.elem),
        Type::Paren(paren) => find(&paren.elem),
        Type::Array(array) => find(&array.elem),
        Type::Slice(slice) => find(&slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(find).collect(),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Vec::new();
            };
            if CONTAINERS.iter().all(|name| last.ident != name) {
                return Vec::new();
            }
            let mut found = Vec::new();
            if last.ident == "Cow" {
                let lifetime = lifetime(last);
                if lifetime.is_none_or(|lifetime| lifetime.ident != "static") {
                    found.push(Borrowed::Cow(last, lifetime));
                }
            }
            found.extend(inside(last).flat_map(find));
            found
        }
        _ => Vec::new(),
    }
}

/// The arguments in the angle brackets of a type.
fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    }
    .into_iter()
    .flatten()
}

/// The types among these arguments.
fn inside(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    arguments(segment).filter_map(|argument| match argument {
        GenericArgument::Type(inside) => Some(inside),
        _ => None,
    })
}

/// The first lifetime among these arguments.
fn lifetime(segment: &PathSegment) -> Option<&Lifetime> {
    arguments(segment).find_map(|argument| match argument {
        GenericArgument::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    })
}

/// The owned types to write instead of a reference.
fn owned(reference: &TypeReference) -> String {
    match &*reference.elem {
        Type::Reference(inside) => owned(inside),
        Type::Slice(slice) => {
            let of = spelled(&slice.elem);
            format!("`Vec<{of}>`, `Box<[{of}]>` or `Cow<'static, [{of}]>`")
        }
        Type::Path(path) => {
            let name = path.path.segments.last().map(|last| &last.ident);
            let is = |expected: &str| name.is_some_and(|name: &Ident| name == expected);
            if is("str") {
                "`String`, `Box<str>` or `Cow<'static, str>`".to_owned()
            } else if is("Path") {
                "`PathBuf`".to_owned()
            } else if is("CStr") {
                "`CString`".to_owned()
            } else if is("OsStr") {
                "`OsString`".to_owned()
            } else {
                format!("`{}`", spelled(path))
            }
        }
        Type::Paren(_) | Type::TraitObject(_) => "a type that owns what it holds".to_owned(),
        other => format!("`{}`", spelled(other)),
    }
}

#[cfg(test)]
mod tests;
