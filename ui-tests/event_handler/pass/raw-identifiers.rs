//! Keywords as names of fields, methods, parameters and types.

#![deny(warnings)]

use eventlogs::{Aggregate, Event, event_handler};

#[derive(Event)]
#[allow(non_camel_case_types)]
pub enum r#enum {
    Opened { r#type: u32, r#move: String },
    r#loop(u32),
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = r#enum)]
#[allow(non_camel_case_types)]
pub struct r#struct {
    r#type: u32,
    moves: usize,
}

#[event_handler(r#enum)]
impl r#struct {
    #[on(Opened)]
    fn r#fn(&mut self, r#type: u32, r#move: &str) {
        self.r#type = r#type;
        self.moves += r#move.len();
    }

    #[on(r#loop(r#for))]
    fn r#while(&mut self, r#for: u32) {
        self.r#type += r#for;
    }
}

fn main() {
    assert_eq!(r#enum::r#loop(1).event_type().name, "loop");
    assert_eq!(r#struct::name(), "struct");
    let start = r#struct::default();
    assert_eq!((start.r#type, start.moves), (0, 0));
}
