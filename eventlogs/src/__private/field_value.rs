//! The values that handlers take of the fields of an event.

/// A parameter of a handler that takes a field by value.
///
/// It is a trait for the sake of its message: the compiler would suggest to convert the argument, which is generated.
#[diagnostic::on_unimplemented(
    message = "the field is `{F}`, and this parameter takes `{Self}`",
    label = "write `{F}`, or a reference `&{F}`"
)]
pub trait FieldValue<F: ?Sized>: Sized {
    /// Clones the field.
    fn of(field: &F) -> Self
    where
        Self: ClonedField;
}

#[diagnostic::do_not_recommend]
impl<T> FieldValue<T> for T {
    #[inline]
    fn of(field: &T) -> T
    where
        T: ClonedField,
    {
        field.clone()
    }
}

/// No type. With a single implementation of the trait, the compiler would take the type of the field from the parameter, and
/// compare the types before it asks for the trait.
#[derive(Debug)]
pub enum NoField {}

#[diagnostic::do_not_recommend]
impl<T> FieldValue<(NoField, T)> for T {
    fn of(field: &(NoField, T)) -> T {
        match field.0 {}
    }
}

/// A field that can be taken by value.
#[diagnostic::on_unimplemented(
    message = "a handler takes a clone of `{Self}`, which is not `Clone`",
    label = "write a reference `&{Self}`, or derive `Clone`"
)]
pub trait ClonedField: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> ClonedField for T {}
