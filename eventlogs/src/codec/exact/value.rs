//! A value that is written with a guard.

use crate::codec::exact::context::Context;
use std::marker::PhantomData;

/// A value that writes itself through a guard.
pub(super) struct Exact<'a, T: ?Sized, F> {
    pub(super) value: &'a T,
    pub(super) context: Context,
    format: PhantomData<F>,
}

impl<'a, T: ?Sized, F> Exact<'a, T, F> {
    #[inline]
    pub(super) const fn new(value: &'a T, context: Context) -> Self {
        Self {
            value,
            context,
            format: PhantomData,
        }
    }
}
