//! The members that are included in the fingerprint.

use crate::event_handler::expand;
use proc_macro2::TokenStream;
use quote::quote;

/// The constants in the output for a block with one handler that calls `first`.
fn constants(members: &TokenStream) -> String {
    let block = quote! {
        impl Door {
            #[on(Opened)]
            fn open(&mut self) { self.first(); }
            #members
        }
    };
    let output = expand(quote!(DoorEvent), block).to_string();
    let (_, constants) = output
        .split_once("fingerprint (&")
        .expect("the block has a fingerprint");
    constants.to_owned()
}

/// The number of included pieces of code: the block's header, the handler and the members that the handler names.
fn count(members: &TokenStream) -> usize {
    constants(members).matches("u64").count()
}

#[test]
fn names_are_followed() {
    let members = quote! {
        const THIRD: u8 = Self::fourth();
        fn first(&mut self) { Self::second(self); }
        fn second(&mut self) { self.size += Self::THIRD; }
        const fn fourth() -> u8 { 4 }
    };
    assert_eq!(count(&members), 6);
}

#[test]
fn what_nobody_names_does_not_count() {
    let members = quote! {
        fn first(&mut self) { self.size += size; }
        pub fn size(&self) -> u8 { Self::unrelated(self.size) }
        fn unrelated(size: u8) -> u8 { size }
    };
    assert_eq!(count(&members), 3);
}

#[test]
fn members_may_name_each_other_in_circles() {
    let members = quote! {
        fn first(&mut self) { self.second(); }
        fn second(&mut self) { self.first(); self.open(); }
    };
    assert_eq!(count(&members), 4);
}

#[test]
fn macro_calls_count_and_so_does_what_they_mention() {
    let members = quote! {
        generate! { second }
        fn second(&self) {}
        fn third(&self) {}
    };
    assert_eq!(count(&members), 4);
}

#[test]
fn the_order_of_what_is_named_makes_no_difference() {
    let first = quote!(
        fn first(&self) {
            self.second()
        }
    );
    let second = quote!(
        fn second(&self) {}
    );
    assert_eq!(
        constants(&quote!(#first #second)),
        constants(&quote!(#second #first))
    );
}

#[test]
fn a_condition_holds_for_the_constant() {
    let constants = constants(&quote!(
        #[cfg(unix)]
        fn first(&self) {}
    ));
    assert!(constants.contains("# [cfg (unix)] "), "{constants}");
}

#[test]
fn what_conditions_inside_say_counts_too() {
    for members in [
        quote!(
            fn first(&self, #[cfg(unix)] size: u8) {}
        ),
        quote!(
            fn first(&self) {
                #[cfg(unix)]
                self.second();
                if cfg!(unix) {}
            }
        ),
    ] {
        assert_eq!(count(&members), 4);
        assert!(constants(&members).contains("# [cfg (unix)] "));
    }
}
