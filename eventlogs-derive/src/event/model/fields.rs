//! The fields of a variant, as the rest of the macro uses them.

use crate::errors::Errors;
use crate::event::model::borrowed;
use crate::serde_attributes::SerdeAttributes;
use proc_macro2::Ident;
use syn::{Field, Fields, Generics, Type};

/// The fields of a variant.
pub(crate) enum FieldsModel<'a> {
    /// `{ name: Type }`, or a variant without fields, with any brackets.
    Named(Vec<FieldModel<'a>>),
    /// `(Type)`
    Unnamed(Vec<FieldModel<'a>>),
}

/// A field.
pub(crate) struct FieldModel<'a> {
    /// Its name, unless it is a field of a tuple variant.
    pub(crate) name: Option<&'a Ident>,
    /// Its type.
    pub(crate) ty: &'a Type,
    /// Serde's attributes on it.
    pub(crate) serde: SerdeAttributes<'a>,
    /// `true` if a function of the user reads it, or none does, although its type borrows.
    ///
    /// Even then, serde would treat `&'static str` as a string that borrows from its input.
    pub(crate) hides_borrowing: bool,
}

impl<'a> FieldsModel<'a> {
    /// Reads the fields of a variant. `generics` are the parameters of the enum.
    pub(crate) fn new(fields: &'a Fields, generics: &Generics, errors: &mut Errors) -> Self {
        let found: Vec<_> = fields
            .iter()
            .map(|field| FieldModel::new(field, generics, errors))
            .collect();
        match fields {
            Fields::Unnamed(_) if !found.is_empty() => Self::Unnamed(found),
            Fields::Named(_) | Fields::Unnamed(_) | Fields::Unit => Self::Named(found),
        }
    }

    /// The fields in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &FieldModel<'a>> {
        match self {
            Self::Named(fields) | Self::Unnamed(fields) => fields.iter(),
        }
    }
}

impl<'a> FieldModel<'a> {
    /// Reads a field. `generics` are the parameters of the enum.
    fn new(field: &'a Field, generics: &Generics, errors: &mut Errors) -> Self {
        let serde = SerdeAttributes::new(&field.attrs);
        borrowed::refuse(&field.ty, &serde, generics, errors);
        Self {
            name: field.ident.as_ref(),
            ty: &field.ty,
            hides_borrowing: borrowed::is_read_by_a_function(&field.ty, &serde),
            serde,
        }
    }
}
