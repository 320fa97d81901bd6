//! Locks of the standard library without poisoning.
//!
//! The standard library poisons a lock when a thread panics while it holds it, because that thread may have left the data
//! half-changed. This library ignores that: one panic must not make all later calls fail. That is safe because no data in its
//! locks can be left half-changed:
//! - All checks that can fail come before the first change.
//! - A change is a few assignments, or one call of a collection of the standard library. Neither can panic half-way.
//! - Code of users, which may panic, does not run between two changes that belong together. The fakes are the exception:
//!   they clone events while they hold their lock. A `clone` that panics there fails the test that uses the fake.
//!
//! Every lock of `std::sync` in this library is taken through these functions, so its data must follow these rules.

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(feature = "_database")]
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks a mutex, also after a panic.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the data of a mutex that no other thread can lock, also after a panic.
pub(crate) fn get_mut<T: ?Sized>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a value for reading, also after a panic.
#[cfg(feature = "_database")]
pub(crate) fn read<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a value for writing, also after a panic.
#[cfg(feature = "_database")]
pub(crate) fn write<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
