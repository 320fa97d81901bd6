//! The kind of the logs: from the enum's name, from the attribute, with former names, generic, and flattened.

#![deny(warnings)]

use eventlogs::{Event, LogType};

#[derive(Event)]
pub enum DoorEvent {
    Opened,
}

#[derive(Event)]
#[event(log_type = "front-door", log_type_alias = "gate", log_type_alias = "Door.1")]
pub enum FrontDoorEvent {
    Opened,
}

#[derive(Event)]
pub enum HTTPRequestEvent<Body> {
    Sent { body: Body },
}

#[derive(Event)]
pub enum Event2 {
    #[event(flatten)]
    Door(DoorEvent),
}

mod windows {
    #[derive(eventlogs::Event)]
    #[event(log_type = "window")]
    pub enum Event {
        Opened,
    }
}

#[derive(Event)]
#[allow(non_camel_case_types)]
pub enum r#match {
    Lit,
}

#[derive(Event)]
#[event(log_type = "evenement")]
pub enum Événement {
    Lit,
}

/// The kind is usable in a constant.
const DOOR: LogType = DoorEvent::LOG_TYPE;

fn main() {
    assert_eq!(DOOR, LogType::new("door"));
    let front = FrontDoorEvent::LOG_TYPE;
    assert_eq!(front.name(), "front-door");
    assert_eq!(front.aliases(), ["gate", "Door.1"]);
    assert!(front.accepts(LogType::new("gate").number()));
    assert!(!front.accepts(DOOR.number()));
    assert_eq!(HTTPRequestEvent::<String>::LOG_TYPE.name(), "http_request");
    assert_eq!(HTTPRequestEvent::<u8>::LOG_TYPE.name(), "http_request");
    assert_eq!(Event2::LOG_TYPE.name(), "event2");
    assert_eq!(windows::Event::LOG_TYPE.name(), "window");
    assert_eq!(r#match::LOG_TYPE.name(), "match");
    assert_eq!(Événement::LOG_TYPE.name(), "evenement");
}
