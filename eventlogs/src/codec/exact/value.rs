//! A value on its way to a codec.

use crate::codec::exact::place::Place;
use std::marker::PhantomData;

/// A value that writes itself through a guard.
pub(super) struct Exact<'a, T: ?Sized, F> {
    pub(super) value: &'a T,
    pub(super) place: Place,
    format: PhantomData<F>,
}

impl<'a, T: ?Sized, F> Exact<'a, T, F> {
    #[inline]
    pub(super) const fn new(value: &'a T, place: Place) -> Self {
        Self {
            value,
            place,
            format: PhantomData,
        }
    }
}
