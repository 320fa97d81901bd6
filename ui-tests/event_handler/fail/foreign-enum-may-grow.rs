use eventlogs::event_handler;
use std::net::Shutdown;
use std::sync::atomic::Ordering;

#[derive(Default)]
pub struct Orderings {
    relaxed: u32,
}

// A `#[non_exhaustive]` enum of another crate: variants may be added that no handler can name today.
#[event_handler(Ordering, ignore(Release | Acquire | AcqRel | SeqCst))]
impl Orderings {
    #[on(Relaxed)]
    fn relax(&mut self) {
        self.relaxed += 1;
    }
}

#[derive(Default)]
pub struct Shutdowns {
    any: u32,
}

// An exhaustive enum of another crate.
#[event_handler(Shutdown)]
impl Shutdowns {
    #[on(Read | Write | Both)]
    fn shut(&mut self) {
        self.any += 1;
    }
}

fn main() {}
