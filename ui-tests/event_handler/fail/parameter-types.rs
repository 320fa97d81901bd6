#![allow(unused_variables)]

use eventlogs::event_handler;
use std::borrow::Cow;

pub enum DoorEvent {
    Opened { cents: u64, by: Option<String>, at: String, steps: Vec<String>, hours: Box<u32> },
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn values(&mut self, cents: u32, by: Option<&str>, at: Cow<'_, str>, steps: Vec<&str>, hours: u32) {}
}

pub struct Window;

#[event_handler(DoorEvent)]
impl Window {
    #[on(Opened)]
    fn references(&mut self, cents: &u32, by: &str, at: &[u8], steps: &[&str], hours: &u64) {}
}

fn main() {}
