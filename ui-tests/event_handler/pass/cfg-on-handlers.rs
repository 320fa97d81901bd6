//! A condition on a handler also applies to its arm, and matches the condition on the variant.

#![deny(warnings)]
#![allow(unexpected_cfgs)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String },
    Closed,
    #[cfg(haunted)]
    Creaked,
    #[cfg(not(haunted))]
    Squeaked,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[cfg(not(haunted))]
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }

    #[cfg(haunted)]
    #[on(Opened)]
    fn open(&mut self, by: String) {
        self.open = !by.is_empty();
    }

    #[cfg(haunted)]
    #[on(Closed | Creaked)]
    fn close(&mut self) {
        self.open = !self.open;
    }

    #[cfg(not(haunted))]
    #[on(Closed | Squeaked)]
    fn close(&mut self) {
        self.open = false;
    }
}

fn main() {
    let _ = DoorEvent::Opened { by: String::new() };
    assert!(!Door::default().open);
}
